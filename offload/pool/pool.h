/* An executor of worker processes, as the parent keeps it. Everything here is touched on the loop's
 * thread only.
 *
 *   workers.c  the public calls: open, close, stats
 *   calls.c    a call's life: queue, cancellation, end
 *   post.c     queue -> rings: which worker gets which job
 *   harvest.c  rings -> results: the only place that reads what workers write
 *   start.c    making a worker
 *   fleet.c    how many workers there are, their deaths, interrupts, the line to the zygote
 *
 * Invariants: a call is in the queue (call->worker is NULL) or in exactly one worker's ring, until
 * bight__call_end; `pool->jobs` counts the calls in either. A worker is in pool->workers from its
 * start until the zygote has said that it ended. */
#ifndef BIGHT_OFFLOAD_POOL_POOL_H
#define BIGHT_OFFLOAD_POOL_POOL_H

#include <bight/time.h>
#include <bight/workers.h>

#include "offload/wire/channel.h"
#include "offload/executor.h"
#include "offload/pool/registry.h"
#include "offload/pool/watch.h"
#include "offload/child/zygote.h"

struct pool;
struct worker;

/* One bight_execute, on the stack of its caller, or a worker's run of the initialiser, in it. */
struct call {
    struct bight_waiter waiter; /* its link is the place in pool->queue */
    void (*ended)(struct call *call);
    struct pool *pool;
    const struct bight_job_def *def;
    uint32_t number; /* of the definition */
    const void *input;
    size_t input_bytes;
    struct bight_result *result;
    struct worker *worker; /* whose ring it is in */
    uint64_t position;     /* there */
    int rc;
    unsigned returned; /* how often it came back from a dead worker, begun or not is unsure */
    bool unwanted;     /* the caller was cancelled while the job ran */
};

enum worker_phase {
    WORKER_STARTING, /* the zygote forks it, and it runs the initialiser */
    WORKER_READY,
    WORKER_LEAVING, /* its channel is closed, it will leave by itself */
    WORKER_DOOMED,  /* SIGKILL is on its way */
};

/* What the parent knows by itself of a slot that is in use. */
struct seat {
    struct call *call; /* NULL: withdrawn */
    uint64_t arena_at; /* of the input; UINT64_MAX: in the slot */
};

struct worker {
    struct bight_link link;
    struct pool *pool;
    uint64_t serial;
    int pid; /* 0 until the zygote has told */
    enum worker_phase phase;
    bool able;      /* it has started, and is initialised if it has to be */
    bool was_ready; /* it has taken jobs */
    bool expected;  /* its end is our doing */
    bool ended;     /* so it has: what its ring says is about the past */
    bool scribbled; /* it broke the protocol: what its ring says means nothing */
    struct watch *watch;
    struct channel *channel;
    size_t map_bytes;
    uint64_t input_arena; /* offsets; what the channel itself says of them is not read */
    uint64_t output_arena;
    uint64_t head; /* next position to fill */
    uint64_t tail; /* oldest position in use */
    uint32_t load; /* seats in use that have a call */
    struct seat seats[CHANNEL_SLOTS];
    /* Inputs; where its pieces begin, a ring. */
    struct arena arena;
    uint32_t pieces[CHANNEL_SLOTS];
    uint32_t oldest_piece;
    uint64_t large_bytes; /* how far arenas were used since they were last given back */
    unsigned char *known; /* by number of definition: the worker knows it */
    uint32_t known_count;
    struct call *interrupted; /* the running job, which should stop */
    bool told_to_stop;        /* and has got SIGTERM */
    struct bight_timer grace;
    struct call init;
    struct bight_result init_result;
};

