/* Watching files and directories: what is created, changed, renamed and removed there, as events
 * that a task reads one after the other. <bight/directory.h> has what goes through a tree once.
 *
 *     const struct bight_watch_options options = {.flags = BIGHT_WATCH_RECURSIVE};
 *
 *     rc = bight_watch_open(&watch, "src", &options);
 *     if (rc)
 *         return rc;
 *     while ((rc = bight_watch_next(watch, &event)) > 0)
 *         if (event.kind == BIGHT_WATCH_RESCAN)
 *             rebuild_all();
 *         else
 *             rebuild(event.path);
 *     (void)bight_watch_end(watch);
 *
 * It is Linux's inotify. The kernel keeps the events until they are read, as many as
 * fs.inotify.max_queued_events says, and tells when it had to drop some: BIGHT_WATCH_RESCAN.
 * docs/watching.md has what can come twice, and what cannot be seen. */
#ifndef BIGHT_WATCH_H
#define BIGHT_WATCH_H

#include <bight/directory.h>
#include <bight/select.h>

BIGHT_BEGIN_DECLS

struct bight_watch;

/* What happened. Those of the first group may be chosen from; the others always come. */
enum bight_watch_kind {
    /* There is something new at `path`: made there, or moved there from outside of what is
     * watched. What is in a directory that comes so is reported too, as `found`. */
    BIGHT_WATCH_CREATE = 1,
    /* What was at `path` was removed, or moved to outside of what is watched; a directory with all
     * that is in it. */
    BIGHT_WATCH_REMOVE = 2,
    /* What was at `from` is now at `path`, and what was there before, if anything, is gone. */
    BIGHT_WATCH_RENAME = 4,
    /* Bytes of the file were written or cut off. */
    BIGHT_WATCH_MODIFY = 8,
    /* Its permissions, owner, times, number of links or the like have changed. */
    BIGHT_WATCH_ATTRIBUTE = 16,
    /* Somebody who had the file open for writing has closed it. */
    BIGHT_WATCH_WRITTEN = 32,

    /* Events were dropped: anything may have changed. Look at all that is at `path`, which is where
     * the watch began. What happens from now on is reported again, in new directories too. */
    BIGHT_WATCH_RESCAN = 64,
    /* What is in the directory at `path` is not watched: `error` says why. */
    BIGHT_WATCH_FAILED = 128,
    /* What was at `path` is watched no longer. Where that is what the watch began with it was
     * removed or renamed, or its file system unmounted, and this is the last event. Another
     * directory: its file system was unmounted. */
    BIGHT_WATCH_LOST = 256,
};

/* The texts are good until the next call for the same watch, a select included. */
struct bight_watch_event {
    enum bight_watch_kind kind;
    bool directory; /* it happened to a directory */
    /* Of BIGHT_WATCH_CREATE: found by going through a directory, and not told by the kernel. If it
     * was created meanwhile the kernel tells it as well, so that it comes twice. */
    bool found;
    int error;        /* of BIGHT_WATCH_FAILED; 0 otherwise */
    const char *path; /* the path that the watch began with, and from there on */
    const char *from; /* of BIGHT_WATCH_RENAME; NULL otherwise */
};

enum bight_watch_flags {
    /* All directories below too, those that come later included. Symbolic links are not followed,
     * but for one at the path that the watch begins with. */
    BIGHT_WATCH_RECURSIVE = 1,
    /* What is there at the beginning comes first, as BIGHT_WATCH_CREATE with `found`. */
    BIGHT_WATCH_EXISTING = 2,
    /* Nothing in directories of other file systems. */
    BIGHT_WATCH_ONE_SYSTEM = 4,
};

/* All zero is the default. */
struct bight_watch_options {
    unsigned flags; /* BIGHT_WATCH_RECURSIVE and so on */
    unsigned kinds; /* those of the first group that are to come; 0: all */
    /* Whether to watch a directory below the first one; NULL: all. Called on a thread of libuv's
     * pool, not on the loop's: it may look at `arg`, and at path, name and type of the entry, and
     * call nothing of bight. */
    bool (*enters)(void *arg, const struct bight_directory_entry *entry);
    void *arg;
};

/** Begin to watch the file at `path`, or the directory and what is in it. From the return on
 *  nothing is missed: not even in directories below, with BIGHT_WATCH_RECURSIVE, each of which
 *  takes one of the watches that the system lets a user have, and some memory here.
 *
 *  @return 0; BIGHT_ENOENT; BIGHT_EACCES; -ENOSPC: the user has as many watches as
 *          fs.inotify.max_user_watches allows, and nothing is watched; BIGHT_EMFILE: as many open
 *          watches as fs.inotify.max_user_instances allows, or no descriptor; BIGHT_EINVAL for a
 *          NULL or an unknown flag or kind; BIGHT_ENOMEM; BIGHT_ENOTASK; BIGHT_ECLOSED when the
 *          runtime's last task has ended; BIGHT_ECANCELED. That a directory below cannot be watched
 *          is no error but for -ENOSPC: it comes as BIGHT_WATCH_FAILED.
 *  Suspends: yes, while a thread goes through the directories.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing is watched; what a thread is at is waited for, one call of
 *  the system.
 *  Allocates: the watch, 68 KiB, some 200 bytes for each directory, and 290 KiB while directories
 *  are gone through.
 *  Thread: the loop's.
 *  Ownership: borrows path; keeps options->arg until the end; gives *out, to be ended with
 *  bight_watch_end. The runtime ends what is left when its last task has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_watch_open(struct bight_watch **out, const char *path,
                                                const struct bight_watch_options *options);

/** The next event, in the order in which they happened.
 *
 *  @return 1: *event is it; 0: there is no further, after BIGHT_WATCH_LOST for where the watch
 *          began; BIGHT_EBUSY: another task is at it; BIGHT_ENOMEM: the next call goes on, and what
 *          was missed becomes BIGHT_WATCH_RESCAN; BIGHT_EINVAL; BIGHT_EPERM: it is of another
 *          thread's runtime; BIGHT_ENOTASK; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, no event was taken; what a thread is at is waited for, one call of
 *  the system.
 *  Allocates: for directories that are new, and for paths longer than before.  Thread: the loop's.
 *  Ownership: borrows all; the texts of *event are the watch's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_watch_next(struct bight_watch *watch,
                                                struct bight_watch_event *event);

/** The next event if there is one now.
 *
 *  @return as bight_watch_next; BIGHT_EAGAIN: there is none; BIGHT_EBUSY: another task is at it, or
 *          a thread has to look at a directory first, for which bight_watch_next waits.
 *  Allocates: as bight_watch_next.  Ownership: as bight_watch_next.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_watch_try_next(struct bight_watch *watch,
                                                    struct bight_watch_event *event);

/** Make `to` a case that happens when bight_watch_next has an event or the end to tell, or a
 *  directory to look at first; it takes nothing. Its status is 0, or an error of bight_watch_next.
 *
 *  Ownership: keeps watch for as long as the case is used.
 */
BIGHT_API void bight_case_watch(struct bight_case *to, struct bight_watch *watch);

/** End a watch. Events that were not read are gone.
 *
 *  @return 0; BIGHT_EBUSY: a task is inside of bight_watch_next or a select; BIGHT_EPERM: it is of
 *          another thread's runtime; BIGHT_ENOTASK.
 *  Suspends: yes, while a thread closes the descriptor, which takes the kernel some milliseconds.
 *  Cancellable: no.  On cancel: goes on, the watch is gone.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes watch on success; NULL does nothing.
 */
BIGHT_API int bight_watch_end(struct bight_watch *watch);

BIGHT_END_DECLS

#endif
