/* Our client: as many tasks as requests are to be in flight, each asking again and again. */
#include "bench/bench.h"
#include "bench/http_load.h"

#include <stdlib.h>

#include <bight/group.h>
#include <bight/http.h>
#include <bight/runtime.h>

struct client {
    struct http_load *load;
    struct bight_http_session *session;
    unsigned started;
};

static int collected(struct client *client)
{
    struct bight_http_response *page;
    size_t bytes;
    int rc = bight_http_fetch(&page, client->session, client->load->url, NULL);

    if (rc < 0)
        return rc;
    (void)bight_http_response_body(page, &bytes);
    client->load->bytes += bytes;
    rc = bight_http_response_status(page) == 200 ? 0 : BIGHT_EPROTOCOL;
    bight_http_response_free(page);
    return rc;
}

static int streamed(struct client *client, char *piece)
{
    struct bight_http_response *page;
    int rc = bight_http_open(&page, client->session, client->load->url, NULL);
    int64_t bytes;

    if (rc < 0)
        return rc;
    rc = bight_http_response_status(page) == 200 ? 0 : BIGHT_EPROTOCOL;
    while (rc == 0 && (bytes = bight_http_read(page, piece, HTTP_LOAD_PIECE_BYTES)) != 0) {
        if (bytes < 0)
            rc = (int)bytes;
        else
            client->load->bytes += (uint64_t)bytes;
    }
    bight_http_response_free(page);
    return rc;
}

static int asker(void *arg)
{
    struct client *client = arg;
    const bool in_pieces = client->load->way != HTTP_LOAD_COLLECTED;
    char *piece = in_pieces ? malloc(HTTP_LOAD_PIECE_BYTES) : NULL;
    int rc = in_pieces && !piece ? BIGHT_ENOMEM : 0;

    while (rc == 0 && client->started < client->load->requests) {
        client->started++;
        rc = in_pieces ? streamed(client, piece) : collected(client);
    }
    free(piece);
    return rc;
}

static int askers(struct bight_group *group, void *arg)
{
    struct client *client = arg;

    for (unsigned i = 0; i < client->load->concurrency; i++) {
        int rc = bight_group_spawn(NULL, group, NULL, asker, client);

        if (rc)
            return rc;
    }
    return 0;
}

static int load_main(void *arg)
{
    struct http_load *load = arg;
    struct client client = {.load = load};
    const struct bight_http_session_options options = {
        .max_total = (int)load->concurrency,
        .max_per_host = (int)load->concurrency,
        /* The raw client sends neither, and each of their characters costs 150 instructions in
         * libcurl: send the same request. */
        .user_agent = "",
        .accept_encoding = load->way == HTTP_LOAD_COPIED ? NULL : "",
    };
    uint64_t begin;
    int rc = bight_http_session_new(&client.session, &options);

    if (rc)
        return rc;
    begin = bench_process_ns();
    rc = bight_group_run(askers, &client);
    load->cpu_ns = bench_process_ns() - begin;
    bench_check(bight_http_session_end(client.session), "close");
    return rc;
}

void http_load_bight(struct http_load *load)
{
    bench_check(bight_run(load_main, load), "requests");
}
