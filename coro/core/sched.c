/* The ready queue and the slices. Ready tasks run in FIFO order, each switching straight to the
 * next; what becomes ready runs after what is. A slice ends when nothing is ready, after as many
 * switches as the allowed turns would take with the tasks that were ready when it began, or when
 * its time is over: then the loop gets its say again. The hot path counts one number down,
 * `quantum`, by the switches and by the operations that complete at once; time, calls and seams are
 * looked at when it reaches 0. How often time is, pace.h says.
 *
 * The queue is a ring of pointers, not a list through the tasks: with thousands of them each switch
 * waits for memory, and what a list will need after next it only tells when the next has come. */
#include "coro/core/next.h"
#include "coro/core/source.h"

#include <assert.h>

/* Operations that a task may complete in a row before a checkpoint makes it yield. */
#define OPS_PER_SWITCH 128u

/* Looks in a row at the ticks alone. */
#define CALM_MOST 8

/* Places in the ready queue at the start, a power of two. */
#define READY_PLACES 64

static struct bight_call *first_call(const struct bight_sched *sched)
{
    return container_of(sched->calls.next, struct bight_call, timer.link);
}

/* How many steps were made of what was handed out, and not counted yet. */
static unsigned steps_made(struct bight_sched *sched)
{
    unsigned steps = (sched->calm_given - sched->calm) * STEPS_PER_LOOK;

    if (sched->quantum_given + steps <= sched->quantum)
        return 0;
    steps += sched->quantum_given - sched->quantum;
    sched->quantum_given = sched->quantum;
    sched->calm_given = sched->calm;
    return steps;
}

void bight__quantum_settle(struct bight_sched *sched)
{
    struct bight_pace *pace = &sched->pace;
    size_t popped = sched->ready_head - sched->head_settled;
    unsigned steps = steps_made(sched);

    sched->head_settled = sched->ready_head;
    if (sched->ops_head == sched->ready_head)
        sched->ops += steps;
    pace->left -= steps < pace->left ? steps : pace->left;
    sched->switches_left -= popped < sched->switches_left ? popped : sched->switches_left;
    if (sched->calls_queued) {
        first_call(sched)->before -= popped;
        sched->calls_span -= popped;
    }
}

static void quantum_set(struct bight_sched *sched, size_t steps)
{
    sched->quantum = (unsigned)steps;
    sched->quantum_given = sched->quantum;
    sched->calm = sched->calm_given = 0;
}

/* The next step has to ask, and nothing was handed out. */
static void quantum_none(struct bight_sched *sched)
{
    quantum_set(sched, 1);
    sched->quantum_given = 0;
}

void bight__quantum_cap(struct bight_sched *sched)
{
    size_t steps = first_call(sched)->before + 1;

    if (sched->quantum <= steps && !sched->calm)
        return;
    if (sched->quantum < steps)
        steps = sched->quantum;
    sched->quantum_popped -= sched->quantum - (unsigned)steps;
    quantum_set(sched, steps);
}

void bight__quantum_end(struct bight_sched *sched)
{
    bight__quantum_settle(sched);
    sched->pace.left = 0;
    sched->quantum_popped -= sched->quantum - 1;
    quantum_none(sched);
}

/* While time is calm and no call comes before, more may be had by a look at the ticks alone: as
 * much as makes `room` come out even. */
static void calm_give(struct bight_sched *sched, size_t room)
{
    size_t steps = (room - 1) % STEPS_PER_LOOK + 1;
    size_t calm = (room - 1) / STEPS_PER_LOOK;

    quantum_set(sched, steps < sched->quantum ? steps : sched->quantum);
    sched->calm = calm < CALM_MOST ? (unsigned)calm : CALM_MOST;
    sched->calm_given = sched->calm;
}

/* Hand out the steps until the next look, fewer where a call comes before that, or the last switch
 * of the slice, or of the operations in a row. The step that runs is the first of them, and is a
 * switch or an operation. Seams choose each task, and where steps are measured the loop's stack
 * begins each. */
static void quantum_give(struct bight_sched *sched, bool to_operation)
{
    size_t room = to_operation ? OPS_PER_SWITCH - sched->ops : sched->switches_left;
    size_t steps;

    if (unlikely(sched->seams.pick_ready || sched->measuring)) {
        quantum_set(sched, 1);
        return;
    }
    quantum_set(sched, room < sched->pace.left ? room : sched->pace.left);
    if (unlikely(sched->calls_queued)) {
        steps = first_call(sched)->before + to_operation;
        if (steps < sched->quantum)
            quantum_set(sched, steps);
    } else if (sched->pace.calm_until) {
        calm_give(sched, room);
    }
}

