/* The cases about signals as something to wait for, and about noticing the ends of children. A
 * handler is a task that waits. */
#include "tests/conformance/conf.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "tests/runtime/process/children.h"

static bool has_default(int signum)
{
    struct sigaction action;

    ck_assert_int_eq(sigaction(signum, NULL, &action), 0);
    return action.sa_handler == SIG_DFL;
}

struct handler {
    struct bight_signal *signal;
    int value, got;
};

static int handles(void *arg)
{
    struct handler *handler = arg;
    int rc = bight_signal_wait(handler->signal);

    if (rc > 0)
        handler->got += handler->value;
    return rc < 0 ? rc : 0;
}

static int added_and_removed(void *arg)
{
    struct handler counts = {.value = 1};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_signal_open(&counts.signal, SIGINT));
    ck_ok(bight_spawn(&task, handles, &counts));
    ck_assert_int_eq(raise(SIGINT), 0);
    conf_join(task, 0);
    ck_assert_int_eq(counts.got, 1);
    ck_ok(bight_signal_end(counts.signal));
    ck_assert(has_default(SIGINT));
    return bight_signal_end(NULL); /* there is nothing to remove */
}

static int no_signals(void *arg)
{
    const int numbers[] = {0, -1, SIGRTMAX + 1, SIGKILL};
    struct bight_signal *signal;

    (void)arg;
    for (size_t i = 0; i < 4; i++)
        ck_code(bight_signal_open(&signal, numbers[i]), BIGHT_EINVAL);
    return 0;
}

static int wait_alarm(void *arg)
{
    return bight_signal_wait(arg) == 1 ? 0 : BIGHT_EBROKEN;
}

static void alarm_in_ms(int ms)
{
    const struct itimerval once = {.it_value = {0, 1000L * ms}};

    ck_assert_int_eq(setitimer(ITIMER_REAL, &once, NULL), 0);
}

static int wakes_the_poll(void *arg)
{
    struct bight_signal *signal;

    (void)arg;
    ck_ok(bight_signal_open(&signal, SIGALRM));
    alarm_in_ms(10);
    ck_ok(bight_timeout(60000, wait_alarm, signal));
    return bight_signal_end(signal);
}

static int with_an_argument(void *arg)
{
    struct handler handler = {.value = 42};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_signal_open(&handler.signal, SIGALRM));
    ck_ok(bight_spawn(&task, handles, &handler));
    alarm_in_ms(100);
    conf_join(task, 0);
    ck_assert_int_eq(handler.got, 42);
    return bight_signal_end(handler.signal);
}

/* Failures while installing. */

static int fails_with;

static bool fail_start(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    (void)ctx;
    (void)site;
    (void)bytes;
    *error = fails_with;
    return fails_with && strcmp(name, "uv_signal_start") == 0;
}

static int not_installed(void *arg)
{
    struct bight_signal *other, *signal;

    (void)arg;
    for (int i = 0; i < 3; i++) { /* alone, alone, and beside another one */
        if (i == 2)
            ck_ok(bight_signal_open(&other, SIGUSR2));
        fails_with = i ? EINVAL : EFAULT;
        ck_code(bight_signal_open(&signal, SIGUSR1), -fails_with);
        fails_with = 0;
        ck_assert(has_default(SIGUSR1));
        ck_assert(has_default(SIGUSR2) == (i < 2));
        ck_ok(bight_signal_open(&signal, SIGUSR1));
        raise(SIGUSR1);
        ck_assert_int_eq(bight_signal_wait(signal), 1);
        ck_ok(bight_signal_end(signal));
    }
    return bight_signal_end(other);
}

static void sig_06_a_failure_to_install_leaves_nothing(void)
{
    const struct bight_seams seams = {.fail_call = fail_start};

    ck_ok(bight__run_with_seams(NULL, &seams, not_installed, NULL));
}

/* The ends of children. */

static int told_once(void *arg)
{
    struct bight_process_status status;
    struct bight_process *process = shell(
        "read wait; exit 12", (struct bight_process_options){.input.kind = BIGHT_PROCESS_PIPE});

    (void)arg;
    raise(SIGCHLD); /* a stray one; by default nothing comes of it */
    ck_ok(bight_sleep(5));
    ck_ok(bight_process_get_status(process, &status));
    ck_assert_int_eq(status.state, BIGHT_PROCESS_RUNNING);
    ck_ok(bight_stream_shutdown(bight_process_input(process)));
    ck_ok(bight_process_wait(process, &status));
    ck_assert_int_eq(status.code, 12);
    raise(SIGCHLD);
    ck_ok(bight_sleep(5));
    exits_with(process, 12);
    return 0;
}

