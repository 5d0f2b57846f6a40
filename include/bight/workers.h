/* Worker processes: an executor whose jobs run in forked processes, so that they use other cores,
 * may crash, and may be killed. docs/workers.md has the contract in full; in short:
 *
 *     int main(int argc, char **argv)
 *     {
 *         int rc = bight_workers_prepare(argc, argv);      // the first line
 *         ...
 *
 * forks a small process, the zygote, while there is nothing in this one that a fork could spoil.
 * All workers are forks of the zygote. A worker inherits standard input, output and error, its
 * channel, and nothing else that is open; it has default signal dispositions and lives in the
 * zygote's process group, out of reach of the terminal's Ctrl-C; it ends when this process does.
 * The zygote and the workers are invisible to this process's wait calls and SIGCHLD. */
#ifndef BIGHT_WORKERS_H
#define BIGHT_WORKERS_H

#include <bight/executor.h>

BIGHT_BEGIN_DECLS

/* What happens to a running job whose caller is cancelled. */
enum bight_executor_cancel {
    /* The job is awaited. */
    BIGHT_EXECUTOR_CANCEL_WAIT,
    /* bight_job_cancelled turns true; after grace_ms the worker gets SIGTERM, and after grace_ms
     * more SIGKILL. A job that returns before counts as done. */
    BIGHT_EXECUTOR_CANCEL_INTERRUPT,
};

/* A limit of setrlimit for workers. */
struct bight_workers_limit {
    /* RLIMIT_AS, RLIMIT_CPU and so on, of <sys/resource.h>. */
    int resource;
    /* What the kernel enforces, and how far a job may raise that; UINT64_MAX: no limit, and a hard
     * limit of 0 is the soft one. Never more than this process may have. */
    uint64_t soft;
    uint64_t hard;
};

enum bight_workers_event_kind {
    /* A worker is initialised and takes jobs. */
    BIGHT_WORKERS_STARTED = 1,
    /* One ended without being told to; `exit_signal` or `exit_status` say how. */
    BIGHT_WORKERS_DIED,
    /* One was let go between jobs, for `reason`; unless it was idle, another takes its place. */
    BIGHT_WORKERS_REPLACED,
    /* The job `def` will be run again, because its worker died in attempt number `attempts`. */
    BIGHT_WORKERS_RETRIED,
    /* The job `def` should have stopped, for `reason`, and goes on: its worker was sent
     * `exit_signal`. */
    BIGHT_WORKERS_STOPPED,
};

enum bight_workers_reason {
    BIGHT_WORKERS_NO_REASON,
    BIGHT_WORKERS_JOBS,      /* jobs_max */
    BIGHT_WORKERS_MEMORY,    /* memory_max_bytes */
    BIGHT_WORKERS_IDLE,      /* idle_ms */
    BIGHT_WORKERS_CANCELLED, /* its caller was cancelled */
    BIGHT_WORKERS_TIME,      /* it ran for longer than it may */
};

/* What has happened to a worker or its job. What does not apply is zero. More fields may follow. */
struct bight_workers_event {
    enum bight_workers_event_kind kind;
    enum bight_workers_reason reason;
    /* The worker; 0 for a job that is run again. */
    int pid;
    int exit_signal;
    int exit_status;
    unsigned attempts;
    const struct bight_job_def *def;
};

/* Zero is the default for every field. */
struct bight_workers_options {
    /* How many processes; default: as many as there are CPUs that this process may use, by
     * its affinity and by the quota of its control groups. At most 1,024. */
    unsigned workers;
    /* Run in each new worker before its jobs, on `init_input`: may open files, load tables and set
     * job->local. A negative return is a failure, and so is its death by anything but SIGKILL:
     * bight_workers_new then fails; a later worker's (one that replaces another) is tried anew a
     * few times, then the executor takes no jobs. */
    const struct bight_job_def *init;
    /* Copied. */
    const void *init_input;
    size_t init_input_bytes;
    /* How many jobs may wait, beyond those that run, before BIGHT_EFULL; default 1,024. */
    size_t queue_max;
    /* How large one input or output may be; default 64 MiB, at least 4 KiB, at most 1 GiB. Each
     * worker has an address range of this and 4 MiB, committed on touch and given back a second
     * after large use. */
    size_t payload_max_bytes;
    /* How often an idempotent job is begun at most; default 3. */
    unsigned attempts_max;
    enum bight_executor_cancel cancel;
    /* See BIGHT_EXECUTOR_CANCEL_INTERRUPT; also how long a worker may take to end when the executor
     * ends. Default 1,000. */
    int64_t grace_ms;
    /* How long a job may wait while no worker is there and none can be started, for want of
     * processes, memory or descriptors: then it ends with BIGHT_EAGAIN. New attempts to start
     * workers are made for ever. Default 0: no limit. */
    int64_t start_ms;
    /* How many jobs a worker may hold at a time: the one that runs, and those behind it, which
     * begin without a wake-up. A job that writes where it should not can spoil those of its own
     * worker. With 1 it is alone, and spoils itself. Default 16, at most 256. */
    unsigned ahead;
    /* Write checksums of inputs and outputs into the ring, and check them. An input that another
     * job has written over is not run there, but by another worker; a result that was written over
     * is not handed out: its job ends with BIGHT_EUNKNOWNOUTCOME, or is run again if it is
     * idempotent. The worker is killed. Costs both sides one pass over each payload. */
    bool checksums;
    /* For how long a worker that has nothing to do looks for a job before it sleeps, at most
     * 1,000,000: what comes in that time begins without a wake-up. It keeps a CPU busy meanwhile,
     * and is as slow to notice that its executor ends; so it is for a few workers, on CPUs that
     * nobody else wants. The loop then looks for results before it sleeps. Default 0: some tens of
     * microseconds, and none where there are as many workers as CPUs. */
    unsigned spin_us;
    /* How much nicer workers are than the loop's thread was at their start, 0 to 39: the kernel
     * prefers others to them where there are more than CPUs. */
    int nice;
    /* Each worker runs on one CPU of those that this process may use: the first worker on the
     * first, and so on, around. Where the kernel refuses, it runs on any. */
    bool pin;
    /* Taken on by each worker before its initialiser, beyond what it has of this process. A job
     * that meets one fails, or its worker is killed (RLIMIT_CPU: SIGXCPU). Copied. */
    const struct bight_workers_limit *limits;
    size_t limit_count;
    /* How many jobs a worker runs at most; then another one takes its place, which is started while
     * the last of them runs. Default 0: no limit. */
    uint64_t jobs_max;
    /* A worker that has more resident memory after a job, not counting what it shares (its channel,
     * files), runs no further one, and another takes its place. What the program had at prepare
     * counts, so it must be more than that. Default 0: no limit. */
    size_t memory_max_bytes;
    /* So many start at once and do not end for want of work; the others start when jobs wait.
     * Default 0: none, but with idle_ms 0 too all of them start at once and stay. */
    unsigned workers_least;
    /* How long a worker beyond the least stays without work, by the loop's clock; default 10,000,
     * negative: for ever. */
    int64_t idle_ms;
    /* Told of what happens to workers, for logs and counts: called on the loop's thread, outside of
     * tasks. It must not suspend. */
    void (*on_event)(void *event_arg, const struct bight_workers_event *event);
    void *event_arg;
};

