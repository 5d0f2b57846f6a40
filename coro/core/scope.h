/* Scopes, how cancellation travels over them, and their deadlines: scope.c, cancel.c,
 * deadline.c. */
#ifndef BIGHT_CORO_CORE_SCOPE_H
#define BIGHT_CORO_CORE_SCOPE_H

#include "coro/core/task.h"

#ifdef BIGHT_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* scope.c */
#define SCOPE_MAGIC 0xe5c0u /* open */
#define SCOPE_MADE 0xe5c1u  /* by bight_scope_init, not entered yet */
#define SCOPE_LEFT 0xe5c2u
#define NO_DEADLINE BIGHT_NO_DEADLINE
#define SCOPE_SHIELDS 1u /* scope->kind */
#define SCOPE_GROUP 2u
#define SCOPE_INVALID 4u /* made with a flag that does not exist */
#define SCOPE_TORN 8u    /* closed with one around it, which was told; of a base: its group was */
#define SCOPE_INTERRUPTED 16u /* the base of a main that a signal cancels */
#define SCOPE_LIFTED 32u      /* it was cancelled from around, until a shield was put on */
#define SCOPE_STOPPABLE 64u   /* a drain ends the calls in it */
#define SCOPE_DRAINS 128u
#define SCOPE_INHERITS 256u /* made to be as stoppable as what is around */
#define SCOPE_TOLD 512u     /* BIGHT_CHECK_CANCELS: a call has told the task that it is over */
#define SCOPE_LATE 1024u    /* and it was reported that the task went on */
#define SCOPE_WORN 2048u    /* of a base: the next task with this control block has it made anew */
#define SCOPE_OWES 4096u    /* of a base: the task's end has more to do than that of most */
void bight__scope_open(struct bight_scope *scope, struct bight_task *task, unsigned kind,
                       uint64_t deadline_ns);
void bight__scope_close(struct bight_scope *scope);
/* Whether `scope` is in the chain of the task, whose innermost scope is whole. */
bool bight__scope_is_open(const struct bight_scope *scope, const struct bight_task *task);
/* The same for a record that is to be opened: in constant time when it lies beside those that are
 * open, not among them. */
bool bight__scope_begun(const struct bight_scope *scope, const struct bight_task *task);
/* Close what is open inside `scope`, a scope of the running task. False when it is not open. */
bool bight__scope_make_innermost(struct bight_scope *scope, struct bight_task *task);
/* Forget the scopes of the running task that are gone: those below `frame`, whose frames have
 * returned, and those that something else was written over. What is left of their groups is
 * cancelled and passes to the innermost group around. */
void bight__scopes_cut(struct bight_task *task, const char *frame);

/* cancel.c */
void bight__scope_cancel(struct bight_scope *scope);
/* `scope` became cancelled or expired: everything inside observes it. */
void bight__scope_spread(struct bight_scope *scope);
/* What is around the scope, or its shield, changed: follow it. */
void bight__scope_follow(struct bight_scope *scope);
/* The innermost scope of the task is another one. */
void bight__pending_update(struct bight_task *task);

/* drain.c */
/* The task belongs to another group now: it drains as that does. */
void bight__drain_follow(struct bight_task *task);
/* Whether the task may have given way to a drain with that code. */
static inline bool bight__scope_was_drained(const struct bight_scope *scope, int code)
{
    return code == BIGHT_EDRAIN && scope->kind & SCOPE_DRAINS;
}

/* deadline.c */
void bight__task_timer(struct bight_timer *timer);
/* Arm the task's timer anew for the earliest deadline of its scopes, or disarm it. */
void bight__timer_move(struct bight_task *task);
/* The task has ended. */
void bight__timer_drop(struct bight_task *task);
bool bight__deadline_is_past(struct bight_sched *sched, uint64_t deadline_ns);
/* Whether a scope that is made has expired before anybody entered it. */
bool bight__scope_made_is_past(const struct bight_scope *scope);
/* The open scope was cancelled: it does not expire any more. */
void bight__deadline_over(struct bight_scope *scope);
/* The open scope's deadline has passed: do not wait for the wheel to say so. */
void bight__scope_expire(struct bight_scope *scope);

