/* Waiting for descriptors of others: what they are ready for, whose file it is, who waits. */
#include <bight.h>

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

/* A task that waits once. */
struct wait {
    int fd;
    unsigned events;
    struct bight_task *task;
    int rc;
};

static int wait_once(void *arg)
{
    struct wait *wait = arg;

    wait->rc = bight_fd_wait(wait->fd, wait->events);
    return 0;
}

static void wait_start(struct wait *wait, int fd, unsigned events)
{
    *wait = (struct wait){.fd = fd, .events = events};
    ck_ok(bight_spawn(&wait->task, wait_once, wait));
    world_settle();
}

static void wait_join(struct wait *wait, int rc)
{
    ck_ok(bight_join(wait->task, NULL));
    ck_code(wait->rc, rc);
}

static int sockets[2];

static void sockets_open(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets),
                     0);
}

static void sockets_close(void)
{
    close(sockets[0]);
    close(sockets[1]);
}

static void say(int fd)
{
    ck_assert_int_eq(write(fd, "x", 1), 1);
}

static void hear(int fd)
{
    char byte;

    ck_assert_int_eq(read(fd, &byte, 1), 1);
}

static void fill(int fd)
{
    static const char bytes[4096];

    while (write(fd, bytes, sizeof(bytes)) > 0)
        continue;
}

static void drain(int fd)
{
    static char bytes[4096];

    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
}

static int readiness(void *arg)
{
    struct wait wait;

    (void)arg;
    sockets_open();
    ck_code(bight_fd_wait(sockets[0], BIGHT_FD_WRITE), BIGHT_FD_WRITE);
    ck_code(bight_fd_wait(sockets[0], BIGHT_FD_WRITE | BIGHT_FD_READ), BIGHT_FD_WRITE);
    for (int i = 0; i < 3; i++) {
        wait_start(&wait, sockets[0], BIGHT_FD_READ);
        ck_code(wait.rc, 0);
        say(sockets[1]);
        wait_join(&wait, BIGHT_FD_READ);
        ck_code(bight_fd_wait(sockets[0], BIGHT_FD_READ), BIGHT_FD_READ); /* nothing was taken */
        ck_code(bight_fd_wait(sockets[0], BIGHT_FD_READ | BIGHT_FD_WRITE),
                BIGHT_FD_READ | BIGHT_FD_WRITE);
        hear(sockets[0]);
    }
    fill(sockets[0]);
    wait_start(&wait, sockets[0], BIGHT_FD_WRITE);
    drain(sockets[1]);
    wait_join(&wait, BIGHT_FD_WRITE);
    close(sockets[1]);
    ck_code(bight_fd_wait(sockets[0], BIGHT_FD_READ), BIGHT_FD_READ);
    ck_code(bight_fd_wait(sockets[0], BIGHT_FD_WRITE), BIGHT_FD_WRITE);
    close(sockets[0]);
    return 0;
}

static int two_tasks(void *arg)
{
    struct wait reader, writer, both;

    (void)arg;
    sockets_open();
    fill(sockets[0]);
    wait_start(&reader, sockets[0], BIGHT_FD_READ);
    wait_start(&writer, sockets[0], BIGHT_FD_WRITE);
    drain(sockets[1]);
    wait_join(&writer, BIGHT_FD_WRITE);
    ck_code(reader.rc, 0);
    fill(sockets[0]);
    wait_start(&both, sockets[0], BIGHT_FD_READ | BIGHT_FD_WRITE);
    say(sockets[1]);
    wait_join(&reader, BIGHT_FD_READ);
    wait_join(&both, BIGHT_FD_READ);

    /* One goes away, and the other is not forgotten. */
    hear(sockets[0]);
    wait_start(&reader, sockets[0], BIGHT_FD_READ);
    wait_start(&writer, sockets[0], BIGHT_FD_WRITE);
    bight_task_cancel(writer.task);
    wait_join(&writer, BIGHT_ECANCELED);
    say(sockets[1]);
    wait_join(&reader, BIGHT_FD_READ);
    sockets_close();
    return 0;
}

