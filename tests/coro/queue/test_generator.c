/* Generator: values one by one, no step ahead of the consumer, ends from either side. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/generator.h>

static int steps; /* how far the producer came */

static int counts(struct bight_generator *generator, void *arg)
{
    int last = *(int *)arg;
    int rc = 0;

    for (int i = 1; i <= last && rc == 0; i++) {
        int value = i; /* the consumer sees it where it is */

        steps = i;
        rc = bight_generator_yield(generator, &value);
    }
    steps += 100;
    return rc;
}

static int next_number(struct bight_generator *generator)
{
    void *value = NULL;
    int rc = bight_generator_next(generator, &value);

    return rc ? rc : *(int *)value;
}

static void end(struct bight_generator *generator, int code)
{
    ck_code(bight_generator_end(generator), code);
    ck_ok(bight_generator_end(generator));
    ck_code(next_number(generator), BIGHT_ECLOSED);
    ck_ok(bight_generator_free(generator));
}

static int takes_all(void *arg)
{
    struct bight_generator *generator;
    int last = 3;

    (void)arg;
    ck_code(bight_generator_new(&generator, NULL, NULL), BIGHT_EINVAL);
    ck_ok(bight_generator_new(&generator, counts, &last));
    for (int i = 1; i <= last; i++) {
        ck_assert_int_eq(next_number(generator), i);
        world_settle();
        ck_assert_int_eq(steps, i); /* and no further */
    }
    ck_code(next_number(generator), BIGHT_ECLOSED);
    ck_code(next_number(generator), BIGHT_ECLOSED);
    ck_code(bight_generator_free(generator), BIGHT_EBUSY);
    end(generator, 0);
    return bight_generator_free(NULL);
}

static void generator_gives_values_one_by_one_until_the_producer_returns(void)
{
    struct bight_generator *generator;

    ck_code(bight_generator_new(&generator, counts, NULL), BIGHT_ENORUNTIME);
    ck_ok(world_run(takes_all, NULL, NULL));
}

static int never_asked(void *arg)
{
    struct bight_generator *generator;
    int last = 3;

    steps = 0;
    ck_ok(bight_generator_new(&generator, counts, &last));
    if (*(bool *)arg)
        world_settle(); /* its task has begun to wait */
    end(generator, 0);
    ck_assert_int_eq(steps, 0);
    return 0;
}

static void generator_that_was_never_asked_does_not_run(int i)
{
    bool settled = i;

    ck_ok(world_run(never_asked, &settled, NULL));
}

/* Cleanup that takes time, and fails. */
static int cleans_up(struct bight_generator *generator, void *arg)
{
    int value = 1;

    ck_code(bight_generator_yield(generator, &value), BIGHT_ECLOSED);
    ck_code(bight_generator_yield(generator, &value), BIGHT_ECLOSED);
    ck_ok(bight_sleep(10)); /* it is not cancelled */
    return *(int *)arg;
}

static int failing_cleanup(void *arg)
{
    struct bight_generator *generator;
    uint64_t begin_ns = bight_now_ns();

    (void)arg;
    ck_ok(bight_generator_new(&generator, cleans_up, &(int){BIGHT_EIO}));
    ck_assert_int_eq(next_number(generator), 1);
    end(generator, BIGHT_EIO);
    ck_assert_uint_eq(bight_now_ns() - begin_ns, 10000000);
    return 0;
}

static int fails_second(struct bight_generator *generator, void *arg)
{
    int value = 1;
    int rc = bight_generator_yield(generator, &value);

    return rc ? rc : *(int *)arg;
}

static int failure(void *arg)
{
    struct bight_generator *generator;

    (void)arg;
    ck_ok(bight_generator_new(&generator, fails_second, &(int){BIGHT_EIO}));
    ck_assert_int_eq(next_number(generator), 1);
    ck_code(next_number(generator), BIGHT_EIO);
    ck_code(next_number(generator), BIGHT_ECLOSED);
    end(generator, 0); /* told once */
    /* And nobody is told of a failure that is never reached. */
    ck_ok(bight_generator_new(&generator, fails_second, &(int){BIGHT_EIO}));
    ck_assert_int_eq(next_number(generator), 1);
    ck_ok(bight_sleep(5000));
    end(generator, 0);
    return 0;
}

/* Cancellation of the consumer */

static int slow(struct bight_generator *generator, void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 1; rc == 0; i++) {
        int value = i;

        rc = bight_sleep(10);
        if (rc == 0)
            rc = bight_generator_yield(generator, &value);
    }
    steps = rc;
    return rc;
}

