/* What is due in one pass of the loop, because the thread was busy meanwhile: timed calls and
 * deadlines, in the order of their times, before any task goes on. */
#include <bight.h>

#include "tests/harness/random.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>

static int with_a_retry(void *arg)
{
    for (int64_t busy_ms = 20; busy_ms <= 500; busy_ms += 60) {
        struct bight_scope outer, inner;
        int rc;

        (void)arg;
        ck_ok(bight_scope_begin(&outer, 100, 0));
        ck_ok(bight_scope_begin(&inner, 10, 0));
        ck_ok(bight_test_advance(busy_ms));
        rc = bight_sleep(1000);
        ck_assert_int_eq(bight_scope_end(&inner, rc),
                         busy_ms < 100 ? BIGHT_ETIMEDOUT : BIGHT_ECANCELED);
        ck_assert_int_eq(outer.expired, busy_ms >= 100);
        rc = bight_sleep(1000);
        ck_code(rc, BIGHT_ECANCELED);
        ck_code(bight_scope_end(&outer, rc), BIGHT_ETIMEDOUT);
    }
    return 0;
}

static int three_deep(void *arg)
{
    struct bight_scope scopes[3];
    struct bight_scope shield;

    (void)arg;
    ck_ok(bight_scope_begin(&scopes[0], 30, 0));
    ck_ok(bight_scope_begin(&shield, -1, BIGHT_SCOPE_SHIELD));
    ck_ok(bight_scope_begin(&scopes[1], 20, 0));
    ck_ok(bight_scope_begin(&scopes[2], 10, 0));
    ck_ok(bight_test_advance(50));
    ck_code(bight_sleep(1000), BIGHT_ECANCELED);
    for (int i = 0; i < 3; i++)
        ck_assert(scopes[i].expired);
    ck_code(bight_scope_end(&scopes[2], BIGHT_ECANCELED), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scopes[1], BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_ok(bight_scope_end(&shield, bight_yield()));
    ck_code(bight_scope_end(&scopes[0], bight_yield()), BIGHT_ETIMEDOUT);
    return 0;
}

/* A call that cancels a scope. */
struct canceller {
    struct bight_call call;
    struct bight_scope *scope;
    bool had_expired;
};

static void cancel_scope(struct bight_call *call)
{
    struct canceller *canceller = bight_container_of(call, struct canceller, call);

    canceller->had_expired = canceller->scope->expired;
    bight_scope_cancel(canceller->scope);
}

static void cancel_later(struct canceller *canceller, struct bight_scope *scope, int64_t call_ms)
{
    canceller->scope = scope;
    bight_call_init(&canceller->call, cancel_scope);
    ck_ok(bight_call_later(&canceller->call, call_ms));
}

static void one_call(int64_t call_ms, int64_t deadline_ms, int64_t busy_ms)
{
    struct canceller canceller;
    struct bight_scope scope;
    bool late = call_ms > deadline_ms;

    ck_ok(bight_scope_begin(&scope, deadline_ms, 0));
    cancel_later(&canceller, &scope, call_ms);
    ck_ok(bight_test_advance(busy_ms));
    ck_code(bight_sleep(1000), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), late ? BIGHT_ETIMEDOUT : 0);
    ck_assert(scope.expired == late);
    ck_ok(bight_sleep(1000));
    ck_assert(canceller.had_expired == late);
}

static int call_and_deadline(void *arg)
{
    (void)arg;
    one_call(10, 20, 0);
    one_call(10, 20, 50);
    one_call(3, 4, 50);
    one_call(19, 20, 500);
    one_call(1, 200, 500);
    one_call(20, 10, 0);
    one_call(20, 10, 50);
    return 0;
}

static int between_two_deadlines(void *arg)
{
    struct canceller canceller;
    struct bight_scope outer, inner;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, 30, 0));
    ck_ok(bight_scope_begin(&inner, 10, 0));
    cancel_later(&canceller, &outer, 20);
    ck_ok(bight_test_advance(50));
    ck_code(bight_sleep(1000), BIGHT_ECANCELED);
    ck_assert(inner.expired && outer.cancelled && !outer.expired);
    ck_code(bight_scope_end(&inner, BIGHT_ECANCELED), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&outer, BIGHT_ECANCELED));
    return 0;
}

static int before_an_older_sleep(void *arg)
{
    struct canceller canceller;
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 20, 0));
    cancel_later(&canceller, &scope, 10);
    ck_ok(bight_test_advance(15));
    ck_code(bight_sleep(1), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    return 0;
}

/* A call that moves the deadline that is due behind it. */
static void move_deadline(struct bight_call *call)
{
    ck_ok(bight_scope_set_timeout(bight_container_of(call, struct canceller, call)->scope, 100));
}

static int moved_in_time(void *arg)
{
    struct canceller mover;
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 20, 0));
    cancel_later(&mover, &scope, 10);
    mover.call.fn = move_deadline;
    ck_ok(bight_test_advance(50));
    ck_ok(bight_sleep(60));
    ck_code(bight_sleep(60), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    return 0;
}

