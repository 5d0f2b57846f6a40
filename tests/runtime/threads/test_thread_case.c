/* runtime/threads/thread_case.c: what other threads give, in a select. What is given by a thread
 * here is on its way when the thread has been joined, since the loop has not come round yet. The
 * end of a submission is in test_submission_case.c, many threads are in test_thread_case_many.c. */
#include <bight.h>
#include <pthread.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static char items[8];
static struct bight_thread_queue *queue;

static void in_thread(void *(*body)(void *arg), void *arg)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, body, arg), 0);
    pthread_join(thread, NULL);
}

static void *try_put(void *item)
{
    ck_ok(bight_thread_queue_try_put(queue, item));
    return NULL;
}

static void *try_get(void *item)
{
    void *got;

    ck_ok(bight_thread_queue_try_get(queue, &got));
    ck_assert_ptr_eq(got, item);
    return NULL;
}

static void *close_queue(void *arg)
{
    bight_thread_queue_close(queue);
    return arg;
}

static void open_queue(size_t capacity)
{
    ck_ok(bight_thread_queue_new(&queue, capacity, NULL, NULL));
}

static void end_queue(size_t length)
{
    ck_assert_uint_eq(bight_thread_queue_length(queue), length);
    bight_thread_queue_unref(queue);
}

/* A task that selects: the queue, an event, or a time. */
struct chooser {
    struct bight_task *task;
    struct bight_event event;
    void *item; /* to put; NULL: it gets one */
    int64_t sleep_ms;
    struct bight_case cases[3];
    int chosen;
    bool done;
};

static int choose(void *arg)
{
    struct chooser *chooser = arg;

    if (chooser->item)
        bight_case_thread_queue_put(&chooser->cases[0], queue, chooser->item);
    else
        bight_case_thread_queue_get(&chooser->cases[0], queue);
    bight_case_event(&chooser->cases[1], &chooser->event);
    bight_case_sleep(&chooser->cases[2], chooser->sleep_ms);
    chooser->chosen = bight_select(chooser->cases, 3, 0);
    chooser->done = true;
    return chooser->chosen < 0 ? chooser->chosen : 0;
}

/* It sleeps in its select. */
static void begin(struct chooser *chooser, void *item, int64_t sleep_ms)
{
    *chooser = (struct chooser){.item = item, .sleep_ms = sleep_ms, .chosen = -1};
    bight_event_init(&chooser->event);
    ck_ok(bight_spawn(&chooser->task, choose, chooser));
    world_settle();
    ck_assert(!chooser->done);
}

static void joined(struct chooser *chooser, int status)
{
    int was;

    ck_ok(bight_join(chooser->task, &was));
    ck_code(was, status);
}

static void got(struct chooser *chooser, const void *item)
{
    joined(chooser, 0);
    ck_assert_int_eq(chooser->chosen, 0);
    ck_ok(chooser->cases[0].status);
    ck_assert_ptr_eq(chooser->cases[0].value, item);
}

static void still_waits(const struct chooser *chooser)
{
    ck_ok(bight_sleep(1)); /* the loop has come round */
    ck_assert(!chooser->done);
}

/* Ready at once, or not at all */

