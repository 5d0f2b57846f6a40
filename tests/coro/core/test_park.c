/* Park, unpark, abort: the contract that every way of waiting is built on. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* A source with one waiter at a time, which lets go, refuses, or misbehaves. */
struct source {
    struct bight_waiter waiter;
    int aborted;
    int result; /* of the park */
    int second; /* of the next call */
};

static struct source *source_of(struct bight_waiter *waiter)
{
    return (struct source *)((char *)waiter - offsetof(struct source, waiter));
}

static int lets_go(struct bight_waiter *waiter)
{
    source_of(waiter)->aborted++;
    return 0;
}

static int refuses(struct bight_waiter *waiter)
{
    source_of(waiter)->aborted++;
    return BIGHT_EBUSY;
}

static int unparks_and_refuses(struct bight_waiter *waiter)
{
    source_of(waiter)->aborted++;
    ck_assert(bight_unpark(waiter, 33));
    return BIGHT_EBUSY;
}

static int unparks_and_lets_go(struct bight_waiter *waiter)
{
    return unparks_and_refuses(waiter) == BIGHT_EBUSY ? 0 : BIGHT_EIO;
}

static const struct bight_waiter_ops ops = {.name = "source", .abort = lets_go};
static const struct bight_waiter_ops giving_ops = {
    .name = "generous source",
    .abort = unparks_and_lets_go,
};
static const struct bight_waiter_ops refusing_ops = {
    .name = "stubborn source",
    .abort = refuses,
    .flags = BIGHT_WAITER_MAY_REFUSE,
};
static const struct bight_waiter_ops unparking_ops = {
    .name = "eager source",
    .abort = unparks_and_refuses,
    .flags = BIGHT_WAITER_MAY_REFUSE,
};

static int parks_on(struct source *source, const struct bight_waiter_ops *with)
{
    ck_ok(bight_waiter_init(&source->waiter, with));
    source->result = bight_park(&source->waiter);
    source->second = bight_yield();
    return 0;
}

static int parks(void *arg)
{
    return parks_on(arg, &ops);
}

static int parks_stubbornly(void *arg)
{
    return parks_on(arg, &refusing_ops);
}

static int parks_eagerly(void *arg)
{
    return parks_on(arg, &unparking_ops);
}

static struct bight_task *start(int (*fn)(void *), struct source *source)
{
    struct bight_task *task;

    *source = (struct source){0};
    ck_ok(bight_spawn(&task, fn, source));
    world_settle();
    return task;
}

static int outcomes(void *arg)
{
    struct bight_task *task;
    struct source source;

    (void)arg;
    /* wake */
    task = start(parks, &source);
    ck_assert(bight_unpark(&source.waiter, 5));
    ck_assert(!bight_unpark(&source.waiter, 6)); /* the first resolution wins */
    ck_ok(bight_join(task, NULL));
    ck_assert_int_eq(source.result, 5);
    ck_assert_int_eq(source.aborted, 0);

    /* cancel */
    task = start(parks, &source);
    bight_task_cancel(task);
    ck_assert(
        !bight_unpark(&source.waiter, 5)); /* cancelled, then woken: passed on by the source */
    ck_ok(bight_join(task, NULL));
    ck_code(source.result, BIGHT_ECANCELED);
    ck_assert_int_eq(source.aborted, 1);

    /* woken, then cancelled: keeps the wake; the next call is cancelled */
    task = start(parks, &source);
    ck_assert(bight_unpark(&source.waiter, 5));
    bight_task_cancel(task);
    ck_ok(bight_join(task, NULL));
    ck_assert_int_eq(source.result, 5);
    ck_assert_int_eq(source.aborted, 0);
    ck_code(source.second, BIGHT_ECANCELED);

    /* refused: the source unparks in its own time */
    task = start(parks_stubbornly, &source);
    bight_task_cancel(task);
    world_settle();
    ck_assert(!bight_task_done(task));
    ck_assert(bight_unpark(&source.waiter, 7));
    ck_ok(bight_join(task, NULL));
    ck_assert_int_eq(source.result, 7);
    ck_assert_int_eq(source.aborted, 1);
    ck_code(source.second, BIGHT_ECANCELED);

    /* unparked from within the hook */
    task = start(parks_eagerly, &source);
    bight_task_cancel(task);
    ck_ok(bight_join(task, NULL));
    ck_assert_int_eq(source.result, 33);
    ck_code(source.second, BIGHT_ECANCELED);
    return 0;
}

static int cancelled_scope(void *arg)
{
    struct bight_scope scope;
    struct source source = {0};

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    /* A bridge that did not open with a checkpoint. */
    ck_ok(bight_waiter_init(&source.waiter, &ops));
    ck_code(bight_park(&source.waiter), BIGHT_ECANCELED);
    ck_assert_int_eq(source.aborted, 1);
    ck_ok(bight_waiter_init(&source.waiter, &unparking_ops));
    ck_assert_int_eq(bight_park(&source.waiter), 33);
    return bight_scope_end(&scope, 0);
}

