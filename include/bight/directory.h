/* Directories: made and removed, and what is in them, one directory or a whole tree. <bight/file.h>
 * has files, and what all of these calls can return.
 *
 *     rc = bight_directory_walk(&walk, "src", NULL);
 *     if (rc)
 *         return rc;
 *     while ((rc = bight_directory_next(walk, &entry)) > 0)
 *         if (entry.error == 0)
 *             total += entry.info.bytes;
 *     bight_directory_end(walk);
 *
 * A thread of libuv's pool reads some thousand entries at a turn, with what the system knows of
 * them, so that most calls of bight_directory_next have no more to do than to copy. */
#ifndef BIGHT_DIRECTORY_H
#define BIGHT_DIRECTORY_H

#include <bight/file.h>

BIGHT_BEGIN_DECLS

struct bight_directory;

/* Something in a directory. The texts are good until the next call for the same iteration. */
struct bight_directory_entry {
    const char *path; /* the path that the iteration began with, and from there on */
    const char *name; /* the last part of it */
    size_t path_bytes;
    size_t depth; /* 0: the directory itself that the iteration began with */
    enum bight_file_type type;
    /* The entry could not be looked at, or the directory not be read or not to its end: why. 0: it
     * could. Such a directory comes a second time, with this. */
    int error;
    bool after; /* a directory, behind all that is in it */
    struct bight_file_info
        info; /* all zero with BIGHT_DIRECTORY_NAMES, or where there is an error */
};

enum bight_directory_flags {
    /* Names and types only: nothing else is asked of the system, which is faster. */
    BIGHT_DIRECTORY_NAMES = 1,
    /* Directories come behind all that is in them. */
    BIGHT_DIRECTORY_AFTER = 2,
    /* They come before and behind. */
    BIGHT_DIRECTORY_BOTH = 4,
    /* What a symbolic link leads to stands for it, also a directory. One that an entry is inside of
     * already comes with the error ELOOP. */
    BIGHT_DIRECTORY_FOLLOW = 8,
    /* Directories of other file systems come, and nothing in them. */
    BIGHT_DIRECTORY_ONE_SYSTEM = 16,
};

/* All zero is the default. */
struct bight_directory_options {
    unsigned flags;
    /* Entries deeper than this do not come; 0: no limit. */
    size_t depth_most;
    /* Whether to go into a directory; NULL: into all. Called on a thread of the pool, not on the
     * loop's: it may look at `arg` and the entry and call nothing of bight. */
    bool (*enters)(void *arg, const struct bight_directory_entry *entry);
    void *arg;
};

/** Begin to go through the tree at `path`: the directory itself, what is in it, then what is in
 *  each directory of it, and so on. In which order those of one directory come is up to the system.
 *  Something that is no directory comes alone. Symbolic links are not followed, the one at `path`
 *  neither.
 *
 *  However deep the tree is, at most 16 descriptors are open at a time. Memory goes by the number
 *  of directories that were seen and not yet entered. A tree that changes meanwhile is no error:
 *  what vanishes does not come, or comes and is not entered. What cannot be looked at or read comes
 *  as an entry with its error, and the walk goes on.
 *
 *  @return 0; BIGHT_ENOENT for an empty path; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's
 *          last task has ended.
 *  Ownership: keeps options->arg until the end; gives *out, to be ended with bight_directory_end.
 *  The runtime ends what is left when its last task has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_walk(struct bight_directory **out, const char *path,
                                                    const struct bight_directory_options *options);

/** Begin to go through what is in the directory at `path`, and no deeper; the directory itself does
 *  not come. A symbolic link at `path` is followed.
 *
 *  @return as bight_directory_walk.
 *  Ownership: gives *out, as bight_directory_walk does.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_scan(struct bight_directory **out, const char *path,
                                                    unsigned flags);

/** The next entry.
 *
 *  @return 1: *entry is it; 0: there is no further; BIGHT_ENOENT, -ENOTDIR and the like: there is
 *          nothing at the path that the iteration began with, and nothing further comes;
 *          BIGHT_EBUSY: another task is at it; BIGHT_ENOMEM: nothing further comes;
 *          BIGHT_ECANCELED.
 *  Suspends: yes, while a thread reads on.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was taken; what a thread is at is waited for, one call of
 *  the system.
 *  Allocates: for directories that are still to be entered.  Thread: the loop's.
 *  Ownership: borrows all; the texts of *entry are the iteration's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_next(struct bight_directory *directory,
                                                    struct bight_directory_entry *entry);

/** End an iteration, at its end or before.
 *
 *  @return 0; BIGHT_EBUSY: a task is inside of bight_directory_next; BIGHT_EPERM: it is of another
 *          thread's runtime.
 *  Ownership: takes directory on success; NULL does nothing.
 */
BIGHT_API int bight_directory_end(struct bight_directory *directory);

/** Make a directory with the permissions `mode`, less the umask.
 *
 *  @return 0; BIGHT_EEXIST; BIGHT_ENOENT: the one that it is to be in is not there;
 *          BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of path.
 *  Thread: the loop's.  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_make(const char *path, uint32_t mode);

/** Make a directory and those that it is to be in, as far as they are not there.
 *
 *  @return 0, also when it was there; -ENOTDIR, BIGHT_EEXIST: something else has one of the names;
 *          BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED; those that were made stay.
 *  Allocates: a copy of path, and libuv another.  Thread: the loop's.  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_make_all(const char *path, uint32_t mode);

/** Make a directory with a name that nobody has, with mode 0700. `path` ends in "XXXXXX", which is
 *  replaced.
 *
 *  @return 0; BIGHT_EINVAL: it does not end so; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of path.
 *  Thread: the loop's.  Ownership: borrows path and writes to it on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_mkdtemp(char *path);

/** Remove an empty directory.
 *
 *  @return 0; -ENOTEMPTY; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of path.
 *  Thread: the loop's.  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_remove(const char *path);

/** Wait until the names in the directory at `path` are on the disk as they are now: those of files
 *  that were made, renamed or unlinked there.
 *
 *  @return 0; BIGHT_EIO; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED.  Allocates: a file for the while, and libuv a copy of path.
 *  Thread: the loop's.  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_directory_sync(const char *path);

BIGHT_END_DECLS

#endif
