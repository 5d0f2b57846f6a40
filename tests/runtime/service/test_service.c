/* runtime/service/life.c: what a signal begins, what each phase does, and what is said of it. Time
 * is virtual; signals are raised in this process. */
#include <bight.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* What the callbacks were told, in order: "drain", "cancel", "refuse", names of tasks. */
static char told[256];

static void note(const char *what)
{
    if (*told)
        strcat(told, " ");
    strcat(told, what);
}

static void on_phase(void *arg, enum bight_service_phase phase)
{
    static const char *const names[] = {"run", "drain", "cancel", "refuse"};

    (void)arg;
    note(names[phase]);
}

static void on_remaining(void *arg, enum bight_service_phase phase, const struct bight_task *task)
{
    char text[64];

    (void)arg;
    snprintf(text, sizeof text, "%d:%s", (int)phase, bight_task_name(task));
    note(text);
}

static const struct bight_service_options telling = {
    .drain_ms = 1000,
    .cancel_ms = 500,
    .on_phase = on_phase,
    .on_remaining = on_remaining,
};

/* --- services --------------------------------------------------------------------------------- */

/* How a service works: until it is stopped where it waits for work, then for so long. */
struct work {
    int64_t work_ms;   /* of its task */
    int64_t refuse_ms; /* how long it goes on when it is cancelled */
    int raises;        /* the signal, which comes when it is at work */
    int task_rc;       /* what the work came to */
};

static int refuse(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

static int work_main(void *arg)
{
    struct work *work = arg;

    work->task_rc = bight_sleep(work->work_ms);
    if (work->task_rc == BIGHT_ECANCELED && work->refuse_ms)
        ck_ok(bight_shield(-1, refuse, &work->refuse_ms));
    return work->task_rc;
}

static int serve(void *arg)
{
    const struct bight_spawn_options named = {.name = "work"};
    struct work *work = arg;
    struct bight_group group;
    struct bight_scope scope;
    int rc;

    ck_assert_str_eq(bight_task_name(bight_self()), "service");
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, &named, work_main, work));
    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    if (work->raises)
        raise(work->raises);
    rc = bight_scope_end(&scope, bight_sleep(-1));
    return bight_group_end(&group, rc);
}

static int64_t since_ms(uint64_t begun_ns)
{
    return (int64_t)((bight_now_ns() - begun_ns) / 1000000);
}

/* Run it, and insist on what it came to and what was told. The time it took. */
static int64_t run(struct work *work, const struct bight_service_options *options, int rc,
                   enum bight_service_phase phase, const char *tells)
{
    struct bight_service_result result = {.phase = BIGHT_SERVICE_REFUSED};
    uint64_t begun_ns = bight_now_ns();

    told[0] = '\0';
    ck_code(bight_service_run(serve, work, options, &result), rc);
    ck_assert_int_eq(result.phase, phase);
    ck_assert_int_eq(result.signum, work->raises);
    ck_assert_str_eq(told, tells);
    return since_ms(begun_ns);
}

/* --- cases ------------------------------------------------------------------------------------ */

static int drains(void *arg)
{
    static const int signals[] = {SIGTERM, SIGINT};

    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        struct work work = {.work_ms = 300, .raises = signals[i]};
        int64_t took = run(&work, &telling, 0, BIGHT_SERVICE_DRAINING, "drain");

        ck_ok(work.task_rc);
        ck_assert(took >= 300 && took < 1000);
    }
    return 0;
}

static int returns(void *arg)
{
    return *(int *)arg;
}

static int ends_by_itself(void *arg)
{
    struct bight_service_result result;
    int value = 17;

    (void)arg;
    ck_assert_int_eq(bight_service_run(returns, &value, NULL, &result), 17);
    ck_assert_int_eq(result.phase, BIGHT_SERVICE_RUNNING);
    ck_assert_int_eq(result.status, 17);
    ck_assert_int_eq(result.signum, 0);
    ck_assert_int_eq(bight_service_exit_code(&result), 0);
    value = BIGHT_EIO;
    ck_code(bight_service_run(returns, &value, NULL, &result), BIGHT_EIO);
    ck_assert_int_eq(bight_service_exit_code(&result), 1);
    value = BIGHT_EDRAIN;
    ck_code(bight_service_run(returns, &value, NULL, NULL), BIGHT_EDRAIN);
    ck_code(bight_service_run(NULL, NULL, NULL, NULL), BIGHT_EINVAL);
    ck_assert_int_eq(bight_service_exit_code(NULL), 1);
    return 0;
}

