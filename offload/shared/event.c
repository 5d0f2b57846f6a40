/* The event: how often it was set or cleared; it is set while that is odd. So who waits sees that
 * it was set, also when it has been cleared since. */
#include "offload/shared/base.h"

struct event_call {
    struct shared_call call;
    const struct bight_shared_event *event;
    uint64_t before; /* the turns when the wait began */
};

static struct bight_shared *segment_of(const struct bight_shared_event *event)
{
    return bight__shared_of(&event->base, sizeof(*event), SHARED_EVENT);
}

static const struct bight_waiter_ops event_ops = {
    .name = "shared event", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};

static int attempt(struct shared_call *call)
{
    const struct event_call *wait = container_of(call, struct event_call, call);
    uint64_t turns = shared_load(wait->event->turns);

    return turns % 2 || turns != wait->before ? 0 : BIGHT_EAGAIN;
}

int bight_shared_event_init(struct bight_shared_event *event)
{
    int rc;

    if (!event)
        return BIGHT_EINVAL;
    rc = bight__shared_enter(&event->base, sizeof(*event), SHARED_EVENT);
    if (!rc)
        shared_store(event->base.kind, SHARED_EVENT);
    return rc;
}

/* Turn it, unless it is `set` already. */
static int turn(struct bight_shared_event *event, bool set)
{
    struct bight_shared *segment = event ? segment_of(event) : NULL;
    uint64_t turns;

    if (!segment)
        return BIGHT_EINVAL;
    turns = shared_load(event->turns);
    do {
        if ((turns % 2 != 0) == set)
            return 0;
    } while (!shared_swap(event->turns, &turns, turns + 1));
    if (set)
        bight__shared_changed(segment, &event->base);
    return 0;
}

int bight_shared_event_set(struct bight_shared_event *event)
{
    return turn(event, true);
}

int bight_shared_event_clear(struct bight_shared_event *event)
{
    return turn(event, false);
}

bool bight_shared_event_is_set(const struct bight_shared_event *event)
{
    return event && segment_of(event) && shared_load(event->turns) % 2 != 0;
}

int bight_shared_event_wait(struct bight_shared_event *event, int64_t timeout_ms)
{
    struct event_call wait = {.event = event};
    int rc;

    if (!event)
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (rc)
        return rc;
    wait.call = (struct shared_call){segment_of(event), &event->base, &event_ops, attempt};
    if (!wait.call.segment)
        return BIGHT_EINVAL;
    wait.before = shared_load(event->turns);
    return bight__shared_call(&wait.call, timeout_ms);
}
