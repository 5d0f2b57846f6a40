/* What a proxy in front of the server says, and who is believed; numbers of requests; logs. */
#include <bight/access_log.h>
#include <bight/report.h>

#include "net/server/trust.h"
#include "tests/net/server/talk.h"

#include <stdio.h>
#include <string.h>

static int show_peer(struct bight_exchange *exchange, void *arg)
{
    char text[BIGHT_ADDRESS_TEXT_BYTES + 20] = "(none)";
    struct bight_address peer;

    (void)arg;
    if (bight_exchange_peer(exchange, &peer) == 0)
        bight_address_text(&peer, text);
    strcat(text, bight_exchange_is_secure(exchange) ? " https" : " http");
    return bight_exchange_answer(exchange, 200, NULL, text, strlen(text));
}

static const char *body_after(const char *headers)
{
    char request[1000];

    snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    return strstr(talk_ask(request, 200), "\r\n\r\n") + 4;
}

struct said {
    const char *headers;
    const char *peer;
};

static int check(const struct bight_http_serve_options *options, const struct said *rows,
                 size_t count)
{
    talk_begin(show_peer, options);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(body_after(rows[i].headers), rows[i].peer);
    return talk_end();
}

#define CHECK(options, rows) check(options, rows, sizeof(rows) / sizeof(*(rows)))

static int x_forwarded(void *arg)
{
    static const struct bight_http_serve_options nobody = {.forwarded = BIGHT_FORWARDED_X,
                                                           .trusted = "10.0.0.0/8"};
    static const struct bight_http_serve_options ignored = {.trusted = "unix"};
    static const struct bight_http_serve_options local = {.forwarded = BIGHT_FORWARDED_X,
                                                          .trusted = "unix, 10.0.0.0/9, ::1"};
    static const struct bight_http_serve_options mapped = {
        .forwarded = BIGHT_FORWARDED_X, .trusted = "unix, ::ffff:10.0.0.0/104, ::ffff:192.0.2.9"};
    static const struct said nothing[] = {
        {"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "(none) http"},
    };
    static const struct said as_mapped[] = {
        {"X-Forwarded-For: 192.0.2.1, 192.0.2.9, ::ffff:10.200.0.1\r\n", "192.0.2.1 http"},
        {"X-Forwarded-For: 192.0.2.1, 11.0.0.1\r\n", "11.0.0.1 http"},
    };
    static const struct said rows[] = {
        {"", "(none) http"},
        {"X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 http"},
        {"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: HTTPS\r\n", "192.0.2.1 https"},
        {"X-Forwarded-For: made-up, 192.0.2.1\r\n", "192.0.2.1 http"},
        {"X-Forwarded-For: 198.51.100.1, 192.0.2.1, 10.1.2.3\r\n", "192.0.2.1 http"},
        {"X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\nX-Forwarded-For: 10.1.2.3\r\n",
         "192.0.2.1 http"},
        {"X-Forwarded-For: 192.0.2.1, 10.200.0.1\r\n", "10.200.0.1 http"},
        {"X-Forwarded-For: 192.0.2.1, unknown, 10.1.2.3\r\n", "10.1.2.3 http"},
        {"X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1 http"},
        {"X-Forwarded-For: [2001:db8::1]:80, ::ffff:10.1.1.1, ::1\r\n", "2001:db8::1 http"},
        {"X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1 http"},
        {"X-Forwarded-For: \r\n", "(none) http"},
        {"X-Forwarded-Proto: https, http\r\n", "(none) http"},
        {"Forwarded: for=192.0.2.1;proto=https\r\n", "(none) http"},
    };

    (void)arg;
    ck_ok(CHECK(&nobody, nothing));
    ck_ok(CHECK(&ignored, nothing));
    ck_ok(CHECK(&mapped, as_mapped));
    return CHECK(&local, rows);
}

/* As many as the headers may have. */
static int long_row(void *arg)
{
    static const struct bight_http_serve_options local = {.forwarded = BIGHT_FORWARDED_X,
                                                          .trusted = "unix, 10.0.0.0/8"};
    static char request[40000] = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1";
    char *at = request + strlen(request);

    (void)arg;
    while (at - request < 32000)
        at = stpcpy(at, ",10.1.1.1");
    strcpy(at, "\r\n\r\n");
    talk_begin(show_peer, &local);
    for (int i = 0; i < 20; i++)
        ck_assert_ptr_nonnull(strstr(talk_ask(request, 200), "\r\n\r\n192.0.2.1 http"));
    return talk_end();
}

static int rfc7239(void *arg)
{
    static const struct bight_http_serve_options local = {.forwarded = BIGHT_FORWARDED_RFC7239,
                                                          .trusted = "unix,10.0.0.0/8"};
    static const struct said rows[] = {
        {"X-Forwarded-For: 192.0.2.1\r\n", "(none) http"},
        {"Forwarded: for=192.0.2.1;proto=https;by=x\r\n", "192.0.2.1 https"},
        {"Forwarded: proto=http; For=\"[2001:db8::1]:80\"\r\n", "2001:db8::1 http"},
        {"Forwarded: for=192.0.2.1, for=10.1.1.1;proto=https\r\n", "192.0.2.1 https"},
        {"Forwarded: for=_hidden, for=10.1.1.1\r\n", "10.1.1.1 http"},
        {"Forwarded: by=192.0.2.1\r\n", "(none) http"},
    };

    (void)arg;
    return CHECK(&local, rows);
}

static int bad_trust(void *arg)
{
    static const char *const rows[] = {"x",          "10.0.0.0/33", "10.0.0.0/", "10.0.0/8",
                                       "1.2.3.4/-1", "::1/129",     "1.2.3.4 5", "10.0.0.0/8x"};

    (void)arg;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct bight_http_serve_options options = {.trusted = rows[i]};

        talk_begin(talk_hello, &options);
        ck_assert_int_eq(talk_end(), BIGHT_EINVAL);
    }
    return 0;
}

