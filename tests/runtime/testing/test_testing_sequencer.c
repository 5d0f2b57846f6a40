/* The sequencer of test runs: steps of several tasks in one order, and what breaks it. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>

struct step {
    struct bight_test_sequencer *sequencer;
    const int *steps;
    char *trace;
};

static int take_steps(void *arg)
{
    struct step *step = arg;

    for (const int *at = step->steps; *at >= 0; at++) {
        int rc = bight_test_sequencer_enter(step->sequencer, (uint64_t)*at);
        if (rc)
            return rc;
        ck_ok(bight_yield());
        strncat(step->trace, &"0123456789"[*at], 1);
        ck_ok(bight_test_sequencer_leave(step->sequencer));
    }
    return 0;
}

static int sequence_body(struct bight_group *group, void *arg)
{
    static const int first[] = {1, 3, 4, -1}, second[] = {0, 2, -1}, last[] = {5, -1};
    static struct bight_test_sequencer sequencer;
    static struct step steps[3];

    bight_test_sequencer_init(&sequencer);
    steps[0] = (struct step){&sequencer, first, arg};
    steps[1] = (struct step){&sequencer, second, arg};
    steps[2] = (struct step){&sequencer, last, arg};
    ck_ok(bight_group_spawn(NULL, group, NULL, take_steps, &steps[0]));
    ck_ok(bight_group_spawn(NULL, group, NULL, take_steps, &steps[1]));
    ck_ok(take_steps(&steps[2]));
    ck_code(bight_test_sequencer_enter(&sequencer, 3), BIGHT_EALREADY);
    return 0;
}

static int sequence_main(void *arg)
{
    return bight_group_run(sequence_body, arg);
}

static void a_sequencer_forces_an_order(void)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        char order[16] = "";

        const struct bight_test_options options = {.seed = seed};

        ck_assert_int_eq(bight_test_run(&options, sequence_main, order, NULL), 0);
        ck_assert_str_eq(order, "012345");
    }
}

struct step_taker {
    struct bight_test_sequencer *sequencer;
    uint64_t step;
    int rc;
};

static int take_one(void *arg)
{
    struct step_taker *taker = arg;

    taker->rc = bight_test_sequencer_enter(taker->sequencer, taker->step);
    return 0;
}

static int break_sequence(void *arg)
{
    struct bight_test_sequencer sequencer;
    struct step_taker takers[2] = {{&sequencer, 1, 0}, {&sequencer, 2, 0}};
    struct bight_task *tasks[2];

    (void)arg;
    bight_test_sequencer_init(&sequencer);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&tasks[i], take_one, &takers[i]));
    ck_ok(bight_test_settle(0));
    ck_code(bight_test_sequencer_enter(&sequencer, 1), BIGHT_EALREADY);
    bight_task_cancel(tasks[0]);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_join(tasks[i], NULL));
    ck_assert_int_eq(takers[0].rc, BIGHT_ECANCELED);
    ck_assert_int_eq(takers[1].rc, BIGHT_EBROKEN);
    ck_code(bight_test_sequencer_enter(&sequencer, 0), BIGHT_EBROKEN);
    ck_code(bight_test_sequencer_leave(&sequencer), BIGHT_EPERM);
    return 0;
}

static void one_that_is_cancelled_breaks_the_sequence(void)
{
    ck_assert_int_eq(bight_test_run(NULL, break_sequence, NULL, NULL), 0);
}

static const struct suite_case cases[] = {
    plain_case(a_sequencer_forces_an_order),
    plain_case(one_that_is_cancelled_breaks_the_sequence),
};

test_suite("testing_sequencer", cases);
