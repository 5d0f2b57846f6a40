/* Files: opened, read, written and looked at while other tasks run. The kernel has no files that do
 * not block, so each call goes through a thread of libuv's pool (uv_fs), and its task sleeps until
 * that thread is done. <bight/directory.h> has directories; docs/files.md says why it is so.
 *
 *     rc = bight_file_open(&file, "notes.txt", O_RDONLY, 0);
 *     if (rc)
 *         return rc;
 *     while ((count = bight_file_read(file, buffer, sizeof(buffer))) > 0)
 *         ...
 *     rc = bight_file_end(file);
 *
 * A cancelled call that waits for a thread is withdrawn, and nothing has happened. One that a
 * thread has begun is waited for, and its result is told: the next call observes the cancellation.
 * Calls of several steps (a write of much, a whole file) end between two of them.
 *
 * Several tasks may use one file at a time. Those that use its position (bight_file_read and
 * bight_file_write) have it move by turns; the others (`_at`) do not touch it.
 *
 * Paths are what the system takes: bytes up to a NUL, relative to the working directory. What all
 * calls below can return: BIGHT_EINVAL for a NULL that they need; the system's own codes, such as
 * BIGHT_ENOENT, BIGHT_EACCES, -ENOTDIR, -ENOSPC; BIGHT_ENOMEM; BIGHT_ENOTASK; and those of an open
 * file BIGHT_EPERM: it is of another thread's runtime, and BIGHT_ECLOSED: it is being ended. Their
 * comments do not repeat it. */
#ifndef BIGHT_FILE_H
#define BIGHT_FILE_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_file;
struct bight_stream;

enum bight_file_type {
    BIGHT_FILE_UNKNOWN,
    BIGHT_FILE_REGULAR,
    BIGHT_FILE_DIRECTORY,
    BIGHT_FILE_SYMLINK,
    BIGHT_FILE_FIFO,
    BIGHT_FILE_SOCKET,
    BIGHT_FILE_CHARACTER,
    BIGHT_FILE_BLOCK,
};

/* What the system knows of a file. Times are nanoseconds since 1970 (UTC). */
struct bight_file_info {
    enum bight_file_type type;
    uint32_t mode; /* permission bits: 07777 */
    uint32_t uid;
    uint32_t gid;
    uint64_t bytes;
    uint64_t allocated_bytes; /* on the disk; less than `bytes` where the file has holes */
    uint64_t links;
    uint64_t device; /* with `inode`: which file it is */
    uint64_t inode;
    uint64_t special_device; /* what a device file stands for */
    int64_t accessed_ns;
    int64_t modified_ns;
    int64_t changed_ns; /* its content, or what is in here */
    int64_t born_ns;    /* 0: not known */
};

/* What the system knows of a mounted file system. */
struct bight_file_system {
    uint64_t type; /* as statfs(2) numbers them */
    uint64_t bytes;
    uint64_t free_bytes;
    uint64_t available_bytes; /* free to those who are not root */
    uint64_t files;
    uint64_t free_files;
};

/** Open the file at `path`. `flags` are O_RDONLY, O_CREAT and so on of <fcntl.h>, `mode` the
 *  permissions of a file that is created, less the umask. O_CLOEXEC is always set. A FIFO without a
 *  peer holds up a thread of the pool until one comes: add O_NONBLOCK, and make a stream of it
 *  (bight_stream_from_fd).
 *
 *  @return 0; BIGHT_ECLOSED when the runtime's last task has ended; BIGHT_EMFILE; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing is open; a file that was created stays.
 *  Allocates: the file, and libuv a copy of path.  Thread: the loop's.
 *  Ownership: borrows path; gives *out, to be ended with bight_file_end. The runtime closes what is
 *  left when its last task has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_open(struct bight_file **out, const char *path, int flags,
                                               uint32_t mode);

/** Make a file of the descriptor `fd`.
 *
 *  @return 0; BIGHT_EBADF for a negative fd; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's
 *          last task has ended.
 *  Ownership: takes fd on success; gives *out, as bight_file_open does.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_from_fd(struct bight_file **out, int fd);

/** Create a file with a name that nobody has, and open it for reading and writing, with mode 0600.
 *  `path` ends in "XXXXXX", which is replaced.
 *
 *  @return 0; BIGHT_EINVAL: it does not end so; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, no file was made.
 *  Allocates: the file, and libuv a copy of path.  Thread: the loop's.
 *  Ownership: borrows path and writes to it on success; gives *out, as bight_file_open does.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_mkstemp(struct bight_file **out, char *path);

/** The descriptor, for what is not wrapped here. It stays the file's: do not close it.
 *
 *  @return it; BIGHT_EINVAL for NULL.
 */