static int one_after_the_other(void *arg)
{
    const struct bight_process_options piped = {.input.kind = BIGHT_PROCESS_PIPE};
    struct bight_process *first = shell("read wait", piped);
    struct bight_process *second = shell("read wait; exit 108", piped);
    struct bight_process_status status;

    (void)arg;
    ck_ok(bight_process_signal(first, SIGQUIT));
    ck_ok(bight_process_wait(first, &status));
    ck_assert_int_eq(status.signum, SIGQUIT);
    raise(SIGCHLD);
    ck_ok(bight_sleep(5));
    ck_ok(bight_process_get_status(second, &status));
    ck_assert_int_eq(status.state, BIGHT_PROCESS_RUNNING);
    ck_ok(bight_stream_shutdown(bight_process_input(second)));
    exits_with(second, 108);
    dies_by(first, SIGQUIT);
    return 0;
}

static void await_end(const struct bight_process *process)
{
    siginfo_t ended;

    while (waitid(P_PID, (id_t)bight_process_pid(process), &ended, WEXITED | WNOWAIT))
        ck_assert_int_eq(errno, EINTR);
}

/* The loop stands still until both have ended. */
static int at_the_same_time(void *arg)
{
    struct bight_process *first = shell("exit 78", (struct bight_process_options){0});
    struct bight_process *second = shell("kill -TRAP $$", (struct bight_process_options){0});

    (void)arg;
    await_end(first);
    await_end(second);
    exits_with(first, 78);
    dies_by(second, SIGTRAP);
    return 0;
}

/* Newer kernels keep the status of one that somebody else has reaped. */
static int taken_by_another(void *arg)
{
    struct bight_process *process = shell("exit 4", (struct bight_process_options){0});
    struct bight_process_status status;

    (void)arg;
    ck_assert_int_eq(test_waitpid((pid_t)bight_process_pid(process), NULL, 0),
                     bight_process_pid(process));
    ck_ok(bight_process_wait(process, &status));
    if (status.state == BIGHT_PROCESS_EXITED)
        ck_assert_int_eq(status.code, 4);
    else
        ck_assert_int_eq(status.state, BIGHT_PROCESS_UNKNOWN);
    return bight_process_end(process, 0);
}

/* Signals as a stream. */

/* Let what was raised be heard of. */
static void settle(void)
{
    struct bight_signal *probe;

    ck_ok(bight_signal_open(&probe, SIGUSR2));
    raise(SIGUSR2);
    ck_assert_int_eq(bight_signal_wait(probe), 1);
    ck_ok(bight_signal_end(probe));
}

static bool is_pending(struct bight_signal *signal)
{
    struct bight_case cases[1];

    bight_case_signal(&cases[0], signal);
    return bight_select(cases, 1, BIGHT_SELECT_TRY) == 0;
}

static int received_later(void *arg)
{
    struct bight_signal *signal;

    (void)arg;
    ck_ok(bight_signal_open(&signal, SIGILL));
    for (int i = 0; i < 2; i++) {
        raise(SIGILL);
        raise(SIGILL);
        settle();
        raise(SIGILL);
        settle();
        ck_assert_int_eq(bight_signal_wait(signal), 3); /* one receive for all, and their number */
        ck_assert(!is_pending(signal));
    }
    ck_ok(bight_signal_end(signal));
    ck_assert(has_default(SIGILL));
    return 0;
}

static int waits_twice(void *arg)
{
    struct handler handler = {.value = 1};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_signal_open(&handler.signal, SIGUSR1));
    ck_ok(bight_spawn(&task, handles, &handler));
    ck_ok(bight_yield());
    ck_code(bight_signal_wait(handler.signal), BIGHT_EALREADY);
    raise(SIGUSR1);
    conf_join(task, 0);
    return bight_signal_end(handler.signal);
}

static const struct suite_case cases[] = {
    child_case(sig_01_a_signal_is_heard_while_it_is_open, added_and_removed),
    child_case(sig_02_what_is_no_signal_is_refused, no_signals),
    child_case(sig_03_a_signal_wakes_a_loop_that_polls, wakes_the_poll),
    child_case(sig_04_who_waits_has_its_argument, with_an_argument),
    plain_case(sig_06_a_failure_to_install_leaves_nothing),
    child_case(reap_01_an_end_is_told_with_its_status, told_once),
    child_case(reap_02_two_end_one_after_the_other, one_after_the_other),
    child_case(reap_03_two_end_at_the_same_time, at_the_same_time),
    child_case(reap_07_one_that_others_have_reaped_is_told_of, taken_by_another),
    child_case(sigrx_01_signals_come_together_and_can_be_received_later, received_later),
    child_case(sigrx_04_one_task_receives_at_a_time, waits_twice),
};

test_suite("conf_signals", cases);
