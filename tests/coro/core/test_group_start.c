/* Starting a task until it is ready; groups with a first success, with failure handlers,
 * drained. */
#include <stdlib.h>
#include <string.h>

#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

struct starter {
    int64_t before_ms, after_ms;
    int value;
    bool says;
    int status;
    int said; /* what bight_group_started returned */
};

static int starts(void *arg)
{
    struct starter *starter = arg;
    int rc = bight_sleep(starter->before_ms);

    if (starter->says)
        starter->said = bight_group_started(starter->value);
    if (rc == 0 && starter->after_ms)
        rc = bight_sleep(starter->after_ms);
    return rc ? rc : starter->status;
}

static int two_start(struct bight_group *group, void *arg)
{
    struct bight_task *task;
    int value = 0;

    (void)arg;
    for (int n = 1; n <= 2; n++) {
        uint64_t begin = bight_now_ns();
        struct starter starter = {.before_ms = n, .after_ms = n, .value = n, .says = true};

        ck_assert_uint_eq(group->live, 0);
        ck_ok(bight_group_start(&task, group, NULL, starts, &starter, &value));
        ck_assert_int_eq(value, n);
        ck_ok(starter.said);
        ck_assert_uint_eq(bight_now_ns() - begin, (uint64_t)n * 1000000);
        ck_assert_uint_eq(group->live, 1);
        ck_assert_ptr_eq(bight_task_parent(task), bight_self());
        ck_ok(bight_group_drain(group));
        ck_assert_uint_eq(bight_now_ns() - begin, (uint64_t)n * 2000000);
        ck_ok(bight_join(task, NULL));
    }
    return 0;
}

static int run_two_start(void *arg)
{
    return bight_group_run(two_start, arg);
}

static int not_ready(struct bight_group *group, void *arg)
{
    struct starter fails = {.before_ms = 1, .status = BIGHT_EIO};
    struct starter silent = {.before_ms = 1, .status = 3};
    struct starter late_failure = {.says = true, .after_ms = 1, .status = BIGHT_EIO};
    struct bight_group other;
    int value = 7;

    (void)arg;
    ck_code(bight_group_start(NULL, group, NULL, starts, &fails, &value), BIGHT_EIO);
    ck_code(bight_group_start(NULL, group, NULL, starts, &silent, &value), BIGHT_ENOTREADY);
    ck_assert_int_eq(value, 7);
    ck_assert_uint_eq(group->failed, 0);
    ck_assert_uint_eq(group->live, 0);
    ck_ok(bight_group_begin(&other, 0));
    ck_ok(bight_group_start(NULL, &other, NULL, starts, &late_failure, NULL));
    ck_code(bight_group_end(&other, 0), BIGHT_EIO);
    ck_code(bight_group_start(NULL, &other, NULL, starts, &silent, &value), BIGHT_ECLOSED);
    ck_code(bight_group_started(1), BIGHT_EINVAL);
    ck_code(bight_group_start(NULL, group, NULL, NULL, &silent, &value), BIGHT_EINVAL);
    return 0;
}

static int run_not_ready(void *arg)
{
    return bight_group_run(not_ready, arg);
}

static void a_task_that_ends_before_it_is_ready_is_the_starters_failure(void)
{
    ck_code(bight_group_started(1), BIGHT_ENOTASK);
    ck_ok(world_run(run_not_ready, NULL, NULL));
}

struct timed_start {
    struct bight_group *group;
    struct starter starter;
    struct bight_task *task;
    int value;
};

static int timed_start(void *arg)
{
    struct timed_start *timed = arg;

    return bight_group_start(&timed->task, timed->group, NULL, starts, &timed->starter,
                             &timed->value);
}

static int ends_well(void *arg)
{
    struct starter *starter = arg;

    (void)!bight_sleep(-1);
    starter->said = bight_group_started(starter->value);
    return starter->status;
}

static int well_start(void *arg)
{
    struct timed_start *timed = arg;

    return bight_group_start(&timed->task, timed->group, NULL, ends_well, &timed->starter,
                             &timed->value);
}

