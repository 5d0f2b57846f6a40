/* What other files of the library ask of the log; log.c has its handler, log_line.c what a line
 * looks like. Read <bight/log.h> first. */
#ifndef BIGHT_RUNTIME_LOG_H
#define BIGHT_RUNTIME_LOG_H

#include <bight/log.h>

#include "coro/base/door.h"

struct bight_runtime;
struct bight_task;

/* Log what is reported about `task`, NULL for none that is known. */
void bight__log_report(struct bight_runtime *runtime, const struct bight_task *task,
                       const struct bight_report *report);

/* The number of the request for which the calling task works; 0: none. It is the server's, and is
 * here because the log has it too. */
BIGHT_INTERNAL_API int bight__request_id_set(uint64_t id);
BIGHT_INTERNAL_API uint64_t bight__request_id(void);

#endif
