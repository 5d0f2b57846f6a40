/* What the kernel has queued, made into events. A rename is two records with one cookie, of which
 * the second may be missing, because the other directory is not watched, or not be queued yet. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/file/watch.h"

/* Beside a code: the same once more. */
#define AGAIN 3
/* What the kernel wants room for before it gives one record. */
#define RECORD_MOST (sizeof(struct inotify_event) + NAME_MAX + 1)
/* Of a record that is done with. */
#define NOBODY (-2)
/* Records that tell that the names in a directory have changed. */
#define NAMES_CHANGE (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

static struct inotify_event *record_at(struct bight_watch *watch, size_t at)
{
    return (void *)(watch->records + at);
}

static size_t record_bytes(const struct inotify_event *record)
{
    return sizeof(*record) + record->len;
}

/* The first record is done with. */
static void record_skip(struct bight_watch *watch)
{
    watch->begin += record_bytes(record_at(watch, watch->begin));
    watch->fence = WATCH_FENCE_NONE;
}

/* Read what there is, behind what was not taken: how many bytes, BIGHT_EAGAIN, or an error. */
static int64_t read_more(struct bight_watch *watch)
{
    size_t held = watch->end - watch->begin;
    struct iovec room = {watch->records + held, WATCH_RECORDS_BYTES - held};
    ssize_t count;

    memmove(watch->records, watch->records + watch->begin, held);
    watch->begin = 0;
    watch->end = held;
    if (WATCH_RECORDS_BYTES - held < RECORD_MOST)
        return BIGHT_EAGAIN;
    do {
        count = bight__call_fails(watch->seams, "readv") ? -1 : readv(watch->fd, &room, 1);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    watch->end += (size_t)count;
    return count;
}

static bool wants(const struct bight_watch *watch, enum bight_watch_kind kind)
{
    return watch->options.kinds & kind || kind >= BIGHT_WATCH_RESCAN;
}

/* The event of `kind` at `name` in `node`, or with NULL at `node`. */
static int tell(struct bight_watch *watch, struct bight_watch_event *event,
                enum bight_watch_kind kind, const struct watch_node *node, const char *name)
{
    int rc;

    if (!wants(watch, kind))
        return 0;
    rc = bight__watch_path(watch, &watch->path, node, name);
    if (rc)
        return rc;
    *event = (struct bight_watch_event){.kind = kind, .path = watch->path.data};
    return 1;
}

/* A directory is at `name` in `node` now: what is in it is to be gone through. */
static int scan(struct bight_watch *watch, struct watch_node *node, const char *name)
{
    return watch->recursive ? bight__watch_scan_begin(watch, node, name, false) : 0;
}

static int on_created(struct bight_watch *watch, struct bight_watch_event *event,
                      struct watch_node *node, const struct inotify_event *record)
{
    int told = tell(watch, event, BIGHT_WATCH_CREATE, node, record->name);
    int rc = told >= 0 && record->mask & IN_ISDIR ? scan(watch, node, record->name) : 0;

    return rc ? rc : told;
}

static struct watch_node *known(const struct bight_watch *watch, const struct watch_node *node,
                                const struct inotify_event *record)
{
    if (!(record->mask & IN_ISDIR))
        return NULL;
    return bight__watch_by_place(watch, node, record->name, strlen(record->name), false);
}

/* The kernel lets go of a directory itself when it is removed, which may be later. */
static int on_removed(struct bight_watch *watch, struct bight_watch_event *event,
                      const struct watch_node *node, const struct inotify_event *record)
{
    struct watch_node *gone = known(watch, node, record);
    int rc = tell(watch, event, BIGHT_WATCH_REMOVE, node, record->name);

    if (rc >= 0 && gone)
        bight__watch_unplace(watch, gone);
    return rc;
}

static int on_moved_out(struct bight_watch *watch, struct bight_watch_event *event,
                        const struct watch_node *node, const struct inotify_event *record)
{
    struct watch_node *gone = known(watch, node, record);
    int rc = tell(watch, event, BIGHT_WATCH_REMOVE, node, record->name);

    if (rc >= 0 && gone)
        bight__watch_drop(watch, gone);
    return rc;
}

/* Its second half; NULL: it is not there. *settled: it does not come either, for the names of the
 * first directory have changed since. */
static struct inotify_event *second_half(struct bight_watch *watch,
                                         const struct inotify_event *first, bool *settled)
{
    size_t at = watch->begin + record_bytes(first);

    *settled = watch->fence == WATCH_FENCE_OVER ||
               watch->end - watch->begin + RECORD_MOST > WATCH_RECORDS_BYTES;
    while (at < watch->end) {
        struct inotify_event *record = record_at(watch, at);

        if (record->mask & IN_MOVED_TO && record->cookie == first->cookie)
            return record;
        if (record->wd == first->wd && record->mask & NAMES_CHANGE) {
            *settled = true;
            return NULL;
        }
        at += record_bytes(record);
    }
    return NULL;
}

/* A directory that was watched goes on so at its new place; another one is new to us. */
static int on_directory_moved(struct bight_watch *watch, struct watch_node *moved,
                              struct watch_node *to, const char *name)
{
    bool fresh;
    int rc;

    if (!moved)
        return scan(watch, to, name);
    rc = bight__watch_place(watch, moved->wd, to, name, strlen(name), &fresh);
    if (rc != -ELOOP)
        return rc;
    watch->overflown = true;
    return 0;
}

static int on_renamed(struct bight_watch *watch, struct bight_watch_event *event,
                      const struct watch_node *node, const struct inotify_event *first,
                      struct inotify_event *second, struct watch_node *to)
{
    int rc = bight__watch_path(watch, &watch->from, node, first->name);
    int told = rc ? rc : tell(watch, event, BIGHT_WATCH_RENAME, to, second->name);

    if (told >= 0 && first->mask & IN_ISDIR && watch->recursive)
        rc = on_directory_moved(watch, known(watch, node, first), to, second->name);
    if (rc || told < 0)
        return rc ? rc : told;
    event->from = watch->from.data;
    second->wd = NOBODY;
    return told;
}

static int on_moved_from(struct bight_watch *watch, struct bight_watch_event *event,
                         const struct watch_node *node, const struct inotify_event *first)
{
    bool settled;
    struct inotify_event *second = second_half(watch, first, &settled);
    struct watch_node *to = second ? bight__watch_by_wd(watch, second->wd) : NULL;
    int64_t count;
    int rc;

    if (to)
        return on_renamed(watch, event, node, first, second, to);
    if (second || settled)
        return on_moved_out(watch, event, node, first);
    count = read_more(watch);
    if (count != BIGHT_EAGAIN)
        return count < 0 ? (int)count : AGAIN;
    if (watch->fence == WATCH_FENCE_PASSED) {
        watch->fence = WATCH_FENCE_OVER;
        return AGAIN;
    }
    rc = bight__watch_path(watch, &watch->at, node, NULL);
    if (rc)
        return rc;
    watch->fence = WATCH_FENCE_DUE;
    return AGAIN;
}

/* The root is a file, or it is told of the root itself: what is below it tells its parent. */
static int on_self(struct bight_watch *watch, struct bight_watch_event *event,
                   struct watch_node *node, uint32_t mask)
{
    bool root = node == watch->root;
    int rc = 0;

    if (mask & IN_IGNORED) {
        watch->over |= root;
        bight__watch_forget(watch, node);
        return 0;
    }
    if (mask & IN_UNMOUNT || (root && mask & (IN_DELETE_SELF | IN_MOVE_SELF)))
        rc = tell(watch, event, BIGHT_WATCH_LOST, node, NULL);
    else if (root && mask & IN_MODIFY)
        rc = tell(watch, event, BIGHT_WATCH_MODIFY, node, NULL);
    else if (root && mask & IN_ATTRIB)
        rc = tell(watch, event, BIGHT_WATCH_ATTRIBUTE, node, NULL);
    else if (root && mask & IN_CLOSE_WRITE)
        rc = tell(watch, event, BIGHT_WATCH_WRITTEN, node, NULL);
    if (rc > 0 && root && event->kind == BIGHT_WATCH_LOST)
        watch->over = true;
    return rc;
}

static int on_named(struct bight_watch *watch, struct bight_watch_event *event,
                    struct watch_node *node, const struct inotify_event *record)
{
    enum bight_watch_kind kind = BIGHT_WATCH_WRITTEN;

    if (record->mask & (IN_CREATE | IN_MOVED_TO))
        return on_created(watch, event, node, record);
    if (record->mask & IN_DELETE)
        return on_removed(watch, event, node, record);
    if (record->mask & IN_MOVED_FROM)
        return on_moved_from(watch, event, node, record);
    if (record->mask & IN_MODIFY)
        kind = BIGHT_WATCH_MODIFY;
    else if (record->mask & IN_ATTRIB)
        kind = BIGHT_WATCH_ATTRIBUTE;
    else if (!(record->mask & IN_CLOSE_WRITE))
        return 0;
    return tell(watch, event, kind, node, record->name);
}

/* The first record. 1: an event; 0: none; or an error, and the record is still the first. */
static int take_record(struct bight_watch *watch, struct bight_watch_event *event)
{
    const struct inotify_event *record = record_at(watch, watch->begin);
    struct watch_node *node = bight__watch_by_wd(watch, record->wd);
    bool root = node && node == watch->root;
    uint32_t mask = record->mask;
    int rc = 0;

    if (mask & IN_Q_OVERFLOW)
        watch->overflown = true;
    else if (node && record->len)
        rc = on_named(watch, event, node, record);
    else if (node)
        rc = on_self(watch, event, node, mask);
    if (rc < 0 || rc == AGAIN)
        return rc < 0 ? rc : 0;
    if (rc)
        event->directory = record->len ? mask & IN_ISDIR : watch->directory || !root;
    record_skip(watch);
    return rc;
}

static int take_failure(struct bight_watch *watch, struct bight_watch_event *event)
{
    struct watch_failure *failure = container_of(watch->failures.next, struct watch_failure, link);

    link_cut(&failure->link);
    bight__free(watch->told); /* it lends its text until the next */
    watch->told = failure;
    *event = (struct bight_watch_event){
        .kind = BIGHT_WATCH_FAILED,
        .directory = true,
        .error = failure->error,
        .path = failure->path,
    };
    return 1;
}

/* Of a scan: an entry of the batch, or its end. */
static int take_found(struct bight_watch *watch, struct bight_watch_event *event)
{
    const struct bight_directory_entry *entry = bight__watch_entry(watch->walk);
    int rc = watch->walk->rc;

    if (entry) {
        if (!entry->error && (!entry->depth || !wants(watch, BIGHT_WATCH_CREATE)))
            return 0; /* where the scan began was told by the kernel */
        *event = (struct bight_watch_event){
            .kind = entry->error ? BIGHT_WATCH_FAILED : BIGHT_WATCH_CREATE,
            .directory = entry->type == BIGHT_FILE_DIRECTORY,
            .found = !entry->error,
            .error = entry->error,
            .path = entry->path,
        };
        return 1;
    }
    if (watch->entire && rc == 0)
        bight__watch_drop_unseen(watch);
    bight__watch_scan_end(watch);
    if (rc == 0 || rc == BIGHT_ENOENT || rc == -ENOTDIR)
        return 0;
    watch->overflown = true;
    return rc;
}

/* Events were lost: go through all, and tell it then. */
static int recover(struct bight_watch *watch)
{
    int rc = watch->recursive ? bight__watch_scan_begin(watch, NULL, NULL, true) : 0;

    if (rc)
        return rc;
    watch->overflown = false;
    watch->rescan = true;
    return 0;
}

/* One step. 1: an event; 0: none in this step. */
static int step(struct bight_watch *watch, struct bight_watch_event *event)
{
    int64_t rc;

    if (bight__watch_has_turn(watch))
        return WATCH_TURN;
    if (!link_empty(&watch->failures))
        return take_failure(watch, event);
    if (watch->walk)
        return take_found(watch, event);
    if (watch->overflown && watch->root)
        return recover(watch);
    if (watch->rescan) {
        watch->rescan = false;
        return tell(watch, event, BIGHT_WATCH_RESCAN, watch->root, NULL);
    }
    if (watch->begin < watch->end)
        return take_record(watch, event);
    rc = read_more(watch);
    return rc < 0 ? (int)rc : 0;
}

int bight__watch_take(struct bight_watch *watch, struct bight_watch_event *event)
{
    int rc = 0;

    if (watch->holds) {
        *event = watch->held;
        watch->holds = false;
        return 1;
    }
    while (rc == 0 && !watch->over)
        rc = step(watch, event);
    return rc;
}