struct select {
    struct source a, b, c;
    int rc;
};

static int selects(void *arg)
{
    struct select *select = arg;

    ck_ok(bight_waiter_init(&select->a.waiter, &ops));
    ck_ok(bight_waiter_init(&select->b.waiter, &ops));
    ck_ok(bight_waiter_init(&select->c.waiter, &ops));
    ck_ok(bight_waiter_also(&select->b.waiter, &select->a.waiter));
    ck_ok(bight_waiter_also(&select->c.waiter, &select->a.waiter));
    select->rc = bight_park(&select->b.waiter);
    return 0;
}

static int one_wins(void *arg)
{
    struct bight_task *task;
    struct select select = {0};

    (void)arg;
    ck_ok(bight_spawn(&task, selects, &select));
    world_settle();
    ck_assert(bight_unpark(&select.c.waiter, 9));
    ck_assert(!bight_unpark(&select.a.waiter, 1));
    ck_ok(bight_join(task, NULL));
    ck_assert_int_eq(select.rc, 9);
    ck_assert(bight_waiter_won(&select.c.waiter));
    ck_assert(!bight_waiter_won(&select.a.waiter) && !bight_waiter_won(&select.b.waiter));
    ck_assert_int_eq(select.a.aborted + select.b.aborted, 2);
    ck_assert_int_eq(select.c.aborted, 0);

    select = (struct select){0};
    ck_ok(bight_spawn(&task, selects, &select));
    world_settle();
    bight_task_cancel(task);
    ck_ok(bight_join(task, NULL));
    ck_code(select.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(select.a.aborted + select.b.aborted + select.c.aborted, 3);
    return 0;
}

/* Three of one park: which of them it parks on, and which of them is unparked by its hook. */
struct generous {
    struct source sources[3];
    unsigned parked, gives;
    int rc;
};

static int parks_on_three(void *arg)
{
    struct generous *generous = arg;
    struct source *sources = generous->sources;

    for (unsigned i = 0; i < 3; i++) {
        const struct bight_waiter_ops *with = i == generous->gives ? &giving_ops : &ops;

        ck_ok(bight_waiter_init(&sources[i].waiter, with));
        if (i)
            ck_ok(bight_waiter_also(&sources[i].waiter, &sources[0].waiter));
    }
    generous->rc = bight_park(&sources[generous->parked].waiter);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(bight_park(&sources[i].waiter), generous->rc);
    return 0;
}

static int hook_unparks(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 9; i++) {
        struct generous generous = {.parked = i / 3, .gives = i % 3};
        struct bight_task *task;

        ck_ok(bight_spawn(&task, parks_on_three, &generous));
        world_settle();
        bight_task_cancel(task);
        ck_ok(bight_join(task, NULL));
        ck_assert_int_eq(generous.rc, 33);
        for (unsigned j = 0; j < 3; j++) {
            ck_assert_int_eq(generous.sources[j].aborted, 1);
            ck_assert(bight_waiter_won(&generous.sources[j].waiter) == (j == generous.gives));
        }
    }
    return 0;
}

static int counts(void *arg)
{
    ++*(int *)arg;
    return 0;
}

/* One cancellation was delivered; then the task slept and was woken by the last of three
 * waiters. */
static int is_cancelled_twice(void *arg)
{
    struct select *select = arg;
    struct bight_scope scope;
    int others = 0;

    ck_ok(bight_scope_begin(&scope, 0, 0));
    ck_code(bight_scope_end(&scope, bight_yield()), BIGHT_ETIMEDOUT);
    ck_ok(selects(select));
    ck_ok(bight_scope_begin(&scope, 0, 0));
    ck_ok(bight_spawn(NULL, counts, &others));
    ck_code(bight_checkpoint(), BIGHT_ECANCELED);
    ck_assert_int_eq(others, 0); /* it is the first in a row, and returns at once */
    ck_code(bight_checkpoint(), BIGHT_ECANCELED);
    ck_assert_int_eq(others, 1);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    return 0;
}

static int wakes_in_between(void *arg)
{
    struct bight_task *task;
    struct select select = {0};

    (void)arg;
    ck_ok(bight_spawn(&task, is_cancelled_twice, &select));
    world_settle();
    ck_assert(bight_unpark(&select.c.waiter, 0));
    ck_ok(bight_join(task, NULL));
    return 0;
}

