/* Inputs that are given to processes without a copy: a file in memory, which the caller has mapped,
 * and the worker too while it runs the job. Behind the calls of <bight/executor.h>. */
#ifndef BIGHT_OFFLOAD_INPUT_H
#define BIGHT_OFFLOAD_INPUT_H

#include <bight/executor.h>

struct bight_job_input {
    void *data;
    size_t bytes;
    int fd;
};

#endif
