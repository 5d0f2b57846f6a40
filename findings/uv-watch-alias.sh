#!/bin/sh
# libuv: two watchers whose names lead to one file both say that they watch the name which came first.
#
# Expected: uv_fs_event_getpath() gives the path that a handle watches, says its page, and that is what was given to
# uv_fs_event_start(). The file name that a callback gets when a single file is watched is its last part. So one
# callback for several handles could tell from either which of a program's files has changed.
# Found: inotify_add_watch(2) gives one descriptor per inode and not per name. libuv keeps one record per descriptor,
# and the path in it is that of the first handle. A second one, started with a symbolic or hard link to the file, as
# configuration mounted into a container often is, reports the other name in both places, and goes on doing so when
# the first has been stopped. Both handles get every event, so a table keyed by name reloads one file twice.
# What helps: what a handle stands for belongs into handle->data.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libuv1=1.44.2-1+deb12u1 libuv1-dev=1.44.2-1+deb12u1
build -luv <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

static void changed(uv_fs_event_t *watch, const char *filename, int events, int status) {
    char path[64] = "";
    size_t bytes = sizeof(path);
    uv_fs_event_getpath(watch, path, &bytes);
    printf("started with %s: filename %s, getpath %s, events %d, status %d\n", (const char *)watch->data, filename,
           path, events, status);
}

static void over(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

static void change_and_look(uv_loop_t *loop, uv_timer_t *timer) {
    int fd = open("settings", O_WRONLY);
    if (write(fd, "x", 1) != 1)
        perror("settings");
    close(fd);
    uv_timer_start(timer, over, 200, 0);
    uv_run(loop, UV_RUN_DEFAULT);
}

int main(void) {
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    uv_timer_init(loop, &timer);
    static char *names[] = {"settings", "symbolic", "hard"};
    uv_fs_event_t watches[3];
    for (int i = 0; i < 3; i++) {
        uv_fs_event_init(loop, &watches[i]);
        watches[i].data = names[i];
        uv_fs_event_start(&watches[i], changed, names[i], 0);
    }
    change_and_look(loop, &timer);
    printf("stop the first: %d\n", uv_fs_event_stop(&watches[0]));
    change_and_look(loop, &timer);
    return 0;
}
C
cd "$work"
touch settings
ln -s settings symbolic
ln settings hard
shows ./program <<'OUTPUT'
started with settings: filename settings, getpath settings, events 2, status 0
started with symbolic: filename settings, getpath settings, events 2, status 0
started with hard: filename settings, getpath settings, events 2, status 0
stop the first: 0
started with symbolic: filename settings, getpath settings, events 2, status 0
started with hard: filename settings, getpath settings, events 2, status 0
OUTPUT
