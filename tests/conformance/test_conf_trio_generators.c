/* Generators: a producer that runs no further than it is asked, and how the consumer leaves it. */
#include "tests/conformance/conf.h"

#define T BIGHT_EIO
#define V BIGHT_ERANGE

static struct conf_notes notes;

static int only_one(struct bight_generator *generator, void *arg)
{
    int one = 1, rc = bight_generator_yield(generator, &one);

    (void)arg;
    if (rc == BIGHT_ECLOSED)
        return 0;
    ck_abort_msg("asked for more");
}

static void expect_value(struct bight_generator *generator, int expected)
{
    void *value;

    ck_ok(bight_generator_next(generator, &value));
    ck_assert_int_eq(*(int *)value, expected);
}

static void leave(struct bight_generator *generator)
{
    ck_ok(bight_generator_end(generator));
    ck_ok(bight_generator_free(generator));
}

static int sleeps_on(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

static int take_one(void *arg)
{
    struct bight_generator *generator;

    (void)arg;
    ck_ok(bight_generator_new(&generator, only_one, NULL));
    expect_value(generator, 1);
    ck_ok(bight_yield());
    leave(generator);

    ck_ok(bight_generator_new(&generator, only_one, NULL));
    expect_value(generator, 1);
    ck_code(bight_timeout(2000, sleeps_on, &(int64_t){5000}), BIGHT_ETIMEDOUT);
    leave(generator);
    return 0;
}

static int counts(struct bight_generator *generator, void *arg)
{
    int rc = 0;

    *(bool *)arg = true;
    for (int i = 1; !rc && i < 4; i++)
        rc = bight_generator_yield(generator, &i);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int waits(struct bight_generator *generator, void *arg)
{
    (void)generator;
    *(bool *)arg = true;
    return bight_sleep(-1);
}

static void next_is_closed(struct bight_generator *generator)
{
    void *value;

    ck_code(bight_generator_next(generator, &value), BIGHT_ECLOSED);
}

static int consumes_all(void *arg)
{
    void *value;
    int rc;

    while (!(rc = bight_generator_next(arg, &value)))
        ;
    return rc;
}

static int close_from_consumer(void *arg)
{
    struct bight_generator *generator;
    struct bight_task *consumer;
    bool ran = false;

    (void)arg;
    /* After the first value. */
    ck_ok(bight_generator_new(&generator, counts, &ran));
    expect_value(generator, 1);
    ck_ok(bight_generator_end(generator));
    next_is_closed(generator);
    leave(generator);
    ck_assert(ran);
    /* Before it, and before the producer has run or could have. */
    ran = false;
    for (int settled = 0; settled < 2; settled++) {
        ck_ok(bight_generator_new(&generator, counts, &ran));
        if (settled)
            world_settle();
        ck_ok(bight_generator_end(generator));
        next_is_closed(generator);
        leave(generator);
        ck_assert(!ran);
    }
    /* While another task waits for a value. */
    ck_ok(bight_generator_new(&generator, waits, &ran));
    ck_ok(bight_spawn(&consumer, consumes_all, generator));
    world_settle();
    ck_assert(ran);
    ck_ok(bight_generator_end(generator));
    conf_join(consumer, BIGHT_ECLOSED);
    leave(generator);
    return 0;
}

static int fails_in_cleanup(struct bight_generator *generator, void *arg)
{
    int one = 1;

    (void)arg;
    ck_code(bight_generator_yield(generator, &one), BIGHT_ECLOSED);
    ck_ok(bight_sleep(10));
    conf_note(&notes, "cleanup");
    return V;
}

/* Fails between two values, and has what the producer's cleanup came to. */
static int consume_and_fail(void *arg)
{
    struct bight_generator *generator;
    void *value;
    int rc;

    ck_ok(bight_generator_new(&generator, fails_in_cleanup, NULL));
    rc = bight_generator_next(generator, &value);
    if (rc == 0)
        rc = T;
    *(int *)arg = bight_generator_end(generator);
    ck_ok(bight_generator_free(generator));
    return rc;
}

static int both_fail(void *arg)
{
    struct bight_task *consumer;
    int cleanup = 0;

    (void)arg;
    ck_ok(bight_spawn(&consumer, consume_and_fail, &cleanup));
    conf_join(consumer, T);
    ck_code(cleanup, V);
    ck_assert_str_eq(notes.text, " cleanup");
    return 0;
}

static int cancelled_first(void *arg)
{
    struct bight_generator *generator;
    struct bight_scope scope;
    bool ran = false;
    void *value;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_ok(bight_generator_new(&generator, counts, &ran));
    rc = bight_generator_next(generator, &value);
    ck_code(rc, BIGHT_ECANCELED);
    leave(generator);
    ck_ok(bight_scope_end(&scope, rc));
    ck_assert(!ran && scope.caught);
    return 0;
}

static int cleans_up(struct bight_generator *generator, void *arg)
{
    int one = 1, rc = bight_generator_yield(generator, &one);

    (void)arg;
    ck_assert(rc < 0);
    rc = bight_sleep(-1);
    ck_code(rc, BIGHT_ECANCELED);
    conf_note(&notes, "producer");
    return rc;
}

/* The producer is of a group inside of the scope, or of none that the scope knows. */
static void cancelled_amidst(bool in_group)
{
    struct bight_generator *generator;
    struct bight_group group;
    struct bight_scope scope;
    int rc;

    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_generator_new_in(&generator, in_group ? &group : NULL, NULL, cleans_up, NULL));
    expect_value(generator, 1);
    bight_scope_cancel(&scope);
    rc = bight_sleep(-1);
    ck_code(rc, BIGHT_ECANCELED);
    conf_note(&notes, "consumer");
    leave(generator);
    rc = bight_group_end(&group, rc);
    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, rc));
    ck_assert(scope.caught);
}

static int cancels_itself(struct bight_generator *generator, void *arg)
{
    struct bight_scope scope;
    int one = 1, rc;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    rc = bight_generator_yield(generator, &one);
    ck_code(rc, BIGHT_ECANCELED);
    return bight_scope_end(&scope, rc);
}

static int cancelled_inside(void *arg)
{
    struct bight_generator *generator;

    (void)arg;
    ck_ok(bight_generator_new(&generator, cancels_itself, NULL));
    next_is_closed(generator); /* the end, and no cancellation */
    ck_assert(!bight_cancelled());
    ck_ok(bight_yield());
    leave(generator);
    return 0;
}

static int cancellations(void *arg)
{
    ck_ok(cancelled_first(arg));
    cancelled_amidst(true);
    ck_assert_str_eq(notes.text, " consumer producer");
    notes = (struct conf_notes){0};
    cancelled_amidst(false);
    ck_assert_str_eq(notes.text, " consumer producer");
    return cancelled_inside(arg);
}

static const struct suite_case cases[] = {
    conf_case(tchan_17_the_producer_does_not_run_ahead, take_one),
    conf_case(tchan_19_a_consumer_may_close_before_after_and_while_it_takes_values,
              close_from_consumer),
    conf_case(tchan_20_neither_the_consumers_nor_the_cleanups_failure_is_lost, both_fail),
    conf_case(tchan_21_a_cancellation_reaches_the_consumer_then_the_producer_and_not_back,
              cancellations),
};

test_suite("trio generators", cases);
