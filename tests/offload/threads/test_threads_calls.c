/* bight_threads_call: what is called where and in which order, and cancellation in every state that
 * a call can be in. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "offload/executor.h"
#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/offload/threads/held.h"

static void end(struct bight_executor *executor)
{
    ck_assert_int_eq(bight_executor_end(executor), 0);
}

static int give_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return -33;
}

static int returns(void *arg)
{
    struct bight_executor *threads = held_threads(0);
    pthread_t thread = pthread_self();

    (void)arg;
    ck_assert_int_eq(bight_threads_call(threads, give_thread, &thread), -33);
    ck_assert(!pthread_equal(thread, pthread_self()));
    end(threads);
    return 0;
}

static int goes_on(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held;

    (void)arg;
    held_start_standing(&held, threads);
    held_turn();
    ck_assert(!held.ended);
    held_open(&held);
    held_join(&held);
    ck_assert_int_eq(held.rc, 17);
    end(threads);
    return 0;
}

/* A thread that has begun a long call has no others. */
static int holds_nobody_back(void *arg)
{
    struct bight_executor *threads = held_threads(2);
    static struct held held, others[200];

    (void)arg;
    held_start_standing(&held, threads);
    for (int i = 0; i < 200; i++)
        held_start(&others[i], threads, held_pass);
    for (int i = 0; i < 200; i++) {
        held_join(&others[i]);
        ck_assert_int_eq(others[i].rc, 1);
    }
    ck_assert(!held.ended);
    held_open(&held);
    held_join(&held);
    end(threads);
    return 0;
}

static int in_order(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    static struct held calls[100];

    (void)arg;
    for (int i = 0; i < 100; i++)
        held_start(&calls[i], threads, held_pass);
    for (int i = 0; i < 100; i++) {
        held_join(&calls[i]);
        ck_assert_int_eq(calls[i].number, i);
    }
    end(threads);
    return 0;
}

