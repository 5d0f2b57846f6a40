/* Whole files, read and written by the calls of <bight/file.h>. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/file/file.h"

/* For what does not say how much it has. */
#define FIRST_BYTES ((size_t)4096)

/* What has been read, with room for a NUL behind. */
struct content {
    char *data;
    size_t bytes;
    size_t room;
};

static int grow(struct content *content, const struct files *files, size_t room)
{
    char *data = bight__alloc(bight__files_seams(files), room);

    if (!data)
        return BIGHT_ENOMEM;
    if (content->bytes)
        memcpy(data, content->data, content->bytes);
    bight__free(content->data);
    content->data = data;
    content->room = room;
    return 0;
}

/* One byte more than is allowed is asked for, to see whether it is there. A regular file that gave
 * fewer than it was asked for is at its end. */
static int read_all(struct bight_file *file, struct content *content, bool regular, size_t most)
{
    for (;;) {
        size_t asked = content->room - content->bytes - 1;
        int64_t count;
        int rc;

        if (asked > most - content->bytes)
            asked = most - content->bytes + 1;
        count = bight_file_read(file, content->data + content->bytes, asked);
        if (count < 0)
            return (int)count;
        content->bytes += (size_t)count;
        if (content->bytes > most)
            return BIGHT_ETOOBIG;
        if (count == 0 || (regular && (size_t)count < asked))
            return 0;
        if (content->room - content->bytes < 2 &&
            (rc = grow(content, file->files, 2 * content->room)))
            return rc;
    }
}

static int load(struct bight_file *file, struct content *content, size_t most)
{
    struct bight_file_info info;
    size_t expected = FIRST_BYTES;
    int rc = bight_file_fstat(file, &info);
    bool regular = rc == 0 && info.type == BIGHT_FILE_REGULAR && info.bytes > 0;

    if (rc)
        return rc;
    if (regular && info.bytes > most)
        return BIGHT_ETOOBIG;
    if (regular)
        expected = (size_t)info.bytes;
    rc = grow(content, file->files, expected + 2);
    return rc ? rc : read_all(file, content, regular, most);
}

int bight_file_load(const char *path, void **data, size_t *bytes, size_t bytes_most)
{
    struct content content = {.data = NULL};
    struct bight_file *file;
    int rc, ended;

    if (!path || !data || !bytes)
        return BIGHT_EINVAL;
    if (bytes_most > SIZE_MAX / 4)
        bytes_most = SIZE_MAX / 4;
    rc = bight_file_open(&file, path, O_RDONLY, 0);
    if (rc)
        return rc;
    rc = load(file, &content, bytes_most);
    ended = bight_file_end(file);
    rc = rc ? rc : ended;
    if (rc) {
        bight__free(content.data);
        return rc;
    }
    content.data[content.bytes] = '\0';
    *data = content.data;
    *bytes = content.bytes;
    return 0;
}

int bight_file_save(const char *path, const void *data, size_t bytes, uint32_t mode)
{
    struct bight_file *file;
    int rc, ended;

    if (!path || (!data && bytes))
        return BIGHT_EINVAL;
    rc = bight_file_open(&file, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (rc)
        return rc;
    rc = bight_file_write(file, data, bytes);
    ended = bight_file_end(file);
    return rc ? rc : ended;
}