static int early(void *arg)
{
    struct source a = {0}, b = {0}, c = {0};

    (void)arg;
    ck_ok(bight_waiter_init(&a.waiter, &ops));
    ck_ok(bight_waiter_init(&b.waiter, &ops));
    ck_ok(bight_waiter_also(&b.waiter, &a.waiter));
    ck_assert(bight_unpark(&b.waiter, 4)); /* between arming and parking */
    ck_assert_int_eq(a.aborted, 1);        /* its sibling was let go at that moment */
    ck_assert(!bight_waiter_pending(&a.waiter));
    ck_ok(bight_waiter_init(&c.waiter, &ops));
    ck_code(bight_waiter_also(&c.waiter, &a.waiter), BIGHT_EALREADY);
    ck_assert_int_eq(bight_park(&c.waiter), 4);
    ck_ok(bight_waiter_init(&c.waiter, &ops));
    ck_code(bight_waiter_also(&c.waiter, &b.waiter), BIGHT_EALREADY);
    ck_assert_int_eq(bight_park(&c.waiter), 4);
    ck_code(bight_waiter_drop(&a.waiter), BIGHT_EALREADY);
    ck_assert_int_eq(bight_park(&a.waiter), 4);

    ck_ok(bight_waiter_init(&a.waiter, &ops));
    ck_ok(bight_waiter_init(&b.waiter, &refusing_ops));
    ck_code(bight_waiter_also(&b.waiter, &a.waiter), BIGHT_EINVAL);
    a.aborted = 0;
    ck_ok(bight_waiter_drop(&a.waiter)); /* the arming further down failed */
    ck_assert_int_eq(a.aborted, 1);
    ck_code(bight_waiter_drop(&b.waiter), BIGHT_EBUSY);
    return 0;
}

/* Armed, then it waits for something else before it parks on what it armed. */
struct detour {
    struct source source;
    struct bight_event event;
    int waited;
};

static int takes_a_detour(void *arg)
{
    struct detour *detour = arg;

    ck_ok(bight_waiter_init(&detour->source.waiter, &ops));
    detour->waited = bight_event_wait(&detour->event);
    ck_assert(bight_event_is_set(&detour->event));
    detour->source.result = bight_park(&detour->source.waiter);
    return 0;
}

static int unparked_in_a_detour(void *arg)
{
    struct detour detour = {.waited = 1};
    struct bight_task *task;

    (void)arg;
    bight_event_init(&detour.event);
    ck_ok(bight_spawn(&task, takes_a_detour, &detour));
    world_settle();
    ck_assert(bight_unpark(&detour.source.waiter, 12));
    world_settle();
    ck_assert_int_eq(detour.waited, 1); /* the other wait goes on */
    bight_event_set(&detour.event);
    ck_ok(bight_join(task, NULL));
    ck_ok(detour.waited);
    ck_assert_int_eq(detour.source.result, 12);
    return 0;
}

static int misuse(void *arg)
{
    (void)arg;
    struct bight_task *task;
    struct source source;

    task = start(parks, &source);
    ck_code(bight_park(&source.waiter), BIGHT_EINVAL); /* another task's */
    ck_assert(bight_unpark(&source.waiter, 0));
    return bight_join(task, NULL);
}

static void park_on_the_waiter_of_another_task_is_refused(void)
{
    struct bight_waiter waiter;

    ck_code(bight_waiter_init(&waiter, &ops), BIGHT_ENOTASK);
    ck_code(bight_checkpoint(), BIGHT_ENOTASK);
    ck_ok(world_run(misuse, NULL, NULL));
}

/* A hook that forgets what it may return. */
static int abort_badly(struct bight_waiter *waiter)
{
    (void)waiter;
    return BIGHT_EIO;
}

static const struct bight_waiter_ops bad_ops = {.name = "bad", .abort = abort_badly};

static int waits_badly(void *arg)
{
    struct bight_waiter *waiter = arg;

    ck_ok(bight_waiter_init(waiter, &bad_ops));
    return bight_park(waiter);
}

static int bad_hook(void *arg)
{
    struct bight_waiter waiter;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, waits_badly, &waiter));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_yield());
    ck_assert(!bight_task_done(task)); /* as if it had refused */
    ck_assert(bight_unpark(&waiter, 0));
    ck_ok(bight_join(task, &status));
    return status;
}

static void what_an_abort_hook_may_not_return_is_reported(void)
{
    struct world_reports reports;

    ck_ok(world_run(bad_hook, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_ABORT_HOOK], 1);
    ck_code(reports.last_code, BIGHT_EIO);
}

static const struct suite_case cases[] = {
    world_case(park_has_one_outcome_and_keeps_it, outcomes),
    world_case(park_in_a_cancelled_scope_lets_go_at_once, cancelled_scope),
    world_case(of_the_waiters_of_one_park_exactly_one_is_resolved, one_wins),
    world_case(a_hook_that_unparks_one_of_a_park_settles_it_for_all, hook_unparks),
    world_case(any_waiter_of_a_park_that_wakes_ends_a_row_of_cancellations, wakes_in_between),
    world_case(resolution_between_arming_and_parking_counts, early),
    world_case(a_waiter_that_is_not_parked_on_yet_wakes_nobody_from_another_wait,
               unparked_in_a_detour),
    plain_case(park_on_the_waiter_of_another_task_is_refused),
    plain_case(what_an_abort_hook_may_not_return_is_reported),
};

test_suite("park", cases);
