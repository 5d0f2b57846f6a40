/* Calls: made outside of tasks, in one order with the tasks that are ready, once each. */
#include <bight.h>
#include <bight/uv.h>

#include "tests/harness/random.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static char trace[64];
static size_t traced;

static void note(char letter)
{
    ck_assert_uint_lt(traced, sizeof(trace) - 1);
    trace[traced++] = letter;
    trace[traced] = '\0';
}

static void trace_start(void)
{
    traced = 0;
    trace[0] = '\0';
}

struct noting {
    struct bight_call call;
    char letter;
};

static void note_call(struct bight_call *call)
{
    ck_assert_ptr_null(bight_self());
    ck_code(bight_yield(), BIGHT_ENOTASK);
    ck_assert(!bight_call_pending(call));
    note(((struct noting *)call)->letter);
}

static void noting_init(struct noting *noting, char letter)
{
    noting->letter = letter;
    bight_call_init(&noting->call, note_call);
}

static int note_task(void *arg)
{
    note(*(const char *)arg);
    return 0;
}

static int mixed(void *arg)
{
    struct noting a, c, d;

    (void)arg;
    trace_start();
    noting_init(&a, 'a');
    noting_init(&c, 'c');
    noting_init(&d, 'd');
    ck_ok(bight_call_soon(&a.call));
    ck_ok(bight_spawn(NULL, note_task, "b"));
    ck_ok(bight_call_soon(&c.call));
    ck_ok(bight_call_soon(&d.call));
    ck_ok(bight_spawn(NULL, note_task, "e"));
    ck_assert_str_eq(trace, "");
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "abcde");
    return 0;
}

/* Random: everything that is queued draws a number, and numbers come out in order. */
static uint64_t drawn, last;
static unsigned left;
static uint64_t random_state;

static unsigned below(unsigned limit)
{
    return (unsigned)(test_random(&random_state) >> 20) % limit;
}

struct numbered {
    struct bight_call call;
    uint64_t number;
};

static struct numbered numbereds[50];

static void in_order(uint64_t number)
{
    ck_assert_uint_gt(number, last);
    last = number;
}

static void queue_some(void)
{
    for (unsigned i = below(4); i > 0; i--) {
        struct numbered *numbered = &numbereds[below(50)];
        uint64_t number = drawn + 1;
        int rc = bight_call_soon(&numbered->call);

        ck_assert(rc == 0 || rc == BIGHT_EALREADY);
        if (rc == 0)
            numbered->number = drawn = number;
    }
    if (below(3) == 0)
        bight_call_cancel(&numbereds[below(50)].call);
}

static void numbered_call(struct bight_call *call)
{
    in_order(((struct numbered *)call)->number);
    if (left)
        queue_some();
}

static int numbered_task(void *arg)
{
    (void)arg;
    while (left) {
        uint64_t number;

        left--;
        queue_some();
        number = ++drawn;
        ck_ok(bight_yield());
        in_order(number);
    }
    return 0;
}

static int many_in_order(struct bight_group *group, void *arg)
{
    (void)arg;
    for (int i = 0; i < 7; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, numbered_task, NULL));
    return 0;
}

static int run_many_in_order(void *arg)
{
    for (int i = 0; i < 50; i++)
        bight_call_init(&numbereds[i].call, numbered_call);
    left = 20000;
    random_state = 88172645463325252u;
    return bight_group_run(many_in_order, arg);
}

static void a_long_random_mixture_keeps_the_order(void)
{
    ck_ok(world_run(run_many_in_order, NULL, NULL));
    ck_assert_uint_gt(last, 20000);
}

static int once_each(void *arg)
{
    struct noting a, b;

    (void)arg;
    trace_start();
    noting_init(&a, 'a');
    noting_init(&b, 'b');
    ck_assert(!bight_call_cancel(&a.call));
    b.call.fn = NULL;
    ck_code(bight_call_soon(&b.call), BIGHT_EINVAL);
    ck_code(bight_call_later(&b.call, 1), BIGHT_EINVAL);
    ck_assert(!bight_call_pending(&b.call));
    noting_init(&b, 'b');
    ck_ok(bight_call_soon(&a.call));
    ck_code(bight_call_soon(&a.call), BIGHT_EALREADY);
    ck_code(bight_call_later(&a.call, 5), BIGHT_EALREADY);
    ck_ok(bight_call_soon(&b.call));
    ck_assert(bight_call_cancel(&a.call));
    ck_assert(!bight_call_pending(&a.call));
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "b");
    ck_ok(bight_call_soon(&a.call));
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "ba");
    return 0;
}