static int impatient(void *arg)
{
    struct bight_generator *generator;
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_generator_new(&generator, slow, NULL));
    ck_ok(bight_scope_begin(&scope, 5, 0));
    ck_code(bight_scope_end(&scope, next_number(generator)), BIGHT_ETIMEDOUT);
    ck_ok(bight_sleep(100));
    ck_assert_int_eq(next_number(generator), 1); /* it was kept */
    ck_assert_int_eq(next_number(generator), 2);
    /* Closed while it is at work for a question that was given up. */
    ck_ok(bight_scope_begin(&scope, 5, 0));
    ck_code(bight_scope_end(&scope, next_number(generator)), BIGHT_ETIMEDOUT);
    end(generator, 0);
    ck_code(steps, BIGHT_ECANCELED);
    /* And with a value that nobody has taken. */
    ck_ok(bight_generator_new(&generator, slow, NULL));
    ck_ok(bight_scope_begin(&scope, 5, 0));
    ck_code(bight_scope_end(&scope, next_number(generator)), BIGHT_ETIMEDOUT);
    ck_ok(bight_sleep(100));
    end(generator, 0);
    ck_code(steps, BIGHT_ECLOSED);
    return 0;
}

static int cancelled_before(void *arg)
{
    struct bight_generator *generator;
    struct bight_scope scope;
    int last = 3;

    (void)arg;
    steps = 0;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_ok(bight_generator_new(&generator, counts, &last));
    bight_scope_cancel(&scope);
    ck_code(next_number(generator), BIGHT_ECANCELED);
    ck_ok(bight_generator_end(generator));
    ck_ok(bight_generator_free(generator));
    ck_assert_int_eq(steps, 0);
    return bight_scope_end(&scope, BIGHT_ECANCELED);
}

static int stubborn_cleanup(struct bight_generator *generator, void *arg)
{
    int value = 1;

    ck_code(bight_generator_yield(generator, &value), BIGHT_ECLOSED);
    *(int *)arg = bight_sleep(1000);
    return BIGHT_ECLOSED;
}

static int cancelled_close(void *arg)
{
    struct bight_generator *generator;
    struct bight_scope scope;
    int cleanup = 1;

    (void)arg;
    ck_ok(bight_generator_new(&generator, stubborn_cleanup, &cleanup));
    ck_assert_int_eq(next_number(generator), 1);
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_ok(bight_generator_end(generator));
    ck_code(cleanup, BIGHT_ECANCELED); /* it was told to hurry, and awaited */
    ck_code(bight_scope_end(&scope, bight_checkpoint()), BIGHT_ETIMEDOUT);
    ck_ok(bight_generator_free(generator));
    return 0;
}

/* Cancellation inside the producer */

static int cancels_inside(struct bight_generator *generator, void *arg)
{
    struct bight_scope scope;
    int value = 1;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_ok(bight_scope_end(&scope, bight_generator_yield(generator, &value)));
    value = 2;
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_code(bight_scope_end(&scope, bight_generator_yield(generator, &value)), BIGHT_ETIMEDOUT);
    value = 3;
    return bight_generator_yield(generator, &value);
}

static int no_leak(void *arg)
{
    struct bight_generator *generator;

    (void)arg;
    ck_ok(bight_generator_new(&generator, cancels_inside, NULL));
    ck_assert_int_eq(next_number(generator), 2);
    ck_ok(bight_sleep(20)); /* the producer goes on, out of time, and offers the third */
    ck_assert_int_eq(next_number(generator), 3);
    end(generator, 0);
    return bight_checkpoint();
}

static void nothing(void *arg)
{
    (void)arg;
}

static int in_a_group(void *arg)
{
    const struct bight_spawn_options options = {.name = "numbers"};
    const struct bight_spawn_options dropping = {.drop = nothing};
    struct bight_generator *generator;
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_code(bight_generator_new_in(&generator, &group, &dropping, slow, NULL), BIGHT_EINVAL);
    ck_ok(bight_generator_new_in(&generator, &group, &options, slow, NULL));
    ck_assert_int_eq(next_number(generator), 1);
    bight_scope_cancel(&group.scope);
    ck_code(next_number(generator), BIGHT_ECANCELED);
    ck_ok(bight_group_end(&group, BIGHT_ECANCELED));
    ck_code(steps, BIGHT_ECANCELED);
    ck_code(next_number(generator), BIGHT_ECLOSED); /* its end is not our cancellation */
    end(generator, 0);
    ck_code(bight_generator_new_in(&generator, &group, NULL, slow, NULL), BIGHT_ECLOSED);
    /* The failure of a producer is none of the group's. */
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_generator_new_in(&generator, &group, NULL, fails_second, &(int){BIGHT_EIO}));
    ck_assert_int_eq(next_number(generator), 1);
    ck_code(next_number(generator), BIGHT_EIO);
    end(generator, 0);
    return bight_group_end(&group, 0);
}

