/* See listened.h. */
#include "tests/net/server/listened.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct listened listened;

static struct bight_http_serve_options how;
static int (*handle)(struct bight_exchange *exchange, void *arg);
static bool is_unix;
static char unix_path[64];

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    (void)exchange;
    listened.failures++;
    listened.last_failure = code;
}

static void on_drain(void *arg)
{
    (void)arg;
    listened.drains++;
}

static void on_remaining(void *arg, const struct bight_stream *stream)
{
    (void)arg;
    (void)stream;
    listened.remaining++;
}

static int serve(void *arg)
{
    (void)arg;
    return bight_http_serve(listened.listener, handle, NULL, &how);
}

void listened_begin(int (*handler)(struct bight_exchange *exchange, void *arg),
                    const struct bight_http_serve_options *options, bool local)
{
    handle = handler;
    how = options ? *options : (struct bight_http_serve_options){0};
    how.on_failure = on_failure;
    how.serve.on_drain = on_drain;
    how.serve.on_remaining = on_remaining;
    is_unix = local;
    listened = (struct listened){.last = 1};
    bight_event_init(&listened.go_on);
    if (local) {
        snprintf(unix_path, sizeof(unix_path), "@bight-server-%d", (int)getpid());
        ck_ok(bight_unix_listen(&listened.listener, unix_path, NULL));
    } else {
        ck_ok(bight_tcp_listen(&listened.listener, "127.0.0.1", 0, NULL));
    }
    ck_ok(bight_spawn(&listened.server, serve, NULL));
    world_settle();
}

struct bight_stream *listened_dial(void)
{
    struct bight_stream *client;
    struct bight_address address;

    if (is_unix) {
        ck_ok(bight_unix_connect(&client, unix_path));
        return client;
    }
    ck_ok(bight_listener_address(listened.listener, &address));
    ck_ok(bight_tcp_connect_address(&client, &address, NULL));
    return client;
}

void listened_say(struct bight_stream *client, const char *text)
{
    ck_ok(bight_stream_write(client, text, strlen(text)));
}

const char *listened_hear(struct bight_stream *client, const char *until)
{
    static char heard[1 << 20];
    size_t length = 0;
    int64_t count = 1;

    heard[0] = '\0';
    while (count > 0 && !strstr(heard, until)) {
        count = bight_stream_read(client, heard + length, sizeof(heard) - 16 - length);
        if (count > 0)
            length += (size_t)count;
        heard[length] = '\0';
    }
    if (count <= 0)
        strcat(heard, count == 0 ? "<end>" : "<reset>");
    return heard;
}

bool listened_has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

void listened_wait(const int *count, int value)
{
    while (*count < value)
        ck_ok(bight_sleep(1));
    ck_assert_int_eq(*count, value);
}

int listened_end(void)
{
    int status;

    ck_ok(bight_listener_close(listened.listener));
    ck_ok(bight_join(listened.server, &status));
    ck_ok(bight_listener_end(listened.listener));
    return status;
}
