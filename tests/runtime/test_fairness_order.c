/* Timed calls that are due by the hundred and work for long: what order is kept of them and of
 * deadlines, and those that wait for their turn. What they let through: test_fairness_calls.c. */
#include "tests/harness/random.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"
#include "tests/runtime/crowd.h"

/* A scope that waits for a deadline, all calls being due before it and the thread busy until it
 * has passed. */
static int passed_by_a_deadline(void *arg)
{
    struct crowd *crowd = arg;
    size_t calls = crowd->step_ms ? 6 : CALLS;
    struct bight_scope scope;

    crowd_arm(crowd, calls);
    ck_ok(bight_scope_begin(&scope, DUE_MS + 1, 0));
    crowd_spend(crowd, 500);
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    ck_assert_uint_eq(crowd->made, calls);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    return 0;
}

static void a_deadline_comes_behind_calls_that_are_few_or_short(void)
{
    struct crowd few = {.step_ms = 5}, shorts = {.step_ms = 0};

    crowd_run(&few, passed_by_a_deadline, &few);
    crowd_run(&shorts, passed_by_a_deadline, &shorts);
}

#define TASKS 6
#define SPAN_MS 400

/* Deadlines among the calls. */
static struct bight_scope scopes[TASKS];
static int64_t deadlines_ms[TASKS];
static uint64_t begin_ns;
static uint64_t random_state;

static int64_t below(unsigned limit)
{
    return (int64_t)(test_random(&random_state) >> 20) % limit;
}

static void look(struct bight_call *call)
{
    struct timed *timed = bight_container_of(call, struct timed, call);
    struct crowd *crowd = timed->crowd;

    for (int i = 0; i < TASKS; i++) {
        uint64_t due_ns = begin_ns + (uint64_t)deadlines_ms[i] * 1000000;

        ck_assert(due_ns >= timed->due_ns || scopes[i].expired);
        ck_assert(due_ns <= crowd_now(crowd) || !scopes[i].expired);
    }
    crowd->step_ms = below(4) ? below(4) : below(30);
    crowd_make(call);
}

static int expires(void *arg)
{
    struct bight_scope *scope = arg;
    int rc;

    ck_ok(bight_scope_begin(scope, deadlines_ms[scope - scopes], 0));
    rc = bight_sleep(-1);
    ck_assert(scope->expired);
    ck_code(bight_scope_end(scope, rc), BIGHT_ETIMEDOUT);
    return 0;
}

static int random_order(void *arg)
{
    struct crowd *crowd = arg;

    begin_ns = crowd_now(crowd);
    crowd->last_due_ns = 0;
    for (int i = 0; i < TASKS; i++) {
        deadlines_ms[i] = 1 + below(SPAN_MS);
        ck_ok(bight_spawn(NULL, expires, &scopes[i]));
    }
    for (size_t i = 0; i < CALLS; i++) {
        struct timed *timed = &crowd->calls[i];

        timed->crowd = crowd;
        timed->due_ns = begin_ns + (uint64_t)below(SPAN_MS * 1000) * 1000;
        bight_call_init(&timed->call, look);
        ck_ok(bight_call_at(&timed->call, timed->due_ns));
    }
    world_settle();
    crowd->made = 0;
    while (crowd->made < CALLS)
        ck_ok(bight_sleep(1));
    return bight_sleep(SPAN_MS);
}

static void no_call_comes_before_what_was_due_earlier(void)
{
    random_state = 11;
    for (int round = 0; round < 100; round++) {
        struct crowd crowd = {.step_ms = 0};

        crowd_run(&crowd, random_order, &crowd);
    }
}

/* Calls that wait for their turn, and are taken back. */
static int taken_back(void *arg)
{
    struct crowd *crowd = arg;
    size_t cancelled = 0;

    crowd_arm(crowd, CALLS);
    crowd_spend(crowd, DUE_MS);
    while (!crowd->made)
        ck_ok(bight_yield());
    ck_assert_uint_lt(crowd->made, CALLS / 2);
    for (size_t i = 0; i < CALLS; i++) {
        struct bight_call *call = &crowd->calls[i].call;

        ck_assert(bight_call_pending(call) != crowd->calls[i].made);
        ck_assert_uint_eq(bight_call_when_ns(call), 0);
        if (i % 2)
            continue;
        ck_code(bight_call_later(call, 1), bight_call_pending(call) ? BIGHT_EALREADY : 0);
        cancelled += bight_call_cancel(call);
        ck_assert(!bight_call_pending(call));
    }
    ck_assert_uint_eq(cancelled, CALLS / 2);
    while (bight_call_pending(&crowd->calls[1].call))
        ck_ok(bight_yield());
    for (size_t i = 0; i < CALLS; i += 2)
        ck_assert(!crowd->calls[i].made || crowd->calls[i].due_ns < crowd->calls[1].due_ns);
    crowd->last_due_ns = 0;
    ck_ok(bight_call_later(&crowd->calls[0].call, 0));
    ck_ok(bight_sleep(1));
    ck_assert(crowd->calls[0].made);
    return 0;
}

static void a_call_that_waits_for_its_turn_can_be_taken_back(void)
{
    struct crowd crowd = {.step_ms = 5};

    crowd_run(&crowd, taken_back, &crowd);
}

static int leaves_many(void *arg)
{
    struct crowd *crowd = arg;

    crowd_arm(crowd, CALLS);
    crowd_spend(crowd, DUE_MS);
    while (!crowd->made)
        ck_ok(bight_yield());
    ck_assert_uint_lt(crowd->made, CALLS / 2);
    return 0;
}

static void those_that_are_due_at_the_end_are_made_then(void)
{
    struct crowd crowd = {.step_ms = 5};

    crowd_run(&crowd, leaves_many, &crowd);
    ck_assert_uint_eq(crowd.made, CALLS);
    for (size_t i = 0; i < CALLS; i++)
        ck_assert(!bight_call_pending(&crowd.calls[i].call));
}

static const struct suite_case cases[] = {
    plain_case(a_deadline_comes_behind_calls_that_are_few_or_short),
    plain_case(no_call_comes_before_what_was_due_earlier),
    plain_case(a_call_that_waits_for_its_turn_can_be_taken_back),
    plain_case(those_that_are_due_at_the_end_are_made_then),
};

test_suite("fairness_order", cases);
