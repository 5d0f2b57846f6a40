/* Files beneath a directory, opened and read so that the loop's thread does not wait for the disk:
 * what the kernel has at hand is taken at once, and what it has not goes through libuv's threads.
 * The one place of net/server that knows how. It knows nothing of HTTP. */
#ifndef BIGHT_NET_SERVER_FILES_H
#define BIGHT_NET_SERVER_FILES_H

#include <stdatomic.h>
#include <sys/types.h>

#include <bight/base.h>

/* How names are looked up. */
enum lookup {
    LOOKUP_CACHED, /* openat2, at once where the kernel knows all of the path (Linux 5.12) */
    LOOKUP_OPENAT2,
    LOOKUP_STEPS, /* openat for each part of the path, which follows no symbolic links */
};

#define FILES_SEEN 256u

/* What is open of the directory. Threads may share it: only `seen` changes, and none of its entries
 * depends on another. */
struct files_root {
    int fd;
    enum lookup lookup;
    bool no_links;
    bool in_memory; /* the file system has no disk */
    dev_t device;
    /* Of pieces of files that were cached a moment ago: a hash of which and when. */
    atomic_uint_least64_t *seen;
};

struct open_file {
    int fd;
    bool is_regular;
    bool is_directory; /* neither: nothing that can be served */
    bool in_memory;
    atomic_uint_least64_t *seen; /* the root's */
    ino_t inode;
    int64_t bytes;
    int64_t modified_s;
    uint32_t modified_ns;
};

/* The part of a file that is looked at, and read by a thread, at a time. */
#define FILES_PIECE ((int64_t)256 << 10)

/* Open the directory; the thread waits for the disk. 0 or an error. `seen` has FILES_SEEN entries,
 * and stays the caller's. */
int bight__files_open_root(struct files_root *root, const char *path, bool no_links,
                           atomic_uint_least64_t *seen);
void bight__files_close_root(struct files_root *root);

/* Open what is at `path`, which is relative and has no "..", and look at it: 0, and `file` is to be
 * closed; errors of open, of which ENOENT stands for all that say that there is no such thing.
 * Suspends. */
int bight__file_open(struct open_file *file, const struct files_root *root, const char *path);
void bight__file_close(struct open_file *file);

/* Read all of `bytes` from `offset` on, if that can be had without waiting. */
bool bight__file_try_read(const struct open_file *file, void *buffer, size_t bytes, int64_t offset);

/* See that the kernel has the next `bytes`, at most FILES_PIECE, from `offset` on: 0, also where
 * they cannot be read, which whoever sends them will notice; BIGHT_ECANCELED and the like.
 * Suspends. */
int bight__file_load(const struct open_file *file, int64_t offset, int64_t bytes);

#endif
