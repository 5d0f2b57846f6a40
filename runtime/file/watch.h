/* Watches, as their four files see them. watch.c has the life of one and who waits for it,
 * watch_tree.c what is known of the directories, watch_scan.c what threads of the pool do, and
 * watch_read.c makes events of the kernel's records. While there is a turn on a thread all belongs
 * to that thread, so the order is: what a thread has found comes first, then the next record. */
#ifndef BIGHT_RUNTIME_FILE_WATCH_H
#define BIGHT_RUNTIME_FILE_WATCH_H

#include <bight/watch.h>

#include "coro/base/hash.h"
#include "runtime/file/file.h"
#include "runtime/file/walk.h"
#include "runtime/stream/stream.h"

struct inotify_event;

#define WATCH_RECORDS_BYTES ((size_t)64 << 10)

/* What bight__watch_take says beside a code: a thread has something to do first. */
#define WATCH_TURN 2

/* A directory, or the file at the root, that the kernel watches. Its place is where it was last
 * seen. Two may have one place for a while, such as a directory that was just removed and its
 * successor; then the one that was there first is meant by what the kernel tells next. */
struct watch_node {
    struct hash_node by_wd;
    struct hash_node by_place; /* the hash of its parent and name */
    struct watch_node *parent; /* NULL: the root */
    struct bight_link link;    /* among its siblings; of one that is dropped, in watch->dropped */
    struct bight_link children;
    int wd;
    bool placed;     /* in the table of places */
    uint64_t number; /* grows with each placing */
    uint64_t seen;   /* the number of the last scan that came by */
    size_t name_bytes;
    char *name;
};

/* A directory that could not be watched, until it is told. */
struct watch_failure {
    struct bight_link link;
    int error;
    size_t room;
    char path[];
};

/* For the first record, which is half a rename: where is the other half? */
enum watch_fence {
    WATCH_FENCE_NONE,   /* nothing was done about it */
    WATCH_FENCE_DUE,    /* a thread is to wait until it must be in the kernel's queue */
    WATCH_FENCE_PASSED, /* it did */
    WATCH_FENCE_OVER,   /* the queue was read since */
};

struct watch_text {
    char *data;
    size_t room;
};

struct bight_watch {
    struct stream_guest guest;
    struct poll_source source;
    struct streams *streams;
    struct files *files;
    const struct bight_seams *seams;
    struct bight_waiter *waiter; /* of the task inside, or of a case */
    bool inside;                 /* a task is in bight_watch_next, beyond its checkpoint */
    bool over;                   /* the root is gone */
    bool opening;
    bool recursive;
    bool directory; /* the root is one */
    int fd;
    uint32_t mask;
    struct bight_watch_options options;

    struct hash_table wds;
    struct hash_table places;
    struct watch_node *root;
    uint64_t numbers;
    struct bight_link dropped; /* nodes that the kernel still watches for us */

    struct walk *walk;              /* a scan; NULL: none */
    bool silent;                    /* nothing is told of the scan but failures */
    bool entire;                    /* it is of the whole tree: what it does not see is not there */
    bool overflown;                 /* the whole tree is to be scanned, and then `rescan` */
    bool rescan;                    /* to be told */
    int fatal;                      /* why a watch cannot be opened */
    uint64_t scan;                  /* its number */
    size_t base_bytes;              /* of the path that the scan began with */
    struct watch_node *base_parent; /* where that is; NULL: it is the root */
    struct watch_node *base;        /* NULL: it was not yet entered */
    struct bight_link failures;
    struct watch_failure *spare; /* for the next; NULL */

    struct bight_watch_event held; /* taken already, by a select */
    bool holds;
    struct watch_text path;
    struct watch_text from;
    struct watch_text at;       /* of a scan or a fence */
    struct watch_failure *told; /* the last; NULL */
    enum watch_fence fence;
    size_t begin, end;
    _Alignas(8) char records[WATCH_RECORDS_BYTES];
};

/* watch_tree.c */
struct watch_node *bight__watch_by_wd(const struct bight_watch *watch, int wd);
/* Of several at that place the newest or the oldest. */
struct watch_node *bight__watch_by_place(const struct bight_watch *watch,
                                         const struct watch_node *parent, const char *name,
                                         size_t name_bytes, bool newest);
/* Have the node of `wd` at a place; it is made when there is none. *fresh: it was. BIGHT_ENOMEM;
 * -ELOOP: the place is known to be inside of it, which a scan of the whole tree mends. */
int bight__watch_place(struct bight_watch *watch, int wd, struct watch_node *parent,
                       const char *name, size_t name_bytes, bool *fresh);
/* Its place is empty now, or somebody else's; it is watched still. */
void bight__watch_unplace(struct bight_watch *watch, struct watch_node *node);
/* The kernel has let go of it. What is below it becomes `dropped`. */
void bight__watch_forget(struct bight_watch *watch, struct watch_node *node);
/* Have the kernel let go of it and all below: they become `dropped`. */
void bight__watch_drop(struct bight_watch *watch, struct watch_node *node);
/* The same of all that the scan of the entire tree has not seen. */
void bight__watch_drop_unseen(struct bight_watch *watch);
/* On a thread: have the kernel let go of the first of those dropped. */
void bight__watch_let_go(struct bight_watch *watch);
/* The path of `name` in `node`; NULL: of `node`. 0 or BIGHT_ENOMEM. */
int bight__watch_path(const struct bight_watch *watch, struct watch_text *text,
                      const struct watch_node *node, const char *name);
void bight__watch_tree_free(struct bight_watch *watch);

/* watch_scan.c. The first two are for the loop's thread: begin a scan of the directory `name` in
 * `parent`, or with NULL of the whole tree; 0 or BIGHT_ENOMEM. */
int bight__watch_scan_begin(struct bight_watch *watch, struct watch_node *parent, const char *name,
                            bool silent);
void bight__watch_scan_end(struct bight_watch *watch);
/* The next entry of the batch; NULL: it is empty. */
static inline const struct bight_directory_entry *bight__watch_entry(struct walk *walk)
{
    const struct bight_directory_entry *entry = (const void *)(walk->batch + walk->batch_begin);

    if (walk->batch_begin == walk->batch_end)
        return NULL;
    walk->batch_begin += (sizeof(*entry) + entry->path_bytes + 1 + 7) & ~(size_t)7;
    return entry;
}

/* Whether a thread has something to do. */
bool bight__watch_has_turn(const struct bight_watch *watch);
/* On a thread: do it, or a part of it. */
void bight__watch_turn(struct bight_watch *watch, const atomic_bool *stop);
/* On a thread: open the descriptor and watch the root, at `path`. */
int bight__watch_root(struct bight_watch *watch, const char *path);

/* watch_read.c: the next event: 1; 0: there is none any more; BIGHT_EAGAIN: none now; WATCH_TURN;
 * or an error. */
int bight__watch_take(struct bight_watch *watch, struct bight_watch_event *event);

#endif
