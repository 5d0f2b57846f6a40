/* See files.h. */
#include "net/server/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bight/errors.h>
#include <bight/time.h>
#include <bight/uv.h>

#include "coro/base/splitmix.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

/* O_NONBLOCK: a FIFO opens at once, and is then seen to be one. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define PAGE_BYTES 4096
/* What was cached is taken to be so for the rest of such a period: each look costs two system
 * calls, and pages in use are the last that the kernel drops. */
#define SIGHT_NS UINT64_C(1000000000)
/* openat2 gives up where directories are renamed beside it. */
#define ATTEMPTS 16

static int open_by_kernel(const struct files_root *root, const char *path, uint64_t flags,
                          uint64_t resolve)
{
    struct open_how how = {.flags = flags, .resolve = resolve};
    long fd;

    how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (root->no_links)
        how.resolve |= RESOLVE_NO_SYMLINKS;
    fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

/* By trial: the call may be missing, forbidden by a sandbox, or know less. */
static enum lookup lookup_of(const struct files_root *root)
{
    int fd = open_by_kernel(root, ".", O_PATH | O_CLOEXEC, RESOLVE_CACHED);
    enum lookup lookup = LOOKUP_CACHED;

    if (fd < 0 && fd != -EAGAIN) {
        fd = open_by_kernel(root, ".", O_PATH | O_CLOEXEC, 0);
        lookup = fd < 0 ? LOOKUP_STEPS : LOOKUP_OPENAT2;
    }
    if (fd >= 0)
        close(fd);
    return lookup;
}

static bool is_in_memory(int fd)
{
    struct statfs facts;

    return fstatfs(fd, &facts) == 0 && (facts.f_type == TMPFS_MAGIC || facts.f_type == RAMFS_MAGIC);
}

int bight__files_open_root(struct files_root *root, const char *path, bool no_links,
                           atomic_uint_least64_t *seen)
{
    struct stat facts;

    for (unsigned i = 0; i < FILES_SEEN; i++)
        atomic_init(&seen[i], 0);
    *root = (struct files_root){.no_links = no_links, .seen = seen};
    root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0)
        return -errno;
    if (fstat(root->fd, &facts) != 0) {
        int rc = -errno;

        bight__files_close_root(root);
        return rc;
    }
    root->device = facts.st_dev;
    root->in_memory = is_in_memory(root->fd);
    root->lookup = lookup_of(root);
    return 0;
}

void bight__files_close_root(struct files_root *root)
{
    close(root->fd);
    root->fd = -1;
}

/* Where openat2 is not to be had. The root itself is "." */
static int open_by_steps(const struct files_root *root, const char *path)
{
    char part[NAME_MAX + 1];
    int at = root->fd, next;

    for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
        size_t bytes = (size_t)(slash - path);

        if (bytes > NAME_MAX) {
            next = -ENAMETOOLONG;
        } else {
            memcpy(part, path, bytes);
            part[bytes] = '\0';
            next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            next = next < 0 ? -errno : next;
        }
        if (at != root->fd)
            close(at);
        if (next < 0)
            return next;
        at = next;
    }
    next = openat(at, path, OPEN_FLAGS | O_NOFOLLOW);
    next = next < 0 ? -errno : next;
    if (at != root->fd)
        close(at);
    return next;
}

static int open_waiting(const struct files_root *root, const char *path)
{
    int fd = -EAGAIN;

    if (root->lookup == LOOKUP_STEPS)
        return open_by_steps(root, path);
    for (int i = 0; fd == -EAGAIN && i < ATTEMPTS; i++)
        fd = open_by_kernel(root, path, OPEN_FLAGS, 0);
    return fd;
}

/* Of all the ways to say that there is nothing that could be served under this name: a link that
 * leads out, or in a circle, is EXDEV and ELOOP, a socket ENXIO. */
static int code_of(int error)
{
    switch (error) {
    case -ENOTDIR:
    case -ELOOP:
    case -EXDEV:
    case -ENAMETOOLONG:
    case -ENXIO:
    case -ENODEV:
    case -EINVAL:
    case -EILSEQ:
        return BIGHT_ENOENT;
    case -EPERM:
        return BIGHT_EACCES;
    default:
        return error;
    }
}

/* What is open as `fd`, or why nothing is. */
static int fill(struct open_file *file, const struct files_root *root, int fd)
{
    struct stat facts;

    file->fd = -1;
    if (fd < 0)
        return code_of(fd);
    if (fstat(fd, &facts) != 0) {
        int rc = -errno;

        close(fd);
        return rc;
    }
    *file = (struct open_file){
        .fd = fd,
        .is_regular = S_ISREG(facts.st_mode),
        .is_directory = S_ISDIR(facts.st_mode),
        .in_memory = root->in_memory && facts.st_dev == root->device,
        .seen = root->seen,
        .inode = facts.st_ino,
        .bytes = facts.st_size,
        .modified_s = facts.st_mtim.tv_sec,
        .modified_ns = (uint32_t)facts.st_mtim.tv_nsec,
    };
    return 0;
}

