/* Answers that are compressed. */
#include "tests/net/server/talk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define BODY_BYTES 100000

static char body[BODY_BYTES];
static char answer[2 * BODY_BYTES];
static size_t answer_bytes;
static char text[2 * BODY_BYTES];

static void make_body(void)
{
    for (size_t i = 0; i < BODY_BYTES; i++)
        body[i] = (char)('a' + i * i % 23);
}

/* Ask, and have all that comes in `answer`; its head ends with a NUL then. Returns the body. */
static char *ask(const char *method, const char *accepts)
{
    char request[300];
    int64_t count;
    char *end;

    snprintf(request, sizeof(request), "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, accepts);
    talk_say(request);
    world_settle();
    answer_bytes = 0;
    while ((count = bight_stream_try_read(talk_client, answer + answer_bytes,
                                          sizeof(answer) - answer_bytes)) > 0) {
        answer_bytes += (size_t)count;
        world_settle();
    }
    end = memmem(answer, answer_bytes, "\r\n\r\n", 4);
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    return end + 4;
}

/* Join the chunks at `at` where they are; *bytes is how many bytes they have. */
static char *join_chunks(char *at, size_t *bytes)
{
    char *begin = at, *to = at;

    for (;;) {
        char *end;
        size_t size = strtoul(at, &end, 16);

        ck_assert(memcmp(end, "\r\n", 2) == 0);
        if (size == 0)
            break;
        memmove(to, end + 2, size);
        to += size;
        at = end + 2 + size + 2;
    }
    *bytes = (size_t)(to - begin);
    return begin;
}

/* What gzip makes of it, which has to be whole if `ends`. */
static size_t decompress(const char *data, size_t bytes, bool ends)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)data,
                       .avail_in = (unsigned)bytes,
                       .next_out = (unsigned char *)text,
                       .avail_out = sizeof(text)};
    int rc;

    ck_assert_int_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    rc = inflate(&stream, Z_SYNC_FLUSH);
    ck_assert_int_eq(rc, ends ? Z_STREAM_END : Z_OK);
    ck_assert_uint_eq(stream.avail_in, 0);
    ck_assert_int_eq(inflateEnd(&stream), Z_OK);
    return sizeof(text) - stream.avail_out;
}

static int answers(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_compress(exchange));
    return bight_exchange_answer(exchange, 200, "text/plain", body, BODY_BYTES);
}

static int writes(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_compress(exchange));
    ck_ok(bight_exchange_begin(exchange, 200, BODY_BYTES));
    for (size_t i = 0; i < BODY_BYTES; i += 1000)
        ck_ok(bight_exchange_write(exchange, body + i, 1000));
    ck_assert_int_eq(bight_exchange_compress(exchange), BIGHT_EALREADY);
    ck_assert_uint_eq(bight_exchange_bytes_sent(exchange), BODY_BYTES);
    return 0;
}

static int sends_file(struct bight_exchange *exchange, void *arg)
{
    int rc, file = memfd_create("body", MFD_CLOEXEC);

    (void)arg;
    ck_assert_int_eq(write(file, body, BODY_BYTES), BODY_BYTES);
    ck_ok(bight_exchange_compress(exchange));
    rc = bight_exchange_send_file(exchange, file, 0, BODY_BYTES);
    close(file);
    return rc;
}

static int whole(void *arg)
{
    int (*const handlers[])(struct bight_exchange *, void *) = {answers, writes, sends_file};

    (void)arg;
    make_body();
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        size_t bytes;
        char *data;

        talk_begin(handlers[i], NULL);
        data = ask("GET", "Accept-Encoding: br, gzip\r\n");
        ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Encoding: gzip"));
        ck_assert_ptr_nonnull(strstr(answer, "\r\nVary: Accept-Encoding"));
        ck_assert_ptr_null(strstr(answer, "Content-Length"));
        data = join_chunks(data, &bytes);
        ck_assert_uint_lt(bytes, BODY_BYTES / 2);
        ck_assert_uint_eq(decompress(data, bytes, true), BODY_BYTES);
        ck_assert(memcmp(text, body, BODY_BYTES) == 0);
        /* And the connection goes on. */
        data = ask("GET", "");
        ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 100000"));
        ck_assert_ptr_nonnull(strstr(answer, "\r\nVary: Accept-Encoding"));
        ck_assert(memcmp(data, body, BODY_BYTES) == 0);
        ck_ok(talk_end());
    }
    return 0;
}

