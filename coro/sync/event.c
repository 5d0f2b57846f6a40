/* Event: a flag that tasks wait for. Setting it wakes all who wait at that moment, in order. */
#include "coro/core/source.h"

#include <bight/event.h>

static const struct bight_waiter_ops event_ops = {
    .name = "event",
    .abort = bight__unlink_abort,
};

void bight_event_init(struct bight_event *event)
{
    if (!event)
        return;
    event->set = false;
    link_init(&event->waiters);
}

int bight_event_set(struct bight_event *event)
{
    if (unlikely(!event))
        return BIGHT_EINVAL;
    if (list_empty(&event->waiters)) {
        event->set = true;
        return 0;
    }
    if (unlikely(bight__waiters_are_foreign(&event->waiters)))
        return BIGHT_EPERM;
    event->set = true;
    return bight__wake_all(&event->waiters, 0);
}

void bight_event_clear(struct bight_event *event)
{
    if (!event)
        return;
    event->set = false;
}

bool bight_event_is_set(const struct bight_event *event)
{
    return event && event->set;
}

size_t bight_event_waiting(const struct bight_event *event)
{
    return event ? list_count(&event->waiters) : 0;
}

/* Apart, so that an event that is set needs no room for a waiter. */
static __attribute__((noinline)) int event_park(struct bight_event *event)
{
    struct bight_waiter waiter;

    return bight__wait_in(&event->waiters, &waiter, &event_ops);
}

int bight_event_wait(struct bight_event *event)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!event))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc) || event->set)
        return rc;
    return event_park(event);
}
