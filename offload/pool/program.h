/* A zygote that is executed, because its keeper is a copy of a process with threads: what the
 * keeper executes, and what that does when it begins. */
#ifndef BIGHT_OFFLOAD_POOL_PROGRAM_H
#define BIGHT_OFFLOAD_POOL_PROGRAM_H

#include <bight/workers.h>

/* How zygotes of this process are to be. */
struct launch {
    bool keep_privileges;
    const char *argv0;
    char *library; /* which the helper loads; NULL: this program is the zygote */
    char *library_name;
    char *helper;
};

/* What a keeper that is a copy of a process with threads executes; in a shared mapping, which the
 * keeper does not drop. */
struct program {
    size_t bytes; /* of the mapping */
    char *path;
    char *argv[3];
    char *environment[]; /* the markers in front; the strings come after it */
};

/* NULL when there is no memory. To be unmapped by the caller. */
struct program *bight__program_make(const struct launch *launch);

/* Be a zygote if the keeper executed this process; otherwise return. */
void bight__program_entry(void);

/* Have zygotes be helpers that load options->library. 0 or an error. */
int bight__launch_library(struct launch *launch,
                          const struct bight_workers_prepare_options *options);
void bight__launch_forget_library(struct launch *launch);

/* The number of threads of this process, or 0 when it is unknown. */
unsigned bight__thread_count(void);

#endif
