/* The raw client: libcurl's multi_socket on libuv, as good as one gets it by hand. What is cured,
 * of the ills that such programs usually have:
 *   - a socket keeps its uv_poll_t for life, closed in CLOSESOCKETFUNCTION; when libcurl lets go of
 *     the socket between two requests the poll goes on, since each stop and start is two epoll_ctl;
 *   - CURLOPT_NOSIGNAL, without which each call of libcurl is five rt_sigaction;
 *   - easy handles are reused, and the cache of connections is as large as the load;
 *   - a receive buffer of 512 KiB for large bodies;
 *   - info_read after every action; timeout 0 is 0.
 * It counts the bytes of bodies and keeps nothing, or copies each into a buffer, once. */
#include "bench/bench.h"
#include "bench/http_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/errors.h>
#include <curl/curl.h>
#include <uv.h>

#define LARGE_BUFFER_BYTES (512L << 10)

struct client {
    struct http_load *load;
    CURLM *multi;
    uv_loop_t loop;
    uv_timer_t timer;
    unsigned started;
    unsigned done;
};

/* A socket from its first use until libcurl closes it. */
struct watched {
    uv_poll_t poll;
    struct client *client;
    curl_socket_t fd;
    int wanted; /* by libcurl */
    int armed;
    struct watched *next;
};

static void check_curl(int code, const char *what)
{
    if (code) {
        fprintf(stderr, "%s: code %d of libcurl\n", what, code);
        exit(1);
    }
}

static void free_handle(CURL *easy);

static void begin_request(struct client *client, CURL *easy)
{
    if (client->started == client->load->requests) {
        free_handle(easy);
        return;
    }
    client->started++;
    check_curl((int)curl_easy_setopt(easy, CURLOPT_URL, client->load->url), "url");
    check_curl((int)curl_multi_add_handle(client->multi, easy), "add");
}

static void take_finished(struct client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left))) {
        CURL *easy = message->easy_handle;
        long status = 0;

        if (message->msg != CURLMSG_DONE)
            continue;
        check_curl((int)message->data.result, "request");
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        check_curl(status != 200, "status");
        curl_multi_remove_handle(client->multi, easy);
        client->done++;
        begin_request(client, easy);
    }
}

static void act(struct client *client, curl_socket_t fd, int events)
{
    int running;

    check_curl((int)curl_multi_socket_action(client->multi, fd, events, &running), "action");
    take_finished(client);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watched *watched = poll->data;
    int flags = 0;

    if (!watched->wanted) {
        /* Idle, and closed by the peer: libcurl will notice when it wants to reuse it. */
        uv_poll_stop(poll);
        watched->armed = 0;
        return;
    }
    if (status < 0)
        flags |= CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    act(watched->client, watched->fd, flags);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *multi, long timeout_ms, void *user)
{
    struct client *client = user;

    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* The sockets that libcurl has not closed, by number. */
static struct watched *sockets[4096];

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *of_socket)
{
    struct client *client = user;
    struct watched *watched = of_socket ? of_socket : sockets[fd];

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watched)
            watched->wanted = 0;
        return 0;
    }
    if (!watched) {
        watched = calloc(1, sizeof *watched);
        bench_check(watched ? 0 : BIGHT_ENOMEM, "calloc");
        watched->client = client;
        watched->fd = fd;
        watched->poll.data = watched;
        bench_check(uv_poll_init_socket(&client->loop, &watched->poll, fd), "poll");
        sockets[fd] = watched;
    }
    curl_multi_assign(client->multi, fd, watched);
    watched->wanted =
        (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    /* More than is armed, or writable still armed, which would fire all the time. */
    if ((watched->wanted & ~watched->armed) || (watched->armed & ~watched->wanted & UV_WRITABLE)) {
        watched->armed = watched->wanted;
        uv_poll_start(&watched->poll, watched->wanted, on_poll);
    }
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int on_close(void *user, curl_socket_t fd)
{
    (void)user;
    if (sockets[fd])
        uv_close((uv_handle_t *)&sockets[fd]->poll, on_closed);
    sockets[fd] = NULL;
    return close(fd);
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    ((struct client *)user)->load->bytes += size * count;
    return size * count;
}

/* Where the body of a transfer goes; when it is full, from the beginning again. */
struct place {
    struct client *client;
    size_t used;
    char bytes[HTTP_LOAD_PIECE_BYTES];
};

static size_t on_copied_body(char *data, size_t size, size_t count, void *user)
{
    struct place *place = user;

    count *= size;
    if (count > sizeof place->bytes - place->used)
        place->used = 0;
    memcpy(place->bytes + place->used, data, count);
    place->used += count;
    place->client->load->bytes += count;
    return count;
}

static void free_handle(CURL *easy)
{
    char *place = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &place);
    free(place);
    curl_easy_cleanup(easy);
}

static void set_place(struct client *client, CURL *easy)
{
    struct place *place = calloc(1, sizeof *place);

    bench_check(place ? 0 : BIGHT_ENOMEM, "calloc");
    place->client = client;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, place);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_copied_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, place);
}

static CURL *new_handle(struct client *client)
{
    CURL *easy = curl_easy_init();

    bench_check(easy ? 0 : BIGHT_ENOMEM, "easy handle");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    if (client->load->way != HTTP_LOAD_COLLECTED)
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, LARGE_BUFFER_BYTES);
    if (client->load->way == HTTP_LOAD_COPIED)
        set_place(client, easy);
    return easy;
}

void http_load_raw(struct http_load *load)
{
    struct client client = {.load = load};
    uint64_t begin;

    check_curl((int)curl_global_init(CURL_GLOBAL_ALL), "init");
    client.multi = curl_multi_init();
    bench_check(client.multi ? 0 : BIGHT_ENOMEM, "multi");
    curl_multi_setopt(client.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client.multi, CURLMOPT_SOCKETDATA, &client);
    curl_multi_setopt(client.multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(client.multi, CURLMOPT_TIMERDATA, &client);
    curl_multi_setopt(client.multi, CURLMOPT_MAXCONNECTS, (long)load->concurrency);
    bench_check(uv_loop_init(&client.loop), "loop");
    uv_timer_init(&client.loop, &client.timer);
    client.timer.data = &client;

    begin = bench_process_ns();
    for (unsigned i = 0; i < load->concurrency; i++)
        begin_request(&client, new_handle(&client));
    while (client.done < load->requests)
        uv_run(&client.loop, UV_RUN_ONCE);
    load->cpu_ns = bench_process_ns() - begin;

    check_curl((int)curl_multi_cleanup(client.multi), "cleanup");
    uv_close((uv_handle_t *)&client.timer, NULL);
    uv_run(&client.loop, UV_RUN_DEFAULT);
    bench_check(uv_loop_close(&client.loop), "close");
    curl_global_cleanup();
}