static int priority(void *arg)
{
    struct sockaddr_in address;
    int listener = test_bound_socket(&address), ends[2];
    struct wait wait;

    (void)arg;
    ck_assert_int_eq(listen(listener, 1), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(test_connect(ends[0], (struct sockaddr *)&address, sizeof(address)), 0);
    ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(listener);
    wait_start(&wait, ends[1], BIGHT_FD_PRIORITY);
    say(ends[0]);
    ck_code(bight_fd_wait(ends[1], BIGHT_FD_READ | BIGHT_FD_PRIORITY), BIGHT_FD_READ);
    ck_code(wait.rc, 0);
    ck_assert_int_eq(send(ends[0], "!", 1, MSG_OOB), 1);
    wait_join(&wait, BIGHT_FD_PRIORITY);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static int files(void *arg)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), folder = open("/", O_RDONLY);

    (void)arg;
    ck_code(bight_fd_wait(file, BIGHT_FD_READ), BIGHT_FD_READ);
    ck_code(bight_fd_wait(file, BIGHT_FD_READ | BIGHT_FD_WRITE), BIGHT_FD_READ | BIGHT_FD_WRITE);
    ck_code(bight_fd_wait(folder, BIGHT_FD_WRITE), BIGHT_FD_WRITE);
    close(folder);
    ck_code(bight_fd_wait(folder, BIGHT_FD_READ), BIGHT_EBADF);
    ck_code(bight_fd_wait(-1, BIGHT_FD_READ), BIGHT_EBADF);
    ck_code(bight_fd_wait(file, 0), BIGHT_EINVAL);
    ck_code(bight_fd_wait(file, 8), BIGHT_EINVAL);
    ck_code(bight_fd_wait(file, BIGHT_FD_READ | 16), BIGHT_EINVAL);
    close(file);
    return 0;
}

static void what_is_no_wait_is_refused(void)
{
    ck_code(bight_fd_wait(0, BIGHT_FD_READ), BIGHT_ENOTASK);
    ck_ok(world_run(files, NULL, NULL));
}

/* Another open file under the same number, as libpq has when it goes on to its next host. */
static int number_is_reused(void *arg)
{
    struct wait wait;
    int number;

    (void)arg;
    sockets_open();
    number = sockets[0];
    say(sockets[1]);
    for (int i = 0; i < 10; i++) {
        ck_code(bight_fd_wait(number, BIGHT_FD_READ | BIGHT_FD_WRITE),
                i ? BIGHT_FD_WRITE : BIGHT_FD_READ | BIGHT_FD_WRITE);
        if (i % 2) {
            wait_start(&wait, number, BIGHT_FD_READ);
            bight_task_cancel(wait.task);
            wait_join(&wait, BIGHT_ECANCELED);
        }
        sockets_close();
        sockets_open();
        ck_assert_int_eq(sockets[0], number);
        wait_start(&wait, number, BIGHT_FD_READ);
        ck_code(wait.rc, 0); /* the old file's readiness is not the new one's */
        say(sockets[1]);
        wait_join(&wait, BIGHT_FD_READ);
        hear(number);
    }
    sockets_close();
    return 0;
}

static int expires(void *arg)
{
    (void)arg;
    return bight_fd_wait(sockets[0], BIGHT_FD_READ);
}

static int cancelled(void *arg)
{
    struct wait wait, other;

    (void)arg;
    sockets_open();
    wait_start(&wait, sockets[0], BIGHT_FD_READ);
    wait_start(&other, sockets[0], BIGHT_FD_READ);
    bight_task_cancel(wait.task);
    say(sockets[1]);
    wait_join(&wait, BIGHT_ECANCELED);
    wait_join(&other, BIGHT_FD_READ);
    hear(sockets[0]);
    ck_code(bight_timeout(5, expires, NULL), BIGHT_ETIMEDOUT);
    say(sockets[1]);
    ck_code(bight_timeout(1000, expires, NULL), BIGHT_FD_READ);
    sockets_close();
    return 0;
}

