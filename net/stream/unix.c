/* Unix sockets: their names, and the files of those that listen. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bight/time.h>
#include <bight/unix.h>

#include "net/stream/listener.h"

/* Between two attempts to connect while the backlog is full, of which the system tells nobody. */
#define FIRST_SLEEP_MS 1
#define LONGEST_SLEEP_MS 50

static const struct bight_listen_options default_options;

_Static_assert(sizeof(((struct socket_file *)0)->path) >=
                   sizeof(((struct sockaddr_un *)0)->sun_path),
               "a file's path has room for every path of a socket");

struct unix_name {
    struct sockaddr_un address;
    unsigned bytes;
};

static bool is_abstract(const struct unix_name *name)
{
    return name->address.sun_path[0] == '\0';
}

static int name_of(const char *path, struct unix_name *name)
{
    bool abstract = path[0] == '@';
    size_t bytes = strlen(path);

    if (bytes == abstract)
        return BIGHT_EINVAL;
    if (bytes >= sizeof(name->address.sun_path))
        return -ENAMETOOLONG;
    memset(name, 0, sizeof(*name));
    name->address.sun_family = AF_UNIX;
    memcpy(name->address.sun_path, path, bytes);
    if (abstract)
        name->address.sun_path[0] = '\0';
    else
        bytes++; /* its end counts */
    name->bytes = (unsigned)(offsetof(struct sockaddr_un, sun_path) + bytes);
    return 0;
}

static int try_connect(const struct bight_seams *seams, int fd, const struct unix_name *name)
{
    int rc;

    do {
        rc = bight__call_fails(seams, "connect") ||
                     connect(fd, (const struct sockaddr *)&name->address, name->bytes)
                 ? -errno
                 : 0;
    } while (rc == BIGHT_EINTR);
    return rc;
}

static int connect_patiently(const struct bight_seams *seams, int fd, const struct unix_name *name)
{
    int64_t sleep_ms = FIRST_SLEEP_MS;
    int rc;

    while ((rc = try_connect(seams, fd, name)) == BIGHT_EAGAIN) {
        rc = bight_sleep(sleep_ms);
        if (rc)
            return rc;
        sleep_ms = 2 * sleep_ms < LONGEST_SLEEP_MS ? 2 * sleep_ms : LONGEST_SLEEP_MS;
    }
    return rc;
}

int bight_unix_connect(struct bight_stream **out, const char *path)
{
    const struct bight_seams *seams;
    struct streams *streams;
    struct unix_name name;
    int fd, rc;

    if (!out || !path)
        return BIGHT_EINVAL;
    rc = name_of(path, &name);
    if (rc == 0)
        rc = bight_checkpoint();
    if (rc == 0)
        rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    seams = &streams->poller.runtime->sched.seams;
    fd = bight__socket_new(seams, AF_UNIX);
    if (fd < 0)
        return fd;
    rc = connect_patiently(seams, fd, &name);
    if (rc == 0)
        rc = bight__socket_stream(out, streams, fd, AF_UNIX, NULL);
    if (rc)
        close(fd);
    return rc;
}

/* The socket file at the path, in *file; an error when there is something else or nothing. */
static int look(const char *path, struct socket_file *file)
{
    struct stat status;

    if (lstat(path, &status))
        return -errno;
    if (!S_ISSOCK(status.st_mode))
        return BIGHT_EADDRINUSE;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    memcpy(file->path, path, strlen(path) + 1);
    return 0;
}

static bool is_there(const struct socket_file *file)
{
    struct socket_file now = {0};

    if (look(file->path, &now))
        return false;
    return now.device == file->device && now.inode == file->inode;
}

void bight__socket_file_remove(const struct socket_file *file)
{
    if (file->path[0] && is_there(file))
        (void)unlink(file->path);
}

/* Remove the file of a socket on which nobody listens any more: 0, or BIGHT_EADDRINUSE when it is
 * something else. */
static int remove_stale(const struct bight_seams *seams, const struct unix_name *name)
{
    struct socket_file file = {0};
    int probe, rc;

    rc = look(name->address.sun_path, &file);
    if (rc)
        return rc == BIGHT_ENOENT ? 0 : BIGHT_EADDRINUSE;
    probe = bight__socket_new(seams, AF_UNIX);
    if (probe < 0)
        return probe;
    rc = try_connect(seams, probe, name);
    close(probe);
    if (rc == BIGHT_ENOENT)
        return 0;
    if (rc != BIGHT_ECONNREFUSED)
        return BIGHT_EADDRINUSE;
    bight__socket_file_remove(&file);
    return 0;
}

static int bind_to(const struct bight_seams *seams, int fd, const struct unix_name *name)
{
    int rc = bight__socket_bind(seams, fd, &name->address, name->bytes);

    if (rc != BIGHT_EADDRINUSE || is_abstract(name))
        return rc;
    rc = remove_stale(seams, name);
    return rc ? rc : bight__socket_bind(seams, fd, &name->address, name->bytes);
}

/* Nobody can connect before the socket listens, so nobody does with the wrong permissions. */
static int set_mode(const struct bight_seams *seams, const char *path, unsigned mode)
{
    if (!mode)
        return 0;
    return bight__call_fails(seams, "chmod") || chmod(path, mode) ? -errno : 0;
}

/* Have the bound socket listen. Until it did, it looked stale to others, one of whom may have
 * replaced the file: then the path is theirs. */
static int listen_there(const struct bight_seams *seams, int fd, const struct socket_file *file,
                        const struct bight_listen_options *options)
{
    int rc = file->path[0] ? set_mode(seams, file->path, options->mode) : 0;

    if (rc == 0)
        rc = bight__socket_listen(seams, fd, options);
    if (rc == 0 && file->path[0] && !is_there(file))
        rc = BIGHT_EADDRINUSE;
    return rc;
}

static int listen_at(struct bight_listener **out, struct streams *streams, int fd,
                     const struct unix_name *name, const struct bight_listen_options *options)
{
    const struct bight_seams *seams = &streams->poller.runtime->sched.seams;
    struct socket_file file = {0};
    struct bight_listener *listener;
    int rc = bind_to(seams, fd, name);

    if (rc)
        return rc;
    if (!is_abstract(name))
        rc = look(name->address.sun_path, &file);
    if (rc == 0)
        rc = listen_there(seams, fd, &file, options);
    if (rc == 0)
        rc = bight__listener_new(&listener, streams, fd, AF_UNIX);
    if (rc) {
        bight__socket_file_remove(&file);
        return rc;
    }
    listener->file = file;
    *out = listener;
    return 0;
}

int bight_unix_listen(struct bight_listener **out, const char *path,
                      const struct bight_listen_options *options)
{
    struct streams *streams;
    struct unix_name name;
    int fd, rc;

    if (!options)
        options = &default_options;
    if (!out || !path || !bight__listen_options_valid(options))
        return BIGHT_EINVAL;
    rc = name_of(path, &name);
    if (rc == 0)
        rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    fd = bight__socket_new(&streams->poller.runtime->sched.seams, AF_UNIX);
    if (fd < 0)
        return fd;
    rc = listen_at(out, streams, fd, &name, options);
    if (rc)
        close(fd);
    return rc;
}
