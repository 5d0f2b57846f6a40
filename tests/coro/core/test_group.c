/* Groups: they end after their tasks; what a failure, a cancellation and a deadline mean to
 * them. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe {
    int64_t sleep_ms;
    int returns;
    int saw; /* the code of its sleep */
    bool ended;
};

static int probe_run(void *arg)
{
    struct probe *probe = arg;

    probe->saw = bight_sleep(probe->sleep_ms);
    probe->ended = true;
    return probe->saw ? probe->saw : probe->returns;
}

static void start(struct bight_group *group, struct probe *probe, const char *name)
{
    struct bight_spawn_options options = {.name = name};

    ck_ok(bight_group_spawn(NULL, group, &options, probe_run, probe));
}

static int waits_for_all(void *arg)
{
    struct probe probes[3] = {{.sleep_ms = 30}, {.sleep_ms = 10}, {.sleep_ms = 20}};
    struct bight_group group;
    uint64_t begun = bight_now_ns();

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 3; i++)
        start(&group, &probes[i], "");
    ck_assert_int_eq(bight_group_end(&group, 5), 5);
    for (int i = 0; i < 3; i++)
        ck_assert(probes[i].ended);
    ck_assert_uint_eq((bight_now_ns() - begun) / 1000000, 30);
    return 0;
}

static int body_of_failing(struct bight_group *group, void *arg)
{
    struct probe *probes = arg;

    start(group, &probes[0], "failing");
    start(group, &probes[1], "other");
    return bight_sleep(500);
}

static int failure(void *arg)
{
    struct probe probes[2] = {{.sleep_ms = 10, .returns = BIGHT_EIO}, {.sleep_ms = 1000}};

    (void)arg;
    ck_code(bight_group_run(body_of_failing, probes), BIGHT_EIO);
    ck_code(probes[1].saw, BIGHT_ECANCELED);
    ck_ok(bight_yield()); /* the group's cancellation ended with it */
    return 0;
}

static int collects(void *arg)
{
    struct probe probes[20];
    struct bight_group group;
    char name[20][24];

    (void)arg;
    ck_ok(bight_group_begin(&group, BIGHT_GROUP_COLLECT));
    for (int i = 0; i < 20; i++) {
        probes[i] = (struct probe){.sleep_ms = 1 + i, .returns = -1000 - i};
        snprintf(name[i], sizeof(name[i]), "task %d", i);
        start(&group, &probes[i], name[i]);
    }
    ck_assert_int_eq(bight_group_end(&group, 0), -1000);
    ck_assert_uint_eq(group.failed, 20);
    for (int i = 0; i < BIGHT_GROUP_FAILURES; i++) {
        ck_assert_int_eq(group.failures[i].code, -1000 - i);
        ck_assert_str_eq(group.failures[i].task, name[i]);
    }
    return 0;
}

static int one_cancelled(void *arg)
{
    struct probe first = {.sleep_ms = 1000}, second = {.sleep_ms = 20};
    struct bight_group group;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(&task, &group, NULL, probe_run, &first));
    start(&group, &second, "second");
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_ok(bight_group_end(&group, 0));
    ck_ok(second.saw); /* went on */
    return 0;
}

static int owner(void *arg)
{
    struct probe *probes = arg;
    struct bight_group group;
    int rc;

    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 5; i++)
        start(&group, &probes[i], "");
    rc = bight_group_end(&group, 0); /* cancelled here */
    probes[0].ended = probes[4].ended;
    return rc;
}

static int cancels_owner(void *arg)
{
    struct probe probes[5];
    struct bight_task *task;
    int status;

    (void)arg;
    for (int i = 0; i < 5; i++)
        probes[i] = (struct probe){.sleep_ms = 5000};
    ck_ok(bight_spawn(&task, owner, probes));
    ck_ok(bight_sleep(100));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    for (int i = 0; i < 5; i++)
        ck_code(probes[i].saw, BIGHT_ECANCELED);
    return 0;
}

static int child_group(void *arg)
{
    struct probe *probe = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    start(&group, probe, "grandchild");
    return bight_group_end(&group, 0);
}

static int tree_body(struct bight_group *group, void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, child_group, arg));
    return bight_sleep(-1);
}

static int tree(void *arg)
{
    return bight_group_run(tree_body, arg);
}

static int deadline_over_tree(void *arg)
{
    struct probe probe = {.sleep_ms = -1};

    (void)arg;
    ck_code(bight_timeout(50, tree, &probe), BIGHT_ETIMEDOUT);
    ck_code(probe.saw, BIGHT_ECANCELED);
    return 0;
}

/* The outcome of a group with a deadline of its own and one task, which sleeps for `sleep_ms`. */
static int timed_group(int64_t sleep_ms, bool cancel, int rc)
{
    struct probe probe = {.sleep_ms = sleep_ms};
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    start(&group, &probe, "");
    ck_ok(bight_scope_set_timeout(&group.scope, 20));
    if (cancel)
        bight_scope_cancel(&group.scope);
    return bight_group_end(&group, rc);
}