/* `early` is cancelled before it was handed out, `late` when it was and no thread has it. */
static int cancels_waiting(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held, early, late, last;

    (void)arg;
    held_start_standing(&held, threads);
    held_start(&late, threads, held_pass);
    held_turn();
    held_start(&early, threads, held_pass);
    bight_scope_cancel(&early.scope);
    bight_scope_cancel(&late.scope);
    held_start(&last, threads, held_pass);
    held_join(&early);
    held_join(&late);
    ck_assert_int_eq(early.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(late.rc, BIGHT_ECANCELED);
    ck_assert(!held.ended);
    held_open(&held);
    held_join(&held);
    held_join(&last);
    ck_assert_int_eq(last.rc, 1);
    ck_assert_int_eq(early.runs + late.runs, 0);
    end(threads);
    return 0;
}

static int cancels_running(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held;

    (void)arg;
    held_start_standing(&held, threads);
    bight_scope_cancel(&held.scope);
    held_turn();
    ck_assert(!held.ended);
    held_open(&held);
    held_join(&held);
    ck_assert_int_eq(held.rc, 17);
    ck_assert(held.scope.cancelled);
    end(threads);
    return 0;
}

/* The thread gives a call back before it begins the next one; and the loop stands still. */
static int cancels_finished(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held first, second;

    (void)arg;
    held_start_standing(&first, threads);
    held_start(&second, threads, held_stand);
    held_turn();
    held_open(&first);
    sem_wait(&second.entered);
    ck_assert(!first.ended);
    bight_scope_cancel(&first.scope);
    held_open(&second);
    held_join(&first);
    held_join(&second);
    ck_assert_int_eq(first.rc, 17);
    end(threads);
    return 0;
}

static int times_out(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held, queued = {.timeout_ms = 5};

    (void)arg;
    held_start_standing(&held, threads);
    held_start_as(&queued, threads, held_pass);
    held_join(&queued);
    ck_assert_int_eq(queued.settled, BIGHT_ETIMEDOUT);
    ck_assert_int_eq(queued.runs, 0);
    ck_assert_int_eq(bight_scope_set_timeout(&held.scope, 5), 0);
    while (!held.scope.expired)
        ck_assert_int_eq(bight_sleep(1), 0);
    held_open(&held);
    held_join(&held);
    ck_assert_int_eq(held.settled, 17);
    end(threads);
    return 0;
}

static int in_cancelled_scope(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held call = {0};

    (void)arg;
    ck_assert_int_eq(bight_scope_begin(&call.scope, -1, 0), 0);
    bight_scope_cancel(&call.scope);
    ck_assert_int_eq(bight_threads_call(threads, held_pass, &call), BIGHT_ECANCELED);
    ck_assert_int_eq(call.runs, 0);
    ck_assert_int_eq(bight_scope_end(&call.scope, BIGHT_ECANCELED), 0);
    end(threads);
    return 0;
}

/* One runs, three wait. */
static int is_full(void *arg)
{
    struct bight_threads_options options = {.threads_most = 1, .queue_max = 3};
    struct bight_executor *threads;
    struct held calls[5];

    (void)arg;
    ck_assert_int_eq(bight_threads_new(&threads, &options), 0);
    held_start_standing(&calls[0], threads);
    for (int i = 1; i < 5; i++)
        held_start(&calls[i], threads, held_pass);
    held_join(&calls[4]);
    ck_assert_int_eq(calls[4].rc, BIGHT_EFULL);
    held_open(&calls[0]);
    for (int i = 0; i < 4; i++)
        held_join(&calls[i]);
    ck_assert_int_eq(calls[3].rc, 1);
    ck_assert_int_eq(bight_threads_call(threads, held_pass, &calls[4]), 1);
    end(threads);
    return 0;
}

static int try_foreign(void *executor)
{
    struct held call = {0};
    struct bight_executor_stats stats;

    EXPECT(bight_threads_call(executor, held_pass, &call) == BIGHT_EPERM);
    EXPECT(bight_threads_call_owned(executor, held_pass, &call, NULL) == BIGHT_EPERM);
    EXPECT(bight_executor_end(executor) == BIGHT_EPERM);
    EXPECT(bight_executor_get_stats(executor, &stats) == 0);
    return call.runs;
}

static void *other_runtime(void *executor)
{
    EXPECT(bight_threads_call(executor, try_foreign, executor) == BIGHT_ENOTASK);
    EXPECT(bight_run(try_foreign, executor) == 0);
    return NULL;
}

static int is_refused(void *arg)
{
    struct bight_executor *threads = held_threads(1), other = {0};
    pthread_t thread;

    ck_assert_int_eq(bight_threads_call(&other, held_pass, arg), BIGHT_EINVAL);
    ck_assert_int_eq(bight_threads_call_owned(&other, held_pass, arg, NULL), BIGHT_EINVAL);
    ck_assert_int_eq(pthread_create(&thread, NULL, other_runtime, threads), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    end(threads);
    return 0;
}

enum { CROWD = 5000 };

static struct crowd {
    struct bight_executor *threads;
    atomic_int runs[CROWD];
    int done;
} crowd;

static int note_run(void *arg)
{
    return atomic_fetch_add((atomic_int *)arg, 1);
}

static int one_of_many(void *arg)
{
    EXPECT(bight_threads_call(crowd.threads, note_run, arg) == 0);
    crowd.done++;
    return 0;
}

static int spawn_crowd(struct bight_group *group, void *arg)
{
    (void)arg;
    for (int i = 0; i < CROWD; i++)
        EXPECT(!bight_group_spawn(NULL, group, NULL, one_of_many, &crowd.runs[i]));
    return 0;
}

static int crowded(void *arg)
{
    struct bight_threads_options options = {.threads_most = 4, .queue_max = SIZE_MAX};
    struct bight_executor_stats stats;

    ck_assert_int_eq(bight_threads_new(&crowd.threads, &options), 0);
    ck_assert_int_eq(bight_group_run(spawn_crowd, arg), 0);
    ck_assert_int_eq(crowd.done, CROWD);
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(crowd.runs[i], 1);
    ck_assert_int_eq(bight_executor_get_stats(crowd.threads, &stats), 0);
    ck_assert_uint_eq(stats.ended, CROWD);
    ck_assert_uint_eq(stats.jobs, 0);
    ck_assert_uint_le(stats.started, 4);
    end(crowd.threads);
    return 0;
}

/* Places of calls that were taken back are used up; there are 1,024. */
static int withdraws_many(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held, first, call;

    (void)arg;
    held_start_standing(&held, threads);
    held_start(&first, threads, held_pass);
    for (int i = 0; i < 3000; i++) {
        held_start(&call, threads, held_pass);
        held_turn();
        bight_scope_cancel(&call.scope);
        held_join(&call);
        EXPECT(call.rc == BIGHT_ECANCELED && call.runs == 0);
    }
    held_start(&call, threads, held_pass);
    held_open(&held);
    held_join(&held);
    held_join(&first);
    held_join(&call);
    ck_assert_int_eq(call.rc, 1);
    ck_assert_int_eq(call.number, first.number + 1);
    end(threads);
    return 0;
}

static void collect_text(void *arg, const char *text, size_t bytes)
{
    char *all = arg;

    strncat(all, text, bytes);
}

static int is_dumped(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held, queued;
    static char text[100000];

    (void)arg;
    held_start_standing(&held, threads);
    held_start(&queued, threads, held_pass);
    ck_assert_int_eq(bight_dump(collect_text, text), 0);
    ck_assert_ptr_nonnull(strstr(text, "thread call (begun)"));
    ck_assert_ptr_nonnull(strstr(text, "thread call (queued)"));
    held_open(&held);
    held_join(&held);
    held_join(&queued);
    end(threads);
    return 0;
}

static const struct suite_case cases[] = {
    body_case(gives_what_the_call_returned_on_another_thread, bight_run, returns),
    body_case(other_tasks_run_meanwhile, bight_run, goes_on),
    body_case(a_long_call_holds_nobody_back, bight_run, holds_nobody_back),
    body_case(one_thread_begins_calls_in_their_order, bight_run, in_order),
    body_case(a_call_that_waits_is_withdrawn, bight_run, cancels_waiting),
    body_case(a_running_call_is_awaited_and_its_result_kept, bight_run, cancels_running),
    body_case(a_finished_call_keeps_its_result, bight_run, cancels_finished),
    body_case(a_deadline_withdraws_and_late_results_are_kept, bight_run, times_out),
    body_case(in_a_cancelled_scope_nothing_is_called, bight_run, in_cancelled_scope),
    body_case(no_more_calls_wait_than_may, bight_run, is_full),
    body_case(foreign_executors_are_refused, bight_run, is_refused),
    body_case(more_calls_than_there_are_places_all_run_once, bight_run, crowded),
    body_case(many_withdrawals_leave_the_others_in_order, bight_run, withdraws_many),
    body_case(a_dump_says_which_calls_have_begun, bight_run, is_dumped),
};

test_suite("threads_calls", cases);
