/* The life of a service. The caller of bight_service_run watches over its group, in which the
 * service is a task, and a reload is one: it sleeps until one of them has ended, a signal has come
 * or the time of a phase is over. Once it is cancelled itself it goes on watching behind a
 * shield. */
#include "coro/core/group.h"
#include "runtime/service/service.h"

#include <bight/call.h>
#include <bight/group.h>
#include <bight/select.h>
#include <bight/signal.h>
#include <bight/time.h>

#include <signal.h>
#include <stdio.h>

#include "coro/base/units.h"

#define DEFAULT_DRAIN_MS 30000
#define DEFAULT_CANCEL_MS 5000
#define STATE_BYTES 64

/* Places in `cases`; the signals that stop are the last ones. */
enum { CASE_ENDED, CASE_TIME, CASE_RELOAD, CASE_STOP, CASE_SIGNALS };

struct service {
    struct bight_service_options options;
    struct bight_service_result result;
    int (*fn)(void *arg);
    void *arg;
    struct bight_group group;
    struct bight_task *task;
    enum bight_service_phase ended_in;
    unsigned left; /* tasks of the group that have not ended */
    struct bight_event ended;
    struct bight_scope shield;
    bool shielded;
    bool reloads, reload_again;
    uint64_t deadline_ns; /* of the phase */
    struct bight_call feed;
    int64_t feed_ms;
    struct bight_signal *stops[BIGHT_SERVICE_SIGNALS], *reload;
};

/* --- the tasks -------------------------------------------------------------------------------- */

static void one_ended(struct service *service)
{
    if (bight_self() == service->task)
        service->ended_in = service->result.phase;
    service->left--;
    bight_event_set(&service->ended);
}

static int service_main(void *arg)
{
    struct service *service = arg;

    service->result.status = service->fn(service->arg);
    one_ended(service);
    return 0;
}

/* It was cancelled before its first step. */
static void dropped(void *arg)
{
    one_ended(arg);
}

/* Seen from the manager it reloads from the one line to the other, however often it was asked. */
static int reload_main(void *arg)
{
    struct service *service = arg;
    char state[STATE_BYTES];

    (void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)(uv_hrtime() / 1000));
    (void)bight_service_notify(state);
    do {
        int rc;

        service->reload_again = false;
        rc = service->options.on_reload(service->options.callback_arg);
        if (rc < 0 && !bight_cancelled() && !bight_draining())
            bight__task_report(bight_self(), BIGHT_REPORT_UNSEEN_FAILURE, rc, 0,
                               "the reload of the service failed");
    } while (service->reload_again && service->result.phase == BIGHT_SERVICE_RUNNING);
    (void)bight_service_ready();
    service->reloads = false;
    one_ended(service);
    return 0;
}

static int spawn(struct service *service, struct bight_task **out, const char *name,
                 int (*fn)(void *arg))
{
    const struct bight_spawn_options options = {
        .name = name,
        .stack_bytes = bight__sched->options.main_stack_bytes,
        .drop = dropped,
    };
    int rc = bight_group_spawn(out, &service->group, &options, fn, service);

    service->left += rc == 0;
    return rc;
}

static void reload(struct service *service)
{
    int rc;

    if (service->result.phase != BIGHT_SERVICE_RUNNING)
        return;
    service->reload_again = service->reloads;
    if (service->reloads)
        return;
    rc = spawn(service, NULL, "reload", reload_main);
    service->reloads = rc == 0;
    if (rc)
        bight_report_send(rc, "the service cannot be reloaded");
}

/* --- phases ----------------------------------------------------------------------------------- */

static void default_remaining(const struct bight_task *task, enum bight_service_phase phase)
{
    bight__task_report(task, BIGHT_REPORT_PROGRAM, BIGHT_ETIMEDOUT, 0,
                       phase == BIGHT_SERVICE_DRAINING ? "has not ended in the time of the drain"
                                                       : "has not ended though it is cancelled");
}

static void remaining_tell(const struct service *service)
{
    const struct bight_service_options *options = &service->options;
    const struct bight_task *task = bight_self();
    bool is_ours = false;
    unsigned depth = 0;

    while ((task = bight__task_next(task, &depth)) && depth) {
        if (depth == 1)
            is_ours = bight__group_of(task) == &service->group;
        if (!is_ours)
            continue;
        if (options->on_remaining)
            options->on_remaining(options->callback_arg, service->result.phase, task);
        else
            default_remaining(task, service->result.phase);
    }
}

