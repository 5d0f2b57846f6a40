/* What is done to a file by its path: one request of uv_fs each, or a turn of our own where
 * that has a fault. */
#include "runtime/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert((int)BIGHT_FILE_COPY_NEW == UV_FS_COPYFILE_EXCL &&
                   (int)BIGHT_FILE_COPY_REFLINK == UV_FS_COPYFILE_FICLONE &&
                   (int)BIGHT_FILE_COPY_REFLINK_ONLY == UV_FS_COPYFILE_FICLONE_FORCE,
               "the flags are libuv's");

int bight_file_access(const char *path, int what)
{
    struct file_call call;
    int rc = path ? bight__file_call_begin(&call, "access", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(
                    &call, uv_fs_access(call.loop, &call.fs, path, what, bight__file_on_fs));
}

int bight_file_rename(const char *from, const char *to)
{
    struct file_call call;
    int rc = from && to ? bight__file_call_begin(&call, "rename", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(
                    &call, uv_fs_rename(call.loop, &call.fs, from, to, bight__file_on_fs));
}

int bight_file_link(const char *from, const char *to)
{
    struct file_call call;
    int rc = from && to ? bight__file_call_begin(&call, "link", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(&call,
                                     uv_fs_link(call.loop, &call.fs, from, to, bight__file_on_fs));
}

int bight_file_symlink(const char *target, const char *path)
{
    struct file_call call;
    int rc = target && path ? bight__file_call_begin(&call, "symlink", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(
                    &call, uv_fs_symlink(call.loop, &call.fs, target, path, 0, bight__file_on_fs));
}

int bight_file_unlink(const char *path)
{
    struct file_call call;
    int rc = path ? bight__file_call_begin(&call, "unlink", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(&call,
                                     uv_fs_unlink(call.loop, &call.fs, path, bight__file_on_fs));
}

int bight_file_chmod(const char *path, uint32_t mode)
{
    struct file_call call;
    int rc = path ? bight__file_call_begin(&call, "chmod", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(
                    &call, uv_fs_chmod(call.loop, &call.fs, path, (int)mode, bight__file_on_fs));
}

int bight_file_chown(const char *path, uint32_t uid, uint32_t gid)
{
    struct file_call call;
    int rc = path ? bight__file_call_begin(&call, "chown", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(
                    &call, uv_fs_chown(call.loop, &call.fs, path, uid, gid, bight__file_on_fs));
}

int bight_file_copy(const char *from, const char *to, unsigned flags)
{
    struct file_call call;
    int rc = from && to ? bight__file_call_begin(&call, "copy", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(&call, uv_fs_copyfile(call.loop, &call.fs, from, to,
                                                           (int)flags, bight__file_on_fs));
}

int64_t bight_file_readlink(const char *path, char *target, size_t target_bytes)
{
    struct file_call call;
    int rc = path && target ? bight__file_call_begin(&call, "readlink", NULL) : BIGHT_EINVAL;
    int64_t result;

    if (rc)
        return rc;
    rc = uv_fs_readlink(call.loop, &call.fs, path, bight__file_on_fs);
    result = bight__file_call_wait(&call, rc);
    if (result == 0) {
        size_t length = strlen(call.fs.ptr);

        result = length < target_bytes ? (int64_t)length : BIGHT_ETOOBIG;
        if (result >= 0)
            memcpy(target, call.fs.ptr, length + 1);
    }
    if (rc == 0)
        uv_fs_req_cleanup(&call.fs);
    return result;
}

/* Turns of our own */

struct path_turn {
    struct file_turn turn;
    const char *path;
    char *real;
    struct timespec times[2];
    int rc;
};

/* uv_fs_realpath gives what libc has allocated, and frees it as its own: not where a program has
 * given libuv another allocator. */
static void find_real(struct file_turn *turn)
{
    struct path_turn *at = container_of(turn, struct path_turn, turn);

    at->rc = realpath(at->path, at->real) ? 0 : -errno;
}

int64_t bight_file_realpath(const char *path, char *real, size_t real_bytes)
{
    struct path_turn at = {.path = path};
    struct files *files;
    int rc = path && real ? bight_checkpoint() : BIGHT_EINVAL;
    size_t length;

    if (rc == 0)
        rc = bight__files_get(&files);
    if (rc)
        return rc;
    if (bight__call_fails(bight__files_seams(files), "realpath"))
        return -errno;
    at.real = bight__alloc(bight__files_seams(files), PATH_MAX);
    if (!at.real)
        return BIGHT_ENOMEM;
    rc = bight__file_turn(&at.turn, files, find_real);
    rc = rc ? rc : at.rc;
    length = rc ? 0 : strlen(at.real);
    if (rc == 0 && length >= real_bytes)
        rc = BIGHT_ETOOBIG;
    if (rc == 0)
        memcpy(real, at.real, length + 1);
    bight__free(at.real);
    return rc ? rc : (int64_t)length;
}

static struct timespec time_of(int64_t ns)
{
    int64_t s = ns / 1000000000, rest = ns % 1000000000;

    if (rest < 0) {
        rest += 1000000000;
        s--;
    }
    return (struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)rest};
}

static void set_times(struct file_turn *turn)
{
    struct path_turn *at = container_of(turn, struct path_turn, turn);

    at->rc = utimensat(AT_FDCWD, at->path, at->times, 0) ? -errno : 0;
}

int bight_file_utime(const char *path, int64_t accessed_ns, int64_t modified_ns)
{
    struct path_turn at = {
        .path = path,
        .times = {time_of(accessed_ns), time_of(modified_ns)},
    };
    struct files *files;
    int rc = path ? bight_checkpoint() : BIGHT_EINVAL;

    if (rc == 0)
        rc = bight__files_get(&files);
    if (rc)
        return rc;
    if (bight__call_fails(bight__files_seams(files), "utimensat"))
        return -errno;
    rc = bight__file_turn(&at.turn, files, set_times);
    return rc ? rc : at.rc;
}
