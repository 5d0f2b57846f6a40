/* Reads and writes of an open file. One step is one request of uv_fs, of at most STEP_BYTES, so
 * that a cancellation never waits for long. */
#include "runtime/file/file.h"

#define STEP_BYTES ((size_t)16 << 20)

/* From or to the position. */
#define HERE (-1)

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* libuv 1.44 does not ask again after EINTR. */
static int64_t read_step(const struct bight_file *file, char *buffer, size_t bytes, int64_t offset)
{
    struct file_call call;
    uv_buf_t part;
    int64_t count;

    do {
        size_t most = least(bytes, STEP_BYTES);
        int rc = bight__file_call_begin(&call, "read", &most);

        if (rc)
            return rc;
        part = (uv_buf_t){.base = buffer, .len = most};
        rc = uv_fs_read(call.loop, &call.fs, file->fd, &part, 1, offset, bight__file_on_fs);
        count = bight__file_call_wait(&call, rc);
        if (rc == 0)
            uv_fs_req_cleanup(&call.fs);
    } while (count == BIGHT_EINTR);
    return count;
}

static int64_t write_step(const struct bight_file *file, char *data, size_t bytes, int64_t offset)
{
    struct file_call call;
    uv_buf_t part;
    int64_t count;

    do {
        size_t most = least(bytes, STEP_BYTES);
        int rc = bight__file_call_begin(&call, "write", &most);

        if (rc)
            return rc;
        part = (uv_buf_t){.base = data, .len = most};
        rc = uv_fs_write(call.loop, &call.fs, file->fd, &part, 1, offset, bight__file_on_fs);
        count = bight__file_call_wait(&call, rc);
        if (rc == 0)
            uv_fs_req_cleanup(&call.fs);
    } while (count == BIGHT_EINTR);
    return count;
}

static int64_t read_some(struct bight_file *file, void *buffer, size_t bytes, int64_t offset)
{
    int64_t count = bight__file_enter(file);

    if (count)
        return count;
    count = bytes ? read_step(file, buffer, bytes, offset) : bight_checkpoint();
    file->last_moved = count > 0 ? (size_t)count : 0;
    bight__file_leave(file);
    return count;
}

int64_t bight_file_read(struct bight_file *file, void *buffer, size_t bytes)
{
    return file && (buffer || !bytes) ? read_some(file, buffer, bytes, HERE) : BIGHT_EINVAL;
}

int64_t bight_file_read_at(struct bight_file *file, void *buffer, size_t bytes, int64_t offset)
{
    if (!file || (!buffer && bytes) || offset < 0)
        return BIGHT_EINVAL;
    return read_some(file, buffer, bytes, offset);
}

/* Move all of it by `step`; a step that moves nothing ends it with `nothing`. */
static int move_all(struct bight_file *file, char *buffer, size_t bytes, int64_t offset,
                    int64_t (*step)(const struct bight_file *file, char *buffer, size_t bytes,
                                    int64_t offset),
                    int nothing)
{
    size_t done = 0;
    int rc = bight__file_enter(file);

    if (rc)
        return rc;
    if (!bytes)
        rc = bight_checkpoint();
    while (rc == 0 && done < bytes) {
        int64_t from = offset < 0 ? HERE : offset + (int64_t)done;
        int64_t count = step(file, buffer + done, bytes - done, from);

        if (count > 0)
            done += (size_t)count;
        else
            rc = count ? (int)count : nothing;
    }
    file->last_moved = done;
    bight__file_leave(file);
    return rc;
}

int bight_file_read_exactly(struct bight_file *file, void *buffer, size_t bytes)
{
    if (!file || (!buffer && bytes))
        return BIGHT_EINVAL;
    return move_all(file, buffer, bytes, HERE, read_step, BIGHT_EOF);
}

int bight_file_read_exactly_at(struct bight_file *file, void *buffer, size_t bytes, int64_t offset)
{
    if (!file || (!buffer && bytes) || offset < 0)
        return BIGHT_EINVAL;
    return move_all(file, buffer, bytes, offset, read_step, BIGHT_EOF);
}

/* uv_fs_write does not write to what it is given. */
static char *writable(const void *data)
{
    return (char *)(uintptr_t)data;
}

int bight_file_write(struct bight_file *file, const void *data, size_t bytes)
{
    if (!file || (!data && bytes))
        return BIGHT_EINVAL;
    return move_all(file, writable(data), bytes, HERE, write_step, BIGHT_EIO);
}

int bight_file_write_at(struct bight_file *file, const void *data, size_t bytes, int64_t offset)
{
    if (!file || (!data && bytes) || offset < 0)
        return BIGHT_EINVAL;
    return move_all(file, writable(data), bytes, offset, write_step, BIGHT_EIO);
}

size_t bight_file_last_moved(const struct bight_file *file)
{
    return file ? file->last_moved : 0;
}

int bight_file_sync(struct bight_file *file)
{
    struct file_call call;
    int rc = file ? bight__file_enter(file) : BIGHT_EINVAL;

    if (rc)
        return rc;
    rc = bight__file_call_begin(&call, "fsync", NULL);
    if (rc == 0)
        rc = bight__file_call_end(&call,
                                  uv_fs_fsync(call.loop, &call.fs, file->fd, bight__file_on_fs));
    bight__file_leave(file);
    return rc;
}

int bight_file_datasync(struct bight_file *file)
{
    struct file_call call;
    int rc = file ? bight__file_enter(file) : BIGHT_EINVAL;

    if (rc)
        return rc;
    rc = bight__file_call_begin(&call, "fdatasync", NULL);
    if (rc == 0)
        rc = bight__file_call_end(
            &call, uv_fs_fdatasync(call.loop, &call.fs, file->fd, bight__file_on_fs));
    bight__file_leave(file);
    return rc;
}

int bight_file_truncate(struct bight_file *file, int64_t bytes)
{
    struct file_call call;
    int rc = file && bytes >= 0 ? bight__file_enter(file) : BIGHT_EINVAL;

    if (rc)
        return rc;
    rc = bight__file_call_begin(&call, "ftruncate", NULL);
    if (rc == 0)
        rc = bight__file_call_end(
            &call, uv_fs_ftruncate(call.loop, &call.fs, file->fd, bytes, bight__file_on_fs));
    bight__file_leave(file);
    return rc;
}
