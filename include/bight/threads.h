/* Own threads: an executor for blocking or long calls of this process. A thread starts when a call
 * waits and none is idle, and ends when it has had nothing to do for a while. For a call now and
 * then <bight/offload.h> is enough; this is for many, or for long ones. docs/threads.md has
 * the contract in full; in short:
 *
 *     struct bight_executor *threads;
 *     int rc = bight_threads_new(&threads, NULL);
 *     ...
 *     rc = bight_threads_call(threads, compress_file, &file);
 *     ...
 *     rc = bight_executor_end(threads);
 *
 * What runs there is not a task: it may block and compute as it likes, and must not call what
 * suspends. After fork() the child has the executor's memory but none of its threads: it must not
 * use it. */
#ifndef BIGHT_THREADS_H
#define BIGHT_THREADS_H

#include <bight/executor.h>

BIGHT_BEGIN_DECLS

/* Zero is the default for every field. */
struct bight_threads_options {
    /* How many threads at most; default: four more than there are CPUs that this process may
     * use, at most 32: calls that block use no CPU, as for Python's ThreadPoolExecutor. At most
     * 1,024. */
    unsigned threads_most;
    /* So many start at once and do not end while the executor lives; default 0: all may end. */
    unsigned threads_least;
    /* How many calls may wait, beyond those that run, before BIGHT_EFULL; default 1,024. */
    size_t queue_max;
    /* How long a thread beyond the least stays without work; default 10,000, negative: for ever.
     * Real time, also where a test has a clock of its own. */
    int64_t idle_ms;
    /* Threads are called NAME-0, NAME-1 and so on, as they start. The name is cut so that all of it
     * has 15 bytes. Copied; default "bight-thread". */
    const char *name;
    /* Of each thread; default: what the system gives. */
    size_t stack_bytes;
    /* Called in each new thread before its calls, with init_arg; may set *local, which is NULL
     * before. A negative return is a failure: the thread ends, `teardown` is not called, and if no
     * other thread lives the calls that wait end with BIGHT_EINITFAILED. */
    int (*init)(void *init_arg, void **local);
    void *init_arg;
    /* Called in each thread before it ends. */
    void (*teardown)(void *local);
};

/** Make an executor of threads. Besides bight_execute it takes the calls below.
 *
 *  @return 0; BIGHT_EAGAIN: none of threads_least threads can be started; BIGHT_EINVAL: an option
 *          is out of range; BIGHT_ENOMEM; BIGHT_ENORUNTIME; BIGHT_ECLOSED: the runtime is ending.
 *  Ownership: borrows options; keeps init_arg until the executor has ended; gives *out, to be ended
 *  with bight_executor_end in the same runtime.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_threads_new(struct bight_executor **out,
                                                 const struct bight_threads_options *options);

/** Call `fn(arg)` on a thread of `executor` and sleep until it has returned. Calls begin in the
 *  order in which they were made. The call is never abandoned, so `arg` may be on the stack.
 *
 *  @return what fn returned; BIGHT_ECANCELED: a scope around the call was cancelled before fn
 *          began, and fn was not called; BIGHT_EFULL: the executor holds as many calls as it may;
 *          BIGHT_EAGAIN: there is no thread, and none can be started; BIGHT_EINITFAILED: there is
 *          none, and `init` has failed in a new one; BIGHT_ECLOSED: the executor is ending;
 *          BIGHT_EPERM: it belongs to another thread; BIGHT_EINVAL: no fn, or the executor is not
 *          made of threads; BIGHT_ENOMEM; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes, until fn begins; then it is awaited.
 *  On cancel: BIGHT_ECANCELED and fn was not called, or fn's result when it was too late.
 *  Allocates: no, but for a thread that starts.  Thread: the loop's.
 *  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_threads_call(struct bight_executor *executor,
                                                  int (*fn)(void *arg), void *arg);

/** The same, but a cancellation does not wait for a call that has begun: it leaves it alone. So
 *  `arg`, which the thread goes on using, must not be on the stack. Whenever this call returns
 *  BIGHT_ECANCELED, also because fn did, `destroy(arg)` is called once, as soon as no thread uses
 *  arg: before the return if fn was not called or its own code is returned, otherwise after fn has
 *  returned; that code is lost. After any other return arg is the caller's as before. A scope with
 *  a deadline makes BIGHT_ETIMEDOUT of BIGHT_ECANCELED at its end: look at the code before that.
 *
 *  destroy is called on the loop's thread; it may be NULL, and must not suspend. It is not
 *  forgotten: both bight_executor_end and the end of a runtime wait for calls that run.
 *
 *  @return as bight_threads_call.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; fn was not called, or is left to end by itself.
 *  Allocates: a record, which later calls use again.  Thread: the loop's.
 *  Ownership: takes arg if it returns BIGHT_ECANCELED; otherwise borrows it.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_threads_call_owned(struct bight_executor *executor,
                                                        int (*fn)(void *arg), void *arg,
                                                        void (*destroy)(void *arg));

/** Whether the caller of the call that runs in this thread has been cancelled: one that takes long
 *  can stop. False outside of calls. For a job it is what bight_job_cancelled says.
 *
 *  Thread: any.
 *
 */
BIGHT_API bool bight_threads_cancelled(void);

/** What `init` or bight_job_set_local has set in the calling thread; NULL in a thread that is no
 *  executor's.
 *
 *  Thread: any.
 */
BIGHT_API void *bight_threads_local(void);

BIGHT_END_DECLS

#endif
