/* Tasks: spawn, run, end, join, detach, cancel, names, locals, deferred handlers. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <fenv.h>
#include <stdio.h>
#include <string.h>

static int joins_with_status(void *arg)
{
    struct bight_task *task;
    int value = 7, status = 0;

    (void)arg;
    ck_ok(bight_spawn(&task, world_return, &value));
    ck_assert(!bight_task_done(task));
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, 7);
    return 42;
}

static char order[16];

static int note(void *arg)
{
    strncat(order, arg, 1);
    return bight_yield();
}

static int spawns_in_order(void *arg)
{
    struct bight_task *tasks[3];
    char names[] = "abc";

    (void)arg;
    order[0] = '\0';
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], note, &names[i]));
    ck_assert_str_eq(order, ""); /* none starts inside spawn */
    ck_ok(bight_yield());
    ck_assert_str_eq(order, "abc");
    for (int i = 0; i < 3; i++)
        ck_ok(bight_join(tasks[i], NULL));
    return 0;
}

static int joins_self(void *arg)
{
    return bight_join(*(struct bight_task **)arg, NULL);
}

static int join_mistakes(void *arg)
{
    struct bight_task *task, *second;
    int status;

    (void)arg;
    ck_code(bight_join(bight_self(), NULL), BIGHT_EINVAL); /* main has no handle */
    ck_ok(bight_spawn(&task, joins_self, &task));
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_EDEADLK);

    ck_ok(bight_spawn(&task, world_forever, NULL));
    ck_ok(bight_spawn(&second, joins_self, &task));
    world_settle();
    ck_code(bight_join(task, NULL), BIGHT_EALREADY);
    bight_task_cancel(second);
    ck_ok(bight_join(second, &status));
    ck_code(status, BIGHT_ECANCELED); /* the join was cancelled, the handle lives on */
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    return 0;
}

struct pair {
    struct bight_task *tasks[2];
};

static int joins_other(void *arg)
{
    struct pair *pair = arg;
    int status = 0;
    int rc = bight_join(pair->tasks[bight_self() == pair->tasks[0]], &status);

    return rc ? rc : status;
}

/* The first waits for the second; the second would close the circle and fails; then the first's
 * join succeeds and has taken the second's handle. */
static int join_cycle(void *arg)
{
    struct pair pair;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&pair.tasks[0], joins_other, &pair));
    ck_ok(bight_spawn(&pair.tasks[1], joins_other, &pair));
    world_settle();
    ck_assert(bight_task_done(pair.tasks[0]));
    ck_ok(bight_join(pair.tasks[0], &status));
    ck_code(status, BIGHT_EDEADLK); /* passed on below */
    return 0;
}

static int dropped;

static void drop(void *arg)
{
    dropped += *(int *)arg;
    /* It runs as the task, in which every suspending call is cancelled. */
    ck_assert(bight_cancelled());
    ck_code(bight_yield(), BIGHT_ECANCELED);
}

static int cancels_before_start(void *arg)
{
    struct bight_spawn_options options = {.name = "never", .drop = drop};
    struct bight_task *task;
    int three = 3, status;

    (void)arg;
    dropped = 0;
    ck_ok(bight_spawn_with(&task, &options, world_add_one, &three));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(dropped, 3);
    ck_assert_int_eq(three, 3); /* the body never ran */
    return 0;
}

static int stubborn(void *arg)
{
    int *seen = arg;

    for (int i = 0; i < 2500; i++) {
        ck_code(bight_sleep(1000), BIGHT_ECANCELED);
        ++*seen;
    }
    return 5;
}

static int cancels_stubborn(void *arg)
{
    struct bight_task *task;
    int seen = 0, turns = 0, status;

    (void)arg;
    ck_ok(bight_spawn(&task, stubborn, &seen));
    world_settle();
    bight_task_cancel(task);
    while (!bight_task_done(task)) {
        turns++;
        ck_ok(bight_yield());
    }
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, 5);
    ck_assert_int_ge(turns, 2400); /* from the second on, each passed through the ready queue */
    return 0;
}

