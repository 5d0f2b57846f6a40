/* Background groups: an ordinary group that belongs to a task of its own, the keeper, which sleeps
 * until the group is to end. So cancellation, deadlines, dumps and the end of the runtime meet
 * nothing new. The record outlives the keeper, since its user has a pointer to it, until somebody
 * ends it or the runtime does. */
#include "coro/core/group.h"

#include <bight/background.h>
#include <bight/event.h>

struct bight_background {
    struct bight_link owned; /* of sched->owned; must be first */
    struct bight_group group;
    struct bight_task *keeper; /* NULL: it has ended with the runtime */
    struct bight_event closing;
    bool closer; /* a task is closing it */
    struct bight_sched *sched;
};

static void report_failure(void *arg, const struct bight_failure *failure)
{
    const struct bight_background *background = arg;
    struct bight_report report = {
        .kind = BIGHT_REPORT_UNSEEN_FAILURE,
        .code = failure->code,
        .task_name = failure->task,
        .text = "failed in the background",
    };

    background->sched->driver->report(background->sched, NULL, &report);
}

/* End the keeper: first all tasks, then the group, which is older than the keeper's first step. */
static void keep_end(struct bight_background *background)
{
    bight__scope_cancel(&background->group.scope);
    /* on_failure has had the failures as they came. */
    (void)!bight_group_end(&background->group, 0);
    if (background->closer)
        return;
    /* Nobody will join it. */
    bight_task_detach(background->keeper);
    background->keeper = NULL;
}

static int keep(void *arg)
{
    struct bight_background *background = arg;

    /* Sleep until the group is closed, or until everything ends. */
    (void)!bight_event_wait(&background->closing);
    keep_end(background);
    return 0;
}

/* Called when the runtime ended before the keeper's first step. */
static void keep_dropped(void *arg)
{
    keep_end(arg);
}

int bight_background_new(struct bight_background **out,
                         void (*on_failure)(void *arg, const struct bight_failure *failure),
                         void *arg)
{
    static const struct bight_spawn_options options = {
        .name = "background",
        .drop = keep_dropped,
    };
    struct bight_sched *sched = bight__sched;
    struct bight_background *background;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    background = bight__alloc(&sched->seams, sizeof(*background));
    if (!background)
        return BIGHT_ENOMEM;
    rc = bight_spawn_with(&background->keeper, &options, keep, background);
    if (rc) {
        bight__free(background);
        return rc;
    }
    background->sched = sched;
    link_append(&sched->owned, &background->owned);
    background->closer = false;
    bight_event_init(&background->closing);
    bight__group_setup(&background->group, BIGHT_GROUP_COLLECT);
    background->group.on_failure = on_failure ? on_failure : report_failure;
    background->group.on_failure_arg = on_failure ? arg : background;
    bight__scope_open(&background->group.scope, background->keeper, SCOPE_GROUP, NO_DEADLINE);
    *out = background;
    return 0;
}

int bight_background_spawn(struct bight_task **out, struct bight_background *background,
                           const struct bight_spawn_options *options, int (*fn)(void *arg),
                           void *arg)
{
    if (!background || !fn)
        return BIGHT_EINVAL;
    if (background->sched != bight__sched)
        return BIGHT_EPERM;
    if (background->closer || background->group.scope.effective)
        return BIGHT_ECLOSED;
    return bight_group_spawn(out, &background->group, options, fn, arg);
}

size_t bight_background_live(const struct bight_background *background)
{
    return background ? background->group.live : 0;
}

int bight_background_drain(struct bight_background *background)
{
    int rc;

    if (!background)
        return BIGHT_EINVAL;
    rc = bight_group_drain(&background->group);
    return rc == BIGHT_ECLOSED ? 0 : rc; /* the runtime ends, and no task is left */
}

static int join_keeper(void *arg)
{
    struct bight_background *background = arg;

    return bight_join(background->keeper, NULL);
}

int bight_background_end(struct bight_background *background)
{
    struct bight_task *self = bight_self();
    int rc;

    if (!background)
        return 0;
    if (!self)
        return BIGHT_ENOTASK;
    if (background->sched != bight__sched)
        return BIGHT_EPERM;
    if (background->closer)
        return BIGHT_EALREADY;
    if (bight__group_contains(&background->group, self))
        return BIGHT_EDEADLK;
    background->closer = true;
    bight_event_set(&background->closing);
    rc = background->keeper ? bight_shield(-1, join_keeper, background) : 0;
    if (rc) {
        background->closer = false; /* the keeper waits, through others, for the caller */
        return rc;
    }
    link_cut(&background->owned);
    bight__free(background);
    return 0;
}