static struct bight_task **ready_place(struct bight_sched *sched, size_t index)
{
    return &sched->ready[(sched->ready_head + index) & sched->ready_mask];
}

static int ready_resize(struct bight_sched *sched, size_t places)
{
    size_t count = bight__ready_count(sched);
    struct bight_task **ready = bight__alloc(&sched->seams, places * sizeof(struct bight_task *));

    if (!ready)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < count; i++)
        ready[(sched->ready_head + i) & (places - 1)] = *ready_place(sched, i);
    bight__free(sched->ready);
    sched->ready = ready;
    sched->ready_mask = places - 1;
    return 0;
}

int bight__ready_grow(struct bight_sched *sched)
{
    return ready_resize(sched, sched->ready ? 2 * (sched->ready_mask + 1) : READY_PLACES);
}

void bight__ready_shrink(struct bight_sched *sched)
{
    size_t places = READY_PLACES;

    while (places < 2 * sched->live)
        places *= 2;
    if (2 * places <= sched->ready_mask)
        (void)ready_resize(sched, places);
}

/* A seam chooses among the tasks of the turn: bring the chosen one to the front. */
static void pick_ready(struct bight_sched *sched, size_t ready)
{
    struct bight_task *task;
    size_t index;

    if (sched->turn_left == 0)
        sched->turn_left = ready;
    index = sched->seams.pick_ready(sched->seams.ctx, sched->turn_left--);
    if (index > sched->turn_left)
        return;
    assert(sched->turn_left < bight__ready_count(sched));
    task = *ready_place(sched, index);
    for (; index > 0; index--)
        *ready_place(sched, index) = *ready_place(sched, index - 1);
    *ready_place(sched, 0) = task;
    sched->front = task;
}

/* Time is over. Where the running task has only just given way, what the loop will make ready comes
 * before its next step. */
static void time_is_over(struct bight_sched *sched, size_t ready)
{
    if (*ready_place(sched, ready - 1) == sched->current)
        sched->aside = sched->current;
}

/* Of the `ready` tasks the first one is next. */
static bool quantum_take(struct bight_sched *sched, size_t ready)
{
    /* The loop's stack makes the calls. */
    if (bight__call_is_due(sched) || ready == 0 || sched->switches_left == 0)
        return false;
    if (sched->pace.left == 0 && !bight__pace_look(sched)) {
        time_is_over(sched, ready);
        return false;
    }
    if (unlikely(sched->seams.pick_ready)) {
        pick_ready(sched, ready);
        (*ready_place(sched, 0))->turns++;
    }
    quantum_give(sched, false);
    return true;
}

/* Every step is measured: it begins on the loop's stack, and is over when the loop is back
 * there. */
static bool quantum_of_one(struct bight_sched *sched, size_t ready)
{
    if (sched->current)
        return false;
    bight__step_ended(sched);
    if (!quantum_take(sched, ready))
        return false;
    bight__step_begun(sched, *ready_place(sched, 0));
    return true;
}

__attribute__((noinline)) bool bight__quantum_refill(struct bight_sched *sched, size_t own)
{
    size_t ready = bight__ready_count(sched) - (sched->seams.pick_ready ? own : 0);
    bool more;

    if (bight__is_calm(sched))
        return true;
    more = unlikely(sched->measuring) ? quantum_of_one(sched, ready) : quantum_take(sched, ready);

    if (!more)
        quantum_none(sched);
    return more;
}

__attribute__((noinline)) void bight__switch_of_owner(struct bight_task *self,
                                                      struct bight_context *to)
{
    bight__own_leave(self);
    bight__context_switch(&self->stack.context, to);
    bight__own_enter(self);
}

SWITCHES void bight__errand(struct bight_sched *sched, void (*fn)(void *arg), void *arg)
{
    struct bight_errand errand = {.fn = fn, .arg = arg, .task = sched->current};

    sched->errand = &errand;
    bight__switch_to(sched, errand.task, NULL);
}

__attribute__((always_inline)) static inline void requeue(struct bight_sched *sched,
                                                          struct bight_task *self)
{
    struct bight_task *next;

    bight__ready_push(sched, self);
    next = bight__ready_pop(sched, 1);
    if (next != self)
        bight__switch_to(sched, self, next);
}

