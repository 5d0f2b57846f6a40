/* coro/core/measure.c: who kept the loop for long, and for how long. The clock is a number that the
 * tests move. */
#include "runtime/runtime.h"

#include <bight.h>

#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define MS UINT64_C(1000000)
#define SLOW_MS 20

static uint64_t now;

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return now;
}

static uint64_t wait_ns(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    return deadline_ns <= now ? 0 : UINT64_MAX;
}

/* What was reported: name and ms of each. */
static char reports[512];

static void on_report(void *arg, const struct bight_report *report)
{
    char line[64];

    (void)arg;
    ck_assert_int_eq(report->kind, BIGHT_REPORT_SLOW_TURN);
    ck_assert_ptr_null(bight_self());
    ck_assert_int_eq(report->task_id == 0, *report->task_name == '\0');
    snprintf(line, sizeof line, "%s:%llu ", report->task_name, (unsigned long long)report->count);
    strncat(reports, line, sizeof reports - strlen(reports) - 1);
}

static int run(unsigned slow_ms, int (*fn)(void *arg), void *arg)
{
    struct bight_runtime_options options = {.slow_ms = slow_ms, .on_report = on_report};
    const struct bight_seams seams = {.now_ns = now_ns, .wait_ns = wait_ns};

    now = 1000 * MS;
    reports[0] = '\0';
    return bight__run_with_seams(&options, &seams, fn, arg);
}

static void spawn(struct bight_task **task, const char *name, int (*fn)(void *arg), void *arg)
{
    const struct bight_spawn_options options = {.name = name};

    ck_ok(bight_spawn_with(task, &options, fn, arg));
}

static int step_for(void *arg)
{
    now += *(uint64_t *)arg * MS;
    return 0;
}

static int step_twice(void *arg)
{
    ck_ok(step_for(arg));
    ck_ok(bight_yield());
    return step_for(arg);
}

static int main_and_others(void *arg)
{
    static uint64_t five = 5, fifteen = 15, twenty = 20, thirty = 30;
    struct bight_task *task;

    (void)arg;
    now += 21 * MS;
    spawn(NULL, "five", step_for, &five);
    spawn(NULL, "twenty", step_for, &twenty);
    spawn(NULL, "fifteen", step_twice, &fifteen);
    spawn(&task, "thirty", step_twice, &thirty);
    return bight_join(task, NULL);
}

static void a_step_that_takes_long_is_reported_with_its_task(void)
{
    ck_ok(run(SLOW_MS, main_and_others, NULL));
    ck_assert_str_eq(reports, "main:21 twenty:20 thirty:30 thirty:30 ");
}

static void without_the_option_nothing_is(void)
{
    ck_ok(run(0, main_and_others, NULL));
    ck_assert_str_eq(reports, "");
}

/* Calls, posts, hooks */

static void slow_call(struct bight_call *call)
{
    (void)call;
    now += 31 * MS;
}

static void slow_post(void *event)
{
    now += 32 * MS;
    bight_event_set(event);
}

static void slow_hook(struct bight_hook *hook)
{
    now += 33 * MS;
    bight_hook_remove(hook);
}

static int not_in_tasks(void *arg)
{
    struct bight_call call;
    struct bight_hook hook;
    struct bight_event event;
    struct bight_mailbox *mailbox;

    (void)arg;
    bight_call_init(&call, slow_call);
    ck_ok(bight_call_soon(&call));
    ck_ok(bight_yield());
    bight_event_init(&event);
    ck_ok(bight_mailbox_get(&mailbox));
    ck_ok(bight_post_call(mailbox, slow_post, &event));
    bight_mailbox_unref(mailbox);
    ck_ok(bight_event_wait(&event));
    bight_hook_init(&hook, slow_hook);
    ck_ok(bight_hook_add_turn(&hook));
    for (int i = 0; bight_hook_remove(&hook); i++) {
        ck_assert_int_lt(i, 1000);
        ck_ok(bight_hook_add_turn(&hook));
        ck_ok(bight_yield());
    }
    return 0;
}

static void calls_posts_and_hooks_are_measured_too(void)
{
    ck_ok(run(SLOW_MS, not_in_tasks, NULL));
    ck_assert_str_eq(reports, ":31 :32 :33 ");
}

/* Measuring changes nothing else: the same program, with tasks and calls that take turns. */

#define TASKS 50

static char traces[2][4096], *trace;

static void note(char sign)
{
    size_t length = strlen(trace);

    ck_assert_uint_lt(length + 1, sizeof traces[0]);
    trace[length] = sign;
}

struct noting_call {
    struct bight_call call;
    char sign;
};

static void note_call(struct bight_call *call)
{
    note(((struct noting_call *)call)->sign);
}

static int note_turns(void *arg)
{
    char sign = *(char *)arg;
    struct noting_call call = {.sign = (char)(sign + 1)};

    bight_call_init(&call.call, note_call);
    for (int i = 0; i < 5 + sign % 7; i++) {
        note(sign);
        if (i % 3 == 0 && !bight_call_pending(&call.call))
            ck_ok(bight_call_soon(&call.call));
        ck_ok(bight_yield());
    }
    bight_call_cancel(&call.call);
    return 0;
}

static int take_turns(void *arg)
{
    static char signs[TASKS];

    (void)arg;
    for (int i = 0; i < TASKS; i++) {
        signs[i] = (char)('!' + i);
        ck_ok(bight_spawn(NULL, note_turns, &signs[i]));
    }
    for (int i = 0; i < 30; i++)
        ck_ok(bight_yield());
    return 0;
}

static void the_order_is_the_same_with_and_without(void)
{
    for (int slow = 0; slow < 2; slow++) {
        trace = traces[slow];
        ck_ok(run(slow ? SLOW_MS : 0, take_turns, NULL));
    }
    ck_assert_uint_gt(strlen(trace), 5 * TASKS);
    ck_assert_str_eq(traces[0], traces[1]);
    ck_assert_str_eq(reports, "");
}

static const struct suite_case cases[] = {
    plain_case(a_step_that_takes_long_is_reported_with_its_task),
    plain_case(without_the_option_nothing_is),
    plain_case(calls_posts_and_hooks_are_measured_too),
    plain_case(the_order_is_the_same_with_and_without),
};

test_suite("slow", cases);
