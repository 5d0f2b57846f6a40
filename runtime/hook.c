/* The lists behind <bight/hook.h>. drive.c decides when the hooks are called. */
#include "runtime/runtime.h"

#include <bight/hook.h>

void bight_hook_init(struct bight_hook *hook, void (*fn)(struct bight_hook *hook))
{
    if (!hook)
        return;
    hook->fn = fn;
    link_init(&hook->link);
}

static int add(struct bight_link *hooks, struct bight_hook *hook)
{
    if (!list_empty(&hook->link))
        return BIGHT_EALREADY;
    link_append(hooks, &hook->link);
    return 0;
}

int bight_hook_add_turn(struct bight_hook *hook)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!hook || !hook->fn)
        return BIGHT_EINVAL;
    return runtime ? add(&runtime->turn_hooks, hook) : BIGHT_ENORUNTIME;
}

int bight_hook_add_idle(struct bight_hook *hook)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!hook || !hook->fn)
        return BIGHT_EINVAL;
    return runtime ? add(&runtime->idle_hooks, hook) : BIGHT_ENORUNTIME;
}

bool bight_hook_remove(struct bight_hook *hook)
{
    bool added = hook && !list_empty(&hook->link);

    if (added)
        link_remove(&hook->link);
    return added;
}

/* Each hook is put back before it is called, so that it may remove any of them, and itself. */
void bight__hooks_call(struct bight_sched *sched, struct bight_link *hooks)
{
    struct bight_link pending, *link;

    link_init(&pending);
    link_splice(&pending, hooks);
    while ((link = link_take(&pending))) {
        struct bight_hook *hook = container_of(link, struct bight_hook, link);

        link_append(hooks, link);
        bight__slow_begin(sched);
        hook->fn(hook);
        bight__slow_end(sched);
    }
}

void bight__hooks_fini(struct bight_runtime *runtime)
{
    while (link_take(&runtime->turn_hooks) || link_take(&runtime->idle_hooks))
        ;
}
