/* bight_http_serve under the loads of h2load, in HTTP/1.1, and of wrk: many connections, and
 * requests that are sent before the one ahead is answered. */
#include "tests/net/server/echoed.h"
#include "tests/net/server/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define H2LOAD "/usr/bin/h2load"
#define WRK "/usr/bin/wrk"

static void tools_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (access(H2LOAD, X_OK) != 0)
        test_skip("nghttp2-client");
    if (access(WRK, X_OK) != 0)
        test_skip("wrk");
}

static const char *url(const char *path)
{
    static char text[64];

    snprintf(text, sizeof(text), "http://127.0.0.1:%u%s", peer_behind(), path);
    return text;
}

/* A file in a folder of its own: what h2load sends, or a script of wrk. */
static const char *file_with(struct peer *folder, const char *text, size_t times)
{
    static char path[96];
    FILE *file;

    peer_prepare(folder, 0);
    snprintf(path, sizeof(path), "%s/file", folder->folder);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < times; i++)
        fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static void remove_file(const struct peer *folder, const char *path)
{
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(rmdir(folder->folder), 0);
}

static void all_succeed(struct peer *h2load, int requests)
{
    const char *heard = peer_finish(h2load);
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "%d succeeded, 0 failed, 0 errored, 0 timeout", requests);
    peer_has(heard, wanted);
    snprintf(wanted, sizeof(wanted), "status codes: %d 2xx, 0 3xx, 0 4xx, 0 5xx", requests);
    peer_has(heard, wanted);
}

static int by_h2load(void)
{
    /* Requests that h2load has in flight on a connection. */
    static const char *const depths[] = {"-m1", "-m8"};
    struct peer h2load, folder;
    const char *path;

    for (size_t i = 0; i < 2; i++) {
        peer_start(&h2load, (const char *const[]){H2LOAD, "--h1", "-n5000", "-c50", depths[i],
                                                  url("/echo"), NULL});
        all_succeed(&h2load, 5000);
        peer_start(&h2load, (const char *const[]){H2LOAD, "--h1", "-n20", "-c10", depths[i],
                                                  url("/unknown"), NULL});
        all_succeed(&h2load, 20);
    }
    path = file_with(&folder, "0123456789", 5000);
    peer_start(&h2load, (const char *const[]){H2LOAD, "--h1", "-n500", "-c20", "-d", path,
                                              url("/echo"), NULL});
    all_succeed(&h2load, 500);
    remove_file(&folder, path);
    ck_assert_int_eq(listened.failures, 0);
    return 0;
}

static const char *no_errors(struct peer *wrk)
{
    const char *heard = peer_finish(wrk);

    peer_has(heard, " requests in ");
    ck_assert_msg(!listened_has(heard, "Non-2xx") && !listened_has(heard, "Socket errors"), "%s",
                  heard);
    return heard;
}

/* Three requests in one piece. */
static const char pipelined[] = "init = function(args)\n"
                                "  local r = {}\n"
                                "  r[1] = wrk.format('GET', '/echo?1')\n"
                                "  r[2] = wrk.format('POST', '/echo?2', nil, 'body')\n"
                                "  r[3] = wrk.format('GET', '/echo?3')\n"
                                "  req = table.concat(r)\n"
                                "end\n"
                                "request = function() return req end\n";

static int by_wrk(void)
{
    struct peer wrk, folder;
    const char *path;

    peer_start(&wrk, (const char *const[]){WRK, "-t1", "-c50", "-d1s", url("/echo"), NULL});
    (void)no_errors(&wrk);
    path = file_with(&folder, pipelined, 1);
    peer_start(&wrk,
               (const char *const[]){WRK, "-t1", "-c20", "-d1s", "-s", path, url("/echo"), NULL});
    (void)no_errors(&wrk);
    remove_file(&folder, path);
    /* It ends in the middle of answers. */
    peer_start(&wrk, (const char *const[]){WRK, "-t1", "-c5", "-d1s", url("/known"), NULL});
    (void)no_errors(&wrk);
    ck_assert_int_eq(listened.failures, 0);
    return 0;
}

/* Connections are closed every few requests: h2load opens others, and loses nothing. */
static int many_connections(void)
{
    struct peer h2load;

    peer_start(&h2load,
               (const char *const[]){H2LOAD, "--h1", "-n2000", "-c20", url("/echo"), NULL});
    peer_has(peer_finish(&h2load), "status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx");
    return 0;
}

static void h2load_loses_nothing(void)
{
    peer_play(by_h2load, echoed, NULL);
}

static void wrk_loses_nothing(void)
{
    const struct bight_http_serve_options options = {.max_requests = (unsigned)-1};

    peer_play(by_wrk, echoed, &options);
}

static void connections_that_are_closed_lose_nothing(void)
{
    const struct bight_http_serve_options options = {.max_requests = 7};

    peer_play(many_connections, echoed, &options);
}

static const struct suite_case cases[] = {
    plain_case(h2load_loses_nothing),
    plain_case(wrk_loses_nothing),
    plain_case(connections_that_are_closed_lose_nothing),
};

test_suite("server_loads", cases, .begin = tools_needed);
