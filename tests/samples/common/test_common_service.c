/* samples/common/service.c: what ends a service, and that the end cannot be hurried. */
#include "samples/common/service.h"

#include "tests/harness/support.h"
#include "tests/harness/world.h"

#include <bight.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct bight_listener *listener;
static int served_with;

static int echo(struct bight_stream *stream, void *arg)
{
    (void)arg;
    return (int)bight_stream_copy(stream, stream);
}

/* By then the signal is caught, and the line is out. */
static int serve_and_raise(void *arg)
{
    ck_assert_int_eq(raise(*(int *)arg), 0);
    return bight_serve(listener, echo, NULL, NULL);
}

static void raise_both(void)
{
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert_int_eq(raise(SIGINT), 0);
}

static int until_raised(void *arg)
{
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(service_until_signal(listener, serve_and_raise, arg));
    ck_ok(bight_listener_end(listener));
    raise_both();
    return 0;
}

/* Nobody waits for those that follow; as they are by default they would end the process. */
static void either_signal_ends_it_and_further_ones_do_not_disturb_the_end(int i)
{
    int signum = i ? SIGTERM : SIGINT;
    int fds;

    ck_ok(bight_run(world_return, &(int){0})); /* the first runtime of a process opens what stays */
    fds = test_open_fds();
    ck_ok(bight_run(until_raised, &signum));
    ck_assert_int_eq(test_open_fds(), fds);
    raise_both();
}

static int serve_nothing(void *arg)
{
    served_with = *(int *)arg;
    return BIGHT_EIO;
}

static int without_signal(void *arg)
{
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_code(service_until_signal(listener, serve_nothing, arg), BIGHT_EIO);
    return bight_listener_end(listener);
}

static void what_serving_has_returned_is_handed_back(void)
{
    ck_ok(bight_run(without_signal, &(int){7}));
    ck_assert_int_eq(served_with, 7);
}

static int at_a_path(void *arg)
{
    ck_ok(bight_unix_listen(&listener, arg, NULL));
    ck_ok(service_until_signal(listener, serve_and_raise, &(int){SIGTERM}));
    return bight_listener_end(listener);
}

/* What it says goes to a pipe, which has room for it. */
static void it_says_so_of_a_unix_socket(void)
{
    char path[] = "/tmp/bight-service-XXXXXX", said[64] = "";
    int out[2];

    ck_assert_ptr_nonnull(mkdtemp(path));
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(pipe(out), 0);
    ck_assert_int_ge(dup2(out[1], STDOUT_FILENO), 0);
    ck_ok(bight_run(at_a_path, path));
    ck_assert_int_gt(test_read(out[0], said, sizeof(said) - 1), 0);
    ck_assert_str_eq(said, "listening on a Unix socket\n");
}

static const struct suite_case cases[] = {
    each_case(either_signal_ends_it_and_further_ones_do_not_disturb_the_end, 2),
    plain_case(what_serving_has_returned_is_handed_back),
    plain_case(it_says_so_of_a_unix_socket),
};

test_suite("common_service", cases);
