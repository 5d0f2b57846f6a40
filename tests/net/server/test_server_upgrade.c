/* Handlers that leave HTTP and have the connection. */
#include "tests/net/server/talk.h"

#include <stdio.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* What the handler's last call returned. */
static int last;

static void begin(int (*handler)(struct bight_exchange *exchange, void *arg),
                  const struct bight_http_serve_options *options)
{
    last = 1;
    talk_begin(handler, options);
}

/* Sends back what comes, in brackets, until the end. */
static int echoes_in(struct bight_exchange *exchange, const char *protocol)
{
    struct bight_stream *stream;
    char text[64];
    int64_t count;

    last = bight_exchange_upgrade(exchange, protocol, &stream);
    if (last)
        return last;
    ck_code(bight_exchange_answer(exchange, 404, NULL, NULL, 0), BIGHT_EALREADY);
    ck_code(bight_exchange_upgrade(exchange, protocol, &stream), BIGHT_EALREADY);
    while ((count = bight_stream_read(stream, text + 1, sizeof(text) - 2)) > 0) {
        text[0] = '[';
        text[count + 1] = ']';
        ck_ok(bight_stream_write(stream, text, (size_t)count + 2));
    }
    return (int)count;
}

static int to_echo(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    talk_calls++;
    return echoes_in(exchange, "echo");
}

static int to_tunnel(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    talk_calls++;
    if (strcmp(bight_exchange_method(exchange), "CONNECT") == 0)
        ck_code(bight_exchange_begin(exchange, 200, 0), BIGHT_EINVAL);
    return echoes_in(exchange, NULL);
}

#define UPGRADE "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\n"

static int upgrade(void *arg)
{
    (void)arg;
    begin(to_echo, NULL);
    ck_assert_str_eq(talk_ask(UPGRADE "Upgrade: other, Echo\r\n\r\n", 101),
                     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"
                     "\r\n");
    talk_say(GET);
    ck_assert_str_eq(talk_hear(), "[" GET "]");
    ck_ok(bight_stream_shutdown(talk_client));
    ck_assert_str_eq(talk_hear(), "<end>");
    ck_assert_int_eq(talk_calls, 1);
    return talk_end();
}

/* What came with the request is the first that is read. */
static int upgrade_with_more(void *arg)
{
    const struct bight_stream_pair_options slow = {.read_max = 1};

    (void)arg;
    begin(to_echo, NULL);
    talk_say(UPGRADE "Upgrade: echo\r\n\r\nfirst\r\n\r\n");
    ck_assert_str_eq(strstr(talk_hear(), "\r\n\r\n") + 4, "[first\r\n\r\n]");
    ck_ok(talk_end());
    talk_begin_over(to_echo, NULL, &slow);
    talk_say(UPGRADE "Upgrade: echo\r\n\r\nabc");
    ck_assert_str_eq(strstr(talk_hear(), "\r\n\r\n") + 4, "[a][b][c]");
    return talk_end();
}

static int no_upgrade(void *arg)
{
    static const char *const requests[] = {
        GET,
        UPGRADE "\r\n",
        UPGRADE "Upgrade: other\r\n\r\n",
        UPGRADE "Upgrade: echoes\r\n\r\n",
        UPGRADE "Upgrade: echo\r\nContent-Length: 1\r\n\r\na",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade, keep-alive\r\nUpgrade: echo\r\n\r\n",
    };

    (void)arg;
    begin(to_echo, NULL);
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        talk_ask(requests[i], 500);
        ck_code(last, BIGHT_EINVAL);
    }
    return talk_end();
}

static int connect(void *arg)
{
    (void)arg;
    begin(to_tunnel, NULL);
    ck_assert_str_eq(talk_ask("CONNECT b:80 HTTP/1.1\r\nHost: b:80\r\n\r\nfirst", 200),
                     "HTTP/1.1 200 OK\r\n\r\n[first]");
    talk_say(GET);
    ck_assert_str_eq(talk_hear(), "[" GET "]");
    ck_ok(talk_end());
    begin(to_tunnel, NULL);
    talk_ask(GET, 500);
    ck_code(last, BIGHT_EINVAL);
    return talk_end();
}

/* An upgraded connection's end is the handler's affair. */
static int reset_after_upgrade(void *arg)
{
    (void)arg;
    begin(to_echo, NULL);
    talk_ask(UPGRADE "Upgrade: echo\r\n\r\n", 101);
    bight_stream_abort(talk_client);
    talk_client = NULL;
    ck_assert(talk_is_over());
    ck_code(talk_end(), BIGHT_ECONNRESET);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(an_upgrade_hands_over_the_connection, upgrade),
    world_case(with_what_came_behind_the_request, upgrade_with_more),
    world_case(there_is_none_that_was_not_asked_for, no_upgrade),
    world_case(connect_hands_it_over_too, connect),
    world_case(a_reset_after_that_is_the_handlers_affair, reset_after_upgrade),
};

test_suite("server_upgrade", cases);
