/* A walk, step by step, without recursion. A directory is read to its end, and its entries come as
 * they are read; those of them that are directories are kept by name and entered afterwards, one
 * after the other, from the open directory that they are in: so no path gets too long for the
 * system, and none can lead elsewhere meanwhile. */
#include "runtime/file/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ORDER_AFTER (BIGHT_DIRECTORY_AFTER | BIGHT_DIRECTORY_BOTH)

int bight__walk_init(struct walk *walk, const char *path)
{
    size_t bytes = strlen(path), end = bytes;

    if (!bytes || bytes > WALK_PATH_MOST)
        return bytes ? -ENAMETOOLONG : BIGHT_ENOENT;
    if (!bight__walk_join(walk, path, bytes))
        return BIGHT_ENOMEM;
    while (end > 1 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    walk->root_name = end == bytes ? 0 : end; /* "/" is its own name */
    return 0;
}

void bight__walk_fini(struct walk *walk)
{
    for (size_t i = 0; i < walk->depth; i++) {
        bight__walk_drop_pending(&walk->levels[i]);
        if (walk->levels[i].fd >= 0)
            close(walk->levels[i].fd);
    }
    bight__free(walk->levels);
    bight__free(walk->path);
}

static void fail(struct walk *walk, int rc)
{
    walk->rc = rc;
    walk->over = true;
}

/* There are never more than two entries in one step. */
static bool has_room(const struct walk *walk)
{
    size_t path = walk->depth ? bight__walk_top(walk)->path_bytes : WALK_PATH_MOST;
    size_t one = sizeof(struct bight_directory_entry) + path + WALK_NAME_MOST + 2 + 8;

    return WALK_BATCH_BYTES - walk->batch_end >= 2 * one;
}

/* What is at walk->path, of `path_bytes`, whose last part begins at `name`. */
struct found {
    size_t path_bytes;
    size_t name;
    size_t depth;
    struct bight_file_info info;
};

static void emit(struct walk *walk, const struct found *found, int error, bool after)
{
    struct bight_directory_entry *entry = (void *)(walk->batch + walk->batch_end);
    char *path = (char *)(entry + 1);
    size_t bytes = sizeof(*entry) + found->path_bytes + 1;

    memcpy(path, walk->path, found->path_bytes);
    path[found->path_bytes] = '\0';
    *entry = (struct bight_directory_entry){
        .path = path,
        .name = path + found->name,
        .path_bytes = found->path_bytes,
        .depth = found->depth,
        .type = found->info.type,
        .error = error,
        .after = after,
    };
    if (!error && !(walk->options.flags & BIGHT_DIRECTORY_NAMES))
        entry->info = found->info;
    walk->batch_end += (bytes + 7) & ~(size_t)7;
}

/* Level number `depth` - 1, where that is the innermost. */
static void found_top(const struct walk *walk, struct found *found)
{
    size_t length = bight__walk_top(walk)->path_bytes, name = length;

    found->path_bytes = length;
    found->depth = walk->depth - 1;
    found->info = (struct bight_file_info){.type = BIGHT_FILE_DIRECTORY};
    while (name > 0 && walk->path[name - 1] != '/')
        name--;
    found->name = walk->depth == 1 ? walk->root_name : name;
}

static bool wants_after(const struct walk *walk)
{
    return walk->options.flags & ORDER_AFTER;
}

/* The innermost is done, or could not be gone through because of `error`. */
static void emit_top(struct walk *walk, int error)
{
    struct found found;
    int fd = bight__walk_top(walk)->fd;

    found_top(walk, &found);
    if (!error && fd >= 0 && !(walk->options.flags & BIGHT_DIRECTORY_NAMES)) {
        error = bight__walk_look(walk, fd, "", false, &found.info);
        found.info.type = BIGHT_FILE_DIRECTORY;
    }
    emit(walk, &found, error, wants_after(walk) && !bight__walk_top(walk)->reading);
}

static void leave(struct walk *walk)
{
    int rc;

    if (wants_after(walk) && !(walk->scan && walk->depth == 1))
        emit_top(walk, 0);
    rc = bight__walk_pop(walk);
    if (rc == 0)
        return;
    if (bight__walk_top(walk)->first)
        emit_top(walk, rc);
    bight__walk_drop_pending(bight__walk_top(walk));
}

static bool has_gone(int rc)
{
    return rc == -ENOENT || rc == -ENOTDIR;
}

/* Enter the directory `name` of `fd`, whose path is there already. */
static int enter(struct walk *walk, int fd, const char *name, size_t path_bytes)
{
    bool follow = walk->options.flags & BIGHT_DIRECTORY_FOLLOW || (walk->scan && !walk->depth);
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
    int inner;

    if (path_bytes > WALK_PATH_MOST)
        return -ENAMETOOLONG;
    inner = bight__call_fails(walk->seams, "open") ? -1 : openat(fd, name, flags);
    return inner < 0 ? -errno : bight__walk_push(walk, inner, path_bytes);
}

static void enter_pending(struct walk *walk)
{
    struct walk_level *level = bight__walk_top(walk);
    struct walk_pending *pending = level->first;
    struct found found = {.depth = walk->depth, .info.type = BIGHT_FILE_DIRECTORY};
    int rc;

    level->first = pending->next;
    found.path_bytes = bight__walk_join(walk, pending->name, pending->name_bytes);
    found.name = found.path_bytes - pending->name_bytes;
    if (found.path_bytes) {
        rc = enter(walk, level->fd, pending->name, found.path_bytes);
        if (rc == BIGHT_ENOMEM)
            fail(walk, rc);
        else if (rc && !has_gone(rc))
            emit(walk, &found, rc, wants_after(walk));
        else if (rc && wants_after(walk))
            emit(walk, &found, 0, true);
    } else {
        fail(walk, BIGHT_ENOMEM);
    }
    bight__free(pending);
}

static int keep(struct walk *walk, const char *name, size_t name_bytes)
{
    struct walk_level *level = bight__walk_top(walk);
    struct walk_pending *pending = bight__alloc(walk->seams, sizeof(*pending) + name_bytes + 1);

    if (!pending)
        return BIGHT_ENOMEM;
    pending->next = NULL;
    pending->name_bytes = name_bytes;
    memcpy(pending->name, name, name_bytes);
    pending->name[name_bytes] = '\0';
    if (level->first)
        level->last->next = pending;
    else
        level->first = pending;
    level->last = pending;
    return 0;
}

/* Whether the caller wants to see what is in it. */
static bool is_wanted(const struct walk *walk, const struct found *found)
{
    const struct bight_directory_options *options = &walk->options;
    struct bight_directory_entry entry;

    if (walk->scan || (options->depth_most && found->depth >= options->depth_most))
        return false;
    if (!options->enters)
        return true;
    entry = (struct bight_directory_entry){
        .path = walk->path,
        .name = walk->path + found->name,
        .path_bytes = found->path_bytes,
        .depth = found->depth,
        .type = found->info.type,
    };
    if (!(options->flags & BIGHT_DIRECTORY_NAMES))
        entry.info = found->info;
    return options->enters(options->arg, &entry);
}

/* Have it come. Gives whether it is to be entered. */
static bool tell(struct walk *walk, const struct found *found)
{
    bool directory = found->info.type == BIGHT_FILE_DIRECTORY;
    bool enters = directory && is_wanted(walk, found);

    if (!directory || !(walk->options.flags & BIGHT_DIRECTORY_AFTER))
        emit(walk, found, 0, false);
    if (directory && !enters && wants_after(walk))
        emit(walk, found, 0, true);
    return enters;
}

/* What is at walk->path; where a symbolic link leads nowhere, the link. */
static int look(const struct walk *walk, int fd, const char *name, struct bight_file_info *info)
{
    bool follow = walk->options.flags & BIGHT_DIRECTORY_FOLLOW;
    int rc = bight__walk_look(walk, fd, name, follow, info);

    if (follow && rc == BIGHT_ENOENT)
        rc = bight__walk_look(walk, fd, name, false, info);
    return rc;
}

static enum bight_file_type type_of(unsigned char type)
{
    return bight__file_type_of((uint64_t)DTTOIF(type));
}

static void entry_read(struct walk *walk, const struct dirent64 *dirent)
{
    size_t name_bytes = strlen(dirent->d_name);
    struct found found = {
        .path_bytes = bight__walk_join(walk, dirent->d_name, name_bytes),
        .depth = walk->depth,
        .info.type = type_of(dirent->d_type),
    };
    bool unclear =
        found.info.type == BIGHT_FILE_UNKNOWN ||
        (found.info.type == BIGHT_FILE_SYMLINK && walk->options.flags & BIGHT_DIRECTORY_FOLLOW);
    int rc = 0;

    if (!found.path_bytes) {
        fail(walk, BIGHT_ENOMEM);
        return;
    }
    found.name = found.path_bytes - name_bytes;
    if (unclear || !(walk->options.flags & BIGHT_DIRECTORY_NAMES))
        rc = look(walk, bight__walk_top(walk)->fd, dirent->d_name, &found.info);
    if (rc == BIGHT_ENOENT)
        return; /* it is gone again */
    if (rc)
        emit(walk, &found, rc, false);
    else if (tell(walk, &found) && (rc = keep(walk, dirent->d_name, name_bytes)))
        fail(walk, rc);
}

/* More names of the innermost, if there are any. */
static void read_more(struct walk *walk)
{
    struct walk_level *level = bight__walk_top(walk);
    ssize_t count = bight__call_fails(walk->seams, "getdents64")
                        ? -1
                        : getdents64(level->fd, walk->dirents, sizeof(walk->dirents));
    int rc = count < 0 ? -errno : 0;

    walk->dirents_begin = 0;
    walk->dirents_end = count > 0 ? (size_t)count : 0;
    if (count > 0)
        return;
    if (rc && !has_gone(rc))
        emit_top(walk, rc);
    level->reading = false;
}

static void read_next(struct walk *walk)
{
    const struct dirent64 *dirent = (void *)(walk->dirents + walk->dirents_begin);

    if (walk->dirents_begin == walk->dirents_end) {
        read_more(walk);
        return;
    }
    walk->dirents_begin += dirent->d_reclen;
    if (strcmp(dirent->d_name, ".") != 0 && strcmp(dirent->d_name, "..") != 0)
        entry_read(walk, dirent);
}

static void begin(struct walk *walk)
{
    struct found found = {.path_bytes = strlen(walk->path), .name = walk->root_name};
    int rc = 0;

    walk->begun = true;
    if (!walk->scan) {
        rc = look(walk, AT_FDCWD, walk->path, &found.info);
        if (rc || !tell(walk, &found)) {
            fail(walk, rc);
            return;
        }
    }
    rc = enter(walk, AT_FDCWD, walk->path, found.path_bytes);
    if (rc && !walk->scan && rc != BIGHT_ENOMEM) {
        emit(walk, &found, rc, wants_after(walk));
        rc = 0;
    }
    if (rc || !walk->depth)
        fail(walk, rc);
}

static void step(struct walk *walk)
{
    if (!walk->begun)
        begin(walk);
    else if (!walk->depth)
        walk->over = true;
    else if (bight__walk_top(walk)->reading)
        read_next(walk);
    else if (bight__walk_top(walk)->first)
        enter_pending(walk);
    else
        leave(walk);
}

void bight__walk_fill(struct walk *walk, const atomic_bool *stop)
{
    walk->batch_begin = walk->batch_end = 0;
    while (!walk->over && has_room(walk) && !atomic_load_explicit(stop, memory_order_relaxed))
        step(walk);
}