static int ends_by_deadline(void *arg)
{
    (void)arg;
    ck_code(timed_group(-1, false, 0), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(timed_group(1, false, 5), 5);
    ck_assert_int_eq(timed_group(-1, true, 5), 5); /* nobody is surprised by his own cancellation */
    ck_code(timed_group(-1, false, BIGHT_EIO), BIGHT_EIO);
    return 0;
}

static int spawns_late(void *arg)
{
    struct probe probe = {.sleep_ms = 1};
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    bight_scope_cancel(&group.scope);
    start(&group, &probe, "late");
    ck_ok(bight_group_end(&group, BIGHT_ECANCELED)); /* its own cancellation */
    ck_assert(!probe.ended);                         /* never began */
    ck_code(bight_group_spawn(NULL, &group, NULL, probe_run, &probe), BIGHT_ECLOSED);
    ck_code(bight_group_end(&group, 0), BIGHT_ESCOPE);
    return 0;
}

static int body_fails(struct bight_group *group, void *arg)
{
    start(group, arg, "sleeper");
    ck_ok(bight_yield());
    return BIGHT_EPROTOCOL;
}

static int failing_body(void *arg)
{
    struct probe probe = {.sleep_ms = 1000};

    (void)arg;
    ck_code(bight_group_run(body_fails, &probe), BIGHT_EPROTOCOL);
    ck_code(probe.saw, BIGHT_ECANCELED);
    return 0;
}

static int joins_parent(void *arg)
{
    return bight_join(arg, NULL);
}

static int parent(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, joins_parent, bight_self()));
    return bight_group_end(&group, 0);
}

static int ancestor_join(void *arg)
{
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, parent, NULL));
    world_settle();
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_EDEADLK);
    return 0;
}

static int leaves_running(void *arg)
{
    ck_ok(bight_spawn(NULL, probe_run, arg));
    return bight_yield();
}

static void what_main_leaves_running_is_cancelled_and_joined(void)
{
    struct probe probe = {.sleep_ms = -1};

    ck_ok(world_run(leaves_running, &probe, NULL));
    ck_assert(probe.ended);
    ck_code(probe.saw, BIGHT_ECANCELED);
}

static int detaches_late(void *arg)
{
    struct bight_group *group = malloc(sizeof(*group));
    struct bight_task *task;
    int io = BIGHT_EIO;

    (void)arg;
    ck_assert_ptr_nonnull(group);
    ck_ok(bight_group_begin(group, 0));
    ck_ok(bight_group_spawn(&task, group, NULL, world_return, &io));
    ck_code(bight_group_end(group, 0), BIGHT_EIO);
    memset(group, 0, sizeof(*group));
    free(group);
    return bight_task_detach(task);
}

static struct bight_group *lost;

static int drains_lost(void *arg)
{
    (void)arg;
    return bight_group_drain(lost);
}

static int starts_late(void *arg)
{
    (void)arg;
    ck_code(bight_sleep(20), BIGHT_ECANCELED);
    ck_ok(bight_group_started(1));
    return 0;
}

static int starts_into_lost(void *arg)
{
    struct bight_task *task = arg;
    int value = 7;

    ck_code(bight_group_start(&task, lost, NULL, starts_late, NULL, &value), BIGHT_ECLOSED);
    ck_assert_ptr_null(task);
    ck_assert_int_eq(value, 7);
    return BIGHT_ECLOSED;
}

static int loses_group(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    lost = malloc(sizeof(*lost));
    ck_assert_ptr_nonnull(lost);
    ck_ok(bight_group_begin(lost, 0));
    ck_ok(bight_group_spawn(NULL, lost, NULL, world_forever, NULL));
    ck_ok(bight_sleep(10));
    ck_code(bight_scope_end(&scope, 0), BIGHT_ESCOPE);
    memset(lost, 0x55, sizeof(*lost));
    free(lost);
    return 0;
}

static int uses_lost(void *arg)
{
    struct bight_task *owner, *users[3];
    int status;

    (void)arg;
    ck_ok(bight_spawn(&owner, loses_group, NULL));
    world_settle();
    ck_ok(bight_spawn(&users[0], drains_lost, NULL));
    ck_ok(bight_spawn(&users[1], starts_into_lost, NULL));
    ck_ok(bight_spawn(&users[2], drains_lost, NULL));
    ck_ok(bight_join(owner, NULL));
    for (size_t i = 0; i < 3; i++) {
        ck_ok(bight_join(users[i], &status));
        ck_code(status, BIGHT_ECLOSED);
    }
    return 0;
}

static void group_left_open_tells_those_who_drain_it_or_start_into_it(void)
{
    struct world_reports reports;

    ck_ok(world_run(uses_lost, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 1);
}

static const struct suite_case cases[] = {
    world_case(a_group_ends_after_its_tasks, waits_for_all),
    world_case(the_first_failure_cancels_siblings_and_body_and_is_returned, failure),
    world_case(collecting_lists_the_failures_and_cancels_nobody, collects),
    world_case(a_cancelled_child_is_not_a_failed_one, one_cancelled),
    world_case(cancelling_the_owner_in_the_end_of_the_group_cancels_the_tasks, cancels_owner),
    world_case(a_deadline_reaches_grandchildren, deadline_over_tree),
    world_case(a_group_says_when_its_own_deadline_ended_a_task, ends_by_deadline),
    world_case(a_cancelled_group_starts_nobody_and_an_ended_one_takes_nobody, spawns_late),
    world_case(a_failing_body_cancels_the_tasks, failing_body),
    world_case(a_task_may_not_join_the_one_whose_group_it_is_in, ancestor_join),
    plain_case(group_left_open_tells_those_who_drain_it_or_start_into_it),
    world_case(a_handle_outlives_its_group_and_the_failure_was_seen_there, detaches_late),
    plain_case(what_main_leaves_running_is_cancelled_and_joined),
};

test_suite("group", cases);
