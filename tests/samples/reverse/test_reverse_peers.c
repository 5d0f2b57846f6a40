/* The sample bight-reverse, SAMPLE_REVERSE, among programs of others: nginx behind it and in front,
 * haproxy in front, curl as the client. */
#include "tests/harness/program.h"
#include "tests/net/server/echoed.h"
#include "tests/net/server/peer.h"
#include "tests/samples/reverse/front.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char front_program[] = SAMPLE_REVERSE;

#define CURL "/usr/bin/curl"

static void peers_needed(int argc, char **argv)
{
    static const char *const paths[][2] = {
        {PEER_NGINX, "nginx"}, {PEER_HAPROXY, "haproxy"}, {CURL, "curl"}};

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        if (access(paths[i][0], X_OK) != 0)
            test_skip(paths[i][1]);
}

#define HEAD(path) path " HTTP/1.1\r\nHost: site:81\r\nConnection: close\r\n"

static struct peer peer;

/* --- nginx behind ----------------------------------------------------------------------------- */

#define FILE_BYTES (8 << 20)

/* A second program, with nginx behind. */
static void start_in_front_of_nginx(void)
{
    static char lines[1024];
    char route[64];
    const char *const argv[] = {front_program, "-l", "127.0.0.1:0", "-r", route, NULL};

    peer_prepare(&peer, 1);
    snprintf(lines, sizeof lines,
             "gzip on; gzip_proxied any; gzip_min_length 10; gzip_types text/plain; "
             "client_max_body_size 0;\n"
             "keepalive_requests 50;\n"
             "server { listen 127.0.0.1:%u; root files; dav_methods PUT DELETE;\n"
             "  create_full_put_path on; default_type text/plain;\n"
             "  location /count { return 200 \"$connection $connection_requests $http_via\\n\"; }\n"
             "  location /moved { return 301 http://127.0.0.1:1/; } }\n",
             peer.ports[0]);
    peer_start_nginx(&peer, lines);
    snprintf(route, sizeof route, "/=http://127.0.0.1:%u", peer.ports[0]);
    server_stop(&front, SIGTERM);
    front = server_start(argv);
}

static const char *curl(const char *options, const char *path)
{
    static char command[512];
    struct peer tool;

    snprintf(command, sizeof command, "%s -sS --max-time 60 %s http://127.0.0.1:%u%s", CURL,
             options, front.port, path);
    peer_start(&tool, (const char *const[]){"/bin/sh", "-c", command, NULL});
    return peer_finish(&tool);
}

static int behind(void)
{
    static char options[256];
    unsigned long first = 0;

    start_in_front_of_nginx();
    snprintf(options, sizeof options, "%s/sent", peer.folder);
    FILE *file = fopen(options, "w");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < FILE_BYTES / 8; i++)
        fprintf(file, "%07zu\n", i);
    ck_assert_int_eq(fclose(file), 0);
    /* Up with a length, up in chunks, and down again. */
    for (int i = 0; i < 2; i++) {
        snprintf(options, sizeof options, "-T %s/sent %s -w '%%{http_code}'", peer.folder,
                 i ? "-H 'Transfer-Encoding: chunked'" : "");
        front_has(curl(options, "/folder/file"), i ? "204<end>" : "201<end>");
        snprintf(options, sizeof options, "-o %s/got", peer.folder);
        ck_assert_str_eq(curl(options, "/folder/file"), "<end>");
        snprintf(options, sizeof options, "cmp %s/sent %s/got", peer.folder, peer.folder);
        ck_assert_int_eq(system(options), 0);
    }
    front_has(curl("-r 8-15", "/folder/file"), "0000001\n<end>");
    front_has(curl("-I -r 8-15", "/folder/file"), "\r\nContent-Length: 8\r\n");
    /* Coded where the client asks for it (gzip_proxied: there is a Via), and left so. */
    snprintf(options, sizeof options, "-H 'Accept-Encoding: gzip' -o %s/got", peer.folder);
    ck_assert_str_eq(curl(options, "/folder/file"), "<end>");
    snprintf(options, sizeof options, "gzip -dc < %s/got | cmp - %s/sent", peer.folder,
             peer.folder);
    ck_assert_int_eq(system(options), 0);
    snprintf(options, sizeof options, "--etag-save %s/tag -o /dev/null", peer.folder);
    (void)curl(options, "/folder/file");
    snprintf(options, sizeof options, "--etag-compare %s/tag -w '%%{http_code}'", peer.folder);
    front_has(curl(options, "/folder/file"), "304<end>");
    front_has(curl("-w '%{http_code} %{redirect_url}' -o /dev/null", "/moved"),
              "301 http://127.0.0.1:1/<end>");
    front_has(curl("-X DELETE -w '%{http_code}'", "/folder/file"), "204<end>");
    front_has(curl("-w '%{http_code}' -o /dev/null", "/folder/file"), "404<end>");
    /* The connection is kept, and replaced when nginx has had enough of it. */
    for (int i = 0; i < 200; i++) {
        const char *heard = front_ask("GET /count HTTP/1.1\r\nHost: a\r\n");
        unsigned long connection, number;
        ck_assert_int_eq(sscanf(strstr(heard, "\r\n\r\n"), "%lu %lu", &connection, &number), 2);
        front_has(heard, " 1.1 bight-reverse\n");
        first = first ? first : connection;
        ck_assert_uint_le(connection, first + 6);
    }
    peer_stop(&peer);
    return 0;
}

