/* runtime/threads/many.c: runtimes on several threads as one group. */
#include <errno.h>
#include <bight.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <uv.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define LOOPS 4u

static atomic_uint seen;
static pthread_t caller;
static int statuses[LOOPS];

static const struct bight_many_options keeps_statuses = {.statuses = statuses};

static int sleep_for_ever(void)
{
    return bight_sleep(60 * 1000);
}

/* Until all loops have come so far: what is to fail finds the others at work. Some hear of it here
 * already. */
static void meet(void)
{
    atomic_fetch_add(&seen, 1);
    while (atomic_load(&seen) < LOOPS && bight_sleep(1) == 0)
        continue;
}

static int see(void *arg)
{
    char name[16], wanted[16];
    unsigned index = bight_many_index();

    EXPECT(arg == &seen);
    EXPECT(bight_many_count() == LOOPS && index < LOOPS);
    EXPECT((index == 0) == (pthread_equal(pthread_self(), caller) != 0));
    EXPECT(pthread_getname_np(pthread_self(), name, sizeof(name)) == 0);
    (void)snprintf(wanted, sizeof(wanted), "bight-loop-%u", index);
    EXPECT(index == 0 || strcmp(name, wanted) == 0);
    EXPECT((atomic_fetch_or(&seen, 1u << index) & 1u << index) == 0);
    return 0;
}

static void each_loop_has_a_thread_and_an_index(void)
{
    caller = pthread_self();
    ck_ok(bight_run_many(LOOPS, see, &seen));
    ck_assert_uint_eq(atomic_load(&seen), (1u << LOOPS) - 1);
    ck_assert_uint_eq(bight_many_count(), 0);
    ck_assert_uint_eq(bight_many_index(), 0);
}

static int count_loops(void *arg)
{
    (void)arg;
    atomic_fetch_add(&seen, 1);
    EXPECT(bight_many_count() == bight_many_cpus());
    return 0;
}

static void without_a_count_there_is_one_for_each_cpu(void)
{
    cpu_set_t cpus;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
    ck_assert_int_eq((int)bight_many_cpus(), CPU_COUNT(&cpus));
    ck_ok(bight_run_many(0, count_loops, NULL));
    ck_assert_uint_eq(atomic_load(&seen), bight_many_cpus());
}

static int fail_one(void *arg)
{
    meet();
    return bight_many_index() == *(unsigned *)arg ? BIGHT_EPROTOCOL : sleep_for_ever();
}

static void the_first_that_fails_cancels_the_others(int i)
{
    unsigned bad = (unsigned)i;

    ck_code(bight_run_many_with(&keeps_statuses, LOOPS, fail_one, &bad), BIGHT_EPROTOCOL);
    for (unsigned at = 0; at < LOOPS; at++)
        ck_code(statuses[at], at == bad ? BIGHT_EPROTOCOL : BIGHT_ECANCELED);
}

static int end_differently(void *arg)
{
    static const int codes[LOOPS] = {0, BIGHT_EOF, BIGHT_ECANCELED, BIGHT_EPIPE};
    int rc;

    (void)arg;
    meet();
    if (bight_many_index() == 1)
        return codes[1];
    rc = sleep_for_ever();
    EXPECT(rc == BIGHT_ECANCELED);
    return codes[bight_many_index()];
}

static void every_status_is_kept(void)
{
    ck_code(bight_run_many_with(&keeps_statuses, LOOPS, end_differently, NULL), BIGHT_EOF);
    ck_ok(statuses[0]);
    ck_code(statuses[1], BIGHT_EOF);
    ck_code(statuses[2], BIGHT_ECANCELED);
    ck_code(statuses[3], BIGHT_EPIPE);
}

/* What a main has started, and goes on in spite of its cancellation for a while, is waited for. */
static int stubborn(void *arg)
{
    EXPECT(sleep_for_ever() == BIGHT_ECANCELED);
    atomic_fetch_add((atomic_uint *)arg, 1);
    return 0;
}

static int fail_beside_a_task(void *arg)
{
    EXPECT(bight_spawn(NULL, stubborn, arg) == 0);
    EXPECT(bight_yield() == 0); /* it has begun */
    meet();
    return bight_many_index() == 2 ? BIGHT_EIO : sleep_for_ever();
}

