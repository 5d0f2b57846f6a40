/* Tasks and calls that threads hand in to a runtime, and what comes back to them. */
#include "runtime/runtime.h"
#include "tests/conformance/conf_pool.h"

static struct bight_mailbox *mailbox;
static struct bight_thread_event *over; /* the thread is through */
static pthread_t loop_thread;

/* Run `body` in a thread of its own beside this loop, and sleep until it has set `over`. */
static void beside(void *(*body)(void *arg), void *arg)
{
    pthread_t thread;

    loop_thread = pthread_self();
    ck_ok(bight_mailbox_get(&mailbox));
    ck_ok(bight_thread_event_new(&over));
    EXPECT(pthread_create(&thread, NULL, body, arg) == 0);
    ck_ok(bight_thread_event_wait(over, -1));
    pthread_join(thread, NULL);
    bight_thread_event_unref(over);
    bight_mailbox_unref(mailbox);
}

/* Failures */

static int fails_after_50_ms(void *arg)
{
    (void)arg;
    ck_ok(bight_sleep(50));
    return BIGHT_EIO;
}

static void *reads_failure(void *arg)
{
    int status = 0;

    ck_ok(bight_thread_run(mailbox, fails_after_50_ms, NULL, &status));
    EXPECT(status == BIGHT_EIO);
    bight_thread_event_set(over);
    return arg;
}

static int failing_task(void *arg)
{
    beside(reads_failure, arg);
    return 0;
}

static bool fail_when(void *ctx, const void *site)
{
    (void)site;
    return *(bool *)ctx;
}

static void count_report(void *count, const struct bight_report *report)
{
    EXPECT(report->code == BIGHT_ENOMEM);
    ++*(int *)count;
}

static int never_runs(void *arg)
{
    (void)arg;
    ck_abort_msg("was spawned");
}

/* The loop's thread sleeps meanwhile. */
static void *reads_want_of_memory(void *arg)
{
    bool *failing = arg;
    int status = 0;

    *failing = true;
    ck_ok(bight_thread_run(mailbox, never_runs, NULL, &status));
    *failing = false;
    EXPECT(status == BIGHT_ENOMEM);
    bight_thread_event_set(over);
    return NULL;
}

static int without_memory(void *failing)
{
    beside(reads_want_of_memory, failing);
    return 0;
}

static void xsubmit_05_a_task_that_cannot_be_made_is_told_to_the_thread_and_reported_once(void)
{
    bool failing = false;
    int reports = 0;
    const struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_when};
    const struct bight_runtime_options options = {.on_report = count_report,
                                                  .on_report_arg = &reports};

    ck_ok(bight__run_with_seams(&options, &seams, without_memory, &failing));
    ck_assert_int_eq(reports, 1);
}

/* Calls from a worker thread and from a foreign one */

static int in_loop(void *arg)
{
    EXPECT(pthread_equal(pthread_self(), loop_thread));
    EXPECT(!bight_self());
    return *(int *)arg;
}

static int in_task(void *arg)
{
    EXPECT(pthread_equal(pthread_self(), loop_thread));
    EXPECT(bight_self());
    ck_ok(bight_yield());
    return *(int *)arg;
}

static int calls_back(void *arg)
{
    int values[] = {7, BIGHT_ERANGE}, result;

    EXPECT(!pthread_equal(pthread_self(), loop_thread));
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_thread_call(mailbox, in_loop, &values[i], &result));
        EXPECT(result == values[i]);
        ck_ok(bight_thread_run(mailbox, in_task, &values[i], &result));
        EXPECT(result == values[i]);
    }
    return *(int *)arg;
}

static void *foreign_calls_back(void *arg)
{
    EXPECT(calls_back(arg) == 5);
    bight_thread_event_set(over);
    return NULL;
}

static int call_back(void *arg)
{
    int five = 5;

    (void)arg;
    beside(foreign_calls_back, &five);
    ck_ok(bight_mailbox_get(&mailbox));
    ck_assert_int_eq(bight_offload(calls_back, &five), 5);
    ck_code(bight_thread_call(mailbox, in_loop, &five, NULL), BIGHT_EDEADLK);
    ck_code(bight_thread_run(mailbox, in_task, &five, NULL), BIGHT_EDEADLK);
    bight_mailbox_unref(mailbox);
    return 0;
}

/* The end */

struct sleeper {
    struct bight_event begun;
    int saw;
    int status;
};

static int sleeps_for_ever(void *arg)
{
    struct sleeper *sleeper = arg;

    bight_event_set(&sleeper->begun);
    sleeper->saw = bight_sleep(-1);
    return sleeper->saw;
}

static void *waits_for_sleeper(void *arg)
{
    struct sleeper *sleeper = arg;

    ck_ok(bight_thread_run(mailbox, sleeps_for_ever, sleeper, &sleeper->status));
    bight_mailbox_unref(mailbox);
    return NULL;
}

struct ending {
    struct sleeper sleeper;
    pthread_t thread;
};

static int start_and_end(void *arg)
{
    struct ending *ending = arg;

    bight_event_init(&ending->sleeper.begun);
    ck_ok(bight_mailbox_get(&mailbox));
    EXPECT(pthread_create(&ending->thread, NULL, waits_for_sleeper, &ending->sleeper) == 0);
    return bight_event_wait(&ending->sleeper.begun);
}