struct pool {
    struct bight_executor base;
    struct bight_runtime *runtime;
    struct bight_link link;               /* of the runtime's pools */
    struct bight_workers_options options; /* with defaults filled in */
    uint64_t arena_bytes;
    uint32_t spins;
    struct registry registry;
    int64_t init_number;
    struct bight_link workers;
    unsigned count; /* of them */
    unsigned ready;
    unsigned forking; /* that the zygote was asked for and has not answered about */
    struct bight_link queue;
    size_t jobs;
    struct watch *line; /* to the zygote; NULL while there is none */
    bool line_stuck;    /* it has failed, but nobody has ended it */
    int zygote_pid;
    unsigned zygote_generation;
    uint64_t serial;              /* of the last worker */
    unsigned failures;            /* of workers or zygotes in a row that never came to run a job */
    int failure;                  /* what the last of them failed with */
    int init_code;                /* what the initialiser returned then */
    int broken;                   /* the code that every call gets, or 0 */
    bool closing;                 /* takes no more calls */
    bool dismissed;               /* the workers have been let go */
    bool impatient;               /* and then killed */
    struct bight_waiter *awaited; /* of the task that opens or closes the pool */
    struct bight_timer timer;     /* the next attempt to start workers, or the end of the grace */
    uint64_t ended;
    uint64_t started;
    uint64_t died;
    uint64_t zygotes_died;
};

static inline const struct bight_seams *pool_seams(const struct pool *pool)
{
    return &pool->runtime->sched.seams;
}

static inline void pool_disarm(struct pool *pool, struct bight_timer *timer)
{
    struct bight_sched *sched = &pool->runtime->sched;

    sched->host->disarm(sched, timer);
}

/* A delay that no clock will see the end of is never. */
static inline void pool_arm(struct pool *pool, struct bight_timer *timer, int64_t delay_ms)
{
    struct bight_sched *sched = &pool->runtime->sched;
    uint64_t now = bight_now_ns();

    if ((uint64_t)delay_ms < (UINT64_MAX - now) / 1000000)
        sched->host->arm(sched, timer, now + (uint64_t)delay_ms * 1000000);
    else
        pool_disarm(pool, timer);
}

/* calls.c */
int bight__call_run(struct pool *pool, struct call *call);
void bight__call_end(struct call *call, int rc);
/* The call's worker has ended, as `status` says, without ending the call; `began`: its job was
 * running. Run it again elsewhere or end it. To be called from the newest to the oldest. */
void bight__call_orphaned(struct call *call, bool began, int status);
/* Put a call that was taken back in front of the queue. */
void bight__call_requeue(struct call *call);
/* The pool is broken: end all calls of the queue. */
void bight__calls_refuse(struct pool *pool);

/* post.c */
/* Give queued jobs to workers. */
void bight__pool_pump(struct pool *pool);
/* Put `call` into the worker's ring. False when it does not fit now. */
bool bight__post(struct worker *worker, struct call *call);
/* Take back a job that the worker has not begun; false when it has. */
bool bight__unpost(struct call *call);
/* Take back all such jobs of the worker, newest first, at most `count`, into the queue. */
void bight__unpost_some(struct worker *worker, uint32_t count);
/* The worker may be waiting for slots to be freed. */
void bight__wake_for_room(struct worker *worker);
/* The worker has nothing to do: give it jobs that wait in another one's ring. */
void bight__balance(struct worker *idle);

/* harvest.c */
/* Take the results of a worker. False when the worker broke the protocol. */
bool bight__harvest(struct worker *worker);

/* start.c */
/* Ask for one more worker; there is a line to the zygote. */
int bight__worker_start(struct pool *pool);
/* Forget a worker; nothing is left in its ring. */
void bight__worker_free(struct worker *worker);

/* fleet.c */
void bight__worker_phase(struct worker *worker, enum worker_phase phase);
/* Callbacks of a worker: its channel can be read, its grace is over, its initialiser has ended. */
void bight__fleet_heard(void *arg);
void bight__fleet_grace(struct bight_timer *timer);
void bight__fleet_initialised(struct call *call);
/* Start workers until there are as many as wanted. */
void bight__fleet_fill(struct pool *pool);
/* The running job of the call should stop: begin the steps of BIGHT_CANCEL_INTERRUPT. */
void bight__fleet_interrupt(struct call *call);
/* Let the workers go; pool->awaited is woken when the last one has gone. */
void bight__fleet_dismiss(struct pool *pool);
/* pool->timer's. */
void bight__fleet_timer(struct bight_timer *timer);
/* Drop everything without waiting; no calls are left. */
void bight__fleet_abandon(struct pool *pool);

/* workers.c: the state of a pool that is being opened or closed has changed. */
void bight__pool_progress(struct pool *pool);

#endif