/* Calls that settle what somebody waits for, with a time limit that comes later. */
struct settler {
    struct bight_call call;
    struct bight_event event;
    struct bight_task *task;
};

static void settle_event(struct bight_call *call)
{
    bight_event_set(&bight_container_of(call, struct settler, call)->event);
}

static void settle_task(struct bight_call *call)
{
    (void)bight_task_cancel(bight_container_of(call, struct settler, call)->task);
}

static void settle_after(struct settler *settler, void (*fn)(struct bight_call *call),
                         int64_t delay_ms)
{
    bight_call_init(&settler->call, fn);
    ck_ok(bight_call_later(&settler->call, delay_ms));
}

/* Blocks the thread from inside: the others' timers are all armed by then. */
static int block(void *arg)
{
    return bight_test_advance(*(const int64_t *)arg);
}

static int limits_overdue(void *arg)
{
    int64_t busy_ms = 50;
    struct bight_wait_item item = {0};
    struct bight_case selected[2];
    struct settler settler;
    int status;

    (void)arg;
    bight_event_init(&settler.event);
    settle_after(&settler, settle_event, 10);
    ck_ok(bight_spawn(NULL, block, &busy_ms));
    bight_case_event(&selected[0], &settler.event);
    bight_case_sleep(&selected[1], 20);
    ck_assert_int_eq(bight_select(selected, 2, 0), 0);

    ck_ok(bight_spawn(&settler.task, world_forever, NULL));
    ck_ok(bight_spawn(NULL, block, &busy_ms));
    settle_after(&settler, settle_task, 10);
    item.task = settler.task;
    ck_assert_int_eq(bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, 20), 1);
    ck_ok(bight_join(settler.task, &status));
    ck_assert_int_eq(status, BIGHT_ECANCELED);
    return 0;
}

/* Random: tasks with nested deadlines, calls, one long step, and each call looks at all scopes. */
#define TASKS 6
#define DEPTH 3
#define CALLS 12
#define SPAN_MS 60

static uint64_t random_state;
static struct bight_scope chains[TASKS][DEPTH];
static int64_t deadlines[TASKS][DEPTH];
static size_t calls_made;

struct looking {
    struct bight_call call;
    int64_t at_ms;
};

static unsigned below(unsigned limit)
{
    return (unsigned)(test_random(&random_state) >> 20) % limit;
}

static void look(struct bight_call *call)
{
    int64_t at_ms = bight_container_of(call, struct looking, call)->at_ms;

    calls_made++;
    for (int task = 0; task < TASKS; task++) {
        for (int depth = 0; depth < DEPTH; depth++)
            ck_assert_msg(chains[task][depth].expired == (deadlines[task][depth] < at_ms),
                          "a call of %d ms and a deadline of %d ms", (int)at_ms,
                          (int)deadlines[task][depth]);
    }
}

static int chain(void *arg)
{
    size_t task = (size_t)arg;
    int rc;

    for (int depth = 0; depth < DEPTH; depth++)
        ck_ok(bight_scope_begin(&chains[task][depth], deadlines[task][depth], 0));
    rc = bight_sleep(-1);
    for (int depth = 0; depth < DEPTH; depth++)
        ck_assert(chains[task][depth].expired);
    for (int depth = DEPTH; depth-- > 0;)
        rc = bight_scope_end(&chains[task][depth], rc);
    ck_code(rc, BIGHT_ETIMEDOUT);
    return 0;
}

static void one_pass(void)
{
    struct looking looks[CALLS];

    calls_made = 0;
    for (size_t task = 0; task < TASKS; task++) {
        for (int depth = 0; depth < DEPTH; depth++)
            deadlines[task][depth] = 1 + 2 * below(SPAN_MS / 2); /* odd */
        ck_ok(bight_spawn(NULL, chain, (void *)task));
    }
    for (int i = 0; i < CALLS; i++) {
        looks[i].at_ms = 2 * below(SPAN_MS / 2); /* even: no two equal ones of both kinds */
        bight_call_init(&looks[i].call, look);
        ck_ok(bight_call_later(&looks[i].call, looks[i].at_ms));
    }
    world_settle();
    ck_ok(bight_test_advance(SPAN_MS));
    ck_ok(bight_sleep(1));
    ck_assert_uint_eq(calls_made, CALLS);
}

static int many_orders(void *arg)
{
    (void)arg;
    random_state = 7;
    for (int round = 0; round < 500; round++)
        one_pass();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_retry_does_not_begin_after_its_total_budget, with_a_retry),
    world_case(all_overdue_scopes_of_a_task_expire_at_once, three_deep),
    world_case(a_call_due_before_a_deadline_is_made_before_it, call_and_deadline),
    world_case(a_call_between_two_deadlines_is_made_between_them, between_two_deadlines),
    world_case(a_call_that_cancels_comes_before_a_sleep_that_is_over_later, before_an_older_sleep),
    world_case(a_call_moves_a_deadline_that_is_due_behind_it, moved_in_time),
    world_case(a_call_comes_before_an_overdue_limit_of_any_wait, limits_overdue),
    world_case(calls_and_deadlines_of_one_pass_keep_the_order_of_their_times, many_orders),
};

test_suite("due", cases);
