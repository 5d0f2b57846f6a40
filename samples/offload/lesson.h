/* What the programs of this folder have in common, beside what each of them shows. */
#ifndef SAMPLES_OFFLOAD_LESSON_H
#define SAMPLES_OFFLOAD_LESSON_H

#include <bight/executor.h>
#include <bight/shared.h>
#include <bight/workers.h>

#include <stddef.h>
#include <stdint.h>

/* bight_execute for a job that answers with exactly `output_bytes`, which go to `output`. Returns
 * 0, what the job failed with, what bight_execute returns, or BIGHT_EPROTOCOL for an answer of
 * another size. Suspends; on cancel as bight_execute. */
BIGHT_MUST_CHECK int job_call(struct bight_executor *executor, const struct bight_job_def *def,
                              const void *input, size_t input_bytes, void *output,
                              size_t output_bytes);

/* The job's side of it: copy an input of exactly `bytes` to `input`. Returns 0 or BIGHT_EINVAL. */
BIGHT_MUST_CHECK int job_input(const struct bight_job *job, void *input, size_t bytes);

/* Call fn(workers, segment) with an executor of worker processes and a segment of `bytes`, which
 * both end afterwards. Returns what fn did, or what failed around it. Suspends. */
BIGHT_MUST_CHECK int with_segment(const struct bight_workers_options *options, size_t bytes,
                                  int (*fn)(struct bight_executor *workers,
                                            struct bight_shared *segment));

/* How many milliseconds have passed since `start_ns` of bight_now_ns. */
double ms_since(uint64_t start_ns);

/* The exit status of a program whose main task returned `rc`; standard error says what failed. */
int lesson_status(const char *name, int rc);

#endif
