/* The life of an open file. A call is inside from bight__file_enter to bight__file_leave; the end
 * waits until nobody is, closes on a thread, and frees. */
#include "runtime/file/file.h"

#include <string.h>
#include <unistd.h>

/* A record that is to have a descriptor: so that nothing can fail once there is one. */
static int record_new(struct bight_file **out)
{
    struct bight_file *file;
    struct files *files;
    int rc = bight__files_get(&files);

    if (rc)
        return rc;
    file = bight__alloc_zero(bight__files_seams(files), sizeof(*file));
    if (!file)
        return BIGHT_ENOMEM;
    file->files = files;
    *out = file;
    return 0;
}

static int begin(struct bight_file **out)
{
    int rc = bight_checkpoint();

    return rc ? rc : record_new(out);
}

static int give(struct bight_file **out, struct bight_file *file, int fd)
{
    if (fd < 0) {
        bight__free(file);
        return fd;
    }
    file->fd = fd;
    link_append(&file->files->open, &file->link);
    bight__opened_note(file->files->runtime, file);
    *out = file;
    return 0;
}

void bight__file_delist(struct bight_file *file)
{
    link_cut(&file->link);
    bight__opened_forget(file->files->runtime, file);
}

int bight_file_open(struct bight_file **out, const char *path, int flags, uint32_t mode)
{
    struct file_call call;
    struct bight_file *file;
    int rc;

    if (!out || !path)
        return BIGHT_EINVAL;
    rc = begin(&file);
    if (rc)
        return rc;
    rc = bight__file_call_begin(&call, "open", NULL);
    if (rc)
        return give(out, file, rc);
    rc = uv_fs_open(call.loop, &call.fs, path, flags, (int)mode, bight__file_on_fs);
    int64_t fd = bight__file_call_wait(&call, rc);
    if (rc == 0)
        uv_fs_req_cleanup(&call.fs);
    return give(out, file, (int)fd);
}

int bight_file_mkstemp(struct bight_file **out, char *path)
{
    struct file_call call;
    struct bight_file *file;
    int rc;

    if (!out || !path)
        return BIGHT_EINVAL;
    rc = begin(&file);
    if (rc)
        return rc;
    rc = bight__file_call_begin(&call, "open", NULL);
    if (rc)
        return give(out, file, rc);
    rc = uv_fs_mkstemp(call.loop, &call.fs, path, bight__file_on_fs);
    int64_t fd = bight__file_call_wait(&call, rc);
    if (fd >= 0)
        memcpy(path, call.fs.path, strlen(path));
    if (rc == 0)
        uv_fs_req_cleanup(&call.fs);
    return give(out, file, (int)fd);
}

int bight_file_from_fd(struct bight_file **out, int fd)
{
    struct bight_file *file;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    if (fd < 0)
        return BIGHT_EBADF;
    rc = record_new(&file);
    return rc ? rc : give(out, file, fd);
}

int bight_file_fd(const struct bight_file *file)
{
    return file ? file->fd : BIGHT_EINVAL;
}

int bight__file_enter(struct bight_file *file)
{
    const struct bight_sched *sched = bight__sched;

    if (!sched || !sched->current)
        return BIGHT_ENOTASK;
    if (&file->files->runtime->sched != sched)
        return BIGHT_EPERM;
    if (file->ending) {
        int rc = bight_checkpoint();

        return rc ? rc : BIGHT_ECLOSED;
    }
    file->inside++;
    return 0;
}

void bight__file_leave(struct bight_file *file)
{
    struct bight_waiter *ender = file->ender;

    if (--file->inside || !ender)
        return;
    file->ender = NULL;
    bight_unpark(ender, 0);
}

int bight__file_fd_close(int fd)
{
    struct file_call call;
    int rc = bight__file_call_insist(&call, "close");

    if (rc) { /* a test's doing */
        close(fd);
        return rc;
    }
    return bight__file_call_end(&call, uv_fs_close(call.loop, &call.fs, fd, bight__file_on_fs));
}

/* Those inside leave when their threads are done. */
static const struct bight_waiter_ops leave_ops = {
    .name = "file end",
    .flags = BIGHT_WAITER_OUTSIDE,
};

int bight_file_end(struct bight_file *file)
{
    struct bight_waiter waiter;
    int rc, fd;

    if (!file)
        return 0;
    if (!bight__sched || !bight__sched->current)
        return BIGHT_ENOTASK;
    if (&file->files->runtime->sched != bight__sched)
        return BIGHT_EPERM;
    if (file->ending)
        return BIGHT_EALREADY;
    file->ending = true;
    if (file->inside) {
        rc = bight_waiter_init(&waiter, &leave_ops);
        if (rc)
            return rc; /* does not happen: there is a task */
        file->ender = &waiter;
        rc = bight_park(&waiter);
        (void)rc; /* it cannot be cancelled */
    }
    fd = file->fd;
    bight__file_delist(file);
    bight__free(file);
    return bight__file_fd_close(fd);
}