static int when(void *arg)
{
    static const struct {
        const char *accepts;
        bool gzip;
    } rows[] = {
        {"", false},
        {"Accept-Encoding: gzip\r\n", true},
        {"Accept-Encoding: gzip;q=0\r\n", false},
        {"Accept-Encoding: identity, gzip;q=0.5\r\n", false},
        {"Accept-Encoding: *\r\n", true},
        {"Accept-Encoding: br\r\nAccept-Encoding: gzip;q=0.1\r\n", true},
        {"Accept-Encoding: deflate\r\n", false},
    };

    (void)arg;
    make_body();
    talk_begin(answers, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        (void)ask("GET", rows[i].accepts);
        ck_assert_int_eq(strstr(answer, "Content-Encoding: gzip") != NULL, rows[i].gzip);
    }
    (void)ask("HEAD", "Accept-Encoding: gzip\r\n");
    ck_assert_ptr_nonnull(strstr(answer, "Content-Encoding: gzip"));
    ck_assert_uint_eq(answer_bytes, strlen(answer) + 4);
    return talk_end();
}

static int answers_short(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_compress(exchange));
    return bight_exchange_answer(exchange, 200, NULL, "short", 5);
}

static int fails(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_compress(exchange));
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_write(exchange, "abc", 3));
    return BIGHT_EIO;
}

static int says_nothing(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_compress(exchange));
    return bight_exchange_answer_status(exchange, 204);
}

static int not_compressed(void *arg)
{
    (void)arg;
    talk_begin(answers_short, NULL);
    ck_assert(memcmp(ask("GET", "Accept-Encoding: gzip\r\n"), "short", 5) == 0);
    ck_ok(talk_end());
    talk_begin(says_nothing, NULL);
    (void)ask("GET", "Accept-Encoding: gzip\r\n");
    ck_assert_ptr_null(strstr(answer, "Content-Encoding"));
    ck_ok(talk_end());
    /* Nothing of it has gone out, so it can be a 500. */
    talk_begin(fails, NULL);
    ck_assert(memcmp(ask("GET", "Accept-Encoding: gzip\r\n"), "500 ", 4) == 0);
    ck_assert_ptr_null(strstr(answer, "Content-Encoding"));
    return talk_end();
}

static int flushes(struct bight_exchange *exchange, void *arg)
{
    int rc;

    (void)arg;
    ck_ok(bight_exchange_compress(exchange));
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_write(exchange, "now", 3));
    ck_ok(bight_exchange_flush(exchange));
    rc = bight_sleep(1000);
    return rc ? rc : bight_exchange_write(exchange, "later", 5);
}

static int flushed(void *arg)
{
    size_t size;
    char *data;

    (void)arg;
    talk_begin(flushes, NULL);
    data = ask("GET", "Accept-Encoding: gzip\r\n");
    size = strtoul(data, &data, 16);
    ck_assert_uint_eq(decompress(data + 2, size, false), 3);
    ck_assert(memcmp(text, "now", 3) == 0);
    ck_ok(bight_sleep(1000));
    answer_bytes = (size_t)bight_stream_try_read(talk_client, answer, sizeof(answer));
    ck_assert_uint_lt(answer_bytes, sizeof(answer));
    ck_assert(memcmp(answer + answer_bytes - 5, "0\r\n\r\n", 5) == 0);
    return talk_end();
}

/* What the client does not take, and cannot be compressed. */
static int gives_up(struct bight_exchange *exchange, void *arg)
{
    static char noise[2 * BODY_BYTES];
    struct bight_scope scope;
    uint32_t state = 1;
    int rc;

    (void)arg;
    for (size_t i = 0; i < sizeof(noise); i++) {
        state = state * 1664525 + 1013904223;
        noise[i] = (char)(state >> 24);
    }
    ck_ok(bight_exchange_compress(exchange));
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_flush(exchange));
    ck_ok(bight_scope_begin(&scope, 10, 0));
    rc = bight_exchange_write(exchange, noise, sizeof(noise));
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    /* Even where the connection has no hole, the compressed data has one. */
    ck_code(bight_exchange_write(exchange, "more", 4), BIGHT_EBROKEN);
    ck_code(bight_exchange_flush(exchange), BIGHT_EBROKEN);
    return 0;
}

static int cancelled(void *arg)
{
    const char *heard;

    (void)arg;
    /* Among them one that is full when a piece has just gone out. */
    for (size_t capacity = 16400; capacity < 16700; capacity++) {
        const struct bight_stream_pair_options pair = {.capacity = capacity};

        talk_begin_over(gives_up, NULL, &pair);
        talk_say("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        ck_ok(bight_sleep(20));
        heard = talk_hear();
        ck_assert(talk_is_over());
        ck_assert_ptr_nonnull(strstr(heard, "<reset>"));
        ck_code(talk_end(), BIGHT_EBROKEN);
    }
    return 0;
}

static const struct suite_case cases[] = {
    world_case(an_answer_is_compressed_if_the_handler_wants_it, whole),
    world_case(an_answer_is_compressed_if_the_client_wants_it, when),
    world_case(what_is_short_or_fails_is_not_compressed, not_compressed),
    world_case(what_is_flushed_goes_out_at_once, flushed),
    world_case(a_compressed_body_with_a_hole_is_cut_off, cancelled),
};

test_suite("compress", cases);
