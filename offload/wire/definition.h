/* How a job definition is named to another process: by its place in the program or library that it
 * is part of, so that a worker with other addresses (a re-executed one) finds its own copy; and by
 * its name and version, so that the worker notices when that file is another one. */
#ifndef BIGHT_OFFLOAD_WIRE_DEFINITION_H
#define BIGHT_OFFLOAD_WIRE_DEFINITION_H

#include <bight/job.h>

struct definition_place {
    /* The dynamic linker's name of the file, "" for the program. Valid while it is loaded. */
    const char *module;
    uint64_t offset;
};

/* Find the place of `def`. False when it is not static. */
bool bight__definition_locate(const struct bight_job_def *def, struct definition_place *place);

/* The definition at `place` in this process, or NULL when there is none of that name and version.
 * Reads memory of loaded files only. */
const struct bight_job_def *bight__definition_find(const struct definition_place *place,
                                                   const char *name, unsigned version);

#endif