static int is_cancelled(void *arg)
{
    struct work work = {.work_ms = 5000, .raises = SIGTERM};
    int64_t took = run(&work, &telling, BIGHT_ECANCELED, BIGHT_SERVICE_CANCELLED,
                       "drain 1:service 1:work cancel");

    (void)arg;
    ck_code(work.task_rc, BIGHT_ECANCELED);
    ck_assert(took >= 1000 && took < 1500);
    return 0;
}

static int code_of_refused;

static void on_refused(void *arg, const struct bight_service_result *result)
{
    (void)arg;
    note("refused");
    code_of_refused = bight_service_exit_code(result);
}

static int refuses(void *arg)
{
    struct work work = {.work_ms = 5000, .refuse_ms = 3000, .raises = SIGTERM};
    struct bight_service_options options = telling;
    int64_t took;

    (void)arg;
    options.on_refused = on_refused;
    took = run(&work, &options, BIGHT_ECANCELED, BIGHT_SERVICE_REFUSED,
               "drain 1:service 1:work cancel 2:service 2:work refuse refused");
    ck_assert_int_eq(code_of_refused, 4);
    ck_assert(took >= 4000 && took < 5000);
    return 0;
}

static int raises_again(void *arg)
{
    ck_ok(bight_sleep(100));
    raise(SIGINT);
    ck_ok(bight_sleep(100));
    if (arg)
        raise(SIGTERM);
    return 0;
}

/* Each signal begins the next phase, whatever time is left. */
static int skips_ahead(void *arg)
{
    struct work work = {.work_ms = 5000, .refuse_ms = 300, .raises = SIGTERM};
    struct bight_service_options patient = telling;
    struct bight_task *again;
    int64_t took;

    (void)arg;
    patient.drain_ms = patient.cancel_ms = -1;
    ck_ok(bight_spawn(&again, raises_again, NULL));
    took = run(&work, &patient, BIGHT_ECANCELED, BIGHT_SERVICE_CANCELLED,
               "drain 1:service 1:work cancel");
    ck_assert(took >= 400 && took < 1000);
    ck_ok(bight_join(again, NULL));
    ck_ok(bight_spawn(&again, raises_again, &work));
    run(&work, &patient, BIGHT_ECANCELED, BIGHT_SERVICE_REFUSED,
        "drain 1:service 1:work cancel 2:service 2:work refuse");
    return bight_join(again, NULL);
}

static int sets(void *arg)
{
    ck_ok(bight_sleep(50));
    bight_event_set(arg);
    return 0;
}

/* An event asks once; signals of one's own choice. */
static int other_wishes(void *arg)
{
    struct bight_event stop = BIGHT_EVENT_INIT;
    struct work work = {.work_ms = 300};
    struct bight_service_options options = telling;
    struct bight_task *setter;

    (void)arg;
    options.stop = &stop;
    options.stop_signals[0] = SIGUSR1;
    ck_ok(bight_spawn(&setter, sets, &stop));
    run(&work, &options, 0, BIGHT_SERVICE_DRAINING, "drain");
    ck_ok(bight_join(setter, NULL));
    bight_event_clear(&stop);
    work.raises = SIGUSR1;
    run(&work, &options, 0, BIGHT_SERVICE_DRAINING, "drain");
    options.stop_signals[0] = SIGKILL;
    ck_code(bight_service_run(serve, &work, &options, NULL), BIGHT_EINVAL);
    return 0;
}

static int run_cancelled(void *arg)
{
    struct bight_service_result result;
    int rc = bight_service_run(serve, arg, &telling, &result);

    ck_assert_int_eq(result.phase, BIGHT_SERVICE_CANCELLED);
    return rc;
}

/* The cancellation of the call goes to the service, which has its time all the same. */
static int cancelled_from_around(void *arg)
{
    struct work work = {.work_ms = 5000, .refuse_ms = 200};
    struct bight_task *task;
    int status;

    (void)arg;
    told[0] = '\0';
    ck_ok(bight_spawn(&task, run_cancelled, &work));
    ck_ok(bight_sleep(10));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_code(work.task_rc, BIGHT_ECANCELED);
    ck_assert_str_eq(told, "cancel");
    return 0;
}

static int reloads;

static int on_reload(void *arg)
{
    (void)arg;
    reloads++;
    if (reloads == 1) {
        raise(SIGHUP); /* more wishes meanwhile are one */
        raise(SIGHUP);
        ck_ok(bight_sleep(50));
    }
    return 0;
}

static int hangs_up(void *arg)
{
    (void)arg;
    raise(SIGHUP);
    ck_ok(bight_sleep(200));
    return 0;
}

