/* See work.h. */
#include "tests/runtime/work.h"

#define STEPS_MOST 100000

void work_step(struct work *work)
{
    unsigned at = work->shorts + work->longs ? work->steps % (work->shorts + work->longs) : 0;
    bool is_long = work->longs && at >= work->shorts;

    ck_assert_uint_lt(work->steps++, STEPS_MOST);
    if (work->on_step)
        work->on_step(work);
    ck_assert_int_eq(
        bight_test_clock_advance(&work->clock, is_long ? work->long_ms : work->step_ms), 0);
}

/* Ways to work: one step between two calls that may suspend, until told to stop. */

static int yields(void *arg)
{
    struct work *work = arg;
    int rc = 0;

    for (; !rc && !work->stop; rc = bight_yield())
        work_step(work);
    return rc;
}

static int checks(void *arg)
{
    struct work *work = arg;
    int rc = 0;

    for (; !rc && !work->stop; rc = bight_checkpoint())
        work_step(work);
    return rc;
}

static int waits_for_what_is_set(void *arg)
{
    struct work *work = arg;
    int rc = 0;

    for (; !rc && !work->stop; rc = bight_event_wait(&work->event))
        work_step(work);
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
        work_step(work);
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
        work_step(work);
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
        work_step(work);
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
        work_step(work);
        rc = bight_channel_receive(&work->receiver, &item);
        if (rc)
            return rc;
    }
    return 0;
}

static void call_again(struct bight_call *call)
{
    struct work *work = bight_container_of(call, struct work, call);

    work_step(work);
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

    work_step(work);
    if (!work->stop)
        ck_ok(bight_post_record(work->mailbox, post));
}

static int posts(void *arg)
{
    struct work *work = arg;

    work->post.fn = post_again;
    return bight_post_record(work->mailbox, &work->post);
}

void work_open(struct work *work)
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

void work_close(struct work *work)
{
    bight_queue_close(work->queue);
    ck_ok(bight_queue_free(work->queue));
    bight_sender_end(&work->sender);
    bight_receiver_end(&work->receiver);
    bight_mailbox_unref(work->mailbox);
}

uint64_t work_now(const struct work *work)
{
    return bight_test_clock_now_ns(&work->clock);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

int (*const work_tasks[])(void *arg) = {
    yields, checks, waits_for_what_is_set, takes_from_a_queue, locks, acquires, sends};
int (*const work_others[])(void *arg) = {calls, posts};
const size_t work_task_count = COUNT(work_tasks), work_other_count = COUNT(work_others);

const int64_t work_lengths_ms[WORK_LENGTHS] = {1, 3, 7, 10, 11, 50};
const struct work_mix work_mixes[WORK_MIXES] = {{63, 1}, {15, 1}, {100, 100}, {1000, 40}, {7, 2}};

void work_run(struct work *work, int (*main)(void *arg), void *arg)
{
    const struct bight_runtime_options runtime = {.slice_us = SLICE_MS * 1000};
    struct bight_test_options options = {.clock = &work->clock, .runtime = &runtime};

    bight_test_clock_init(&work->clock);
    bight_test_clock_set_autojump(&work->clock, 0);
    ck_ok(bight_test_run(&options, main, arg, NULL));
}
