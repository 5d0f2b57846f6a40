/* Driving tasks from a libuv loop. Slices run in the loop's prepare phase (before it polls) and in
 * its check phase (after I/O callbacks have unparked tasks). The idle handle is active only while
 * tasks are left ready, so that the loop does not block then; one timer handle stands for all
 * deadlines of the wheel; the prepare handle is referenced while tasks live, which is what keeps a
 * host's loop alive. */
#include "runtime/runtime.h"
#include "coro/core/scope.h"
#include "coro/sync/condition.h"
#include "runtime/log.h"

#include <time.h>

static struct bight_runtime *of_sched(struct bight_sched *sched)
{
    return (struct bight_runtime *)sched;
}

/* uv_hrtime, without its way of finding out which clock to read. */
static uint64_t runtime_now(struct bight_sched *sched)
{
    struct timespec now;

    if (unlikely(sched->seams.now_ns != NULL))
        return sched->seams.now_ns(sched->seams.ctx);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * NS_PER_MS + (uint64_t)now.tv_nsec;
}

/* A prepare handle that the host started before it attached runs after ours: what it makes ready,
 * or due earlier, must keep the loop from blocking. On a loop of our own there is none of that
 * kind. */
static void runtime_wake(struct bight_sched *sched)
{
    struct bight_runtime *runtime = of_sched(sched);

    if (!runtime->owns_loop && !runtime->idling && !runtime->closing)
        bight__drive_soon(runtime);
}

static void runtime_arm(struct bight_sched *sched, struct bight_timer *timer, uint64_t deadline_ns)
{
    bight__wheel_arm(&of_sched(sched)->wheel, timer, deadline_ns);
    if (unlikely(!sched->current))
        runtime_wake(sched);
}

static void runtime_go_on(struct bight_sched *sched, struct bight_timer *timer,
                          uint64_t deadline_ns)
{
    bight__wheel_go_on(&of_sched(sched)->wheel, timer, deadline_ns);
}

static void runtime_disarm(struct bight_sched *sched, struct bight_timer *timer)
{
    bight__wheel_disarm(&of_sched(sched)->wheel, timer);
}

static void runtime_alive(struct bight_sched *sched, bool any)
{
    uv_handle_t *prepare = (uv_handle_t *)&of_sched(sched)->prepare;

    if (any)
        uv_ref(prepare);
    else
        uv_unref(prepare);
}

static void runtime_main_ended(struct bight_sched *sched)
{
    bight__runtime_end(of_sched(sched));
}

static void runtime_report(struct bight_sched *sched, const struct bight_task *task,
                           const struct bight_report *report)
{
    if (sched->options.on_report)
        sched->options.on_report(sched->options.on_report_arg, report);
    bight__log_report(of_sched(sched), task, report);
}

static void runtime_collect(struct bight_sched *sched)
{
    bight__mailbox_collect(of_sched(sched));
}

const struct bight_driver bight__runtime_driver = {
    .now_ns = runtime_now,
    .arm = runtime_arm,
    .go_on = runtime_go_on,
    .disarm = runtime_disarm,
    .alive = runtime_alive,
    .main_ended = runtime_main_ended,
    .wake = runtime_wake,
    .collect = runtime_collect,
    .report = runtime_report,
    .sample = bight__sampler_turn,
};

/* Whether the loop has anything of its user's to wait for. Asked only when all tasks wait. */
static bool loop_has_others(const struct bight_runtime *runtime)
{
    uv_handle_t *prepare = (uv_handle_t *)&runtime->prepare;
    bool others;

    uv_unref(prepare);
    others = uv_loop_alive(runtime->loop);
    uv_ref(prepare);
    return others;
}

/* When the first timer is due that somebody waits for, which the one that trims stacks is not. */
static uint64_t first_needed(struct bight_runtime *runtime)
{
    struct bight_timer *trim = &runtime->sched.trim;
    uint64_t first_ns;

    if (link_empty(&trim->link))
        return bight__wheel_first(&runtime->wheel);
    bight__wheel_disarm(&runtime->wheel, trim);
    first_ns = bight__wheel_first(&runtime->wheel);
    bight__wheel_arm(&runtime->wheel, trim, trim->deadline_ns);
    return first_ns;
}