static void deadline_after(struct service *service, int64_t ms)
{
    service->deadline_ns = ns_after(bight_now_ns(), ms);
}

static void drain_begin(struct service *service)
{
    deadline_after(service, service->options.drain_ms);
    (void)bight_service_notify("STOPPING=1");
    if (service->options.subtree)
        bight_scope_drain(&service->group.scope);
    else
        (void)bight_runtime_drain();
}

static void cancel_begin(struct service *service)
{
    deadline_after(service, service->options.cancel_ms);
    bight_scope_cancel(&service->group.scope);
}

static void refusal_begin(struct service *service)
{
    service->deadline_ns = BIGHT_NO_DEADLINE;
    if (service->options.on_refused)
        service->options.on_refused(service->options.callback_arg, &service->result);
}

/* On to the next phase, or a later one. */
static void advance(struct service *service, enum bight_service_phase phase)
{
    static void (*const begins[])(struct service * service) = {
        [BIGHT_SERVICE_DRAINING] = drain_begin,
        [BIGHT_SERVICE_CANCELLED] = cancel_begin,
        [BIGHT_SERVICE_REFUSED] = refusal_begin,
    };

    if (phase > BIGHT_SERVICE_REFUSED)
        return;
    if (service->result.phase != BIGHT_SERVICE_RUNNING && service->left)
        remaining_tell(service);
    service->result.phase = phase;
    if (service->options.on_phase)
        service->options.on_phase(service->options.callback_arg, phase);
    begins[phase](service);
}

static void next_phase(struct service *service)
{
    advance(service, service->result.phase + 1);
}

/* --- the watch -------------------------------------------------------------------------------- */

static size_t signal_count(const struct service *service)
{
    size_t count = 0;

    while (count < BIGHT_SERVICE_SIGNALS && service->stops[count])
        count++;
    return count;
}

/* Sleep until something has happened; its place, or a negative code. Its frame is not to lie in
 * that of the call. */
static __attribute__((noinline)) int watch(const struct service *service)
{
    struct bight_case cases[CASE_SIGNALS + BIGHT_SERVICE_SIGNALS];
    bool is_asked = service->result.phase != BIGHT_SERVICE_RUNNING;
    size_t signals = signal_count(service);

    bight_case_event(&cases[CASE_ENDED], (struct bight_event *)&service->ended);
    bight_case_deadline(&cases[CASE_TIME], service->deadline_ns);
    bight_case_sleep(&cases[CASE_RELOAD], -1);
    if (service->reload)
        bight_case_signal(&cases[CASE_RELOAD], service->reload);
    bight_case_sleep(&cases[CASE_STOP], -1);
    if (service->options.stop && !is_asked)
        bight_case_event(&cases[CASE_STOP], service->options.stop);
    for (size_t i = 0; i < signals; i++)
        bight_case_signal(&cases[CASE_SIGNALS + i], service->stops[i]);
    return bight_select(cases, CASE_SIGNALS + signals, BIGHT_SELECT_ORDERED);
}

/* The call itself is cancelled, by whoever, and with it the group. */
static void cancelled(struct service *service)
{
    service->shielded = bight_scope_begin(&service->shield, -1, BIGHT_SCOPE_SHIELD) == 0;
    if (service->result.phase < BIGHT_SERVICE_CANCELLED)
        advance(service, BIGHT_SERVICE_CANCELLED);
}

static void signalled(struct service *service, int signum)
{
    if (!service->result.signum)
        service->result.signum = signum;
    next_phase(service);
}

static void watch_over(struct service *service)
{
    while (service->left) {
        int which = watch(service);

        if (which < 0) {
            cancelled(service);
        } else if (which == CASE_ENDED) {
            bight_event_clear(&service->ended);
            if (service->left && bight_task_done(service->task))
                bight_scope_cancel(
                    &service->group.scope); /* the reload of a service that is over */
        } else if (which == CASE_RELOAD) {
            reload(service);
        } else if (which < CASE_SIGNALS) {
            next_phase(service);
        } else {
            signalled(service, service->options.stop_signals[which - CASE_SIGNALS]);
        }
    }
    if (service->shielded)
        (void)!bight_scope_end(&service->shield, 0);
}

