/* Metrics: the figures of a runtime and of its executors as OpenMetrics text
 * (https://openmetrics.io), for Prometheus and its like. bight serves them nowhere by itself: a
 * program writes them where it likes, the monitor answers `metrics` (<bight/monitor.h>), and
 * <bight/monitor_page.h> has a handler for the HTTP server. docs/seeing.md lists them. */
#ifndef BIGHT_METRICS_H
#define BIGHT_METRICS_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* What to call the text in a header Content-Type. */
#define BIGHT_METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/** Write the figures of this thread's runtime in pieces to `write`, up to the line "# EOF". `write`
 *  must neither suspend nor spawn. What tasks wait for is counted if there are no more than 10,000
 *  of them, so that this takes no longer than 2 ms or so.
 *
 *  @return 0; BIGHT_EINVAL without write; BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_metrics_write(void (*write)(void *arg, const char *text, size_t bytes),
                                  void *arg);

/** bight_metrics_write into `text`, with a final NUL.
 *
 *  @return how many bytes, without the NUL; BIGHT_ETOOBIG: `bytes` are too few, and what was
 *          written is of no use; 16 KiB do for a dozen executors; BIGHT_EINVAL without text;
 *          BIGHT_ENORUNTIME.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_metrics_text(char *text, size_t bytes);

BIGHT_END_DECLS

#endif