static void a_task_that_ignores_its_cancellation_lets_others_run_and_is_reported(void)
{
    struct world_reports reports;

    ck_ok(world_run(cancels_stubborn, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_IGNORED_CANCEL], 2);
}

static int fails(void *arg)
{
    (void)arg;
    return BIGHT_EIO;
}

static int leaves_failures(void *arg)
{
    struct bight_spawn_options options = {.name = "unseen"};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn_with(NULL, &options, fails, NULL));
    world_settle();
    ck_ok(bight_spawn(&task, fails, NULL));
    world_settle();
    ck_ok(bight_task_detach(task));
    ck_ok(bight_spawn(&task, world_forever, NULL)); /* never joined */
    return 0;
}

static void failures_nobody_sees_and_handles_nobody_joins_are_reported(void)
{
    struct world_reports reports;

    ck_ok(world_run(leaves_failures, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 2);
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_NEVER_JOINED], 1);
}

static int looks_at_failures(void *arg)
{
    struct bight_task *read, *cancelled, *running;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&read, fails, NULL));
    ck_ok(bight_spawn(&cancelled, fails, NULL));
    ck_ok(bight_spawn(&running, world_forever, NULL));
    world_settle();
    ck_ok(bight_task_status(read, &status));
    ck_code(status, BIGHT_EIO);
    ck_ok(bight_task_detach(read));
    ck_assert(!bight_task_cancel(cancelled));
    ck_assert(!bight_task_cancelling(cancelled));
    ck_ok(bight_task_detach(cancelled));
    ck_assert(!bight_task_cancelling(running));
    ck_assert(bight_task_cancel(running));
    ck_assert(bight_task_cancelling(running));
    ck_assert(bight_task_cancel(running)); /* nothing new, but it has not ended */
    world_settle();
    ck_assert(bight_task_cancelling(running));
    ck_ok(bight_join(running, NULL));
    return 0;
}

static void append(void *arg)
{
    strncat(order, arg, 1);
    if (*(char *)arg == '2')
        ck_ok(bight_sleep(1)); /* shielded: it may suspend although cancelled */
}

static int defers(void *arg)
{
    (void)arg;
    ck_ok(bight_defer(append, "1"));
    ck_ok(bight_defer(append, "2"));
    ck_ok(bight_defer(append, "3"));
    return bight_sleep(-1);
}

static int cancels_deferring(void *arg)
{
    struct bight_task *task;
    int status;

    (void)arg;
    order[0] = '\0';
    ck_ok(bight_spawn(&task, defers, NULL));
    world_settle();
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_str_eq(order, "321");
    return 0;
}

static const struct bight_local colour = {"colour", "none"};
static const struct bight_local size = {"size", "small"};

static int child_locals(void *arg)
{
    (void)arg;
    ck_assert_str_eq(bight_local_get(&colour), "red");
    ck_ok(bight_local_set(&colour, "blue"));
    ck_assert_str_eq(bight_local_get(&colour), "blue");
    ck_assert_str_eq(bight_local_get(&size), "small");
    return 0;
}

static int locals(void *arg)
{
    struct bight_task *task;

    (void)arg;
    ck_assert_str_eq(bight_local_get(&colour), "none");
    ck_ok(bight_local_set(&colour, "red"));
    ck_ok(bight_spawn(&task, child_locals, NULL));
    ck_ok(bight_local_set(&colour, "green")); /* after the spawn: not seen there */
    ck_ok(bight_local_set(&size, "large"));
    ck_ok(bight_join(task, NULL));
    ck_assert_str_eq(bight_local_get(&colour), "green");
    ck_assert_str_eq(bight_local_get(&size), "large");
    return 0;
}

