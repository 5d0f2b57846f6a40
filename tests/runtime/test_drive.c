/* The drive loop: own and host's loops over one path, detach, stalls, deadlines that are never
 * early, the dump, I/O that is not starved, runtimes on several threads. Time is real here. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#include <bight/uv.h>

#include <stdio.h>
#include <string.h>

static int naps(void *arg)
{
    for (int i = 0; i < 20; i++) {
        uint64_t begun = uv_hrtime();

        ck_ok(bight_sleep(1 + i % 3));
        ck_assert_uint_ge(uv_hrtime() - begun, (1 + i % 3) * UINT64_C(1000000));
    }
    *(int *)arg = 1;
    return 0;
}

static void sleep_is_never_early(void)
{
    int done = 0;

    ck_ok(bight_run(naps, &done));
    ck_assert_int_eq(done, 1);
}

static int busy_then_naps(void *arg)
{
    uint64_t begun = uv_hrtime();

    (void)arg;
    while (uv_hrtime() - begun < 20000000)
        continue; /* computes; a clock read at the beginning of the turn would be stale now */
    begun = uv_hrtime();
    ck_ok(bight_sleep(5));
    ck_assert_uint_ge(uv_hrtime() - begun, 5000000);
    return 0;
}

struct host {
    uv_loop_t loop;
    uv_timer_t timer;
    struct bight_runtime *runtime;
    int ticks;
    int detached;
    int slept;
};

static int host_task(void *arg)
{
    struct host *host = arg;
    int rc = bight_sleep(5);

    host->slept += rc == 0;
    return rc;
}

static void host_detached(void *arg)
{
    ((struct host *)arg)->detached++;
}

static void host_tick(uv_timer_t *timer)
{
    struct host *host = timer->data;

    if (++host->ticks == 1) { /* late: inside the host's own loop */
        ck_ok(bight_attach(&host->runtime, &host->loop, NULL));
        ck_code(bight_attach(&host->runtime, &host->loop, NULL), BIGHT_EALREADY);
        ck_ok(bight_spawn(NULL, host_task, host));
        ck_ok(bight_spawn(NULL, host_task, host));
        uv_close((uv_handle_t *)timer, NULL);
    }
}

static void attached_tasks_keep_the_loop_alive_and_detach_leaves_nothing(void)
{
    struct host host = {0};
    int before;

    ck_ok(bight_run(world_return, &(int){0})); /* libuv's signal pipe stays */
    before = test_open_fds();
    ck_ok(uv_loop_init(&host.loop));
    uv_timer_init(&host.loop, &host.timer);
    host.timer.data = &host;
    uv_timer_start(&host.timer, host_tick, 1, 0);
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT),
                     0); /* ends: idle runtimes do not hold it */
    ck_assert_int_eq(host.slept, 2);

    ck_ok(bight_spawn(NULL, host_task, &host)); /* outside of uv_run */
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(host.slept, 3);

    ck_ok(bight_detach(host.runtime, host_detached, &host));
    ck_code(bight_detach(host.runtime, NULL, NULL), BIGHT_EALREADY);
    ck_code(bight_spawn(NULL, host_task, &host), BIGHT_ECLOSED);
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(host.detached, 1);
    ck_code(bight_spawn(NULL, host_task, &host), BIGHT_ENORUNTIME);
    ck_ok(uv_loop_close(&host.loop));
    ck_assert_int_eq(test_open_fds(), before);
}

static int cleans_up(void *arg)
{
    struct host *host = arg;
    int rc = bight_sleep(-1);

    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_shield(1000, host_task, host));
    return rc;
}

static int detaches(void *arg)
{
    struct host *host = arg;

    ck_ok(bight_detach(host->runtime, host_detached, host));
    ck_code(bight_yield(), BIGHT_ECANCELED);
    return 0;
}

static void detach_from_a_task_cancels_and_joins_the_others(void)
{
    struct host host = {0};

    ck_ok(uv_loop_init(&host.loop));
    ck_ok(bight_attach(&host.runtime, &host.loop, NULL));
    ck_ok(bight_spawn(NULL, cleans_up, &host));
    ck_ok(bight_spawn(NULL, detaches, &host));
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(host.slept, 1);
    ck_assert_int_eq(host.detached, 1);
    ck_ok(uv_loop_close(&host.loop));
}

static int stops_loop(void *arg)
{
    uv_stop(arg);
    return 0;
}

static void spawns_in_prepare(uv_prepare_t *prepare)
{
    if (bight_uv_loop())
        ck_ok(bight_spawn(NULL, stops_loop, prepare->loop));
    uv_prepare_stop(prepare);
}

static void too_late(uv_timer_t *timer)
{
    ck_abort_msg("the loop blocked for %llu ms with a task ready",
                 (unsigned long long)uv_timer_get_repeat(timer));
}

