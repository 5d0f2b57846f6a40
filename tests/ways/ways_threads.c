/* See ways.h. Waits for something that other threads give; each is woken by a task of the same
 * runtime in one row, and by a thread in the next. */
#include "tests/ways/ways.h"

#include <check.h>
#include <pthread.h>

#include "coro/core/task.h"

static int item;

/* Do `fn` in another thread, and see it done. */
static void in_thread(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, fn, arg), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* Queues */

static void queue_open(struct stage *stage)
{
    ck_assert_int_eq(bight_thread_queue_new(&stage->thread_queue, 1, NULL, NULL), 0);
}

static void full_queue_open(struct stage *stage)
{
    queue_open(stage);
    ck_assert_int_eq(bight_thread_queue_try_put(stage->thread_queue, &item), 0);
}

static int put_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_thread_queue_put(seat->stage->thread_queue, seat, -1);
}

static int put_timeout_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_thread_queue_put(seat->stage->thread_queue, seat, 60000);
}

static void put_wake(struct stage *stage)
{
    void *got;

    ck_assert_int_eq(bight_thread_queue_try_get(stage->thread_queue, &got), 0);
}

static void *take_one(void *stage)
{
    put_wake(stage);
    return NULL;
}

static void put_wake_from_thread(struct stage *stage)
{
    in_thread(take_one, stage);
}

static void put_close(struct stage *stage)
{
    ck_assert_uint_eq(bight_thread_queue_length(stage->thread_queue),
                      1 + stage->taken - stage->given);
    bight_thread_queue_unref(stage->thread_queue);
}

static int got(struct seat *seat, int rc)
{
    ck_assert_ptr_eq(seat->item, rc ? NULL : &item);
    return rc;
}

static int get_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return got(seat, bight_thread_queue_get(seat->stage->thread_queue, &seat->item, -1));
}

static int get_timeout_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return got(seat, bight_thread_queue_get(seat->stage->thread_queue, &seat->item, 60000));
}

static void get_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_thread_queue_try_put(stage->thread_queue, &item), 0);
}

static void *give_one(void *stage)
{
    get_wake(stage);
    return NULL;
}

static void get_wake_from_thread(struct stage *stage)
{
    in_thread(give_one, stage);
}

static void get_close(struct stage *stage)
{
    ck_assert_uint_eq(bight_thread_queue_length(stage->thread_queue), stage->given - stage->taken);
    bight_thread_queue_unref(stage->thread_queue);
}

/* Events */

static void event_open(struct stage *stage)
{
    ck_assert_int_eq(bight_thread_event_new(&stage->thread_event), 0);
}

static int event_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_thread_event_wait(seat->stage->thread_event, -1);
}

static int event_timeout_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_thread_event_wait(seat->stage->thread_event, 60000);
}

static void event_wake(struct stage *stage)
{
    bight_thread_event_set(stage->thread_event);
}

static void *set_event(void *stage)
{
    event_wake(stage);
    return NULL;
}

static void event_wake_from_thread(struct stage *stage)
{
    in_thread(set_event, stage);
}

static void event_close(struct stage *stage)
{
    ck_assert_int_eq(bight_thread_event_is_set(stage->thread_event), stage->given > 0);
    bight_thread_event_unref(stage->thread_event);
}

/* Submissions: the submitted task waits for the event. */

static int wait_submitted(void *stage)
{
    return bight_thread_event_wait(((struct stage *)stage)->thread_event, -1);
}

static void submission_open(struct stage *stage)
{
    event_open(stage);
    ck_assert_int_eq(bight_mailbox_get(&stage->mailbox), 0);
    ck_assert_int_eq(bight_thread_submit(&stage->submission, stage->mailbox, wait_submitted, stage),
                     0);
    ck_assert_int_eq(bight_sleep(1), 0); /* it has begun when the virtual time passes */
}

static int submission_wait(struct seat *seat)
{
    int status = 1;

    seat->stage->no_memory = true;
    int rc = bight_submission_wait(seat->stage->submission, 60000, &status);
    ck_assert_int_eq(status, rc ? 1 : 0);
    return rc;
}

static void submission_close(struct stage *stage)
{
    event_wake(stage);
    ck_assert_int_eq(bight_submission_wait(stage->submission, -1, NULL), 0);
    bight_submission_unref(stage->submission);
    bight_thread_event_unref(stage->thread_event);
    bight_mailbox_unref(stage->mailbox);
}

/* Selects, beside a case that never happens */

static int select_wait(struct seat *seat, struct bight_case *cases)
{
    bight_case_sleep(&cases[1], -1);
    seat->stage->no_memory = true;
    int rc = bight_select(cases, 2, 0);

    if (rc == 0)
        ck_assert_int_eq(cases[0].status, 0);
    return rc;
}

static int put_case_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_thread_queue_put(&cases[0], seat->stage->thread_queue, seat);
    return select_wait(seat, cases);
}

static int get_case_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_thread_queue_get(&cases[0], seat->stage->thread_queue);
    int rc = select_wait(seat, cases);
    ck_assert_ptr_eq(cases[0].value, rc ? NULL : &item);
    return rc;
}

static int submission_case_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_submission(&cases[0], seat->stage->submission);
    return select_wait(seat, cases);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way thread_ways[] = {
    {"bight_thread_queue_put", 2, 0, true, 0, full_queue_open, put_wait, put_wake, NULL, put_close},
    {"bight_thread_queue_put", 2, 0, true, 0, full_queue_open, put_wait, put_wake_from_thread, NULL,
     put_close},
    {"bight_thread_queue_put", 2, 0, true, 0, full_queue_open, put_timeout_wait,
     put_wake_from_thread, NULL, put_close},
    {"bight_thread_queue_get", 2, 0, true, 0, queue_open, get_wait, get_wake, NULL, get_close},
    {"bight_thread_queue_get", 2, 0, true, 0, queue_open, get_wait, get_wake_from_thread, NULL,
     get_close},
    {"bight_thread_queue_get", 2, 0, true, 0, queue_open, get_timeout_wait, get_wake_from_thread,
     NULL, get_close},
    {"bight_thread_event_wait", 2, 0, true, 0, event_open, event_wait, event_wake, NULL,
     event_close},
    {"bight_thread_event_wait", 2, 0, true, 0, event_open, event_wait, event_wake_from_thread, NULL,
     event_close},
    {"bight_thread_event_wait", 2, 0, true, 0, event_open, event_timeout_wait,
     event_wake_from_thread, NULL, event_close},
    {"bight_submission_wait", 2, 0, true, 0, submission_open, submission_wait,
     event_wake_from_thread, NULL, submission_close},
    {"bight_select", 2, 0, true, 0, full_queue_open, put_case_wait, put_wake, NULL, put_close},
    {"bight_select", 2, 0, true, 0, full_queue_open, put_case_wait, put_wake_from_thread, NULL,
     put_close},
    {"bight_select", 2, 0, true, 0, queue_open, get_case_wait, get_wake, NULL, get_close},
    {"bight_select", 2, 0, true, 0, queue_open, get_case_wait, get_wake_from_thread, NULL,
     get_close},
    {"bight_select", 2, 0, true, 0, submission_open, submission_case_wait, event_wake_from_thread,
     NULL, submission_close},
};

const struct way_table thread_way_table = {thread_ways,
                                           sizeof(thread_ways) / sizeof(thread_ways[0])};
