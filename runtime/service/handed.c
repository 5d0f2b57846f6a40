/* What a service finds in its environment: descriptors that were opened for it, as
 * sd_listen_fds(3) of systemd 252 describes them, and how often the watchdog wants to be fed. */
#include "runtime/service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coro/base/units.h"

#define FIRST_FD 3

/* A number in decimal and nothing else, up to `most`. */
static bool number(const char *text, uint64_t most, uint64_t *value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value <= most;
}

/* Whether the variable says that the others are for this process; one that is not there says it of
 * the watchdog, not of descriptors. */
static bool is_ours(const char *text)
{
    uint64_t pid;

    return number(text, INT_MAX, &pid) && (pid_t)pid == getpid();
}

int64_t bight_service_watchdog_ms(void)
{
    const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t us;

    if (!text || (pid && !is_ours(pid)) || !number(text, INT64_MAX, &us) || us == 0)
        return 0;
    return us < 1000 ? 1 : (int64_t)(us / 1000);
}

/* The next name of the list, which has fewer names than there are descriptors, or is not there. */
static const char *take_name(struct bight_service_fd *fd, const char *names)
{
    size_t bytes = names ? strcspn(names, ":") : 0;
    size_t kept = bytes < sizeof(fd->name) - 1 ? bytes : sizeof(fd->name) - 1;

    if (!bytes) {
        memcpy(fd->name, "unknown", sizeof("unknown"));
    } else {
        memcpy(fd->name, names, kept);
        fd->name[kept] = '\0';
    }
    return names && names[bytes] ? names + bytes + 1 : NULL;
}

static int keep_from_children(int fd)
{
    int flags = fcntl(fd, F_GETFD);

    if (flags < 0)
        return -errno;
    return !(flags & FD_CLOEXEC) && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) ? -errno : 0;
}

int bight_service_get_fds(struct bight_service_fd *fds, size_t room)
{
    const char *pid = getenv("LISTEN_PID"), *text = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    uint64_t count;

    if (!fds && room)
        return BIGHT_EINVAL;
    if (!pid || !text || !is_ours(pid))
        return 0;
    if (!number(text, INT_MAX - FIRST_FD, &count))
        return BIGHT_EINVAL;
    for (int i = 0; i < (int)count; i++) {
        int rc = keep_from_children(FIRST_FD + i);

        if (rc)
            return rc;
        if ((size_t)i >= room)
            continue;
        fds[i].fd = FIRST_FD + i;
        names = take_name(&fds[i], names);
    }
    return (int)count;
}

void bight_service_forget(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET",  "LISTEN_PID",    "LISTEN_FDS",
                                        "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        (void)unsetenv(names[i]);
}
