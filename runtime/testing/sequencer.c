/* The sequencer of <bight/testing.h>: a list of the tasks that wait for their step, in no order. A
 * task goes on when the step before its own is left. */
#include "coro/core/source.h"
#include "runtime/runtime.h"

#include <bight/testing.h>

#include <stdio.h>

struct step_wait {
    struct bight_waiter waiter;
    struct bight_test_sequencer *sequencer;
    uint64_t step;
};

static struct step_wait *of_link(struct bight_link *link)
{
    return container_of(container_of(link, struct bight_waiter, link), struct step_wait, waiter);
}

static void break_all(struct bight_test_sequencer *sequencer)
{
    sequencer->broken = true;
    bight__wake_all(&sequencer->waiting, BIGHT_EBROKEN);
}

static int step_abort(struct bight_waiter *waiter)
{
    link_remove(&waiter->link);
    break_all(container_of(waiter, struct step_wait, waiter)->sequencer);
    return 0;
}

static void step_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct step_wait *wait = container_of(waiter, const struct step_wait, waiter);

    snprintf(text, text_bytes, "%llu", (unsigned long long)wait->step);
}

static const struct bight_waiter_ops step_ops = {
    .name = "step of a sequence",
    .abort = step_abort,
    .describe = step_describe,
};

void bight_test_sequencer_init(struct bight_test_sequencer *sequencer)
{
    if (!sequencer)
        return;
    *sequencer = (struct bight_test_sequencer){0};
    link_init(&sequencer->waiting);
}

static struct step_wait *find(struct bight_test_sequencer *sequencer, uint64_t step)
{
    struct bight_link *link = sequencer->waiting.next;

    for (; link && link != &sequencer->waiting; link = link->next) {
        if (of_link(link)->step == step)
            return of_link(link);
    }
    return NULL;
}

static bool is_taken(struct bight_test_sequencer *sequencer, uint64_t step)
{
    return step < sequencer->next || (step == sequencer->next && sequencer->inside) ||
           find(sequencer, step);
}

int bight_test_sequencer_enter(struct bight_test_sequencer *sequencer, uint64_t step)
{
    struct step_wait wait = {.sequencer = sequencer, .step = step};
    struct bight_task *self;
    int rc;

    if (unlikely(!sequencer))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (rc)
        return rc;
    if (is_taken(sequencer, step))
        return BIGHT_EALREADY;
    if (sequencer->broken)
        return BIGHT_EBROKEN;
    if (step == sequencer->next) {
        sequencer->inside = true;
        return 0;
    }
    return bight__wait_in(&sequencer->waiting, &wait.waiter, &step_ops);
}

int bight_test_sequencer_leave(struct bight_test_sequencer *sequencer)
{
    struct step_wait *wait;

    if (!sequencer)
        return BIGHT_EINVAL;
    if (!sequencer->inside)
        return BIGHT_EPERM;
    sequencer->next++;
    wait = find(sequencer, sequencer->next);
    sequencer->inside = wait != NULL;
    if (!wait)
        return 0;
    link_remove(&wait->waiter.link);
    /* If its task is going away already, the step never comes for the others. */
    if (!bight_unpark(&wait->waiter, 0))
        break_all(sequencer);
    return 0;
}
