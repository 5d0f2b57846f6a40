/* An executor of worker processes, as the host keeps it. Everything here is touched on the loop's
 * thread only. A file calls only those below it:
 *
 *   workers.c    the public calls: open, close, stats
 *   job_process.c  a job in a process of its own: also above workers.c
 *   execution.c  from the caller into the queue, and cancellation
 *   fleet.c      how many workers there are, their deaths, the line to the zygote
 *   interrupt.c  signals to workers, jobs that should stop
 *   hire.c       making a worker
 *   settings.c   what it is to make of itself
 *   turnover.c   which workers end though nothing is wrong with them, how many there should be
 *   harvest.c    rings -> results: the only place that reads what workers write
 *   post.c       queue -> rings
 *   fill.c       large inputs -> rings, a piece in each turn of the loop
 *   outputs.c    what comes over the socket of a channel
 *   report.c     progress of jobs
 *   limit.c      how long a job may run
 *   shares.c     segments that workers share: shares.h
 *   trim.c       unused memory of rings -> the system
 *   state.c      what each of them may change: ends of executions, phases of workers
 *   rank.c       which worker gets the next job
 *
 * Invariants: an execution is in the queue (its worker is NULL) or in exactly one worker's ring,
 * until execution_end; `pool->base.jobs` counts those in either. A worker is in
 * pool->workers from its start until the zygote has said that it ended. Slots are counted as posted
 * up to the first whose input is not complete; a worker that has such a slot is in pool->filling.
 */
#ifndef BIGHT_OFFLOAD_POOL_POOL_H
#define BIGHT_OFFLOAD_POOL_POOL_H

#include <bight/hook.h>
#include <bight/time.h>
#include <bight/workers.h>

#include "offload/executor.h"
#include "offload/pool/registry.h"
#include "offload/pool/shares.h"
#include "offload/watch.h"
#include "offload/wire/channel.h"

/* Arenas are multiples of it: the largest page of the platforms we know. */
#define ARENA_UNIT ((uint64_t)64 << 10)
#define WORKERS_MAX 1024u
#define RANKS 32u

struct pool;
struct worker;

/* What the pool keeps of an execution, in its record: one that a caller has, or the run of the
 * initialiser, which its worker has. */
struct execution {
    struct bight_link link; /* the place in pool->queue */
    struct worker *worker;  /* whose ring it is in */
    uint64_t position;      /* in that ring */
    uint64_t since_ns;      /* it waits for a worker; known only if that has a limit */
    uint32_t number;        /* of the definition */
    unsigned returned;      /* how often a worker died with it and may or may not have begun it */
    bool unwanted;          /* the caller was cancelled while the job ran */
    bool late;              /* the job has run for as long as it may */
    bool counted;           /* among executor->jobs */
};

_Static_assert(sizeof(struct execution) <= sizeof(((struct bight_execution *)NULL)->kind),
               "it fits into the record");

static inline struct execution *execution_of(const struct bight_execution *record)
{
    return (struct execution *)(uintptr_t)record->kind;
}

static inline struct bight_execution *record_of(const struct execution *execution)
{
    return container_of((uint64_t *)(uintptr_t)execution, struct bight_execution, kind);
}

enum worker_phase {
    WORKER_STARTING, /* the zygote forks it, and it runs the initialiser */
    WORKER_READY,
    WORKER_LEAVING, /* its channel is closed, so it will leave by itself */
    WORKER_DOOMED,  /* SIGKILL is on its way */
};

/* What the host itself knows about a slot in use, whatever the worker wrote there. */
struct seat {
    struct execution *execution; /* NULL: withdrawn */
    uint64_t arena_at;           /* of the input; UINT64_MAX: in the slot */
    uint32_t define_bytes;       /* of the definition before it */
    uint32_t missing;            /* bytes of the input, its last ones, that are not there yet */
    uint64_t sum;                /* with checksums: of what is there */
};

