#!/bin/sh
# libuv: a signal sent to a forked child, which has only a loop of its own, also runs the parent's callback.
#
# Expected: a signal has one receiver. A child of fork() that never touches its parent's loop, and opens its own for
# the same signal, is alone in hearing what is sent to it; of uv_loop_fork() the page "uv_loop_t" says that it has to be
# called for loops that one goes on to use in the child.
# Found: the child's signal handler, and the table of who listens, are copies of the parent's, and so is the pipe of the
# parent's loop, into which it writes. Each signal to the child comes to the parent as well: a service that forks
# shuts down when its child is told to. The same holds where the child has no loop at all and has not yet called exec.
# What helps: in the child, uv_signal_stop() for each handle, of all loops, before signals are let through; or
# uv_loop_fork() for each loop although none is used again.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libuv1=1.44.2-1+deb12u1 libuv1-dev=1.44.2-1+deb12u1
build -luv <<'C'
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

static int heard;

static void on_signal(uv_signal_t *handle, int signum) {
    (void)signum;
    heard++;
    uv_stop(handle->loop);
}

static void listen_on(uv_loop_t *loop, uv_signal_t *handle) {
    uv_loop_init(loop);
    uv_signal_init(loop, handle);
    uv_signal_start(handle, on_signal, SIGTERM);
}

static int child(int ready, int forget, uv_signal_t *parents) {
    uv_loop_t loop;
    uv_signal_t handle;

    if (forget)
        uv_signal_stop(parents);
    listen_on(&loop, &handle);
    if (write(ready, "r", 1) != 1)
        return 1;
    uv_run(&loop, UV_RUN_DEFAULT);
    return heard;
}

/* What the child heard, and what the parent did, of one signal to the child. */
static void signal_a_child(uv_loop_t *loop, uv_signal_t *handle, int forget) {
    int ready[2], status;
    char byte;
    pid_t pid;

    heard = 0;
    if (pipe(ready))
        return;
    pid = fork();
    if (pid == 0)
        _exit(child(ready[1], forget, handle));
    if (read(ready[0], &byte, 1) != 1)
        return;
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    uv_run(loop, UV_RUN_NOWAIT);
    printf("%s: child %d, parent %d\n", forget ? "parent's handle stopped in the child" : "plain fork",
           WEXITSTATUS(status), heard);
    close(ready[0]);
    close(ready[1]);
}

int main(void) {
    uv_loop_t loop;
    uv_signal_t handle;

    setvbuf(stdout, NULL, _IONBF, 0);
    listen_on(&loop, &handle);
    signal_a_child(&loop, &handle, 0);
    signal_a_child(&loop, &handle, 1);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
plain fork: child 1, parent 1
parent's handle stopped in the child: child 1, parent 0
OUTPUT