static int reloading(void *arg)
{
    const struct bight_service_options options = {.on_reload = on_reload};
    struct sigaction action;

    (void)arg;
    reloads = 0;
    ck_ok(bight_service_run(hangs_up, NULL, &options, NULL));
    ck_assert_int_eq(reloads, 2);
    ck_assert_int_eq(sigaction(SIGHUP, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    return 0;
}

static int reload_for_ever(void *arg)
{
    (void)arg;
    reloads++;
    return bight_sleep(-1);
}

/* A reload does not outlive the service. */
static int reloading_at_the_end(void *arg)
{
    const struct bight_service_options options = {.on_reload = reload_for_ever};
    struct bight_service_result result;

    (void)arg;
    reloads = 0;
    ck_ok(bight_service_run(hangs_up, NULL, &options, &result));
    ck_assert_int_eq(reloads, 1);
    ck_assert_int_eq(result.phase, BIGHT_SERVICE_RUNNING);
    return 0;
}

static int fails_to_reload(void *arg)
{
    (void)arg;
    return BIGHT_EIO;
}

static int reloading_in_vain(void *arg)
{
    const struct bight_service_options options = {.on_reload = fails_to_reload};

    (void)arg;
    return bight_service_run(hangs_up, NULL, &options, NULL);
}

static void a_reload_that_fails_is_reported(void)
{
    struct world_reports reports = {0};

    ck_ok(world_run(reloading_in_vain, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 1);
    ck_code(reports.last_code, BIGHT_EIO);
}

struct other {
    struct bight_scope scope;
    int rc;
};

static int waits_stoppable(void *arg)
{
    struct other *other = arg;

    ck_ok(bight_scope_begin(&other->scope, -1, BIGHT_SCOPE_STOPPABLE));
    other->rc = 1;
    other->rc = bight_sleep(-1);
    return bight_scope_end(&other->scope, other->rc);
}

/* Others of the runtime are drained too, unless the call is only for its own. */
static int whole_or_part(void *arg)
{
    struct bight_service_options part = telling;
    struct work work = {.work_ms = 50, .raises = SIGTERM};
    struct other other;
    struct bight_task *task;

    (void)arg;
    part.subtree = true;
    ck_ok(bight_spawn(&task, waits_stoppable, &other));
    run(&work, &part, 0, BIGHT_SERVICE_DRAINING, "drain");
    ck_assert_int_eq(other.rc, 1);
    ck_assert(!bight_draining());
    run(&work, &telling, 0, BIGHT_SERVICE_DRAINING, "drain");
    ck_code(other.rc, BIGHT_EDRAIN);
    ck_assert(bight_draining());
    return bight_join(task, NULL);
}

/* Late signals wait, or have their old action. */
static int after_it(void *arg)
{
    struct bight_service_options options = {.hold_signals = true};
    struct sigaction action;
    sigset_t blocked;
    int value = 0;

    (void)arg;
    ck_ok(bight_service_run(returns, &value, NULL, NULL));
    ck_assert_int_eq(sigaction(SIGTERM, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    ck_ok(pthread_sigmask(SIG_BLOCK, NULL, &blocked));
    ck_assert(!sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGINT));
    ck_ok(bight_service_run(returns, &value, &options, NULL));
    ck_ok(pthread_sigmask(SIG_BLOCK, NULL, &blocked));
    ck_assert(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGINT));
    return 0;
}

static void outside_of_tasks_there_is_none(void)
{
    int value = 0;

    ck_code(bight_service_run(returns, &value, NULL, NULL), BIGHT_ENOTASK);
}

static const struct suite_case cases[] = {
    world_case(a_signal_drains_it_and_work_goes_on, drains),
    world_case(a_service_that_returns_is_over, ends_by_itself),
    world_case(a_drain_that_takes_too_long_becomes_a_cancellation, is_cancelled),
    world_case(who_refuses_is_told_of_by_name, refuses),
    world_case(the_next_signal_skips_ahead, skips_ahead),
    world_case(the_program_may_ask_and_choose_its_signals, other_wishes),
    world_case(a_cancelled_call_passes_it_on, cancelled_from_around),
    world_case(a_reload_is_made_once_for_all_that_ask_meanwhile, reloading),
    world_case(a_reload_does_not_outlive_the_service, reloading_at_the_end),
    world_case(a_drain_is_of_the_runtime_or_of_the_call, whole_or_part),
    world_case(signals_have_their_action_back_or_are_held, after_it),
    plain_case(a_reload_that_fails_is_reported),
    plain_case(outside_of_tasks_there_is_none),
};

test_suite("service", cases);
