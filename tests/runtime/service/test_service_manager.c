/* runtime/service/notify.c and handed.c: what a service manager says to a service, and hears of
 * it. The manager is a datagram socket of the test, and processes that it starts. */
#include <bight.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

/* --- what the manager hears ------------------------------------------------------------------- */

static char name[108];

/* The manager's socket, with an abstract name, or a path. */
static int manager_open(bool abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_ge(fd, 0);
    snprintf(name, sizeof name, "%sbight-manager-%d", abstract ? "@" : "/tmp/", getpid());
    strcpy(address.sun_path, name);
    if (abstract)
        address.sun_path[0] = '\0';
    ck_assert_int_eq(
        bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + !abstract)),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void manager_close(int fd, bool abstract)
{
    close(fd);
    if (!abstract)
        unlink(name);
    unsetenv("NOTIFY_SOCKET");
}

/* The next datagram; "" when there is none. */
static const char *hear(int fd)
{
    static char text[2048];
    ssize_t bytes = recv(fd, text, sizeof text - 1, 0);

    text[bytes < 0 ? 0 : bytes] = '\0';
    return text;
}

static void states_are_sent(int abstract)
{
    char long_text[1100];
    int fds = test_open_fds();
    int fd = manager_open(abstract);

    ck_ok(bight_service_ready());
    ck_assert_str_eq(hear(fd), "READY=1");
    ck_ok(bight_service_status("42 clients"));
    ck_assert_str_eq(hear(fd), "STATUS=42 clients");
    ck_ok(bight_service_notify("MAINPID=7\nSTATUS=x"));
    ck_assert_str_eq(hear(fd), "MAINPID=7\nSTATUS=x");
    memset(long_text, 'x', sizeof long_text);
    long_text[1000] = '\0';
    ck_ok(bight_service_status(long_text));
    ck_assert_uint_eq(strlen(hear(fd)), 1007);
    long_text[1000] = 'x';
    long_text[1099] = '\0';
    ck_code(bight_service_status(long_text), BIGHT_ETOOBIG);
    ck_code(bight_service_status("two\nlines"), BIGHT_EINVAL);
    ck_code(bight_service_notify(""), BIGHT_EINVAL);
    ck_assert_str_eq(hear(fd), "");
    manager_close(fd, abstract);
    ck_code(bight_service_ready(), BIGHT_ENOENT);
    ck_assert_int_eq(test_open_fds(), fds);
}

static void names_that_are_none(void)
{
    char long_name[200];

    setenv("NOTIFY_SOCKET", "", 1);
    ck_code(bight_service_ready(), BIGHT_ENOENT);
    setenv("NOTIFY_SOCKET", "relative", 1);
    ck_code(bight_service_ready(), BIGHT_EINVAL);
    setenv("NOTIFY_SOCKET", "@", 1);
    ck_code(bight_service_ready(), BIGHT_EINVAL);
    setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
    ck_code(bight_service_ready(), BIGHT_ENOTSUP);
    memset(long_name, 'x', sizeof long_name);
    long_name[0] = '/';
    long_name[199] = '\0';
    setenv("NOTIFY_SOCKET", long_name, 1);
    ck_code(bight_service_ready(), BIGHT_EINVAL);
    setenv("NOTIFY_SOCKET", "/nowhere/to/be/found", 1);
    ck_code(bight_service_ready(), BIGHT_ENOENT);
    bight_service_forget();
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}

/* The manager does not read: a task waits, whoever is none does not. */
static int drain_late(void *arg)
{
    int fd = *(int *)arg;

    ck_ok(bight_sleep(20));
    while (*hear(fd))
        ;
    return 0;
}

static int behind(void *arg)
{
    struct bight_task *reader;
    struct bight_scope scope;
    int fd = *(int *)arg;

    ck_ok(bight_scope_begin(&scope, 20, 0));
    ck_code(bight_scope_end(&scope, bight_service_ready()), BIGHT_ETIMEDOUT);
    ck_ok(bight_spawn(&reader, drain_late, &fd));
    ck_ok(bight_service_ready());
    ck_ok(bight_join(reader, NULL));
    while (*hear(fd))
        ;
    return 0;
}

