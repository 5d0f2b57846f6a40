/* Files, as the sources of this room see them. files.c has the runtime's record, call.c the two
 * ways onto a thread of libuv's pool: a request of uv_fs, and a turn of our own; file.c the life of
 * an open file, transfer.c its reads and writes, info.c and path.c what is done by path,
 * make.c the same of directories. walk.h is about iterations, whose user's side is directory.c. */
#ifndef BIGHT_RUNTIME_FILE_FILE_H
#define BIGHT_RUNTIME_FILE_FILE_H

#include <bight/file.h>

#include <stdatomic.h>

#include "runtime/runtime.h"

/* What a runtime has of files. */
struct files {
    struct bight_plugin plugin;
    struct bight_runtime *runtime;
    struct bight_link open;       /* of struct bight_file */
    struct bight_link iterations; /* of struct bight_directory */
    struct bight_link waiting;    /* turns that wait to be admitted, by their waiters' links */
    size_t turns;                 /* that libuv has */
    size_t turns_most;
};

struct bight_file {
    struct bight_link link; /* in the runtime's list */
    struct files *files;
    struct bight_waiter *ender; /* waits until nobody is inside */
    size_t inside;
    size_t last_moved;
    int fd;
    bool ending;
};

/* files.c: the record of this thread's runtime, made when there is none yet. */
int bight__files_get(struct files **out);
static inline const struct bight_seams *bight__files_seams(const struct files *files)
{
    return &files->runtime->sched.seams;
}

/* A request of uv_fs. It lies in its caller's frame, which the wait never leaves early. */
struct file_call {
    struct bight_waiter waiter;
    uv_loop_t *loop;
    const char *name;
    bool cancelled;
    uv_fs_t fs;
};

/* call.c: the opening of a call by path: observes cancellation, and asks whether the system call
 * `name` fails; `bytes` may be NULL, see bight__transfer_fails. Where it gives 0, what comes next
 * is the uv_fs_* call with bight__file_on_fs, and one of the two below. */
int bight__file_call_begin(struct file_call *call, const char *name, size_t *bytes);
/* The same for what has to be done also in a cancelled scope. */
int bight__file_call_insist(struct file_call *call, const char *name);
void bight__file_on_fs(uv_fs_t *fs);
/* Sleep until it is done. `rc` is what the uv_fs_* call gave. The result: as uv_fs has it; or
 * BIGHT_ECANCELED: it was withdrawn. */
int64_t bight__file_call_wait(struct file_call *call, int rc);
/* The same, and uv_fs_req_cleanup, when only 0 or an error is of interest. */
int bight__file_call_end(struct file_call *call, int rc);

/* Something that a thread of the pool does for a task. As many at a time as leave half of the
 * threads to others, in FIFO order. */
struct file_turn {
    struct bight_waiter waiter;
    struct files *files;
    void (*fn)(struct file_turn *turn); /* on the thread */
    atomic_bool stop;                   /* its task was cancelled: `fn` is to return soon */
    bool admitted;
    bool withdrawn;
    uv_work_t work;
};

/* call.c: have `fn` called. 0: it was; BIGHT_ECANCELED: it was not. The checkpoint is the
 * caller's. */
int bight__file_turn(struct file_turn *turn, struct files *files,
                     void (*fn)(struct file_turn *turn));

/* file.c: the program has it no more: it is not in the runtime's list. */
void bight__file_delist(struct bight_file *file);
/* The task is inside of `file` from here on. */
int bight__file_enter(struct bight_file *file);
void bight__file_leave(struct bight_file *file);
/* Close a descriptor, also in a cancelled scope. */
int bight__file_fd_close(int fd);

/* make.c: bight_directory_sync, also in a cancelled scope. */
int bight__directory_sync_insist(const char *path);

/* directory.c: free it, and what it holds; nobody is inside. */
void bight__directory_free(struct bight_link *iteration);

/* info.c */
void bight__file_info_fill(struct bight_file_info *info, const uv_stat_t *from);
enum bight_file_type bight__file_type_of(uint64_t mode);

#endif
