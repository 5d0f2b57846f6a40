/* bight_offload: calls on libuv's pool, which has one thread in most cases, so that a call can be
 * kept waiting behind one that stands at a gate. One call at most is with libuv then; the rest wait
 * in our own queue. */
#include <bight.h>
#include <bight/offload.h>
#include <bight/uv.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime/runtime.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

static int run(int (*fn)(void *arg), void *arg)
{
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    return bight_run(fn, arg);
}

/* A call in a task and a scope of its own. */
struct call {
    int (*fn)(void *arg);
    sem_t entered;
    sem_t gate;
    int64_t timeout_ms;
    struct bight_scope scope;
    struct bight_task *task;
    int rc;
    int settled;
    atomic_int runs;
    bool ended;
};

static int stand_at_gate(void *arg)
{
    struct call *call = arg;

    atomic_fetch_add(&call->runs, 1);
    sem_post(&call->entered);
    sem_wait(&call->gate);
    return 17;
}

static int pass(void *arg)
{
    struct call *call = arg;

    return atomic_fetch_add(&call->runs, 1) + 1;
}

static int call_task(void *arg)
{
    struct call *call = arg;

    ck_assert_int_eq(bight_scope_begin(&call->scope, call->timeout_ms, 0), 0);
    call->rc = bight_offload(call->fn, call);
    call->ended = true;
    call->settled = bight_scope_end(&call->scope, call->rc);
    return 0;
}

static void start(struct call *call, int (*fn)(void *arg), int64_t timeout_ms)
{
    *call = (struct call){.fn = fn, .timeout_ms = timeout_ms};
    sem_init(&call->entered, 0, 0);
    sem_init(&call->gate, 0, 0);
    ck_assert_int_eq(bight_spawn(&call->task, call_task, call), 0);
    ck_assert_int_eq(bight_yield(), 0);
}

static void finish(struct call *call)
{
    ck_assert_int_eq(bight_join(call->task, NULL), 0);
    sem_destroy(&call->entered);
    sem_destroy(&call->gate);
}

static void start_holding(struct call *call)
{
    start(call, stand_at_gate, -1);
    sem_wait(&call->entered);
}

static int give_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return -33;
}

static int returns(void *arg)
{
    pthread_t thread = pthread_self();

    (void)arg;
    ck_assert_int_eq(bight_offload(give_thread, &thread), -33);
    ck_assert(!pthread_equal(thread, pthread_self()));
    return 0;
}

static int goes_on(void *arg)
{
    struct call held;

    (void)arg;
    start_holding(&held);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(bight_yield(), 0);
    ck_assert(!held.ended);
    sem_post(&held.gate);
    finish(&held);
    ck_assert_int_eq(held.rc, 17);
    return 0;
}

