/* The runtime: tasks driven by a libuv loop, of its own (bight_run) or of a host (bight_attach in
 * <bight/uv.h>). A thread has at most one runtime; several may live in one process. */
#ifndef BIGHT_RUNTIME_H
#define BIGHT_RUNTIME_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/report.h>
#include <bight/task.h>

BIGHT_BEGIN_DECLS

struct bight_runtime;

/* bight_runtime_options.checks: what a runtime looks for beside what it reports anyway. Each costs
 * something while it is on, and nothing when it is not; docs/seeing.md says what. */
/* Tasks that go on in spite of a cancellation: BIGHT_REPORT_LATE_CANCEL. */
#define BIGHT_CHECK_CANCELS 1u
/* What is open at the end: BIGHT_REPORT_LEFT_RUNNING, BIGHT_REPORT_LEFT_OPEN. */
#define BIGHT_CHECK_OPEN 2u
/* How much of their stacks tasks use: BIGHT_REPORT_STACK_MARK, bight_runtime_get_stack_marks. */
#define BIGHT_CHECK_STACKS 4u

/* Zero is the default for every field. */
struct bight_runtime_options {
    /* Address space per task stack, committed when it is touched; default 256 KiB. */
    size_t stack_bytes;
    /* The same for the main task; default 1 MiB. */
    size_t main_stack_bytes;
    /* Flags of every task, main included, beside those that it is spawned with: BIGHT_SPAWN_ flags
     * of <bight/task.h>, or-ed; default 0. An unknown one is BIGHT_EINVAL. */
    unsigned spawn_flags;
    /* The limit of finished stacks that are kept warm: so many stay as long as the runtime lives,
     * and the memory of one beyond them goes back to the system as its task ends. Default 0: as
     * many stay as were needed lately. What was not needed for one to two seconds goes back in
     * portions, within four seconds after the task that was the last to need it, while the loop
     * turns; between two runs, and on a host's loop that stands still, that waits for its next
     * turn. It is done by a timer that keeps no loop alive and does not show in
     * bight_runtime_stats.timers. */
    size_t stack_cache;
    /* Turns of ready tasks before libuv is entered again, about, if slice_us is not over before;
     * default 64. */
    unsigned turns_per_slice;
    /* How long tasks, calls and posts may run before libuv is entered again, in microseconds;
     * default 100. No timer, deadline, ready descriptor, post or callback of the host waits longer
     * than that and two steps of what runs, or 16 steps where they differ much; a step is what
     * lies between two suspending calls. */
    unsigned slice_us;
    /* How long all bight_defer handlers of one task may take together; default 0: without a
     * limit. */
    int64_t cleanup_timeout_ms;
    /* File descriptor number up to which libuv's table of watchers is grown at the start, because
     * libuv aborts when it cannot grow it later; default: the soft limit of open files, at most
     * 16,382. */
    unsigned watchers;
    /* The file descriptor to write a line to when a task overflows its stack, before the process
     * dies of it as it would anyway: the task, where it was spawned, the size of its stack. This
     * installs a SIGSEGV handler, which chains to the one before, and an alternate signal stack for
     * the thread, unless it has one. Default 0: no handler; 2 is the terminal. */
    int overflow_fd;
    /* A signal, such as SIGINT, that cancels main when it arrives: bight_run then returns
     * BIGHT_EINTR if main gave way; otherwise, and when main was being cancelled anyway, it returns
     * what main returned. A second arrival, and one after main has ended, has the signal's default
     * action. While main may be interrupted the runtime is not taken for deadlocked. Not for
     * bight_attach, whose host owns the signals: BIGHT_EINVAL. Default 0: none. */
    int interrupt_signal;
    /* Report what blocks the loop for this long at a time, or longer: see BIGHT_REPORT_SLOW_TURN.
     * The user's own libuv callbacks are not measured. Default 0: nothing is measured; measuring
     * costs two readings of the clock and one more switch for each step. */
    unsigned slow_ms;
    /* Measure from the start: see bight_runtime_set_measuring. */
    bool measure;
    /* Called on the loop's thread, outside of tasks or in the task concerned; must not suspend.
     * `report` is valid during the call. Default: nothing is reported and nothing printed. */
    void (*on_report)(void *arg, const struct bight_report *report);
    void *on_report_arg;
    /* With slow_ms: a real-time signal, SIGRTMIN to SIGRTMAX, by which the runtime interrupts its
     * thread in a turn that has lasted for slow_ms. The report then has the places where the turn
     * was: see bight_report.places, and docs/seeing.md for what they need. The signal is the
     * runtime's as long as it lives; several may share one. A system call that blocks in that turn
     * may end with EINTR. It costs a reading of the clock for each turn, and a timer of the kernel.
     * Another number is BIGHT_EINVAL. Default 0: none. */
    int slow_signal;
    /* BIGHT_CHECK_ flags, or-ed; default 0. An unknown one is BIGHT_EINVAL. */
    unsigned checks;
    /* With BIGHT_CHECK_CANCELS: how long a task may go on; default 1,000. */
    unsigned late_ms;
};