SWITCHES void bight__requeue(struct bight_sched *sched, struct bight_task *self)
{
    requeue(sched, self);
}

/* Whether something waits that the loop has made ready, or a call. */
static bool others_wait(const struct bight_sched *sched)
{
    return sched->calls_queued || (ptrdiff_t)(sched->woken_until - sched->ready_head) > 0;
}

/* The loop has its say, and the task goes on where it was: the order of tasks is what it would be
 * without a clock. It stays so until the loop makes something ready; see slice_begins. */
static void step_aside(struct bight_sched *sched, struct bight_task *self)
{
    sched->ready_head--;
    sched->head_settled--;
    *ready_place(sched, 0) = self;
    sched->front = self;
    sched->turn_left++;
    sched->aside = self;
    bight__switch_to(sched, self, NULL);
}

/* The operations of the running task since it was switched to, the one it is in being the last. */
static void ops_count(struct bight_sched *sched)
{
    sched->quantum = 0;
    bight__quantum_settle(sched);
    quantum_none(sched);
    if (sched->ops_head == sched->ready_head)
        return;
    sched->ops_head = sched->ready_head;
    sched->ops = sched->quantum_popped;
    sched->late = false;
}

/* An operation that finds the time over is made all the same, since it may be one that switches.
 * The one after it gives way. */
SWITCHES void bight__op(struct bight_sched *sched, struct bight_task *self)
{
    struct bight_pace *pace = &sched->pace;

    if (bight__ops_are_calm(sched))
        return;
    ops_count(sched);
    if (sched->ops >= OPS_PER_SWITCH) {
        requeue(sched, self);
    } else if (!sched->late) {
        sched->late = pace->left == 0 && !bight__pace_look(sched);
        if (!sched->late)
            quantum_give(sched, true);
    } else {
        sched->late = false;
        sched->ops++; /* nothing was handed out for it */
        if (others_wait(sched))
            requeue(sched, self);
        else
            step_aside(sched, self);
    }
}

int bight__switched_back(struct bight_context *context)
{
    struct bight_task *self = container_of(context, struct bight_task, stack.context);

    return unlikely(self->pending & PENDING_STOP) ? bight__deliver(self, true) : 0;
}

SWITCHES int bight__give_way(struct bight_sched *sched, struct bight_task *self)
{
    requeue(sched, self);
    return bight__switched_back(&self->stack.context);
}

/* The task that has just left sent for something, or the one that it made way for. */
static SWITCHES void run_errands(struct bight_sched *sched)
{
    struct bight_errand *errand;

    while ((errand = sched->errand)) {
        sched->errand = NULL;
        errand->fn(errand->arg);
        sched->current = errand->task;
        bight__context_switch_here(&sched->loop, &errand->task->stack.context);
        sched->current = NULL;
    }
}

/* Until none is ready, the slice is over, or it is a call's turn. */
static SWITCHES void run_tasks(struct bight_sched *sched)
{
    struct bight_task *task;

    while ((task = bight__ready_pop(sched, 0))) {
        sched->current = task;
        bight__context_switch_here(&sched->loop, &task->stack.context);
        sched->current = NULL;
        if (unlikely(sched->errand))
            run_errands(sched);
        if (sched->dying) {
            struct bight_task *dead = sched->dying;

            sched->dying = NULL;
            bight__task_free(dead);
        }
    }
}

/* What the loop has made ready since the last slice comes before a task that stepped aside for the
 * loop. */
static void slice_begins(struct bight_sched *sched)
{
    bool woken = sched->ready_tail != sched->tail_left || sched->calls_queued;

    if (woken && sched->aside && sched->front == sched->aside) {
        sched->front = sched->ready[++sched->ready_head & sched->ready_mask];
        bight__ready_push(sched, sched->aside);
        sched->turn_left -= sched->turn_left > 0;
    }
    if (woken)
        sched->woken_until = sched->ready_tail;
    sched->aside = NULL;
}

void bight__sched_run(struct bight_sched *sched)
{
    sched->slices++;
    slice_begins(sched);
    sched->switches_left =
        sched->options.turns_per_slice * (bight__ready_count(sched) + sched->calls_queued);
    do {
        run_tasks(sched);
    } while (unlikely(sched->calls_queued) && bight__calls_run(sched));
    bight__pace_end(sched);
    bight__quantum_end(sched);
    if (unlikely(sched->timed_queued) && sched->pace.over)
        bight__calls_step_back(sched);
    sched->tail_left = sched->ready_tail;
}
