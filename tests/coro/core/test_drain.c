/* coro/core/drain.c: what a drain ends, what it lets go on, and what its code means to groups and
 * to what waits. Time is virtual. */
#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/gather.h>
#include <bight/once.h>
#include <bight/retry.h>
#include <bight/wait.h>

static int sleeps(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

/* A task that sleeps in a scope with `flags`, for as long as it is let. */
struct sleeper {
    unsigned flags;
    int64_t sleep_ms;
    struct bight_task *task;
    int rc; /* of the sleep; 1: it has not ended */
};

static int sleeper_main(void *arg)
{
    struct sleeper *sleeper = arg;
    struct bight_scope scope;

    sleeper->rc = 1;
    ck_ok(bight_scope_begin(&scope, -1, sleeper->flags));
    sleeper->rc = bight_sleep(sleeper->sleep_ms);
    return bight_scope_end(&scope, sleeper->rc);
}

static void sleeper_start(struct sleeper *sleeper, struct bight_group *group)
{
    ck_ok(bight_group_spawn(&sleeper->task, group, NULL, sleeper_main, sleeper));
    world_settle();
    ck_assert_int_eq(sleeper->rc, 1);
}

static int sleeper_finish(struct sleeper *sleeper)
{
    int status;

    ck_ok(bight_join(sleeper->task, &status));
    return status;
}

static int only_stoppable(void *arg)
{
    struct sleeper stops = {.flags = BIGHT_SCOPE_STOPPABLE, .sleep_ms = -1};
    struct sleeper goes_on = {.sleep_ms = 50};
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    sleeper_start(&stops, &group);
    sleeper_start(&goes_on, &group);
    ck_assert(!bight_draining());
    bight_scope_drain(&group.scope);
    bight_scope_drain(&group.scope); /* twice is once */
    ck_assert(bight_draining() && !bight_cancelled());
    world_settle();
    ck_code(stops.rc, BIGHT_EDRAIN);
    ck_assert_int_eq(goes_on.rc, 1);
    ck_code(sleeper_finish(&stops), BIGHT_EDRAIN);
    ck_ok(sleeper_finish(&goes_on));
    ck_ok(bight_sleep(1)); /* nor is the drain's own task stopped */
    ck_ok(bight_group_end(&group, 0));
    ck_assert_uint_eq(group.failed, 0);
    ck_assert(!bight_draining());
    return 0;
}

/* Directly in the scope, as long as it lasts, and only there. */
static int a_state(void *arg)
{
    struct bight_scope outer, stoppable, inner;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    bight_scope_drain(&outer);
    ck_ok(bight_yield());
    ck_ok(bight_scope_begin(&stoppable, -1, BIGHT_SCOPE_STOPPABLE));
    ck_code(bight_yield(), BIGHT_EDRAIN);
    ck_code(bight_sleep(1), BIGHT_EDRAIN);
    ck_code(bight_checkpoint(), BIGHT_EDRAIN);
    ck_ok(bight_scope_begin(&inner, 10, 0));
    ck_ok(bight_sleep(1));
    ck_code(bight_scope_end(&inner, bight_sleep(100)), BIGHT_ETIMEDOUT);
    ck_ok(bight_scope_begin(&inner, 10, BIGHT_SCOPE_INHERIT));
    ck_code(bight_scope_end(&inner, bight_sleep(1)), BIGHT_EDRAIN);
    ck_ok(bight_scope_begin(&inner, -1, BIGHT_SCOPE_SHIELD));
    ck_ok(bight_sleep(1));
    ck_ok(bight_scope_end(&inner, 0));
    ck_ok(bight_scope_begin(&inner, -1, BIGHT_SCOPE_SHIELD | BIGHT_SCOPE_STOPPABLE));
    ck_code(bight_scope_end(&inner, bight_sleep(1)), BIGHT_EDRAIN);
    ck_code(bight_yield(), BIGHT_EDRAIN);
    bight_scope_cancel(&outer);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_set_shield(&stoppable, true));
    ck_code(bight_yield(), BIGHT_EDRAIN);
    ck_code(bight_scope_end(&stoppable, BIGHT_EDRAIN), BIGHT_EDRAIN);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&outer, BIGHT_ECANCELED));
    ck_ok(bight_yield());
    return 0;
}

static int inherits(void *arg)
{
    struct bight_scope plain, inner;

    (void)arg;
    ck_ok(bight_scope_begin(&plain, -1, 0));
    bight_scope_drain(&plain);
    ck_ok(bight_scope_begin(&inner, 10, BIGHT_SCOPE_INHERIT));
    ck_ok(bight_scope_end(&inner, bight_sleep(1)));
    ck_ok(bight_scope_end(&plain, 0));
    return 0;
}

