/* Terminals: a pseudo terminal for a child, and what a stream of a terminal can be asked. */
#include "runtime/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

_Static_assert(sizeof(struct termios) <= sizeof(struct bight_terminal_mode), "a mode has room");

static int set_size(int fd, const struct bight_terminal_size *size)
{
    const struct winsize wanted = {.ws_row = size->rows, .ws_col = size->columns};

    return ioctl(fd, TIOCSWINSZ, &wanted) ? -errno : 0;
}

/* The child's side of `ours`. */
static int open_theirs(const struct bight_seams *seams, int ours,
                       const struct bight_terminal_size *size)
{
    int fd = bight__call_fails(seams, "open") || unlockpt(ours)
                 ? -1
                 : ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return -errno;
    rc = size->rows || size->columns ? set_size(fd, size) : 0;
    if (rc) {
        close(fd);
        return rc;
    }
    return fd;
}

int bight__process_terminal_open(struct bight_stream **stream, const struct bight_seams *seams,
                                 const struct bight_terminal_size *size)
{
    int ours = bight__call_fails(seams, "open")
                   ? -1
                   : posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    int theirs, rc;

    if (ours < 0)
        return -errno;
    theirs = open_theirs(seams, ours, size);
    rc = theirs < 0 ? theirs : bight_stream_from_fd(stream, ours);
    if (rc == 0)
        return theirs;
    close(ours);
    if (theirs >= 0)
        close(theirs);
    return rc;
}

int bight_terminal_get_size(const struct bight_stream *stream, struct bight_terminal_size *size)
{
    struct winsize now;
    int fd;

    if (!stream || !size)
        return BIGHT_EINVAL;
    fd = bight_stream_fd(stream);
    if (fd < 0)
        return fd;
    if (ioctl(fd, TIOCGWINSZ, &now))
        return errno == ENOTTY ? BIGHT_ENOTSUP : -errno;
    *size = (struct bight_terminal_size){now.ws_row, now.ws_col};
    return 0;
}

int bight_terminal_set_size(struct bight_stream *stream, const struct bight_terminal_size *size)
{
    int rc;

    if (!stream || !size)
        return BIGHT_EINVAL;
    rc = bight_stream_fd(stream);
    if (rc >= 0)
        rc = set_size(rc, size);
    return rc == -ENOTTY ? BIGHT_ENOTSUP : rc;
}

int bight_terminal_set_raw(struct bight_stream *stream, struct bight_terminal_mode *before)
{
    struct termios mode;
    int fd;

    if (!stream)
        return BIGHT_EINVAL;
    fd = bight_stream_fd(stream);
    if (fd < 0)
        return fd;
    if (tcgetattr(fd, &mode))
        return errno == ENOTTY ? BIGHT_ENOTSUP : -errno;
    if (before)
        memcpy(before, &mode, sizeof(mode));
    cfmakeraw(&mode);
    return tcsetattr(fd, TCSANOW, &mode) ? -errno : 0;
}

int bight_terminal_set_mode(struct bight_stream *stream, const struct bight_terminal_mode *mode)
{
    struct termios wanted;
    int fd;

    if (!stream || !mode)
        return BIGHT_EINVAL;
    fd = bight_stream_fd(stream);
    if (fd < 0)
        return fd;
    memcpy(&wanted, mode, sizeof(wanted));
    if (tcsetattr(fd, TCSANOW, &wanted))
        return errno == ENOTTY ? BIGHT_ENOTSUP : -errno;
    return 0;
}
