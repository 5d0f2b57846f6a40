/* The loop: closing it, what code in it sees, running and stopping it, reports. Time is real in
 * here. */
#include "tests/conformance/conf.h"
#include "tests/conformance/host.h"

#include <string.h>
#include <unistd.h>

static void loop_01_closing_is_final_and_may_be_repeated(void)
{
    struct conf_host host;
    struct conf_counter counter = {0};
    struct bight_task *task = NULL;
    int begun = 0;

    conf_attach(&host);
    conf_counter_init(&counter);
    ck_assert_ptr_eq(bight_uv_loop(), &host.loop); /* open */
    ck_ok(bight_detach(host.runtime, conf_host_closed, &host));
    for (int i = 0; i < 2; i++)
        ck_code(bight_detach(host.runtime, conf_host_closed, &host), BIGHT_EALREADY);
    ck_code(bight_spawn(&task, world_add_one, &begun), BIGHT_ECLOSED);
    uv_run(&host.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(host.closed, 1);
    ck_assert_ptr_null(bight_uv_loop());
    ck_code(bight_spawn(&task, world_add_one, &begun), BIGHT_ENORUNTIME);
    ck_code(bight_call_soon(&counter.call), BIGHT_ENORUNTIME);
    uv_run(&host.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(begun + counter.count, 0);
    ck_ok(uv_loop_close(&host.loop));
}

static int sees_its_loop(void *arg)
{
    ck_assert_ptr_nonnull(bight_uv_loop());
    if (arg)
        ck_assert_ptr_eq(bight_uv_loop(), arg);
    ck_assert_ptr_nonnull(bight_self());
    return 0;
}

static void loop_07_code_in_a_run_sees_its_loop_and_code_outside_none(void)
{
    struct conf_host host;

    ck_assert_ptr_null(bight_uv_loop());
    ck_ok(bight_run(sees_its_loop, NULL));
    ck_assert_ptr_null(bight_uv_loop());
    conf_attach(&host); /* now it is set for the thread, though not running */
    ck_assert_ptr_eq(bight_uv_loop(), &host.loop);
    ck_assert_ptr_null(bight_self());
    ck_ok(bight_spawn(NULL, sees_its_loop, &host.loop));
    uv_run(&host.loop, UV_RUN_DEFAULT);
    ck_assert_ptr_null(bight_self());
    ck_assert_ptr_eq(bight_uv_loop(), &host.loop);
    conf_detach(&host);
    ck_assert_ptr_null(bight_uv_loop());
}

static int sleeps(void *arg)
{
    return bight_sleep(*(int *)arg);
}

static void loop_08_a_run_takes_at_least_as_long_as_its_sleep(void)
{
    uint64_t begun_ns = uv_hrtime();

    ck_ok(bight_run(sleeps, &(int){100}));
    ck_assert_uint_ge(uv_hrtime() - begun_ns, 100000000);
}

static void loop_14_a_queued_stop_ends_the_run_after_one_pass(void)
{
    struct conf_counter counter = {0}, stop = {0};
    struct conf_host host;

    conf_attach(&host);
    conf_counter_init(&counter);
    conf_counter_init(&stop);
    stop.stops = &host.loop;
    ck_ok(bight_spawn(NULL, world_forever, NULL)); /* the run would not end otherwise */
    ck_ok(bight_call_soon(&counter.call));
    ck_ok(bight_call_soon(&stop.call));
    ck_assert_int_ne(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(counter.count, 1);
    ck_assert_int_eq(stop.count, 1);
    conf_detach(&host);
    ck_assert_int_eq(counter.count, 1);
}

/* A descriptor that stays readable; seeing it queues a count and the end of the watching. */
struct watch {
    uv_poll_t poll;
    struct conf_counter seen;
    struct bight_call clear;
    int polled;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;

    ck_ok(status);
    ck_assert_int_eq(events, UV_READABLE);
    watch->polled++;
    ck_ok(bight_call_soon(&watch->seen.call));
    ck_ok(bight_call_soon(&watch->clear));
}

static void clears(struct bight_call *call)
{
    struct watch *watch = (struct watch *)((char *)call - offsetof(struct watch, clear));

    bight_call_cancel(&watch->seen.call);
    uv_poll_stop(&watch->poll);
}

static void loop_15_an_event_seen_in_the_stopping_pass_is_delivered_once(void)
{
    struct conf_counter stop = {0};
    struct watch watch = {.polled = 0};
    struct conf_host host;
    int ends[2];

    conf_attach(&host);
    ck_ok(pipe(ends));
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    conf_counter_init(&watch.seen);
    conf_counter_init(&stop);
    stop.stops = &host.loop;
    bight_call_init(&watch.clear, clears);
    ck_ok(uv_poll_init(&host.loop, &watch.poll, ends[0]));
    watch.poll.data = &watch;
    ck_ok(uv_poll_start(&watch.poll, UV_READABLE, on_readable));
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_call_soon(&stop.call));
        uv_run(&host.loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(stop.count, i + 1);
        ck_assert_int_eq(watch.seen.count, 1);
    }
    ck_assert_int_eq(watch.polled, 1);
    uv_close((uv_handle_t *)&watch.poll, NULL);
    conf_detach(&host);
    close(ends[0]);
    close(ends[1]);
}

/* Reports */

struct handler {
    int calls;
    enum bight_report_kind kind;
    int code;
    uint64_t id;
    char name[BIGHT_TASK_NAME_BYTES];
    bool has_text;
};

static void handles(void *arg, const struct bight_report *report)
{
    struct handler *handler = arg;

    handler->calls++;
    handler->kind = report->kind;
    handler->code = report->code;
    handler->id = report->task_id;
    ck_assert_uint_lt(strlen(report->task_name), sizeof(handler->name));
    strcpy(handler->name, report->task_name);
    handler->has_text = report->text[0];
}

static int leaves_a_failure(void *arg)
{
    struct bight_spawn_options options = {.name = "fails with Z"};

    (void)arg;
    ck_ok(bight_spawn_with(NULL, &options, world_return, &(int){BIGHT_EIO}));
    world_settle(); /* and the loop goes on */
    return 0;
}

static void errh_02_the_report_handler_is_told_what_failed(void)
{
    struct handler handler = {0};
    struct bight_runtime_options options = {.on_report = handles, .on_report_arg = &handler};

    ck_ok(bight_run(leaves_a_failure, NULL)); /* without a handler nothing is said */
    ck_ok(bight_run_with(&options, leaves_a_failure, NULL));
    ck_assert_int_eq(handler.calls, 1);
    ck_assert_int_eq(handler.kind, BIGHT_REPORT_UNSEEN_FAILURE);
    ck_code(handler.code, BIGHT_EIO);
    ck_assert_uint_eq(handler.id, 2);
    ck_assert_str_eq(handler.name, "fails with Z");
    ck_assert(handler.has_text);
    options.on_report = NULL;
    ck_ok(bight_run_with(&options, leaves_a_failure, NULL));
    ck_assert_int_eq(handler.calls, 1);
}

/* Slow turns */

#define SLOW_MS 20

static void keep_the_loop(void)
{
    uint64_t begun_ns = uv_hrtime();

    while (uv_hrtime() - begun_ns < (SLOW_MS + 1) * UINT64_C(1000000))
        continue;
}

static void slow_call(struct bight_call *call)
{
    (void)call;
    keep_the_loop();
}

static int slow_task(void *arg)
{
    ck_ok(bight_sleep(1));
    keep_the_loop();
    return *(int *)arg;
}

static int slow_turns(void *arg)
{
    struct bight_spawn_options options = {.name = "slow one"};
    struct bight_task *task;
    struct bight_call call;

    (void)arg;
    bight_call_init(&call, slow_call);
    ck_ok(bight_call_soon(&call));
    world_settle();
    ck_ok(bight_spawn_with(&task, &options, slow_task, &(int){7}));
    conf_join(task, 7);
    return 0;
}

/* A task of that name, "" for none, kept the loop. */
struct slow {
    const char *name;
    int count;
    uint64_t ms;
};

static void notes_slow(void *arg, const struct bight_report *report)
{
    for (struct slow *slow = arg; slow->name; slow++) {
        if (report->kind != BIGHT_REPORT_SLOW_TURN || strcmp(report->task_name, slow->name) != 0)
            continue;
        slow->count++;
        slow->ms = report->count;
        ck_assert(report->text[0]);
    }
}

static void ldbg_02_slow_turns_are_reported(void)
{
    struct slow slow[] = {{.name = ""}, {.name = "slow one"}, {.name = NULL}};
    struct bight_runtime_options options = {.on_report = notes_slow, .on_report_arg = slow};

    ck_ok(bight_run_with(&options, slow_turns, NULL)); /* not asked for */
    ck_assert_int_eq(slow[0].count + slow[1].count, 0);
    options.slow_ms = SLOW_MS;
    ck_ok(bight_run_with(&options, slow_turns, NULL));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ge(slow[i].count, 1); /* more where the machine is busy */
        ck_assert_uint_ge(slow[i].ms, SLOW_MS);
    }
}

static const struct suite_case cases[] = {
    plain_case(loop_01_closing_is_final_and_may_be_repeated),
    plain_case(loop_07_code_in_a_run_sees_its_loop_and_code_outside_none),
    plain_case(loop_08_a_run_takes_at_least_as_long_as_its_sleep),
    plain_case(loop_14_a_queued_stop_ends_the_run_after_one_pass),
    plain_case(loop_15_an_event_seen_in_the_stopping_pass_is_delivered_once),
    plain_case(errh_02_the_report_handler_is_told_what_failed),
    plain_case(ldbg_02_slow_turns_are_reported),
};

test_suite("loop", cases);
