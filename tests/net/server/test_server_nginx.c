/* bight_http_serve behind nginx: as that is without a word about HTTP/1.1, and as it should be
 * set. */
#include "tests/net/server/echoed.h"
#include "tests/net/server/peer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void nginx_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (access(PEER_NGINX, X_OK) != 0)
        test_skip("nginx");
}

enum {
    PLAIN, /* HTTP/1.0, a connection per request */
    KEPT,  /* HTTP/1.1 over kept connections, bodies of requests unbuffered */
    WHOLE, /* the same with bodies that are read first */
    PORTS,
};

static struct peer nginx;

static void start(void)
{
    static char lines[2048];
    unsigned up = peer_behind();

    peer_prepare(&nginx, PORTS);
    snprintf(lines, sizeof(lines),
             "upstream up { server 127.0.0.1:%u; keepalive 4; }\n"
             "client_max_body_size 0;\n"
             "server { listen 127.0.0.1:%u; location / { proxy_pass http://127.0.0.1:%u; } }\n"
             "server { listen 127.0.0.1:%u; location / { proxy_pass http://up;\n"
             "  proxy_http_version 1.1; proxy_request_buffering off;\n"
             "  proxy_set_header Host $http_host; proxy_set_header Connection $up;\n"
             "  proxy_set_header Upgrade $http_upgrade;\n"
             "  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
             "  proxy_set_header X-Forwarded-Proto https; } }\n"
             "server { listen 127.0.0.1:%u; location / { proxy_pass http://up;\n"
             "  proxy_http_version 1.1; proxy_set_header Connection \"\"; } }\n"
             "map $http_upgrade $up { '' ''; default upgrade; }\n",
             up, nginx.ports[PLAIN], up, nginx.ports[KEPT], nginx.ports[WHOLE]);
    peer_start_nginx(&nginx, lines);
}

#define HEAD(path) path " HTTP/1.1\r\nHost: site:81\r\nConnection: close\r\n"

static void check_large(int which, const char *head)
{
    struct bight_stream *client = peer_dial(&nginx, which);

    listened_say(client, head);
    echoed_hear_large(client);
}

static int answers(void)
{
    start();
    for (int which = PLAIN; which < PORTS; which++) {
        const char *heard = peer_ask(&nginx, which, HEAD("GET /echo?a=b") "X-A: b\r\n\r\n");

        peer_has(heard, which == PLAIN ? "GET /echo?a=b 10\n" : "GET /echo?a=b 11\n");
        peer_has(heard, "\nX-A: b\n");
        check_large(which, "GET /known HTTP/1.0\r\nHost: a\r\n\r\n");
        check_large(which, "GET /unknown HTTP/1.0\r\nHost: a\r\n\r\n");
        heard = peer_ask(&nginx, which, HEAD("HEAD /known") "\r\n");
        peer_has(heard, "\r\nContent-Length: 3145728\r\n");
        peer_has(heard, "\r\n\r\n<end>");
        heard = peer_ask(&nginx, which, HEAD("GET /status/204") "\r\n");
        peer_has(heard, "HTTP/1.1 204 ");
        peer_has(heard, "\r\n\r\n<end>");
        peer_has(peer_ask(&nginx, which, HEAD("GET /status/304") "\r\n"), "HTTP/1.1 304 ");
        peer_has(peer_ask(&nginx, which, HEAD("GET /status/599") "\r\n"), "HTTP/1.1 599");
    }
    ck_assert_int_eq(listened.failures, 0);
    peer_stop(&nginx);
    return 0;
}