static int made_before(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    bight_scope_init(&scope, -1, BIGHT_SCOPE_STOPPABLE);
    bight_scope_drain(&scope);
    ck_ok(bight_scope_enter(&scope));
    ck_code(bight_scope_end(&scope, bight_yield()), BIGHT_EDRAIN);
    bight_scope_drain(&scope); /* ended: nothing */
    bight_scope_drain(NULL);
    ck_code(bight_scope_begin(&scope, -1, 8), BIGHT_EINVAL);
    return 0;
}

static int body_of_drained(void *arg)
{
    struct bight_scope scope;
    struct sleeper *sleeper = arg;
    struct bight_group group;
    int rc;

    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, sleeper_main, sleeper));
    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    rc = bight_scope_end(&scope, bight_sleep(-1));
    return bight_group_end(&group, rc);
}

/* What an accept loop comes to: its body is drained, its tasks go on, and nobody has failed. */
static int groups(void *arg)
{
    struct sleeper goes_on = {.sleep_ms = 50};
    int64_t long_ms = 100;
    struct bight_task *task, *sibling;
    struct bight_group group;
    int status;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(&task, &group, NULL, body_of_drained, &goes_on));
    ck_ok(bight_group_spawn(&sibling, &group, NULL, sleeps, &long_ms));
    world_settle();
    ck_assert(bight_task_drain(task));
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_EDRAIN);
    ck_ok(goes_on.rc);
    ck_ok(bight_join(sibling, &status));
    ck_ok(status);
    ck_ok(bight_group_end(&group, 0));
    ck_assert(!bight_task_drain(NULL));
    return 0;
}

/* Those that it let go on are cancelled later: then that is what it came to. */
static int groups_cancelled(void *arg)
{
    struct sleeper goes_on = {.sleep_ms = -1};
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, body_of_drained, &goes_on));
    world_settle();
    ck_assert(bight_task_drain(task));
    world_settle();
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    return 0;
}

static int returns_drained(void *arg)
{
    (void)arg;
    return BIGHT_EDRAIN;
}

/* Without a drain it is a code as any other. */
static int undrained(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, returns_drained, NULL));
    ck_code(bight_group_end(&group, 0), BIGHT_EDRAIN);
    ck_assert_uint_eq(group.failed, 1);
    return 0;
}

/* A task that comes later, or comes over from elsewhere, drains as its group does. */
static int late(void *arg)
{
    struct sleeper sleeper = {.flags = BIGHT_SCOPE_STOPPABLE, .sleep_ms = -1};
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    bight_scope_drain(&group.scope);
    ck_ok(bight_group_spawn(&sleeper.task, &group, NULL, sleeper_main, &sleeper));
    ck_code(sleeper_finish(&sleeper), BIGHT_EDRAIN);
    ck_ok(bight_group_end(&group, 0));
    return 0;
}

static int starts_then_sleeps(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    ck_ok(bight_group_started(7));
    return bight_scope_end(&scope, bight_sleep(-1));
}

struct starting {
    struct bight_group *group;
    struct bight_task *started;
};

static int starts(void *arg)
{
    struct starting *starting = arg;
    int value = 0;

    ck_ok(bight_group_start(&starting->started, starting->group, NULL, starts_then_sleeps, NULL,
                            &value));
    ck_assert_int_eq(value, 7);
    return 0;
}

static int moves_in(void *arg)
{
    struct bight_group group;
    struct starting starting = {.group = &group};
    struct bight_task *starter;
    int status;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    bight_scope_drain(&group.scope);
    ck_ok(bight_spawn(&starter, starts, &starting));
    ck_ok(bight_join(starter, &status));
    ck_ok(status);
    ck_ok(bight_join(starting.started, &status));
    ck_code(status, BIGHT_EDRAIN);
    ck_ok(bight_group_end(&group, 0));
    return 0;
}

struct waiting {
    struct bight_task *task;
    struct bight_mutex mutex;
    struct bight_condition condition;
    int rc, status;
};

static int waits_for(void *arg)
{
    struct waiting *waiting = arg;
    struct bight_scope scope;

    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    waiting->rc = bight_wait_for(waiting->task, -1, &waiting->status);
    return bight_scope_end(&scope, 0);
}

/* It cancels what was given to it, as when it is cancelled. */
static int wait_for(void *arg)
{
    struct waiting waiting = {0};
    struct bight_task *task;
    int64_t for_ever = -1;

    (void)arg;
    ck_ok(bight_spawn(&waiting.task, sleeps, &for_ever));
    ck_ok(bight_spawn(&task, waits_for, &waiting));
    world_settle();
    ck_assert(bight_task_drain(task));
    ck_ok(bight_join(task, NULL));
    ck_code(waiting.rc, BIGHT_EDRAIN);
    ck_code(waiting.status, BIGHT_ECANCELED);
    return 0;
}

static int waits_condition(void *arg)
{
    struct waiting *waiting = arg;
    struct bight_scope scope;

    ck_ok(bight_mutex_lock(&waiting->mutex));
    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    waiting->rc = bight_condition_wait(&waiting->condition);
    ck_ok(bight_scope_end(&scope, 0));
    bight_mutex_unlock(&waiting->mutex);
    return 0;
}

