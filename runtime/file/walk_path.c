/* The directories that a walk is inside of: their path, and which of them are open. Those far out
 * are closed. On the way back one is found again by "..", or else by its path, and is known by its
 * device and inode. */
#include "runtime/file/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int path_reserve(struct walk *walk, size_t bytes)
{
    size_t room = walk->path_room ? walk->path_room : 256;
    char *path;

    if (bytes <= walk->path_room)
        return 0;
    while (room < bytes)
        room *= 2;
    path = bight__alloc(walk->seams, room);
    if (!path)
        return BIGHT_ENOMEM;
    if (walk->path)
        memcpy(path, walk->path, walk->path_room);
    bight__free(walk->path);
    walk->path = path;
    walk->path_room = room;
    return 0;
}

size_t bight__walk_join(struct walk *walk, const char *name, size_t name_bytes)
{
    size_t length = walk->depth ? bight__walk_top(walk)->path_bytes : 0;

    if (path_reserve(walk, length + name_bytes + 2))
        return 0;
    if (length && walk->path[length - 1] != '/')
        walk->path[length++] = '/';
    memcpy(walk->path + length, name, name_bytes);
    walk->path[length + name_bytes] = '\0';
    return length + name_bytes;
}

static int64_t ns_of(struct statx_timestamp time)
{
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

int bight__walk_look(const struct walk *walk, int fd, const char *name, bool follow,
                     struct bight_file_info *info)
{
    int flags = AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (*name ? 0 : AT_EMPTY_PATH);
    struct statx is;

    if (bight__call_fails(walk->seams, "statx") ||
        statx(fd, name, flags, STATX_BASIC_STATS | STATX_BTIME, &is))
        return -errno;
    *info = (struct bight_file_info){
        .type = bight__file_type_of(is.stx_mode),
        .mode = is.stx_mode & 07777,
        .uid = is.stx_uid,
        .gid = is.stx_gid,
        .bytes = is.stx_size,
        .allocated_bytes = is.stx_blocks * 512,
        .links = is.stx_nlink,
        .device = makedev(is.stx_dev_major, is.stx_dev_minor),
        .inode = is.stx_ino,
        .special_device = makedev(is.stx_rdev_major, is.stx_rdev_minor),
        .accessed_ns = ns_of(is.stx_atime),
        .modified_ns = ns_of(is.stx_mtime),
        .changed_ns = ns_of(is.stx_ctime),
        .born_ns = is.stx_mask & STATX_BTIME ? ns_of(is.stx_btime) : 0,
    };
    return 0;
}

static int identify(const struct walk *walk, struct walk_level *level)
{
    struct bight_file_info info;
    int rc = level->identified ? 0 : bight__walk_look(walk, level->fd, "", false, &info);

    if (rc || level->identified)
        return rc;
    level->device = info.device;
    level->inode = info.inode;
    level->identified = true;
    return 0;
}

static int levels_reserve(struct walk *walk)
{
    size_t room = walk->levels_room ? 2 * walk->levels_room : 16;
    struct walk_level *levels;

    if (walk->depth < walk->levels_room)
        return 0;
    levels = bight__alloc(walk->seams, room * sizeof(*levels));
    if (!levels)
        return BIGHT_ENOMEM;
    if (walk->levels)
        memcpy(levels, walk->levels, walk->depth * sizeof(*levels));
    bight__free(walk->levels);
    walk->levels = levels;
    walk->levels_room = room;
    return 0;
}

/* Close the outermost one that is open, if there are too many. One that cannot be identified stays
 * open. */
static void rest(struct walk *walk)
{
    struct walk_level *level;

    if (walk->depth <= WALK_OPEN_MOST)
        return;
    level = &walk->levels[walk->depth - 1 - WALK_OPEN_MOST];
    if (level->fd < 0 || identify(walk, level))
        return;
    close(level->fd);
    level->fd = -1;
}

/* Whether a level around the innermost is the same directory: symbolic links have led into it. */
static bool inside_already(const struct walk *walk)
{
    const struct walk_level *top = bight__walk_top(walk);

    for (size_t i = 0; i + 1 < walk->depth; i++)
        if (walk->levels[i].inode == top->inode && walk->levels[i].device == top->device)
            return true;
    return false;
}

/* Whether the innermost may be gone through. */
static int admit(const struct walk *walk)
{
    struct walk_level *top = bight__walk_top(walk);
    int rc;

    if (!(walk->options.flags & (BIGHT_DIRECTORY_FOLLOW | BIGHT_DIRECTORY_ONE_SYSTEM)))
        return 0;
    rc = identify(walk, top);
    if (rc)
        return rc;
    if (walk->depth > 1 && walk->options.flags & BIGHT_DIRECTORY_ONE_SYSTEM &&
        top->device != walk->levels[0].device)
        top->reading = false;
    return walk->options.flags & BIGHT_DIRECTORY_FOLLOW && inside_already(walk) ? -ELOOP : 0;
}

int bight__walk_push(struct walk *walk, int fd, size_t path_bytes)
{
    int rc = levels_reserve(walk);

    if (rc) {
        close(fd);
        return rc;
    }
    walk->levels[walk->depth++] =
        (struct walk_level){.fd = fd, .reading = true, .path_bytes = path_bytes};
    walk->dirents_begin = walk->dirents_end = 0;
    rc = admit(walk);
    if (rc) {
        close(fd);
        walk->depth--;
        return rc;
    }
    rest(walk);
    return 0;
}

/* Whether `fd` is the directory that `level` was; otherwise it is closed. */
static bool is_again(const struct walk *walk, struct walk_level *level, int fd)
{
    struct bight_file_info info = {0};

    if (fd < 0)
        return false;
    if (bight__walk_look(walk, fd, "", false, &info) == 0 && info.device == level->device &&
        info.inode == level->inode) {
        level->fd = fd;
        return true;
    }
    close(fd);
    return false;
}

static int open_again(struct walk *walk, struct walk_level *level, int inner)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;
    char after;
    int fd = -1;

    if (inner >= 0 && !bight__call_fails(walk->seams, "open"))
        fd = openat(inner, "..", flags);
    if (is_again(walk, level, fd))
        return 0;
    after = walk->path[level->path_bytes];
    walk->path[level->path_bytes] = '\0';
    fd = bight__call_fails(walk->seams, "open") ? -1 : open(walk->path, flags);
    walk->path[level->path_bytes] = after;
    return is_again(walk, level, fd) ? 0 : -ESTALE;
}

int bight__walk_pop(struct walk *walk)
{
    int inner = bight__walk_top(walk)->fd, rc = 0;

    bight__walk_drop_pending(bight__walk_top(walk));
    walk->depth--;
    if (walk->depth && bight__walk_top(walk)->fd < 0)
        rc = open_again(walk, bight__walk_top(walk), inner);
    if (inner >= 0)
        close(inner);
    return rc;
}

void bight__walk_drop_pending(struct walk_level *level)
{
    struct walk_pending *pending;

    while ((pending = level->first)) {
        level->first = pending->next;
        bight__free(pending);
    }
    level->last = NULL;
}