static int cancelled_starts(struct bight_group *group, void *arg)
{
    struct timed_start timed = {.group = group, .starter = {.before_ms = 100, .says = true}};

    (void)arg;
    /* Cancelled before it is ready: saying so has no effect. */
    ck_code(bight_timeout(5, timed_start, &timed), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(group->live, 0);
    ck_ok(timed.starter.said);
    /* It says so as it is being cancelled, and ends well: then it has been started. */
    timed.starter = (struct starter){.value = 9, .status = 4};
    ck_ok(bight_timeout(5, well_start, &timed));
    ck_assert_int_eq(timed.value, 9);
    ck_ok(bight_join(timed.task, &timed.value));
    ck_assert_int_eq(timed.value, 4);
    /* It says so, and fails. */
    timed.starter = (struct starter){.value = 9, .status = BIGHT_EIO};
    ck_code(bight_timeout(5, well_start, &timed), BIGHT_EIO);
    ck_assert_uint_eq(group->failed, 0);
    return bight_timeout(0, timed_start, &timed) == BIGHT_ETIMEDOUT ? 0 : BIGHT_EINVAL;
}

static int run_cancelled_starts(void *arg)
{
    return bight_group_run(cancelled_starts, arg);
}

/* The group that a task is started into is cancelled around the moment. */
struct moment {
    struct bight_group *group;
    bool before;
};

static int grandchildren(struct bight_group *group, void *arg)
{
    struct moment *moment = arg;

    for (int i = 0; i < 2; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, world_forever, NULL));
    ck_ok(bight_yield());
    if (moment->before)
        bight_scope_cancel(&moment->group->scope);
    ck_ok(bight_group_started(1));
    if (!moment->before)
        bight_scope_cancel(&moment->group->scope);
    ck_assert(bight_cancelled());
    return 0;
}

static int parent_of_two(void *arg)
{
    int rc = bight_group_run(grandchildren, arg);

    ck_code(rc, BIGHT_ECANCELED);
    return rc;
}

static int keeps_group(void *arg)
{
    struct moment *moment = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    moment->group = &group;
    return bight_group_end(&group, bight_sleep(1000));
}

static int cancelled_target(void *arg)
{
    struct moment moment = {.before = arg != NULL};
    struct bight_task *keeper;
    int value, status;

    ck_ok(bight_spawn(&keeper, keeps_group, &moment));
    ck_ok(bight_yield());
    ck_ok(bight_group_start(NULL, moment.group, NULL, parent_of_two, &moment, &value));
    ck_assert_int_eq(value, 1);
    ck_ok(bight_join(keeper, &status));
    ck_ok(status);
    return 0;
}

static void the_group_cancels_what_has_come_to_it(void)
{
    ck_ok(world_run(cancelled_target, NULL, NULL));
    ck_ok(world_run(cancelled_target, "before", NULL));
}

/* First success */

struct runner {
    int64_t ms;
    int status;
    bool ran;
};

static int runs(void *arg)
{
    struct runner *runner = arg;
    int rc = bight_sleep(runner->ms);

    runner->ran = rc == 0;
    return rc ? rc : runner->status;
}

static int first_of(struct runner *runners, int count, struct bight_group *group)
{
    uint64_t id = 0;

    ck_ok(bight_group_begin(group, BIGHT_GROUP_FIRST_SUCCESS));
    for (int i = 0; i < count; i++) {
        struct bight_task *task;

        ck_ok(bight_group_spawn(&task, group, NULL, runs, &runners[i]));
        if (runners[i].status == 42)
            id = bight_task_id(task);
        ck_ok(bight_task_detach(task));
    }
    int rc = bight_group_end(group, 0);
    ck_assert_uint_eq(group->winner_id, rc == 42 ? id : 0);
    return rc;
}

static int first_success(void *arg)
{
    struct bight_group group;
    struct runner some[] = {{1, BIGHT_EIO, false}, {5, 42, false}, {9, 43, false}};
    struct runner none[] = {{5, BIGHT_EIO, false}, {1, BIGHT_EPIPE, false}};

    (void)arg;
    ck_assert_int_eq(first_of(some, 3, &group), 42);
    ck_assert_int_eq(group.winner_status, 42);
    ck_assert_uint_eq(group.failed, 1);
    ck_assert(!some[2].ran);
    ck_assert_int_eq(first_of(none, 2, &group), BIGHT_EPIPE);
    ck_assert_uint_eq(group.failed, 2);
    ck_assert_int_eq(first_of(none, 0, &group), 0);
    ck_code(bight_group_begin(&group, BIGHT_GROUP_FIRST_SUCCESS | BIGHT_GROUP_COLLECT),
            BIGHT_EINVAL);
    return 0;
}

static int never_first(void *arg)
{
    struct runner runners[] = {{50, 1, false}, {60, 2, false}};
    struct bight_group group;

    (void)arg;
    return first_of(runners, 2, &group);
}

static int timed_first(void *arg)
{
    ck_code(bight_timeout(5, never_first, arg), BIGHT_ETIMEDOUT);
    return 0;
}

/* Options */

static void count_failure(void *arg, const struct bight_failure *failure)
{
    ck_assert_int_eq(failure->code, BIGHT_EIO);
    ++*(int *)arg;
}