static int bodies(void)
{
    start();
    for (int which = PLAIN; which < PORTS; which++) {
        const char *heard =
            peer_ask(&nginx, which, HEAD("POST /echo") "Content-Length: 3\r\n\r\nabc");

        peer_has(heard, "\n3 bytes: abc\n");
        heard = peer_ask(&nginx, which,
                         HEAD("PUT /echo") "Transfer-Encoding: chunked\r\n\r\n"
                                           "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n");
        peer_has(heard, "\n3 bytes: abc\n");
        /* Also unbuffered: all of it came with the head. */
        peer_has(heard, "\nContent-Length: 3\n");
        heard = peer_ask(&nginx, which,
                         HEAD("POST /echo") "Expect: 100-continue\r\n"
                                            "Content-Length: 3\r\n\r\nabc");
        peer_has(heard, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ");
        peer_has(heard, "\n3 bytes: abc\n");
        peer_has(peer_ask(&nginx, which, HEAD("DELETE /echo") "\r\n"), "DELETE /echo 1");
    }
    ck_assert_int_eq(listened.failures, 0);
    peer_stop(&nginx);
    return 0;
}

static int one_connection(void)
{
    char first[32] = "";

    start();
    for (int i = 0; i < 50; i++) {
        const char *heard = peer_ask(&nginx, KEPT, HEAD("GET /echo") "\r\n");
        const char *port = strstr(heard, "\nport ");

        ck_assert_ptr_nonnull(port);
        if (i == 0)
            snprintf(first, sizeof(first), "%.*s", (int)strcspn(port + 1, "\n") + 1, port);
        peer_has(heard, first);
    }
    peer_stop(&nginx);
    return 0;
}

/* The handler has a piece before the next one is sent. */
static int unbuffered(void)
{
    struct bight_stream *client;
    char wanted[32];

    start();
    client = peer_dial(&nginx, KEPT);
    listened_say(client, HEAD("POST /pieces") "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 1; i <= 20; i++) {
        listened_say(client, "3\r\nabc\r\n");
        listened_wait(&listened.begun, i);
    }
    listened_say(client, "0\r\n\r\n");
    snprintf(wanted, sizeof(wanted), "number %d\n", 20);
    peer_has(listened_hear(client, "<end>"), wanted);
    ck_ok(bight_stream_end(client, 0));
    peer_stop(&nginx);
    return 0;
}

/* X-Accel-Buffering makes nginx hand on each event as it comes, in either protocol. */
static int one_by_one(void)
{
    start();
    for (int which = PLAIN; which <= KEPT; which++) {
        struct bight_stream *client = peer_dial(&nginx, which);

        listened_say(client, HEAD("GET /events") "\r\n");
        peer_has(listened_hear(client, "\r\n\r\n"), "\r\nContent-Type: text/event-stream");
        for (int i = 1; i <= 20; i++) {
            char text[32];

            bight_event_set(&listened.go_on);
            snprintf(text, sizeof(text), "data: number %d\n\n", i);
            peer_has(listened_hear(client, text), text);
        }
        ck_ok(bight_stream_end(client, 0));
        listened_wait(&listened.returned, which + 1);
        ck_code(listened.last, BIGHT_ECANCELED);
    }
    peer_stop(&nginx);
    return 0;
}

/* nginx ends its connection when its client has ended that to it. */
static int gone(void)
{
    start();
    for (int which = PLAIN; which < PORTS; which++) {
        struct bight_stream *client = peer_dial(&nginx, which);

        listened_say(client, HEAD("GET /waits") "\r\n");
        listened_wait(&listened.begun, which + 1);
        ck_ok(bight_stream_end(client, 0));
        listened_wait(&listened.returned, which + 1);
        ck_code(listened.last, BIGHT_ECANCELED);
    }
    ck_assert_int_eq(listened.failures, 0);
    peer_stop(&nginx);
    return 0;
}

/* What is cut off does not look whole behind nginx either, not even where the end of the connection
 * would be the end of the body. */
static int halves(void)
{
    start();
    for (int which = PLAIN; which < PORTS; which++) {
        const char *heard = peer_ask(&nginx, which, HEAD("GET /half") "\r\n");

        if (listened_has(heard, "HTTP/1.1 200 ")) /* the reset may overtake the head */
            peer_has(heard, "\r\nContent-Length: 100\r\n");
        else
            peer_has(heard, "HTTP/1.1 502 ");
        heard = peer_ask(&nginx, which, HEAD("GET /half-open") "\r\n");
        if (listened_has(heard, "HTTP/1.1 200 "))
            ck_assert(!listened_has(heard, "\r\n0\r\n\r\n"));
        else
            peer_has(heard, "HTTP/1.1 502 ");
    }
    peer_stop(&nginx);
    return 0;
}

static int who_asks(void)
{
    const char *heard;

    start();
    heard = peer_ask(&nginx, KEPT, HEAD("GET /echo") "X-Forwarded-For: 192.0.2.1\r\n\r\n");
    peer_has(heard, "\nX-Forwarded-For: 192.0.2.1, 127.0.0.1\n");
    peer_has(heard, "\nsecure 1\n");
    /* The last that is not trusted, and 127.0.0.1 is. */
    peer_has(heard, "\npeer 192.0.2.1\n");
    peer_stop(&nginx);
    return 0;
}

static void answers_arrive(void)
{
    peer_play(answers, echoed, NULL);
}

static void bodies_arrive(void)
{
    peer_play(bodies, echoed, NULL);
}

static void connections_are_kept(void)
{
    peer_play(one_connection, echoed, NULL);
}

static void bodies_come_while_they_are_sent(void)
{
    peer_play(unbuffered, echoed, NULL);
}

static void events_come_one_by_one(void)
{
    peer_play(one_by_one, echoed, NULL);
}

static void clients_that_are_gone_are_told_of(void)
{
    peer_play(gone, echoed, NULL);
}

static void half_an_answer_does_not_look_whole(void)
{
    peer_play(halves, echoed, NULL);
}

static void it_is_believed_who_its_client_is(void)
{
    const struct bight_http_serve_options options = {.trusted = "127.0.0.1",
                                                     .forwarded = BIGHT_FORWARDED_X};

    peer_play(who_asks, echoed, &options);
}

static const struct suite_case cases[] = {
    plain_case(answers_arrive),
    plain_case(bodies_arrive),
    plain_case(connections_are_kept),
    plain_case(bodies_come_while_they_are_sent),
    plain_case(events_come_one_by_one),
    plain_case(clients_that_are_gone_are_told_of),
    plain_case(half_an_answer_does_not_look_whole),
    plain_case(it_is_believed_who_its_client_is),
};

test_suite("server_nginx", cases, .begin = nginx_needed);