/* The PROXY protocol */

static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\x12\x67\0\x50xyz";

struct proxied {
    const char *data;
    size_t bytes;
    enum proxy_verdict verdict;
    const char *peer;
};

#define TEXT(line, verdict, peer)                                                                  \
    {                                                                                              \
        line, sizeof(line) - 1, verdict, peer                                                      \
    }

static const struct proxied headers[] = {
    TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n", PROXY_NAMED, "192.0.2.1:4711"),
    TEXT("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", PROXY_NAMED, "[2001:db8::1]:1"),
    TEXT("PROXY UNKNOWN\r\n", PROXY_UNNAMED, NULL),
    TEXT("PROXY UNKNOWN ff:: x 1 2\r\n", PROXY_UNNAMED, NULL),
    TEXT(v2, PROXY_NAMED, "192.0.2.1:4711"),
    TEXT("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", PROXY_UNNAMED, NULL),
    TEXT("\r\n\r\n\0\r\nQUIT\n\x21\x31\0\0", PROXY_UNNAMED, NULL),
    TEXT("GET / HTTP/1.1\r\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 4711\r\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 4711 80 9\r\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP4 2001:db8::1 ::1 4711 80\r\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP4  192.0.2.1 192.0.2.2 1 80\r\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP5 192.0.2.1 192.0.2.2 1 80\r\n", PROXY_BAD, NULL),
    TEXT("PROXY TCP4\r\n", PROXY_BAD, NULL),
    TEXT("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", PROXY_BAD, NULL),
    TEXT("\r\n\r\n\0\r\nQUIT\n\x22\x11\0\0", PROXY_BAD, NULL),
    TEXT("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0b\1\2\3\4\1\2\3\4\1\1\1", PROXY_BAD, NULL),
    TEXT("\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", PROXY_BAD, NULL),
};

static int header_forms(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        char text[BIGHT_ADDRESS_TEXT_BYTES];
        const struct proxied *row = &headers[i];
        struct bight_address peer;
        size_t length = 0;

        ck_assert_int_eq(bight__proxy_header(row->data, row->bytes, &length, &peer), row->verdict);
        if (row->verdict == PROXY_BAD)
            continue;
        ck_assert_uint_eq(length, row->bytes);
        if (row->peer)
            ck_assert_str_eq(bight_address_text(&peer, text), row->peer);
        for (size_t k = 0; k < row->bytes; k++)
            ck_assert_int_eq(bight__proxy_header(row->data, k, &length, &peer), PROXY_MORE);
    }
    return 0;
}

