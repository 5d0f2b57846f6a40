/* See large.h. The file is sealed before it is sent, so that the host can map what nobody can
 * change any more. A seal against writing needs that nobody has it mapped for that: a child that
 * the job has forked may. And the job may have closed the descriptor, and opened another one of its
 * number. In both cases the bytes are copied to a new file. */
#include "offload/child/large.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "offload/wire/channel.h"

/* Whether the descriptor is still that of the file. */
static bool is_there(const struct large_output *large)
{
    struct stat about;

    return fstat(large->fd, &about) == 0 && about.st_dev == large->device &&
           about.st_ino == large->inode;
}

static bool map(struct large_output *large, size_t bytes, int protection)
{
    void *at = mmap(NULL, bytes, protection, MAP_SHARED, large->fd, 0);

    large->at = at == MAP_FAILED ? NULL : at;
    large->bytes = bytes;
    return large->at;
}

/* A new file of `bytes`, which is not mapped. Beyond the limit SIGXFSZ would be raised. */
static bool make(struct large_output *large, size_t bytes)
{
    struct rlimit limit;
    struct stat about;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes)
        return false;
    large->at = NULL;
    large->fd = memfd_create("bight-output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (large->fd < 0)
        return false;
    if (ftruncate(large->fd, (off_t)bytes) < 0 || fstat(large->fd, &about) < 0) {
        close(large->fd);
        return false;
    }
    large->device = about.st_dev;
    large->inode = about.st_ino;
    return true;
}

void bight__large_drop(struct large_output *large)
{
    if (large->at)
        munmap(large->at, large->bytes);
    if (large->fd >= 0 && is_there(large))
        close(large->fd);
    *large = (struct large_output){.fd = -1};
}

static bool stretch(struct large_output *large, size_t bytes)
{
    struct rlimit limit;
    void *at;

    if (!is_there(large) || (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes) ||
        ftruncate(large->fd, (off_t)bytes) < 0)
        return false;
    at = mremap(large->at, large->bytes, bytes, MREMAP_MAYMOVE);
    if (at == MAP_FAILED)
        return false;
    large->at = at;
    large->bytes = bytes;
    return true;
}

bool bight__large_grow(struct large_output *large, size_t bytes, const void *output, size_t used)
{
    struct large_output other;

    if (large->at && stretch(large, bytes))
        return true;
    if (!make(&other, bytes))
        return false;
    if (!map(&other, bytes, PROT_READ | PROT_WRITE)) {
        bight__large_drop(&other);
        return false;
    }
    if (used)
        memcpy(other.at, output, used);
    bight__large_drop(large);
    *large = other;
    return true;
}

static bool seal(const struct large_output *large)
{
    return fcntl(large->fd, F_ADD_SEALS, CHANNEL_OUTPUT_SEALS) == 0;
}

/* Seal the file with its first `bytes`. When that fails it is mapped as before, if possible. */
static bool finish(struct large_output *large, size_t bytes)
{
    if (!is_there(large) || ftruncate(large->fd, (off_t)bytes) < 0)
        return false;
    munmap(large->at, large->bytes);
    large->at = NULL;
    if (seal(large))
        return true;
    (void)map(large, bytes, PROT_READ);
    return false;
}

/* The same with a copy of the file. */
static bool finish_copy(struct large_output *large, size_t bytes)
{
    struct large_output other;
    size_t done = 0;

    if (!large->at || !make(&other, 0))
        return false;
    while (done < bytes) {
        ssize_t wrote = write(other.fd, large->at + done, bytes - done);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        done += (size_t)wrote;
    }
    if (done < bytes || !seal(&other)) {
        bight__large_drop(&other);
        return false;
    }
    bight__large_drop(large);
    *large = other;
    return true;
}

int bight__large_send(struct large_output *large, size_t bytes, int socket)
{
    int rc;

    if (!finish(large, bytes) && !finish_copy(large, bytes))
        return -ENOMEM;
    rc = bight__channel_send_output(socket, large->fd);
    if (rc)
        (void)map(large, bytes, PROT_READ);
    return rc;
}
