/* Background groups: tasks that nobody waits for are owned all the same. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

struct failures {
    int count;
    int code;
    char task[BIGHT_TASK_NAME_BYTES];
};

static void on_failure(void *arg, const struct bight_failure *failure)
{
    struct failures *failures = arg;

    failures->count++;
    failures->code = failure->code;
    memcpy(failures->task, failure->task, sizeof(failures->task));
}

static int runs_and_fails(void *arg)
{
    const struct bight_spawn_options culprit = {.name = "culprit"};
    struct bight_background *background;
    struct failures failures = {0};
    int io = BIGHT_EIO, ran = 0;

    (void)arg;
    ck_ok(bight_background_new(&background, on_failure, &failures));
    ck_ok(bight_background_spawn(NULL, background, NULL, world_add_one, &ran));
    ck_ok(bight_background_spawn(NULL, background, &culprit, world_return, &io));
    for (int i = 0; i < 40; i++)
        ck_ok(bight_background_spawn(NULL, background, NULL, world_return, &io));
    ck_ok(bight_background_spawn(NULL, background, NULL, world_add_one, &ran));
    ck_assert_uint_eq(bight_background_live(background), 43);
    ck_ok(bight_background_drain(background));
    ck_assert_uint_eq(bight_background_live(background), 0);
    ck_assert_int_eq(ran, 2);
    ck_assert_int_eq(failures.count, 41);
    ck_assert_int_eq(failures.code, BIGHT_EIO);
    ck_ok(bight_background_spawn(NULL, background, NULL, world_add_one, &ran));
    ck_ok(bight_background_drain(background));
    ck_assert_int_eq(ran, 3);
    ck_ok(bight_background_end(background));
    ck_ok(bight_background_end(NULL));
    return 0;
}

static int cleans_up(void *arg)
{
    struct bight_scope shield;
    int rc = bight_sleep(-1);

    ck_ok(bight_scope_begin(&shield, -1, BIGHT_SCOPE_SHIELD));
    ck_ok(bight_sleep(50));
    ck_ok(bight_scope_end(&shield, 0));
    ++*(int *)arg;
    return rc;
}

static int closed(void *arg)
{
    struct bight_background *background;
    struct bight_scope scope;
    uint64_t begin = bight_now_ns();
    int cleaned = 0;

    (void)arg;
    ck_ok(bight_background_new(&background, NULL, NULL));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_background_spawn(NULL, background, NULL, cleans_up, &cleaned));
    ck_ok(bight_yield());
    ck_ok(bight_yield());
    /* It joins also in a cancelled scope. */
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_ok(bight_background_end(background));
    ck_ok(bight_scope_end(&scope, 0));
    ck_assert_int_eq(cleaned, 3);
    ck_assert_uint_eq(bight_now_ns() - begin, 50000000);
    return 0;
}

static int closed_at_once(void *arg)
{
    struct bight_background *background;
    int ran = 0;

    (void)arg;
    ck_ok(bight_background_new(&background, NULL, NULL));
    ck_ok(bight_background_spawn(NULL, background, NULL, world_add_one, &ran));
    ck_ok(bight_background_end(background));
    ck_assert_int_eq(ran, 0); /* cancelled before its first step */
    ck_ok(bight_background_new(&background, NULL, NULL));
    return bight_background_end(background);
}

static struct bight_background *kept;

static void close_late(void *arg)
{
    ck_code(bight_background_spawn(NULL, kept, NULL, world_forever, NULL), BIGHT_ECLOSED);
    *(size_t *)arg = bight_background_live(kept);
    ck_ok(bight_background_end(kept));
}

static int late_closer(void *arg)
{
    ck_ok(bight_defer(close_late, arg));
    return bight_sleep(-1);
}

static int leaves_it(void *arg)
{
    ck_ok(bight_spawn(NULL, late_closer, arg));
    ck_ok(bight_background_new(&kept, NULL, NULL));
    ck_ok(bight_background_spawn(NULL, kept, NULL, world_forever, NULL));
    return bight_yield();
}

static void the_end_of_the_runtime_ends_its_tasks(void)
{
    size_t live = 7;

    ck_ok(world_run(leaves_it, &live, NULL));
    ck_assert_uint_le(live, 1);
}

static int closes_from_inside(void *arg)
{
    ck_code(bight_background_end(arg), BIGHT_EDEADLK);
    ck_code(bight_background_drain(arg), BIGHT_EDEADLK);
    return 0;
}

static int misused(void *arg)
{
    struct bight_background *background;
    int io = BIGHT_EIO;

    (void)arg;
    ck_ok(bight_background_new(&background, NULL, NULL));
    ck_ok(bight_background_spawn(NULL, background, NULL, closes_from_inside, background));
    ck_ok(bight_background_drain(background));
    ck_ok(bight_background_spawn(NULL, background, NULL, world_return, &io));
    ck_ok(bight_background_drain(background));
    return bight_background_end(background);
}

static void a_member_cannot_close_it_and_failures_are_reported(void)
{
    struct world_reports reports;
    struct bight_background *background;

    ck_code(bight_background_new(&background, NULL, NULL), BIGHT_ENORUNTIME);
    ck_ok(world_run(misused, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 1);
    ck_assert_int_eq(reports.last_code, BIGHT_EIO);
}

static int leaves_it_open(void *arg)
{
    struct bight_background *background;

    ck_ok(bight_background_new(&background, NULL, NULL));
    ck_ok(bight_background_spawn(NULL, background, NULL, cleans_up, arg));
    return bight_yield();
}

/* Its memory is freed too: LeakSanitizer and memcheck see to that. */
static void one_left_open_ends_with_the_runtime(void)
{
    int cleaned = 0;

    ck_ok(world_run(leaves_it_open, &cleaned, NULL));
    ck_assert_int_eq(cleaned, 1);
}

static const struct suite_case cases[] = {
    world_case(failures_reach_the_handler_and_nobody_else, runs_and_fails),
    world_case(closing_cancels_and_joins_all, closed),
    world_case(a_group_may_be_closed_before_its_first_step, closed_at_once),
    plain_case(the_end_of_the_runtime_ends_its_tasks),
    plain_case(a_member_cannot_close_it_and_failures_are_reported),
    plain_case(one_left_open_ends_with_the_runtime),
};

test_suite("background", cases);