BIGHT_API int bight_file_fd(const struct bight_file *file);

/** Wait until the calls that are inside of `file` have returned, close it, and free it. Later calls
 *  get BIGHT_ECLOSED. What was written is with the system; on the disk it is after bight_file_sync.
 *
 *  @return 0, or what the system says when it closes the file, such as BIGHT_EIO: some of what was
 *          written is lost; the file is gone all the same. BIGHT_EALREADY: another task is ending
 *          it, or BIGHT_EPERM, BIGHT_ENOTASK: it stays.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on, the file is closed.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes file; NULL does nothing.
 */
BIGHT_API int bight_file_end(struct bight_file *file);

/** Read what comes next, up to `bytes`, and move the position.
 *
 *  @return how many bytes, which may be fewer; 0 at the end of the file, or for `bytes` 0;
 *          BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was taken.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_file_read(struct bight_file *file, void *buffer,
                                                   size_t bytes);

/** Read up to `bytes` from `offset` on; the position stays.
 *
 *  @return as bight_file_read; BIGHT_EINVAL for a negative offset.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was taken.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_file_read_at(struct bight_file *file, void *buffer,
                                                      size_t bytes, int64_t offset);

/** Read exactly `bytes` at the position, in as many steps as that takes.
 *
 *  @return 0; BIGHT_EOF: the file ended before; BIGHT_ECANCELED. bight_file_last_moved says how
 *          many bytes were read in each case, and the position is behind them.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED; bight_file_last_moved says how much was read.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_read_exactly(struct bight_file *file, void *buffer,
                                                       size_t bytes);

/** Read exactly `bytes` from `offset` on; the position stays.
 *
 *  @return as bight_file_read_exactly; BIGHT_EINVAL for a negative offset.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED; bight_file_last_moved says how much was read.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_read_exactly_at(struct bight_file *file, void *buffer,
                                                          size_t bytes, int64_t offset);

/** Write all of `data` at the position, or with O_APPEND at the end, and move the position.
 *
 *  @return 0; -ENOSPC, BIGHT_EFBIG, BIGHT_EIO and the like; BIGHT_ECANCELED. bight_file_last_moved
 *          says how many bytes were written in each case.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED; bight_file_last_moved says how much was written.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_write(struct bight_file *file, const void *data,
                                                size_t bytes);

/** Write all of `data` from `offset` on; the position stays. With O_APPEND Linux writes at the end
 *  all the same.
 *
 *  @return as bight_file_write; BIGHT_EINVAL for a negative offset.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED; bight_file_last_moved says how much was written.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_write_at(struct bight_file *file, const void *data,
                                                   size_t bytes, int64_t offset);

/** How many bytes the read or write of `file` that returned last has moved, also when it failed; 0
 *  for NULL. */
BIGHT_API size_t bight_file_last_moved(const struct bight_file *file);

