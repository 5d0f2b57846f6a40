/* The sample redis, byte by byte. SAMPLE_REDIS is its path. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/programs.h"

#include <bight.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIG_BYTES ((size_t)1 << 20)
#define ENTRY_BYTES 8192

static const char *const argv[] = {SAMPLE_REDIS, NULL};

static void hears(struct bight_stream *stream, const char *expected)
{
    char text[ENTRY_BYTES] = "";

    ck_assert_uint_lt(strlen(expected), sizeof text);
    ck_assert_int_eq(bight_stream_read_exactly(stream, text, strlen(expected)), 0);
    ck_assert_str_eq(text, expected);
}

struct exchange {
    const char *request, *answer;
};

#define NOT_A_NUMBER "-ERR value is not an integer or out of range\r\n"

static const struct exchange exchanges[] = {
    {"ping\r\n", "+PONG\r\n"},
    {"PING hello\n", "$5\r\nhello\r\n"},
    {"*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
    {"*2\r\n$4\r\necho\r\n$0\r\n\r\n", "$0\r\n\r\n"},
    {"\r\n*0\r\n  \t \r\nping\r\n", "+PONG\r\n"},
    {"get a\r\n", "$-1\r\n"},
    {"set a  1\r\n", "+OK\r\n"},
    {"get a\r\n", "$1\r\n1\r\n"},
    {"set a\r\n", "-ERR wrong number of arguments for 'set' command\r\n"},
    {"set a 2 EX\r\n", "-ERR syntax error\r\n"},
    {"set a 2 PX 100\r\n", "-ERR syntax error\r\n"},
    {"set a 2 EX many\r\n", NOT_A_NUMBER},
    {"set a 2 EX 0\r\n", "-ERR invalid expire time in 'set' command\r\n"},
    {"set a 2 EX 9223372036854775807\r\n", "-ERR invalid expire time in 'set' command\r\n"},
    {"get a\r\n", "$1\r\n1\r\n"},
    {"incr a\r\nincr a\r\nincr b\r\n", ":2\r\n:3\r\n:1\r\n"},
    {"set c 9223372036854775807\r\nincr c\r\n",
     "+OK\r\n-ERR increment or decrement would overflow\r\n"},
    {"set c 9223372036854775808\r\nincr c\r\n", "+OK\r\n" NOT_A_NUMBER},
    {"set c -1\r\nincr c\r\n", "+OK\r\n:0\r\n"},
    {"*3\r\n$3\r\nset\r\n$1\r\nc\r\n$2\r\n 1\r\nincr c\r\n", "+OK\r\n" NOT_A_NUMBER},
    {"*3\r\n$3\r\nset\r\n$1\r\nc\r\n$0\r\n\r\nincr c\r\n", "+OK\r\n" NOT_A_NUMBER},
    {"exists a b c d a\r\ndbsize\r\n", ":4\r\n:3\r\n"},
    {"del a d a\r\nexists a\r\ndbsize\r\n", ":1\r\n:0\r\n:2\r\n"},
    {"ttl a\r\nttl b\r\n", ":-2\r\n:-1\r\n"},
    {"expire a 10\r\nexpire b 100\r\nttl b\r\n", ":0\r\n:1\r\n:100\r\n"},
    {"incr b\r\nttl b\r\n", ":2\r\n:100\r\n"},
    {"set b 1\r\nttl b\r\n", "+OK\r\n:-1\r\n"},
    {"set b 1 ex 200\r\nttl b\r\n", "+OK\r\n:200\r\n"},
    {"expire b many\r\n", NOT_A_NUMBER},
    {"expire b 9223372036854775807\r\n", "-ERR invalid expire time in 'expire' command\r\n"},
    {"expire b -9223372036854775808\r\nexists b\r\n", ":1\r\n:0\r\n"},
    {"flushall\r\ndbsize\r\nget c\r\n", "+OK\r\n:0\r\n$-1\r\n"},
    {"config get save\r\ncommand docs\r\n", "*0\r\n*0\r\n"},
    {"config set save x\r\n", "-ERR there is nothing to configure\r\n"},
    {"hello 3\r\nhello\r\n", "-NOPROTO unsupported protocol version\r\n"
                             "-NOPROTO unsupported protocol version\r\n"},
    {"nosuch 1\r\n", "-ERR unknown command 'nosuch'\r\n"},
    {"*1\r\n$7\r\n+a\r\n-b\x01\r\n", "-ERR unknown command '+a  -b '\r\n"},
    {"ping\r\n", "+PONG\r\n"},
};

#define EXCHANGES (sizeof exchanges / sizeof *exchanges)

static int exchange_each(void *server)
{
    struct bight_stream *stream = server_dial(server);

    for (size_t i = 0; i < EXCHANGES; i++) {
        scene_says(stream, exchanges[i].request);
        hears(stream, exchanges[i].answer);
    }
    scene_says(stream, "quit\r\nping\r\n");
    hears(stream, "+OK\r\n");
    scene_is_over(stream);
    return 0;
}

static void it_answers_as_redis_does(void)
{
    server_play(argv, exchange_each);
}

static void collect(char *requests, char *answers)
{
    *requests = *answers = '\0';
    for (size_t i = 0; i < EXCHANGES; i++) {
        strcat(requests, exchanges[i].request);
        strcat(answers, exchanges[i].answer);
    }
}

static int exchange_all(void *server)
{
    struct bight_stream *stream = server_dial(server);
    static char requests[ENTRY_BYTES], answers[ENTRY_BYTES];

    collect(requests, answers);
    scene_says(stream, requests);
    hears(stream, answers);
    ck_assert_int_eq(bight_stream_shutdown(stream), 0);
    scene_is_over(stream);
    return 0;
}

static void pipelined_requests_are_answered_in_order(void)
{
    server_play(argv, exchange_all);
}

/* TCP may put them together again; a pause now and then makes that the exception. */
static int exchange_bytes(void *server)
{
    struct bight_stream *stream = server_dial(server);
    static char requests[ENTRY_BYTES], answers[ENTRY_BYTES];

    collect(requests, answers);
    for (const char *at = requests; *at; at++) {
        ck_assert_int_eq(bight_stream_write(stream, at, 1), 0);
        ck_assert_int_eq(bight_sleep(at - requests < 200), 0);
    }
    hears(stream, answers);
    bight_stream_abort(stream);
    return 0;
}

