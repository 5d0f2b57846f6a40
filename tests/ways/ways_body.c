/* See ways.h: calls that read the body of a request, which the client sends in its own time. */
#include "tests/ways/ways.h"

#include <string.h>

#include <bight/form.h>
#include <bight/multipart.h>

#include "tests/net/server/talk.h"
#include "tests/ways/exchange.h"

#define POST(type, length)                                                                         \
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " type "\r\n" length "\r\n\r\n"
#define PAIR_BYTES 4096

/* Afterwards the handler reads what is left, and says how much that is. */

static int answer_rest(struct stage *stage)
{
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(stage->exchange, &body, &bytes);

    return rc ? rc : bight_exchange_answer(stage->exchange, 200, NULL, body, bytes);
}

static void body_open(struct stage *stage)
{
    exchange_begin(stage, POST("application/x-www-form-urlencoded", "Content-Length: 1"),
                   PAIR_BYTES, answer_rest);
}

static void chunks_open(struct stage *stage)
{
    exchange_begin(stage, POST("text/plain", "Transfer-Encoding: chunked"), PAIR_BYTES,
                   answer_rest);
}

static int read_wait(struct seat *seat)
{
    char byte;

    seat->stage->no_memory = true;
    return (int)bight_exchange_read(seat->stage->exchange, &byte, 1);
}

/* These take memory: for the body, and for the lines of chunks. */

static int read_chunk_wait(struct seat *seat)
{
    char byte;

    return (int)bight_exchange_read(seat->stage->exchange, &byte, 1);
}

static int read_all_wait(struct seat *seat)
{
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(seat->stage->exchange, &body, &bytes);

    if (rc == 0)
        ck_assert_uint_eq(bytes, 1);
    return rc;
}

static int read_form_wait(struct seat *seat)
{
    const struct bight_form *form;
    int rc = bight_exchange_read_form(seat->stage->exchange, &form);

    if (rc == 0)
        ck_assert_str_eq(bight_form_value(form, "a"), "");
    return rc;
}

static void body_wake(struct stage *stage)
{
    if (stage->given == 1)
        talk_say("a");
}

static void chunks_wake(struct stage *stage)
{
    if (stage->given == 1)
        talk_say("1\r\na\r\n0\r\n\r\n");
}

/* The byte that nobody was given is still there. */
static void end_with_rest(struct stage *stage)
{
    const char *heard;

    ck_ok(exchange_end(stage, &heard));
    ck_assert_str_eq(strstr(heard, "\r\n\r\n") + 4, stage->taken ? "" : "a");
}

static void body_close(struct stage *stage)
{
    if (!stage->given)
        talk_say("a");
    end_with_rest(stage);
}

static void chunks_close(struct stage *stage)
{
    if (!stage->given)
        talk_say("1\r\na\r\n0\r\n\r\n");
    end_with_rest(stage);
}

/* Parts: one, with one byte. */

#define BEGIN "--XY\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
#define REST "a\r\n--XY--"

/* What is left of the part, in the handler. */
static int answer_part(struct stage *stage)
{
    char bytes[4];
    int64_t count;
    struct bight_part part;

    if (!stage->taken && strcmp(stage->way->call, "bight_multipart_next") == 0)
        ck_ok(bight_multipart_next(stage->parts, &part));
    count = bight_multipart_read(stage->parts, bytes, sizeof(bytes));
    ck_assert_int_ge(count, 0);
    ck_assert_int_eq(bight_multipart_next(stage->parts, &part), BIGHT_EOF);
    return bight_exchange_answer(stage->exchange, 200, NULL, bytes, (size_t)count);
}

static void parts_open(struct stage *stage)
{
    exchange_begin(stage, POST("multipart/form-data; boundary=XY", "Content-Length: 59"),
                   PAIR_BYTES, answer_part);
    ck_assert_uint_eq(strlen(BEGIN REST), 59);
    ck_ok(bight_multipart_begin(&stage->parts, stage->exchange));
}

static void part_open(struct stage *stage)
{
    struct bight_part part;

    parts_open(stage);
    talk_say(BEGIN);
    ck_ok(bight_multipart_next(stage->parts, &part));
}

static int next_wait(struct seat *seat)
{
    struct bight_part part;

    seat->stage->no_memory = true;
    return bight_multipart_next(seat->stage->parts, &part);
}

static int read_part_wait(struct seat *seat)
{
    char byte;

    seat->stage->no_memory = true;
    return (int)bight_multipart_read(seat->stage->parts, &byte, 1);
}

static void parts_wake(struct stage *stage)
{
    if (stage->given == 1)
        talk_say(BEGIN REST);
}

static void part_wake(struct stage *stage)
{
    if (stage->given == 1)
        talk_say(REST);
}

static void parts_close(struct stage *stage)
{
    const char *heard;

    if (!stage->given)
        talk_say(BEGIN REST);
    ck_ok(exchange_end(stage, &heard));
    ck_assert_str_eq(strstr(heard, "\r\n\r\n") + 4, "a");
}

static void part_close(struct stage *stage)
{
    if (!stage->given)
        talk_say(REST);
    end_with_rest(stage);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way body_ways[] = {
    {"bight_exchange_read_form", 1, 0, true, 0, body_open, read_form_wait, body_wake, NULL,
     body_close},
    {"bight_multipart_next", 1, 0, true, 0, parts_open, next_wait, parts_wake, NULL, parts_close},
    {"bight_multipart_read", 1, 1, true, 0, part_open, read_part_wait, part_wake, NULL, part_close},
    {"bight_exchange_read", 1, 1, true, 0, body_open, read_wait, body_wake, NULL, body_close},
    {"bight_exchange_read", 1, 1, true, 0, chunks_open, read_chunk_wait, chunks_wake, NULL,
     chunks_close},
    {"bight_exchange_read_all", 1, 0, true, 0, body_open, read_all_wait, body_wake, NULL,
     body_close},
};

const struct way_table body_way_table = {body_ways, sizeof(body_ways) / sizeof(body_ways[0])};