static int with_options(void *arg)
{
    int count = 0, io = BIGHT_EIO;
    struct bight_group_options options = {
        .flags = BIGHT_GROUP_COLLECT, .on_failure = count_failure, .on_failure_arg = &count};
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin_with(&group, &options));
    for (int i = 0; i < 20; i++)
        ck_ok(bight_group_spawn(NULL, &group, NULL, world_return, &io));
    ck_code(bight_group_end(&group, 0), BIGHT_EIO);
    ck_assert_int_eq(count, 20);
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_scope_set_timeout(&group.scope, 5));
    ck_ok(bight_group_spawn(NULL, &group, NULL, world_forever, NULL));
    ck_code(bight_group_end(&group, 0), BIGHT_ETIMEDOUT);
    ck_assert(group.scope.caught);
    options.flags = BIGHT_GROUP_COLLECT | BIGHT_GROUP_FIRST_SUCCESS;
    ck_code(bight_group_begin_with(&group, &options), BIGHT_EINVAL);
    ck_ok(bight_group_begin_with(&group, NULL));
    ck_ok(bight_group_end(&group, 0));
    return 0;
}

static void a_group_has_a_deadline_and_a_failure_handler(void)
{
    struct bight_group group;

    ck_code(bight_group_begin_with(&group, NULL), BIGHT_ENOTASK);
    ck_ok(world_run(with_options, NULL, NULL));
}

static int shielded_group(void *arg)
{
    struct bight_scope outer;
    struct bight_group group;
    int ran = 0;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_scope_set_shield(&group.scope, true));
    bight_scope_cancel(&outer);
    ck_ok(bight_group_spawn(NULL, &group, NULL, world_add_one, &ran));
    ck_ok(bight_group_spawn(NULL, &group, NULL, world_forever, NULL));
    ck_ok(bight_scope_set_timeout(&group.scope, 5));
    ck_code(bight_group_end(&group, 0), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(ran, 1);
    ck_ok(bight_scope_end(&outer, 0));
    return 0;
}

static int drains_itself(void *arg)
{
    ck_code(bight_group_drain(arg), BIGHT_EDEADLK);
    return 0;
}

static int drain_it(void *arg)
{
    return bight_group_drain(arg);
}

static int drained(void *arg)
{
    struct bight_group group;
    struct runner runner = {50, 0, false};

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_drain(&group));
    ck_ok(bight_group_spawn(NULL, &group, NULL, drains_itself, &group));
    ck_ok(bight_group_drain(&group));
    ck_ok(bight_group_spawn(NULL, &group, NULL, runs, &runner));
    ck_code(bight_timeout(5, drain_it, &group), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(group.live, 1);
    ck_ok(bight_group_drain(&group));
    ck_assert(runner.ran);
    ck_ok(bight_group_end(&group, 0));
    ck_code(bight_group_drain(&group), BIGHT_ECLOSED);
    return 0;
}

static struct bight_group *ending; /* in memory that is gone after its end */

static int ends_group(void *arg)
{
    struct runner runner = {10, 0, false};

    (void)arg;
    ending = malloc(sizeof(*ending));
    ck_assert_ptr_nonnull(ending);
    ck_ok(bight_group_begin(ending, 0));
    ck_ok(bight_group_spawn(NULL, ending, NULL, runs, &runner));
    ck_ok(bight_group_end(ending, 0));
    memset(ending, 0x55, sizeof(*ending));
    free(ending);
    return 0;
}

static int drains_what_ends(void *arg)
{
    struct bight_task *owner;

    (void)arg;
    ck_ok(bight_spawn(&owner, ends_group, NULL));
    world_settle();
    ck_ok(bight_group_drain(ending)); /* the owner waits already, and runs first */
    return bight_join(owner, NULL);
}

static int drains_where_it_comes(void *arg)
{
    ck_code(bight_group_drain(arg), BIGHT_EDEADLK);
    return bight_group_started(0);
}

static int starts_a_drainer(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_start(NULL, &group, NULL, drains_where_it_comes, &group, NULL));
    return bight_group_end(&group, 0);
}

static const struct suite_case cases[] = {
    world_case(start_returns_when_the_task_is_ready, run_two_start),
    plain_case(a_task_that_ends_before_it_is_ready_is_the_starters_failure),
    world_case(a_cancelled_start_takes_the_task_along, run_cancelled_starts),
    plain_case(the_group_cancels_what_has_come_to_it),
    world_case(the_first_success_cancels_the_others, first_success),
    world_case(without_a_success_a_deadline_is_one, timed_first),
    plain_case(a_group_has_a_deadline_and_a_failure_handler),
    world_case(a_group_can_be_shielded, shielded_group),
    world_case(a_group_can_be_drained_and_go_on, drained),
    world_case(a_drained_group_may_be_gone_when_its_drainer_runs, drains_what_ends),
    world_case(a_task_that_starts_counts_in_its_group, starts_a_drainer),
};

test_suite("group_start", cases);
