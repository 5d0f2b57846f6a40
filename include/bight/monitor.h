/* The monitor: a Unix socket that answers what tasks there are, what they wait for, and how the
 * runtime is doing, to whoever owns the process. It is there only where a program asks for it, and
 * is served by a task like any other. docs/seeing.md shows the requests and their answers. */
#ifndef BIGHT_MONITOR_H
#define BIGHT_MONITOR_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/listener.h>

BIGHT_BEGIN_DECLS

/* Zero is the default for every field. */
struct bight_monitor_options {
    /* The most tasks of which an answer tells; default 1,000. An answer is made without a pause, so
     * this is how long the loop has nothing else: about 2 us for each. */
    size_t tasks_max;
    /* The most connections at a time; default 8. */
    size_t max_connections;
    /* A connection without a request is ended after this time. Default 60,000; negative: never. */
    int64_t idle_ms;
    /* A connection that does not take its answer is ended after this time. Default 5,000; negative:
     * never. */
    int64_t write_ms;
};

/** Listen at `path` for requests to a monitor: bight_unix_listen with a socket file that only its
 *  owner may use (mode 0600).
 *
 *  @return as bight_unix_listen.
 *  Ownership: borrows path; gives *out, to be ended with bight_listener_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_monitor_listen(struct bight_listener **out, const char *path);

/** Answer requests about this thread's runtime, on connections that `listener` takes, until it is
 *  closed or the call is cancelled. A request is a line: `ps`, `pstree`, `stats`, `stacks`,
 *  `metrics` (<bight/metrics.h>) or `help`, for an answer in JSON with ` json` behind it. Answers
 *  are text, which an empty line ends, or one line of JSON. Only processes of this one's effective
 *  user, and of root, are answered; so nobody is where the system does not tell who asks, as over
 *  TCP.
 *
 *  While it waits for connections the runtime is not taken for deadlocked.
 *
 *  @return 0: the listener was closed, and those that were asking have their answers; otherwise as
 *          bight_serve.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after all connections were aborted.
 *  Allocates: a stream and a task per connection, an answer.  Thread: the loop's.
 *  Ownership: keeps listener until it returns; borrows options, NULL for the defaults.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_monitor_serve(struct bight_listener *listener,
                                                   const struct bight_monitor_options *options);

BIGHT_END_DECLS

#endif