/* Whether the first timer that is needed will fire without anybody's doing. */
static bool timer_comes(struct bight_runtime *runtime)
{
    const struct bight_seams *seams = &runtime->sched.seams;

    if (runtime->wheel.armed == runtime->sched.stale_timers)
        return false;
    return !seams->wait_ns || seams->wait_ns(seams->ctx, first_needed(runtime)) != UINT64_MAX;
}

/* Every task waits, and neither a timer nor anything outside will wake one: nothing can happen any
 * more, on a loop that is ours alone. */
static bool is_stalled(struct bight_runtime *runtime)
{
    const struct bight_sched *sched = &runtime->sched;

    return runtime->owns_loop && sched->live && !bight__sched_busy(sched) && !sched->outside &&
           !timer_comes(runtime) && runtime->ask_again_ns == UINT64_MAX &&
           !bight__mailbox_held(runtime->mailbox) && !bight__interrupt_listens(runtime) &&
           !loop_has_others(runtime);
}

static void stall_report(struct bight_runtime *runtime)
{
    struct bight_report report = {
        .kind = BIGHT_REPORT_STALLED,
        .code = BIGHT_ESTALLED,
        .count = runtime->sched.live,
        .task_name = "",
        .text = "every task waits for another; the root is cancelled",
    };

    runtime_report(&runtime->sched, NULL, &report);
}

/* The root is cancelled, and what is left waits in calls that cannot be: let the first go that
 * waits for a mutex whose owner waits for it. */
static void waits_give_up(const struct bight_sched *sched)
{
    struct bight_task *task = bight__task_first(sched);
    unsigned depth = 0;

    while (task && !bight__condition_give_up(task))
        task = bight__task_next(task, &depth);
}

static void stalled(struct bight_runtime *runtime)
{
    if (!runtime->stalled) {
        runtime->stalled = true;
        stall_report(runtime);
        bight__scope_cancel(&runtime->sched.root.scope);
    }
    if (!bight__sched_busy(&runtime->sched))
        waits_give_up(&runtime->sched);
}

/* A test may have something happen when nothing else does: time pass, for example. */
static bool idled(struct bight_runtime *runtime)
{
    struct bight_sched *sched = &runtime->sched;

    if (!sched->seams.idle || bight__sched_busy(sched) || !sched->live)
        return false;
    runtime->ask_again_ns = UINT64_MAX;
    return sched->seams.idle(sched->seams.ctx, first_needed(runtime),
                             sched->outside || bight__mailbox_held(runtime->mailbox),
                             &runtime->ask_again_ns);
}

static uint64_t timer_next(const struct bight_runtime *runtime)
{
    return runtime->wheel.armed ? bight__wheel_next(&runtime->wheel) : UINT64_MAX;
}

static void pass_timers(struct bight_runtime *runtime)
{
    struct bight_sched *sched = &runtime->sched;

    bight__pace_timers(&sched->pace);
    if (!runtime->wheel.armed)
        return;
    bight__wheel_advance(&runtime->wheel, runtime_now(sched));
    if (unlikely(sched->pace.passing))
        bight__calls_passed(sched);
}

/* What one phase of the loop has time for. */
static void run_slice(struct bight_runtime *runtime, bool before_poll)
{
    struct bight_sched *sched = &runtime->sched;

    do {
        pass_timers(runtime);
        if (bight__sched_busy(sched) && bight__pace_begin(sched, timer_next(runtime))) {
            bight__hooks_call(sched, &runtime->turn_hooks);
            bight__sched_run(sched);
        }
        if (!before_poll || bight__sched_busy(sched))
            return;
        bight__hooks_call(sched, &runtime->idle_hooks);
    } while (idled(runtime));
    if (is_stalled(runtime))
        stalled(runtime);
}

static void on_timer(uv_timer_t *timer)
{
    struct bight_runtime *runtime = timer->data;

    /* Prepare advances the wheel. From libuv 1.45 on timers come last in a turn of the loop: a host
     * that polls by itself has to be told that there is another turn to make. */
    runtime->timer_due_ns = UINT64_MAX;
    runtime_wake(&runtime->sched);
}

/* The same for a clock that does not go as libuv's: it may have been moved or stopped since. */
static void timer_update_virtual(struct bight_runtime *runtime)
{
    const struct bight_seams *seams = &runtime->sched.seams;
    uint64_t wait_ns = runtime->ask_again_ns;

    if (runtime->wheel.armed) {
        uint64_t due_ns = seams->wait_ns(seams->ctx, bight__wheel_next(&runtime->wheel));

        wait_ns = due_ns < wait_ns ? due_ns : wait_ns;
    }
    if (wait_ns == UINT64_MAX) {
        uv_timer_stop(&runtime->timer);
        return;
    }
    uv_update_time(runtime->loop);
    uv_timer_start(&runtime->timer, on_timer, ms_ceil(wait_ns), 0);
}