static void a_manager_that_is_behind_is_waited_for(void)
{
    int sent = 0, rc, fd = manager_open(true);

    while ((rc = bight_service_ready()) == 0)
        sent++;
    ck_code(rc, BIGHT_EAGAIN);
    ck_assert_int_gt(sent, 0);
    ck_ok(world_run(behind, &fd, NULL));
    manager_close(fd, true);
}

static void descriptors_are_stored(void)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    char text[64], long_name[300], byte = 'x';
    struct iovec part = {text, sizeof text - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int ends[2], got[2], count = test_open_fds(), fd = manager_open(true);
    ssize_t bytes;

    ck_assert_int_eq(pipe(ends), 0);
    ck_ok(bight_service_store_fds("both-ends", ends, 2));
    bytes = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    ck_assert_int_gt(bytes, 0);
    text[bytes] = '\0';
    ck_assert_str_eq(text, "FDSTORE=1\nFDNAME=both-ends");
    ck_assert_uint_eq(CMSG_FIRSTHDR(&message)->cmsg_len, CMSG_LEN(sizeof got));
    memcpy(got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
    ck_assert_int_eq(write(got[1], &byte, 1), 1);
    byte = 0;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'x');
    ck_code(bight_service_store_fds("", ends, 2), BIGHT_EINVAL);
    ck_code(bight_service_store_fds("a:b", ends, 2), BIGHT_EINVAL);
    ck_code(bight_service_store_fds("a\nb", ends, 2), BIGHT_EINVAL);
    ck_code(bight_service_store_fds("a", ends, 0), BIGHT_EINVAL);
    ck_code(bight_service_store_fds("a", ends, 254), BIGHT_EINVAL);
    memset(long_name, 'x', sizeof long_name);
    long_name[256] = '\0';
    ck_code(bight_service_store_fds(long_name, ends, 2), BIGHT_EINVAL);
    ck_assert_str_eq(hear(fd), "");
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(got[i]);
    }
    manager_close(fd, true);
    ck_assert_int_eq(test_open_fds(), count);
}

/* --- a whole life ----------------------------------------------------------------------------- */

static int reload(void *arg)
{
    (void)arg;
    return bight_sleep(1);
}

static int lives(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_service_ready());
    ck_ok(bight_sleep(100)); /* of 80 ms of watchdog */
    raise(SIGHUP);
    ck_ok(bight_sleep(10));
    raise(SIGTERM);
    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    return bight_scope_end(&scope, bight_sleep(-1));
}

static int life(void *arg)
{
    const struct bight_service_options options = {.on_reload = reload};

    (void)arg;
    return bight_service_run(lives, NULL, &options, NULL);
}

/* In virtual time the watchdog is fed when it is due. */
static void a_service_tells_how_it_fares(void)
{
    char heard[512] = "";
    int fed = 0, fd = manager_open(true);
    const char *text;
    char *reloading, *end;

    setenv("WATCHDOG_USEC", "80000", 1);
    ck_ok(world_run(life, NULL, NULL));
    while (*(text = hear(fd))) {
        fed += strcmp(text, "WATCHDOG=1") == 0;
        if (strcmp(text, "WATCHDOG=1") != 0)
            strcat(strcat(heard, text), "|");
    }
    ck_assert_int_ge(fed, 3);
    reloading = strstr(heard, "MONOTONIC_USEC=");
    ck_assert_ptr_nonnull(reloading);
    ck_assert_uint_gt(strtoull(reloading + 15, &end, 10), 0);
    memmove(reloading + 15, end, strlen(end) + 1);
    ck_assert_str_eq(heard, "READY=1|RELOADING=1\nMONOTONIC_USEC=|READY=1|STOPPING=1|");
    manager_close(fd, true);
    unsetenv("WATCHDOG_USEC");
}

static void the_watchdog_is_for_who_is_named(void)
{
    char pid[16];

    ck_assert_int_eq(bight_service_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "1500000", 1);
    ck_assert_int_eq(bight_service_watchdog_ms(), 1500);
    setenv("WATCHDOG_PID", "1", 1);
    ck_assert_int_eq(bight_service_watchdog_ms(), 0);
    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("WATCHDOG_PID", pid, 1);
    ck_assert_int_eq(bight_service_watchdog_ms(), 1500);
    setenv("WATCHDOG_USEC", "10", 1);
    ck_assert_int_eq(bight_service_watchdog_ms(), 1);
    setenv("WATCHDOG_USEC", "-1", 1);
    ck_assert_int_eq(bight_service_watchdog_ms(), 0);
    bight_service_forget();
    ck_assert_int_eq(bight_service_watchdog_ms(), 0);
}

