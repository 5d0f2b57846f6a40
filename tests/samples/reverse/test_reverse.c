/* The sample bight-reverse: SAMPLE_REVERSE is its path. What it changes of requests and answers,
 * and what it leaves. */
#include "tests/samples/reverse/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char front_program[] = SAMPLE_REVERSE;

#define HOST "Host: site.example:81\r\n"

static void lacks(const char *text, const char *part)
{
    ck_assert_msg(!listened_has(text, part), "\"%s\" in: %s", part, text);
}

/* --- requests --------------------------------------------------------------------------------- */

/* The answer is the request: its line, its fields, its body. */
static int echo(struct bight_exchange *exchange, void *arg)
{
    static char text[4096];
    const char *name, *value, *body;
    size_t bytes;
    int used;

    (void)arg;
    ck_ok(bight_exchange_read_all(exchange, &body, &bytes));
    used = snprintf(text, sizeof text, "%s %s\n", bight_exchange_method(exchange),
                    bight_exchange_target(exchange));
    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s: %s\n", name, value);
    used += snprintf(text + used, sizeof text - (size_t)used, "\n<%s>", body);
    return bight_exchange_answer(exchange, 200, "text/plain", text, (size_t)used);
}

static int fields_of_one_connection(void)
{
    const char *heard = front_ask("GET /a?b=%20c HTTP/1.1\r\n" HOST
                                  "Connection: X-Mine , keep-alive\r\nConnection: x-too\r\n"
                                  "X-Mine: 1\r\nX-Too: 2\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
                                  "Trailer: X\r\nProxy-Authorization: secret\r\nProxy: x\r\n"
                                  "Proxy-Connection: close\r\nUpgrade: h2c\r\n"
                                  "HTTP2-Settings: AAMAAABkAAQAAP__\r\nAuthorization: kept\r\n"
                                  "X-Kept: a\r\nX-kept: b\r\nX-Empty:\r\nCookie: c=d\r\n");

    front_has(heard, "GET /a?b=%20c\nHost: site.example:81\n");
    front_has(heard, "\nX-Kept: a\nX-kept: b\nX-Empty: \nCookie: c=d\n");
    front_has(heard, "\nAuthorization: kept\n");
    for (size_t i = 0; i < 12; i++) {
        static const char *const gone[] = {
            "X-Mine", "X-Too",   "Keep-Alive", "TE:",    "Trailer", "Proxy",
            "secret", "Upgrade", "HTTP2",      "Accept", "Expect",  "User-Agent",
        };
        lacks(strstr(heard, "\r\n\r\n"), gone[i]);
    }
    return 0;
}

static int where_from(void)
{
    const char *heard = front_ask("GET / HTTP/1.0\r\n" HOST);

    front_has(heard, "\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: site.example:81\n"
                     "X-Forwarded-Proto: http\n"
                     "Forwarded: for=127.0.0.1;host=\"site.example:81\";proto=http\n"
                     "Via: 1.0 bight-reverse\nX-Request-Id: ");
    /* What a client says of itself comes first, and makes nobody believe more than that. */
    heard = front_ask("GET / HTTP/1.1\r\n" HOST
                      "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n"
                      "X-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n"
                      "Forwarded: for=192.0.2.1\r\nVia: 1.0 a, 1.1 b\r\nX-Request-Id: evil\r\n"
                      "Connection: X-Forwarded-For, Host, Via\r\n");
    front_has(heard, "\nHost: site.example:81\n");
    front_has(heard, "\nX-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1\n");
    front_has(heard,
              "\nForwarded: for=192.0.2.1, for=127.0.0.1;host=\"site.example:81\";proto=http\n");
    front_has(heard, "\nVia: 1.0 a, 1.1 b, 1.1 bight-reverse\n");
    lacks(heard, "evil");
    lacks(heard, "https");
    return 0;
}

static int trusted_front(void)
{
    const char *heard = front_ask("GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.1\r\n"
                                  "X-Forwarded-Proto: https\r\n"
                                  "X-Request-Id: 0123456789abcdef\r\n");

    front_has(heard, "\nX-Forwarded-For: 192.0.2.1, 127.0.0.1\n");
    front_has(heard, "\nX-Forwarded-Proto: https\n");
    front_has(heard, "\nX-Request-Id: 0123456789abcdef\n");
    return 0;
}

static int whose_host(void)
{
    const char *heard = front_ask("GET / HTTP/1.1\r\n" HOST);

    front_has(heard, "\nHost: 127.0.0.1:");
    front_has(heard, "\nX-Forwarded-Host: site.example:81\n");
    return 0;
}