/** Fork the zygote. Call it as the first line of main, while the process has one thread and nothing
 *  open that matters. In a process that was re-executed to be a new zygote this does not return.
 *
 *  The zygote holds copies of standard input, output and error until this process ends.
 *
 *  @return 0; BIGHT_EALREADY; BIGHT_ENOTPREPARED when there are threads already; BIGHT_EAGAIN,
 *          BIGHT_ENOMEM, BIGHT_EMFILE and the like when it cannot be forked.
 *  Thread: any, as long as it is the only one.  Ownership: keeps argv[0] for ever.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_workers_prepare(int argc, char **argv);

/* Zero is the default for every field. */
struct bight_workers_prepare_options {
    /* Workers keep the ids, groups and capabilities that this process has now. Otherwise they take
     * on those that it has when they start, and so do the zygote and its keeper, for good. */
    bool keep_privileges;
    /* For a plugin, or whoever else has no say in main: the path of the loaded shared library that
     * holds the definitions of the jobs. Workers are then copies of a small program that loads it,
     * and the call may be made at any time, also among threads. Constructors of the library run
     * there too; they must not start threads. NULL: workers are copies of this program. */
    const char *library;
    /* The path of that program; NULL: the bight-zygote that was installed with the shared library,
     * also in a prefix that was moved; with the archive, the one in the prefix of its build. Any
     * program of the same version of bight will do whose main begins with bight_workers_prepare. */
    const char *helper;
};

/** bight_workers_prepare with options; NULL: the defaults.
 *
 *  @return as there; with `library` also BIGHT_ENOENT when no such file is loaded, or the helper is
 *          not there, and never BIGHT_ENOTPREPARED; BIGHT_EINVAL for `helper` without `library`.
 *          Whether the helper can load the library shows in bight_workers_new: BIGHT_ENOENT,
 *          -ENOEXEC, BIGHT_ENOTSUP when it is of another version of bight, BIGHT_EBUSY when the
 *          library starts threads. BIGHT_EALREADY also when there are options, and
 *          bight_workers_new has made a zygote without them.
 *  Thread: any; without `library`, as long as it is the only one.
 *  Ownership: borrows options and its strings; keeps argv[0] for ever.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_workers_prepare_with(int argc, char **argv,
                           const struct bight_workers_prepare_options *options);

/** Make an executor of worker processes and wait until those that start at once are initialised.
 *  Without bight_workers_prepare it can do so only while the process has one thread, by forking the
 *  zygote now; it is not replaced when its keeper dies while there are threads.
 *
 *  @return 0; BIGHT_ENOTPREPARED: call bight_workers_prepare(argc, argv) as the first line of main;
 *          BIGHT_EINITFAILED: the initialiser failed; BIGHT_EUNKNOWNJOB: the initialiser is not a
 *          static definition that the worker has; BIGHT_EWORKERDIED: workers die at their start;
 *          BIGHT_EFBIG: RLIMIT_FSIZE is below the memory of a worker; BIGHT_ECANCELED;
 *          BIGHT_EINVAL; BIGHT_ENOMEM, BIGHT_EMFILE and the like; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED after the workers have ended, within about grace_ms.
 *  Allocates: the executor and its workers.  Thread: the loop's.
 *  Ownership: borrows options; gives *out, to be ended with bight_executor_end in the same runtime.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_workers_new(struct bight_executor **out,
                                                 const struct bight_workers_options *options);

/** Write the process ids of the workers that take jobs now to `pids`, at most `count` of them.
 *
 *  @return how many there are; BIGHT_EINVAL when it is not made of workers.
 */
BIGHT_API int bight_workers_pids(const struct bight_executor *executor, int *pids, size_t count);

BIGHT_END_DECLS

#endif
