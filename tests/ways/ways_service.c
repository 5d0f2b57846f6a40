/* See ways.h: what a service tells its manager, whose queue is full; what is given is room. */
#include "tests/ways/ways.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/harness/support.h"

static int filler = -1;

static void fill(void)
{
    while (send(filler, "x", 1, MSG_DONTWAIT) == 1)
        ;
}

/* `fds[0]` is the manager's socket, under a name that the system chooses. */
static void manager_open(struct stage *stage)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[sizeof(address.sun_path)] = "@";
    socklen_t bytes = sizeof(address);

    stage->fds[0] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(stage->fds[0], (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    ck_assert_int_eq(getsockname(stage->fds[0], (struct sockaddr *)&address, &bytes), 0);
    memcpy(name + 1, address.sun_path + 1, bytes - offsetof(struct sockaddr_un, sun_path) - 1);
    setenv("NOTIFY_SOCKET", name, 1);
    filler = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(test_connect(filler, (struct sockaddr *)&address, bytes), 0);
    /* The first wait for a descriptor takes memory for all. */
    ck_assert_int_eq(bight_fd_wait(filler, BIGHT_FD_WRITE), BIGHT_FD_WRITE);
    fill();
}

static int notify_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_service_notify("STATUS=1");
}

static int ready_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_service_ready();
}

static int status_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_service_status("1");
}

static int store_wait(struct seat *seat)
{
    int fd = 0;

    seat->stage->no_memory = true;
    return bight_service_store_fds("input", &fd, 1);
}

static void manager_reads(struct stage *stage)
{
    char text[64];

    while (recv(stage->fds[0], text, sizeof(text), 0) == 1)
        ;
}

/* What was said to have been sent is there, once. */
static void manager_close(struct stage *stage)
{
    char text[64];

    if (stage->taken)
        ck_assert_int_gt(recv(stage->fds[0], text, sizeof(text), 0), 1);
    else
        manager_reads(stage);
    ck_assert_int_eq(recv(stage->fds[0], text, sizeof(text), 0), -1);
    close(stage->fds[0]);
    close(filler);
    bight_service_forget();
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way ways[] = {
    {"bight_service_notify", 1, 0, true, 0, manager_open, notify_wait, manager_reads, NULL,
     manager_close},
    {"bight_service_ready", 1, 0, true, 0, manager_open, ready_wait, manager_reads, NULL,
     manager_close},
    {"bight_service_status", 1, 0, true, 0, manager_open, status_wait, manager_reads, NULL,
     manager_close},
    {"bight_service_store_fds", 1, 0, true, 0, manager_open, store_wait, manager_reads, NULL,
     manager_close},
};

const struct way_table service_way_table = {ways, sizeof(ways) / sizeof(*ways)};