struct worker {
    struct bight_link link;
    struct pool *pool;
    uint64_t serial;
    int pid; /* 0 until the zygote has said it */
    enum worker_phase phase;
    bool able;      /* it has started, and the initialiser, if any, has run */
    bool was_ready; /* it has been WORKER_READY at some time */
    bool expected;  /* we are the cause of its end */
    bool ended;     /* the process has ended: its ring shows the past */
    bool scribbled; /* it broke the protocol: nothing in its ring is believed any more */
    bool spoiled;   /* it has found a job that was written over, and runs no more */
    bool grown;     /* it has more memory than it may */
    bool going;     /* it runs its last job, or has left after that */
    unsigned place; /* with options.pin: which CPU it runs on */
    enum bight_workers_reason why; /* it goes */
    struct watch *watch;
    struct channel *channel;
    size_t map_bytes;
    uint64_t input_arena; /* offsets of the arenas; those in the channel are not read */
    uint64_t output_arena;
    uint64_t head; /* next position to use */
    uint64_t
        posted;    /* positions before it are counted in the channel; at it an input is filled in */
    uint64_t tail; /* oldest position in use */
    struct bight_link filling; /* its place in pool->filling */
    struct bight_link untold;  /* its place in pool->untold */
    struct bight_link ranked;  /* its place in pool->ranks */
    unsigned rank;             /* which list that is, from 1 on; 0: none, it can take no job */
    uint32_t load;             /* seats that have an execution */
    struct seat seats[CHANNEL_SLOTS];
    struct arena arena;             /* of inputs */
    uint32_t pieces[CHANNEL_SLOTS]; /* where the pieces of `arena` begin: a ring */
    uint32_t oldest_piece;
    uint32_t placed;     /* how many files of inputs it was sent */
    uint64_t used_bytes; /* how far it was used since memory was last given back */
    struct bight_timer trim;
    int outputs[CHANNEL_SLOTS]; /* descriptors that came for slots in use: a ring */
    uint32_t first_output;
    uint32_t output_count;
    uint32_t reports_taken; /* bytes, since the start */
    bool listened;          /* something has come from the worker */
    uint32_t known_below;   /* the worker knows all definitions with lower numbers */
    unsigned char *known;   /* by number of definition: 1 if the worker knows it */
    uint32_t known_room;
    struct worker_shares shares;
    struct execution *interrupted; /* the running job, which should stop */
    bool told_to_stop;             /* SIGTERM was sent because of it */
    bool init_began;               /* known once it has ended */
    struct bight_timer grace;
    uint64_t served;          /* jobs whose results have been taken */
    uint64_t idle_since_ns;   /* while it has no job; known only if workers end then */
    struct bight_timer limit; /* how long the oldest job may run, if that has a limit */
    bool limiting;            /* `limit` is armed */
    uint64_t limited;         /* and this is the position of that job */
    struct bight_execution init;
};