static void what_mains_have_started_ends_too(void)
{
    atomic_uint ended = 0;

    ck_code(bight_run_many(LOOPS, fail_beside_a_task, &ended), BIGHT_EIO);
    ck_assert_uint_eq(atomic_load(&ended), LOOPS);
}

static int wait_for_nothing(void *arg)
{
    struct bight_event never = BIGHT_EVENT_INIT;

    (void)arg;
    return bight_event_wait(&never);
}

static void a_loop_alone_is_found_deadlocked(void)
{
    ck_code(bight_run_many(1, wait_for_nothing, NULL), BIGHT_ESTALLED);
}

static struct bight_event given = BIGHT_EVENT_INIT;

static void give(void *arg)
{
    (void)arg;
    bight_event_set(&given);
}

static int wait_for_another(void *arg)
{
    struct bight_mailbox *mailbox;

    (void)arg;
    if (bight_many_index() == 1)
        return bight_event_wait(&given);
    EXPECT(bight_sleep(30) == 0);
    EXPECT(bight_many_mailbox(&mailbox, 1) == 0);
    EXPECT(bight_post_call(mailbox, give, NULL) == 0);
    bight_mailbox_unref(mailbox);
    return 0;
}

static void one_that_waits_for_another_is_not(void)
{
    ck_ok(bight_run_many(2, wait_for_another, NULL));
}

static int wait_for_a_drain(void *arg)
{
    struct bight_scope scope;
    int rc;

    EXPECT(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE) == 0);
    meet();
    if (bight_many_index() == *(unsigned *)arg) {
        EXPECT(bight_many_drain() == 0);
        EXPECT(bight_many_drain() == 0);
    }
    rc = bight_scope_end(&scope, sleep_for_ever());
    EXPECT(rc == BIGHT_EDRAIN && bight_draining());
    /* What was begun goes on. */
    EXPECT(bight_sleep(5) == 0);
    return bight_many_index() % 2 ? rc : 0;
}

static void a_drain_reaches_all_loops_and_is_no_failure(int i)
{
    unsigned from = (unsigned)i;

    ck_ok(bight_run_many_with(&keeps_statuses, LOOPS, wait_for_a_drain, &from));
    ck_ok(statuses[0]);
    ck_code(statuses[1], BIGHT_EDRAIN);
}

static int return_edrain(void *arg)
{
    (void)arg;
    return bight_many_index() == 1 ? BIGHT_EDRAIN : sleep_for_ever();
}

static void nobody_drains_without_being_told(void)
{
    ck_code(bight_run_many(2, return_edrain, NULL), BIGHT_EDRAIN);
}

static int cancel_all(void *arg)
{
    (void)arg;
    meet();
    if (bight_many_index() == 3) {
        EXPECT(bight_many_cancel() == 0);
        EXPECT(bight_many_cancel() == 0);
    }
    EXPECT(sleep_for_ever() == BIGHT_ECANCELED);
    return bight_many_index() == 0 ? BIGHT_ECANCELED : 0;
}

static void one_loop_may_cancel_all(void)
{
    ck_code(bight_run_many_with(&keeps_statuses, LOOPS, cancel_all, NULL), BIGHT_ECANCELED);
    ck_ok(statuses[3]);
}

static int interrupted(void *arg)
{
    (void)arg;
    meet();
    if (bight_many_index() == 2)
        EXPECT(kill(getpid(), SIGUSR1) == 0);
    return sleep_for_ever();
}

static void one_signal_is_for_all(void)
{
    const struct bight_runtime_options runtime = {.interrupt_signal = SIGUSR1};
    const struct bight_many_options options = {.runtime = &runtime, .statuses = statuses};

    ck_code(bight_run_many_with(&options, LOOPS, interrupted, NULL), BIGHT_EINTR);
    ck_code(statuses[0], BIGHT_EINTR);
    for (unsigned i = 1; i < LOOPS; i++)
        ck_code(statuses[i], BIGHT_ECANCELED);
}

static int see_cpu(void *arg)
{
    cpu_set_t cpus;

    (void)arg;
    meet();
    EXPECT(sched_getaffinity(0, sizeof(cpus), &cpus) == 0);
    EXPECT(CPU_COUNT(&cpus) == 1);
    return 0;
}

