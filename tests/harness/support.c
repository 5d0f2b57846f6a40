/* See support.h. The counters of memory use no stdio, so that they do not count their own. */
#include "tests/harness/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

void test_die_with(pid_t parent, int signal)
{
    (void)prctl(PR_SET_PDEATHSIG, signal);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}