struct pool {
    struct bight_executor base;
    struct bight_runtime *runtime;
    struct bight_link link;               /* of the runtime's pools */
    struct bight_workers_options options; /* with defaults filled in */
    uint64_t arena_bytes;                 /* of inputs */
    uint64_t output_arena_bytes;
    uint32_t spins;
    struct channel_settings settings; /* what all workers have of them */
    struct registry registry;
    struct spares *spares; /* the runtime's */
    struct shares shares;
    int64_t init_number;
    struct bight_link workers;
    unsigned count;            /* of workers */
    unsigned ready;            /* of them, those that are WORKER_READY */
    unsigned forking;          /* those about which the zygote has not answered yet */
    unsigned going;            /* those that will be gone soon, though nothing is wrong with them */
    unsigned least;            /* so many are kept, whatever there is to do */
    bool turns_over;           /* some may go */
    bool elastic;              /* more than the least are there on demand */
    bool watches;              /* there is more to a new job than to find it a worker */
    bool limits;               /* there was a job that may not run for as long as it likes */
    struct bight_hook looker;  /* with options.spin_us: before the loop sleeps */
    struct bight_timer idling; /* when a worker may have had nothing to do for long enough */
    struct bight_link queue;
    struct bight_link filling;      /* workers with slots whose inputs are not complete */
    struct bight_link untold;       /* workers that have not been told of their last slots */
    struct bight_link ranks[RANKS]; /* workers that can take a job: see rank.c */
    uint32_t ranks_used;            /* a bit for each list that is not empty */
    struct bight_timer filler;      /* the next piece of them */
    struct watch *line;             /* to the zygote; NULL while there is none */
    bool line_stuck;                /* it has failed and has not been closed yet */
    int zygote_pid;
    unsigned zygote_generation;
    uint64_t serial;              /* of the last worker */
    unsigned failures;            /* workers or zygotes in a row that never came to run a job */
    unsigned init_failures;       /* of them, the initialiser's own */
    int failure;                  /* the code of the last of these failures */
    int init_failure;             /* and of the last of the initialiser's */
    int init_code;                /* what the initialiser returned then */
    uint64_t none_since_ns;       /* no worker is ready; known only if jobs wait with a limit */
    struct bight_timer patience;  /* when a job may have waited too long for one */
    int broken;                   /* the code that every execution gets, or 0 */
    bool dismissed;               /* the workers have been let go */
    bool impatient;               /* and have then been killed */
    struct bight_waiter *awaited; /* the task that opens or closes the pool */
    struct bight_timer hearing;   /* while it closes: when to look whether the zygote reads */
    unsigned unheard;             /* how often in a row it had not */
    struct bight_timer timer;     /* the next attempt to start workers, or the end of the grace */
    bool alone;     /* its worker has the job that it is for: no other one is started */
    int end_status; /* of the last worker that ended, as wait(2) has it */
    struct bight_job_process *process; /* for whose sake there is this pool, or NULL */
    void (*look)(struct pool *pool);   /* called when the process may be over */
    void (*free_process)(struct pool *pool);
    uint64_t started;
    uint64_t died;
    uint64_t zygotes_died;
};

static inline struct pool *pool_of(const struct bight_executor *executor)
{
    return container_of((struct bight_executor *)(uintptr_t)executor, struct pool, base);
}

static inline struct channel_slot *worker_slot(const struct worker *worker, uint64_t position)
{
    return channel_slot(worker->channel, worker->pool->settings.slots, position);
}

static inline const struct bight_seams *pool_seams(const struct pool *pool)
{
    return &pool->runtime->sched.seams;
}

static inline void pool_disarm(struct pool *pool, struct bight_timer *timer)
{
    struct bight_sched *sched = &pool->runtime->sched;

    sched->driver->disarm(sched, timer);
}

/* A delay that ends after the last instant of the clock never ends. */
static inline void pool_arm(struct pool *pool, struct bight_timer *timer, int64_t delay_ms)
{
    struct bight_sched *sched = &pool->runtime->sched;
    uint64_t when_ns = ns_after(bight_now_ns(), delay_ms);

    if (when_ns != UINT64_MAX)
        sched->driver->arm(sched, timer, when_ns);
    else
        pool_disarm(pool, timer);
}

/* workers.c */
/* Make a pool and wait until its workers are ready; they are called `name`, unless it is NULL. */
int bight__pool_open(struct pool **out, const struct bight_workers_options *options,
                     const char *name);
/* Wait until the pool has ended, and free it. */
void bight__pool_close(struct pool *pool);
void bight__pool_free(struct pool *pool);

/* state.c */
/* Wake the task that opens or closes the pool, if what it waits for has come. */
void bight__pool_progress(struct pool *pool);
/* Whether what that task waits for has come. */
bool bight__pool_settled(const struct pool *pool);
/* The pool is broken: the code that an execution gets; its result may tell more. */
int bight__pool_refusal(const struct pool *pool, struct bight_result *result);
/* End all executions of the queue: because the pool is broken, or none of them will get a worker
 * before the pool ends. */