static void pinned_loops_have_one_cpu_and_the_caller_gets_its_own_back(void)
{
    const struct bight_many_options options = {.pin = true, .name = "pinned"};
    cpu_set_t before, after;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
    ck_ok(bight_run_many_with(&options, LOOPS, see_cpu, NULL));
    ck_assert_int_eq(sched_getaffinity(0, sizeof(after), &after), 0);
    ck_assert(CPU_EQUAL(&before, &after));
}

/* --- between loops ---------------------------------------------------------------------------- */

static int where(void *arg)
{
    *(unsigned *)arg = bight_many_index();
    return 7;
}

static int ask_the_next(void *arg)
{
    unsigned next = (bight_many_index() + 1) % LOOPS, was = LOOPS;
    struct bight_submission *submission;
    struct bight_mailbox *mailbox;
    int status;

    EXPECT(bight_many_mailbox(&mailbox, LOOPS) == BIGHT_EINVAL);
    EXPECT(bight_many_mailbox(NULL, 0) == BIGHT_EINVAL);
    meet();
    EXPECT(bight_many_mailbox(&mailbox, next) == 0);
    EXPECT(bight_thread_submit(&submission, mailbox, where, &was) == 0);
    EXPECT(bight_submission_wait(submission, -1, &status) == 0);
    EXPECT(status == 7 && was == next);
    bight_submission_unref(submission);
    bight_mailbox_unref(mailbox);
    atomic_fetch_add((atomic_uint *)arg, 1);
    while (atomic_load((atomic_uint *)arg) < LOOPS) /* nobody ends before it was asked */
        EXPECT(bight_sleep(1) == 0);
    return 0;
}

static void loops_submit_tasks_to_each_other(void)
{
    atomic_uint asked = 0;

    ck_ok(bight_run_many(LOOPS, ask_the_next, &asked));
}

static int wait_for_the_end_of_one(void *arg)
{
    struct bight_mailbox *mailbox;
    int rc;

    (void)arg;
    if (bight_many_index() == 1)
        return 0;
    while ((rc = bight_many_mailbox(&mailbox, 1)) != BIGHT_ECLOSED) {
        EXPECT(rc == 0 || rc == BIGHT_EAGAIN);
        if (rc == 0)
            bight_mailbox_unref(mailbox);
        EXPECT(bight_sleep(1) == 0);
    }
    return 0;
}

static void a_loop_that_has_ended_has_no_mailbox(void)
{
    ck_ok(bight_run_many(2, wait_for_the_end_of_one, NULL));
}

#define ITEMS 2000u

static struct bight_thread_queue *queue;

/* Loop 0 puts, the others get. */
static int hand_out(void *arg)
{
    void *item;
    int rc;

    if (bight_many_index() == 0) {
        for (uintptr_t i = 1; i <= ITEMS; i++)
            EXPECT(bight_thread_queue_put(queue, (void *)i, -1) == 0);
        bight_thread_queue_close(queue);
        return 0;
    }
    while ((rc = bight_thread_queue_get(queue, &item, -1)) == 0)
        atomic_fetch_add((atomic_uint *)arg, (unsigned)(uintptr_t)item);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static void a_queue_between_loops_loses_nothing(void)
{
    atomic_uint sum = 0;

    ck_ok(bight_thread_queue_new(&queue, 16, NULL, NULL));
    ck_ok(bight_run_many(LOOPS, hand_out, &sum));
    bight_thread_queue_unref(queue);
    ck_assert_uint_eq(atomic_load(&sum), ITEMS * (ITEMS + 1) / 2);
}

/* --- what cannot be --------------------------------------------------------------------------- */

static int never(void *arg)
{
    (void)arg;
    EXPECT(false);
    return 0;
}

static int run_inside(void *arg)
{
    return bight_run_many(2, never, arg) == BIGHT_EALREADY ? 0 : BIGHT_EINVAL;
}

static void what_makes_no_sense_is_refused(void)
{
    struct bight_mailbox *mailbox;

    ck_code(bight_run_many(2, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_run_many(BIGHT_MANY_MOST + 1, never, NULL), BIGHT_EINVAL);
    ck_ok(bight_run(run_inside, NULL));
    ck_ok(bight_run_many(2, run_inside, NULL));
    ck_code(bight_many_drain(), BIGHT_ENORUNTIME);
    ck_code(bight_many_cancel(), BIGHT_ENORUNTIME);
    ck_code(bight_many_mailbox(&mailbox, 0), BIGHT_ENORUNTIME);
}

/* Of the calls to come the one that fails. The linker leads them here: --wrap. */
static atomic_int threads_left = -1, loops_left = -1, pins_left = -1;
static bool no_memory;

typedef void *thread_fn(void *arg);

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, thread_fn *fn, void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, thread_fn *fn, void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, thread_fn *fn, void *arg)
{
    /* The loops probe for threads of their own, each in its thread. */
    if (pthread_equal(pthread_self(), caller) && atomic_fetch_sub(&threads_left, 1) == 0)
        return EAGAIN;
    return __real_pthread_create(thread, attr, fn, arg);
}

int __real_uv_loop_init(uv_loop_t *loop), __wrap_uv_loop_init(uv_loop_t *loop);
int __wrap_uv_loop_init(uv_loop_t *loop)
{
    return atomic_fetch_sub(&loops_left, 1) == 0 ? UV_EMFILE : __real_uv_loop_init(loop);
}

int __real_sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t *cpus);
int __wrap_sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t *cpus);
int __wrap_sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t *cpus)
{
    if (atomic_fetch_sub(&pins_left, 1) != 0)
        return __real_sched_setaffinity(pid, bytes, cpus);
    errno = EPERM;
    return -1;
}