static int chosen(void *arg)
{
    struct bight_case cases[3];
    int other[2];

    (void)arg;
    sockets_open();
    ck_assert_int_eq(pipe2(other, O_CLOEXEC), 0);
    bight_case_fd(&cases[0], sockets[0], BIGHT_FD_READ);
    bight_case_fd(&cases[1], other[0], BIGHT_FD_READ);
    bight_case_sleep(&cases[2], 5);
    ck_code(bight_select(cases, 3, 0), 2);
    for (int i = 0; i < 4; i++) {
        say(i % 2 ? sockets[1] : other[1]);
        bight_case_fd(&cases[0], sockets[0], BIGHT_FD_READ);
        bight_case_fd(&cases[1], other[0], BIGHT_FD_READ);
        bight_case_sleep(&cases[2], -1);
        ck_code(bight_select(cases, 3, 0), i % 2 ? 0 : 1);
        ck_code(cases[i % 2 ? 0 : 1].status, BIGHT_FD_READ);
        hear(i % 2 ? sockets[0] : other[0]);
    }
    /* Twice the same descriptor, and those that cannot be waited for. */
    bight_case_fd(&cases[0], sockets[0], BIGHT_FD_READ);
    bight_case_fd(&cases[1], sockets[0], BIGHT_FD_WRITE);
    ck_code(bight_select(cases, 2, 0), 1);
    ck_code(cases[1].status, BIGHT_FD_WRITE);
    bight_case_fd(&cases[0], -1, BIGHT_FD_READ);
    ck_code(bight_select(cases, 1, 0), 0);
    ck_code(cases[0].status, BIGHT_EBADF);
    bight_case_fd(&cases[0], sockets[0], 0);
    ck_code(bight_select(cases, 1, 0), 0);
    ck_code(cases[0].status, BIGHT_EINVAL);
    close(other[0]);
    ck_code(bight_fd_wait(other[1], BIGHT_FD_WRITE), BIGHT_FD_WRITE);
    close(other[1]);
    bight_case_fd(&cases[0], other[1], BIGHT_FD_READ);
    ck_code(bight_select(cases, 1, 0), 0);
    ck_code(cases[0].status, BIGHT_EBADF);
    sockets_close();
    return 0;
}

static int chooses_asleep(void *arg)
{
    struct bight_case cases[2];
    int rc;

    (void)arg;
    bight_case_fd(&cases[0], sockets[0], BIGHT_FD_READ);
    bight_case_sleep(&cases[1], -1);
    rc = bight_select(cases, 2, 0);
    return rc ? rc : cases[0].status;
}

static int chosen_later(void *arg)
{
    struct bight_task *task;
    int status;

    (void)arg;
    sockets_open();
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_spawn(&task, chooses_asleep, NULL));
        world_settle();
        if (i == 1)
            bight_task_cancel(task);
        else
            say(sockets[1]);
        ck_ok(bight_join(task, &status));
        ck_code(status, i == 1 ? BIGHT_ECANCELED : (int)BIGHT_FD_READ);
        drain(sockets[0]);
    }
    sockets_close();
    return 0;
}

#define MANY 300

/* They are woken one after the other, in no order. */
static int many(void *arg)
{
    static struct wait waits[MANY];
    static int pipes[MANY][2];

    (void)arg;
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC), 0);
        wait_start(&waits[i], pipes[i][0], BIGHT_FD_READ);
    }
    for (int i = 0; i < MANY; i++) {
        int next = i * 7 % MANY;

        ck_code(waits[next].rc, 0);
        say(pipes[next][1]);
        wait_join(&waits[next], BIGHT_FD_READ);
    }
    for (int i = 0; i < MANY; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    return 0;
}

static void so_many_as_there_are_descriptors(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_ok(world_run(many, NULL, NULL));
}

/* A wait for a stream's descriptor and the stream do not disturb each other. */
static int of_a_stream(void *arg)
{
    struct bight_stream *stream;
    struct wait wait;
    char byte;

    (void)arg;
    sockets_open();
    ck_ok(bight_stream_from_fd(&stream, sockets[0]));
    wait_start(&wait, sockets[0], BIGHT_FD_READ);
    say(sockets[1]);
    wait_join(&wait, BIGHT_FD_READ);
    ck_assert_int_eq(bight_stream_read(stream, &byte, 1), 1);
    ck_assert_int_eq(bight_stream_try_read(stream, &byte, 1), BIGHT_EAGAIN);
    say(sockets[1]);
    ck_assert_int_eq(bight_stream_read(stream, &byte, 1), 1);
    ck_ok(bight_stream_end(stream, 0));
    close(sockets[1]);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_wait_says_what_it_is_ready_for, readiness),
    world_case(several_may_wait_for_one, two_tasks),
    world_case(out_of_band_bytes_are_a_priority, priority),
    plain_case(what_is_no_wait_is_refused),
    world_case(a_number_may_be_another_file, number_is_reused),
    world_case(cancelled_it_watches_no_more, cancelled),
    world_case(a_select_chooses_the_ready_one, chosen),
    world_case(a_select_sleeps_until_one_is, chosen_later),
    plain_case(so_many_as_there_are_descriptors),
    world_case(a_stream_is_not_disturbed, of_a_stream),
};

test_suite("fd", cases);
