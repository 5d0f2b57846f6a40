/* runtime/threads/submission.c: tasks and calls that other threads run in a runtime, and how
 * they end. How a task's wait for one ends is in test_waits.c too. */
#include "runtime/runtime.h"

#include <bight.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* What the threads of a test share with its main task. */
static struct bight_mailbox *mailbox;
static struct bight_submission *submission;
static struct bight_thread_event *event;
static pthread_t loop_thread;
static atomic_int ran;

static void begin(pthread_t *thread, void *(*body)(void *arg), void *arg)
{
    ck_assert_int_eq(pthread_create(thread, NULL, body, arg), 0);
}

static void in_thread(void *(*body)(void *arg), void *arg)
{
    pthread_t thread;

    begin(&thread, body, arg);
    pthread_join(thread, NULL);
}

static void take_mailbox(void)
{
    loop_thread = pthread_self();
    ck_ok(bight_mailbox_get(&mailbox));
}

/* Run and call */

static int in_task(void *arg)
{
    EXPECT(pthread_equal(pthread_self(), loop_thread));
    EXPECT(bight_self());
    ran++;
    int rc = bight_yield();
    return rc ? rc : *(int *)arg;
}

static int in_loop(void *arg)
{
    EXPECT(pthread_equal(pthread_self(), loop_thread));
    EXPECT(!bight_self());
    EXPECT(bight_yield() == BIGHT_ENOTASK);
    ran++;
    return *(int *)arg;
}

static void *run_and_call(void *arg)
{
    int values[] = {42, BIGHT_EIO}, status;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_thread_run(mailbox, in_task, &values[i], &status));
        EXPECT(status == values[i]);
        ck_ok(bight_thread_call(mailbox, in_loop, &values[i], &status));
        EXPECT(status == values[i]);
    }
    ck_ok(bight_thread_run(mailbox, in_task, &values[1], NULL));
    ck_ok(bight_thread_call(mailbox, in_loop, &values[1], NULL));
    ck_code(bight_thread_run(mailbox, NULL, NULL, NULL), BIGHT_EINVAL);
    bight_thread_event_set(event);
    return NULL;
}

static int be_called(void *thread)
{
    take_mailbox();
    begin(thread, run_and_call, NULL);
    int rc = bight_thread_event_wait(event, -1);
    bight_mailbox_unref(mailbox);
    return rc;
}

static void values_and_errors_come_back_from_the_loops_thread(void)
{
    pthread_t thread;

    ck_ok(bight_thread_event_new(&event));
    ck_ok(world_run(be_called, &thread, NULL)); /* no failure counts as unseen */
    pthread_join(thread, NULL);
    ck_assert_int_eq(ran, 6);
    bight_thread_event_unref(event);
}

static void from_callback(void *over)
{
    ck_code(bight_thread_run(mailbox, in_task, NULL, NULL), BIGHT_EDEADLK);
    ck_code(bight_thread_call(mailbox, in_loop, NULL, NULL), BIGHT_EDEADLK);
    bight_event_set(over);
}

static int from_inside(void *arg)
{
    struct bight_event over;

    (void)arg;
    bight_event_init(&over);
    take_mailbox();
    ck_code(bight_thread_run(mailbox, in_task, NULL, NULL), BIGHT_EDEADLK);
    ck_code(bight_thread_call(mailbox, in_loop, NULL, NULL), BIGHT_EDEADLK);
    ck_ok(bight_post_call(mailbox, from_callback, &over));
    int rc = bight_event_wait(&over);
    bight_mailbox_unref(mailbox);
    return rc;
}

static void a_thread_with_a_runtime_must_not_block(void)
{
    ck_ok(world_run(from_inside, NULL, NULL));
    ck_assert_int_eq(ran, 0);
}

static int only_take(void *arg)
{
    (void)arg;
    take_mailbox();
    return 0;
}

static void after_the_end_it_is_closed(void)
{
    ck_ok(world_run(only_take, NULL, NULL));
    ck_code(bight_thread_run(mailbox, in_task, NULL, NULL), BIGHT_ECLOSED);
    ck_code(bight_thread_call(mailbox, in_loop, NULL, NULL), BIGHT_ECLOSED);
    ck_code(bight_thread_submit(&submission, mailbox, in_task, NULL), BIGHT_ECLOSED);
    bight_mailbox_unref(mailbox);
}

static int announce_and_sleep(void *arg)
{
    bight_event_set(arg);
    return bight_sleep(-1);
}

static void *run_for_ever(void *begun)
{
    int status = 0;

    ck_ok(bight_thread_run(mailbox, announce_and_sleep, begun, &status));
    EXPECT(status == BIGHT_ECANCELED);
    bight_mailbox_unref(mailbox);
    return NULL;
}