static int proxy_protocol(void *arg)
{
    static const struct bight_http_serve_options options = {.proxy_protocol = true,
                                                            .trusted = "unix"};
    static const struct bight_http_serve_options strict = {.proxy_protocol = true,
                                                           .trusted = "127.0.0.1"};
    static const struct bight_stream_pair_options slow = {.read_max = 1};

    (void)arg;
    for (int i = 0; i < 2; i++) {
        talk_begin_over(show_peer, &options, i ? &slow : NULL);
        talk_say_bytes(v2, sizeof(v2) - 1);
        ck_assert_str_eq(body_after(""), "192.0.2.1:4711 http");
        ck_assert_str_eq(body_after(""), "192.0.2.1:4711 http");
        ck_ok(talk_end());
    }
    talk_begin(show_peer, &options);
    talk_say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_str_eq(talk_hear(), "<reset>");
    ck_assert_int_eq(talk_end(), BIGHT_EPROTOCOL);
    /* Of somebody else it is no HTTP. */
    talk_begin(show_peer, &strict);
    ck_assert_str_eq(body_after(""), "(none) http");
    talk_ask("PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n", 400);
    return talk_end();
}

/* Numbers */

static int number(void *arg)
{
    *(uint64_t *)arg = bight_request_id();
    return 0;
}

static int numbered(struct bight_exchange *exchange, void *arg)
{
    struct bight_task *task;
    char text[40];
    uint64_t inherited;

    (void)arg;
    ck_ok(bight_spawn(&task, number, &inherited));
    ck_ok(bight_join(task, NULL));
    ck_assert_uint_eq(inherited, bight_exchange_id(exchange));
    ck_assert_uint_eq(bight_request_id(), bight_exchange_id(exchange));
    snprintf(text, sizeof(text), "request %016llx", (unsigned long long)bight_request_id());
    ck_assert_str_eq(bight_task_name(bight_self()), text);
    return bight_exchange_answer(exchange, 200, NULL, text + 8, 16);
}

static int numbers(void *arg)
{
    static const struct bight_http_serve_options trusting = {.request_ids = true,
                                                             .trusted = "unix"};
    static const struct bight_http_serve_options wary = {.request_ids = true};
    char first[17];

    (void)arg;
    talk_begin(numbered, &wary);
    strcpy(first, body_after(""));
    ck_assert_str_ne(first, body_after(""));
    ck_assert_str_ne(body_after("X-Request-Id: 0123456789abcdef\r\n"), "0123456789abcdef");
    ck_ok(talk_end());
    talk_begin(numbered, &trusting);
    ck_assert_str_eq(body_after("X-Request-Id: 0123456789ABCDEF\r\n"), "0123456789abcdef");
    ck_assert_str_ne(body_after("X-Request-Id: 0123456789abcdeg\r\n"), "0123456789abcdeg");
    ck_assert_str_ne(body_after("X-Request-Id: 0000000000000000\r\n"), "0000000000000000");
    ck_assert_uint_eq(bight_request_id(), 0);
    return talk_end();
}

/* Logs */

static char line[2000];
static enum bight_access_log_format format;

static void on_done(void *arg, const struct bight_exchange *exchange)
{
    int64_t bytes = bight_access_log_line(exchange, format, line, sizeof(line));
    const char *name, *value;

    (void)arg;
    ck_assert_int_eq(bytes, (int64_t)strlen(line));
    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++)
        ck_assert_str_eq(bight_exchange_header(exchange, name), value);
    ck_assert_ptr_nonnull(bight_exchange_path(exchange));
    for (size_t few = 0; few <= (size_t)bytes; few += (size_t)bytes)
        ck_assert_int_eq(bight_access_log_line(exchange, format, line, few), BIGHT_ETOOBIG);
    ck_assert_int_eq(bight_access_log_line(exchange, (enum bight_access_log_format)9, line, 9),
                     BIGHT_EINVAL);
    bytes = bight_access_log_line(exchange, format, line, (size_t)bytes + 1);
    ck_assert_int_gt(bytes, 0);
}

static const struct bight_http_serve_options logged = {
    .on_done = on_done, .trusted = "unix", .forwarded = BIGHT_FORWARDED_X, .request_ids = true};