static int targets(void)
{
    front_has(front_ask("GET /x//y%2Fz/../%7e?q?#r=/../ HTTP/1.1\r\n" HOST), "HTTP/1.1 400 ");
    front_has(front_ask("GET /x//y%2Fz/../%7e?q?r=/../ HTTP/1.1\r\n" HOST),
              "GET /x//%7e?q?r=/../\n");
    front_has(front_ask("GET http://else.where?q HTTP/1.1\r\n" HOST),
              "GET /?q\nHost: else.where\n");
    front_has(front_ask("GET http://else.where/a HTTP/1.1\r\n" HOST), "GET /a\nHost: else.where\n");
    front_has(front_ask("OPTIONS * HTTP/1.1\r\n" HOST), "HTTP/1.1 404 ");
    front_has(front_ask("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n"), "HTTP/1.1 404 ");
    return 0;
}

static int bodies(void)
{
    struct bight_stream *client = front_dial();
    const char *heard;

    listened_say(client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    heard = listened_hear(client, "\n<abc>");
    front_has(heard, "\nContent-Length: 3\n");
    lacks(strstr(heard, "\r\n\r\n"), "Content-Type");
    listened_say(client, "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                         "1\r\na\r\n2\r\nbc\r\n0\r\nX: y\r\n\r\n");
    front_has(listened_hear(client, "\n<abc>"), "PUT /\n");
    listened_say(client, "DELETE / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    front_has(listened_hear(client, "\n<>"), "\nContent-Length: 0\n");
    listened_say(client, "DELETE / HTTP/1.1\r\n" HOST "\r\n");
    lacks(strstr(listened_hear(client, "\n<>"), "\r\n\r\n"), "Content-Length");
    listened_say(client, "GET / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    front_has(listened_hear(client, "\n<abc>"), "GET /\n");
    listened_say(client, "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                         "Content-Length: 3\r\n\r\n");
    ck_assert_str_eq(listened_hear(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    listened_say(client, "abc");
    lacks(listened_hear(client, "\n<abc>"), "Expect");
    return bight_stream_end(client, 0);
}

static void they_end_with_the_connection(void)
{
    front_play(fields_of_one_connection, echo, NULL);
}

static void it_says_where_requests_come_from(void)
{
    front_play(where_from, echo, NULL);
}

static void a_trusted_proxy_in_front_is_believed(void)
{
    front_play(trusted_front, echo, (const char *const[]){"--trusted=127.0.0.1", NULL});
}

static void the_host_may_be_replaced(void)
{
    front_play(whose_host, echo, (const char *const[]){"--replace-host", NULL});
}

static void targets_stay_as_they_are(void)
{
    front_play(targets, echo, NULL);
}

static void bodies_of_all_kinds_arrive(void)
{
    front_play(bodies, echo, NULL);
}

/* --- routes ----------------------------------------------------------------------------------- */

static int routes(void)
{
    front_has(front_ask("GET /dead HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    front_has(front_ask("GET /dead/ HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    front_has(front_ask("GET /a/%2e./dead/a HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    front_has(front_ask("GET //%64ead HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    front_has(front_ask("GET /deadly HTTP/1.1\r\n" HOST), "GET /deadly\n");
    front_has(front_ask("GET /dead/alive/ HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    return 0;
}

static void the_longest_prefix_decides(void)
{
    front_play(routes, echo, (const char *const[]){"-r", "/dead=http://127.0.0.1:1", NULL});
}

/* --- answers ---------------------------------------------------------------------------------- */

#define KEPT "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"

static const struct canned answers[] = {
    {"/hop", "HTTP/1.1 200 OK\r\nConnection: x-mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
             "Proxy-Authenticate: Basic\r\nTrailer: X\r\nUpgrade: h2c\r\nServer: theirs\r\n"
             "Date: yesterday\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-Accel-Buffering: no\r\n"
             "Via: 1.0 a\r\nTransfer-Encoding: chunked\r\n\r\n"
             "2\r\nok\r\n0\r\nX: y\r\n\r\n"},
    {"/coded", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain"},
    {"/to", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 2\r\n\r\nok"},
    {"/204", "HTTP/1.1 204 No Content\r\nX-Kept: 1\r\n\r\n"},
    {"/304", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 700\r\n\r\n"},
    {"/head", "HTTP/1.1 200 OK\r\nContent-Length: 700\r\nX-Kept: 1\r\n\r\n"},
    {"/401", "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nok"},
    {"/599", "HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nok"},
    {"/early", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" KEPT "\r\nok"},
    {"/odd", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX Y: z\r\n\r\nok"},
    {"/no-http", "SSH-2.0-OpenSSH\r\n\r\n"},
    {NULL, NULL},
};

static int all_answers(void)
{
    const char *heard = front_ask("GET /hop HTTP/1.1\r\n" HOST);

    front_has(heard, "\r\nServer: theirs\r\n");
    front_has(heard, "\r\nDate: yesterday\r\n");
    front_has(heard, "\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-Accel-Buffering: no\r\n");
    front_has(heard, "\r\nVia: 1.0 a, 1.1 bight-reverse\r\n");
    front_has(heard, "\r\n\r\n2\r\nok\r\n0\r\n\r\n<end>");
    for (size_t i = 0; i < 5; i++)
        lacks(heard, (const char *const[]){"X-Mine", "Keep-Alive", "Proxy", "Trailer", "h2c"}[i]);
    heard = front_ask("GET /hop HTTP/1.0\r\n");
    front_has(heard, "\r\n\r\nok<end>");
    heard = front_ask("GET /coded HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n");
    front_has(heard, "\r\nContent-Encoding: gzip\r\n");
    front_has(heard, "\r\n\r\nplain<end>");
    heard = front_ask("GET /to HTTP/1.1\r\n" HOST);
    front_has(heard, "HTTP/1.1 302 ");
    front_has(heard, "\r\nLocation: http://127.0.0.1:1/x\r\n");
    front_has(heard, "\r\n\r\nok<end>");
    front_has(front_ask("GET /401 HTTP/1.1\r\n" HOST "Authorization: Basic YTpi\r\n"),
              "\r\nWWW-Authenticate: Basic\r\n");
    front_has(front_ask("GET /599 HTTP/1.1\r\n" HOST), "HTTP/1.1 599 ");
    heard = front_ask("GET /early HTTP/1.1\r\n" HOST);
    front_has(heard, "HTTP/1.1 200 ");
    lacks(heard, "Link");
    front_has(front_ask("GET /odd HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    front_has(front_ask("GET /no-http HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    return 0;
}

static int without_a_body(void)
{
    const char *heard = front_ask("GET /204 HTTP/1.1\r\n" HOST);

    front_has(heard, "HTTP/1.1 204 ");
    front_has(heard, "\r\nX-Kept: 1\r\n");
    front_has(heard, "\r\n\r\n<end>");
    lacks(heard, "Content-Length");
    lacks(heard, "chunked");
    heard = front_ask("GET /304 HTTP/1.1\r\n" HOST "If-None-Match: \"a\"\r\n");
    front_has(heard, "\r\nETag: \"a\"\r\n");
    front_has(heard, "\r\n\r\n<end>");
    heard = front_ask("HEAD /head HTTP/1.1\r\n" HOST);
    front_has(heard, "\r\nContent-Length: 700\r\n");
    front_has(heard, "\r\n\r\n<end>");
    /* All three leave the connection to the server behind as good as it was. */
    ck_assert_int_eq(asked, 3);
    return 0;
}

static void answers_go_on_as_they_are(void)
{
    front_play_canned(all_answers, answers, NULL);
}

static void some_answers_have_no_body(void)
{
    front_play_canned(without_a_body, answers, NULL);
}

/* --- the command line ------------------------------------------------------------------------- */

static void mistakes_on_the_command_line_are_told(void)
{
    static const char *const wrong[] = {
        "",
        "-r nowhere",
        "-r /=https://127.0.0.1:1",
        "-r /=http://127.0.0.1",
        "-r /=http://127.0.0.1:0",
        "-r /=http://127.0.0.1:1/x",
        "-r /=http://u@127.0.0.1:1",
        "-r /=http://::1:1",
        "-r a=http://127.0.0.1:1",
        "-r /=http://127.0.0.1:1 -l nowhere",
        "-r /=http://127.0.0.1:1 -s 0",
        "-r /=http://127.0.0.1:1 -m -1",
        "-r /=http://127.0.0.1:1 more",
    };
    char command[256];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(command, sizeof command, "%s %s 2>/dev/null", SAMPLE_REVERSE, wrong[i]);
        ck_assert_int_eq(system(command), 2 << 8);
    }
    ck_assert_int_eq(system(SAMPLE_REVERSE " --help | grep -q -e --route"), 0);
}

static const struct suite_case cases[] = {
    plain_case(they_end_with_the_connection),
    plain_case(it_says_where_requests_come_from),
    plain_case(a_trusted_proxy_in_front_is_believed),
    plain_case(the_host_may_be_replaced),
    plain_case(targets_stay_as_they_are),
    plain_case(bodies_of_all_kinds_arrive),
    plain_case(the_longest_prefix_decides),
    plain_case(answers_go_on_as_they_are),
    plain_case(some_answers_have_no_body),
    plain_case(mistakes_on_the_command_line_are_told),
};

test_suite("reverse", cases);