static int end_while_it_runs(void *thread)
{
    struct bight_event begun;

    bight_event_init(&begun);
    take_mailbox();
    begin(thread, run_for_ever, &begun);
    return bight_event_wait(&begun);
}

static void when_main_ends_first_the_thread_is_told(void)
{
    pthread_t thread;

    ck_ok(world_run(end_while_it_runs, &thread, NULL));
    pthread_join(thread, NULL);
}

static void *submit_one(void *arg)
{
    ck_ok(bight_thread_submit(&submission, mailbox, in_task, arg));
    return NULL;
}

static int submit_and_end(void *arg)
{
    take_mailbox();
    in_thread(submit_one, arg);
    bight_mailbox_unref(mailbox);
    return 0;
}

static void what_arrives_when_main_has_ended_never_runs(void)
{
    int status = 0;

    ck_ok(world_run(submit_and_end, &status, NULL));
    ck_ok(bight_submission_wait(submission, -1, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(ran, 0);
    ck_code(bight_submission_cancel(submission), BIGHT_EALREADY);
    bight_submission_unref(submission);
}

/* Cancelling */

static void *cancel_it(void *arg)
{
    ck_code(bight_submission_cancel(submission), *(int *)arg);
    return NULL;
}

static int cancel_before(void *arg)
{
    int value = 0, status = 0;

    take_mailbox();
    in_thread(submit_one, arg);
    in_thread(cancel_it, &value);
    ck_ok(bight_submission_wait(submission, 0, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_code(bight_submission_cancel(submission), BIGHT_EALREADY);
    bight_submission_unref(submission);
    bight_mailbox_unref(mailbox);
    world_settle();
    return bight_sleep(1);
}

static void cancelled_before_it_begins_it_never_runs(void)
{
    ck_ok(world_run(cancel_before, NULL, NULL));
    ck_assert_int_eq(ran, 0);
}

static int until_cancelled(void *arg)
{
    int rc = announce_and_sleep(arg);

    return rc == BIGHT_ECANCELED ? 7 : rc;
}

static int cancel_while(void *arg)
{
    struct bight_event begun;
    int (*bodies[])(void *) = {announce_and_sleep, until_cancelled}, zero = 0, status;
    int statuses[] = {BIGHT_ECANCELED, 7};

    (void)arg;
    take_mailbox();
    for (int i = 0; i < 2; i++) {
        bight_event_init(&begun);
        ck_ok(bight_thread_submit(&submission, mailbox, bodies[i], &begun));
        ck_code(bight_submission_wait(submission, 0, &status), BIGHT_ETIMEDOUT);
        ck_ok(bight_event_wait(&begun));
        ck_code(bight_submission_wait(submission, 1, &status), BIGHT_ETIMEDOUT);
        in_thread(cancel_it, &zero);
        in_thread(cancel_it, &zero);
        ck_ok(bight_submission_wait(submission, -1, &status));
        ck_code(status, statuses[i]);
        ck_code(bight_submission_cancel(submission), BIGHT_EALREADY);
        bight_submission_unref(submission);
    }
    bight_mailbox_unref(mailbox);
    return 0;
}

/* Handles */

static int let_go(void *arg)
{
    take_mailbox();
    ck_ok(bight_thread_submit(&submission, mailbox, in_task, arg));
    ck_assert_ptr_eq(bight_submission_ref(submission), submission);
    bight_submission_unref(submission);
    bight_submission_unref(submission);
    bight_submission_unref(NULL);
    bight_mailbox_unref(mailbox);
    while (!ran)
        ck_ok(bight_yield());
    return bight_sleep(1);
}

static void let_go_it_goes_on_and_its_failure_is_unseen(void)
{
    struct world_reports reports;
    int value = BIGHT_EIO;

    ck_ok(world_run(let_go, &value, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 1);
    ck_assert_str_eq(reports.last_task, "submitted");
    ck_code(reports.last_code, BIGHT_EIO);
}

static void *wait_too(void *value)
{
    int status;

    ck_ok(bight_submission_wait(submission, -1, &status));
    EXPECT(status == *(int *)value);
    ck_ok(bight_submission_wait(submission, 0, &status));
    EXPECT(status == *(int *)value);
    return NULL;
}

static int wait_in_another(void *value)
{
    return (int)(intptr_t)wait_too(value);
}

static void *runtime_that_waits(void *value)
{
    ck_ok(bight_run(wait_in_another, value));
    return NULL;
}

static int be_waited_for(void *value)
{
    pthread_t threads[2];
    int status;

    take_mailbox();
    ck_ok(bight_thread_submit(&submission, mailbox, in_task, value));
    begin(&threads[0], wait_too, value);
    begin(&threads[1], runtime_that_waits, value);
    ck_ok(bight_submission_wait(submission, -1, &status));
    ck_assert_int_eq(status, *(int *)value);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    bight_submission_unref(submission);
    bight_mailbox_unref(mailbox);
    return 0;
}

static void threads_and_tasks_of_any_runtime_may_wait_for_it(void)
{
    int value = BIGHT_EIO;

    ck_ok(world_run(be_waited_for, &value, NULL));
}

/* Memory */

static bool fail_when(void *ctx, const void *site)
{
    (void)site;
    return *(bool *)ctx;
}

static void count_unspawned(void *count, const struct bight_report *report)
{
    EXPECT(report->kind == BIGHT_REPORT_UNSEEN_FAILURE && report->code == BIGHT_ENOMEM);
    EXPECT(report->task_id == 0);
    ++*(int *)count;
}

static int without_memory(void *arg)
{
    static const struct bight_spawn_options large = {.stack_bytes = 4 << 20};
    bool *failing = arg;
    struct bight_task *task;
    int status;

    take_mailbox();
    *failing = true;
    ck_code(bight_thread_submit(&submission, mailbox, in_task, arg), BIGHT_ENOMEM);
    *failing = false;
    ck_ok(bight_thread_submit(&submission, mailbox, in_task, arg));
    /* Its stack is what there is no memory for. */
    *failing = true;
    int rc = bight_submission_wait(submission, -1, &status);
    *failing = false;
    ck_ok(rc);
    ck_code(status, BIGHT_ENOMEM);
    ck_assert_int_eq(ran, 0);
    bight_submission_unref(submission);
    bight_mailbox_unref(mailbox);
    ck_ok(bight_spawn_with(&task, &large, world_return, &(int){0}));
    return bight_join(task, NULL);
}

static void want_of_memory_is_an_error_here_or_a_status_there(void)
{
    bool failing = false;
    const struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_when};
    int reports = 0;
    const struct bight_runtime_options options = {.on_report = count_unspawned,
                                                  .on_report_arg = &reports};

    ck_ok(bight__run_with_seams(&options, &seams, without_memory, &failing));
    ck_assert_int_eq(reports, 1);
}

/* Many threads, around the end */

#define THREADS 4

static int short_or_long(void *arg)
{
    return arg ? bight_sleep(-1) : bight_yield();
}

static void *submit_until_closed(void *arg)
{
    int rc, status;

    for (size_t i = 0;; i++) {
        struct bight_submission *mine;
        bool endless = i % 3 == 0;
        rc = bight_thread_submit(&mine, arg, short_or_long, endless ? arg : NULL);
        if (rc)
            break;
        if (endless || i % 3 == 1)
            (void)bight_submission_cancel(mine);
        if (i % 5) {
            ck_ok(bight_submission_wait(mine, -1, &status));
            EXPECT(status == 0 || status == BIGHT_ECANCELED);
            EXPECT(bight_submission_cancel(mine) == BIGHT_EALREADY);
        }
        bight_submission_unref(mine);
        ran++;
    }
    EXPECT(rc == BIGHT_ECLOSED);
    EXPECT(bight_thread_call(arg, in_loop, NULL, NULL) == BIGHT_ECLOSED);
    bight_mailbox_unref(arg);
    return NULL;
}

static int end_amidst(void *arg)
{
    pthread_t *threads = arg;

    take_mailbox();
    for (int i = 0; i < THREADS; i++)
        begin(&threads[i], submit_until_closed, bight_mailbox_ref(mailbox));
    bight_mailbox_unref(mailbox);
    while (ran < 100)
        ck_ok(bight_sleep(1));
    return 0;
}

static void each_submission_ends_also_when_the_runtime_does(void)
{
    pthread_t threads[THREADS];

    for (int round = 0; round < 20; round++) {
        ran = 0;
        ck_ok(bight_run(end_amidst, threads));
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
}

static const struct suite_case cases[] = {
    plain_case(values_and_errors_come_back_from_the_loops_thread),
    plain_case(a_thread_with_a_runtime_must_not_block),
    plain_case(after_the_end_it_is_closed),
    plain_case(when_main_ends_first_the_thread_is_told),
    plain_case(what_arrives_when_main_has_ended_never_runs),
    plain_case(cancelled_before_it_begins_it_never_runs),
    world_case(cancelled_while_it_runs_it_ends_as_it_likes, cancel_while),
    plain_case(let_go_it_goes_on_and_its_failure_is_unseen),
    plain_case(threads_and_tasks_of_any_runtime_may_wait_for_it),
    plain_case(want_of_memory_is_an_error_here_or_a_status_there),
    plain_case(each_submission_ends_also_when_the_runtime_does),
};

test_suite("submission", cases);
