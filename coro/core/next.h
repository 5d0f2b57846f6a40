/* From one task to the next: the hot path of a switch, for sched.c, park.c and task.c, which inline
 * it into what switches. Such functions are SWITCHES: see coro/stack/switch_here.h. */
#ifndef BIGHT_CORO_CORE_NEXT_H
#define BIGHT_CORO_CORE_NEXT_H

#include "coro/core/task.h"
#include "coro/stack/switch_here.h"

/* How many switches ahead a task's record and its frames are fetched. */
#define FETCH_RECORD 8
#define FETCH_FRAMES 4

/* With so many ready tasks or fewer, what they touch is in the caches anyway. */
#define FETCH_FROM 1024

/* The quantum is used up: find out how far to go on. `own` is 1 when the task that gives way is
 * among the ready ones: a seam chooses among the others. False ends the slice, or goes by way of
 * the loop's stack. */
bool bight__quantum_refill(struct bight_sched *sched, size_t own);

/* What the task of that context returns when it goes on after it has given way. */
int bight__switched_back(struct bight_context *context);

/* The switch of a task of TASK_OWNS. */
void bight__switch_of_owner(struct bight_task *self, struct bight_context *to);

/* Fetch what the switches to the tasks soon to come will touch: first their records, and a few
 * switches later, when those are here, the frames that their stack pointers lead to. */
static inline void bight__prefetch(const struct bight_sched *sched)
{
    size_t head = sched->ready_head;
    const struct bight_task *later = sched->ready[(head + FETCH_RECORD) & sched->ready_mask];
    const struct bight_task *sooner = sched->ready[(head + FETCH_FRAMES) & sched->ready_mask];
    const char *frames = sooner->stack.context.sp;

    __builtin_prefetch(&later->stack.context);
    __builtin_prefetch(frames);
    __builtin_prefetch(frames + BIGHT_STACK_LINE);
    __builtin_prefetch(frames + 2 * BIGHT_STACK_LINE);
}

/* Take the first of `count` ready tasks, at least one, which the quantum is known to allow. */
static inline struct bight_task *bight__ready_take(struct bight_sched *sched, size_t count)
{
    struct bight_task *task = sched->front;

    sched->quantum_popped = sched->quantum;
    sched->front = sched->ready[++sched->ready_head & sched->ready_mask];
    if (likely(count > 1))
        __builtin_prefetch(sched->front->stack.context.sp);
    if (unlikely(count > FETCH_FROM))
        bight__prefetch(sched);
    return task;
}

/* The next task of this slice, or NULL when it is over. `own` is 1 when the running task is
 * among the ready ones, behind all others. */
static inline struct bight_task *bight__ready_pop(struct bight_sched *sched, size_t own)
{
    size_t count = bight__ready_count(sched);

    if (unlikely(--sched->quantum == 0) && !bight__quantum_refill(sched, own))
        return NULL;
    return likely(count) ? bight__ready_take(sched, count) : NULL;
}

/* `self`, whose frames begin at `frame`, is about to be left for `next`, or the loop. */
static inline void bight__switch_noted(struct bight_sched *sched, struct bight_task *self,
                                       struct bight_task *next, const char *frame)
{
    if (frame < self->stack.low_water)
        self->stack.low_water = (char *)(uintptr_t)frame;
    sched->current = next;
}

/* Go on as `next`, or the loop when it is NULL, until somebody switches back to `self`. */
__attribute__((always_inline)) static inline void
bight__switch_to(struct bight_sched *sched, struct bight_task *self, struct bight_task *next)
{
    struct bight_context *to = next ? &next->stack.context : &sched->loop;

    bight__switch_noted(sched, self, next, __builtin_frame_address(0));
    if (unlikely(self->flags & TASK_OWNS))
        bight__switch_of_owner(self, to);
    else
        bight__context_switch_here(&self->stack.context, to);
}

/* Go on as another task, or the loop, for ever: `self` has ended, and its stack may be gone. */
__attribute__((always_inline)) static inline _Noreturn void bight__leave(struct bight_sched *sched,
                                                                         struct bight_task *self)
{
    struct bight_task *next = NULL;

    if (unlikely(self->flags & TASK_OWNS))
        bight__own_leave(self);
    /* The loop's stack puts back what cannot be put while one stands on it. */
    if (likely(!sched->dying))
        next = bight__ready_pop(sched, 0);
    sched->current = next;
    bight__context_exit_here(next ? &next->stack.context : &sched->loop);
}

#endif