static int in_time(void *arg)
{
    struct noting late, early, past, older, never;
    uint64_t begin = bight_now_ns();

    (void)arg;
    trace_start();
    noting_init(&late, 'l');
    noting_init(&early, 'e');
    noting_init(&past, 'p');
    noting_init(&older, 'o');
    noting_init(&never, 'n');
    ck_ok(bight_call_later(&late.call, 20));
    ck_ok(bight_call_at(&early.call, begin + 10000000));
    ck_assert_uint_eq(bight_call_when_ns(&early.call), begin + 10000000);
    ck_ok(bight_call_later(&past.call, -1));
    ck_ok(bight_call_later(&older.call, -2));
    ck_ok(bight_call_later(&never.call, 15));
    ck_code(bight_call_later(&never.call, 16), BIGHT_EALREADY);
    ck_assert(bight_call_cancel(&never.call));
    ck_code(bight_call_later(&never.call, INT64_MAX), BIGHT_ERANGE);
    ck_code(bight_call_at(&never.call, UINT64_MAX), BIGHT_ERANGE);
    ck_assert_str_eq(trace, "");
    ck_ok(bight_sleep(10));
    ck_assert_str_eq(trace, "ope");
    ck_ok(bight_sleep(10));
    ck_assert_str_eq(trace, "opel");
    return 0;
}

/* A call that queues itself for ever lets tasks and libuv have their turns. */
static unsigned again;

static void queue_again(struct bight_call *call)
{
    again++;
    ck_ok(bight_call_soon(call));
}

static void on_uv_timer(uv_timer_t *timer)
{
    bight_event_set(timer->data);
}

static int beside_the_busy(void *arg)
{
    struct bight_call call;
    struct bight_event event;
    uv_timer_t timer;

    (void)arg;
    bight_call_init(&call, queue_again);
    bight_event_init(&event);
    uv_timer_init(bight_uv_loop(), &timer);
    timer.data = &event;
    uv_timer_start(&timer, on_uv_timer, 1, 0);
    ck_ok(bight_call_soon(&call));
    ck_ok(bight_event_wait(&event));
    ck_ok(bight_yield());
    ck_ok(bight_uv_close((uv_handle_t *)&timer));
    ck_assert(bight_call_cancel(&call));
    ck_assert_uint_gt(again, 1);
    return 0;
}

static struct bight_call left_over;

static int leave_a_call(void *arg)
{
    (void)arg;
    again = 0;
    bight_call_init(&left_over, queue_again);
    return bight_call_soon(&left_over);
}

static void what_is_queued_at_the_end_is_made_once_and_forgotten(void)
{
    ck_ok(world_run(leave_a_call, NULL, NULL));
    ck_assert_uint_ge(again, 1);
    ck_assert(!bight_call_pending(&left_over));
    ck_code(bight_call_soon(&left_over), BIGHT_ENORUNTIME);
}

static int leave_an_armed_call(void *arg)
{
    (void)arg;
    bight_call_init(&left_over, queue_again);
    return bight_call_later(&left_over, 60000);
}

static void a_call_armed_at_the_end_is_not_pending_any_more(void)
{
    ck_ok(world_run(leave_an_armed_call, NULL, NULL));
    ck_assert(!bight_call_pending(&left_over));
    ck_assert(!bight_call_cancel(&left_over));
}

/* On a host's loop, what the host does while the runtime's handles are closing. */
static struct bight_call late;
static int late_times;

static void calls_late(uv_check_t *check)
{
    if (late_times++ == 0) {
        bight_call_init(&late, queue_again);
        ck_ok(bight_call_soon(&late));
    }
    uv_check_stop(check);
}

static void detached(void *arg)
{
    uv_close(arg, NULL);
}

static void a_call_queued_while_the_runtime_closes_is_forgotten(void)
{
    struct bight_runtime *runtime;
    uv_loop_t loop;
    uv_check_t check;

    ck_ok(uv_loop_init(&loop));
    ck_ok(bight_attach(&runtime, &loop, NULL));
    ck_ok(uv_check_init(&loop, &check));
    ck_ok(uv_check_start(&check, calls_late));
    again = 0;
    ck_ok(bight_detach(runtime, detached, &check));
    ck_ok(uv_run(&loop, UV_RUN_DEFAULT));
    ck_assert_int_eq(late_times, 1);
    ck_assert(!bight_call_pending(&late));
    ck_assert_uint_eq(again, 0);
    ck_ok(uv_loop_close(&loop));
}

static int nothing_else(void *arg)
{
    struct noting only;
    struct bight_event event;

    (void)arg;
    trace_start();
    noting_init(&only, 'x');
    bight_event_init(&event);
    ck_ok(bight_call_soon(&only.call));
    ck_code(bight_event_wait(&event), BIGHT_ECANCELED);
    ck_assert_str_eq(trace, "x"); /* before the stall was seen */
    return 0;
}

