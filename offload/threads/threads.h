/* An executor of threads:
 *
 *   threads.c   making, ending, counts
 *   job.c       bight_execute: a job, its input, output and cancel flag
 *   call.c      bight_threads_call
 *   owned.c     bight_threads_call_owned
 *   turn.c      the loop's side: calls are collected and handed out, results come back
 *   crew.c      the threads' side: how many there are, when they sleep, what they run
 *   ring.h      where the two sides meet
 *
 * The way of a call. The loop's thread puts it into `collected`; once a turn, and before the loop
 * polls, as many as there is room for go from there into the ring, and a thread is woken if none
 * looks. A thread claims one place at a time, so what waits behind a long call is free for all
 * others. A thread that finds more wakes another one. While calls are brisk that would take longer
 * than to run them: then it is left to the loop to see whether the ring moves, until it sleeps.
 * The thread runs the call and puts it into `returns`, and if the loop is in its poll, or about
 * to be, wakes it: once for all results until the loop has come round. The loop's thread takes all
 * of them and ends the calls. Before it was claimed a call can be withdrawn, by taking it out of
 * its place.
 *
 * Who may touch what: see the sections of struct threads. A caller that was woken does not touch
 * the executor any more: another task may have ended it by then. */
#ifndef BIGHT_OFFLOAD_THREADS_THREADS_H
#define BIGHT_OFFLOAD_THREADS_THREADS_H

#include <pthread.h>

#include <bight/hook.h>
#include <bight/threads.h>

#include "coro/core/source.h"
#include "offload/executor.h"
#include "offload/threads/ring.h"
#include "runtime/runtime.h"

#define THREAD_NAME_BYTES 16

struct thread;
struct owned;

/* Something for a thread to do, in the frame of its caller or in a record of its own. */
struct call {
    /* What the thread reads and writes comes first, in few cache lines. */
    int rc;        /* what `run` left, or why it never ran */
    int init_code; /* with BIGHT_EINITFAILED: what the initialiser returned */
    void (*run)(struct call *call, struct thread *thread);
    int (*fn)(void *arg); /* for bight__call_run */
    void *arg;
    uint32_t cancelled; /* atomic: nobody wants it any more, and a thread has begun it */
    /* The loop's thread only. */
    void (*ended)(struct call *call); /* the call is not touched afterwards */
    struct bight_link link;           /* the place in `collected` */
    uint64_t position;                /* in the ring */
    bool posted;                      /* it has been put there */
};

struct thread {
    struct threads *threads;
    struct bight_link link; /* in threads->sleepers */
    pthread_cond_t cond;
    bool woken; /* taken out of the sleepers */
    unsigned number;
    unsigned measured; /* calls since since_ns */
    uint64_t since_ns;
    void *local;
    _Atomic(struct call *) call; /* which runs, or NULL */
    struct bight_link mate;      /* in threads->crew */
    void *input;                 /* room for the copies of jobs' inputs */
    size_t input_room;
};

/* What the loop does, as far as the threads have to know. */
enum loop_state {
    LOOP_AWAKE,  /* it looks for results before it sleeps */
    LOOP_ASLEEP, /* it may be in its poll */
    LOOP_CALLED, /* `post` is on its way */
};

struct threads {
    struct bight_executor base;
    struct bight_plugin plugin;
    struct bight_runtime *runtime;
    struct bight_threads_options options; /* with defaults filled in; `name` is not kept */
    char name[THREAD_NAME_BYTES];
    unsigned spins;
    pthread_attr_t attr;

    /* The loop's thread only. */
    struct bight_link collected;
    size_t uncounted; /* collected since they were last handed out */
    uint64_t head;    /* of the ring, as it was then */
    size_t posted;    /* of base.jobs: those that have been put into the ring */
    struct bight_hook turn_hook;
    struct bight_hook idle_hook;
    struct owned *spare;        /* records of owned.c */
    size_t abandoned;           /* calls that run and that nobody waits for */
    struct bight_mailbox *held; /* while there are any */
    struct bight_waiter *ender; /* the task that ends the executor */
    bool dismissed;             /* the threads have been told to leave */
    bool orphan;                /* the runtime has ended: `post` is to free the executor */