static int without_waiting(void *arg)
{
    struct bight_case cases[2];

    (void)arg;
    open_queue(1);
    bight_case_thread_queue_get(&cases[0], queue);
    bight_case_thread_queue_put(&cases[1], queue, &items[0]);
    ck_code(bight_select(cases, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    ck_assert_ptr_null(cases[0].value);
    ck_assert_int_eq(bight_select(cases, 2, BIGHT_SELECT_ORDERED), 1);
    ck_ok(cases[1].status);
    ck_code(bight_select(&cases[1], 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    ck_ok(bight_select(cases, 2, BIGHT_SELECT_ORDERED));
    ck_assert_ptr_eq(cases[0].value, &items[0]);
    ck_ok(bight_thread_queue_try_put(queue, &items[1]));
    bight_thread_queue_close(queue);
    ck_assert_int_eq(bight_select(&cases[1], 1, 0), 0);
    ck_code(cases[1].status, BIGHT_ECLOSED);
    ck_ok(bight_select(cases, 1, 0));
    ck_ok(cases[0].status);
    ck_assert_ptr_eq(cases[0].value, &items[1]);
    ck_ok(bight_select(cases, 1, 0));
    ck_code(cases[0].status, BIGHT_ECLOSED);
    end_queue(0);
    return 0;
}

/* Given by a thread, and by a task */

static int given(void *arg)
{
    struct chooser chooser;

    (void)arg;
    open_queue(1);
    begin(&chooser, NULL, -1);
    in_thread(try_put, &items[0]);
    got(&chooser, &items[0]);
    begin(&chooser, NULL, -1);
    try_put(&items[1]);
    got(&chooser, &items[1]);
    try_put(&items[2]);
    begin(&chooser, &items[3], -1);
    in_thread(try_get, &items[2]);
    got(&chooser, &items[3]);
    begin(&chooser, &items[4], -1);
    try_get(&items[3]);
    got(&chooser, &items[4]);
    end_queue(1);
    return 0;
}

static int closed(void *arg)
{
    struct chooser getters[2], putter;

    (void)arg;
    open_queue(1);
    begin(&getters[0], NULL, -1);
    begin(&getters[1], NULL, -1);
    in_thread(close_queue, NULL);
    for (int i = 0; i < 2; i++) {
        joined(&getters[i], 0);
        ck_code(getters[i].cases[0].status, BIGHT_ECLOSED);
    }
    end_queue(0);
    open_queue(1);
    try_put(&items[0]);
    begin(&putter, &items[1], -1);
    in_thread(close_queue, NULL);
    joined(&putter, 0);
    ck_code(putter.cases[0].status, BIGHT_ECLOSED);
    end_queue(1);
    return 0;
}

/* Those that wait in the calls themselves are a source as well as the ring. */

static int waits_to_put(void *item)
{
    return bight_thread_queue_put(queue, item, -1);
}

static int waits_to_get(void *item)
{
    void *had;
    int rc = bight_thread_queue_get(queue, &had, -1);

    ck_assert_ptr_eq(had, item);
    return rc;
}

static int from_hand_to_hand(void *arg)
{
    struct chooser chooser;

    (void)arg;
    open_queue(0);
    begin(&chooser, NULL, -1);
    ck_code(bight_thread_queue_put(queue, &items[0], 0), BIGHT_ETIMEDOUT);
    still_waits(&chooser);
    ck_ok(bight_spawn(NULL, waits_to_put, &items[0]));
    got(&chooser, &items[0]);
    begin(&chooser, &items[1], -1);
    ck_ok(bight_spawn(NULL, waits_to_get, &items[1]));
    got(&chooser, &items[1]);
    /* Ready at once. */
    ck_ok(bight_spawn(NULL, waits_to_get, &items[2]));
    world_settle();
    struct bight_case one;
    bight_case_thread_queue_put(&one, queue, &items[2]);
    ck_ok(bight_select(&one, 1, BIGHT_SELECT_TRY));
    world_settle();
    end_queue(0);
    return 0;
}

/* More wait to put than there are items in the ring: each is told of. */
static int behind_the_ring(void *arg)
{
    struct chooser choosers[3];

    (void)arg;
    open_queue(1);
    for (int i = 0; i < 3; i++)
        begin(&choosers[i], NULL, -1);
    try_put(&items[0]);
    for (int i = 1; i < 3; i++)
        ck_ok(bight_spawn(NULL, waits_to_put, &items[i]));
    for (int i = 0; i < 3; i++)
        got(&choosers[i], &items[i]);
    end_queue(0);
    return 0;
}

static int served_behind(void *arg)
{
    struct chooser chooser;

    (void)arg;
    open_queue(1);
    begin(&chooser, NULL, -1);
    ck_ok(bight_spawn(NULL, waits_to_get, &items[0]));
    world_settle();
    in_thread(try_put, &items[0]); /* it goes to the one that waits in the call */
    still_waits(&chooser);
    in_thread(try_put, &items[1]);
    got(&chooser, &items[1]);
    end_queue(0);
    return 0;
}

/* Another was faster */

static int outrun(void *arg)
{
    struct chooser choosers[2];

    (void)arg;
    open_queue(1);
    begin(&choosers[0], NULL, -1);
    begin(&choosers[1], NULL, -1);
    in_thread(try_put, &items[0]);
    in_thread(try_get, &items[0]);
    still_waits(&choosers[0]);
    ck_assert(!choosers[1].done);
    in_thread(try_put, &items[1]);
    got(&choosers[0], &items[1]); /* it kept its place */
    try_put(&items[2]);
    got(&choosers[1], &items[2]);
    try_put(&items[3]);
    begin(&choosers[0], &items[4], -1);
    try_get(&items[3]);
    try_put(&items[5]);
    still_waits(&choosers[0]);
    try_get(&items[5]);
    got(&choosers[0], &items[4]);
    end_queue(1);
    return 0;
}

/* What is on its way to one that lets go reaches the next, or stays where it is. */

static int let_go(void *arg)
{
    struct chooser choosers[2];

    (void)arg;
    open_queue(2);
    begin(&choosers[0], NULL, -1);
    begin(&choosers[1], NULL, -1);
    in_thread(try_put, &items[0]);
    bight_task_cancel(choosers[0].task);
    joined(&choosers[0], BIGHT_ECANCELED);
    ck_assert_ptr_null(choosers[0].cases[0].value);
    got(&choosers[1], &items[0]);
    /* Another case of the same select is faster, a time or an event. */
    begin(&choosers[0], NULL, -1);
    begin(&choosers[1], NULL, -1);
    in_thread(try_put, &items[1]);
    bight_event_set(&choosers[0].event);
    joined(&choosers[0], 0);
    ck_assert_int_eq(choosers[0].chosen, 1);
    got(&choosers[1], &items[1]);
    begin(&choosers[0], NULL, 5);
    still_waits(&choosers[0]);
    joined(&choosers[0], 0);
    ck_assert_int_eq(choosers[0].chosen, 2);
    /* Nobody is left to be told. */
    begin(&choosers[0], NULL, -1);
    in_thread(try_put, &items[2]);
    bight_task_cancel(choosers[0].task);
    joined(&choosers[0], BIGHT_ECANCELED);
    end_queue(1);
    ck_ok(bight_sleep(1)); /* what had been posted looks at nothing that is gone */
    return 0;
}

static int get_for_5_ms(void *arg)
{
    struct bight_case one;

    (void)arg;
    bight_case_thread_queue_get(&one, queue);
    return bight_select(&one, 1, 0);
}

static int out_of_time(void *arg)
{
    uint64_t begin_ns = bight_now_ns();

    open_queue(1);
    ck_code(bight_timeout(5, get_for_5_ms, arg), BIGHT_ETIMEDOUT);
    ck_assert_uint_ge(bight_now_ns() - begin_ns, 5000000);
    in_thread(try_put, &items[0]);
    ck_ok(bight_timeout(5, get_for_5_ms, arg));
    end_queue(0);
    return 0;
}

/* Each place, too, is told to one. */
static int several_put(void *arg)
{
    struct chooser choosers[3];

    (void)arg;
    open_queue(2);
    try_put(&items[0]);
    try_put(&items[1]);
    for (int i = 0; i < 3; i++)
        begin(&choosers[i], &items[2 + i], -1);
    in_thread(try_get, &items[0]);
    in_thread(try_get, &items[1]);
    got(&choosers[0], &items[2]);
    got(&choosers[1], &items[3]);
    still_waits(&choosers[2]);
    bight_task_cancel(choosers[2].task);
    joined(&choosers[2], BIGHT_ECANCELED);
    end_queue(2);
    return 0;
}

/* Both ends, and one end twice, in one select */
static int twice(void *arg)
{
    struct bight_thread_queue *other;
    struct bight_case cases[3];
    int chosen;

    (void)arg;
    open_queue(1);
    ck_ok(bight_thread_queue_new(&other, 1, NULL, NULL));
    ck_ok(bight_thread_queue_try_put(other, &items[0]));
    bight_case_thread_queue_get(&cases[0], queue);
    bight_case_thread_queue_get(&cases[1], queue);
    bight_case_thread_queue_put(&cases[2], other, &items[1]);
    ck_ok(bight_spawn(NULL, waits_to_put, &items[2]));
    chosen = bight_select(cases, 3, 0);
    ck_assert(chosen == 0 || chosen == 1);
    ck_assert_ptr_eq(cases[chosen].value, &items[2]);
    ck_assert_ptr_null(cases[1 - chosen].value);
    ck_assert_uint_eq(bight_thread_queue_length(other), 1);
    bight_thread_queue_unref(other);
    end_queue(0);
    return 0;
}

/* Something happens between the attempt of the first case and its arming: the second case does it,
 * when it is tried, and never happens itself. */

static bool meddle(struct bight_case *chosen)
{
    in_thread(*(void *(**)(void *))chosen->source, &items[0]);
    return false;
}

static int meddle_arm(struct bight_case *chosen)
{
    (void)chosen;
    return 0;
}

static int meddle_abort(struct bight_waiter *waiter)
{
    (void)waiter;
    return 0;
}

static const struct bight_waiter_ops meddle_wait = {.name = "meddler", .abort = meddle_abort};
static const struct bight_case_ops meddle_ops = {
    .wait = &meddle_wait,
    .attempt = meddle,
    .arm = meddle_arm,
};

static int between(void *arg)
{
    void *(*acts[3])(void *) = {try_put, try_get, close_queue};
    struct bight_case cases[2];

    (void)arg;
    open_queue(1);
    bight_case_thread_queue_get(&cases[0], queue);
    bight_case_custom(&cases[1], &meddle_ops, &acts[0]);
    ck_ok(bight_select(cases, 2, BIGHT_SELECT_ORDERED));
    ck_ok(cases[0].status);
    ck_assert_ptr_eq(cases[0].value, &items[0]);
    try_put(&items[0]);
    bight_case_thread_queue_put(&cases[0], queue, &items[1]);
    bight_case_custom(&cases[1], &meddle_ops, &acts[1]);
    ck_ok(bight_select(cases, 2, BIGHT_SELECT_ORDERED));
    ck_ok(cases[0].status);
    try_get(&items[1]);
    bight_case_thread_queue_get(&cases[0], queue);
    bight_case_custom(&cases[1], &meddle_ops, &acts[2]);
    ck_ok(bight_select(cases, 2, BIGHT_SELECT_ORDERED));
    ck_code(cases[0].status, BIGHT_ECLOSED);
    end_queue(0);
    return 0;
}

/* The end of the runtime */

static int leave_waiting(void *arg)
{
    static struct chooser choosers[2];

    (void)arg;
    begin(&choosers[0], NULL, -1);
    begin(&choosers[1], NULL, -1);
    bight_task_detach(choosers[0].task);
    bight_task_detach(choosers[1].task);
    in_thread(try_put, &items[0]);
    return 0;
}

static void a_runtime_that_ends_leaves_no_case_behind(void)
{
    open_queue(3);
    ck_ok(world_run(leave_waiting, NULL, NULL));
    in_thread(try_put, &items[1]);
    bight_thread_queue_close(queue);
    end_queue(2);
}

static const struct suite_case cases[] = {
    world_case(what_is_there_is_taken_at_once, without_waiting),
    world_case(what_a_thread_or_a_task_gives_ends_the_select, given),
    world_case(a_select_is_told_when_the_queue_is_closed, closed),
    world_case(without_places_it_meets_who_waits_in_the_call, from_hand_to_hand),
    world_case(those_who_wait_to_put_behind_the_ring_are_told_of_too, behind_the_ring),
    world_case(who_waits_in_the_call_comes_first, served_behind),
    world_case(when_another_was_faster_it_goes_on_waiting_in_its_place, outrun),
    world_case(what_was_on_its_way_to_one_that_lets_go_reaches_the_next, let_go),
    world_case(a_deadline_ends_the_select, out_of_time),
    world_case(each_place_is_told_to_one_that_puts, several_put),
    world_case(one_queue_may_be_in_a_select_twice, twice),
    world_case(what_comes_between_the_attempt_and_the_wait_is_seen, between),
    plain_case(a_runtime_that_ends_leaves_no_case_behind),
};

test_suite("thread_case", cases);