/* held is on the thread, the others in our queue. */
static int cancels(void *arg)
{
    struct call held, second, third, fourth;

    (void)arg;
    start_holding(&held);
    start(&second, pass, -1);
    start(&third, pass, -1);
    start(&fourth, pass, -1);
    bight_scope_cancel(&second.scope);
    bight_scope_cancel(&third.scope);
    finish(&third);
    ck_assert_int_eq(third.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(third.settled, 0);
    ck_assert_int_eq(third.runs, 0);
    finish(&second);
    ck_assert_int_eq(second.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(second.runs, 0);
    ck_assert(!held.ended);
    sem_post(&held.gate);
    finish(&fourth);
    ck_assert_int_eq(fourth.rc, 1);
    finish(&held);
    return 0;
}

static void work_at_gate(uv_work_t *work)
{
    stand_at_gate(work->data);
}

static void work_over(uv_work_t *work, int status)
{
    struct call *call = work->data;

    call->rc = status;
    call->ended = true;
}

/* libuv has the call, and its thread has something else to do. */
static int cancels_admitted(void *arg)
{
    struct call other = {0}, call;
    uv_work_t work = {.data = &other};

    (void)arg;
    sem_init(&other.entered, 0, 0);
    sem_init(&other.gate, 0, 0);
    ck_assert_int_eq(uv_queue_work(bight_uv_loop(), &work, work_at_gate, work_over), 0);
    sem_wait(&other.entered);
    start(&call, pass, -1);
    bight_scope_cancel(&call.scope);
    finish(&call);
    ck_assert_int_eq(call.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(call.runs, 0);
    sem_post(&other.gate);
    while (!other.ended)
        ck_assert_int_eq(bight_sleep(1), 0);
    ck_assert_int_eq(other.rc, 0);
    return 0;
}

static int cancels_running(void *arg)
{
    struct call held;

    (void)arg;
    start_holding(&held);
    bight_scope_cancel(&held.scope);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(bight_yield(), 0);
    ck_assert(!held.ended);
    sem_post(&held.gate);
    finish(&held);
    ck_assert_int_eq(held.rc, 17);
    ck_assert(held.scope.cancelled);
    return 0;
}

static int times_out(void *arg)
{
    struct call held, queued, ours;

    (void)arg;
    start_holding(&held);
    start(&queued, pass, 5);
    start(&ours, pass, 5);
    finish(&queued);
    finish(&ours);
    ck_assert_int_eq(queued.settled, BIGHT_ETIMEDOUT);
    ck_assert_int_eq(ours.settled, BIGHT_ETIMEDOUT);
    ck_assert_int_eq(queued.runs + ours.runs, 0);
    sem_post(&held.gate);
    finish(&held);
    return 0;
}

static int keeps_late_result(void *arg)
{
    struct call held;

    (void)arg;
    start_holding(&held);
    ck_assert_int_eq(bight_scope_set_timeout(&held.scope, 5), 0); /* before, it could withdraw it */
    while (!held.scope.expired)
        ck_assert_int_eq(bight_sleep(1), 0);
    sem_post(&held.gate);
    finish(&held);
    ck_assert_int_eq(held.settled, 17);
    return 0;
}

/* The after-work callback has woken the task and cancels it before it runs: it is a uv handle's
 * callback that does so, in the same turn of the loop. */
static void cancel_when_over(uv_check_t *check)
{
    struct call *awaited = check->data;

    if (!awaited->ended && atomic_load(&awaited->runs))
        bight_scope_cancel(&awaited->scope);
}

static int wakes_then_cancels(void *arg)
{
    struct call call;
    uv_check_t check;

    (void)arg;
    for (int i = 0; i < 50; i++) {
        uv_check_init(bight_uv_loop(), &check);
        check.data = &call;
        start(&call, pass, -1);
        uv_check_start(&check, cancel_when_over);
        finish(&call);
        ck_assert_int_eq(call.rc, 1);
        ck_assert_int_eq(bight_uv_close((uv_handle_t *)&check), 0);
    }
    return 0;
}

static int cancels_then_wakes(void *arg)
{
    struct call held, next, last;

    (void)arg;
    start_holding(&held);
    start(&next, pass, -1);
    start(&last, pass, -1);
    bight_scope_cancel(&last.scope);
    sem_post(&held.gate);
    finish(&held);
    finish(&next);
    finish(&last);
    ck_assert_int_eq(next.rc, 1);
    ck_assert_int_eq(last.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(last.runs, 0);
    return 0;
}

static int in_cancelled_scope(void *arg)
{
    struct call call = {0};

    (void)arg;
    ck_assert_int_eq(bight_scope_begin(&call.scope, -1, 0), 0);
    bight_scope_cancel(&call.scope);
    ck_assert_int_eq(bight_offload(pass, &call), BIGHT_ECANCELED);
    ck_assert_int_eq(call.runs, 0);
    return bight_scope_end(&call.scope, BIGHT_ECANCELED);
}

static void outside_of_a_task_is_an_error(void)
{
    struct call call = {0};

    ck_assert_int_eq(bight_offload(pass, &call), BIGHT_ENOTASK);
    ck_assert_int_eq(call.runs, 0);
}

static int without_function(void *arg)
{
    ck_assert_int_eq(bight_offload(NULL, arg), BIGHT_EINVAL);
    return 0;
}

enum { BLOCKING = 8 };

/* More blocking calls than the pool has threads: it still does what others ask for. */
static int leaves_a_thread(void *arg)
{
    struct call calls[BLOCKING];
    struct bight_uv_req req;

    (void)arg;
    for (int i = 0; i < BLOCKING; i++)
        start(&calls[i], stand_at_gate, -1);
    for (int i = 0; i < 3; i++)
        sem_wait(&calls[i].entered);
    ck_assert_int_eq(bight_uv_req_init(&req), 0);
    ck_assert_int_eq(uv_fs_stat(bight_uv_loop(), &req.u.fs, "/", bight_uv_on_fs), 0);
    ck_assert_int_eq((int)bight_uv_await(&req), 0);
    uv_fs_req_cleanup(&req.u.fs);
    for (int i = 0; i < BLOCKING; i++) {
        ck_assert(!calls[i].ended);
        ck_assert_int_eq(calls[i].runs, i < 3);
    }
    for (int i = 0; i < BLOCKING; i++)
        sem_post(&calls[i].gate);
    for (int i = 0; i < BLOCKING; i++) {
        finish(&calls[i]);
        ck_assert_int_eq(calls[i].rc, 17);
    }
    return 0;
}

static int run_with_four(int (*fn)(void *arg), void *arg)
{
    setenv("UV_THREADPOOL_SIZE", "4", 1);
    return bight_run(fn, arg);
}

enum { CROWD = 1500 };

struct crowd {
    struct bight_task *tasks[CROWD];
    atomic_int runs[CROWD];
    int done;
};

struct one {
    struct crowd *crowd;
    int number;
};

static int note_run(void *arg)
{
    struct one *one = arg;

    return atomic_fetch_add(&one->crowd->runs[one->number], 1);
}

static int one_task(void *arg)
{
    struct one one = *(struct one *)arg;

    ck_assert_int_eq(bight_offload(note_run, &one), 0);
    one.crowd->done++;
    return 0;
}

static int crowded(void *arg)
{
    static struct crowd crowd;
    static struct one ones[CROWD];

    (void)arg;
    for (int i = 0; i < CROWD; i++) {
        ones[i] = (struct one){&crowd, i};
        ck_assert_int_eq(bight_spawn(&crowd.tasks[i], one_task, &ones[i]), 0);
    }
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(bight_join(crowd.tasks[i], NULL), 0);
    ck_assert_int_eq(crowd.done, CROWD);
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(crowd.runs[i], 1);
    return 0;
}

/* Fails the allocation of that number, counted from 0 after `counting` is set; -1 for none. */
struct torture {
    bool counting;
    int failing;
    int seen;
};
static struct torture torture;

static bool fail_alloc(void *ctx, const void *site)
{
    (void)ctx;
    (void)site;
    return torture.counting && torture.seen++ == torture.failing;
}

static int torture_offload(void *arg)
{
    struct call call = {0};
    int *first = arg;

    torture.counting = true;
    *first = bight_offload(pass, &call);
    torture.counting = false;
    ck_assert_int_eq(call.runs, *first == 1 ? 1 : 0);
    ck_assert_int_ge(bight_offload(pass, &call), 1);
    torture.counting = true;
    torture.seen = 0;
    torture.failing = -1;
    for (int i = 0; i < 10; i++)
        ck_assert_int_ge(bight_offload(pass, &call), 1);
    torture.counting = false;
    ck_assert_int_eq(torture.seen, 0); /* nothing is allocated any more */
    return 0;
}

static void only_the_first_call_allocates_and_may_fail(void)
{
    struct bight_seams seams = {.fail_alloc = fail_alloc};
    int failures = 0;
    int rc = BIGHT_ENOMEM;

    for (int failing = 0; rc == BIGHT_ENOMEM; failing++) {
        torture = (struct torture){.failing = failing};
        ck_assert_int_eq(bight__run_with_seams(NULL, &seams, torture_offload, &rc), 0);
        failures += rc == BIGHT_ENOMEM;
    }
    ck_assert_int_eq(rc, 1);
    ck_assert_int_ge(failures, 1);
}

static int leaves_nothing(void *arg)
{
    struct call call = {0};
    int before = test_open_fds();

    (void)arg;
    ck_assert_int_eq(bight_offload(pass, &call), 1);
    ck_assert_int_eq(test_open_fds(), before);
    return 0;
}

static const struct suite_case cases[] = {
    body_case(gives_what_the_call_returned_on_another_thread, run, returns),
    body_case(other_tasks_run_meanwhile, run, goes_on),
    body_case(a_call_that_has_not_begun_is_withdrawn, run, cancels),
    body_case(a_call_that_libuv_has_not_begun_is_withdrawn, run, cancels_admitted),
    body_case(a_running_call_is_awaited_and_its_result_kept, run, cancels_running),
    body_case(blocking_calls_leave_a_thread_to_others, run_with_four, leaves_a_thread),
    body_case(a_deadline_turns_a_withdrawal_into_a_timeout, run, times_out),
    body_case(a_result_that_comes_after_the_deadline_is_kept, run, keeps_late_result),
    body_case(woken_then_cancelled_is_woken, run, wakes_then_cancels),
    body_case(cancelled_then_woken_is_cancelled, run, cancels_then_wakes),
    body_case(in_a_cancelled_scope_nothing_is_called, run, in_cancelled_scope),
    plain_case(outside_of_a_task_is_an_error),
    body_case(without_a_function_is_an_error, run, without_function),
    body_case(more_calls_than_are_admitted_all_run_once, bight_run, crowded),
    plain_case(only_the_first_call_allocates_and_may_fail),
    body_case(no_descriptor_is_left, run, leaves_nothing),
};

test_suite("offload", cases);
