/* Many loops: a runtime on each of several threads, all of them running the same function, as one
 * group. The first that fails cancels the others; a drain reaches all. docs/cores.md shows a server
 * that uses all cores.
 *
 * Loops share nothing but the program's memory. What is in a runtime belongs to its thread; between
 * loops go <bight/thread_queue.h>, <bight/thread_event.h>, <bight/mailbox.h> and
 * <bight/submission.h>. */
#ifndef BIGHT_MANY_H
#define BIGHT_MANY_H

#include <bight/mailbox.h>
#include <bight/runtime.h>

BIGHT_BEGIN_DECLS

#define BIGHT_MANY_MOST 1024u

/* Zero is the default for every field. */
struct bight_many_options {
    /* Of each runtime; NULL: the defaults. The callbacks are called on each loop's thread. Only the
     * first loop has interrupt_signal; it ends all, as every failure does. */
    const struct bight_runtime_options *runtime;
    /* Each thread stays on a CPU of its own of those that the process may use, from the first on;
     * with more loops than CPUs they share. The calling thread gets its former CPUs back. */
    bool pin;
    /* Threads are called NAME-1 and so on, cut to 15 bytes; default "bight-loop". The calling
     * thread, which has loop 0, keeps its name. */
    const char *name;
    /* Of the threads beside the calling one; default: what the system gives. Tasks have stacks of
     * their own. */
    size_t thread_stack_bytes;
    /* Gets what bight_run_with would have returned for each loop, when not NULL: `count` of them. A
     * loop that never began has BIGHT_ECANCELED, or why it could not start. */
    int *statuses;
};

/** The number of CPUs that the calling thread may run on: a good `count` for loops that have
 *  nothing else beside them.
 *
 *  Thread: any.
 */
BIGHT_API unsigned bight_many_cpus(void);

/** Run `fn(arg)` as the main task of `count` runtimes at once, one in the calling thread and each
 *  of the others in a thread of its own, and return when all have ended. As soon as one main
 *  fails, or a runtime cannot start, the mains of the others are cancelled. One that returns
 *  BIGHT_EDRAIN after bight_many_drain has not failed. With more than one loop none is taken for
 *  deadlocked while its main runs, for what it waits for may come from another.
 *
 *  @param count  how many loops; 0: bight_many_cpus().
 *  @return 0 if no loop failed; otherwise the status of the one that failed first, as bight_run
 *          gives it; BIGHT_EALREADY when this thread has a runtime; BIGHT_EINVAL without
 *          fn, or for more than BIGHT_MANY_MOST; BIGHT_EAGAIN: a thread cannot be started;
 *          BIGHT_ENOMEM.
 *  Thread: any that has no runtime.  Ownership: keeps arg, which all loops share.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_run_many(unsigned count, int (*fn)(void *arg), void *arg);

/** bight_run_many with options; NULL for the defaults.
 *
 *  @return as bight_run_many; the error of sched_setaffinity(2) for `pin`.
 *  Thread: any that has no runtime.  Ownership: borrows options.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_run_many_with(const struct bight_many_options *options,
                                                   unsigned count, int (*fn)(void *arg), void *arg);

/* --- inside ----------------------------------------------------------------------------------- */

/** Which of the loops this is, from 0; 0 on a thread that is none's. */
BIGHT_API unsigned bight_many_index(void);

/** How many loops there are; 0 on a thread that is none's. */
BIGHT_API unsigned bight_many_count(void);

/** Drain all loops, as bight_runtime_drain does one; loops that have not begun drain from the
 *  start. Those of other threads do so soon.
 *
 *  @return 0, also when they drain already; BIGHT_ENORUNTIME on a thread that is none's.
 */
BIGHT_API int bight_many_drain(void);

/** Cancel the mains of all loops, this one's too, as bight_task_cancel does. Those of other threads
 *  are cancelled soon.
 *
 *  @return 0, also when they are cancelled already; BIGHT_ENORUNTIME on a thread that is none's.
 */
BIGHT_API int bight_many_cancel(void);

/** Get a reference to the mailbox of another loop, or of this one, for posts and submissions.
 *
 *  @return 0; BIGHT_EAGAIN: it has not begun; BIGHT_ECLOSED: its main has ended; BIGHT_EINVAL:
 *          there is no such loop; BIGHT_ENORUNTIME on a thread that is none's.
 *  Ownership: gives *out, to be released with bight_mailbox_unref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_many_mailbox(struct bight_mailbox **out, unsigned index);

BIGHT_END_DECLS

#endif
