/* See support.h. The counters of memory use no stdio, so that they do not count their own. */
#include "tests/harness/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int test_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count - 1; /* one was the directory's own */
}

int test_maps(void)
{
    static const char heap[] = "[heap]";
    char buffer[4096];
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    int lines = 0;
    size_t matched = 0; /* of "[heap]", at the end of what was read of the line */
    ssize_t got;

    ck_assert_int_ge(fd, 0);
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (buffer[i] == '\n')
                lines += matched < sizeof heap - 1;
            matched = buffer[i] == heap[matched] ? matched + 1 : 0;
        }
    }
    close(fd);
    ck_assert_int_eq(got, 0);
    return lines;
}

long test_resident_kib(void)
{
    char buffer[256];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, buffer, sizeof buffer - 1);
    char *second;

    close(fd);
    ck_assert_int_gt(got, 0);
    buffer[got] = '\0';
    strtol(buffer, &second, 10);
    return strtol(second, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

int test_bound_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)address, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

pid_t test_waitpid(pid_t pid, int *status, int options)
{
    pid_t got;

    do {
        got = waitpid(pid, status, options);
    } while (got < 0 && errno == EINTR);
    return got;
}

ssize_t test_read(int fd, void *buffer, size_t bytes)
{
    ssize_t got;

    do {
        got = read(fd, buffer, bytes);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* One that is interrupted goes on, and a second call only says so. */
size_t test_read_all(int fd, void *buffer, size_t bytes)
{
    size_t count = 0;
    ssize_t got;

    while (count < bytes && (got = test_read(fd, (char *)buffer + count, bytes - count)) > 0)
        count += (size_t)got;
    return count;
}

int test_accept(int fd)
{
    int got;

    do {
        got = accept(fd, NULL, NULL);
    } while (got < 0 && errno == EINTR);
    return got;
}

int test_connect(int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct pollfd connected = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t error_bytes = sizeof(error);
    int rc;

    do {
        rc = connect(fd, address, bytes);
    } while (rc && errno == EINTR && address->sa_family == AF_UNIX); /* TCP's goes on */
    if (rc == 0)
        return 0;
    if (errno != EINTR)
        return -1;
    while (poll(&connected, 1, -1) < 0 && errno == EINTR)
        ;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_bytes))
        return -1;
    errno = error;
    return error ? -1 : 0;
}

void test_die_with(pid_t parent, int signal)
{
    (void)prctl(PR_SET_PDEATHSIG, signal);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}
