/* Starting a task until it says that it is ready; why tasks are cancelled; what a run is. */
#include "tests/conformance/conf.h"

#include <signal.h>

#define V BIGHT_EIO
#define T BIGHT_ERANGE
#define K BIGHT_ENOENT

static int starts_slowly(void *arg)
{
    int64_t seconds = *(const int *)arg;

    ck_ok(bight_sleep(seconds * 1000));
    ck_ok(bight_group_started((int)seconds));
    return bight_sleep(seconds * 1000);
}

static int ready_in_time(void *arg)
{
    (void)arg;
    for (int n = 1; n <= 2; n++) {
        int64_t begin = conf_now_ms();
        struct bight_group group;
        struct bight_task *task;
        int value = 0;

        ck_ok(bight_group_begin(&group, 0));
        ck_assert_uint_eq(group.live, 0);
        ck_ok(bight_group_start(&task, &group, NULL, starts_slowly, &n, &value));
        ck_assert_int_eq(value, n);
        ck_assert_int_eq(conf_now_ms() - begin, n * 1000);
        ck_assert_uint_eq(group.live, 1);
        ck_assert_ptr_eq(bight_task_group(task), &group);
        ck_ok(bight_group_end(&group, 0));
        ck_assert_int_eq(conf_now_ms() - begin, n * 2000);
        conf_join(task, 0);
    }
    return 0;
}

static int ends_before_ready(void *arg)
{
    int ends_with = *(const int *)arg;

    ck_ok(bight_yield());
    return ends_with;
}

static int never_ready(void *arg)
{
    struct bight_group group;
    struct bight_task *task = NULL;
    int value = 7;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_code(bight_group_start(&task, &group, NULL, ends_before_ready, &(int){K}, &value), K);
    ck_code(bight_group_start(&task, &group, NULL, ends_before_ready, &(int){0}, &value),
            BIGHT_ENOTREADY);
    ck_code(bight_group_start(&task, &group, NULL, NULL, NULL, &value), BIGHT_EINVAL);
    ck_assert_int_eq(value, 7);
    ck_assert_ptr_null(task);
    ck_assert(!bight_cancelled());
    ck_ok(bight_group_end(&group, 0));
    ck_assert_uint_eq(group.failed, 0);
    return 0;
}

struct moment {
    struct bight_group *group;
    struct bight_event open;
    bool before;
    int grandchildren_saw[2];
};

static int sleeps_noting(void *arg)
{
    return *(int *)arg = bight_sleep(-1);
}

static int has_grandchildren(void *arg)
{
    struct moment *moment = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 2; i++)
        ck_ok(bight_group_spawn(NULL, &group, NULL, sleeps_noting, &moment->grandchildren_saw[i]));
    ck_ok(bight_yield());
    if (moment->before)
        bight_scope_cancel(&moment->group->scope);
    ck_assert(!bight_cancelled()); /* it does not belong to that group yet */
    ck_ok(bight_group_started(5));
    ck_assert_int_eq(bight_cancelled(), moment->before);
    if (!moment->before)
        bight_scope_cancel(&moment->group->scope);
    ck_assert(bight_cancelled());
    return bight_group_end(&group, bight_yield());
}

static int keeps_group(void *arg)
{
    struct moment *moment = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    moment->group = &group;
    bight_event_set(&moment->open);
    return bight_group_end(&group, bight_sleep(-1));
}

static int start_elsewhere(bool before)
{
    struct moment moment = {.before = before};
    struct bight_task *keeper, *child;
    int value = 0;

    bight_event_init(&moment.open);
    ck_ok(bight_spawn(&keeper, keeps_group, &moment));
    ck_ok(bight_event_wait(&moment.open));
    ck_ok(bight_group_start(&child, moment.group, NULL, has_grandchildren, &moment, &value));
    ck_assert_int_eq(value, 5);
    conf_join(child, BIGHT_ECANCELED);
    conf_join(keeper, 0);
    for (int i = 0; i < 2; i++)
        ck_code(moment.grandchildren_saw[i], BIGHT_ECANCELED);
    return 0;
}

static int cancelled_around_readiness(void *arg)
{
    (void)arg;
    ck_ok(start_elsewhere(true));
    ck_ok(start_elsewhere(false));
    return bight_yield();
}

/* Why */

struct witness {
    const struct bight_group *group;
    const char *culprit;
    bool saw;
    int ends_with;
};

static void sees_the_cause(void *arg)
{
    struct witness *witness = arg;
    struct bight_cancel_cause cause;

    ck_assert(bight_cancel_get_cause(&cause));
    ck_assert_int_eq(cause.kind, BIGHT_CAUSE_FAILURE);
    ck_code(cause.code, V);
    ck_assert_str_eq(cause.task, witness->culprit);
    ck_assert_ptr_eq(cause.scope, &witness->group->scope);
    witness->saw = true;
}

static int is_witness(void *arg)
{
    struct witness *witness = arg;

    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    sees_the_cause(witness);
    return witness->ends_with;
}

static const struct bight_spawn_options culprit = {.name = "culprit"};