static int child_copy(void *arg)
{
    const char *value = bight_local_get(&colour);

    ck_assert_str_eq(value, "red");
    ck_ok(bight_event_wait(arg)); /* until who set it has another one */
    ck_assert_ptr_eq(bight_local_get(&colour), value);
    ck_assert_str_eq(value, "red");
    ck_ok(bight_local_set(&size, "large")); /* a list of its own, of the same copy */
    ck_assert_str_eq(bight_local_get(&colour), "red");
    return 0;
}

static int local_copies(void *arg)
{
    struct bight_event event;
    struct bight_task *task;
    char text[] = "red";

    (void)arg;
    bight_event_init(&event);
    ck_ok(bight_local_set(&size, "medium"));
    ck_ok(bight_local_set_copy(&colour, text, sizeof(text)));
    text[0] = 'b';
    ck_assert_str_eq(bight_local_get(&colour), "red");
    ck_ok(bight_spawn(&task, child_copy, &event));
    ck_ok(bight_yield());
    ck_ok(bight_local_set_copy(&colour, "green", 6));
    ck_ok(bight_local_set_copy(&colour, "yellow", 7)); /* in place */
    ck_assert_str_eq(bight_local_get(&colour), "yellow");
    bight_event_set(&event);
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_local_set(&colour, "none"));
    ck_ok(bight_local_set_copy(&colour, NULL, 0));
    ck_assert_ptr_nonnull(bight_local_get(&colour));
    return 0;
}

static int rounds_up(void *arg)
{
    (void)arg;
    ck_assert_int_eq(fegetround(), FE_DOWNWARD); /* the spawner's */
    fesetround(FE_UPWARD);
    for (int i = 0; i < 10; i++) {
        ck_ok(bight_yield());
        ck_assert_int_eq(fegetround(), FE_UPWARD);
    }
    return 0;
}

static int rounds_nearest(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++) {
        ck_ok(bight_yield());
        ck_assert_int_eq(fegetround(), FE_TONEAREST);
    }
    return 0;
}

static int keeps_rounding(void *arg)
{
    struct bight_spawn_options options = {.flags = BIGHT_SPAWN_FLOAT_CONTROL};
    struct bight_task *up, *nearest;

    (void)arg;
    fesetround(FE_DOWNWARD);
    ck_ok(bight_spawn_with(&up, &options, rounds_up, NULL));
    fesetround(FE_TONEAREST);
    ck_ok(bight_spawn(&nearest, rounds_nearest, NULL));
    ck_ok(bight_join(up, NULL));
    ck_ok(bight_join(nearest, NULL));
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    return 0;
}

static int rounds_up_once(void *arg)
{
    (void)arg;
    fesetround(FE_UPWARD);
    ck_ok(bight_yield());
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    return 0;
}

static int main_rounds_down(void *arg)
{
    struct bight_gather calls[2] = {{.fn = rounds_up_once}, {.fn = rounds_up_once}};

    (void)arg;
    fesetround(FE_DOWNWARD);
    ck_ok(bight_gather_all(calls, 2, 0));
    ck_assert_int_eq(fegetround(), FE_DOWNWARD);
    return 0;
}

static void flags_of_a_runtime_are_those_of_every_task(void)
{
    const struct bight_runtime_options options = {.spawn_flags = BIGHT_SPAWN_FLOAT_CONTROL};
    const struct bight_runtime_options unknown = {.spawn_flags = 1u << 31};

    ck_ok(bight_run_with(&options, main_rounds_down, NULL));
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    ck_code(bight_run_with(&unknown, main_rounds_down, NULL), BIGHT_EINVAL);
}

static void the_flag_for_exceptions_has_no_effect_without_cxx(void)
{
    const struct bight_runtime_options options = {.spawn_flags = BIGHT_SPAWN_CXX_EXCEPTIONS};
    int count = 0;

    ck_ok(bight_run_with(&options, world_add_one, &count));
    ck_assert_int_eq(count, 1);
}