static void a_task_made_ready_by_a_prepare_handle_of_the_hosts_runs_at_once(void)
{
    struct host host = {0};
    uv_prepare_t prepare;

    ck_ok(uv_loop_init(&host.loop));
    uv_prepare_init(&host.loop, &prepare);
    uv_timer_init(&host.loop, &host.timer);
    uv_timer_start(&host.timer, too_late, 2000, 2000);
    uv_prepare_start(&prepare, spawns_in_prepare); /* before the attach: it runs after bight's */
    ck_ok(bight_attach(&host.runtime, &host.loop, NULL));
    uv_run(&host.loop, UV_RUN_DEFAULT); /* ends by the task's uv_stop */
    uv_close((uv_handle_t *)&host.timer, NULL);
    uv_close((uv_handle_t *)&prepare, NULL);
    ck_ok(bight_detach(host.runtime, NULL, NULL));
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_ok(uv_loop_close(&host.loop));
}

static void a_loop_can_be_attached_and_detached_again_and_again(void)
{
    struct host host = {0};
    int before;

    ck_ok(bight_run(world_return, &(int){0}));
    before = test_open_fds();
    ck_ok(uv_loop_init(&host.loop));
    for (int i = 1; i <= 3; i++) {
        ck_ok(bight_attach(&host.runtime, &host.loop, NULL));
        ck_ok(bight_spawn(NULL, host_task, &host));
        uv_run(&host.loop, i == 2 ? UV_RUN_NOWAIT : UV_RUN_DEFAULT); /* once cut short */
        ck_ok(bight_detach(host.runtime, host_detached, &host));
        ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(host.detached, i);
    }
    ck_ok(uv_loop_close(&host.loop));
    ck_assert_int_eq(test_open_fds(), before);
}

struct late_waker {
    struct bight_runtime *runtime;
    struct bight_event event;
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_timer_t timer;
    struct bight_scope scope;
    int ticks, step, woken, expired;
};

static void close_late(void *arg)
{
    struct late_waker *waker = arg;

    uv_close((uv_handle_t *)&waker->prepare, NULL);
    uv_close((uv_handle_t *)&waker->timer, NULL);
}

static int woken_late(void *arg)
{
    struct late_waker *waker = arg;

    ck_ok(bight_event_wait(&waker->event));
    waker->woken++;
    ck_ok(bight_scope_begin(&waker->scope, -1, 0));
    ck_code(bight_scope_end(&waker->scope, bight_sleep(-1)), BIGHT_ETIMEDOUT);
    waker->expired++;
    return bight_detach(waker->runtime, close_late, waker);
}

/* A few turns of the loop, so that nothing of its start is pending any more. */
static void late_tick(uv_timer_t *timer)
{
    struct late_waker *waker = timer->data;

    if (++waker->ticks == 3)
        uv_timer_stop(timer);
}

/* Comes after the runtime's own prepare callback, because it was started before that one. */
static void late_prepare(uv_prepare_t *prepare)
{
    struct late_waker *waker = prepare->data;

    if (waker->step == 0 && waker->ticks == 3) {
        waker->step++;
        bight_event_set(&waker->event);
    } else if (waker->step == 1 && waker->woken) {
        waker->step++;
        ck_ok(bight_scope_set_timeout(&waker->scope, 1));
    }
}

