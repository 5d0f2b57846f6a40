/* The runtime object: a scheduler driven by a libuv loop. drive.c runs slices from the loop's
 * prepare and check phases; runtime.c makes and ends runtimes; all other files of runtime/ keep
 * their handles in it. Read coro/core/sched.h first. */
#ifndef BIGHT_RUNTIME_RUNTIME_H
#define BIGHT_RUNTIME_RUNTIME_H

#include <uv.h>

#include <bight/log.h>
#include <bight/mailbox.h>
#include <bight/uv.h>

#include "coro/core/sched.h"
#include "runtime/door.h"
#include "runtime/forked.h"
#include "runtime/wheel.h"

/* A kind of plugin. A runtime has at most one plugin of each kind. */
struct bight_plugin_kind {
    size_t bytes; /* of the record, which begins with its struct bight_plugin */
    int (*begin)(struct bight_plugin *plugin,
                 struct bight_runtime *runtime); /* the record is zeroed */
    void (*end)(struct bight_plugin *plugin);
};

struct bight_metrics;
struct spares;

struct bight_runtime {
    struct bight_sched sched; /* first: bight__sched points at it */
    uv_loop_t *loop;
    uv_loop_t own_loop;
    bool owns_loop;
    bool idling;  /* the idle handle is active */
    bool ending;  /* bight_detach was called, or main has ended */
    bool closing; /* the runtime's own handles are being closed */
    bool stalled;
    bool running;            /* false between runs; always true on a host's loop */
    bool interrupted;        /* main was cancelled by the interrupt signal */
    struct bight_task *main; /* valid until sched.main_done */
    uint64_t timer_due_ns;   /* when the uv timer will fire; UINT64_MAX: it is not armed */
    uint64_t ask_again_ns;   /* real time until a test's idle seam is asked again, or UINT64_MAX */
    struct bight_wheel wheel;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer;
    struct bight_signal_handle interrupt; /* open if the options name a signal */
    struct bight_mailbox *mailbox;
    struct bight_sampler *sampler; /* NULL: none */
    struct bight_opened *opened;   /* NULL: without BIGHT_CHECK_OPEN */
    void *overflow_stack;          /* the alternate signal stack that we gave to the thread */
    size_t handles;                /* our handles that have not been called back as closed */
    struct bight_link plugins;
    uint64_t poll_ns;        /* measured, once that is off again */
    uint64_t poll_before_ns; /* libuv's count when measuring began */
    struct bight_link turn_hooks;
    struct bight_link idle_hooks;
    struct bight_link executors; /* those that are shown, and who tells of them; NULL: none was */
    void (*tell_executors)(struct bight_runtime *runtime, const struct bight_metrics *metrics);
    uint64_t executors_shown;
    struct spares *spares; /* small blocks that offload keeps; NULL: none */
    struct bight_log_handler log;
    bool logging; /* the handler is at it */
    void (*on_detached)(void *arg);
    void *on_detached_arg;
};

static inline struct bight_runtime *bight__runtime(void)
{
    return (struct bight_runtime *)bight__sched;
}

/* Whether the last task has ended for good, so that nobody could close what is opened now. */
static inline bool bight__runtime_is_over(const struct bight_runtime *runtime)
{
    const struct bight_sched *sched = &runtime->sched;

    return runtime->closing || (sched->live == 0 && (sched->main_done || sched->closing));
}

/* drive.c */
extern const struct bight_driver bight__runtime_driver;
void bight__drive_open(struct bight_runtime *runtime);
void bight__drive_close(struct bight_runtime *runtime);
/* Have the loop run its prepare phase soon, whatever else it has to do. */
void bight__drive_soon(struct bight_runtime *runtime);

/* runtime.c: a runtime on `loop`, or on a loop of its own when `loop` is NULL. */
int bight__runtime_new(struct bight_runtime **out, uv_loop_t *loop,
                       const struct bight_runtime_options *options,
                       const struct bight_seams *seams);
/* Free a runtime with a loop of its own, all of whose handles are closed. */
void bight__runtime_free(struct bight_runtime *runtime);

/* runtime.c: the steps of ending, explained there. */
void bight__runtime_end(struct bight_runtime *runtime);
void bight__runtime_close(struct bight_runtime *runtime);

/* The runtime's plugin of that kind, made by the first call. When it cannot be made, the result is
 * NULL and *rc says why: BIGHT_ENOMEM, or what `begin` returned. */
BIGHT_INTERNAL_API struct bight_plugin *
bight__plugin_get(struct bight_runtime *runtime, const struct bight_plugin_kind *kind, int *rc);
/* The same if there is one already, otherwise NULL. */
struct bight_plugin *bight__plugin_find(const struct bight_runtime *runtime,
                                        const struct bight_plugin_kind *kind);