static void a_queued_call_is_no_deadlock_yet(void)
{
    struct world_reports reports;

    ck_code(world_run(nothing_else, NULL, &reports), BIGHT_ESTALLED);
}

/* Callbacks at the end of tasks */

struct ending {
    struct bight_task_callback callback;
    char letter;
};

static void note_end(struct bight_task_callback *callback)
{
    ck_assert_ptr_null(bight_self());
    note(((struct ending *)callback)->letter);
}

static int add_callbacks(void *arg)
{
    struct ending a = {.letter = 'a'}, b = {.letter = 'b'}, c = {.letter = 'c'},
                  d = {.letter = 'd'};
    int code = BIGHT_EIO, status = 7;
    struct bight_task *task;

    (void)arg;
    trace_start();
    ck_ok(bight_spawn(&task, world_return, &code));
    ck_code(bight_task_status(task, &status), BIGHT_EAGAIN);
    ck_assert_int_eq(status, 7);
    ck_ok(bight_task_add_callback(task, &a.callback, note_end));
    ck_ok(bight_task_add_callback(task, &b.callback, note_end));
    ck_ok(bight_task_add_callback(task, &c.callback, note_end));
    ck_code(bight_task_add_callback(task, &d.callback, NULL), BIGHT_EINVAL);
    ck_assert(bight_task_remove_callback(&b.callback));
    ck_assert(!bight_task_remove_callback(&b.callback));
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "");
    ck_assert(bight_task_remove_callback(&c.callback));
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "a");
    ck_assert_int_eq(a.callback.status, BIGHT_EIO);
    ck_ok(bight_task_status(task, &status));
    ck_assert_int_eq(status, BIGHT_EIO);
    ck_ok(bight_task_add_callback(task, &d.callback, note_end));
    ck_ok(bight_join(task, NULL));
    ck_assert_str_eq(trace, "a");
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "ad");
    ck_assert_int_eq(d.callback.status, BIGHT_EIO);
    return 0;
}

static void start_again(struct bight_task_callback *callback)
{
    ck_assert_int_eq(callback->status, 0);
    note('e');
}

static int without_a_handle(void *arg)
{
    static struct bight_task_callback callback;

    return bight_task_add_callback(bight_self(), arg ? arg : &callback, start_again);
}

static int callback_of_oneself(void *arg)
{
    (void)arg;
    trace_start();
    ck_ok(bight_spawn(NULL, without_a_handle, NULL));
    ck_ok(bight_yield());
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "e");
    return 0;
}

static int takes_its_turn(void *turn)
{
    *(bool *)turn = true;
    return 0;
}

/* Operations that a task completes between queueing a call and taking it back. */
static int queues_and_takes_back(void *arg)
{
    struct noting noting;
    bool turn = false;
    unsigned steps = 0;

    (void)arg;
    trace_start();
    noting_init(&noting, 'c');
    ck_ok(bight_spawn(NULL, takes_its_turn, &turn));
    while (!turn) {
        steps += 3;
        ck_assert_uint_lt(steps, 1000);
        ck_ok(bight_call_soon(&noting.call));
        for (int i = 0; i < 3; i++)
            ck_ok(bight_checkpoint());
        ck_assert(bight_call_cancel(&noting.call) || turn);
    }
    ck_assert_uint_ge(steps, 120);
    ck_assert_uint_le(steps, 132); /* 128, and the rest of a round */
    return 0;
}

static const struct suite_case cases[] = {
    world_case(calls_and_ready_tasks_take_turns_in_one_order, mixed),
    plain_case(a_long_random_mixture_keeps_the_order),
    world_case(a_call_is_made_once_and_can_be_taken_back, once_each),
    world_case(timed_calls_come_in_the_order_of_their_times, in_time),
    body_case(a_call_that_queues_itself_starves_nobody, bight_run, beside_the_busy),
    plain_case(what_is_queued_at_the_end_is_made_once_and_forgotten),
    plain_case(a_call_armed_at_the_end_is_not_pending_any_more),
    plain_case(a_call_queued_while_the_runtime_closes_is_forgotten),
    plain_case(a_queued_call_is_no_deadlock_yet),
    world_case(operations_count_beside_calls_that_are_taken_back, queues_and_takes_back),
    world_case(callbacks_come_after_the_end_in_the_order_they_were_added, add_callbacks),
    world_case(a_task_without_a_handle_has_callbacks_too, callback_of_oneself),
};

test_suite("call", cases);
