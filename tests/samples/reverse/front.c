/* See front.h. */
#include "tests/samples/reverse/front.h"

#include "tests/harness/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MOST 8

struct server front;
bool front_told;
int asked;

struct play {
    int (*scene)(void);
    int (*handler)(struct bight_exchange *exchange, void *arg);
    const struct canned *says;
    front_options options;
};

static void start(const struct bight_listener *listener, front_options options)
{
    struct bight_address address;
    char route[64];
    const char *argv[OPTIONS_MOST + 5] = {front_program, "--listen=127.0.0.1:0", "-r", route};
    size_t count = 4;

    ck_ok(bight_listener_address(listener, &address));
    snprintf(route, sizeof route, "/=http://127.0.0.1:%u", address.port);
    while (options && *options) {
        ck_assert_uint_lt(count, OPTIONS_MOST + 4);
        argv[count++] = *options++;
    }
    front = server_start(argv);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* The first runtime of a process opens what stays. */
static void run(int (*body)(void *arg), struct play *what)
{
    ck_assert_int_eq(bight_run(nothing, NULL), 0);
    int fds = test_open_fds();
    ck_assert_int_eq(bight_run(body, what), 0);
    ck_assert_int_eq(test_open_fds(), fds);
}

static int play(void *arg)
{
    const struct play *what = arg;

    listened_begin(what->handler, NULL, false);
    start(listened.listener, what->options);
    ck_ok(what->scene());
    server_stop(&front, front_told ? 0 : SIGTERM);
    return listened_end();
}

void front_play(int (*scene)(void), int (*handler)(struct bight_exchange *exchange, void *arg),
                front_options options)
{
    struct play what = {.scene = scene, .handler = handler, .options = options};

    run(play, &what);
}

/* --- canned answers --------------------------------------------------------------------------- */

static const char *said_for(const struct canned *says, const char *line)
{
    char target[64] = "";

    (void)sscanf(line, "%*s %63s", target);
    while (says->target && strcmp(says->target, target) != 0)
        says++;
    return says->says;
}

/* Read a head and answer: 0 to go on, 1 for the end of the connection, or a failure. */
static int answer_canned(struct bight_stream *stream, const struct canned *says, bool first)
{
    static char head[65536];
    int64_t bytes = bight_stream_read_until(stream, head, sizeof head - 1, "\r\n\r\n", 4);

    if (bytes < 0)
        return 1;
    head[bytes] = '\0';
    asked++;
    const char *said = said_for(says, head);
    char how = said && strchr("!.1", *said) ? *said : '\0';
    if (!said || (how == '1' && !first))
        return 1;
    said += how != '\0';
    int rc = bight_stream_write(stream, said, strlen(said));
    return rc || how == '!' ? BIGHT_EIO : how == '.';
}

static int serve_canned(struct bight_stream *stream, void *arg)
{
    int rc = answer_canned(stream, arg, true);

    while (rc == 0)
        rc = answer_canned(stream, arg, false);
    return rc < 0 ? rc : 0;
}

static int serve_all(void *arg)
{
    const struct play *what = arg;

    return bight_serve(listened.listener, serve_canned, (void *)(uintptr_t)what->says, NULL);
}

static int play_canned(void *arg)
{
    const struct play *what = arg;
    struct bight_task *task;

    ck_ok(bight_tcp_listen(&listened.listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_spawn(&task, serve_all, arg));
    start(listened.listener, what->options);
    ck_ok(what->scene());
    server_stop(&front, front_told ? 0 : SIGTERM);
    ck_ok(bight_listener_close(listened.listener));
    ck_ok(bight_join(task, NULL));
    return bight_listener_end(listened.listener);
}

void front_play_canned(int (*scene)(void), const struct canned *says, front_options options)
{
    struct play what = {.scene = scene, .says = says, .options = options};

    asked = 0;
    run(play_canned, &what);
}

/* --- clients ---------------------------------------------------------------------------------- */

struct bight_stream *front_dial(void)
{
    return server_dial(&front);
}

const char *front_ask(const char *head)
{
    struct bight_stream *client = front_dial();
    const char *heard;

    listened_say(client, head);
    listened_say(client, "Connection: close\r\n\r\n");
    heard = listened_hear(client, "<end>");
    ck_ok(bight_stream_end(client, 0));
    return heard;
}

void front_has(const char *heard, const char *part)
{
    ck_assert_msg(listened_has(heard, part), "no \"%s\" in: %s", part, heard);
}