static int sibling_failed(void *arg)
{
    const struct bight_spawn_options dropped = {.drop = sees_the_cause};
    struct bight_group group;
    struct witness witness = {&group, "culprit", false, T}, body = witness, late = witness;
    struct bight_task *task;

    (void)arg;
    body.ends_with = BIGHT_ECANCELED;
    /* While both run. */
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, is_witness, &witness));
    ck_ok(bight_group_spawn(NULL, &group, &culprit, world_return, &(int){V}));
    ck_code(bight_group_end(&group, is_witness(&body)), V);
    ck_assert(witness.saw && body.saw);
    ck_assert_uint_eq(group.failed, 2);
    ck_code(group.failures[0].code, V);
    ck_code(group.failures[1].code, T);
    /* Before the sibling begins: it never does, and is told why. */
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, &culprit, world_return, &(int){V}));
    ck_ok(bight_group_spawn(&task, &group, &dropped, is_witness, &late));
    body.saw = false;
    ck_code(bight_group_end(&group, is_witness(&body)), V);
    ck_assert(late.saw && body.saw);
    conf_join(task, BIGHT_ECANCELED);
    ck_assert_uint_eq(group.failed, 1);
    return 0;
}

static int body_failed(void *arg)
{
    struct bight_group group;
    struct witness witness = {&group, "owner", false, BIGHT_ECANCELED}, second = witness;
    int rc;

    (void)arg;
    bight_task_set_name(bight_self(), "owner");
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, is_witness, &witness));
    ck_ok(bight_yield());
    ck_code(bight_group_end(&group, V), V);
    ck_assert(witness.saw);
    /* A child that fails before it is ready is a failure of the body that starts it. */
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, is_witness, &second));
    rc = bight_group_start(NULL, &group, &culprit, ends_before_ready, &(int){V}, NULL);
    ck_code(rc, V);
    ck_code(bight_group_end(&group, rc), V);
    ck_assert(second.saw);
    ck_assert_uint_eq(group.failed, 1);
    ck_assert_str_eq(group.failures[0].task, "owner");
    return 0;
}

struct interrupted {
    struct bight_group group;
    enum bight_cause saw[2];
};

static int yields_noting(void *arg)
{
    struct bight_cancel_cause cause;

    while (bight_yield() == 0)
        continue;
    ck_assert(bight_cancel_get_cause(&cause));
    *(enum bight_cause *)arg = cause.kind;
    return BIGHT_ECANCELED;
}

static int interrupts(void *arg)
{
    (void)arg;
    return raise(SIGINT);
}

static int closes(void *arg)
{
    struct interrupted *interrupted = arg;

    ck_ok(bight_group_begin(&interrupted->group, 0));
    for (int i = 0; i < 2; i++)
        ck_ok(bight_group_spawn(NULL, &interrupted->group, NULL, yields_noting,
                                &interrupted->saw[i]));
    ck_ok(bight_group_spawn(NULL, &interrupted->group, NULL, interrupts, NULL));
    return bight_group_end(&interrupted->group, 0);
}

static void treason_06_the_cause_is_an_interrupt(void)
{
    const struct bight_runtime_options options = {.interrupt_signal = SIGINT};
    struct interrupted interrupted = {.saw = {BIGHT_CAUSE_NONE, BIGHT_CAUSE_NONE}};

    ck_code(bight_run_with(&options, closes, &interrupted), BIGHT_EINTR);
    ck_assert_int_eq(interrupted.saw[0], BIGHT_CAUSE_INTERRUPT);
    ck_assert_int_eq(interrupted.saw[1], BIGHT_CAUSE_INTERRUPT);
    ck_assert_uint_eq(interrupted.group.failed, 0);
}

static int run_within(void *arg)
{
    ck_code(bight_run(world_return, &(int){0}), BIGHT_EALREADY);
    *(bool *)arg = bight_self() != NULL;
    return 0;
}

static int outside_of_a_run(void)
{
    struct bight_event event;

    bight_event_init(&event);
    ck_assert_ptr_null(bight_self());
    ck_code(bight_yield(), BIGHT_ENOTASK);
    ck_code(bight_sleep(1), BIGHT_ENOTASK);
    ck_code(bight_event_wait(&event), BIGHT_ENOTASK);
    ck_code(bight_checkpoint(), BIGHT_ENOTASK);
    ck_assert_int_eq(bight_deadline_remaining_ms(), -1);
    return 0;
}

/* The time is that of the system outside of a run: a clock is not misused by reading it. */
static void trun_02_there_is_no_run_inside_a_run_and_no_task_outside(void)
{
    struct bight_task *task;
    struct bight_runtime_stats stats;
    bool was_in_task = false;

    ck_ok(outside_of_a_run());
    ck_code(bight_spawn(&task, world_forever, NULL), BIGHT_ENORUNTIME);
    ck_code(bight_runtime_get_stats(&stats), BIGHT_ENORUNTIME);
    ck_ok(world_run(run_within, &was_in_task, NULL));
    ck_assert(was_in_task);
    ck_ok(outside_of_a_run());
}

static const struct suite_case cases[] = {
    conf_case(tstart_01_start_returns_when_the_child_says_it_is_ready, ready_in_time),
    /* (c) a function that does not take the ready object has no counterpart: there is none. */
    conf_case(tstart_03_a_child_that_ends_before_it_is_ready_is_the_starters_affair, never_ready),
    conf_case(tstart_06_the_group_is_cancelled_around_the_moment_of_readiness,
              cancelled_around_readiness),
    conf_case(treason_03_the_cause_is_a_sibling_that_failed, sibling_failed),
    conf_case(treason_04_the_cause_is_a_body_that_failed, body_failed),
    plain_case(treason_06_the_cause_is_an_interrupt),
    plain_case(trun_02_there_is_no_run_inside_a_run_and_no_task_outside),
};

test_suite("trio-cancel, start and why", cases);
