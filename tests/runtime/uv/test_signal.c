/* runtime/uv/signal.c. Signals are raised in this process: when raise returns, libuv has noted it, and
 * the next poll of the loop delivers it. */
#include "runtime/runtime.h"

#include <bight.h>
#include <signal.h>

#include "tests/harness/support.h"

static struct bight_signal *usr1;

static void open_usr1(void)
{
    ck_assert_int_eq(bight_signal_open(&usr1, SIGUSR1), 0);
}

static int raise_usr1(void *arg)
{
    (void)arg;
    return raise(SIGUSR1) ? BIGHT_EINVAL : 0;
}

static int wake(void *arg)
{
    (void)arg;
    open_usr1();
    ck_assert_int_eq(bight_spawn(NULL, raise_usr1, NULL), 0);
    ck_assert_int_eq(bight_signal_wait(usr1), 1);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(a_wait_ends_when_the_signal_arrives)
{
    ck_assert_int_eq(bight_run(wake, NULL), 0);
}
END_TEST

/* Let the loop poll once: a wait for something outside that is over at once. */
static void poll_once(void)
{
    struct bight_signal *probe;

    ck_assert_int_eq(bight_signal_open(&probe, SIGUSR2), 0);
    raise(SIGUSR2);
    ck_assert_int_eq(bight_signal_wait(probe), 1);
    bight_signal_close(probe);
}

static int count(void *arg)
{
    (void)arg;
    open_usr1();
    for (int i = 0; i < 3; i++)
        raise(SIGUSR1);
    poll_once();
    ck_assert_int_eq(bight_signal_wait(usr1), 3);
    raise(SIGUSR1);
    ck_assert_int_eq(bight_signal_wait(usr1), 1);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(arrivals_between_two_waits_are_counted)
{
    ck_assert_int_eq(bight_run(count, NULL), 0);
}
END_TEST

static int cancel_scope(void *scope)
{
    bight_scope_cancel(scope);
    return 0;
}

static int cancel_then_raise(void *scope)
{
    bight_scope_cancel(scope);
    return raise_usr1(NULL);
}

/* Wait in a scope that `meddle` is given. */
static int wait_in_scope(int (*meddle)(void *scope), struct bight_scope *scope)
{
    ck_assert_int_eq(bight_scope_begin(scope, -1, 0), 0);
    ck_assert_int_eq(bight_spawn(NULL, meddle, scope), 0);
    int rc = bight_signal_wait(usr1);
    ck_assert_int_eq(bight_scope_end(scope, 0), 0);
    return rc;
}

static int cancel(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    open_usr1();
    ck_assert_int_eq(wait_in_scope(cancel_scope, &scope), BIGHT_ECANCELED);
    raise(SIGUSR1);
    ck_assert_int_eq(bight_signal_wait(usr1), 1);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(a_cancelled_wait_lets_go)
{
    ck_assert_int_eq(bight_run(cancel, NULL), 0);
}
END_TEST

static int cancel_before_wake(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    open_usr1();
    ck_assert_int_eq(wait_in_scope(cancel_then_raise, &scope), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_signal_wait(usr1), 1);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(cancelled_then_woken_is_cancelled_and_the_arrival_stays_counted)
{
    ck_assert_int_eq(bight_run(cancel_before_wake, NULL), 0);
}
END_TEST

/* A check handle started after bight's runs before it: between the poll that delivered the signal
 * and the slice that would run the waiter. */
struct meddler {
    uv_check_t check;
    struct bight_scope scope;
    bool raised;
};

static void on_check(uv_check_t *check)
{
    struct meddler *meddler = container_of(check, struct meddler, check);

    if (meddler->raised)
        bight_scope_cancel(&meddler->scope);
}

static int raise_for_meddler(void *arg)
{
    struct meddler *meddler = container_of(arg, struct meddler, scope);

    meddler->raised = true;
    return raise_usr1(NULL);
}

static int cancel_after_wake(void *arg)
{
    struct meddler meddler = {.raised = false};

    (void)arg;
    open_usr1();
    uv_check_init(bight_uv_loop(), &meddler.check);
    uv_check_start(&meddler.check, on_check);
    ck_assert_int_eq(wait_in_scope(raise_for_meddler, &meddler.scope), 1);
    ck_assert(meddler.scope.cancelled);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&meddler.check), 0);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(woken_then_cancelled_is_woken)
{
    ck_assert_int_eq(bight_run(cancel_after_wake, NULL), 0);
}
END_TEST

static int wait_usr1(void *arg)
{
    (void)arg;
    return bight_signal_wait(usr1);
}

static int time_out(void *arg)
{
    (void)arg;
    open_usr1();
    ck_assert_int_eq(bight_timeout(1, wait_usr1, NULL), BIGHT_ETIMEDOUT);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(a_wait_observes_its_deadline)
{
    ck_assert_int_eq(bight_run(time_out, NULL), 0);
}
END_TEST

static int close_usr1(void *arg)
{
    (void)arg;
    bight_signal_close(usr1);
    return 0;
}

static int close_while_waiting(void *arg)
{
    (void)arg;
    open_usr1();
    ck_assert_int_eq(bight_spawn(NULL, close_usr1, NULL), 0);
    ck_assert_int_eq(bight_signal_wait(usr1), BIGHT_ECLOSED);
    bight_signal_close(NULL);
    return 0;
}

START_TEST(closing_tells_the_task_that_waits)
{
    ck_assert_int_eq(bight_run(close_while_waiting, NULL), 0);
}
END_TEST

static int wait_twice(void *arg)
{
    struct bight_task *first;
    int status;

    (void)arg;
    open_usr1();
    ck_assert_int_eq(bight_spawn(&first, wait_usr1, NULL), 0);
    ck_assert_int_eq(bight_yield(), 0);
    ck_assert_int_eq(bight_signal_wait(usr1), BIGHT_EALREADY);
    raise(SIGUSR1);
    ck_assert_int_eq(bight_join(first, &status), 0);
    ck_assert_int_eq(status, 1);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(only_one_task_may_wait)
{
    ck_assert_int_eq(bight_run(wait_twice, NULL), 0);
}
END_TEST

static int two_of_one(void *arg)
{
    struct bight_signal *other;

    (void)arg;
    open_usr1();
    ck_assert_int_eq(bight_signal_open(&other, SIGUSR1), 0);
    raise(SIGUSR1);
    ck_assert_int_eq(bight_signal_wait(usr1), 1);
    ck_assert_int_eq(bight_signal_wait(other), 1);
    bight_signal_close(other);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(each_of_several_sees_every_arrival)
{
    ck_assert_int_eq(bight_run(two_of_one, NULL), 0);
}
END_TEST

static int leave_open(void *arg)
{
    (void)arg;
    open_usr1();
    raise(SIGUSR1);
    return 0;
}

START_TEST(what_is_left_open_is_closed_by_the_runtime)
{
    int fds = -1;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(bight_run(leave_open, NULL), 0);
        ck_assert(i == 0 || test_open_fds() == fds);
        fds = test_open_fds();
    }
    struct sigaction action;
    ck_assert_int_eq(sigaction(SIGUSR1, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
}
END_TEST

static int open_the_impossible(void *arg)
{
    struct bight_signal *signal;

    (void)arg;
    ck_assert_int_eq(bight_signal_open(&signal, SIGKILL), BIGHT_EINVAL);
    ck_assert_int_eq(bight_signal_open(&signal, 0), BIGHT_EINVAL);
    ck_assert_int_eq(bight_signal_open(&signal, 1000), BIGHT_EINVAL);
    return 0;
}

START_TEST(what_cannot_be_caught_is_an_error)
{
    struct bight_signal *signal;

    ck_assert_int_eq(bight_run(open_the_impossible, NULL), 0);
    ck_assert_int_eq(bight_signal_open(&signal, SIGUSR1), BIGHT_ENORUNTIME);
}
END_TEST

static bool armed;
static int left;

static bool fail_kth(void *ctx, const void *site)
{
    (void)ctx;
    (void)site;
    return armed && left-- == 0;
}

static int open_without_memory(void *arg)
{
    int failures = 0, rc;

    (void)arg;
    do {
        left = failures;
        armed = true;
        rc = bight_signal_open(&usr1, SIGUSR1);
        armed = false;
        failures += rc == BIGHT_ENOMEM;
    } while (rc == BIGHT_ENOMEM);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(failures, 2);
    bight_signal_close(usr1);
    return 0;
}

START_TEST(want_of_memory_is_an_error_at_each_allocation)
{
    const struct bight_seams seams = {.fail_alloc = fail_kth};

    ck_assert_int_eq(bight__run_with_seams(NULL, &seams, open_without_memory, NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signal");
    TCase *tc = tcase_create("signal");
    tcase_add_test(tc, a_wait_ends_when_the_signal_arrives);
    tcase_add_test(tc, arrivals_between_two_waits_are_counted);
    tcase_add_test(tc, a_cancelled_wait_lets_go);
    tcase_add_test(tc, cancelled_then_woken_is_cancelled_and_the_arrival_stays_counted);
    tcase_add_test(tc, woken_then_cancelled_is_woken);
    tcase_add_test(tc, a_wait_observes_its_deadline);
    tcase_add_test(tc, closing_tells_the_task_that_waits);
    tcase_add_test(tc, only_one_task_may_wait);
    tcase_add_test(tc, each_of_several_sees_every_arrival);
    tcase_add_test(tc, what_is_left_open_is_closed_by_the_runtime);
    tcase_add_test(tc, what_cannot_be_caught_is_an_error);
    tcase_add_test(tc, want_of_memory_is_an_error_at_each_allocation);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
