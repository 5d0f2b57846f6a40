/* The scenarios of what tasks synchronise with, beyond mutex and event. See scenarios.h. */
#include "tests/scenarios.h"

#include <bight.h>
#include <check.h>

/* Condition: a buffer of one place between two tasks. */

struct buffer {
    struct bight_mutex mutex;
    struct bight_condition changed;
    bool full;
    bool closed; /* one side has gone */
};

static bool may_fill(void *arg)
{
    const struct buffer *buffer = arg;

    return !buffer->full || buffer->closed;
}

static bool may_empty(void *arg)
{
    const struct buffer *buffer = arg;

    return buffer->full || buffer->closed;
}

static int lock_buffer(struct buffer *buffer)
{
    int rc = bight_mutex_lock(&buffer->mutex);

    scenario_balance += rc == 0;
    return rc;
}

static void unlock_buffer(struct buffer *buffer)
{
    EXPECT(bight_condition_notify_all(&buffer->changed) == 0);
    EXPECT(bight_mutex_unlock(&buffer->mutex) == 0);
    scenario_balance--;
}

static int move(struct buffer *buffer, bool fill)
{
    int rc = lock_buffer(buffer);

    if (rc)
        return rc;
    rc = bight_condition_wait_until(&buffer->changed, fill ? may_fill : may_empty, buffer);
    EXPECT(bight_mutex_owner(&buffer->mutex) == bight_self());
    if (rc == 0 && buffer->full != fill)
        buffer->full = fill;
    else if (rc == 0)
        rc = BIGHT_ECLOSED;
    unlock_buffer(buffer);
    return rc;
}

static void leave_buffer(void *arg)
{
    struct buffer *buffer = arg;

    /* Shielded, in a handler of the task's end. */
    EXPECT(lock_buffer(buffer) == 0);
    buffer->closed = true;
    unlock_buffer(buffer);
}

static int side(struct buffer *buffer, bool fill)
{
    int rc = bight_defer(leave_buffer, buffer);

    for (int i = 0; i < 3 && !rc; i++)
        rc = move(buffer, fill);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int fills(void *arg)
{
    scenario_balance--;
    return side(arg, true);
}

static int empties(void *arg)
{
    scenario_balance--;
    return side(arg, false);
}

static int buffer_body(struct bight_group *group, void *arg)
{
    int rc = scenario_spawn(group, NULL, "fills", fills, arg);

    return rc ? rc : scenario_spawn(group, NULL, "empties", empties, arg);
}

int scenario_condition(void *arg)
{
    struct buffer buffer = {0};

    (void)arg;
    bight_mutex_init(&buffer.mutex);
    bight_condition_init(&buffer.changed, &buffer.mutex);
    return bight_group(buffer_body, &buffer);
}