/* --- begin and end ---------------------------------------------------------------------------- */

/* Often enough that one that is late does no harm. */
static void feed(struct bight_call *call)
{
    struct service *service = container_of(call, struct service, feed);

    (void)bight_service_notify("WATCHDOG=1");
    (void)!bight_call_later(call, service->feed_ms);
}

static void feed_begin(struct service *service)
{
    int64_t watchdog_ms = bight_service_watchdog_ms();

    bight_call_init(&service->feed, feed);
    if (!watchdog_ms)
        return;
    service->feed_ms = watchdog_ms > 1 ? watchdog_ms / 2 : 1;
    feed(&service->feed);
}

static int signals_open(struct service *service)
{
    struct bight_service_options *options = &service->options;
    int rc = 0;

    if (!options->stop_signals[0]) {
        options->stop_signals[0] = SIGTERM;
        options->stop_signals[1] = SIGINT;
    }
    for (size_t i = 0; rc == 0 && i < BIGHT_SERVICE_SIGNALS && options->stop_signals[i]; i++)
        rc = bight_signal_open(&service->stops[i], options->stop_signals[i]);
    if (rc == 0 && options->on_reload)
        rc = bight_signal_open(&service->reload,
                               options->reload_signal ? options->reload_signal : SIGHUP);
    return rc;
}

/* Before they have their default action again. */
static void signals_hold(const struct service *service)
{
    sigset_t held;

    sigemptyset(&held);
    for (size_t i = 0; i < BIGHT_SERVICE_SIGNALS && service->stops[i]; i++)
        (void)sigaddset(&held, service->options.stop_signals[i]);
    (void)pthread_sigmask(SIG_BLOCK, &held, NULL);
}

static void signals_end(const struct service *service)
{
    if (service->options.hold_signals)
        signals_hold(service);
    for (size_t i = 0; i < BIGHT_SERVICE_SIGNALS; i++)
        (void)bight_signal_end(service->stops[i]);
    (void)bight_signal_end(service->reload);
}

/* 0, or why the task could not be spawned. */
static int run_in_group(struct service *service)
{
    int rc = bight_group_begin(&service->group, BIGHT_GROUP_COLLECT);

    if (rc)
        return rc;
    rc = spawn(service, &service->task, "service", service_main);
    if (rc == 0) {
        feed_begin(service);
        watch_over(service);
        (void)bight_call_cancel(&service->feed);
        (void)bight_task_detach(service->task);
    }
    (void)!bight_group_end(&service->group, 0);
    return rc;
}

static int outcome(const struct service *service)
{
    int status = service->result.status;

    return status == BIGHT_EDRAIN && service->result.phase != BIGHT_SERVICE_RUNNING ? 0 : status;
}

static int64_t time_option(int64_t ms, int64_t fallback_ms)
{
    return ms ? ms : fallback_ms;
}

int bight_service_run(int (*fn)(void *arg), void *arg, const struct bight_service_options *options,
                      struct bight_service_result *result)
{
    struct service service = {.fn = fn, .arg = arg, .deadline_ns = BIGHT_NO_DEADLINE};
    int rc;

    if (!fn)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    if (options)
        service.options = *options;
    service.options.drain_ms = time_option(service.options.drain_ms, DEFAULT_DRAIN_MS);
    service.options.cancel_ms = time_option(service.options.cancel_ms, DEFAULT_CANCEL_MS);
    service.result.status = BIGHT_ECANCELED; /* unless it begins */
    bight_event_init(&service.ended);
    rc = signals_open(&service);
    if (rc == 0)
        rc = run_in_group(&service);
    signals_end(&service);
    service.result.phase = service.ended_in;
    if (result)
        *result = service.result;
    return rc ? rc : outcome(&service);
}

int bight_service_exit_code(const struct bight_service_result *result)
{
    static const int codes[] = {
        [BIGHT_SERVICE_RUNNING] = 0,
        [BIGHT_SERVICE_DRAINING] = 0,
        [BIGHT_SERVICE_CANCELLED] = 3,
        [BIGHT_SERVICE_REFUSED] = 4,
    };
    int code;

    if (!result || (unsigned)result->phase > BIGHT_SERVICE_REFUSED)
        return 1;
    code = codes[result->phase];
    return code || result->status >= 0 || result->status == BIGHT_EDRAIN ? code : 1;
}
