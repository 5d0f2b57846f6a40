/* Once: a mutex around a function that must run to its end one time. A runner that gives up hands
 * over to the first waiter, as a mutex is handed over. */
#include "coro/core/mutex.h"

#include <bight/once.h>

/* Results of the wait. */
#define ONCE_DONE 0
#define ONCE_RUN 1 /* the waiter is the runner now */

struct once_wait {
    struct bight_waiter waiter;
    const struct bight_once *once;
};

static struct bight_task *once_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct once_wait, waiter)->once->runner;
}

static void once_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    bight__owner_describe(once_waits_for(waiter), text, text_bytes);
}

static const struct bight_waiter_ops once_ops = {
    .name = "once",
    .abort = bight__unlink_abort,
    .waits_for = once_waits_for,
    .describe = once_describe,
    .flags = WAITER_LINK,
};

void bight_once_init(struct bight_once *once)
{
    if (!once)
        return;
    once->runner = NULL;
    once->done = false;
    once->result = 0;
    link_init(&once->waiters);
}

static int once_park(struct bight_once *once, struct bight_task *self)
{
    struct once_wait wait = {.once = once};

    if (bight__is_foreign(once->runner))
        return BIGHT_EPERM;
    if (bight__lock_would_deadlock(once->runner, self))
        return BIGHT_EDEADLK;
    return bight__wait_in_of(&once->waiters, &wait.waiter, &once_ops, self);
}

/* End the waits if the runner has a result, which is for all; else the first waiter runs next. */
static void settle(struct bight_once *once, int result)
{
    const struct bight_scope *scope = once->runner->scope;
    bool gave_way = (result == BIGHT_ECANCELED && bight__scope_was_cancelled(scope)) ||
                    bight__scope_was_drained(scope, result);
    struct bight_link *link;

    bight__chain_changes(once->runner);
    once->runner = NULL;
    once->done = !gave_way;
    once->result = result;
    while (!once->runner && (link = list_take(&once->waiters))) {
        struct bight_waiter *waiter = container_of(link, struct bight_waiter, link);
        struct bight_task *heir = waiter->task;

        if (bight_unpark(waiter, once->done ? ONCE_DONE : ONCE_RUN) && !once->done)
            once->runner = heir;
    }
}

int bight_once_run(struct bight_once *once, int (*fn)(void *arg), void *arg)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!once || !fn))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    if (likely(once->done))
        return once->result;
    rc = ONCE_RUN;
    if (once->runner)
        rc = once_park(once, self);
    if (rc != ONCE_RUN)
        return rc == ONCE_DONE ? once->result : rc;
    once->runner = self;
    rc = fn(arg);
    /* A scope that fn has left open is not looked at any more. */
    if (unlikely(!bight__scopes_check(self, __builtin_frame_address(0))) && rc >= 0)
        rc = BIGHT_ESCOPE;
    settle(once, rc);
    return rc;
}

bool bight_once_done(const struct bight_once *once)
{
    return once && once->done;
}