/* --- what was handed over --------------------------------------------------------------------- */

static void handed(const char *count, const char *names)
{
    char pid[16];

    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", count, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
    else
        unsetenv("LISTEN_FDNAMES");
}

static int greets(struct bight_stream *stream, void *arg)
{
    (void)arg;
    return bight_stream_write(stream, "hello", 5);
}

static int closes(void *arg)
{
    struct sockaddr_in address;
    socklen_t bytes = sizeof address;
    struct bight_stream *client;
    char text[8];

    ck_assert_int_eq(getsockname(3, (struct sockaddr *)&address, &bytes), 0);
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", ntohs(address.sin_port), NULL, NULL));
    ck_assert_int_eq(bight_stream_read(client, text, sizeof text), 5);
    ck_ok(bight_stream_end(client, -1));
    return bight_listener_close(arg);
}

static int serves_handed(void *arg)
{
    struct bight_listener *listener;
    struct bight_task *task;
    struct bight_service_fd fd;

    (void)arg;
    ck_assert_int_eq(bight_service_get_fds(&fd, 1), 2);
    ck_ok(bight_listener_from_fd(&listener, fd.fd));
    ck_ok(bight_spawn(&task, closes, listener));
    ck_ok(bight_serve(listener, greets, NULL, NULL));
    ck_ok(bight_join(task, NULL));
    return bight_listener_end(listener);
}

/* In a process that has them as its 3 and 4. */
static void take_them(void)
{
    struct bight_service_fd fds[3];

    handed("2", "http::rest");
    memset(fds, 0, sizeof fds);
    ck_assert_int_eq(bight_service_get_fds(fds, 3), 2);
    ck_assert_int_eq(fds[0].fd, 3);
    ck_assert_str_eq(fds[0].name, "http");
    ck_assert_int_eq(fds[1].fd, 4);
    ck_assert_str_eq(fds[1].name, "unknown");
    ck_assert_int_eq(fds[2].fd, 0);
    ck_assert(fcntl(3, F_GETFD) & FD_CLOEXEC && fcntl(4, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(bight_service_get_fds(NULL, 0), 2);
    ck_ok(bight_run(serves_handed, NULL)); /* which closes the first */
    ck_assert_int_eq(dup2(4, 3), 3);
    handed("2", NULL);
    ck_assert_int_eq(bight_service_get_fds(fds, 1), 2);
    ck_assert_str_eq(fds[0].name, "unknown");
    handed("40", NULL);
    ck_code(bight_service_get_fds(fds, 3), BIGHT_EBADF);
    handed("two", NULL);
    ck_code(bight_service_get_fds(fds, 3), BIGHT_EINVAL);
    handed("2147483647", NULL);
    ck_code(bight_service_get_fds(fds, 3), BIGHT_EINVAL);
    ck_code(bight_service_get_fds(NULL, 3), BIGHT_EINVAL);
    handed("2", NULL);
    setenv("LISTEN_PID", "1", 1);
    ck_assert_int_eq(bight_service_get_fds(fds, 3), 0);
    handed("2", NULL);
    bight_service_forget();
    ck_assert_int_eq(bight_service_get_fds(fds, 3), 0);
}

static void sockets_are_handed_over(void)
{
    struct sockaddr_in address;
    int status, spare, listening = test_bound_socket(&address);
    pid_t child;

    ck_assert_int_eq(listen(listening, 8), 0);
    spare = fcntl(listening, F_DUPFD, 10);
    ck_assert_int_ge(spare, 10);
    child = fork();
    if (child == 0) {
        close_range(3, 9, 0);
        dup2(spare, 3);
        dup2(spare, 4);
        take_them();
        _exit(0);
    }
    ck_assert_int_eq(test_waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(spare);
    close(listening);
}

static const struct suite_case cases[] = {
    each_case(states_are_sent, 2),
    plain_case(names_that_are_none),
    plain_case(a_manager_that_is_behind_is_waited_for),
    plain_case(descriptors_are_stored),
    plain_case(a_service_tells_how_it_fares),
    plain_case(the_watchdog_is_for_who_is_named),
    plain_case(sockets_are_handed_over),
};

test_suite("service_manager", cases);
