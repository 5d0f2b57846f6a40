/* What the monitor tells, over the HTTP server: handlers, which a program gives to
 * bight_http_serve or to a router. Nothing is served without them, and whoever reaches them is
 * answered, so listen where only those are who may know what the program does: at loopback, or
 * behind something that asks who they are.
 *
 *     rc = bight_tcp_listen(&listener, "127.0.0.1", 9100, NULL);
 *     if (rc == 0)
 *         rc = bight_http_serve(listener, bight_monitor_page, NULL, NULL);
 */
#ifndef BIGHT_MONITOR_PAGE_H
#define BIGHT_MONITOR_PAGE_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

/** Answer with a page that shows the tasks of this thread's runtime as a tree, what each of them
 *  waits for and who holds that, the longest turns, and the executors, anew each second. `options`
 *  is a struct bight_monitor_options, of which `tasks_max` counts, or NULL for the defaults.
 *
 *  What the page asks for it asks of its own path with a query: `?ps`, `?stats`, `?stacks` and
 *  `?pstree`, for what the monitor answers in JSON, and `?metrics`. Other methods than GET and HEAD
 *  are answered 405, other queries 404. All of it is not to be stored, and the page loads nothing
 *  from elsewhere.
 *
 *  @return as bight_exchange_answer.
 *  Suspends: yes.  Cancellable: yes.  On cancel: as bight_exchange_answer.
 *  Allocates: the answer.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_monitor_page(struct bight_exchange *exchange, void *options);

/** Answer with the metrics of <bight/metrics.h>, as a collector wants them. `arg` is not used.
 *
 *  @return as bight_exchange_answer.
 *  Suspends: yes.  Cancellable: yes.  On cancel: as bight_exchange_answer.
 *  Allocates: the answer.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_metrics_answer(struct bight_exchange *exchange, void *arg);

BIGHT_END_DECLS

#endif
