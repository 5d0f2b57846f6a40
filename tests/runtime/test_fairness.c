/* coro/core/pace.c and those who ask it: whatever steps are made of, nothing waits longer than a
 * slice and two steps, or 16 where steps differ. Steps spend virtual time, by a clock that does not
 * tell the runtime so. In real time: test_fairness_real.c. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#define SLICE_MS 10
#define SLICE_US (SLICE_MS * 1000)
#define WAIT_MS 500
#define STEPS_MOST 100000

struct work {
    struct bight_test_clock clock;
    int64_t step_ms; /* most steps */
    int64_t long_ms; /* the others: */
    unsigned shorts; /* how many of the first come before */
    unsigned longs;  /* how many of these */
    unsigned steps;  /* so far */
    bool stop;
    uint64_t due_ns;
    int64_t late_ms;
    struct bight_queue *queue;
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct bight_semaphore semaphore;
    struct bight_mutex mutex;
    struct bight_event event;
    struct bight_call call;
    struct bight_post post;
    struct bight_mailbox *mailbox;
};

static void step(struct work *work)
{
    unsigned at = work->shorts + work->longs ? work->steps % (work->shorts + work->longs) : 0;
    bool is_long = work->longs && at >= work->shorts;

    ck_assert_uint_lt(work->steps++, STEPS_MOST);
    ck_assert_int_eq(
        bight_test_clock_advance(&work->clock, is_long ? work->long_ms : work->step_ms), 0);
}

/* Ways to work: one step between two calls that may suspend, until told to stop. */

static int yields(void *arg)
{
    struct work *work = arg;
    int rc = 0;

    for (; !rc && !work->stop; rc = bight_yield())
        step(work);
    return rc;
}

static int checks(void *arg)
{
    struct work *work = arg;
    int rc = 0;

    for (; !rc && !work->stop; rc = bight_checkpoint())
        step(work);
    return rc;
}

static int waits_for_what_is_set(void *arg)
{
    struct work *work = arg;
    int rc = 0;

    for (; !rc && !work->stop; rc = bight_event_wait(&work->event))
        step(work);
    return rc;
}

static int takes_from_a_queue(void *arg)
{
    struct work *work = arg;
    void *item;

    while (!work->stop) {
        int rc = bight_queue_get(work->queue, &item);

        if (rc)
            return rc;
        step(work);
        ck_ok(bight_queue_try_put(work->queue, item));
    }
    return 0;
}

static int locks(void *arg)
{
    struct work *work = arg;

    while (!work->stop) {
        int rc = bight_mutex_lock(&work->mutex);

        if (rc)
            return rc;
        step(work);
        ck_ok(bight_mutex_unlock(&work->mutex));
    }
    return 0;
}

static int acquires(void *arg)
{
    struct work *work = arg;

    while (!work->stop) {
        int rc = bight_semaphore_acquire(&work->semaphore);

        if (rc)
            return rc;
        step(work);
        ck_ok(bight_semaphore_release(&work->semaphore));
    }
    return 0;
}

static int sends(void *arg)
{
    struct work *work = arg;
    void *item;

    while (!work->stop) {
        int rc = bight_channel_send(&work->sender, work);

        if (rc)
            return rc;
        step(work);
        rc = bight_channel_receive(&work->receiver, &item);
        if (rc)
            return rc;
    }
    return 0;
}

static void call_again(struct bight_call *call)
{
    struct work *work = bight_container_of(call, struct work, call);

    step(work);
    if (!work->stop)
        ck_ok(bight_call_soon(call));
}

static int calls(void *arg)
{
    struct work *work = arg;

    bight_call_init(&work->call, call_again);
    return bight_call_soon(&work->call);
}

static void post_again(struct bight_post *post)
{
    struct work *work = bight_container_of(post, struct work, post);

    step(work);
    if (!work->stop)
        ck_ok(bight_post_record(work->mailbox, post));
}

static int posts(void *arg)
{
    struct work *work = arg;

    work->post.fn = post_again;
    return bight_post_record(work->mailbox, &work->post);
}

static void work_open(struct work *work)
{
    ck_ok(bight_queue_new(&work->queue, 4));
    for (int i = 0; i < 4; i++)
        ck_ok(bight_queue_try_put(work->queue, work));
    ck_ok(bight_channel_open(&work->sender, &work->receiver,
                             &(struct bight_channel_options){.capacity = 1}));
    ck_ok(bight_semaphore_init(&work->semaphore, 1));
    bight_mutex_init(&work->mutex);
    bight_event_init(&work->event);
    bight_event_set(&work->event);
    ck_ok(bight_mailbox_get(&work->mailbox));
}

static void work_close(struct work *work)
{
    bight_queue_close(work->queue);
    ck_ok(bight_queue_free(work->queue));
    bight_sender_end(&work->sender);
    bight_receiver_end(&work->receiver);
    bight_mailbox_unref(work->mailbox);
}