void bight__executions_refuse(struct pool *pool);
/* An execution is in the queue: see to it that it does not wait too long for a first worker. */
void bight__pool_be_patient(struct pool *pool);
/* pool->patience has fired. */
void bight__pool_patience_over(struct bight_timer *timer);
/* A caller's execution is over. */
static inline void execution_left(struct pool *pool)
{
    bight__executor_freed(&pool->base);
    if (unlikely(pool->awaited || pool->look))
        bight__pool_progress(pool);
}
/* The execution is over. Its record is not touched afterwards. */
static inline void execution_end(struct execution *execution, int rc)
{
    struct bight_execution *record = record_of(execution);

    execution->worker = NULL;
    if (likely(execution->counted))
        execution_left(pool_of(record->executor));
    record->ended(record, rc);
}
/* Its job was found to be written over, and was not run: run it elsewhere or end it. */
void bight__execution_spoiled(struct execution *execution);
/* Put an execution that was taken back from a worker in front of the queue. */
void bight__execution_requeue(struct execution *execution);
/* Its worker has ended, as `status` says, without ending the execution; `began`: the job was
 * running. Run it again elsewhere or end it. To be called from the newest to the oldest. */
void bight__execution_orphaned(struct execution *execution, bool began, int status);
/* Tell the host of it. To be called outside of tasks. */
static inline void bight__pool_tell(const struct pool *pool,
                                    const struct bight_workers_event *event)
{
    if (pool->options.on_event)
        pool->options.on_event(pool->options.event_arg, event);
}
void bight__worker_phase(struct worker *worker, enum worker_phase phase);

/* fill.c */
/* How large an input may be that is copied at once. */
#define FILL_BYTES ((size_t)1 << 20)
/* The last slot has been filled in but for `seat->missing` bytes of its input. */
void bight__fill_begin(struct worker *worker);
/* The worker may sleep, and there are slots for it: once for all that are filled in a row. */
void bight__fill_tell(struct worker *worker);
/* pool->filler has fired. */
void bight__fill_timer(struct bight_timer *timer);
/* The job of a slot that is not complete is withdrawn: nothing more of its input is read. */
void bight__fill_revoke(struct worker *worker, uint64_t position);
/* The worker may be waiting for `what`, SLEEPS_*. */
void bight__wake_if_asleep(struct worker *worker, uint32_t what);

/* trim.c */
/* A piece of the arena of inputs, up to its byte `used_bytes`, is used. */
void bight__trim_later(struct worker *worker, uint64_t used_bytes);
/* worker->trim has fired. */
void bight__trim_timer(struct bight_timer *timer);

/* rank.c */
/* The worker has got jobs, has given some away or back, or can take some from now on or no more:
 * find its place in pool->ranks. */
void bight__rank(struct worker *worker);
/* How many jobs the worker, which is the first, gets before it is another one's turn. */
uint32_t bight__rank_run(const struct worker *worker);

/* post.c */
/* Give queued jobs to workers. */
void bight__pool_pump(struct pool *pool);
/* Put `execution` into the worker's ring, where a slot is free; the worker is not told of it. False
 * when it does not fit now. */
bool bight__post(struct worker *worker, struct execution *execution);
/* Take back a job that the worker has not begun; false when it has. */
bool bight__unpost(struct execution *execution);
/* Take back at most `count` such jobs of the worker, newest first, into the queue. */
void bight__unpost_some(struct worker *worker, uint32_t count);
/* The worker has nothing to do: give it jobs that wait in another one's ring. */
void bight__balance(struct worker *idle);

/* outputs.c */
/* Receive from the worker. False at the channel's end, or when it sent what it should not. */
bool bight__outputs_listen(struct worker *worker);
/* The descriptor of an output of `bytes` that has been sent; *out is negative when this process had
 * no room for it. False when there is none, or another one than it should be. */
bool bight__outputs_take(struct worker *worker, uint64_t bytes, int *out);
/* Make that descriptor the result's output, and close it. */
int bight__output_map(const struct pool *pool, int fd, size_t bytes, struct bight_result *result);
/* Close the descriptors that nobody has taken. */
void bight__outputs_drop(struct worker *worker);

/* report.c */
/* Hand out the progress that the worker's jobs have reported. False when the worker broke the
 * protocol. */
bool bight__reports_take(struct worker *worker);

/* harvest.c */
/* Take the results of a worker. False when it has to be killed: then it has scribbled or is
 * spoiled, as it says itself. */
