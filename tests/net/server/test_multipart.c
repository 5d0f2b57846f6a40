/* Bodies in parts. */
#include <bight/multipart.h>

#include "tests/net/server/talk.h"

#include <stdio.h>
#include <string.h>

static size_t step = 7; /* bytes of a read */

/* All parts as [name|filename|type|content]. */
static int show_parts(struct bight_exchange *exchange, void *arg)
{
    struct bight_multipart *parts;
    struct bight_part part;
    char text[20000] = "", bytes[1000];
    int rc = bight_multipart_begin(&parts, exchange);

    (void)arg;
    while (rc == 0 && (rc = bight_multipart_next(parts, &part)) == 0) {
        int64_t count;

        sprintf(text + strlen(text), "[%s|%s|%s|", part.name, part.filename ? part.filename : "",
                part.content_type ? part.content_type : "");
        while ((count = bight_multipart_read(parts, bytes, step)) > 0)
            strncat(text, bytes, (size_t)count);
        strcat(text, "]");
        rc = (int)count;
    }
    if (rc != BIGHT_EOF)
        return rc;
    ck_assert_int_eq(bight_multipart_next(parts, &part), BIGHT_EOF);
    ck_assert_int_eq(bight_multipart_read(parts, bytes, 1), BIGHT_EINVAL);
    return bight_exchange_answer(exchange, 200, NULL, text, strlen(text));
}

static const char *post(const char *type, const char *body, int status)
{
    static char request[30000];
    int head = snprintf(request, sizeof(request),
                        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        type, strlen(body));

    ck_assert_uint_lt((size_t)head + strlen(body), sizeof(request));
    strcpy(request + head, body);
    return strstr(talk_ask(request, status), "\r\n\r\n") + 4;
}

#define TYPE "multipart/form-data; boundary=XY"
#define FIELD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"

static const char *const whole[][2] = {
    {"--XY--\r\n", ""},
    {"--XY--", ""},
    {"--XY\r\n" FIELD("a") "\r\n1\r\n--XY--\r\n", "[a|||1]"},
    {"--XY\r\n" FIELD("a") "\r\n\r\n--XY\r\n" FIELD("b") "\r\n\r\n\r\n--XY--", "[a|||][b|||\r\n]"},
    {"ignored\r\n--XY \t\r\n" FIELD("a") "\r\n--X\r\n-XY\r\n--XYZ", NULL},
    {"ignored\r\n--XY \t\r\n" FIELD("a") "\r\n--X\r\n-XY\r\r\n--XY--also ignored",
     "[a|||--X\r\n-XY\r]"},
    {"--XY\r\ncontent-type: text/x \r\nX-Y: z\r\nCONTENT-DISPOSITION: Form-Data; "
     "filename=\"C:\\dir\\a\\\"b.txt\"; name=f\r\n\r\nbytes\r\n--XY--",
     "[f|C:\\dir\\a\"b.txt|text/x|bytes]"},
    {"--XY\r\nContent-Disposition: form-data; name=\"\xc3\xa9;=\"; filename=\"\"\r\n\r\n"
     "x\r\n--XY--",
     "[\xc3\xa9;=|||x]"},
};

static int read_all(void *arg)
{
    static const struct bight_stream_pair_options slow = {.read_max = 1};

    (void)arg;
    for (int i = 0; i < 4; i++) {
        step = i & 1 ? 1 : 1000;
        talk_begin_over(show_parts, NULL, i & 2 ? &slow : NULL);
        for (size_t k = 0; k < sizeof(whole) / sizeof(*whole); k++) {
            if (whole[k][1])
                ck_assert_str_eq(post(TYPE, whole[k][0], 200), whole[k][1]);
        }
        ck_ok(talk_end());
    }
    return 0;
}

