/* The atomic replace. The order of its system calls is what it is about: the content is on the disk
 * before it gets the name, and the name before the call returns. test_file_whole.c insists on
 * it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/file/door.h"
#include "runtime/file/file.h"

#define SUFFIX ".XXXXXX"

static int set_owner(const struct bight_file *file, const struct bight_file_info *old)
{
    struct file_call call;
    int rc = bight__file_call_begin(&call, "fchown", NULL);

    return rc ? rc
              : bight__file_call_end(&call, uv_fs_fchown(call.loop, &call.fs, file->fd, old->uid,
                                                         old->gid, bight__file_on_fs));
}

static int set_mode(const struct bight_file *file, uint32_t mode)
{
    struct file_call call;
    int rc = bight__file_call_begin(&call, "fchmod", NULL);

    return rc ? rc
              : bight__file_call_end(&call, uv_fs_fchmod(call.loop, &call.fs, file->fd, (int)mode,
                                                         bight__file_on_fs));
}

/* The owner first: to set it takes some bits of the mode away. */
static int set_attributes(const struct bight_file *file, const char *path,
                          const struct bight_file_replace_options *options)
{
    struct bight_file_info old;
    uint32_t mode = options->mode ? options->mode : 0644;
    int rc = options->keep_mode || options->keep_owner ? bight_file_stat(path, &old) : BIGHT_ENOENT;

    if (rc == BIGHT_ENOENT)
        return set_mode(file, mode);
    if (rc == 0 && options->keep_owner)
        rc = set_owner(file, &old);
    return rc ? rc : set_mode(file, options->keep_mode ? old.mode : mode);
}

/* What writes the content. */
struct writer {
    int (*write)(void *arg, struct bight_file *file);
    void *arg;
};

static int fill(struct bight_file *file, const char *path, const struct writer *writer,
                const struct bight_file_replace_options *options)
{
    int rc = writer->write(writer->arg, file);

    rc = rc ? rc : set_attributes(file, path, options);
    return rc || options->no_sync ? rc : bight_file_sync(file);
}

/* It has no name of its own any more, whatever it takes. */
static void take_away(const char *path)
{
    struct file_call call;
    int rc = bight__file_call_insist(&call, "unlink");

    if (rc == 0)
        rc =
            bight__file_call_end(&call, uv_fs_unlink(call.loop, &call.fs, path, bight__file_on_fs));
    if (rc)
        (void)unlink(path); /* there was no memory for a request */
}

/* `other` is ".NAME.XXXXXX" beside `path`, of which `folder_bytes` are the directory's. */
static int replace(const char *path, char *other, size_t folder_bytes, const struct writer *writer,
                   const struct bight_file_replace_options *options)
{
    struct bight_file *file;
    int rc = bight_file_mkstemp(&file, other), ended;

    if (rc)
        return rc;
    rc = fill(file, path, writer, options);
    ended = bight_file_end(file);
    rc = rc ? rc : ended;
    rc = rc ? rc : bight_file_rename(other, path);
    if (rc) {
        take_away(other);
        return rc;
    }
    if (options->no_sync)
        return 0;
    other[folder_bytes] = '\0';
    return bight__directory_sync_insist(folder_bytes ? other : ".");
}

int bight__file_replace_by(const char *path, int (*write)(void *arg, struct bight_file *file),
                           void *arg, const struct bight_file_replace_options *options)
{
    const struct bight_file_replace_options defaults = {0};
    const struct writer writer = {write, arg};
    struct files *files;
    const char *name;
    size_t room;
    char *other;
    int rc = bight_checkpoint();

    if (rc == 0)
        rc = bight__files_get(&files);
    if (rc)
        return rc;
    name = strrchr(path, '/');
    name = name ? name + 1 : path;
    room = strlen(path) + sizeof("." SUFFIX);
    other = bight__alloc(bight__files_seams(files), room);
    if (!other)
        return BIGHT_ENOMEM;
    snprintf(other, room, "%.*s.%s" SUFFIX, (int)(name - path), path, name);
    rc = replace(path, other, (size_t)(name - path), &writer, options ? options : &defaults);
    bight__free(other);
    return rc;
}

struct content {
    const void *data;
    size_t bytes;
};

static int write_content(void *arg, struct bight_file *file)
{
    const struct content *content = arg;

    return bight_file_write(file, content->data, content->bytes);
}

int bight_file_replace(const char *path, const void *data, size_t bytes,
                       const struct bight_file_replace_options *options)
{
    struct content content = {data, bytes};

    if (!path || (!data && bytes))
        return BIGHT_EINVAL;
    return bight__file_replace_by(path, write_content, &content, options);
}
