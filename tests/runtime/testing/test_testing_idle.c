/* Settling: until all others are blocked, in what order, and that it is a wait like others. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <bight/uv.h>

struct notes {
    char text[64];
};

static void note(struct notes *notes, const char *what)
{
    strcat(notes->text, what);
    strcat(notes->text, ";");
}

static int yawn(void *arg)
{
    ck_ok(bight_sleep(100));
    note(arg, "yawn");
    return 0;
}

static int wait_and_settle(void *arg)
{
    ck_ok(bight_test_settle(0));
    note(arg, "waiter woke");
    ck_ok(bight_sleep(1000));
    note(arg, "waiter done");
    return 0;
}

static int settle_before_jump(struct bight_group *group, void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, yawn, arg));
    return bight_group_spawn(NULL, group, NULL, wait_and_settle, arg);
}

static int settle_before_jump_main(void *arg)
{
    return bight_group_run(settle_before_jump, arg);
}

static void settling_comes_before_jumping(void)
{
    struct notes notes = {""};

    ck_assert_int_eq(bight_test_run(NULL, settle_before_jump_main, &notes, NULL), 0);
    ck_assert_str_eq(notes.text, "waiter woke;yawn;waiter done;");
}

static int yield_ten_times(void *arg)
{
    for (int i = 0; i < 10; i++)
        ck_ok(bight_yield());
    note(arg, "busy");
    return 0;
}

static int settle_and_note(void *arg)
{
    ck_ok(bight_test_settle(0));
    note(arg, "settled");
    return 0;
}

static int busy_body(struct bight_group *group, void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, settle_and_note, arg));
    ck_ok(bight_group_spawn(NULL, group, NULL, yield_ten_times, arg));
    return bight_group_spawn(NULL, group, NULL, settle_and_note, arg);
}

static int busy_main(void *arg)
{
    return bight_group_run(busy_body, arg);
}

static void settling_waits_for_busy_tasks(void)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        const struct bight_test_options options = {.seed = seed};
        struct notes notes = {""};

        ck_assert_int_eq(bight_test_run(&options, busy_main, &notes, NULL), 0);
        ck_assert_str_eq(notes.text, "busy;settled;settled;");
    }
}

struct cushioned {
    struct notes *notes;
    int64_t cushion_ms;
    const char *what;
};

static int settle_cushioned(void *arg)
{
    struct cushioned *cushioned = arg;

    ck_ok(bight_test_settle(cushioned->cushion_ms));
    note(cushioned->notes, cushioned->what);
    return 0;
}

static int sleep_thrice(void *arg)
{
    note(arg, "start");
    for (int i = 0; i < 3; i++)
        ck_ok(bight_sleep(10));
    note(arg, "end");
    return 0;
}

static int cushions_body(struct bight_group *group, void *arg)
{
    static struct cushioned all[] = {{.cushion_ms = 60, .what = "60"},
                                     {.cushion_ms = 40, .what = "40"},
                                     {.cushion_ms = 0, .what = "0"},
                                     {.cushion_ms = 40, .what = "40"}};

    ck_ok(bight_group_spawn(NULL, group, NULL, sleep_thrice, arg));
    ck_ok(bight_yield());
    for (int i = 0; i < 4; i++) {
        all[i].notes = arg;
        ck_ok(bight_group_spawn(NULL, group, NULL, settle_cushioned, &all[i]));
    }
    return 0;
}

static int cushions_main(void *arg)
{
    return bight_group_run(cushions_body, arg);
}

static int cushions_in_real_time(void *arg)
{
    ck_ok(bight_test_set_rate(1));
    ck_ok(bight_test_set_autojump(-1));
    return cushions_main(arg);
}

static void the_smallest_cushion_goes_on_first(void)
{
    struct notes notes = {""};

    ck_assert_int_eq(bight_test_run(NULL, cushions_main, &notes, NULL), 0);
    ck_assert_str_eq(notes.text, "start;0;40;40;60;end;");
    notes = (struct notes){""};
    ck_assert_int_eq(bight_test_run(NULL, cushions_in_real_time, &notes, NULL), 0);
    ck_assert_str_eq(notes.text, "start;0;end;40;40;60;");
}

/* A thread that the runtime does not know of, beside a sleep of an hour. */

struct beside {
    struct notes *notes;
    uv_work_t work;
    struct bight_event *event;
    struct bight_task *settler;
};

static int sleep_an_hour(void *arg)
{
    ck_ok(bight_sleep(3600000));
    note(arg, "hour");
    return 0;
}

static void work_a_while(uv_work_t *work)
{
    (void)work;
    usleep(20000);
}

static void on_worked(uv_work_t *work, int status)
{
    struct beside *beside = work->data;

    ck_ok(status);
    bight_event_set(beside->event);
}

/* It ends the settling, whose time is long enough for a busy machine. */
static int await_thread(void *arg)
{
    struct beside *beside = arg;

    ck_ok(bight_event_wait(beside->event));
    note(beside->notes, "thread");
    bight_task_cancel(beside->settler);
    return 0;
}

static int settle_for_20_s(void *arg)
{
    (void)arg;
    return bight_test_settle(20000);
}

static int beside_thread(struct bight_group *group, void *arg)
{
    struct beside *beside = arg;

    ck_ok(bight_group_spawn(NULL, group, NULL, sleep_an_hour, beside->notes));
    ck_ok(bight_group_spawn(NULL, group, NULL, await_thread, beside));
    ck_ok(bight_group_spawn(&beside->settler, group, NULL, settle_for_20_s, NULL));
    ck_ok(uv_queue_work(bight_uv_loop(), &beside->work, work_a_while, on_worked));
    return 0;
}