bool bight__harvest(struct worker *worker);

/* turnover.c */
/* Whether another worker should be started. */
bool bight__turnover_wants(const struct pool *pool);
/* Have one started in the next turn of the loop, if it should be. */
void bight__turnover_demand(struct pool *pool);
/* The worker has got jobs. The last of them may be its last one. */
void bight__turnover_posted(struct worker *worker);
/* Its results have been taken, or it has become ready: let it go if it is time. */
void bight__turnover_look(struct worker *worker);
/* pool->idling has fired. */
void bight__turnover_idle(struct bight_timer *timer);

/* settings.c */
bool bight__settings_valid(const struct bight_workers_options *options);
/* Copy what the options only point to. */
void bight__settings_keep(struct pool *pool);
/* Choose those of a new worker. */
void bight__settings_write(struct worker *worker, struct channel_settings *settings);

/* interrupt.c */
/* By way of the zygote, if it listens; later otherwise, or never if the worker has ended. */
void bight__worker_signal(struct worker *worker, int number);
/* Kill it, and hear of it no more. */
void bight__worker_doom(struct worker *worker);
/* The running job of the execution should stop: begin what BIGHT_EXECUTOR_CANCEL_INTERRUPT says. */
void bight__fleet_interrupt(struct execution *execution);
/* Some workers have left, for which others have waited. */
void bight__fleet_admit(struct pool *pool);
/* Kill the workers that run jobs. */
void bight__fleet_kill(struct pool *pool);
/* Take the results of a worker outside of its turn; false when it broke the protocol and dies. */
bool bight__fleet_look(struct worker *worker);
/* worker->grace has fired. */
void bight__fleet_grace_over(struct bight_timer *timer);

/* hire.c */
/* What a worker calls in its life. */
struct worker_callbacks {
    void (*heard)(void *worker); /* the channel's socket can be read */
    void (*grace_over)(struct bight_timer *grace);
    void (*initialised)(struct bight_execution *init, int rc);
};
/* Ask for one more worker; there is a line to the zygote. */
int bight__worker_start(struct pool *pool, const struct worker_callbacks *callbacks);
/* Forget a worker; nothing is left in its ring. */
void bight__worker_free(struct worker *worker);

/* fleet.c */
/* See to it that there is a line to the zygote. */
int bight__fleet_connect(struct pool *pool);
/* Start workers until there are as many as wanted. */
void bight__fleet_fill(struct pool *pool);
/* The pool is closing: whoever waits for a worker that cannot be started need not any more. */
void bight__fleet_hurry(struct pool *pool);
/* pool->hearing has fired. */
void bight__fleet_hearing(struct bight_timer *timer);
/* Let the workers go; pool->awaited is woken when the last one has gone. */
void bight__fleet_dismiss(struct pool *pool);
/* pool->looker is called. */
void bight__fleet_looker(struct bight_hook *hook);
/* pool->timer has fired. */
void bight__fleet_timer(struct bight_timer *timer);
/* Drop everything without waiting; no executions are left. */
void bight__fleet_abandon(struct pool *pool);

/* workers.c */
/* The pool that an executor is; NULL: it is of another kind. */
struct pool *bight__pool_of(const struct bight_executor *executor);

/* execution.c: of the executor's table. */
extern const struct bight_waiter_ops bight__pool_wait;
int bight__pool_begin(struct bight_executor *executor, struct bight_execution *record);
bool bight__pool_withdraw(struct bight_executor *executor, struct bight_execution *record);
void bight__pool_describe(const struct bight_execution *record, char *text, size_t text_bytes);
/* End with BIGHT_ECLOSED what no worker has begun. */
void bight__pool_empty(struct pool *pool);

/* limit.c */
/* limit_watch() where jobs have such limits. */
void bight__limit_watch(struct worker *worker);
/* The oldest job of the worker, or what is known of it, has changed. */
static inline void limit_watch(struct worker *worker)
{
    if (unlikely(worker->pool->limits))
        bight__limit_watch(worker);
}
/* worker->limit has fired. */
void bight__limit_over(struct bight_timer *timer);

#endif