static int misuse(void *arg)
{
    struct bight_spawn_options options = {.flags = 1u << 31};

    (void)arg;
    ck_code(bight_spawn(NULL, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_spawn_with(NULL, &options, world_return, NULL), BIGHT_EINVAL);
    ck_code(bight_run(world_return, NULL), BIGHT_EALREADY);
    ck_code(bight_defer(NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_timeout(1, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_deadline(0, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_shield(-1, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_group_run(NULL, NULL), BIGHT_EINVAL);
    return 0;
}

static void misuse_is_an_error(void)
{
    ck_code(bight_run(NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_spawn(NULL, world_return, NULL), BIGHT_ENORUNTIME);
    ck_code(bight_yield(), BIGHT_ENOTASK);
    ck_code(bight_sleep(1), BIGHT_ENOTASK);
    ck_ok(world_run(misuse, NULL, NULL));
}

static int names(void *arg)
{
    struct bight_spawn_options options = {.name = "a name that is longer than what fits into it"};
    struct bight_task *task;
    int zero = 0;

    (void)arg;
    ck_assert_str_eq(bight_task_name(bight_self()), "main");
    ck_assert_uint_eq(bight_task_id(bight_self()), 1);
    ck_ok(bight_spawn_with(&task, &options, world_return, &zero));
    ck_assert_str_eq(bight_task_name(task), "a name that is longer than what");
    bight_task_set_name(task, "short");
    ck_assert_str_eq(bight_task_name(task), "short");
    ck_ok(bight_join(task, NULL));
    return 0;
}

static int spins(void *arg)
{
    struct bight_event *event = arg;

    for (int i = 0; i < 100000; i++)
        ck_ok(bight_event_wait(event));
    return 0;
}

static int counts_turns(void *arg)
{
    struct bight_task *first, *second;
    struct bight_event event;
    int turns = 0;

    (void)arg;
    bight_event_init(&event);
    bight_event_set(&event);
    ck_ok(bight_spawn(&first, spins, &event));
    ck_ok(bight_spawn(&second, spins, &event));
    while (!bight_task_done(first) || !bight_task_done(second)) {
        turns++;
        ck_ok(bight_yield());
    }
    ck_assert_int_ge(turns, 100000 / 128 - 1);
    ck_ok(bight_join(first, NULL));
    ck_ok(bight_join(second, NULL));
    return 0;
}

static const struct suite_case cases[] = {
    world_case(join_gives_the_status_and_run_that_of_main, joins_with_status, .code = 42),
    world_case(tasks_start_in_a_later_turn_in_order_of_spawning, spawns_in_order),
    world_case(join_refuses_self_second_joiner_and_no_handle, join_mistakes),
    world_case(join_that_closes_a_cycle_is_refused_at_once, join_cycle),
    world_case(cancelled_before_its_first_step_a_task_is_dropped, cancels_before_start),
    plain_case(a_task_that_ignores_its_cancellation_lets_others_run_and_is_reported),
    plain_case(failures_nobody_sees_and_handles_nobody_joins_are_reported),
    world_case(a_failure_that_was_read_or_cancelled_too_late_is_not_reported, looks_at_failures),
    world_case(deferred_handlers_run_in_reverse_and_may_suspend, cancels_deferring),
    world_case(locals_are_copied_to_children_at_the_spawn, locals),
    world_case(a_copied_value_lasts_as_long_as_the_last_task_with_it, local_copies),
    world_case(float_control_of_a_task_that_asks_for_it_is_its_own, keeps_rounding),
    plain_case(flags_of_a_runtime_are_those_of_every_task),
    plain_case(the_flag_for_exceptions_has_no_effect_without_cxx),
    plain_case(misuse_is_an_error),
    world_case(names_are_cut_and_numbers_unique, names),
    world_case(operations_that_never_wait_still_let_others_run, counts_turns),
};

test_suite("task", cases);
