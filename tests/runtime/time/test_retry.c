/* Retry: pauses that grow, chance in them, limits of attempts and time, what is worth another
 * try. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/retry.h>

#include "runtime/runtime.h"
#include "runtime/testing/testing.h"

/* Fails so many times. */
struct flaky {
    int failures;
    int code;
    int64_t takes_ms;
    int calls;
    int at_ms[16]; /* when each call began */
};

static uint64_t begin_ns;

static int elapsed_ms(void)
{
    return (int)((bight_now_ns() - begin_ns) / 1000000);
}

static int try_it(void *arg)
{
    struct flaky *flaky = arg;
    int call = flaky->calls++;
    int rc = 0;

    if (call < 16)
        flaky->at_ms[call] = elapsed_ms();
    if (flaky->takes_ms)
        rc = bight_sleep(flaky->takes_ms);
    if (rc)
        return rc;
    return call < flaky->failures ? flaky->code : 7;
}

static int retry(const struct bight_retry_options *policy, struct flaky *flaky)
{
    begin_ns = bight_now_ns();
    flaky->calls = 0;
    return bight_retry_run(policy, try_it, flaky);
}

static int grows(void *arg)
{
    struct bight_retry_options policy = {
        .delay_ms = 10, .factor = 3, .max_delay_ms = 200, .jitter = BIGHT_JITTER_NONE};
    struct flaky flaky = {.failures = 5, .code = BIGHT_EIO};
    static const int at_ms[] = {0, 10, 40, 130, 330, 530};

    (void)arg;
    ck_assert_int_eq(retry(&policy, &flaky), 7);
    ck_assert_int_eq(flaky.calls, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(flaky.at_ms[i], at_ms[i]);
    policy.delay_ms = -1; /* no pause at all */
    ck_assert_int_eq(retry(&policy, &flaky), 7);
    ck_assert_int_eq(elapsed_ms(), 0);
    policy.delay_ms = INT64_MAX; /* cut to the longest */
    flaky.failures = 1;
    ck_assert_int_eq(retry(&policy, &flaky), 7);
    ck_assert_int_eq(elapsed_ms(), 200);
    policy.delay_ms = 60000;
    policy.max_delay_ms = -1; /* no longest: beyond the default one */
    ck_assert_int_eq(retry(&policy, &flaky), 7);
    ck_assert_int_eq(elapsed_ms(), 60000);
    policy.factor = 1e300;
    policy.max_delay_ms = INT64_MAX;
    policy.delay_ms = 1;
    flaky.failures = 2;
    ck_assert_int_eq(retry(&policy, &flaky), 7);
    return 0;
}

static int defaults(void *arg)
{
    struct bight_retry_options exact = {.jitter = BIGHT_JITTER_NONE};
    struct flaky flaky = {.failures = 3, .code = BIGHT_EIO};

    (void)arg;
    ck_assert_int_eq(retry(&exact, &flaky), 7);
    ck_assert_int_eq(elapsed_ms(), 100 + 200 + 400);
    ck_assert_int_eq(retry(NULL, &flaky), 7);
    ck_assert_int_le(elapsed_ms(), 100 + 200 + 400);
    return 0;
}

static bool not_perm(void *arg, int code)
{
    (void)arg;
    return code != BIGHT_EPERM;
}

static int gives_up(void *arg)
{
    struct bight_retry_options policy = {.attempts = 3, .again = not_perm};
    struct flaky flaky = {.failures = 9, .code = BIGHT_EIO};

    (void)arg;
    ck_code(retry(&policy, &flaky), BIGHT_EIO);
    ck_assert_int_eq(flaky.calls, 3);
    flaky.code = BIGHT_EPERM;
    ck_code(retry(&policy, &flaky), BIGHT_EPERM);
    ck_assert_int_eq(flaky.calls, 1);
    flaky.code = BIGHT_ECANCELED; /* whoever says so */
    ck_code(retry(&policy, &flaky), BIGHT_ECANCELED);
    ck_assert_int_eq(flaky.calls, 1);
    return 0;
}

static int retries_evenly(void *flaky)
{
    const struct bight_retry_options policy = {.delay_ms = 10, .jitter = BIGHT_JITTER_NONE};

    return retry(&policy, flaky);
}

static int in_time(void *arg)
{
    struct flaky flaky = {.failures = 9, .code = BIGHT_EIO};
    struct bight_scope scope;

    (void)arg;
    ck_code(bight_timeout(100, retries_evenly, &flaky), BIGHT_EIO);
    ck_assert_int_eq(elapsed_ms(), 70); /* the next pause, of 80, would not end in time */
    flaky.takes_ms = 30;
    ck_code(bight_timeout(100, retries_evenly, &flaky),
            BIGHT_ETIMEDOUT); /* 30 10 30 20, and a call is cut short */
    ck_assert_int_eq(flaky.calls, 3);
    ck_assert_int_eq(elapsed_ms(), 100);
    /* The deadline of any scope around is as good. */
    flaky.takes_ms = 0;
    ck_ok(bight_scope_begin(&scope, 35, 0));
    int rc = retries_evenly(&flaky);
    ck_code(rc, BIGHT_EIO);
    ck_assert_int_eq(elapsed_ms(), 30);
    ck_code(bight_scope_end(&scope, rc), BIGHT_EIO);
    return 0;
}

static int retries(void *arg)
{
    return retry(NULL, arg);
}

static int cancelled(void *arg)
{
    struct flaky flaky = {.failures = 1000, .code = BIGHT_EIO};
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, retries, &flaky));
    ck_ok(bight_sleep(3600000));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_gt(flaky.calls, 100);
    return 0;
}

