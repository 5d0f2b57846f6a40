/* Directories that are made, removed and synced: requests of uv_fs. */
#include <bight/directory.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/file/file.h"

int bight_directory_make(const char *path, uint32_t mode)
{
    struct file_call call;
    int rc = path ? bight__file_call_begin(&call, "mkdir", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(
                    &call, uv_fs_mkdir(call.loop, &call.fs, path, (int)mode, bight__file_on_fs));
}

/* One that is there already is as good. */
static int make_or_find(const char *path, uint32_t mode)
{
    struct bight_file_info info;
    int rc = bight_directory_make(path, mode), found;

    if (rc != BIGHT_EEXIST)
        return rc;
    found = bight_file_stat(path, &info);
    if (found)
        return found;
    return info.type == BIGHT_FILE_DIRECTORY ? 0 : BIGHT_EEXIST;
}

/* Of `path` each part in turn, from the outermost on. */
static int make_each(char *path, uint32_t mode)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        int rc;

        if (slash[-1] == '/')
            continue;
        *slash = '\0';
        rc = make_or_find(path, mode);
        *slash = '/';
        if (rc)
            return rc;
    }
    return make_or_find(path, mode);
}

int bight_directory_make_all(const char *path, uint32_t mode)
{
    struct files *files;
    size_t bytes;
    char *copy;
    int rc = path ? make_or_find(path, mode) : BIGHT_EINVAL;

    if (rc != BIGHT_ENOENT || !*path)
        return rc; /* in most cases only the last part is missing, or none */
    rc = bight__files_get(&files);
    if (rc)
        return rc;
    bytes = strlen(path) + 1;
    copy = bight__alloc(bight__files_seams(files), bytes);
    if (!copy)
        return BIGHT_ENOMEM;
    memcpy(copy, path, bytes);
    rc = make_each(copy, mode);
    bight__free(copy);
    return rc;
}

int bight_directory_mkdtemp(char *path)
{
    struct file_call call;
    int64_t result;
    int rc = path ? bight__file_call_begin(&call, "mkdir", NULL) : BIGHT_EINVAL;

    if (rc)
        return rc;
    rc = uv_fs_mkdtemp(call.loop, &call.fs, path, bight__file_on_fs);
    result = bight__file_call_wait(&call, rc);
    if (result == 0)
        memcpy(path, call.fs.path, strlen(path));
    if (rc == 0)
        uv_fs_req_cleanup(&call.fs);
    return (int)result;
}

int bight_directory_remove(const char *path)
{
    struct file_call call;
    int rc = path ? bight__file_call_begin(&call, "rmdir", NULL) : BIGHT_EINVAL;

    return rc ? rc
              : bight__file_call_end(&call,
                                     uv_fs_rmdir(call.loop, &call.fs, path, bight__file_on_fs));
}

int bight_directory_sync(const char *path)
{
    struct bight_file *file;
    int rc = path ? bight_file_open(&file, path, O_RDONLY | O_DIRECTORY, 0) : BIGHT_EINVAL;
    int ended;

    if (rc)
        return rc;
    rc = bight_file_sync(file);
    ended = bight_file_end(file);
    return rc ? rc : ended;
}

int bight__directory_sync_insist(const char *path)
{
    struct file_call call;
    int rc = bight__file_call_insist(&call, "open"), closed;
    int64_t fd;

    if (rc)
        return rc;
    rc = uv_fs_open(call.loop, &call.fs, path, O_RDONLY | O_DIRECTORY, 0, bight__file_on_fs);
    fd = bight__file_call_wait(&call, rc);
    if (rc == 0)
        uv_fs_req_cleanup(&call.fs);
    if (fd < 0)
        return (int)fd;
    rc = bight__file_call_insist(&call, "fsync");
    if (rc == 0)
        rc = bight__file_call_end(&call,
                                  uv_fs_fsync(call.loop, &call.fs, (uv_file)fd, bight__file_on_fs));
    closed = bight__file_fd_close((int)fd);
    return rc ? rc : closed;
}