static int malformed(void *arg)
{
    static const char *const bodies[] = {
        "",
        "no boundary",
        "--XY",
        "--XY\r\n",
        "--XY\r\n" FIELD("a"),
        "--XY\r\n" FIELD("a") "\r\nends too early",
        "--XY\r\n" FIELD("a") "\r\nends too early\r\n--X",
        "--XYZ\r\n" FIELD("a") "\r\n\r\n--XY--",
        "--XY\r\n\r\nno name\r\n--XY--",
        "--XY\r\nContent-Disposition: form-data\r\n\r\n\r\n--XY--",
        "--XY\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--XY--",
        "--XY\r\nContent-Disposition form-data; name=a\r\n\r\n\r\n--XY--",
        "--XY\r\n : x\r\n" FIELD("a") "\r\n\r\n--XY--",
    };

    (void)arg;
    step = 100;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        talk_begin(show_parts, NULL);
        post(TYPE, bodies[i], 400);
        ck_assert_int_eq(talk_failures, 0);
        ck_ok(talk_end());
    }
    return 0;
}

static int types(void *arg)
{
    (void)arg;
    talk_begin(show_parts, NULL);
    post("text/plain", "x", 415);
    post("multipart/mixed; boundary=XY", "x", 415);
    post("multipart/form-data", "x", 400);
    post("multipart/form-data; boundary=", "x", 400);
    post("multipart/form-data; boundary="
         "00000000001111111111222222222233333333334444444444555555555566666666667",
         "x", 400);
    ck_assert_str_eq(post("Multipart/Form-Data; charset=x; Boundary=\"a b\"",
                          "--a b\r\n" FIELD("n") "\r\n1\r\n--a b--", 200),
                     "[n|||1]");
    ck_assert_int_eq(talk_failures, 0);
    return talk_end();
}

static int skips(struct bight_exchange *exchange, void *arg)
{
    struct bight_multipart *parts;
    struct bight_part part;
    unsigned count = 0;
    int rc = bight_multipart_begin(&parts, exchange);

    (void)arg;
    while (rc == 0 && (rc = bight_multipart_next(parts, &part)) == 0)
        count++;
    if (rc != BIGHT_EOF)
        return rc;
    return bight_exchange_answer_status(exchange, (int)(200 + count));
}

static int passed_over(void *arg)
{
    static char body[80000];
    char *at = body;

    (void)arg;
    talk_begin(skips, NULL);
    for (int i = 0; i < 3; i++) {
        at += sprintf(at, "--XY\r\n" FIELD("a") "\r\n");
        memset(at, 'x', 9000);
        at += 9000;
        at += sprintf(at, "\r\n");
    }
    strcpy(at, "--XY--");
    post(TYPE, body, 203);
    at = body;
    for (int i = 0; i < 1001; i++)
        at += sprintf(at, "--XY\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n");
    strcpy(at, "--XY--");
    talk_say("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " TYPE
             "\r\nContent-Length: 50056\r\n\r\n");
    ck_assert_uint_eq(strlen(body), 50056);
    talk_say_bytes(body, 50056);
    ck_ok(bight_sleep(1)); /* others run between so many parts */
    ck_assert(strncmp(talk_hear(), "HTTP/1.1 413 ", 13) == 0);
    ck_ok(talk_end());
    talk_begin(skips, NULL);
    at = body + sprintf(body, "--XY\r\n" FIELD("a") "X: ");
    memset(at, 'x', 9000);
    strcpy(at + 9000, "\r\n\r\n\r\n--XY--");
    post(TYPE, body, 413);
    return talk_end();
}

/* The window has more room than the headers, so their end may be in it though they are too long. */
static int long_headers(void *arg)
{
    static const char rest[] = "\r\n\r\n\r\n--XY--";
    static char body[20000];

    (void)arg;
    for (size_t bytes = 8192 - 2; bytes < 8192 + 150; bytes++) {
        char *at = body + sprintf(body, "--XY\r\n" FIELD("a") "X: ");
        size_t filled = bytes - (size_t)(at - body - 4) - 4;

        memset(at, 'x', filled);
        strcpy(at + filled, rest);
        talk_begin(skips, NULL);
        post(TYPE, body, bytes <= 8192 ? 201 : 413);
        ck_ok(talk_end());
    }
    return 0;
}

static const struct suite_case cases[] = {
    world_case(parts_are_read_one_behind_the_other, read_all),
    world_case(a_malformed_body_is_refused, malformed),
    world_case(only_a_form_in_parts_is_read, types),
    world_case(what_is_not_read_is_passed_over, passed_over),
    world_case(the_headers_of_a_part_have_a_longest, long_headers),
};

test_suite("multipart", cases);