/* It has the mutex again, whatever ended the wait. */
static int condition(void *arg)
{
    struct waiting waiting = {0};
    struct bight_task *task;

    (void)arg;
    bight_mutex_init(&waiting.mutex);
    bight_condition_init(&waiting.condition, &waiting.mutex);
    ck_ok(bight_spawn(&task, waits_condition, &waiting));
    world_settle();
    ck_ok(bight_mutex_lock(&waiting.mutex));
    ck_assert(bight_task_drain(task));
    world_settle();
    ck_ok(waiting.rc); /* it waits for the mutex */
    bight_mutex_unlock(&waiting.mutex);
    ck_ok(bight_join(task, NULL));
    ck_code(waiting.rc, BIGHT_EDRAIN);
    ck_ok(bight_mutex_try_lock(&waiting.mutex));
    bight_mutex_unlock(&waiting.mutex);
    return 0;
}

static int calls;

static int counts_and_yields(void *arg)
{
    (void)arg;
    calls++;
    return bight_yield();
}

/* Nobody tries again, and what was begun once may be begun by the next. */
static int gives_way(void *arg)
{
    const struct bight_retry_options policy = {.attempts = 5, .delay_ms = 10};
    static struct bight_once once = BIGHT_ONCE_INIT;
    struct bight_scope scope;

    (void)arg;
    calls = 0;
    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    bight_scope_drain(&scope);
    ck_code(bight_once_run(&once, counts_and_yields, NULL), BIGHT_EDRAIN);
    ck_code(bight_retry_run(&policy, counts_and_yields, NULL), BIGHT_EDRAIN);
    ck_code(bight_scope_end(&scope, BIGHT_EDRAIN), BIGHT_EDRAIN);
    calls = 0;
    ck_ok(bight_once_run(&once, counts_and_yields, NULL));
    ck_assert_int_eq(calls, 1);
    return 0;
}

static int gathers(void *arg)
{
    struct sleeper stops = {.flags = BIGHT_SCOPE_STOPPABLE, .sleep_ms = -1};
    struct sleeper goes_on = {.sleep_ms = 20};
    struct bight_gather calls_of[] = {{.fn = sleeper_main, .arg = &stops},
                                      {.fn = sleeper_main, .arg = &goes_on}};

    (void)arg;
    ck_ok(bight_gather_all(calls_of, 2, 0));
    ck_code(calls_of[0].status, BIGHT_EDRAIN);
    ck_ok(calls_of[1].status);
    return 0;
}

static int gather(void *arg)
{
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, gathers, NULL));
    world_settle();
    ck_assert(bight_task_drain(task));
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    return 0;
}

static void without_a_runtime_nothing_drains(void)
{
    ck_code(bight_runtime_drain(), BIGHT_ENORUNTIME);
    ck_assert(!bight_draining());
}

static int whole_runtime(void *arg)
{
    struct sleeper stops = {.flags = BIGHT_SCOPE_STOPPABLE, .sleep_ms = -1};
    struct sleeper later = {.flags = BIGHT_SCOPE_STOPPABLE, .sleep_ms = -1};

    (void)arg;
    ck_ok(bight_spawn(&stops.task, sleeper_main, &stops));
    world_settle();
    ck_ok(bight_runtime_drain());
    ck_ok(bight_runtime_drain());
    ck_ok(bight_sleep(1)); /* main, whose scopes are not stoppable */
    ck_code(stops.rc, BIGHT_EDRAIN);
    ck_code(sleeper_finish(&stops), BIGHT_EDRAIN);
    ck_ok(bight_spawn(&later.task, sleeper_main, &later));
    ck_code(sleeper_finish(&later), BIGHT_EDRAIN);
    ck_assert(bight_draining());
    return 0;
}

static const struct suite_case cases[] = {
    world_case(calls_in_stoppable_scopes_end_and_others_go_on, only_stoppable),
    world_case(it_is_a_state_of_what_is_directly_in_the_scope, a_state),
    world_case(a_scope_that_inherits_is_as_the_one_around, inherits),
    world_case(a_scope_that_is_made_drains_when_it_is_entered, made_before),
    world_case(a_drained_body_lets_its_group_go_on, groups),
    world_case(a_group_that_drains_can_be_cancelled, groups_cancelled),
    world_case(without_a_drain_the_code_is_a_failure, undrained),
    world_case(a_task_that_is_spawned_later_drains_too, late),
    world_case(a_task_that_is_started_into_the_group_drains_too, moves_in),
    world_case(a_wait_that_owns_its_task_cancels_it, wait_for),
    world_case(a_condition_takes_its_mutex_back, condition),
    world_case(retries_and_once_give_way, gives_way),
    world_case(a_drained_call_of_gather_stops_no_other, gather),
    plain_case(without_a_runtime_nothing_drains),
    world_case(all_tasks_of_the_runtime, whole_runtime),
};

test_suite("drain", cases);
