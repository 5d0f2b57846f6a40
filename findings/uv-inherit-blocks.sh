#!/bin/sh
# libuv: to hand a stream to a child as its standard output makes the parent's own handle a blocking one.
#
# Expected: the page of uv_process_t says of UV_INHERIT_STREAM that the child gets the stream's descriptor. Of what
# happens to the stream in the parent it says nothing, and uv_stream_set_blocking() is the one call that is there to
# make a stream block. So a parent could go on writing to a connection that it shares with a child.
# Found: for descriptors 0 to 2 libuv clears O_NONBLOCK in the child, as programs expect. But O_NONBLOCK belongs to the
# open file description, fcntl(2), which parent and child share. From then on uv_write() and uv_try_write() of the
# parent wait inside the loop's thread while the peer does not read, all handles and timers with it. A child that has
# ended long ago leaves it so. Descriptors from 3 on are handed over as they are.
# What helps: UV_CREATE_PIPE and copying, or a descriptor from 3 on; else set O_NONBLOCK again after uv_spawn(), and
# accept that the child then sees EAGAIN.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libuv1=1.44.2-1+deb12u1 libuv1-dev=1.44.2-1+deb12u1
build -luv <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static void child_ended(uv_process_t *child, int64_t status, int signal) {
    (void)status, (void)signal;
    uv_close((uv_handle_t *)child, NULL);
}

/* Run a child that does nothing, with the stream as its descriptor `slot`, and wait for its end. */
static void run_child(uv_loop_t *loop, uv_stream_t *stream, int slot) {
    uv_stdio_container_t stdio[4] = {0};
    stdio[slot].flags = UV_INHERIT_STREAM;
    stdio[slot].data.stream = stream;
    char *args[] = {"true", NULL};
    uv_process_options_t options = {
        .file = "true", .args = args, .stdio = stdio, .stdio_count = 4, .exit_cb = child_ended};
    uv_process_t child;
    int rc = uv_spawn(loop, &child, &options);
    uv_run(loop, UV_RUN_DEFAULT);
    printf("a child with the stream as descriptor %d: %d\n", slot, rc);
}

/* Nobody reads the other end: fill the stream, then see whether one more byte waits. The socket's
 * timeout of half a second ends what would otherwise wait for ever. */
static void show(uv_stream_t *stream, int fd) {
    static char data[1 << 16];
    uv_buf_t buffer = uv_buf_init(data, sizeof(data));
    while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
        ;
    uint64_t before = uv_hrtime();
    int rc = uv_try_write(stream, &buffer, 1);
    printf("O_NONBLOCK %s; uv_try_write: %s, %s\n", fcntl(fd, F_GETFL) & O_NONBLOCK ? "set" : "clear",
           uv_err_name(rc), uv_hrtime() - before > 250000000 ? "after a wait" : "at once");
}

int main(void) {
    int pair[2];
    struct timeval half_a_second = {.tv_usec = 500000};
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &half_a_second, sizeof(half_a_second));
    uv_loop_t *loop = uv_default_loop();
    uv_pipe_t stream;
    uv_pipe_init(loop, &stream, 0);
    uv_pipe_open(&stream, pair[0]);
    show((uv_stream_t *)&stream, pair[0]);
    run_child(loop, (uv_stream_t *)&stream, 3);
    show((uv_stream_t *)&stream, pair[0]);
    run_child(loop, (uv_stream_t *)&stream, 1);
    show((uv_stream_t *)&stream, pair[0]);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
O_NONBLOCK set; uv_try_write: EAGAIN, at once
a child with the stream as descriptor 3: 0
O_NONBLOCK set; uv_try_write: EAGAIN, at once
a child with the stream as descriptor 1: 0
O_NONBLOCK clear; uv_try_write: EAGAIN, after a wait
OUTPUT