/* --- proxies in front ------------------------------------------------------------------------- */

static void events_come(int which)
{
    struct bight_stream *client = peer_dial(&peer, which);
    int returned = listened.returned;

    listened_say(client, HEAD("GET /events") "\r\n");
    front_has(listened_hear(client, "\r\n\r\n"), "text/event-stream");
    for (int i = 1; i <= 20; i++) {
        char text[32];

        bight_event_set(&listened.go_on);
        snprintf(text, sizeof text, "data: number %d\n\n", i);
        front_has(listened_hear(client, text), text);
    }
    ck_ok(bight_stream_end(client, 0));
    while (listened.returned == returned) {
        bight_event_set(&listened.go_on);
        ck_ok(bight_sleep(1));
    }
}

static void pieces_come(int which)
{
    struct bight_stream *client = peer_dial(&peer, which);

    listened.begun = 0;
    listened_say(client, HEAD("POST /pieces") "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 1; i <= 20; i++) {
        listened_say(client, "3\r\nabc\r\n");
        listened_wait(&listened.begun, i);
    }
    listened_say(client, "0\r\n\r\n");
    front_has(listened_hear(client, "<end>"), "number 20\n");
    ck_ok(bight_stream_end(client, 0));
}

static void large_ones_come(int which)
{
    static const char *const paths[] = {"/known", "/unknown"};

    for (size_t i = 0; i < 2; i++) {
        struct bight_stream *client = peer_dial(&peer, which);
        static char head[4096], body[ECHOED_LARGE_BYTES];

        snprintf(head, sizeof head, "GET %s HTTP/1.0\r\nHost: a\r\n\r\n", paths[i]);
        listened_say(client, head);
        ck_assert_int_gt(bight_stream_read_until(client, head, sizeof head, "\r\n\r\n", 4), 0);
        ck_ok(bight_stream_read_exactly(client, body, sizeof body));
        for (size_t at = 0; at < sizeof body; at++)
            if (body[at] != (char)('a' + at / 1000 % 26))
                ck_abort_msg("byte %zu is %c", at, body[at]);
        ck_assert_int_eq(bight_stream_read(client, head, 1), 0);
        ck_ok(bight_stream_end(client, 0));
    }
}