/** What the system knows of an open file.
 *
 *  @return 0; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: no; libuv from 1.45 on a block until it returns.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_fstat(struct bight_file *file,
                                                struct bight_file_info *info);

/** Wait until what was written to the file is on the disk (fsync). Once it has failed, what was
 *  lost is not told again: a second call that returns 0 says nothing about it.
 *
 *  @return 0; BIGHT_EIO, -ENOSPC; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: no.  Thread: the loop's.  Ownership: borrows file.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_sync(struct bight_file *file);

/** bight_file_sync without what is not needed to read it back, such as its times (fdatasync).
 *
 *  @return as bight_file_sync.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: no.  Thread: the loop's.  Ownership: borrows file.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_datasync(struct bight_file *file);

/** Make the file `bytes` long: cut it off, or add zeros. The position stays.
 *
 *  @return 0; BIGHT_EINVAL for a negative length; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows file.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_truncate(struct bight_file *file, int64_t bytes);

/** What the system knows of the file at `path`, or of what a symbolic link there leads to.
 *
 *  @return 0; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: libuv a copy of path.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_stat(const char *path, struct bight_file_info *info);

/** bight_file_stat that does not follow a symbolic link.
 *
 *  @return as bight_file_stat.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: libuv a copy of path.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_lstat(const char *path, struct bight_file_info *info);

/** Look whether the process may use the file (access(2)): `what` is R_OK, W_OK, X_OK of <unistd.h>,
 *  or F_OK: whether there is one. What is true now need not be true at the next call.
 *
 *  @return 0: it may; BIGHT_EACCES; BIGHT_ENOENT; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: libuv a copy of path.  Thread: the loop's.
 *  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_access(const char *path, int what);

/** Give the file at `from` the name `to`, in one step; a file that had it is gone. For the new name
 *  to survive a loss of power, sync its directory (bight_directory_sync).
 *
 *  @return 0; -EXDEV: they are on different file systems; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of both.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_rename(const char *from, const char *to);

/** Give the file at `from` the name `to` too (a hard link).
 *
 *  @return 0; BIGHT_EEXIST; -EXDEV; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of both.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_link(const char *from, const char *to);

/** Make a symbolic link at `path` that leads to `target`, which need not be there.
 *
 *  @return 0; BIGHT_EEXIST; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of both.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_symlink(const char *target, const char *path);

/** Write to `target` where the symbolic link at `path` leads, with a final NUL.
 *
 *  @return its length; BIGHT_ETOOBIG: it has more than `target_bytes` - 1; BIGHT_EINVAL: it is no
 *          symbolic link; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: libuv a copy of path, and the result.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_file_readlink(const char *path, char *target,
                                                       size_t target_bytes);

/** Write to `real` the path of the same file without symbolic links and dots, from the root on,
 *  with a final NUL.
 *
 *  @return its length; BIGHT_ETOOBIG: it has more than `real_bytes` - 1; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: room for a path.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_file_realpath(const char *path, char *real,
                                                       size_t real_bytes);

/** Take the name `path` away. The file goes with its last name, once nobody has it open.
 *
 *  @return 0; -EISDIR or BIGHT_EPERM for a directory: bight_directory_remove; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of path.
 *  Thread: the loop's.  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_unlink(const char *path);

/** Set the permission bits of the file at `path` to `mode`.
 *
 *  @return 0; BIGHT_EPERM; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of path.
 *  Thread: the loop's.  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_chmod(const char *path, uint32_t mode);

/** Set the owner of the file at `path`; UINT32_MAX leaves one of the two as it is.
 *
 *  @return 0; BIGHT_EPERM; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of path.
 *  Thread: the loop's.  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_chown(const char *path, uint32_t uid, uint32_t gid);

/** Set the times of the file at `path`, to the nanosecond (libuv's uv_fs_utime takes a double).
 *
 *  @return 0; BIGHT_EPERM; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows path.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_utime(const char *path, int64_t accessed_ns,
                                                int64_t modified_ns);

/* How bight_file_copy does it. */
enum bight_file_copy_flags {
    BIGHT_FILE_COPY_NEW = 1,          /* BIGHT_EEXIST if there is a file at `to` */
    BIGHT_FILE_COPY_REFLINK = 2,      /* share the blocks if the file system can, else copy them */
    BIGHT_FILE_COPY_REFLINK_ONLY = 4, /* share the blocks or fail */
};

