/* runtime/uv/signal.c. Signals are raised in this process: when raise returns, libuv has noted
 * it, and the next poll of the loop delivers it. */
#include "runtime/runtime.h"

#include <bight.h>
#include <signal.h>

#include "tests/harness/suite.h"
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
    bight_signal_end(usr1);
    return 0;
}

/* Let the loop poll once: a wait for something outside that is over at once. */
static void poll_once(void)
{
    struct bight_signal *probe;

    ck_assert_int_eq(bight_signal_open(&probe, SIGUSR2), 0);
    raise(SIGUSR2);
    ck_assert_int_eq(bight_signal_wait(probe), 1);
    bight_signal_end(probe);
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
    bight_signal_end(usr1);
    return 0;
}

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
    bight_signal_end(usr1);
    return 0;
}

static int cancel_before_wake(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    open_usr1();
    ck_assert_int_eq(wait_in_scope(cancel_then_raise, &scope), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_signal_wait(usr1), 1);
    bight_signal_end(usr1);
    return 0;
}

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
    bight_signal_end(usr1);
    return 0;
}

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
    bight_signal_end(usr1);
    return 0;
}

/* Among other things, once; in two cases of one select it is an error. */
static int selects(void *arg)
{
    struct bight_case cases[3];

    (void)arg;
    open_usr1();
    bight_case_signal(&cases[0], usr1);
    bight_case_sleep(&cases[1], 1);
    ck_assert_int_eq(bight_select(cases, 2, 0), 1);
    ck_assert_int_eq(bight_spawn(NULL, raise_usr1, NULL), 0);
    bight_case_sleep(&cases[1], -1);
    ck_assert_int_eq(bight_select(cases, 2, 0), 0);
    ck_assert_int_eq(cases[0].status, 1);
    raise(SIGUSR1);
    poll_once();
    ck_assert_int_eq(bight_select(cases, 1, BIGHT_SELECT_TRY), 0);
    ck_assert_int_eq(cases[0].status, 1);
    ck_assert_int_eq(bight_select(cases, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    bight_case_signal(&cases[2], usr1);
    ck_assert_int_eq(bight_select(cases, 3, 0), BIGHT_EALREADY);
    bight_case_signal(&cases[0], NULL);
    ck_assert_int_eq(bight_select(cases, 1, 0), BIGHT_EINVAL);
    bight_signal_end(usr1);
    return 0;
}

static int close_usr1(void *arg)
{
    (void)arg;
    bight_signal_end(usr1);
    return 0;
}

static int close_while_waiting(void *arg)
{
    (void)arg;
    open_usr1();
    ck_assert_int_eq(bight_spawn(NULL, close_usr1, NULL), 0);
    ck_assert_int_eq(bight_signal_wait(usr1), BIGHT_ECLOSED);
    bight_signal_end(NULL);
    return 0;
}

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
    bight_signal_end(usr1);
    return 0;
}

static int two_of_one(void *arg)
{
    struct bight_signal *other;

    (void)arg;
    open_usr1();
    ck_assert_int_eq(bight_signal_open(&other, SIGUSR1), 0);
    raise(SIGUSR1);
    ck_assert_int_eq(bight_signal_wait(usr1), 1);
    ck_assert_int_eq(bight_signal_wait(other), 1);
    bight_signal_end(other);
    bight_signal_end(usr1);
    return 0;
}

static int leave_open(void *arg)
{
    (void)arg;
    open_usr1();
    raise(SIGUSR1);
    return 0;
}

static void what_is_left_open_is_closed_by_the_runtime(void)
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

static int open_the_impossible(void *arg)
{
    struct bight_signal *signal;

    (void)arg;
    ck_assert_int_eq(bight_signal_open(&signal, SIGKILL), BIGHT_EINVAL);
    ck_assert_int_eq(bight_signal_open(&signal, 0), BIGHT_EINVAL);
    ck_assert_int_eq(bight_signal_open(&signal, 1000), BIGHT_EINVAL);
    return 0;
}

static void what_cannot_be_caught_is_an_error(void)
{
    struct bight_signal *signal;

    ck_assert_int_eq(bight_run(open_the_impossible, NULL), 0);
    ck_assert_int_eq(bight_signal_open(&signal, SIGUSR1), BIGHT_ENORUNTIME);
}

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
    ck_assert_int_eq(failures, 3);
    bight_signal_end(usr1);
    return 0;
}

static void want_of_memory_is_an_error_at_each_allocation(void)
{
    const struct bight_seams seams = {.fail_alloc = fail_kth};

    ck_assert_int_eq(bight__run_with_seams(NULL, &seams, open_without_memory, NULL), 0);
}

static const struct suite_case cases[] = {
    body_case(a_wait_ends_when_the_signal_arrives, bight_run, wake),
    body_case(arrivals_between_two_waits_are_counted, bight_run, count),
    body_case(a_cancelled_wait_lets_go, bight_run, cancel),
    body_case(cancelled_then_woken_is_cancelled_and_the_arrival_stays_counted, bight_run,
              cancel_before_wake),
    body_case(woken_then_cancelled_is_woken, bight_run, cancel_after_wake),
    body_case(a_wait_observes_its_deadline, bight_run, time_out),
    body_case(it_is_a_case_of_a_select, bight_run, selects),
    body_case(closing_tells_the_task_that_waits, bight_run, close_while_waiting),
    body_case(only_one_task_may_wait, bight_run, wait_twice),
    body_case(each_of_several_sees_every_arrival, bight_run, two_of_one),
    plain_case(what_is_left_open_is_closed_by_the_runtime),
    plain_case(what_cannot_be_caught_is_an_error),
    plain_case(want_of_memory_is_an_error_at_each_allocation),
};

test_suite("signal", cases);