static int beside_thread_main(void *arg)
{
    struct beside *beside = arg;
    struct bight_event event = BIGHT_EVENT_INIT;

    beside->event = &event;
    beside->work.data = beside;
    return bight_group_run(beside_thread, beside);
}

static void settling_lets_a_thread_finish_before_time_jumps(void)
{
    struct notes notes = {""};
    struct beside beside = {.notes = &notes};

    ck_assert_int_eq(bight_test_run(NULL, beside_thread_main, &beside, NULL), 0);
    ck_assert_str_eq(notes.text, "thread;hour;");
}

#define CUSHION_MS 20

static int settle_beside_sleeper(void *arg)
{
    struct bight_task *sleeper;
    uint64_t real_ns = uv_hrtime();

    ck_ok(bight_spawn(&sleeper, sleep_an_hour, arg));
    ck_ok(bight_test_settle(CUSHION_MS));
    ck_assert_uint_ge(uv_hrtime() - real_ns, CUSHION_MS * 1000000);
    ck_assert_uint_eq(bight_test_elapsed_ns(), 0);
    note(arg, "settled");
    return bight_join(sleeper, NULL);
}

/* Whether the clock waits before it jumps, and whether for longer than the task that settles. */
static void time_stands_still_while_a_task_settles(void)
{
    static const int64_t autojumps_ms[] = {0, CUSHION_MS / 2, CUSHION_MS, CUSHION_MS * 2};

    for (size_t i = 0; i < sizeof autojumps_ms / sizeof *autojumps_ms; i++) {
        struct bight_test_clock clock;
        const struct bight_test_options options = {.clock = &clock};
        struct notes notes = {""};

        bight_test_clock_init(&clock);
        bight_test_clock_set_autojump(&clock, autojumps_ms[i]);
        ck_assert_int_eq(bight_test_run(&options, settle_beside_sleeper, &notes, NULL), 0);
        ck_assert_str_eq(notes.text, "settled;hour;");
    }
}

/* The scenes of a wait, as test_waits.c has them for all others. */

struct settler {
    int rc;
    int after;
    bool done;
    bool cancelled;
    int64_t timeout_ms;
};

static int settle_an_hour(void *arg)
{
    (void)arg;
    return bight_test_settle(3600000);
}

static int settle(void *arg)
{
    struct settler *settler = arg;
    struct bight_scope scope;

    if (settler->timeout_ms)
        settler->rc = bight_timeout(settler->timeout_ms, settle_an_hour, NULL);
    else if (settler->cancelled) {
        ck_ok(bight_scope_begin(&scope, -1, 0));
        bight_scope_cancel(&scope);
        settler->rc = bight_test_settle(0);
        ck_ok(bight_scope_end(&scope, 0));
    } else {
        settler->rc = bight_test_settle(0);
    }
    settler->after = bight_checkpoint();
    settler->done = true;
    return 0;
}

static int cancel_settlers(void *arg)
{
    struct settler waiting = {.rc = 1}, woken = {.rc = 1}, late = {.timeout_ms = 5},
                   before = {.cancelled = true};
    struct bight_task *tasks[4];

    (void)arg;
    ck_ok(bight_spawn(&tasks[0], settle, &waiting));
    ck_ok(bight_yield());
    ck_ok(bight_yield());
    bight_task_cancel(tasks[0]);
    ck_ok(bight_join(tasks[0], NULL));
    ck_assert_int_eq(waiting.rc, BIGHT_ECANCELED);
    /* Main settles first, so that it runs between the other's wake and its turn. */
    ck_ok(bight_spawn(&tasks[1], settle, &woken));
    ck_ok(bight_test_settle(0));
    ck_assert(!woken.done);
    bight_task_cancel(tasks[1]);
    ck_ok(bight_join(tasks[1], NULL));
    ck_assert_int_eq(woken.rc, 0);
    ck_assert_int_eq(woken.after, BIGHT_ECANCELED);
    ck_ok(bight_test_set_rate(1)); /* no clock jumps to a deadline while a task settles */
    ck_ok(bight_spawn(&tasks[2], settle, &late));
    ck_ok(bight_join(tasks[2], NULL));
    ck_assert_int_eq(late.rc, BIGHT_ETIMEDOUT);
    ck_ok(bight_spawn(&tasks[3], settle, &before));
    ck_ok(bight_join(tasks[3], NULL));
    ck_assert_int_eq(before.rc, BIGHT_ECANCELED);
    ck_code(bight_test_settle(-1), BIGHT_EINVAL);
    return 0;
}

static void settling_can_be_cancelled_and_keeps_a_wake(void)
{
    ck_assert_int_eq(bight_test_run(NULL, cancel_settlers, NULL, NULL), 0);
}

static const struct suite_case cases[] = {
    plain_case(settling_comes_before_jumping),
    plain_case(settling_waits_for_busy_tasks),
    plain_case(the_smallest_cushion_goes_on_first),
    plain_case(settling_lets_a_thread_finish_before_time_jumps),
    plain_case(time_stands_still_while_a_task_settles),
    plain_case(settling_can_be_cancelled_and_keeps_a_wake),
};

test_suite("testing_idle", cases);
