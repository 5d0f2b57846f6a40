/* Scenarios of what a program tells about itself: requests to the monitor, from a task of the
 * program, and a trace. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coro/core/task.h"

static char path[64];

/* The first line of the answer, and past its end: an answer in JSON is one line, a text ends with
 * an empty one. */
static int request(struct bight_stream *stream, const char *what, bool json)
{
    static char line[2048], rest[2048]; /* one asks at a time */
    int64_t length = bight_stream_write(stream, what, strlen(what));

    line[0] = '\0';
    if (length == 0)
        length = bight_stream_read_line(stream, line, sizeof(line));
    for (int64_t left = length; !json && left > 0 && length >= 0; left = length)
        length = bight_stream_read_line(stream, rest, sizeof(rest));
    if (length >= 0 && strstr(line, "no memory"))
        return BIGHT_ENOMEM;
    return length < 0 ? (int)length : 0;
}

static int request_all(struct bight_stream *stream)
{
    int rc = request(stream, "ps json\n", true);

    rc = rc ? rc : request(stream, "stacks\n", false);
    rc = rc ? rc : request(stream, "stacks json\n", true);
    return rc ? rc : request(stream, "stats\n", false);
}

static int asks(void *listener)
{
    struct bight_stream *stream;
    int rc;

    scenario_balance--;
    rc = bight_unix_connect(&stream, path);
    if (rc == 0) {
        rc = request_all(stream);
        bight_stream_end(stream, -1);
    }
    bight_listener_close(listener);
    return rc == BIGHT_ECONNRESET || rc == BIGHT_EPIPE || rc == BIGHT_EOF ? 0 : rc;
}

/* What the monitor goes on in spite of, it reports: then it is ended. */

struct served {
    struct bight_listener *listener;
    int reported;
};

static void on_report(void *arg, const struct bight_report *report)
{
    struct served *served = arg;

    if (!served->reported)
        served->reported = report->code;
    bight_listener_close(served->listener);
}

static int monitor_body(struct bight_group *group, void *arg)
{
    struct served *served = arg;
    int rc = scenario_spawn(group, NULL, "asks", asks, served->listener);

    return rc ? rc : bight_monitor_serve(served->listener, NULL);
}

int scenario_monitor(void *arg)
{
    struct served served = {0};
    struct bight_report_handler before;
    int rc;

    (void)arg;
    snprintf(path, sizeof(path), "@bight-sweep-%d", (int)getpid());
    rc = bight_monitor_listen(&served.listener, path);
    if (rc)
        return rc;
    bight_report_set_handler((struct bight_report_handler){on_report, &served}, &before);
    rc = bight_group_run(monitor_body, &served);
    bight_report_set_handler(before, NULL);
    bight_listener_end(served.listener);
    return served.reported ? served.reported : rc;
}

int scenario_trace(void *arg)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC), rc, ended;

    (void)arg;
    EXPECT(null >= 0);
    rc = bight_trace_begin(NULL);
    if (rc == 0) {
        rc = bight_yield();
        ended = bight_trace_end_fd(null);
        rc = rc ? rc : ended;
    }
    close(null);
    return rc;
}

/* What a runtime with BIGHT_CHECK_STACKS asks of each stack. */
int scenario_stack_depth(void *arg)
{
    const struct bight_task *self = bight_self();
    size_t bytes = bight__stack_deepest(&self->sched->stacks, &self->stack);

    (void)arg;
    EXPECT(bytes > 0 && bytes <= bight__stack_bytes(&self->stack));
    return 0;
}