void *__real_calloc(size_t count, size_t bytes), *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes)
{
    return no_memory ? NULL : __real_calloc(count, bytes);
}

static int wait_to_be_cancelled(void *arg)
{
    return arg ? 0 : sleep_for_ever();
}

static void a_thread_that_does_not_start_ends_all(int i)
{
    caller = pthread_self();
    atomic_store(&threads_left, i);
    ck_code(bight_run_many_with(&keeps_statuses, LOOPS, wait_to_be_cancelled, NULL), BIGHT_EAGAIN);
    for (int at = 0; at < (int)LOOPS; at++)
        ck_code(statuses[at], at == i + 1 ? BIGHT_EAGAIN : BIGHT_ECANCELED);
}

static void a_runtime_that_does_not_start_ends_all(int i)
{
    unsigned failed = 0;

    atomic_store(&loops_left, i);
    ck_code(bight_run_many_with(&keeps_statuses, LOOPS, wait_to_be_cancelled, NULL), BIGHT_EMFILE);
    for (unsigned at = 0; at < LOOPS; at++)
        failed += statuses[at] == BIGHT_EMFILE;
    ck_assert_uint_eq(failed, 1);
}

static void a_thread_that_cannot_be_pinned_ends_all(void)
{
    const struct bight_many_options options = {.pin = true};

    atomic_store(&pins_left, 2);
    ck_code(bight_run_many_with(&options, LOOPS, wait_to_be_cancelled, NULL), -EPERM);
}

static void without_memory_nothing_begins(void)
{
    int rc;

    no_memory = true;
    rc = bight_run_many(LOOPS, never, NULL);
    no_memory = false;
    ck_code(rc, BIGHT_ENOMEM);
}

static const struct suite_case cases[] = {
    plain_case(each_loop_has_a_thread_and_an_index),
    plain_case(without_a_count_there_is_one_for_each_cpu),
    each_case(the_first_that_fails_cancels_the_others, (int)LOOPS),
    plain_case(every_status_is_kept),
    plain_case(what_mains_have_started_ends_too),
    plain_case(a_loop_alone_is_found_deadlocked),
    plain_case(one_that_waits_for_another_is_not),
    each_case(a_drain_reaches_all_loops_and_is_no_failure, (int)LOOPS),
    plain_case(nobody_drains_without_being_told),
    plain_case(one_loop_may_cancel_all),
    plain_case(one_signal_is_for_all),
    plain_case(pinned_loops_have_one_cpu_and_the_caller_gets_its_own_back),
    plain_case(loops_submit_tasks_to_each_other),
    plain_case(a_loop_that_has_ended_has_no_mailbox),
    plain_case(a_queue_between_loops_loses_nothing),
    plain_case(what_makes_no_sense_is_refused),
    each_case(a_thread_that_does_not_start_ends_all, (int)LOOPS - 1),
    each_case(a_runtime_that_does_not_start_ends_all, (int)LOOPS),
    plain_case(a_thread_that_cannot_be_pinned_ends_all),
    plain_case(without_memory_nothing_begins),
};

test_suite("many", cases);