/* runner.c: like bight_run_with and bight_runner_open, with the seams of a test. */
int bight__run_with_seams(const struct bight_runtime_options *options,
                          const struct bight_seams *seams, int (*fn)(void *arg), void *arg);
struct bight_runner;
int bight__runner_open_with_seams(struct bight_runner **out,
                                  const struct bight_runtime_options *options,
                                  const struct bight_seams *seams);

/* interrupt.c: these do nothing when the options name no signal. Begin is called before each main,
 * end after it; listens says whether main may still be interrupted; outcome is the result of the
 * run when main ended with `status`. */
int bight__interrupt_open(struct bight_runtime *runtime);
int bight__interrupt_begin(struct bight_runtime *runtime);
void bight__interrupt_end(struct bight_runtime *runtime);
bool bight__interrupt_listens(const struct bight_runtime *runtime);
int bight__interrupt_outcome(const struct bight_runtime *runtime, int status);
void bight__interrupt_close(struct bight_runtime *runtime);

/* mailbox.c: the runtime's reference. Its handle counts as opened; it keeps no loop alive. */
int bight__mailbox_new(struct bight_mailbox **out, struct bight_runtime *runtime);
/* Queue what was posted as calls, unless the runtime closes. */
void bight__mailbox_collect(struct bight_runtime *runtime);
/* Make later posts fail, run the earlier ones, begin to close the handle, drop this reference. */
void bight__mailbox_close(struct bight_mailbox *mailbox);
/* Whether anybody but the runtime holds a reference, or a post waits to be run. The loop is woken
 * when the last holder lets go. */
bool bight__mailbox_held(struct bight_mailbox *mailbox);

/* How many posts the loop has not seen yet. */
size_t bight__mailbox_waiting(struct bight_mailbox *mailbox);

/* mailbox.c: a post that its owner can take back, and that takes little room. */
struct bight_notice {
    struct bight_link link; /* self-linked, but on its way */
    /* Called on the loop's thread, outside of tasks; must not suspend. */
    void (*fn)(struct bight_notice *notice);
};

/* Have `notice->fn(notice)` called. It is not on its way, and the mailbox is open. From any
 * thread. */
void bight__notice_post(struct bight_mailbox *mailbox, struct bight_notice *notice);
/* On the loop's thread: whether it was on its way. It is not any more. */
bool bight__notice_withdraw(struct bight_mailbox *mailbox, struct bight_notice *notice);

/* inspect.c: where bight__write_fd, the `write` of a dump and the like, writes to; the first error
 * ends that, and is in `rc`. */
struct bight_fd_sink {
    const struct bight_seams *seams;
    int fd;
    int rc;
};
void bight__write_fd(void *arg, const char *text, size_t bytes);
/* bight_runtime_set_measuring. */
void bight__runtime_measure(struct bight_runtime *runtime, bool on);

/* hook.c */
void bight__hooks_call(struct bight_sched *sched, struct bight_link *hooks);
void bight__hooks_fini(struct bight_runtime *runtime);

/* time.c: bight_sleep_until without its first checkpoint; the time may have passed already. */
int bight__sleep_until(uint64_t when_ns);

/* overflow.c: tell which task overflowed its stack, if the options ask for it. */
int bight__overflow_watch(struct bight_runtime *runtime);
void bight__overflow_unwatch(struct bight_runtime *runtime);

/* sampler.c: note where a slow turn is, if the options name a signal for that. */
int bight__sampler_open(struct bight_runtime *runtime);
void bight__sampler_close(struct bight_runtime *runtime);
/* A turn begins or is over. */
void bight__sampler_turn(struct bight_sched *sched, bool runs);

/* opened.c: what is open at the end, and where it was opened. These do nothing without
 * BIGHT_CHECK_OPEN. What is noted there is in runtime/door.h. */
int bight__opened_begin(struct bight_runtime *runtime);
/* Main has ended: tell which tasks have not. */
void bight__opened_tasks(const struct bight_runtime *runtime);
/* Everything of bight's is closing. */
void bight__opened_end(struct bight_runtime *runtime);

/* probe.c: try everything that libuv would abort over. 0 or the error. */
int bight__probe(const struct bight_seams *seams);
/* The part of it about the threads of libuv's pool; to be called before the pool's first use. */
int bight__probe_threads(const struct bight_seams *seams);
/* How many threads that pool has or will have, from UV_THREADPOOL_SIZE as libuv reads it. */
size_t bight__pool_threads(void);
/* Grow the loop's table of watchers to descriptor number `watchers`, within the soft limit of open
 * files, while failing is an error. Leaves a handle that the loop's next turn frees. */
int bight__probe_watchers(uv_loop_t *loop, unsigned watchers, const struct bight_seams *seams);

#endif
