/* The event of <bight/thread_event.h>: a flag, and those who wait for it, under a lock. Waiting and
 * waking are in thread_wait.h. */
#include "runtime/threads/thread_wait.h"

#include <bight/thread_event.h>

struct bight_thread_event {
    uv_mutex_t lock;
    size_t refs;
    bool set;
    struct bight_link waiters;
};

static const struct bight_waiter_ops event_ops = {
    .name = "thread event",
    .abort = bight__thread_wait_abort,
    .flags = THREAD_WAIT_FLAGS,
};

int bight_thread_event_new(struct bight_thread_event **out)
{
    struct bight_thread_event *event;

    if (!out)
        return BIGHT_EINVAL;
    event = bight__thread_alloc(sizeof *event);
    if (!event)
        return BIGHT_ENOMEM;
    int rc = bight__thread_lock_init(&event->lock);
    if (rc) {
        bight__free(event);
        return rc;
    }
    event->refs = 1;
    link_init(&event->waiters);
    *out = event;
    return 0;
}

struct bight_thread_event *bight_thread_event_ref(struct bight_thread_event *event)
{
    if (!event)
        return NULL;
    uv_mutex_lock(&event->lock);
    event->refs++;
    uv_mutex_unlock(&event->lock);
    return event;
}

void bight_thread_event_unref(struct bight_thread_event *event)
{
    if (!event)
        return;
    uv_mutex_lock(&event->lock);
    size_t refs = --event->refs;
    uv_mutex_unlock(&event->lock);
    if (refs)
        return;
    uv_mutex_destroy(&event->lock);
    bight__free(event);
}

void bight_thread_event_set(struct bight_thread_event *event)
{
    if (!event)
        return;
    uv_mutex_lock(&event->lock);
    event->set = true;
    bight__thread_wake_all(&event->waiters, 0);
    uv_mutex_unlock(&event->lock);
}

void bight_thread_event_clear(struct bight_thread_event *event)
{
    if (!event)
        return;
    uv_mutex_lock(&event->lock);
    event->set = false;
    uv_mutex_unlock(&event->lock);
}

bool bight_thread_event_is_set(struct bight_thread_event *event)
{
    if (!event)
        return false;
    uv_mutex_lock(&event->lock);
    bool set = event->set;
    uv_mutex_unlock(&event->lock);
    return set;
}

static int wait_set(struct bight_thread_event *event, int64_t timeout_ms)
{
    struct bight_thread_wait wait;

    uv_mutex_lock(&event->lock);
    if (event->set) {
        uv_mutex_unlock(&event->lock);
        return 0;
    }
    return bight__thread_wait_in(&event->waiters, &event->lock, &wait, &event_ops, timeout_ms);
}

int bight_thread_event_wait(struct bight_thread_event *event, int64_t timeout_ms)
{
    int rc;

    if (!event)
        return BIGHT_EINVAL;
    rc = bight__thread_wait_begin();
    return rc ? rc : wait_set(event, timeout_ms);
}
