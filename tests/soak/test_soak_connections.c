/* A server with many connections, most of them idle, the others in all manners that clients have,
 * for long: what it holds at the end is what it held at the beginning. The clients are a process of
 * their own (load.h). Before anything is compared there have been as many connections as there will
 * be at a time, and as many that wait, so that what grows once has grown. In the environment:
 * SOAK_SECONDS, 8; SOAK_IDLE, 1,000, and SOAK_ACTIVE, 100, connections. */
#include "tests/harness/suite.h"

#include <bight.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/count_blocks.h"
#include "tests/harness/forked.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"
#include "tests/soak/load.h"

#define WARM_MS 2000
/* Beside those of the connections. */
#define DESCRIPTORS 64
/* How long after the clients' end the server may still be at it. */
#define DRAIN_MS 10000

struct soak {
    struct load_order order;
    int listener_fd;
    int control_fd;
    pid_t load;
    struct bight_listener *listener;
    struct bight_stream *control;
    uint64_t served;
    uint64_t gone; /* of these the peer went away */
    int failure;   /* of a handler, other than that */
};

/* The server */

static int echo(struct bight_stream *stream, void *arg)
{
    const void *data;
    int64_t count;

    ((struct soak *)arg)->served++;
    while ((count = bight_stream_peek(stream, &data, 1)) > 0) {
        int rc = bight_stream_write(stream, data, (size_t)count);

        if (rc == 0)
            rc = bight_stream_consume(stream, (size_t)count);
        if (rc)
            return rc;
    }
    return (int)count;
}

static void on_failure(void *arg, const struct bight_stream *stream, int code)
{
    struct soak *soak = arg;

    (void)stream;
    if (code == BIGHT_ECONNRESET || code == BIGHT_EPIPE)
        soak->gone++;
    else
        soak->failure = code;
}

static int serve(void *arg)
{
    struct soak *soak = arg;
    const struct bight_serve_options options = {
        .max_connections = soak->order.idle + soak->order.active,
        .on_failure = on_failure,
        .callback_arg = soak,
    };

    return bight_serve(soak->listener, echo, soak, &options);
}

/* What it holds */

struct holdings {
    long blocks;
    int fds;
    int maps;
    size_t stacks;
    long resident_kib;
};

static void look(struct holdings *now)
{
    struct bight_runtime_stats stats;

    now->blocks = counted_blocks();
    ck_ok(bight_runtime_get_stats(&stats));
    now->stacks = stats.stacks_used;
    now->fds = test_open_fds();
    now->maps = test_maps();
    now->resident_kib = test_resident_kib();
    printf("soak: %ld blocks, %d descriptors, %zu stacks, %d mappings, %ld KiB resident\n",
           now->blocks, now->fds, now->stacks, now->maps, now->resident_kib);
    fflush(stdout);
}

/* A sanitizer's malloc tells nothing of itself: it maps as it likes, and keeps what was freed. */
static void expect_same(const struct holdings *before, const struct holdings *after)
{
    ck_assert_int_eq(after->blocks, before->blocks);
    ck_assert_int_eq(after->fds, before->fds);
    ck_assert_uint_eq(after->stacks, before->stacks);
    if (!mallinfo2().uordblks)
        return;
    ck_assert_int_eq(after->maps, before->maps);
    ck_assert_int_le(after->resident_kib, before->resident_kib + before->resident_kib / 10);
}

/* The course of it */

static void wait_until_drained(size_t live)
{
    struct bight_runtime_stats stats;

    for (int i = 0; i < DRAIN_MS / 10; i++) {
        ck_ok(bight_runtime_get_stats(&stats));
        if (stats.live == live)
            return;
        ck_ok(bight_sleep(10));
    }
    ck_abort_msg("%zu tasks are left", stats.live - live);
}

static void carry_out(struct soak *soak, struct load_order order)
{
    struct load_report report;
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    ck_ok(bight_stream_write(soak->control, &order, sizeof(order)));
    ck_ok(bight_stream_read_exactly(soak->control, &report, sizeof(report)));
    wait_until_drained(stats.live);
    printf("soak: %" PRIu64 " connections, %" PRIu64 " resets, %" PRIu64 " closed by half, %" PRIu64
           " slow, %" PRIu64 " MiB\n",
           report.connections, report.resets, report.halves, report.slow, report.bytes >> 20);
    fflush(stdout);
}

static int soaks(void *arg)
{
    struct soak *soak = arg;
    struct load_order all = {.idle = soak->order.idle + soak->order.active};
    struct load_order late = {soak->order.idle, soak->order.active, WARM_MS, true};
    struct holdings before, after;
    struct bight_task *server;
    int status;

    ck_ok(bight_listener_from_fd(&soak->listener, soak->listener_fd));
    ck_ok(bight_stream_from_fd(&soak->control, soak->control_fd));
    ck_ok(bight_spawn(&server, serve, soak));
    ck_ok(bight_yield());
    carry_out(soak, all);
    carry_out(soak, late);
    look(&before);
    carry_out(soak, soak->order);
    look(&after);
    ck_ok(bight_stream_end(soak->control, 0));
    ck_ok(bight_listener_close(soak->listener));
    ck_ok(bight_join(server, &status));
    ck_ok(status);
    ck_ok(bight_listener_end(soak->listener));
    ck_ok(soak->failure);
    expect_same(&before, &after);
    return 0;
}

static uint32_t setting(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    long value = text ? atol(text) : 0;

    return value > 0 ? (uint32_t)value : otherwise;
}

/* For the server and, as they are inherited, for the clients. */
static void want_descriptors(rlim_t count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur >= count)
        return;
    limit.rlim_cur = count;
    if (limit.rlim_max < count)
        limit.rlim_max = count; /* which root may */
    if (setrlimit(RLIMIT_NOFILE, &limit))
        ck_abort_msg("needs %ju descriptors, and may not have them: raise the hard limit"
                     " (ulimit -Hn), or set SOAK_IDLE and SOAK_ACTIVE to less",
                     (uintmax_t)count);
}

static void start_load(struct soak *soak)
{
    struct sockaddr_in address;
    pid_t parent = getpid();
    int control[2];

    soak->listener_fd = test_bound_socket(&address);
    ck_assert_int_eq(listen(soak->listener_fd, SOMAXCONN), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    soak->load = fork();
    ck_assert_int_ge(soak->load, 0);
    if (soak->load == 0) {
        test_die_with(parent, SIGKILL);
        close(soak->listener_fd);
        close(control[0]);
        load_serve(control[1], ntohs(address.sin_port));
        _exit(EXIT_SUCCESS);
    }
    close(control[1]);
    soak->control_fd = control[0];
}

static void many_connections_leave_nothing_behind(void)
{
    struct soak soak = {
        .order = {setting("SOAK_IDLE", 1000), setting("SOAK_ACTIVE", 100),
                  setting("SOAK_SECONDS", 8) * 1000, false},
    };
    int status;

    want_descriptors(soak.order.idle + soak.order.active + DESCRIPTORS);
    count_blocks_of_libuv();
    start_load(&soak);
    ck_ok(bight_run(soaks, &soak));
    ck_assert_int_eq(waitpid(soak.load, &status, 0), soak.load);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_gt(soak.served, 3 * (uint64_t)soak.order.idle);
    ck_assert_uint_gt(soak.gone, 0);
}

static const struct suite_case cases[] = {
    plain_case(many_connections_leave_nothing_behind),
};

static void count_only(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    forked_note_nothing();
}

test_suite("soak_connections", cases, .begin = count_only);
