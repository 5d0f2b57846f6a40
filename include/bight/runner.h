/* Runners: several runs of bight_run on one loop, one after the other. What a main started ends
 * with it, as in bight_run. What belongs to the runtime stays from run to run: the loop with the
 * handles on it, executors, sessions, the resolver's cache, warm stacks, the mailbox that other
 * threads hold. */
#ifndef BIGHT_RUNNER_H
#define BIGHT_RUNNER_H

#include <bight/runtime.h>

BIGHT_BEGIN_DECLS

struct bight_runner;

/** Give this thread a runtime on a loop of its own, for several runs. Between runs the loop stands
 *  still: what other threads post then, and tasks spawned then, begin with the next run.
 *
 *  @return 0; BIGHT_EALREADY when this thread has a runtime; as bight_run when it cannot start.
 *  Thread: any that has no runtime.
 *  Ownership: borrows options, NULL for the defaults; gives *out, to be ended with
 *  bight_runner_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_runner_open(struct bight_runner **out,
                                                 const struct bight_runtime_options *options);

/** Run `fn(arg)` as the main task, and return when it and everything it started has ended. Each run
 *  begins anew: task locals have their initial values, whatever the main task before has set.
 *
 *  @return as bight_run; BIGHT_EALREADY from within a run; BIGHT_EPERM on another thread than the
 *          one that opened it; BIGHT_ECLOSED for NULL, to which bight_runner_end sets the pointer.
 *  Thread: the one that opened it.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_runner_run(struct bight_runner *runner, int (*fn)(void *arg),
                                                void *arg);

/** End the runtime, and set *runner to NULL, so that a second call does nothing and another run is
 *  refused. Tasks that were spawned since the last run are cancelled before they begin.
 *
 *  @return 0; BIGHT_EBUSY from within a run; BIGHT_EPERM on another thread than the one that opened
 *          it.
 *  Thread: the one that opened it.  Ownership: takes *runner, which may be NULL.
 */
BIGHT_API int bight_runner_end(struct bight_runner **runner);

BIGHT_END_DECLS

#endif
