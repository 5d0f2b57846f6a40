/* Scenarios of <bight/stream.h> and <bight/fd.h>. See scenarios.h. */
#include "runtime/stream/stream.h"
#include "tests/sweeps/frame.h"

#include <bight.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void never_began(void *stream)
{
    EXPECT(bight_stream_end(stream, 0) == 0);
    scenario_balance--;
}

/* A task in `fn`, which ends the stream. */
static int spawn_peer(struct bight_group *group, int (*fn)(void *stream),
                      struct bight_stream *stream)
{
    const struct bight_spawn_options options = {.name = "peer", .drop = never_began};
    int rc = bight_group_spawn(NULL, group, &options, fn, stream);

    if (rc)
        EXPECT(bight_stream_end(stream, 0) == 0);
    else
        scenario_balance++;
    return rc;
}

static int make_pipe(int fds[2])
{
    return pipe2(fds, O_CLOEXEC);
}

static int make_sockets(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
}

/* The streams of both descriptors, or none. */
static int open_both(struct bight_stream *ends[2], int (*make)(int fds[2]))
{
    int fds[2];
    int rc;

    EXPECT(make(fds) == 0);
    rc = bight_stream_from_fd(&ends[0], fds[0]);
    if (rc) {
        close(fds[0]);
        close(fds[1]);
        return rc;
    }
    rc = bight_stream_from_fd(&ends[1], fds[1]);
    if (rc) {
        close(fds[1]);
        EXPECT(bight_stream_end(ends[0], 0) == 0);
    }
    return rc;
}

/* Two streams that are connected: one for `here`, one for a task in `there`. */
struct meeting {
    int (*make)(int fds[2]); /* their descriptors; NULL: a pair in memory */
    const struct bight_stream_pair_options *pair;
    int (*there)(void *stream);
    int (*here)(struct bight_stream *stream);
};

static int meet(struct bight_group *group, void *arg)
{
    const struct meeting *meeting = arg;
    struct bight_stream *ends[2];
    int rc = meeting->make ? open_both(ends, meeting->make)
                           : bight_stream_pair(&ends[0], &ends[1], meeting->pair);

    if (rc)
        return rc;
    rc = spawn_peer(group, meeting->there, ends[1]);
    if (rc == 0)
        rc = meeting->here(ends[0]);
    EXPECT(bight_stream_end(ends[0], 0) == 0);
    return rc;
}

/* The peer of `stream`, which was given to this task, may be gone for its own reasons. */
static int leave(struct bight_stream *stream, int rc)
{
    EXPECT(bight_stream_end(stream, 0) == 0);
    return rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET ? 0 : rc;
}

static int read_to_end(struct bight_stream *stream)
{
    char bytes[4096];
    int64_t count;

    do {
        count = bight_stream_read(stream, bytes, sizeof bytes);
    } while (count > 0);
    return (int)count;
}

/* A pair that holds one byte. */

/* Like a caller that waits between attempts by itself. */
static int tries(struct bight_stream *stream, const char *text)
{
    int rc = 0;

    while (*text && rc == 0) {
        const struct bight_slice slice = {text, 1};
        int64_t written = bight__stream_try_writev(stream, &slice, 1);

        if (written == BIGHT_EAGAIN)
            rc = bight__stream_wait_writable(stream);
        else if (written < 0)
            rc = (int)written;
        else
            text += written;
    }
    return rc;
}

static int sends(void *stream)
{
    int rc;

    scenario_balance--;
    rc = bight_stream_write(stream, "abc", 3);
    if (rc == 0)
        rc = tries(stream, "def");
    return leave(stream, rc);
}

int scenario_stream(void *arg)
{
    static const struct bight_stream_pair_options how = {.capacity = 1, .delay_ms = 1};

    (void)arg;
    return bight_group_run(meet, &(struct meeting){NULL, &how, sends, read_to_end});
}

/* A line that needs a large buffer, and a read that fails and gives back. */

#define LINE_BYTES 70000 /* more than a chunk */

static char long_line[LINE_BYTES + 1];

static int sends_lines(void *stream)
{
    const struct bight_slice slices[] = {
        {"head", 4}, {"a;b,", 4}, {long_line, LINE_BYTES}, {"\n", 1}, {"tail", 4}};
    int rc;

    scenario_balance--;
    rc = bight_stream_writev(stream, slices, 5);
    return leave(stream, rc);
}