static int refuses(void *arg)
{
    static const struct bight_retry_options bad[] = {
        {.factor = 0.5}, {.factor = -1}, {.jitter = (enum bight_jitter)7}};
    struct flaky flaky = {.failures = 0};

    (void)arg;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_code(bight_retry_run(&bad[i], try_it, &flaky), BIGHT_EINVAL);
    ck_code(bight_retry_run(NULL, NULL, NULL), BIGHT_EINVAL);
    ck_assert_int_eq(flaky.calls, 0);
    return 0;
}

static void retry_refuses_what_cannot_be(void)
{
    ck_code(bight_retry_run(NULL, try_it, NULL), BIGHT_ENOTASK);
    ck_ok(world_run(refuses, NULL, NULL));
}

/* Chance */

struct dice {
    struct bight__test test; /* first: the seams' ctx */
    uint64_t next;
};

static uint64_t throw(void *ctx)
{
    return ((struct dice *)ctx)->next;
}

static struct dice dice;

static int pause_with(enum bight_jitter jitter, uint64_t random)
{
    const struct bight_retry_options policy = {.delay_ms = 100, .jitter = jitter};
    struct flaky flaky = {.failures = 1, .code = BIGHT_EIO};

    dice.next = random;
    ck_assert_int_eq(retry(&policy, &flaky), 7);
    return elapsed_ms();
}

static int jitters(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i <= 100; i++)
        ck_assert_int_eq(pause_with(BIGHT_JITTER_FULL, i), (int)i);
    ck_assert_int_eq(pause_with(BIGHT_JITTER_FULL, 101), 0);
    for (uint64_t i = 0; i <= 50; i++)
        ck_assert_int_eq(pause_with(BIGHT_JITTER_EQUAL, i), (int)(50 + i));
    ck_assert_int_eq(pause_with(BIGHT_JITTER_NONE, 5), 100);
    return 0;
}

static void retry_jitter_comes_from_the_random_seam(void)
{
    struct bight_seams seams = {.random = throw};

    bight__test_time(&dice.test, &seams);
    ck_ok(bight__run_with_seams(NULL, &seams, jitters, NULL));
}

static int spreads(void *arg)
{
    bool low = false, high = false;

    (void)arg;
    for (int i = 0; i < 200; i++) {
        int pause_ms = pause_with(BIGHT_JITTER_FULL, 0);

        ck_assert_int_le(pause_ms, 100);
        low |= pause_ms < 40;
        high |= pause_ms > 60;
    }
    ck_assert(low && high);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(retry_pauses_grow_by_their_factor_up_to_the_longest, grows),
    world_case(retry_has_defaults, defaults),
    world_case(retry_gives_up_by_attempts_and_by_code, gives_up),
    world_case(retry_does_not_sleep_towards_a_deadline, in_time),
    world_case(retry_is_cancelled_in_a_pause, cancelled),
    plain_case(retry_refuses_what_cannot_be),
    plain_case(retry_jitter_comes_from_the_random_seam),
    world_case(retry_jitter_without_a_seam_is_random, spreads),
};

test_suite("retry", cases);