static void wthread_07_at_the_end_the_task_is_cancelled_and_its_thread_told(void)
{
    struct ending ending = {.sleeper.saw = 0};

    ck_ok(world_run(start_and_end, &ending, NULL));
    pthread_join(ending.thread, NULL);
    ck_code(ending.sleeper.saw, BIGHT_ECANCELED);
    ck_code(ending.sleeper.status, BIGHT_ECANCELED);
}

static int only_takes_mailbox(void *arg)
{
    (void)arg;
    return bight_mailbox_get(&mailbox);
}

static void ignore(void *arg)
{
    (void)arg;
}

static void xshut_01_nothing_can_be_handed_in_after_the_end(void)
{
    struct bight_submission *submission;

    ck_ok(world_run(only_takes_mailbox, NULL, NULL));
    ck_code(bight_thread_submit(&submission, mailbox, never_runs, NULL), BIGHT_ECLOSED);
    ck_code(bight_thread_run(mailbox, never_runs, NULL, NULL), BIGHT_ECLOSED);
    ck_code(bight_thread_call(mailbox, never_runs, NULL, NULL), BIGHT_ECLOSED);
    ck_code(bight_post_call(mailbox, ignore, NULL), BIGHT_ECLOSED);
    bight_mailbox_unref(mailbox);
}

/* Results that one thread waits for and another one brings about */

struct outcome {
    struct bight_submission *submission;
    struct bight_thread_event *go;
    sem_t reading;
    int value;   /* what the task returns */
    bool cancel; /* instead */
};

static int returns_when_told(void *arg)
{
    const struct outcome *outcome = arg;
    int rc = bight_thread_event_wait(outcome->go, -1);

    return rc ? rc : outcome->value;
}

static void *brings_about(void *arg)
{
    struct outcome *outcome = arg;

    sem_wait(&outcome->reading);
    if (outcome->cancel)
        ck_ok(bight_submission_cancel(outcome->submission));
    else
        bight_thread_event_set(outcome->go);
    return NULL;
}

static void *reads_outcome(void *arg)
{
    struct outcome *outcome = arg;
    int status = 1;

    sem_post(&outcome->reading);
    ck_ok(bight_submission_wait(outcome->submission, -1, &status));
    EXPECT(status == (outcome->cancel ? BIGHT_ECANCELED : outcome->value));
    bight_thread_event_set(over);
    return NULL;
}

static int read_outcomes(void *arg)
{
    struct outcome outcomes[] = {{.value = 42}, {.cancel = true}, {.value = BIGHT_EACCES}};

    (void)arg;
    for (int i = 0; i < 3; i++) {
        struct outcome *outcome = &outcomes[i];
        struct bight_mailbox *own;
        pthread_t thread;

        sem_init(&outcome->reading, 0, 0);
        ck_ok(bight_thread_event_new(&outcome->go));
        ck_ok(bight_mailbox_get(&own));
        ck_ok(bight_thread_submit(&outcome->submission, own, returns_when_told, outcome));
        bight_mailbox_unref(own);
        EXPECT(pthread_create(&thread, NULL, brings_about, outcome) == 0);
        beside(reads_outcome, outcome);
        pthread_join(thread, NULL);
        bight_submission_unref(outcome->submission);
        bight_thread_event_unref(outcome->go);
    }
    return 0;
}

struct setting {
    struct bight_future future;
    int code; /* to fail with; 0: a value */
    int value;
};

static int set_future(void *arg)
{
    struct setting *setting = arg;

    return setting->code ? bight_future_fail(&setting->future, setting->code)
                         : bight_future_set(&setting->future, &setting->value);
}

static int set_again(void *arg)
{
    static int other = 2;
    struct setting *setting = arg;

    return setting->code ? bight_future_fail(&setting->future, BIGHT_ERANGE)
                         : bight_future_set(&setting->future, &other);
}

static void *sets_twice(void *setting)
{
    int result;

    ck_ok(bight_thread_call(mailbox, set_future, setting, &result));
    EXPECT(result == 0);
    ck_ok(bight_thread_call(mailbox, set_again, setting, &result));
    EXPECT(result == BIGHT_EALREADY);
    bight_thread_event_set(over);
    return NULL;
}

static int set_twice(void *arg)
{
    struct setting settings[] = {{.value = 1}, {.code = BIGHT_EIO}};

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct setting *setting = &settings[i];
        void *value = NULL;
        int status = 1;

        bight_future_init(&setting->future);
        beside(sets_twice, setting);
        ck_ok(bight_future_wait(&setting->future, &status, &value));
        ck_code(status, setting->code);
        ck_assert_ptr_eq(value, setting->code ? NULL : &setting->value);
    }
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(xsubmit_02_the_failure_of_a_task_reaches_the_thread_that_submitted_it, failing_task),
    plain_case(xsubmit_05_a_task_that_cannot_be_made_is_told_to_the_thread_and_reported_once),
    conf_case(wthread_06_threads_call_functions_and_tasks_in_the_loop_which_itself_must_not,
              call_back),
    plain_case(wthread_07_at_the_end_the_task_is_cancelled_and_its_thread_told),
    plain_case(xshut_01_nothing_can_be_handed_in_after_the_end),
    conf_case(xfut_09_a_blocked_reader_gets_the_value_the_failure_or_the_cancellation,
              read_outcomes),
    conf_case(xfut_10_what_was_set_first_stays, set_twice),
};

test_suite("submissions of threads", cases);
