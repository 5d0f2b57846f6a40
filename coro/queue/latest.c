/* The latest value: an event that is set by every write and needs no clearing, because each reader
 * knows by the version what it has seen. Values are read when the reader runs, not when it is
 * woken, so that it gets the newest. */
#include <bight/latest.h>

#include <stdio.h>
#include <string.h>

#include "coro/core/source.h"

struct latest_wait {
    struct bight_waiter waiter;
    const struct bight_latest *latest;
};

static void latest_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct latest_wait *wait = container_of(waiter, struct latest_wait, waiter);

    snprintf(text, text_bytes, "after version %llu", (unsigned long long)wait->latest->version);
}

static const struct bight_waiter_ops latest_ops = {
    .name = "latest value",
    .abort = bight__unlink_abort,
    .describe = latest_describe,
};

/* One that is all zero has no bytes: it counts versions. */
static bool is_sound(const struct bight_latest *latest)
{
    return latest && (latest->value || latest->value_bytes == 0);
}

void bight_latest_init(struct bight_latest *latest, void *value, size_t value_bytes)
{
    if (!latest)
        return;
    latest->value = value;
    latest->value_bytes = value_bytes;
    latest->version = 0;
    latest->closed = false;
    link_init(&latest->waiters);
}

int bight_latest_set(struct bight_latest *latest, const void *value)
{
    if (!is_sound(latest) || (!value && latest->value_bytes))
        return BIGHT_EINVAL;
    if (latest->closed)
        return BIGHT_ECLOSED;
    if (bight__waiters_are_foreign(&latest->waiters))
        return BIGHT_EPERM;
    if (latest->value_bytes)
        memcpy(latest->value, value, latest->value_bytes);
    latest->version++;
    bight__wake_all(&latest->waiters, 0);
    return 0;
}

uint64_t bight_latest_get(const struct bight_latest *latest, void *value)
{
    if (!is_sound(latest))
        return 0;
    if (value && latest->value_bytes)
        memcpy(value, latest->value, latest->value_bytes);
    return latest->version;
}

int bight_latest_wait(struct bight_latest *latest, uint64_t *version, void *value)
{
    struct latest_wait wait = {.latest = latest};
    struct bight_task *self;
    int rc;

    if (unlikely(!is_sound(latest) || !version))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    if (latest->version == *version) {
        if (latest->closed)
            return BIGHT_ECLOSED;
        rc = bight__wait_in(&latest->waiters, &wait.waiter, &latest_ops);
        if (rc)
            return rc;
    }
    *version = bight_latest_get(latest, value);
    return 0;
}

int bight_latest_close(struct bight_latest *latest)
{
    if (!latest)
        return BIGHT_EINVAL;
    if (bight__waiters_are_foreign(&latest->waiters))
        return BIGHT_EPERM;
    latest->closed = true;
    bight__wake_all(&latest->waiters, BIGHT_ECLOSED);
    return 0;
}