    /* All threads, without the lock. */
    struct ring ring;
    struct returns returns;
    _Atomic int state;      /* enum loop_state */
    struct bight_post post; /* whoever makes the state LOOP_CALLED posts it */
    char apart[RING_LINE_BYTES];
    atomic_uint sleeping;  /* how many sleepers; written with the lock held */
    atomic_bool brisk;     /* the last calls were so short that waking a thread takes longer */
    atomic_bool spinning;  /* a thread without work looks at the ring */
    atomic_bool reporting; /* there are reports */
    atomic_bool killing;   /* calls that run are to be told that nobody wants them */
    atomic_uint count;     /* threads that take calls or will; written with the lock held */
    atomic_uint idle;      /* of these: those that have no call and will look once more for one */

    /* With the lock held. */
    pthread_mutex_t lock;
    struct bight_link sleepers; /* the last one to sleep first */
    struct bight_link crew;     /* all threads that have not left */
    struct bight_link reports;  /* of progress, in order */
    unsigned report_count;
    pthread_cond_t reported; /* there is room for more of them */
    unsigned ready;          /* of `count`: those that are initialised */
    unsigned alive;          /* threads that have not left yet */
    uint64_t started;
    uint64_t retry_ns; /* after a failure, while others live: no thread is started before that */
    pthread_cond_t gone;
    pthread_t left;
    bool left_one; /* nobody has joined `left` yet */
    bool ending;   /* threads leave when nothing waits */
    bool failed;   /* an initialiser has failed since a thread was last started from none */
    int init_code; /* and returned this */
};

static inline const struct bight_seams *threads_seams(const struct threads *threads)
{
    return &threads->runtime->sched.seams;
}

/* Whether no thread has begun a call that was taken and has not ended. */
static inline bool call_waits(struct threads *threads, const struct call *call)
{
    return !call->posted || ring_has(&threads->ring, call, call->position);
}

/* threads.c */
/* The executor, if it is one of threads and of this runtime. */
int bight__threads_of(struct bight_executor *executor, struct threads **out);
void bight__threads_free(struct threads *threads);

/* Whether what the task that ends the executor waits for has come. */
bool bight__threads_settled(struct threads *threads);

/* call.c: calls `fn`. */
void bight__call_run(struct call *call, struct thread *thread);

/* owned.c */
void bight__threads_free_spare(struct threads *threads);

/* job.c: of the executor's table. */
extern const struct bight_waiter_ops bight__threads_wait;
int bight__threads_begin(struct bight_executor *executor, struct bight_execution *record);
bool bight__threads_withdraw_job(struct bight_executor *executor, struct bight_execution *record);
void bight__threads_describe(const struct bight_execution *record, char *text, size_t text_bytes);

/* report.c */
/* A thread: hand bytes of the running job's progress to the loop, waiting for room. */
int bight__report(struct threads *threads, struct bight_execution *record, const void *data,
                  size_t bytes);
/* The loop's thread: hand out what has come. */
void bight__reports_deliver(struct threads *threads);
void bight__reports_drop(struct threads *threads);

/* turn.c */
/* Take a call: `ended` will be called, unless it is withdrawn. 0, or an error and it was not
 * taken. */
int bight__threads_take(struct threads *threads, struct call *call);
/* The same for a call that there is a place for. */
int bight__threads_put(struct threads *threads, struct call *call);
/* End all calls that no thread has begun. */
void bight__threads_refuse(struct threads *threads, int rc, int init_code);
/* Take a call back that no thread has begun; false when one has, which then can see it. */
bool bight__threads_withdraw(struct threads *threads, struct call *call);
/* End the calls that have come back. */
void bight__threads_harvest(struct threads *threads);
/* The runtime ends: drop the calls that no thread has begun, and do not touch them. */
void bight__threads_forget(struct threads *threads);
/* Begin to look at each turn; stop it. */
void bight__threads_look(struct threads *threads);
void bight__threads_look_away(struct threads *threads);
void bight__threads_turn_init(struct threads *threads);

/* crew.c */
/* Start a thread, with the lock held. 0 or the error. */
int bight__crew_start(struct threads *threads);
/* Wake the loop, with the lock held, or by a thread whose call is among `returns`. */
void bight__crew_call_loop(struct threads *threads);
/* The loop's thread: come round once more, whatever it does next. */
void bight__crew_call_back(struct threads *threads);
/* Tell the calls that run that nobody wants them. */
void bight__crew_cancel(struct threads *threads);
/* Calls wait: wake a thread, or start some. An error when there is none, with *init_code. */
int bight__crew_wake(struct threads *threads, int *init_code);
/* Calls may wait, and the loop is about to sleep. */
void bight__crew_help(struct threads *threads);
/* Have all threads leave. */
void bight__crew_dismiss(struct threads *threads);
/* Wait until all have. */
void bight__crew_join(struct threads *threads);

#endif