void bight__file_close(struct open_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* What a thread of libuv's does for a task, which waits on its stack. */
struct errand {
    struct bight_uv_req req;
    union {
        struct {
            struct open_file *file;
            const struct files_root *root;
            const char *path;
            int rc;
        } open;
        struct {
            int fd;
            int64_t offset;
            int64_t bytes;
        } load;
    } u;
};

static struct errand *errand_of(uv_work_t *work)
{
    struct bight_uv_req *req = (struct bight_uv_req *)(void *)work;

    return bight_container_of(req, struct errand, req);
}

static int run(struct errand *errand, void (*work)(uv_work_t *work))
{
    int rc = bight_uv_req_init(&errand->req);

    if (rc)
        return rc;
    rc = uv_queue_work(bight_uv_loop(), &errand->req.u.work, work, bight_uv_on_work);
    return rc ? rc : (int)bight_uv_await(&errand->req);
}

static void open_in_thread(uv_work_t *work)
{
    struct errand *errand = errand_of(work);
    int fd = open_waiting(errand->u.open.root, errand->u.open.path);

    errand->u.open.rc = fill(errand->u.open.file, errand->u.open.root, fd);
}

static __attribute__((noinline)) int open_by_thread(struct open_file *file,
                                                    const struct files_root *root, const char *path)
{
    struct errand errand;
    int rc;

    file->fd = -1;
    errand.u.open.file = file;
    errand.u.open.root = root;
    errand.u.open.path = path;
    rc = run(&errand, open_in_thread);
    return rc ? rc : errand.u.open.rc; /* a failed wait means that the thread has not begun */
}

int bight__file_open(struct open_file *file, const struct files_root *root, const char *path)
{
    int fd;

    if (root->lookup == LOOKUP_CACHED) {
        fd = open_by_kernel(root, path, OPEN_FLAGS, RESOLVE_CACHED);
        if (fd != -EAGAIN)
            return fill(file, root, fd);
    }
    return open_by_thread(file, root, path);
}

/* Not waiting is asked of the kernel only where there is a disk: file systems in memory do not know
 * the flag. */
static int64_t read_now(const struct open_file *file, void *buffer, size_t bytes, int64_t offset)
{
    struct iovec piece = {buffer, bytes};

    return preadv2(file->fd, &piece, 1, offset, file->in_memory ? 0 : RWF_NOWAIT);
}

bool bight__file_try_read(const struct open_file *file, void *buffer, size_t bytes, int64_t offset)
{
    return read_now(file, buffer, bytes, offset) == (int64_t)bytes;
}

/* Have the kernel read it, and wait for that: a byte of each page is touched, since readahead alone
 * only begins. The kernel reads the piece behind it meanwhile. */
static void load_in_thread(uv_work_t *work)
{
    struct errand *errand = errand_of(work);
    int64_t at = errand->u.load.offset, end = at + errand->u.load.bytes;
    char byte;

    (void)!readahead(errand->u.load.fd, at, (size_t)(errand->u.load.bytes + FILES_PIECE));
    for (; at < end; at = at - at % PAGE_BYTES + PAGE_BYTES)
        if (pread(errand->u.load.fd, &byte, 1, at) != 1)
            return;
}

static __attribute__((noinline)) int load_by_thread(const struct open_file *file, int64_t offset,
                                                    int64_t bytes)
{
    struct errand errand;

    errand.u.load.fd = file->fd;
    errand.u.load.offset = offset;
    errand.u.load.bytes = bytes;
    return run(&errand, load_in_thread);
}

/* The kernel reads files in runs, from where somebody begins. So both ends of a piece tell of all
 * that is between them, but for pages that it dropped. mincore would need a mapping, and says the
 * truth to the file's owner only; so does cachestat, where there is one. */
static bool is_cached(const struct open_file *file, int64_t offset, int64_t bytes)
{
    char byte;

    return read_now(file, &byte, 1, offset + bytes - 1) >= 0 &&
           (bytes == 1 || read_now(file, &byte, 1, offset) >= 0);
}

int bight__file_load(const struct open_file *file, int64_t offset, int64_t bytes)
{
    uint64_t key, sight;
    atomic_uint_least64_t *place;
    int rc = 0;

    if (file->in_memory || bytes <= 0)
        return 0;
    key = splitmix_mix(file->inode + splitmix_mix((uint64_t)(offset ^ bytes)));
    sight = splitmix_mix(key + bight_now_ns() / SIGHT_NS);
    place = &file->seen[key % FILES_SEEN];
    if (atomic_load_explicit(place, memory_order_relaxed) == sight)
        return 0;
    if (!is_cached(file, offset, bytes))
        rc = load_by_thread(file, offset, bytes);
    if (rc == 0)
        atomic_store_explicit(place, sight, memory_order_relaxed);
    return rc;
}