static int reads_head(struct bight_stream *stream)
{
    const struct bight_slice either[] = {{",", 1}, {";", 1}};
    const void *data;
    char bytes[8];
    int64_t count = bight_stream_peek(stream, &data, 4);
    int rc;

    if (count < 4)
        return count < 0 ? (int)count : BIGHT_EOF;
    rc = bight_stream_read_exactly(stream, bytes, 4);
    if (rc)
        return rc;
    for (int i = 0; i < 2; i++) {
        count = bight_stream_read_until_any(stream, bytes, sizeof bytes, either, 2);
        if (count < 0)
            return (int)count;
        EXPECT(count == 2);
    }
    return 0;
}

static int reads_tail(struct bight_stream *stream)
{
    static char bytes[LINE_BYTES + 1];
    int64_t count;
    int rc;

    count = bight_stream_read_until(stream, bytes, sizeof bytes, "\n", 1);
    if (count < 0)
        return (int)count;
    EXPECT(count == LINE_BYTES + 1);
    rc = bight_stream_read_exactly(stream, bytes, 10);
    EXPECT(rc != 0);
    if (rc != BIGHT_EOF)
        return rc;
    count = bight_stream_read_line(stream, bytes, sizeof bytes);
    EXPECT(count <= 4);
    return count < 0 ? (int)count : 0;
}

static int reads_lines(struct bight_stream *stream)
{
    int rc = reads_head(stream);

    if (rc == 0)
        rc = reads_tail(stream);
    return rc == BIGHT_EOF ? 0 : rc; /* the peer says why */
}

int scenario_stream_lines(void *arg)
{
    static const struct bight_stream_pair_options how = {.capacity = 9999};

    (void)arg;
    memset(long_line, 'x', sizeof long_line);
    return bight_group_run(meet, &(struct meeting){NULL, &how, sends_lines, reads_lines});
}

/* A file, to a pair and to a socket, and copied on from there. */

#define FILE_BYTES 70000

static int sends_file(void *stream)
{
    int rc, file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    scenario_balance--;
    EXPECT(file >= 0);
    rc = bight_stream_send_file(stream, file, 1, FILE_BYTES);
    close(file);
    return leave(stream, rc);
}

int scenario_stream_file(void *arg)
{
    (void)arg;
    return bight_group_run(meet, &(struct meeting){NULL, NULL, sends_file, read_to_end});
}

static int copies(struct bight_stream *stream)
{
    struct bight_stream *to, *sink;
    const struct bight_stream_pair_options how = {.capacity = 2 * FILE_BYTES};
    int64_t copied;
    int rc = bight_stream_pair(&to, &sink, &how);

    if (rc)
        return rc;
    copied = bight_stream_copy(stream, to);
    EXPECT(copied <= FILE_BYTES);
    EXPECT(bight_stream_end(to, 0) == 0);
    bight_stream_abort(sink);
    return copied < 0 ? (int)copied : 0;
}

int scenario_stream_socket(void *arg)
{
    (void)arg;
    return bight_group_run(meet, &(struct meeting){make_sockets, NULL, sends_file, copies});
}

/* A question, its answer, and goodbye. */

static int answers(void *stream)
{
    char word[8];
    int64_t count;
    int rc;

    scenario_balance--;
    count = bight_stream_read_line(stream, word, sizeof word);
    rc = count < 0 ? (int)count : bight_stream_write(stream, word, (size_t)count);
    if (rc == 0)
        rc = bight_sleep(1);
    if (rc == 0)
        rc = bight_stream_write(stream, "!", 1);
    return leave(stream, rc == BIGHT_EOF ? 0 : rc);
}

static int asks(struct bight_stream *stream)
{
    int rc = bight_stream_write(stream, "ping\n", 5);

    if (rc == 0)
        rc = bight_stream_shutdown(stream);
    if (rc == 0)
        rc = read_to_end(stream);
    return rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET ? 0 : rc;
}

int scenario_stream_talk(void *arg)
{
    (void)arg;
    return bight_group_run(meet, &(struct meeting){make_sockets, NULL, answers, asks});
}

/* Bytes that come one by one, each to a call that waits for it. */

static int dribbles(void *stream)
{
    int rc = 0;

    scenario_balance--;
    for (int i = 0; i < 6 && rc == 0; i++) {
        rc = bight_sleep(1);
        if (rc == 0)
            rc = bight_stream_write(stream, "x", 1);
    }
    return leave(stream, rc);
}