/* Several tasks */

static int asks(void *arg)
{
    return next_number(arg);
}

static int two_consumers(void *arg)
{
    struct bight_generator *generator;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_generator_new(&generator, slow, NULL));
    ck_ok(bight_spawn(&task, asks, generator));
    world_settle();
    ck_code(next_number(generator), BIGHT_EALREADY);
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, 1);
    /* Closed while another task waits. */
    ck_ok(bight_spawn(&task, asks, generator));
    world_settle();
    end(generator, 0);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECLOSED);
    return 0;
}

/* So late that it gives way first. */
static int closes(void *arg)
{
    for (int i = 0; i < 127; i++)
        ck_ok(bight_checkpoint());
    return bight_generator_end(arg);
}

static int two_closers(void *arg)
{
    struct bight_generator *generator;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_generator_new(&generator, cleans_up, &(int){0}));
    ck_assert_int_eq(next_number(generator), 1);
    ck_ok(bight_spawn(&task, closes, generator));
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_yield());
        ck_code(bight_generator_end(generator), BIGHT_EALREADY);
        ck_code(next_number(generator), BIGHT_ECLOSED);
        ck_code(bight_generator_free(generator), BIGHT_EBUSY);
    }
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    end(generator, 0);
    return 0;
}

static int asks_itself(struct bight_generator *generator, void *arg)
{
    void *value;

    (void)arg;
    ck_code(bight_generator_next(generator, &value), BIGHT_EALREADY); /* main does */
    ck_code(bight_generator_end(generator), BIGHT_EDEADLK);
    ck_ok(bight_generator_yield(generator, &steps));
    ck_code(bight_generator_next(generator, &value), BIGHT_EALREADY);
    return 0;
}

static int joins_consumer(struct bight_generator *generator, void *arg)
{
    (void)generator;
    ck_code(bight_join(*(struct bight_task **)arg, NULL), BIGHT_EDEADLK);
    return 0;
}

static int circles(void *arg)
{
    struct bight_generator *generator;
    struct bight_task *task;
    void *value;
    int status;

    (void)arg;
    ck_ok(bight_generator_new(&generator, asks_itself, NULL));
    ck_ok(bight_generator_next(generator, &value));
    ck_code(bight_generator_next(generator, &value), BIGHT_ECLOSED);
    end(generator, 0);
    ck_ok(bight_generator_new(&generator, joins_consumer, &task));
    ck_ok(bight_spawn(&task, asks, generator));
    world_settle();
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECLOSED);
    end(generator, 0);
    return 0;
}

/* Left open: the runtime ends it, and says so. */
static struct bight_generator *left;

static int leaves_open(void *arg)
{
    ck_ok(bight_generator_new(&left, slow, arg));
    ck_assert_int_eq(next_number(left), 1);
    return 0;
}

static void generator_left_open_ends_with_the_runtime(void)
{
    struct world_reports reports;

    ck_ok(world_run(leaves_open, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_NEVER_JOINED], 1);
    ck_code(steps, BIGHT_ECANCELED);
}

static const struct suite_case cases[] = {
    plain_case(generator_gives_values_one_by_one_until_the_producer_returns),
    each_case(generator_that_was_never_asked_does_not_run, 2),
    world_case(generator_hands_the_failure_of_its_producer_to_the_consumer, failure),
    world_case(generator_serves_one_consumer_at_a_time, two_consumers),
    world_case(generator_circles_are_found, circles),
    world_case(generator_returns_the_failure_of_a_cleanup_from_close, failing_cleanup),
    world_case(generator_keeps_a_value_whose_question_was_cancelled, impatient),
    world_case(generator_is_not_asked_from_a_cancelled_scope, cancelled_before),
    world_case(generator_close_passes_a_cancellation_on_and_waits, cancelled_close),
    world_case(generator_keeps_the_cancellations_of_its_producer_to_itself, no_leak),
    world_case(generator_in_a_group_is_cancelled_with_it, in_a_group),
    world_case(generator_is_closed_by_one_task_at_a_time, two_closers),
    plain_case(generator_left_open_ends_with_the_runtime),
};

test_suite("generator", cases);
