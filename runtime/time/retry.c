/* Retry: a loop around a function. It has all its limits in one place. */
#include "coro/core/source.h"
#include "runtime/runtime.h"

#include <bight/retry.h>
#include <bight/time.h>

#define DEFAULT_DELAY_MS 100
#define DEFAULT_MAX_DELAY_MS 30000
#define DEFAULT_FACTOR 2.0
/* Some 30 years: exact as a double, and a point that the clock can reach. */
#define DELAY_LIMIT_MS INT64_C(1000000000000)

struct retry {
    struct bight_retry_options policy;
    int (*fn)(void *arg);
    void *arg;
    double delay_ms; /* of the next pause, before jitter */
};

/* Fill in the defaults. False when the policy is invalid. */
static bool policy_default(struct bight_retry_options *policy)
{
    if (policy->delay_ms == 0)
        policy->delay_ms = DEFAULT_DELAY_MS;
    if (policy->delay_ms < 0)
        policy->delay_ms = 0;
    if (policy->max_delay_ms == 0)
        policy->max_delay_ms = DEFAULT_MAX_DELAY_MS;
    if (policy->max_delay_ms < 0 || policy->max_delay_ms > DELAY_LIMIT_MS)
        policy->max_delay_ms = DELAY_LIMIT_MS;
    if (policy->factor == 0)
        policy->factor = DEFAULT_FACTOR;
    return policy->factor >= 1 && policy->jitter <= BIGHT_JITTER_NONE;
}

static int64_t next_pause_ms(struct retry *retry)
{
    const struct bight_retry_options *policy = &retry->policy;
    double most = (double)policy->max_delay_ms;
    int64_t whole, chance;

    whole = retry->delay_ms < most ? (int64_t)retry->delay_ms : policy->max_delay_ms;
    retry->delay_ms = retry->delay_ms < most ? retry->delay_ms * policy->factor : most;
    if (policy->jitter == BIGHT_JITTER_NONE)
        return whole;
    chance = policy->jitter == BIGHT_JITTER_FULL ? whole : whole / 2;
    return whole - chance + (int64_t)bight__random_below(bight__sched, (uint64_t)chance + 1);
}

static int attempts(void *arg)
{
    struct retry *retry = arg;
    const struct bight_retry_options *policy = &retry->policy;

    for (unsigned made = 1;; made++) {
        int64_t pause_ms, remaining_ms;
        int code = retry->fn(retry->arg);
        int rc;

        if (code >= 0 || bight_is_stop(code) || made == policy->attempts)
            return code;
        if (policy->again && !policy->again(retry->arg, code))
            return code;
        pause_ms = next_pause_ms(retry);
        remaining_ms = bight_deadline_remaining_ms();
        if (remaining_ms >= 0 && pause_ms >= remaining_ms && !bight_cancelled())
            return code;
        rc = bight_sleep(pause_ms);
        if (rc)
            return rc;
    }
}

int bight_retry_run(const struct bight_retry_options *policy, int (*fn)(void *arg), void *arg)
{
    struct retry retry = {.fn = fn, .arg = arg};
    struct bight_task *self;
    int rc;

    if (policy)
        retry.policy = *policy;
    if (!fn || !policy_default(&retry.policy))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    retry.delay_ms = (double)retry.policy.delay_ms;
    return attempts(&retry);
}