static int sips(struct bight_stream *stream)
{
    char bytes[2];
    int64_t count = 1;
    int rc;

    for (int i = 0; i < 3 && count > 0; i++)
        count = bight_stream_read(stream, bytes, sizeof bytes);
    rc = count < 0 ? (int)count : bight_stream_read_exactly(stream, bytes, 2);
    return rc == BIGHT_EOF ? 0 : rc;
}

int scenario_stream_dribble(void *arg)
{
    (void)arg;
    return bight_group_run(meet, &(struct meeting){make_sockets, NULL, dribbles, sips});
}

/* A pipe, which has one direction. */

int scenario_stream_pipe(void *arg)
{
    (void)arg;
    return bight_group_run(meet, &(struct meeting){make_pipe, NULL, sends, read_to_end});
}

/* Two ends that wait: until the reader inside has left, and until the peer has. */

static int reads_until_its_end(void *stream)
{
    char byte;
    int64_t count;

    scenario_balance--;
    count = bight_stream_read(stream, &byte, 1);
    EXPECT(count < 0);
    return count == BIGHT_ECLOSED ? 0 : (int)count;
}

static int leaves_late(void *stream)
{
    int rc;

    scenario_balance--;
    rc = bight_stream_write(stream, "x", 1);
    if (rc == 0)
        rc = bight_sleep(2);
    return leave(stream, rc);
}

static int ends_late(struct bight_stream *stream)
{
    int rc = bight_sleep(1);

    EXPECT(bight_stream_end(stream, 100) == 0);
    return rc;
}

static int end_body(struct bight_group *group, void *arg)
{
    struct bight_stream *ends[2];
    int rc = open_both(ends, make_sockets);

    (void)arg;
    if (rc)
        return rc;
    rc = spawn_peer(group, leaves_late, ends[1]);
    return ends_late(ends[0]) ? BIGHT_ECANCELED : rc;
}

static int end_inside_body(struct bight_group *group, void *arg)
{
    struct bight_stream *here, *there;
    int rc = bight_stream_pair(&here, &there, NULL);

    (void)arg;
    if (rc)
        return rc;
    rc = scenario_spawn(group, NULL, "reads", reads_until_its_end, here);
    if (rc == 0)
        rc = bight_sleep(1);
    EXPECT(bight_stream_end(here, 0) == 0);
    EXPECT(bight_stream_end(there, 0) == 0);
    return rc;
}

int scenario_stream_end(void *arg)
{
    int rc = bight_group_run(end_inside_body, arg);

    return rc ? rc : bight_group_run(end_body, arg);
}

/* Descriptors, and so many waits that the lists grow. */

#define WAITS 40

static int waits(void *fd)
{
    int rc;

    scenario_balance--;
    rc = bight_fd_wait(*(int *)fd, BIGHT_FD_READ);
    return rc > 0 ? 0 : rc;
}

/* Let `count` tasks wait, and wake them. */
static int spawn_waits(struct bight_group *group, int *ends, int count)
{
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++)
        rc = scenario_spawn(group, NULL, "waits", waits, ends);
    if (rc == 0)
        rc = bight_sleep(1);
    EXPECT(write(ends[1], "x", 1) == 1);
    return rc;
}

static int waits_body(struct bight_group *group, void *arg)
{
    int *ends = arg;
    struct bight_case cases[2];
    int rc;

    bight_case_fd(&cases[0], ends[0], BIGHT_FD_READ);
    bight_case_sleep(&cases[1], 1);
    rc = bight_select(cases, 2, 0);
    if (rc == 0)
        rc = cases[0].status;
    return rc < 0 ? rc : spawn_waits(group, ends, 2);
}

static int many_waits_body(struct bight_group *group, void *ends)
{
    return spawn_waits(group, ends, WAITS);
}

static int with_pipe(int (*body)(struct bight_group *group, void *ends))
{
    int ends[2];
    int rc;

    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    rc = bight_group_run(body, ends);
    close(ends[0]);
    close(ends[1]);
    return rc;
}

int scenario_descriptors(void *arg)
{
    (void)arg;
    return with_pipe(waits_body);
}

int scenario_many_descriptors(void *arg)
{
    int rc = with_pipe(many_waits_body);

    (void)arg;
    if (rc == 0 && sweep.said && bight__sched->seams.fail_alloc)
        rc = BIGHT_ENOMEM; /* it goes on with the lists that it has */
    return rc;
}
