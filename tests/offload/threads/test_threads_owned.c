/* bight_threads_call_owned: whose the argument is after each end, and that it is destroyed once. */
#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/offload/threads/held.h"

static void end(struct bight_executor *executor)
{
    ck_assert_int_eq(bight_executor_end(executor), 0);
}

static void start(struct held *held, struct bight_executor *executor, int (*fn)(void *arg))
{
    *held = (struct held){.timeout_ms = -1, .owned = true};
    held_start_as(held, executor, fn);
}

static void start_standing(struct held *held, struct bight_executor *executor)
{
    start(held, executor, held_stand);
    held_turn();
    sem_wait(&held->entered);
}

static int returns(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held call;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        start(&call, threads, held_pass);
        held_join(&call);
        ck_assert_int_eq(call.rc, 1);
        ck_assert_int_eq(call.destroyed, 0);
    }
    end(threads);
    return 0;
}

/* The thread goes on when the caller has left; only then the argument goes. */
static int leaves_running(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held call, next;

    (void)arg;
    start_standing(&call, threads);
    bight_scope_cancel(&call.scope);
    ck_assert_int_eq(bight_join(call.task, NULL), 0);
    ck_assert_int_eq(call.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(call.destroyed, 0);
    held_start(&next, threads, held_pass);
    held_turn();
    ck_assert(!next.ended);
    held_open(&call);
    held_join(&next);
    ck_assert_int_eq(next.rc, 1);
    ck_assert_int_eq(call.destroyed, 1);
    end(threads);
    ck_assert_int_eq(call.destroyed, 1);
    return 0;
}

/* What was not begun goes at once, whether it was handed out or not. */
static int withdraws(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held, early, late;

    (void)arg;
    held_start_standing(&held, threads);
    start(&late, threads, held_pass);
    held_turn();
    start(&early, threads, held_pass);
    bight_scope_cancel(&early.scope);
    bight_scope_cancel(&late.scope);
    held_join(&early);
    held_join(&late);
    ck_assert_int_eq(early.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(late.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(early.destroyed, 1);
    ck_assert_int_eq(late.destroyed, 1);
    held_open(&held);
    held_join(&held);
    end(threads);
    ck_assert_int_eq(early.destroyed + late.destroyed, 2);
    ck_assert_int_eq(early.runs + late.runs, 0);
    return 0;
}

/* It has ended, and the loop does not know yet. */
static int leaves_finished(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held first, second;

    (void)arg;
    start_standing(&first, threads);
    held_start(&second, threads, held_stand);
    held_turn();
    held_open(&first);
    sem_wait(&second.entered);
    bight_scope_cancel(&first.scope);
    ck_assert_int_eq(first.destroyed, 0);
    held_join(&first);
    ck_assert_int_eq(first.rc, BIGHT_ECANCELED);
    held_open(&second);
    held_join(&second);
    ck_assert_int_eq(first.destroyed, 1);
    end(threads);
    return 0;
}

static int say_cancelled(void *arg)
{
    (void)arg;
    return BIGHT_ECANCELED;
}

static int says_cancelled(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held call;

    (void)arg;
    start(&call, threads, say_cancelled);
    held_join(&call);
    ck_assert_int_eq(call.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(call.destroyed, 1);
    end(threads);
    return 0;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static int never_taken(void *arg)
{
    struct bight_threads_options options = {.threads_most = 1, .queue_max = 1};
    struct bight_executor *threads;
    struct held held, queued;
    struct bight_scope scope;
    int destroyed = 0;

    (void)arg;
    ck_assert_int_eq(bight_threads_new(&threads, &options), 0);
    held_start_standing(&held, threads);
    held_start(&queued, threads, held_pass);
    ck_assert_int_eq(bight_threads_call_owned(threads, say_cancelled, &destroyed, count),
                     BIGHT_EFULL);
    ck_assert_int_eq(destroyed, 0);
    ck_assert_int_eq(bight_scope_begin(&scope, -1, 0), 0);
    bight_scope_cancel(&scope);
    ck_assert_int_eq(bight_threads_call_owned(threads, say_cancelled, &destroyed, count),
                     BIGHT_ECANCELED);
    ck_assert_int_eq(destroyed, 1);
    ck_assert_int_eq(bight_threads_call_owned(threads, say_cancelled, NULL, NULL), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_scope_end(&scope, 0), 0);
    held_open(&held);
    held_join(&held);
    held_join(&queued);
    end(threads);
    return 0;
}

/* The end of the executor waits for what was left alone. */
static int ends_after(void *arg)
{
    struct bight_executor *threads = held_threads(2);
    struct held calls[2];

    (void)arg;
    for (int i = 0; i < 2; i++) {
        start_standing(&calls[i], threads);
        bight_scope_cancel(&calls[i].scope);
        ck_assert_int_eq(bight_join(calls[i].task, NULL), 0);
    }
    for (int i = 0; i < 2; i++)
        held_open(&calls[i]);
    end(threads);
    ck_assert_int_eq(calls[0].destroyed + calls[1].destroyed, 2);
    return 0;
}

static struct bight_event over;

static void set_over(void *arg)
{
    (void)arg;
    bight_event_set(&over);
}

/* A loop on which nobody waits but for the end of such a call is not stalled. */
static int leave_and_wait(void *arg)
{
    struct held *held = arg;

    return bight_threads_call_owned(held->executor, held_stand, held, set_over);
}

static int wakes_by_destroy(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct bight_task *task;
    static struct held held;

    (void)arg;
    held = (struct held){.executor = threads};
    sem_init(&held.entered, 0, 0);
    sem_init(&held.gate, 0, 0);
    bight_event_init(&over);
    ck_assert_int_eq(bight_spawn(&task, leave_and_wait, &held), 0);
    ck_assert_int_eq(bight_yield(), 0);
    held_turn();
    sem_wait(&held.entered);
    bight_task_cancel(task);
    ck_assert_int_eq(bight_join(task, NULL), 0);
    held_open(&held);
    ck_assert_int_eq(bight_event_wait(&over), 0);
    end(threads);
    return 0;
}

static const struct suite_case cases[] = {
    body_case(after_a_return_the_argument_is_the_callers, bight_run, returns),
    body_case(a_cancelled_call_is_left_to_its_thread, bight_run, leaves_running),
    body_case(a_call_that_has_not_begun_is_withdrawn, bight_run, withdraws),
    body_case(a_finished_call_is_destroyed_when_it_comes_back, bight_run, leaves_finished),
    body_case(a_function_that_says_cancelled_gives_its_argument_away, bight_run, says_cancelled),
    body_case(what_is_refused_stays_the_callers, bight_run, never_taken),
    body_case(the_end_of_the_executor_waits_for_calls_left_alone, bight_run, ends_after),
    body_case(what_destroy_wakes_is_waited_for, bight_run, wakes_by_destroy),
};

test_suite("threads_owned", cases);