/** Run `fn(arg)` as the main task on a loop of its own and return when it and everything it started
 *  has ended: what main left running is cancelled and joined. The loop's resources are probed
 *  first, so that a lack of threads, descriptors or memory is an error here rather than an abort
 *  inside libuv.
 *
 *  @return what fn returned; BIGHT_EINTR when bight_runtime_options.interrupt_signal ended it;
 *          BIGHT_ESTALLED when every task waited for another; BIGHT_EALREADY when this thread has a
 *          runtime; BIGHT_EINVAL without fn; BIGHT_ENOMEM, BIGHT_EMFILE, BIGHT_EAGAIN and the like
 *          when the runtime cannot start.
 *  Thread: any that has no runtime.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_run(int (*fn)(void *arg), void *arg);

/** bight_run with options; NULL for the defaults.
 *
 *  @return as bight_run.
 *  Thread: any that has no runtime.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_run_with(const struct bight_runtime_options *options,
                                              int (*fn)(void *arg), void *arg);

/** Drain all tasks of this thread's runtime, as bight_scope_drain does those inside a scope; tasks
 *  that are spawned later drain from the start. It can be called outside of tasks, such as from a
 *  callback of the host that is about to detach. A runner's next run begins without.
 *
 *  @return 0, also when it drains already; BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_runtime_drain(void);

/** Write a readable tree of all tasks of this thread's runtime, each with what it waits for, in
 *  pieces to `write`. It can be called from a debugger too.
 *
 *  @return 0; BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_dump(void (*write)(void *arg, const char *text, size_t bytes), void *arg);

/** bight_dump to a file descriptor, 2 for the terminal.
 *
 *  @return 0; BIGHT_ENORUNTIME; the error of write(2).
 *  Suspends: no, though write(2) may block.
 */
BIGHT_API int bight_dump_fd(int fd);

struct bight_runtime_stats {
    /* Tasks that have not ended; those of them that are ready to run, the calling one not among
     * them. */
    size_t live;
    size_t ready;
    /* Since the start: tasks, and runs of ready tasks between two entries of libuv. */
    uint64_t spawned;
    uint64_t slices;
    /* Stacks with memory: in use and kept warm. */
    size_t stacks_used;
    size_t stacks_cached;
    /* Armed timers. */
    size_t timers;
    /* Since the start: how often a task began to run, for the first time or again. */
    uint64_t turns;
    /* Tasks that wait; bight_runtime_count_parked says for what. Of these waits, those that
     * something outside of the runtime ends: a descriptor, a thread, a signal. */
    size_t parked;
    size_t outside;
    /* Calls that are queued, whose time has come, and posts that the loop has not seen yet. */
    size_t calls;
    size_t posts;
    /* From here: of the time in which it was measured, all 0 if that never was; see
     * bight_runtime_set_measuring. */
    bool measuring;
    uint64_t measured_ns;
    /* Of that time: asleep in the kernel until something happens, and in turns of tasks, calls,
     * posts and hooks. */
    uint64_t poll_ns;
    uint64_t turns_ns;
    /* The longest turn, and whose it was: 0 and "" for what was no task's. */
    uint64_t longest_turn_ns;
    uint64_t longest_turn_id;
    char longest_turn_name[BIGHT_TASK_NAME_BYTES];
    /* The most tasks that were ready at the beginning of a turn. */
    size_t ready_longest;
};

/** Counts of this thread's runtime. They cost nothing until they are asked for. Another thread gets
 *  them by a post, for instance by bight_thread_call (mailbox.h).
 *
 *  @return 0; BIGHT_ENORUNTIME; BIGHT_EINVAL without stats.
 */
BIGHT_API int bight_runtime_get_stats(struct bight_runtime_stats *stats);

/** Measure the time in turns and in the kernel for bight_runtime_get_stats from now on, the figures
 *  beginning anew, or stop and keep them as they are. It costs two readings of the clock and one
 *  more switch for each turn, and two readings for each poll. On a host's loop libuv's option
 *  UV_METRICS_IDLE_TIME is set, and stays.
 *
 *  @return 0; BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_runtime_set_measuring(bool on);

/* How many tasks wait for one thing. */
struct bight_parked {
    /* As bight_dump has it: "sleep", "mutex", "join". Lasts as long as the program. */
    const char *name;
    size_t tasks;
};

/** Count the tasks of this thread's runtime that wait by what they wait for, the most first; one
 *  that waits for several things at once counts with the first of them. Where there are more things
 *  than places in `counts`, the last place has the rest, as "other". Walks all tasks.
 *
 *  @return how many places are filled; BIGHT_EINVAL without counts or with a max of 0;
 *          BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_runtime_count_parked(struct bight_parked *counts, size_t max);

/* What tasks that were spawned at one place have used of their stacks. */
struct bight_stack_mark {
    /* For bight_place_describe; NULL: of main, and of the places for which there was no room. */
    const void *spawned_at;
    char name[BIGHT_TASK_NAME_BYTES]; /* of the first such task */
    size_t tasks;                     /* since the start */
    /* The most that one of them has used, and the least that one of them has, in bytes. */
    size_t used;
    size_t bytes;
    /* For bight_spawn_options.stack_bytes: half as much again as was used, rounded up to a size
     * that stacks have, which is a power of two. */
    size_t suggested_bytes;
};

/** Say what the tasks of this thread's runtime have used of their stacks, those that live too, the
 *  most first. It is what they have written to since they began, also between two waits; what was
 *  only reserved or zeroed there does not show. Where there are more places than room in `marks`,
 *  the last mark has the rest, as "others". Walks all tasks and their stacks.
 *
 *  @return how many marks are filled, 0 without BIGHT_CHECK_STACKS; BIGHT_EINVAL without marks or
 *          with a max of 0; BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_runtime_get_stack_marks(struct bight_stack_mark *marks, size_t max);

BIGHT_END_DECLS

#endif
