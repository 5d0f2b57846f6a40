/* Yielding. The usual case calls nobody but the switch, and that as its last step: so it has no
 * frame while it sleeps, and no register to save that the switch would not. */
#include "coro/core/next.h"
#include "coro/core/source.h"

static __attribute__((noinline)) int yield_slowly(const char *frame)
{
    struct bight_task *self;
    int rc = bight__observe_of(&self, frame);

    return rc ? rc : bight__give_way(self->sched, self);
}

/* Whether the task can be left at once, with nothing to look at before. */
static inline bool is_simple(const struct bight_sched *sched, const struct bight_task *self)
{
    return likely(self->scope == &self->base ||
                  !bight__scope_is_gone(self, self->scope, CALLERS_FRAME)) &&
           likely(!self->pending && !(self->flags & TASK_OWNS)) && likely(sched->quantum > 1);
}

/* The next task of the slice, of which the quantum allows one more; `self` is behind all others. */
static inline struct bight_task *turn_over(struct bight_sched *sched, struct bight_task *self)
{
    sched->quantum--;
    bight__ready_push(sched, self);
    return bight__ready_take(sched, bight__ready_count(sched));
}

SWITCHES int bight_yield(void)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task *self = likely(sched != NULL) ? sched->current : NULL;
    struct bight_task *next;

    if (unlikely(!self) || !is_simple(sched, self))
        return yield_slowly(CALLERS_FRAME);
    next = turn_over(sched, self);
    if (unlikely(next == self))
        return bight__switched_back(&self->stack.context);
    bight__switch_noted(sched, self, next, CALLERS_FRAME);
    return bight__context_switch_last(&self->stack.context, &next->stack.context,
                                      bight__switched_back);
}