static void requests_may_come_byte_by_byte(void)
{
    server_play(argv, exchange_bytes);
}

#define PROTOCOL_ERROR(text) "-ERR Protocol error: " text "\r\n"

static const struct exchange hostile[] = {
    {"*65\r\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*1000000000\r\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*18446744073709551617\r\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*000000000000000000000000000001\r\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*-1\r\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*\r\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*1x\r\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*1\n", PROTOCOL_ERROR("invalid multibulk length")},
    {"*1\r$", PROTOCOL_ERROR("invalid multibulk length")},
    {"*1\r\nping\r\n", PROTOCOL_ERROR("expected '$'")},
    {"*1\r\n$1048577\r\n", PROTOCOL_ERROR("invalid bulk length")},
    {"*1\r\n$18446744073709551615\r\n", PROTOCOL_ERROR("invalid bulk length")},
    {"*1\r\n$-1\r\n", PROTOCOL_ERROR("invalid bulk length")},
    {"*1\r\n$4\r\nping+\r\n", PROTOCOL_ERROR("expected a line end")},
    {"ping\r\n*x", "+PONG\r\n" PROTOCOL_ERROR("invalid multibulk length")},
};

static int provoke_each(void *server)
{
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct bight_stream *stream = server_dial(server);

        scene_says(stream, hostile[i].request);
        hears(stream, hostile[i].answer);
        scene_is_over(stream);
    }
    return 0;
}

static void a_hostile_length_is_refused(void)
{
    server_play(argv, provoke_each);
}

static int provoke_by_many_bytes(void *server)
{
    static char much[2 * BIG_BYTES];
    struct bight_stream *stream = server_dial(server);

    memset(much, 'x', sizeof much);
    ck_assert_int_eq(bight_stream_write(stream, much, 5000), 0);
    hears(stream, PROTOCOL_ERROR("too big inline request"));
    scene_is_over(stream);

    stream = server_dial(server);
    scene_says(stream, "*2\r\n$1048576\r\n");
    ck_assert_int_eq(bight_stream_write(stream, much, BIG_BYTES), 0);
    scene_says(stream, "\r\n$1048576\r\n");
    hears(stream, PROTOCOL_ERROR("too big request"));
    scene_is_over(stream);
    return 0;
}

static void a_request_without_end_is_refused(void)
{
    server_play(argv, provoke_by_many_bytes);
}

/* Many answers to a client that reads none are not collected: it is held up. */

