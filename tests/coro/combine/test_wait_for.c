/* Wait-for: the task does not outlive the limit, nor the cancellation of who waits. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/wait.h>

static uint64_t begin_ns;

static int elapsed_ms(void)
{
    return (int)((bight_now_ns() - begin_ns) / 1000000);
}

/* Sleeps, and when it is cancelled sleeps on for a while and ends with a code of its own. */
struct sleeper {
    int64_t sleep_ms;
    int64_t cleanup_ms;
    int code;        /* when the sleep was over */
    int cancel_code; /* when it was cancelled */
    bool began;
    bool cleaned;
};

static int cleanup(void *arg)
{
    struct sleeper *sleeper = arg;
    int rc = bight_sleep(sleeper->cleanup_ms);

    sleeper->cleaned = true;
    return rc;
}

static int sleeps(void *arg)
{
    struct sleeper *sleeper = arg;
    int rc;

    sleeper->began = true;
    rc = bight_sleep(sleeper->sleep_ms);
    if (rc == 0)
        return sleeper->code;
    if (sleeper->cleanup_ms)
        ck_ok(bight_shield(-1, cleanup, sleeper));
    return sleeper->cancel_code;
}

static struct bight_task *spawn(struct sleeper *sleeper)
{
    struct bight_task *task;

    begin_ns = bight_now_ns();
    ck_ok(bight_spawn(&task, sleeps, sleeper));
    return task;
}

static int in_time(void *arg)
{
    struct sleeper sleeper = {.sleep_ms = 10, .code = 7};
    struct sleeper fails = {.sleep_ms = 10, .code = BIGHT_EIO};
    struct bight_task *task;
    int status = -1;

    (void)arg;
    ck_ok(bight_wait_for(spawn(&sleeper), 100, &status));
    ck_assert_int_eq(status, 7);
    ck_assert_int_eq(elapsed_ms(), 10);
    ck_ok(bight_wait_for(spawn(&sleeper), -1, NULL));
    ck_ok(bight_wait_for(spawn(&fails), 100, &status)); /* its failure is not the call's */
    ck_code(status, BIGHT_EIO);
    task = spawn(&sleeper);
    ck_ok(bight_sleep(20));
    ck_ok(bight_wait_for(task, 0, &status)); /* it was done before */
    ck_assert_int_eq(status, 7);
    task = spawn(&sleeper);
    bight_task_cancel(task); /* by somebody else */
    ck_ok(bight_wait_for(task, 100, &status));
    ck_code(status, BIGHT_ECANCELED);
    return 0;
}

static int out_of_time(void *arg)
{
    struct sleeper sleeper = {.sleep_ms = -1, .cancel_code = BIGHT_ECANCELED};
    struct sleeper stubborn = {.sleep_ms = -1, .cleanup_ms = 100, .cancel_code = BIGHT_ECANCELED};
    struct bight_task *task;
    int status = 1;

    (void)arg;
    ck_code(bight_wait_for(spawn(&sleeper), 100, &status), BIGHT_ETIMEDOUT);
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(elapsed_ms(), 100);
    /* It waits for the end of the cleanup too. */
    ck_code(bight_wait_for(spawn(&stubborn), 100, &status), BIGHT_ETIMEDOUT);
    ck_assert(stubborn.cleaned);
    ck_assert_int_eq(elapsed_ms(), 200);
    stubborn.cleaned = false;
    task = spawn(&stubborn);
    world_settle();
    ck_code(bight_wait_for(task, 0, &status), BIGHT_ETIMEDOUT);
    ck_assert(stubborn.cleaned);
    /* With no time at all it does not begin. */
    sleeper.began = false;
    ck_code(bight_wait_for(spawn(&sleeper), 0, &status), BIGHT_ETIMEDOUT);
    ck_assert(!sleeper.began);
    ck_code(status, BIGHT_ECANCELED);
    return bight_checkpoint();
}

static int answers(void *arg)
{
    struct sleeper sleeper = {.sleep_ms = 10000, .cancel_code = 42};
    struct sleeper fails = {.sleep_ms = 10000, .cancel_code = BIGHT_EIO};
    int status = 1;

    (void)arg;
    ck_ok(bight_wait_for(spawn(&sleeper), 100, &status));
    ck_assert_int_eq(status, 42);
    ck_assert_int_eq(elapsed_ms(), 100);
    ck_ok(bight_wait_for(spawn(&fails), 100, &status));
    ck_code(status, BIGHT_EIO);
    return 0;
}

struct waiting {
    struct bight_task *task;
    bool cancelled; /* before it begins */
    int rc;
    int status;
};

static int waits(void *arg)
{
    struct waiting *waiting = arg;

    if (waiting->cancelled)
        bight_task_cancel(bight_self());
    waiting->rc = bight_wait_for(waiting->task, 400, &waiting->status);
    return bight_checkpoint();
}