/* Make the poll that follows end in time for the wheel. libuv counts in ms from its own reading of
 * the clock, so round up; a wake-up that is still early just comes here again. */
static void timer_update(struct bight_runtime *runtime)
{
    if (unlikely(runtime->sched.seams.wait_ns)) {
        timer_update_virtual(runtime);
        return;
    }
    uint64_t next = timer_next(runtime);
    uint64_t now;

    /* Armed for an earlier time, it wakes up once for nothing: cheaper than moving it at each
     * deadline that was met. */
    if (runtime->timer_due_ns <= next)
        return;
    runtime->timer_due_ns = next;
    now = runtime_now(&runtime->sched);
    uv_update_time(runtime->loop);
    uv_timer_start(&runtime->timer, on_timer, next <= now ? 0 : ms_ceil(next - now), 0);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void idle_update(struct bight_runtime *runtime)
{
    bool wanted = bight__sched_busy(&runtime->sched);

    if (wanted == runtime->idling)
        return;
    runtime->idling = wanted;
    if (wanted)
        uv_idle_start(&runtime->idle, on_idle);
    else
        uv_idle_stop(&runtime->idle);
}

void bight__drive_soon(struct bight_runtime *runtime)
{
    runtime->idling = true;
    uv_idle_start(&runtime->idle, on_idle);
}

/* The last task has. On a loop of its own the runtime may have another run. */
static void ended(struct bight_runtime *runtime)
{
    if (!runtime->owns_loop) {
        bight__runtime_close(runtime);
        return;
    }
    runtime->running = false;
    uv_stop(runtime->loop);
}

static void drive(struct bight_runtime *runtime, bool before_poll)
{
    if (!runtime->running || runtime->closing || runtime->sched.current)
        return; /* a task that runs the loop itself does not run the others from there */
    run_slice(runtime, before_poll);
    bight__pace_phase(&runtime->sched);
    idle_update(runtime);
    timer_update(runtime);
    if (runtime->ending && runtime->sched.live == 0)
        ended(runtime);
}

static void on_prepare(uv_prepare_t *prepare)
{
    drive(prepare->data, true);
}

static void on_check(uv_check_t *check)
{
    struct bight_runtime *runtime = check->data;

    /* What the poll unparked runs now rather than after the closing phase and the timers. */
    if (bight__sched_busy(&runtime->sched))
        drive(runtime, false);
    else
        bight__pace_phase(&runtime->sched);
}

static void *with_data(void *handle, struct bight_runtime *runtime)
{
    bight__handle_opened(runtime);
    ((uv_handle_t *)handle)->data = runtime;
    return handle;
}

/* None of these can fail: they only link the handles into the loop. */
void bight__drive_open(struct bight_runtime *runtime)
{
    uv_loop_t *loop = runtime->loop;

    uv_prepare_init(loop, &runtime->prepare);
    uv_check_init(loop, &runtime->check);
    uv_idle_init(loop, &runtime->idle);
    uv_timer_init(loop, &runtime->timer);
    with_data(&runtime->prepare, runtime);
    with_data(&runtime->check, runtime);
    with_data(&runtime->idle, runtime);
    with_data(&runtime->timer, runtime);
    uv_prepare_start(&runtime->prepare, on_prepare);
    uv_check_start(&runtime->check, on_check);
    uv_unref((uv_handle_t *)&runtime->prepare);
    uv_unref((uv_handle_t *)&runtime->check);
    uv_unref((uv_handle_t *)&runtime->timer);
    runtime->timer_due_ns = UINT64_MAX;
    runtime->ask_again_ns = UINT64_MAX;
}

static void on_closed(uv_handle_t *handle)
{
    bight__handle_closed(handle->data);
}

void bight__drive_close(struct bight_runtime *runtime)
{
    uv_close((uv_handle_t *)&runtime->prepare, on_closed);
    uv_close((uv_handle_t *)&runtime->check, on_closed);
    uv_close((uv_handle_t *)&runtime->idle, on_closed);
    uv_close((uv_handle_t *)&runtime->timer, on_closed);
}