static int combined(void *arg)
{
    (void)arg;
    format = BIGHT_ACCESS_LOG_COMBINED;
    talk_begin(talk_hello, &logged);
    body_after("X-Forwarded-For: 192.0.2.1\r\nUser-Agent: a\"b\\\xc3\xa9\r\nReferer: x y\r\n");
    ck_assert(strncmp(line, "192.0.2.1 - - [", 15) == 0);
    ck_assert_str_eq(strchr(line, ']'), "] \"GET / HTTP/1.1\" 200 6 \"x y\" "
                                        "\"a\\x22b\\x5C\\xC3\\xA9\"\n");
    talk_ask("nonsense\r\n\r\n", 400);
    ck_assert(strncmp(line, "- - - [", 7) == 0);
    ck_assert_str_eq(strchr(line, ']'), "] \"-\" 400 16 \"-\" \"-\"\n");
    return talk_end();
}

/* Of what is refused there is what was understood: nothing of a malformed head, and the whole of
 * one whose meaning was refused. Each field can be asked for, as a log would. */
static int refused(void *arg)
{
    static const struct {
        const char *request;
        int status;
        const char *logged;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nReferer: b\r\nx\r\n\r\n", 400, "-\" 400 16 \"-\" \"-\"\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nReferer: b\r\n x\r\n\r\n", 400, "-\" 400 16 \"-\" \"-\"\n"},
        {"GET / HTTP/1.1\r\nReferer: b\r\nUser-Agent: c\r\n\r\n", 400,
         "GET / HTTP/1.1\" 400 16 \"b\" \"c\"\n"},
        {"GET /%zz?d HTTP/1.1\r\nHost: a\r\nReferer: b\r\n\r\n", 400,
         "GET /%zz?d HTTP/1.1\" 400 16 \"b\" \"-\"\n"},
        {"GET http://e/%zz HTTP/1.0\r\nUser-Agent: c\r\n\r\n", 400,
         "GET http://e/%zz HTTP/1.0\" 400 16 \"-\" \"c\"\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nReferer: b\r\nTransfer-Encoding: z\r\n\r\n", 501,
         "POST / HTTP/1.1\" 501 20 \"b\" \"-\"\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\nReferer: b\r\n\r\n", 400,
         "POST / HTTP/1.1\" 400 16 \"b\" \"-\"\n"},
    };

    (void)arg;
    format = BIGHT_ACCESS_LOG_COMBINED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        talk_begin(talk_hello, &logged);
        talk_ask(rows[i].request, rows[i].status);
        ck_assert_str_eq(strchr(line, ']') + 3, rows[i].logged);
        ck_ok(talk_end());
    }
    /* One of which the rest never comes. */
    talk_begin(talk_hello, &logged);
    talk_say("GET / HTTP/1.1\r\nReferer: b\r\nUser-Agent: c\r\n");
    ck_ok(bight_sleep(60000));
    ck_assert_str_eq(strchr(line, ']') + 3, "-\" 408 20 \"-\" \"-\"\n");
    return talk_end();
}

static int json(void *arg)
{
    (void)arg;
    format = BIGHT_ACCESS_LOG_JSON;
    talk_begin(talk_hello, &logged);
    body_after("X-Request-Id: 00000000000000ab\r\nUser-Agent: a\"b\\\xc3\xa9\xff\t\xe2\x82\r\n");
    ck_assert_str_eq(
        strstr(line, "\",\"id\""),
        "\",\"id\":\"00000000000000ab\",\"peer\":\"-\",\"method\":\"GET\",\"target\":\"/\","
        "\"version\":\"1.1\",\"host\":\"a\",\"status\":200,\"bytes\":6,\"ms\":0.000,"
        "\"user_agent\":\"a\\u0022b\\u005c\xc3\xa9\\ufffd\\u0009\\ufffd\\ufffd\"}\n");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(x_forwarded_counts_if_a_trusted_peer_says_it, x_forwarded),
    world_case(a_row_of_proxies_may_be_long, long_row),
    world_case(forwarded_counts_if_a_trusted_peer_says_it, rfc7239),
    world_case(a_list_of_trusted_peers_has_to_be_in_order, bad_trust),
    world_case(headers_of_the_proxy_protocol_have_these_forms, header_forms),
    world_case(a_trusted_peer_says_first_for_whom_it_connects, proxy_protocol),
    world_case(a_request_has_a_number_and_so_have_its_tasks, numbers),
    world_case(a_line_of_the_combined_log_holds_what_came, combined),
    world_case(a_line_of_a_refused_request_holds_what_was_understood, refused),
    world_case(a_line_of_the_json_log_holds_what_came, json),
};

test_suite("proxied", cases);