static void cancel_waiter(struct waiting *waiting, struct sleeper *sleeper, int rc, int status)
{
    struct bight_task *waiter;
    int end;

    waiting->task = spawn(sleeper);
    ck_ok(bight_spawn(&waiter, waits, waiting));
    ck_ok(bight_sleep(10));
    bight_task_cancel(waiter);
    ck_ok(bight_join(waiter, &end));
    ck_code(end, BIGHT_ECANCELED);
    ck_code(waiting->rc, rc);
    ck_assert_int_eq(waiting->status, status);
}

static int cancelled(void *arg)
{
    struct sleeper sleeper = {.sleep_ms = -1, .cleanup_ms = 190, .cancel_code = BIGHT_ECANCELED};
    struct sleeper answers = {.sleep_ms = -1, .cancel_code = 5};
    struct sleeper quick = {.sleep_ms = 0, .code = 6, .cancel_code = 6};
    struct waiting waiting = {.cancelled = false};

    (void)arg;
    cancel_waiter(&waiting, &sleeper, BIGHT_ECANCELED, BIGHT_ECANCELED);
    ck_assert_int_eq(elapsed_ms(), 200); /* not before the task */
    cancel_waiter(&waiting, &answers, 0, 5);
    /* Cancelled before: as any other call, but the task is awaited all the same. */
    waiting.cancelled = true;
    sleeper.cleaned = false;
    cancel_waiter(&waiting, &sleeper, BIGHT_ECANCELED, BIGHT_ECANCELED);
    ck_assert(sleeper.cleaned);
    cancel_waiter(&waiting, &quick, BIGHT_ECANCELED, 6);
    return 0;
}

/* Each waits for the next one, many times deeper than a stack is. */
static int waits_for_the_next(void *arg)
{
    struct bight_task *task;
    int *left = arg;
    int rc;

    if (--*left == 0)
        return bight_sleep(-1);
    rc = bight_spawn(&task, waits_for_the_next, left);
    return rc ? rc : bight_wait_for(task, -1, NULL);
}

static int chain(void *arg)
{
    struct bight_task *task;
    int left = 10000, status;

    (void)arg;
    ck_ok(bight_spawn(&task, waits_for_the_next, &left));
    while (left)
        ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    return 0;
}

static int waits_for_event(void *arg)
{
    return bight_event_wait(arg);
}

/* The longest limit is none: nothing would end this wait. */
static int stalls(void *arg)
{
    struct bight_event event;
    struct bight_task *task;
    int status = 0;

    (void)arg;
    bight_event_init(&event);
    ck_ok(bight_spawn(&task, waits_for_event, &event));
    ck_code(bight_wait_for(task, INT64_MAX, &status), BIGHT_ECANCELED);
    ck_code(status, BIGHT_ECANCELED);
    return 0;
}

static void wait_for_a_task_with_an_endless_limit_may_stall(void)
{
    struct world_reports reports;

    ck_code(world_run(stalls, NULL, &reports), BIGHT_ESTALLED);
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_STALLED], 1);
}

static int joins(void *arg)
{
    return bight_join(arg, NULL);
}

static int refuses(void *arg)
{
    struct sleeper sleeper = {.sleep_ms = -1, .cancel_code = BIGHT_ECANCELED};
    struct bight_task *task = spawn(&sleeper), *joiner;

    (void)arg;
    ck_ok(bight_spawn(&joiner, joins, task));
    world_settle();
    ck_code(bight_wait_for(task, 0, NULL), BIGHT_EALREADY);
    ck_code(bight_wait_for(bight_self(), 0, NULL), BIGHT_EINVAL); /* main has no handle */
    bight_task_cancel(task);
    return bight_join(joiner, NULL);
}

static void wait_for_a_task_refuses_what_join_refuses(void)
{
    int not_looked_at = 0;

    ck_code(bight_wait_for(NULL, 0, NULL), BIGHT_EINVAL);
    ck_code(bight_wait_for((struct bight_task *)&not_looked_at, 0, NULL), BIGHT_ENOTASK);
    ck_ok(world_run(refuses, NULL, NULL));
}

static const struct suite_case cases[] = {
    world_case(wait_for_a_task_that_ends_in_time_is_a_join, in_time),
    world_case(wait_for_a_task_ends_it_at_the_limit_and_awaits_it, out_of_time),
    world_case(wait_for_a_task_keeps_its_answer_to_the_limit, answers),
    world_case(wait_for_a_task_passes_a_cancellation_on_and_awaits_it, cancelled),
    world_case(wait_for_a_task_passes_a_cancellation_along_a_long_chain, chain),
    plain_case(wait_for_a_task_with_an_endless_limit_may_stall),
    plain_case(wait_for_a_task_refuses_what_join_refuses),
};

test_suite("wait_for", cases);