static void due_in(struct work *work, int64_t wait_ms)
{
    work->due_ns = bight_test_clock_now_ns(&work->clock) + (uint64_t)wait_ms * 1000000;
}

static void came(struct work *work)
{
    work->late_ms = (int64_t)(bight_test_clock_now_ns(&work->clock) - work->due_ns) / 1000000;
    ck_assert_int_ge(work->late_ms, 0);
}

/* What is done by a task of its own beside a sleeper. */
struct beside {
    struct work *work;
    int (*fn)(void *arg);
};

static int sleeps_beside(void *arg)
{
    struct beside *beside = arg;
    struct work *work = beside->work;
    struct bight_task *task;

    work_open(work);
    due_in(work, WAIT_MS);
    ck_ok(bight_spawn(&task, beside->fn, work));
    ck_ok(bight_sleep(WAIT_MS));
    came(work);
    work->stop = true;
    ck_ok(bight_join(task, NULL));
    work_close(work);
    return 0;
}

static int times_out(void *arg)
{
    struct beside *beside = arg;
    struct work *work = beside->work;

    work_open(work);
    due_in(work, WAIT_MS);
    ck_code(bight_timeout(WAIT_MS, beside->fn, work), BIGHT_ETIMEDOUT);
    came(work);
    work_close(work);
    return 0;
}

static void run(struct work *work, int (*main)(void *arg), int (*fn)(void *arg))
{
    const struct bight_runtime_options runtime = {.slice_us = SLICE_US};
    struct beside beside = {work, fn};
    struct bight_test_options options = {.clock = &work->clock, .runtime = &runtime};

    bight_test_clock_init(&work->clock);
    bight_test_clock_set_autojump(&work->clock, 0);
    ck_ok(bight_test_run(&options, main, &beside, NULL));
}

static int (*const tasks[])(void *arg) = {
    yields, checks, waits_for_what_is_set, takes_from_a_queue, locks, acquires, sends};
static int (*const others[])(void *arg) = {calls, posts};
/* Around the length of a slice, and far from it. */
static const int64_t lengths_ms[] = {1, 3, 7, 10, 11, 50};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void equal(int (*main)(void *arg), int (*fn)(void *arg))
{
    for (size_t i = 0; i < COUNT(lengths_ms); i++) {
        struct work work = {.step_ms = lengths_ms[i]};

        run(&work, main, fn);
        ck_assert_int_le(work.late_ms, SLICE_MS + 2 * lengths_ms[i]);
    }
}

static void a_timer_waits_for_a_slice_and_two_steps(void)
{
    for (size_t i = 0; i < COUNT(tasks); i++)
        equal(sleeps_beside, tasks[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        equal(sleeps_beside, others[i]);
}

static void a_deadline_waits_for_a_slice_and_two_steps(void)
{
    for (size_t i = 0; i < COUNT(tasks); i++)
        equal(times_out, tasks[i]);
}

static void mixed(int (*main)(void *arg), int (*fn)(void *arg))
{
    static const struct {
        unsigned shorts, longs;
    } mixes[] = {{63, 1}, {15, 1}, {100, 100}, {1000, 40}, {7, 2}};

    for (size_t i = 0; i < COUNT(mixes); i++) {
        struct work work = {.shorts = mixes[i].shorts, .longs = mixes[i].longs, .long_ms = 40};

        run(&work, main, fn);
        ck_assert_int_le(work.late_ms, SLICE_MS + 16 * 40);
        ck_assert_uint_gt(work.steps, mixes[i].shorts);
    }
}

static void where_steps_differ_it_is_16_of_them(void)
{
    for (size_t i = 0; i < COUNT(tasks); i++) {
        mixed(sleeps_beside, tasks[i]);
        mixed(times_out, tasks[i]);
    }
    for (size_t i = 0; i < COUNT(others); i++)
        mixed(sleeps_beside, others[i]);
}

/* Order */

static int passes(void *arg)
{
    struct work *work = arg;

    for (int i = 0; i < 100; i++) {
        step(work);
        ck_ok(bight_checkpoint());
    }
    return 0;
}

static int looks_on(void *arg)
{
    struct work *work = arg;

    ck_assert_uint_eq(work->steps, 100);
    return 0;
}

static int stays_first(void *arg)
{
    struct beside *beside = arg;
    struct bight_task *first, *second;

    ck_ok(bight_spawn(&first, beside->fn, beside->work));
    ck_ok(bight_spawn(&second, looks_on, beside->work));
    ck_ok(bight_join(first, NULL));
    return bight_join(second, NULL);
}

static void a_slice_that_ends_changes_no_order(void)
{
    struct work work = {.step_ms = 50};

    run(&work, stays_first, passes);
}

static const struct suite_case cases[] = {
    plain_case(a_timer_waits_for_a_slice_and_two_steps),
    plain_case(a_deadline_waits_for_a_slice_and_two_steps),
    plain_case(where_steps_differ_it_is_16_of_them),
    plain_case(a_slice_that_ends_changes_no_order),
};

test_suite("fairness", cases);