/** Copy the content and the permission bits of the file at `from` to one at `to`, which is made, or
 *  overwritten. One thread of the pool does all of it. When it fails, what is at `to` is gone.
 *
 *  @return 0; BIGHT_ENOTSUP: it cannot share blocks; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it; then the copy is waited for.
 *  On cancel: BIGHT_ECANCELED, nothing was done.  Allocates: libuv a copy of both.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_copy(const char *from, const char *to, unsigned flags);

/** What the system knows of the file system that `path` is on.
 *
 *  @return 0; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until a thread begins it.
 *  On cancel: BIGHT_ECANCELED.  Allocates: libuv a copy of path, and the result.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_statfs(const char *path,
                                                 struct bight_file_system *system);

/** Read all of the file at `path`. A NUL is put behind the last byte, which *bytes does not count.
 *  Files whose size the system does not know before, such as those of /proc, are read too.
 *
 *  @return 0; BIGHT_ETOOBIG: it has more than `bytes_most`; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED.  Allocates: the result, and a file for the while.
 *  Thread: the loop's.  Ownership: borrows path; gives *data, which is freed by free().
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_load(const char *path, void **data, size_t *bytes,
                                               size_t bytes_most);

/** Make `data` all that is in the file at `path`, which is created with the permissions `mode`,
 *  less the umask, if it is not there. Whoever reads it meanwhile, or after a failure, finds part
 *  of it: bight_file_replace does not have that.
 *
 *  @return 0; -ENOSPC and the like; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, between steps.
 *  On cancel: BIGHT_ECANCELED, and some of it may be written.  Allocates: a file for the while.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_save(const char *path, const void *data, size_t bytes,
                                               uint32_t mode);

/** Make a stream of what is in `file` from `offset` on, or with a negative one from its position:
 *  to be read by line, up to a delimiter, or copied to another stream (<bight/stream.h>). Chunks of
 *  64 KiB are read ahead. A read that is cancelled has taken nothing, at once: what a thread is at
 *  is for the next read. Behind the end a read asks anew, and gives more when the file has grown.
 *  Writing fails with BIGHT_EBADF.
 *
 *  @return 0; BIGHT_EBUSY: a task is inside of a call for the file; BIGHT_EMFILE.
 *  Ownership: takes file on success; gives *out, to be ended with bight_stream_end, which does not
 *  wait for a thread.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_stream(struct bight_stream **out, struct bight_file *file,
                                                 int64_t offset);

/* All zero is the default. */
struct bight_file_replace_options {
    uint32_t mode;   /* permission bits, whatever the umask is; default 0644 */
    bool keep_mode;  /* those of the file that is replaced, if there is one */
    bool keep_owner; /* its owner and group; who may not set them fails with BIGHT_EPERM */
    bool no_sync;    /* in one step for all who read it, but not for a loss of power */
};

/** Make `data` all that is in the file at `path`, in one step: whoever opens it, also after a loss
 *  of power, finds all of the old content or all of the new. It is written to a file of its own in
 *  the same directory, ".NAME.XXXXXX", and synced; that takes the name over (rename), and the
 *  directory is synced. A symbolic link at `path` is itself replaced; other names of the old file
 *  keep its content.
 *
 *  @return 0; BIGHT_ECANCELED or an error up to the rename: what is at `path` is as it was, and the
 *          other file is gone; an error of the directory's sync: the new content is there, and a
 *          loss of power may bring the old one back.
 *  Suspends: yes.  Cancellable: yes, until the name is taken over.
 *  On cancel: BIGHT_ECANCELED, nothing has changed.  Allocates: the path of the other file, and a
 *  file for the while.
 *  Thread: the loop's.  Ownership: borrows all; options may be NULL for the defaults.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_file_replace(const char *path, const void *data, size_t bytes,
                                                  const struct bight_file_replace_options *options);

BIGHT_END_DECLS

#endif