/* The values that a scope starts with, of any kind; what is around it is not cancelled. */
static inline void bight__scope_start(struct bight_scope *scope, unsigned kind, uint16_t magic,
                                      struct bight_task *task, struct bight_scope *parent)
{
    scope->cancelled = false;
    scope->expired = false;
    scope->caught = false;
    scope->effective = false;
    scope->kind = (uint16_t)kind;
    scope->magic = magic;
    scope->task = task;
    scope->parent = parent;
    scope->inner = NULL;
    scope->deadline_ns = NO_DEADLINE;
    scope->earliest_ns = NO_DEADLINE;
}

static inline uint64_t bight__deadline_after(struct bight_sched *sched, int64_t timeout_ms)
{
    return timeout_ms < 0 ? NO_DEADLINE : ns_after(sched->driver->now_ns(sched), timeout_ms);
}

static inline void bight__timer_set_stale(struct bight_task *task, bool stale)
{
    bool was = task->flags & TASK_STALE;

    if (stale && !was) {
        task->flags |= TASK_STALE;
        task->sched->stale_timers++;
    } else if (!stale && was) {
        task->flags &= ~TASK_STALE;
        task->sched->stale_timers--;
    }
}

/* A timer that is armed early enough stays as it is: most deadlines are met, and a task that opens
 * one scope after the other would move it each time. When it fires it looks again. But a test's
 * clock goes on to the first timer there is, and is told each one exactly. */
static inline bool bight__timer_stays(const struct bight_task *task, uint64_t earliest_ns)
{
    return !link_empty(&task->deadline.link) && task->deadline.deadline_ns <= earliest_ns &&
           !task->sched->seams.now_ns;
}

/* The earliest deadline of the task's scopes has changed. */
static inline void bight__timer_update(struct bight_task *task)
{
    uint64_t earliest = task->scope->earliest_ns;

    if (unlikely(!bight__timer_stays(task, earliest)))
        bight__timer_move(task);
    else
        bight__timer_set_stale(task, earliest == NO_DEADLINE);
}

/* Whether something inside the scope may have given way to a cancellation. */
static inline bool bight__scope_was_cancelled(const struct bight_scope *scope)
{
    return scope->effective || scope->kind & SCOPE_LIFTED;
}

/* Whether the compiler has ended the life of the record, which only AddressSanitizer knows: it
 * poisons the variables of blocks that were left, inlined functions among them, and of frames that
 * have returned. */
static inline bool bight__is_dead_memory(const void *address)
{
#ifdef BIGHT_ASAN
    return __asan_address_is_poisoned(address);
#else
    (void)address;
    return false;
#endif
}

/* Whether the innermost scope is gone, seen from a function with that frame. */
static inline bool bight__scope_is_gone(const struct bight_task *task,
                                        const struct bight_scope *scope, const char *frame)
{
    const char *address = (const char *)scope;

    return (address < frame && address >= task->stack.lo) || bight__is_dead_memory(scope) ||
           scope->magic != SCOPE_MAGIC || scope->task != task;
}

/* Where the frames of the running function's callers begin. Unlike the address of its own frame,
 * which is just below, it costs no frame pointer. */
#define CALLERS_FRAME ((const char *)__builtin_dwarf_cfa())

/* Called first by the public functions that look at the chain of the running task, or extend it,
 * with their own frame: deeper down, the frames of the library could lie over the scope that is
 * gone.
 * False: the chain had to be cut. */
static inline bool bight__scopes_check(struct bight_task *task, const char *frame)
{
    if (task->scope == &task->base || likely(!bight__scope_is_gone(task, task->scope, frame)))
        return true;
    bight__scopes_cut(task, frame);
    return false;
}

#endif
