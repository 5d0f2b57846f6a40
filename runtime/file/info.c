/* What the system knows of files and file systems, from libuv's words into ours. */
#include "runtime/file/file.h"

#include <sys/stat.h>

enum bight_file_type bight__file_type_of(uint64_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return BIGHT_FILE_REGULAR;
    case S_IFDIR:
        return BIGHT_FILE_DIRECTORY;
    case S_IFLNK:
        return BIGHT_FILE_SYMLINK;
    case S_IFIFO:
        return BIGHT_FILE_FIFO;
    case S_IFSOCK:
        return BIGHT_FILE_SOCKET;
    case S_IFCHR:
        return BIGHT_FILE_CHARACTER;
    case S_IFBLK:
        return BIGHT_FILE_BLOCK;
    default:
        return BIGHT_FILE_UNKNOWN;
    }
}

static int64_t ns_of(uv_timespec_t time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void bight__file_info_fill(struct bight_file_info *info, const uv_stat_t *from)
{
    *info = (struct bight_file_info){
        .type = bight__file_type_of(from->st_mode),
        .mode = (uint32_t)(from->st_mode & 07777),
        .uid = (uint32_t)from->st_uid,
        .gid = (uint32_t)from->st_gid,
        .bytes = from->st_size,
        .allocated_bytes = from->st_blocks * 512,
        .links = from->st_nlink,
        .device = from->st_dev,
        .inode = from->st_ino,
        .special_device = from->st_rdev,
        .accessed_ns = ns_of(from->st_atim),
        .modified_ns = ns_of(from->st_mtim),
        .changed_ns = ns_of(from->st_ctim),
        .born_ns = ns_of(from->st_birthtim),
    };
}

/* The end of each of the three. */
static int told(struct file_call *call, int rc, struct bight_file_info *info)
{
    int64_t result = bight__file_call_wait(call, rc);

    if (result == 0)
        bight__file_info_fill(info, &call->fs.statbuf);
    if (rc == 0)
        uv_fs_req_cleanup(&call->fs);
    return (int)result;
}

int bight_file_fstat(struct bight_file *file, struct bight_file_info *info)
{
    struct file_call call;
    int rc = file && info ? bight__file_enter(file) : BIGHT_EINVAL;

    if (rc)
        return rc;
    rc = bight__file_call_begin(&call, "fstat", NULL);
    if (rc == 0)
        rc = told(&call, uv_fs_fstat(call.loop, &call.fs, file->fd, bight__file_on_fs), info);
    bight__file_leave(file);
    return rc;
}

int bight_file_stat(const char *path, struct bight_file_info *info)
{
    struct file_call call;
    int rc = path && info ? bight__file_call_begin(&call, "stat", NULL) : BIGHT_EINVAL;

    return rc ? rc : told(&call, uv_fs_stat(call.loop, &call.fs, path, bight__file_on_fs), info);
}

int bight_file_lstat(const char *path, struct bight_file_info *info)
{
    struct file_call call;
    int rc = path && info ? bight__file_call_begin(&call, "lstat", NULL) : BIGHT_EINVAL;

    return rc ? rc : told(&call, uv_fs_lstat(call.loop, &call.fs, path, bight__file_on_fs), info);
}

int bight_file_statfs(const char *path, struct bight_file_system *system)
{
    struct file_call call;
    int rc = path && system ? bight__file_call_begin(&call, "statfs", NULL) : BIGHT_EINVAL;

    if (rc)
        return rc;
    rc = uv_fs_statfs(call.loop, &call.fs, path, bight__file_on_fs);
    int64_t result = bight__file_call_wait(&call, rc);
    if (result == 0) {
        const uv_statfs_t *from = call.fs.ptr;

        *system = (struct bight_file_system){
            .type = from->f_type,
            .bytes = from->f_blocks * from->f_bsize,
            .free_bytes = from->f_bfree * from->f_bsize,
            .available_bytes = from->f_bavail * from->f_bsize,
            .files = from->f_files,
            .free_files = from->f_ffree,
        };
    }
    if (rc == 0)
        uv_fs_req_cleanup(&call.fs);
    return (int)result;
}