static void what_a_hosts_prepare_callback_wakes_does_not_wait_for_the_poll(void)
{
    struct late_waker waker = {.step = 0};

    ck_ok(uv_loop_init(&waker.loop));
    uv_prepare_init(&waker.loop, &waker.prepare);
    uv_timer_init(&waker.loop, &waker.timer);
    waker.prepare.data = waker.timer.data = &waker;
    uv_prepare_start(&waker.prepare, late_prepare);
    uv_timer_start(&waker.timer, late_tick, 1, 1);
    ck_ok(bight_attach(&waker.runtime, &waker.loop, NULL));
    bight_event_init(&waker.event);
    ck_ok(bight_spawn(NULL, woken_late, &waker));
    /* Nothing else would end a poll: the test would run into its own time limit. */
    ck_assert_int_eq(uv_run(&waker.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(waker.woken, 1);
    ck_assert_int_eq(waker.expired, 1);
    ck_ok(uv_loop_close(&waker.loop));
}

static int waits_for_nobody(void *arg)
{
    struct bight_event *event = arg;

    return bight_event_wait(event);
}

static void dump_into(void *arg, const char *text, size_t bytes)
{
    strncat(arg, text, bytes);
}

struct stall {
    char dump[1024];
    int reports;
};

static void on_stall(void *arg, const struct bight_report *report)
{
    struct stall *stall = arg;

    if (report->kind != BIGHT_REPORT_STALLED)
        return;
    stall->reports++;
    ck_ok(bight_dump(dump_into, stall->dump));
}

static void a_stall_is_reported_dumped_and_ends_the_run(void)
{
    struct stall stall = {0};
    struct bight_runtime_options options = {.on_report = on_stall, .on_report_arg = &stall};
    struct bight_event event;

    bight_event_init(&event);
    ck_code(bight_run_with(&options, waits_for_nobody, &event), BIGHT_ESTALLED);
    ck_assert_int_eq(stall.reports, 1);
    ck_assert_ptr_nonnull(strstr(stall.dump, "#1 main: waits for event"));
}

static int end_late(void *event)
{
    ck_ok(bight_spawn(NULL, waits_for_nobody, event));
    return bight_sleep(2); /* the loop has turned: no handle of its beginning is left */
}

static void what_waits_for_ever_when_main_ends_is_no_stall(void)
{
    struct bight_event event;

    bight_event_init(&event);
    ck_ok(bight_run(end_late, &event));
}

static void sets(uv_timer_t *timer)
{
    bight_event_set(timer->data);
}

static int waits_for_own_timer(void *arg)
{
    struct bight_event event;
    uv_timer_t timer;

    (void)arg;
    bight_event_init(&event);
    uv_timer_init(bight_uv_loop(), &timer);
    timer.data = &event;
    uv_timer_start(&timer, sets, 5, 0);
    ck_ok(bight_event_wait(&event));
    return bight_uv_close((uv_handle_t *)&timer);
}

static int nested(struct bight_group *group, void *arg)
{
    struct bight_spawn_options options = {.name = "sleeper"};

    ck_ok(bight_group_spawn(NULL, group, &options, world_forever, NULL));
    ck_ok(bight_yield());
    ck_ok(bight_dump(dump_into, arg));
    bight_scope_cancel(&group->scope);
    return 0;
}

static int dumps(void *arg)
{
    struct bight_task *task;
    struct bight_spawn_options options = {.name = "outer"};

    ck_ok(bight_spawn_with(&task, &options, world_forever, NULL));
    ck_ok(bight_group_run(nested, arg));
    bight_task_cancel(task);
    return bight_join(task, NULL);
}

static void dump_shows_the_tree_and_what_each_task_waits_for(void)
{
    char text[1024] = "";

    ck_code(bight_dump(dump_into, text), BIGHT_ENORUNTIME);
    ck_ok(bight_run(dumps, text));
    ck_assert_str_eq(text, "3 tasks, 0 ready\n"
                           "  #1 main: running\n"
                           "    #3 sleeper: waits for sleep (until cancelled)\n"
                           "  #2 outer: waits for sleep (until cancelled)\n");
}

static int spins(void *arg)
{
    while (!*(int *)arg)
        ck_ok(bight_yield());
    return 0;
}

static void stops(uv_timer_t *timer)
{
    *(int *)timer->data = 1;
}

static int spins_beside_io(void *arg)
{
    struct bight_task *tasks[3];
    uv_timer_t timer;
    int stop = 0;

    (void)arg;
    uv_timer_init(bight_uv_loop(), &timer);
    timer.data = &stop;
    uv_timer_start(&timer, stops, 10, 0);
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], spins, &stop));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_join(tasks[i], NULL));
    return bight_uv_close((uv_handle_t *)&timer);
}

static int nests(void *arg)
{
    struct bight_task *task;
    int ran = 0;

    (void)arg;
    ck_ok(bight_spawn(&task, world_add_one, &ran));
    uv_run(bight_uv_loop(), UV_RUN_NOWAIT); /* runs no task from inside one */
    ck_assert_int_eq(ran, 0);
    ck_ok(bight_join(task, NULL));
    return 0;
}

static void run_on_thread(void *arg)
{
    *(int *)arg = bight_run(naps, arg) ? -1 : 1;
}

static void each_thread_may_have_a_runtime(void)
{
    uv_thread_t threads[3];
    int done[3] = {0};

    for (int i = 0; i < 3; i++)
        ck_ok(uv_thread_create(&threads[i], run_on_thread, &done[i]));
    for (int i = 0; i < 3; i++) {
        uv_thread_join(&threads[i]);
        ck_assert_int_eq(done[i], 1);
    }
}

static const struct suite_case cases[] = {
    plain_case(sleep_is_never_early),
    body_case(sleep_is_not_early_after_a_long_computation, bight_run, busy_then_naps),
    plain_case(attached_tasks_keep_the_loop_alive_and_detach_leaves_nothing),
    plain_case(detach_from_a_task_cancels_and_joins_the_others),
    plain_case(a_task_made_ready_by_a_prepare_handle_of_the_hosts_runs_at_once),
    plain_case(a_loop_can_be_attached_and_detached_again_and_again),
    plain_case(what_a_hosts_prepare_callback_wakes_does_not_wait_for_the_poll),
    plain_case(a_stall_is_reported_dumped_and_ends_the_run),
    plain_case(what_waits_for_ever_when_main_ends_is_no_stall),
    body_case(a_handle_of_the_users_on_the_loop_is_no_stall, bight_run, waits_for_own_timer),
    plain_case(dump_shows_the_tree_and_what_each_task_waits_for),
    body_case(ready_tasks_do_not_starve_the_loop, bight_run, spins_beside_io),
    body_case(a_task_that_runs_the_loop_runs_no_other_task, bight_run, nests),
    plain_case(each_thread_may_have_a_runtime),
};

test_suite("drive", cases);
