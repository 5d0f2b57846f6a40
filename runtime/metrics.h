/* How figures become OpenMetrics text. metrics.c has those of the runtime; the executors have
 * offload/metrics.c tell theirs, through bight_runtime.tell_executors. */
#ifndef BIGHT_RUNTIME_METRICS_H
#define BIGHT_RUNTIME_METRICS_H

#include <bight/metrics.h>

#include "coro/base/print.h"

#define METRICS_LABEL_BYTES 128
/* Each byte of a label may need two, and a final NUL. */
#define METRICS_LABEL_ROOM (2 * METRICS_LABEL_BYTES + 1)

struct bight_metrics {
    struct printer to;
};

/* Begin a family; all of its samples come next. `type`: gauge or counter, whose samples are called
 * NAME_total. `unit`: the name's last part, or NULL. */
void bight__metrics_family(const struct bight_metrics *metrics, const char *name, const char *type,
                           const char *unit, const char *help);
/* A piece of text, of 511 bytes at most. */
__attribute__((format(printf, 2, 3))) void bight__metrics_add(const struct bight_metrics *metrics,
                                                              const char *format, ...);
/* `text` as the value of a label, cut to METRICS_LABEL_BYTES; returns `room`. */
const char *bight__metrics_label(char room[METRICS_LABEL_ROOM], const char *text);

#endif
