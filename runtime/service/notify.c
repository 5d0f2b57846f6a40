/* What a service tells its manager: datagrams to the socket of NOTIFY_SOCKET, as sd_notify(3) of
 * systemd 252 describes them. The socket lives for one call: there are few of them, and a
 * descriptor that is kept could be closed by a host that closes what it does not know. */
#include "runtime/service/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bight/fd.h>

#define STATUS_MOST 1000
#define NAME_MOST 255
#define FDS_MOST 253 /* SCM_MAX_FD */

/* A path, or the name of an abstract socket after "@". */
static int manager_address(struct sockaddr_un *address, socklen_t *bytes)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t length;

    if (!name || !*name)
        return BIGHT_ENOENT;
    if (*name != '/' && *name != '@')
        return strncmp(name, "vsock", 5) == 0 ? BIGHT_ENOTSUP : BIGHT_EINVAL;
    length = strlen(name);
    if (length < 2 || length >= sizeof(address->sun_path))
        return BIGHT_EINVAL;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, length);
    *bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    if (*name == '@') {
        address->sun_path[0] = '\0';
        --*bytes;
    }
    return 0;
}

/* For the tests, which fail calls of threads with a runtime. */
static bool call_fails(const char *call)
{
    const struct bight_runtime *runtime = bight__runtime();

    return runtime && bight__call_fails(&runtime->sched.seams, call);
}

/* Connected, so that readiness is that of the manager's queue. The socket, or a code. */
static int manager_connect(void)
{
    struct sockaddr_un address;
    socklen_t bytes;
    int fd, rc = manager_address(&address, &bytes);

    if (rc)
        return rc;
    fd = call_fails("socket") ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (call_fails("connect") || connect(fd, (const struct sockaddr *)&address, bytes)) {
        rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

static int send_all(int fd, const struct msghdr *message)
{
    for (;;) {
        int rc;

        if (!call_fails("sendmsg") && sendmsg(fd, message, MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || !bight_self())
            return -errno;
        rc = bight_fd_wait(fd, BIGHT_FD_WRITE);
        if (rc < 0)
            return rc;
    }
}

static int tell(const char *state, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MOST * sizeof(int))];
    } control;
    struct iovec text = {(void *)(uintptr_t)state, strlen(state)};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    int fd, rc = bight_self() ? bight_checkpoint() : 0;

    if (rc)
        return rc;
    fd = manager_connect();
    if (fd < 0)
        return fd;
    if (count) {
        struct cmsghdr *head;

        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    }
    rc = send_all(fd, &message);
    close(fd);
    return rc;
}

int bight_service_notify(const char *state)
{
    return state && *state ? tell(state, NULL, 0) : BIGHT_EINVAL;
}

int bight_service_ready(void)
{
    return tell("READY=1", NULL, 0);
}

int bight_service_status(const char *text)
{
    char state[STATUS_MOST + sizeof("STATUS=")];

    if (!text || strchr(text, '\n'))
        return BIGHT_EINVAL;
    if (strlen(text) > STATUS_MOST)
        return BIGHT_ETOOBIG;
    (void)snprintf(state, sizeof(state), "STATUS=%s", text);
    return tell(state, NULL, 0);
}

/* What systemd takes for the name of a descriptor. */
static bool is_name(const char *name)
{
    size_t bytes = 0;

    for (; name[bytes]; bytes++) {
        unsigned char byte = (unsigned char)name[bytes];

        if (byte <= ' ' || byte >= 127 || byte == ':')
            return false;
    }
    return bytes && bytes <= NAME_MOST;
}

int bight_service_store_fds(const char *name, const int *fds, size_t count)
{
    char state[NAME_MOST + sizeof("FDSTORE=1\nFDNAME=")];

    if (!name || !fds || !is_name(name) || count == 0 || count > FDS_MOST)
        return BIGHT_EINVAL;
    (void)snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);
    return tell(state, fds, count);
}