#define BIG_GETS 64

struct big {
    struct bight_stream *stream;
    char *value;
};

/* In one piece: the server sees them together. */
static void ask_often(const struct big *big)
{
    char requests[BIG_GETS * 10 + 1] = "";

    for (int i = 0; i < BIG_GETS; i++)
        strcat(requests, "get big\r\n");
    scene_says(big->stream, requests);
}

static void read_all(const struct big *big)
{
    static char came[BIG_BYTES];

    for (int i = 0; i < BIG_GETS; i++) {
        hears(big->stream, "$1048576\r\n");
        ck_assert_int_eq(bight_stream_read_exactly(big->stream, came, BIG_BYTES), 0);
        ck_assert_mem_eq(came, big->value, BIG_BYTES);
        hears(big->stream, "\r\n");
    }
}

static int ask_for_much(void *server)
{
    static char value[BIG_BYTES];
    struct big big = {server_dial(server), value};
    const void *first;
    long before;

    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)(i * 31 + i / 999);
    scene_says(big.stream, "*3\r\n$3\r\nset\r\n$3\r\nbig\r\n$1048576\r\n");
    ck_assert_int_eq(bight_stream_write(big.stream, value, sizeof value), 0);
    scene_says(big.stream, "\r\n");
    hears(big.stream, "+OK\r\n");
    before = server_resident_kib(server);
    ask_often(&big);
    ck_assert_int_gt(bight_stream_peek(big.stream, &first, 1), 0); /* it writes */
    ck_assert_int_lt(server_resident_kib(server) - before, 8 * 1024);
    read_all(&big);
    bight_stream_abort(big.stream);
    return 0;
}

static void answers_that_nobody_reads_are_not_collected(void)
{
    server_play(argv, ask_for_much);
}

static int outlive_keys(void *server)
{
    struct bight_stream *stream = server_dial(server), *other = server_dial(server);

    scene_says(stream, "set a 1 EX 2\r\nset b 1\r\nexpire b 2\r\nset c 1\r\n");
    hears(stream, "+OK\r\n+OK\r\n:1\r\n+OK\r\n");
    scene_says(other, "exists a b c\r\n");
    hears(other, ":3\r\n");
    ck_assert_int_eq(bight_sleep(2010), 0);
    scene_says(other, "get a\r\nttl b\r\nexists a b c\r\ndel a\r\ndbsize\r\nincr a\r\nttl a\r\n");
    hears(other, "$-1\r\n:-2\r\n:1\r\n:0\r\n:1\r\n:1\r\n:-1\r\n");
    bight_stream_abort(stream);
    bight_stream_abort(other);
    return 0;
}

static void keys_expire_and_are_seen_by_all_clients(void)
{
    server_play(argv, outlive_keys);
}

/* More than the server keeps, 64 MiB: the value is refused and those before stay. */
static int fill_up(void *server)
{
    static char value[BIG_BYTES];
    struct bight_stream *stream = server_dial(server);
    int count = 0;
    char line[64];

    for (;; count++) {
        snprintf(line, sizeof line, "*3\r\n$3\r\nset\r\n$3\r\n%03d\r\n$1048576\r\n", count);
        scene_says(stream, line);
        ck_assert_int_eq(bight_stream_write(stream, value, sizeof value), 0);
        scene_says(stream, "\r\n");
        ck_assert_int_gt(bight_stream_read_line(stream, line, sizeof line), 0);
        if (strcmp(line, "+OK") != 0)
            break;
    }
    ck_assert_int_eq(count, 63);
    ck_assert_int_eq(strncmp(line, "-OOM ", 5), 0);
    scene_says(stream, "dbsize\r\nflushall\r\nset a 1\r\n");
    hears(stream, ":63\r\n+OK\r\n+OK\r\n");
    bight_stream_abort(stream);
    return 0;
}

static void what_is_too_much_is_refused(void)
{
    server_play(argv, fill_up);
}

static const struct suite_case cases[] = {
    plain_case(it_answers_as_redis_does),
    plain_case(pipelined_requests_are_answered_in_order),
    plain_case(requests_may_come_byte_by_byte),
    plain_case(a_hostile_length_is_refused),
    plain_case(a_request_without_end_is_refused),
    plain_case(answers_that_nobody_reads_are_not_collected),
    plain_case(keys_expire_and_are_seen_by_all_clients),
    plain_case(what_is_too_much_is_refused),
};

test_suite("sample_redis", cases);
