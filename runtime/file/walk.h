/* What goes through a tree, on a thread of the pool, as far as the batch has room. While there is
 * no turn it belongs to the loop's thread. */
#ifndef BIGHT_RUNTIME_FILE_WALK_H
#define BIGHT_RUNTIME_FILE_WALK_H

#include <bight/directory.h>

#include "runtime/file/file.h"

#define WALK_BATCH_BYTES ((size_t)256 << 10)
#define WALK_DIRENTS_BYTES ((size_t)32 << 10)
/* Directories of longer paths are not entered: some entries of theirs always fit into a batch. */
#define WALK_PATH_MOST ((size_t)32 << 10)
/* The directories, from the innermost outwards, that stay open. */
#define WALK_OPEN_MOST ((size_t)15)
/* More than any file system has in one name. */
#define WALK_NAME_MOST ((size_t)1024)

/* A directory that was seen and is to be entered. */
struct walk_pending {
    struct walk_pending *next;
    size_t name_bytes;
    char name[];
};

/* A directory that was entered. */
struct walk_level {
    int fd;          /* -1: closed for the while */
    bool reading;    /* there may be more names in it */
    bool identified; /* the next two are known: always where `fd` is -1 */
    uint64_t device;
    uint64_t inode;
    size_t path_bytes;
    struct walk_pending *first, *last;
};

struct walk {
    const struct bight_seams *seams;
    struct bight_directory_options options;
    bool scan;  /* only what is in one directory, which does not come itself */
    bool begun; /* the path it begins with has been looked at */
    bool over;
    int rc;     /* of what ended it early */
    char *path; /* of the innermost directory, and of what is in it */
    size_t path_room;
    size_t root_name; /* where the last part of the first path begins */
    struct walk_level *levels;
    size_t depth; /* how many there are */
    size_t levels_room;
    size_t dirents_begin, dirents_end;
    size_t batch_begin, batch_end; /* what was not yet taken */
    _Alignas(8) char dirents[WALK_DIRENTS_BYTES];
    _Alignas(struct bight_directory_entry) char batch[WALK_BATCH_BYTES];
};

/* 0, BIGHT_ENOMEM, or what is wrong with `path`; `walk` is all zero but for seams, options and
 * scan. */
int bight__walk_init(struct walk *walk, const char *path);
/* Close and free what it holds. */
void bight__walk_fini(struct walk *walk);
/* On a thread: fill the empty batch, until it is full, the walk is over or `stop` is set. */
void bight__walk_fill(struct walk *walk, const atomic_bool *stop);

/* walk_path.c: have `path` be that of the innermost directory and `name`: its length, 0 without
 * memory. */
size_t bight__walk_join(struct walk *walk, const char *name, size_t name_bytes);
/* What the system knows of `name` in `fd`; with an empty name of `fd` itself. */
int bight__walk_look(const struct walk *walk, int fd, const char *name, bool follow,
                     struct bight_file_info *info);
/* One more level, of the open directory `fd`. 0, or an error: `fd` is closed. */
int bight__walk_push(struct walk *walk, int fd, size_t path_bytes);
/* One less; the one outside of it is open then. 0; an error: it is not, and nothing in it can be
 * entered. */
int bight__walk_pop(struct walk *walk);
void bight__walk_drop_pending(struct walk_level *level);

static inline struct walk_level *bight__walk_top(const struct walk *walk)
{
    return &walk->levels[walk->depth - 1];
}

#endif