static int behind_nginx(void)
{
    static char lines[2048];

    peer_prepare(&peer, 2);
    snprintf(lines, sizeof lines,
             "upstream up { server 127.0.0.1:%u; keepalive 4; }\n"
             "server { listen 127.0.0.1:%u; location / { proxy_pass http://127.0.0.1:%u; } }\n"
             "server { listen 127.0.0.1:%u; location / { proxy_pass http://up;\n"
             "  proxy_http_version 1.1; proxy_request_buffering off;\n"
             "  proxy_set_header Host $http_host; proxy_set_header Connection \"\";\n"
             "  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
             "  proxy_set_header X-Forwarded-Proto https; } }\n",
             front.port, peer.ports[0], front.port, peer.ports[1]);
    peer_start_nginx(&peer, lines);
    for (int which = 0; which < 2; which++) {
        const char *heard =
            peer_ask(&peer, which, HEAD("POST /echo") "Content-Length: 3\r\n\r\nabc");

        front_has(heard, "POST /echo 11\n");
        front_has(heard, "\n3 bytes: abc\n");
        front_has(heard, which ? "\nVia: 1.1 bight" : "\nVia: 1.0 bight");
        front_has(heard, which ? "\nX-Forwarded-For: 127.0.0.1, 127.0.0.1\n"
                               : "\nX-Forwarded-For: 127.0.0.1\n");
        front_has(heard, which ? "\nX-Forwarded-Proto: https\n" : "\nX-Forwarded-Proto: http\n");
        events_come(which);
        large_ones_come(which);
        heard = peer_ask(&peer, which, HEAD("GET /half-open") "\r\n");
        ck_assert(!listened_has(heard, "\r\n0\r\n\r\n"));
    }
    pieces_come(1);
    peer_stop(&peer);
    return 0;
}

static int behind_haproxy(void)
{
    static char lines[512];
    const char *heard;

    peer_prepare(&peer, 1);
    snprintf(lines, sizeof lines,
             "frontend f\n  bind fd@%d\n  default_backend b\n"
             "backend b\n  option forwardfor\n  option http-no-delay\n"
             "  http-request set-header X-Forwarded-Proto https\n  server s 127.0.0.1:%u\n",
             peer.fds[0], front.port);
    peer_start_haproxy(&peer, lines);
    heard = peer_ask(&peer, 0, HEAD("POST /echo") "Content-Length: 3\r\n\r\nabc");
    front_has(heard, "\nX-Forwarded-For: 127.0.0.1, 127.0.0.1\n");
    front_has(heard, "\nX-Forwarded-Proto: https\n");
    front_has(heard, "\n3 bytes: abc\n");
    events_come(0);
    pieces_come(0);
    large_ones_come(0);
    heard = peer_ask(&peer, 0, HEAD("GET /half-open") "\r\n");
    ck_assert(!listened_has(heard, "\r\n0\r\n\r\n"));
    peer_stop(&peer);
    return 0;
}

/* --- curl ------------------------------------------------------------------------------------- */

static int asked_by_curl(void)
{
    struct peer tool;
    char url[64];

    /* It would go on in HTTP/2 if it could. */
    front_has(curl("--http2 -d abc", "/echo"), "POST /echo 11\n");
    front_has(curl("-0", "/echo"), "\nVia: 1.0 bight-reverse\n");
    front_has(curl("-T - --expect100-timeout 30 -H 'Expect: 100-continue' </etc/passwd", "/echo"),
              "PUT /echo 11\n");
    front_has(curl("-I", "/known"), "\r\nContent-Length: 3145728\r\n");
    front_has(curl("-o /dev/null -w '%{size_download}'", "/unknown"), "3145728<end>");
    /* 56: the connection was reset. */
    front_has(curl("-s -o /dev/null -w '%{exitcode} '", "/half-open 2>/dev/null || true #"), "56 ");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/events", front.port);
    peer_start(&tool, (const char *const[]){CURL, "-sN", url, NULL});
    for (int i = 1; i <= 20; i++) {
        char text[32];

        bight_event_set(&listened.go_on);
        snprintf(text, sizeof text, "data: number %d\n\n", i);
        front_has(listened_hear(tool.out, text), text);
    }
    ck_assert_int_eq(kill(tool.pid, SIGTERM), 0);
    listened_wait(&listened.returned, 1);
    (void)test_program_end(tool.pid, 0);
    return bight_stream_end(tool.out, 0);
}

static const char *const trusting[] = {"--trusted=127.0.0.1", NULL};

static void nginx_is_behind(void)
{
    front_play(behind, echoed, NULL);
}

static void nginx_is_in_front(void)
{
    front_play(behind_nginx, echoed, trusting);
}

static void haproxy_is_in_front(void)
{
    front_play(behind_haproxy, echoed, trusting);
}

static void curl_is_the_client(void)
{
    front_play(asked_by_curl, echoed, NULL);
}

static const struct suite_case cases[] = {
    plain_case(nginx_is_behind),
    plain_case(nginx_is_in_front),
    plain_case(haproxy_is_in_front),
    plain_case(curl_is_the_client),
};

test_suite("reverse_peers", cases, .begin = peers_needed);
