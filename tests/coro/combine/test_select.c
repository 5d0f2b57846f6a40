/* Select: exactly one case happens, the others leave no trace; by lot or in order; sources of
 * one's own. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/select.h>

#include "coro/core/task.h"
#include "coro/core/task.h"
#include "runtime/runtime.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

enum { JOIN, GET, PUT, EVENT, FUTURE, SLEEP, DEADLINE, KINDS };

/* One case of each kind, and what they wait for. */
struct sources {
    struct bight_case cases[KINDS];
    struct bight_event end; /* of the task */
    struct bight_task *task;
    struct bight_queue *empty;
    struct bight_queue *full;
    struct bight_event event;
    struct bight_future future;
};

static int ends_at_event(void *arg)
{
    int rc = bight_event_wait(arg);

    return rc ? rc : 7;
}

static void open_all(struct sources *all)
{
    bight_event_init(&all->end);
    bight_event_init(&all->event);
    bight_future_init(&all->future);
    ck_ok(bight_queue_new(&all->empty, 1));
    ck_ok(bight_queue_new(&all->full, 1));
    ck_ok(bight_queue_try_put(all->full, ITEM(1)));
    ck_ok(bight_spawn(&all->task, ends_at_event, &all->end));
    bight_case_join(&all->cases[JOIN], all->task);
    bight_case_get(&all->cases[GET], all->empty);
    bight_case_put(&all->cases[PUT], all->full, ITEM(2));
    bight_case_event(&all->cases[EVENT], &all->event);
    bight_case_future(&all->cases[FUTURE], &all->future);
    bight_case_sleep(&all->cases[SLEEP], 1000);
    bight_case_deadline(&all->cases[DEADLINE], bight_now_ns() + UINT64_C(2000000000));
}

static void make_happen(struct sources *all, int kind)
{
    void *item;

    if (kind == JOIN)
        bight_event_set(&all->end);
    if (kind == GET)
        ck_ok(bight_queue_try_put(all->empty, ITEM(5)));
    if (kind == PUT)
        ck_ok(bight_queue_try_get(all->full, &item));
    if (kind == EVENT)
        bight_event_set(&all->event);
    if (kind == FUTURE)
        ck_ok(bight_future_set(&all->future, ITEM(6)));
    if (kind == SLEEP)
        bight_case_sleep(&all->cases[SLEEP], 10);
    if (kind == DEADLINE)
        bight_case_deadline(&all->cases[DEADLINE], bight_now_ns() + 10000000);
}

/* Nothing is armed at any source, and only `kind` has happened. */
static void close_all(struct sources *all, int kind)
{
    void *item = NULL;

    ck_assert(link_empty(&all->event.waiters));
    ck_assert(link_empty(&all->future.watches));
    ck_assert(!all->task->ends.next || link_empty(&all->task->ends));
    ck_assert_uint_eq(bight__runtime()->wheel.armed, 0);
    ck_ok(bight_queue_try_get(all->full, &item));
    ck_assert_int_eq(NUMBER(item), kind == PUT ? 2 : 1);
    ck_code(bight_queue_try_get(all->empty, &item), BIGHT_EAGAIN);
    ck_ok(bight_queue_free(all->empty));
    ck_ok(bight_queue_free(all->full));
    bight_event_set(&all->end);
    ck_ok(bight_join(all->task, NULL));
}

static void check_result(struct sources *all, int kind)
{
    const struct bight_case *chosen = &all->cases[kind];

    ck_assert_int_eq(chosen->status, kind == JOIN ? 7 : 0);
    if (kind == GET)
        ck_assert_int_eq(NUMBER(chosen->value), 5);
    if (kind == FUTURE)
        ck_assert_int_eq(NUMBER(chosen->value), 6);
}

static int kind;

static int at_once(void *arg)
{
    struct sources all;

    (void)arg;
    open_all(&all);
    ck_code(bight_select(all.cases, KINDS, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    make_happen(&all, kind);
    if (kind == SLEEP)
        bight_case_sleep(&all.cases[SLEEP], 0);
    if (kind == DEADLINE)
        bight_case_deadline(&all.cases[DEADLINE], bight_now_ns());
    if (kind == JOIN)
        world_settle();
    ck_assert_int_eq(bight_select(all.cases, KINDS, BIGHT_SELECT_TRY), kind);
    check_result(&all, kind);
    close_all(&all, kind);
    return 0;
}

static void select_takes_what_can_happen_without_sleeping(int i)
{
    kind = i;
    ck_ok(world_run(at_once, NULL, NULL));
}

static int happens(void *arg)
{
    int rc = bight_yield();

    if (rc == 0)
        make_happen(arg, kind);
    return rc;
}

static int waited(void *arg)
{
    struct bight_task *task = NULL;
    struct sources all;

    (void)arg;
    open_all(&all);
    if (kind >= SLEEP)
        make_happen(&all, kind);
    else
        ck_ok(bight_spawn(&task, happens, &all));
    ck_assert_int_eq(bight_select(all.cases, KINDS, 0), kind);
    check_result(&all, kind);
    if (kind < SLEEP)
        ck_ok(bight_join(task, NULL));
    close_all(&all, kind);
    return 0;
}

static void select_sleeps_until_one_happens(int i)
{
    kind = i;
    ck_ok(world_run(waited, NULL, NULL));
}

static int none(void *arg)
{
    struct bight_scope scope;
    struct sources all;

    (void)arg;
    open_all(&all);
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_code(bight_scope_end(&scope, bight_select(all.cases, KINDS, 0)), BIGHT_ETIMEDOUT);
    ck_ok(bight_scope_begin(&scope, 0, 0)); /* before it begins, though something could happen */
    bight_event_set(&all.event);
    ck_code(bight_scope_end(&scope, bight_select(all.cases, KINDS, 0)), BIGHT_ETIMEDOUT);
    close_all(&all, EVENT);
    return 0;
}

/* All at the same time: one happens, the others stay as they are. */
static int everything(void *arg)
{
    unsigned flags = *(unsigned *)arg;
    int chosen[KINDS] = {0};

    for (int round = 0; round < 300; round++) {
        struct sources all;
        void *item = NULL;

        open_all(&all);
        for (int i = 0; i < KINDS; i++)
            make_happen(&all, i);
        world_settle();
        ck_ok(bight_sleep(20));
        int index = bight_select(all.cases, KINDS, flags);
        ck_assert_int_ge(index, 0);
        ck_assert_int_lt(index, KINDS);
        chosen[index]++;
        check_result(&all, index);
        ck_code(bight_queue_try_get(all.full, &item), index == PUT ? 0 : BIGHT_EAGAIN);
        ck_ok(bight_queue_try_put(all.full, ITEM(1)));
        ck_code(bight_queue_try_get(all.empty, &item), index == GET ? BIGHT_EAGAIN : 0);
        close_all(&all, JOIN);
    }
    ck_assert_int_eq(chosen[SLEEP], 0); /* counts from the call on */
    for (int i = 0; i < KINDS; i++)
        if (i != SLEEP)
            ck_assert(flags & BIGHT_SELECT_ORDERED ? chosen[i] == (i ? 0 : 300) : chosen[i] > 10);
    return 0;
}

static void select_chooses_by_lot_or_in_order(int i)
{
    unsigned flags = i ? BIGHT_SELECT_ORDERED : 0;

    ck_ok(world_run(everything, &flags, NULL));
}

static int with_codes(void *arg)
{
    struct bight_case cases[3];
    struct bight_queue *queue;
    struct bight_future future;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 1));
    bight_future_init(&future);
    ck_ok(bight_spawn(&task, world_forever, NULL));
    bight_case_get(&cases[0], queue);
    bight_case_future(&cases[1], &future);
    bight_case_join(&cases[2], task);
    bight_task_cancel(task);
    ck_assert_int_eq(bight_select(cases, 3, 0), 2);
    ck_code(cases[2].status, BIGHT_ECANCELED); /* the task's, not the call's */
    ck_ok(bight_checkpoint());
    ck_ok(bight_future_fail(&future, BIGHT_EIO));
    ck_assert_int_eq(bight_select(cases, 2, 0), 1);
    ck_code(cases[1].status, BIGHT_EIO);
    ck_assert_ptr_null(cases[1].value);
    bight_queue_close(queue);
    ck_assert_int_eq(bight_select(cases, 1, 0), 0);
    ck_code(cases[0].status, BIGHT_ECLOSED);
    bight_case_put(&cases[0], queue, ITEM(1));
    ck_assert_int_eq(bight_select(cases, 1, 0), 0);
    ck_code(cases[0].status, BIGHT_ECLOSED);
    ck_ok(bight_join(task, NULL));
    return bight_queue_free(queue);
}

static int closes(void *arg)
{
    bight_queue_close(arg);
    return 0;
}

static int closed_meanwhile(void *arg)
{
    struct bight_case cases[2];
    struct bight_queue *queue;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 1));
    ck_ok(bight_spawn(NULL, closes, queue));
    bight_case_get(&cases[0], queue);
    bight_case_sleep(&cases[1], 1000);
    ck_assert_int_eq(bight_select(cases, 2, 0), 0);
    ck_code(cases[0].status, BIGHT_ECLOSED);
    return bight_queue_free(queue);
}

static int refuses(void *arg)
{
    struct bight_case to;

    (void)arg;
    bight_case_sleep(&to, 0);
    ck_code(bight_select(&to, 0, 0), BIGHT_EINVAL);
    ck_code(bight_select(&to, 1, 4), BIGHT_EINVAL);
    ck_ok(bight_select(&to, 1, 0));
    bight_case_join(&to, bight_self());
    ck_code(bight_select(&to, 1, 0), BIGHT_EDEADLK);
    bight_case_sleep(&to, -1);
    ck_code(bight_select(&to, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    bight_case_deadline(&to, BIGHT_NO_DEADLINE);
    ck_code(bight_select(&to, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    return 0;
}

static void select_refuses_what_cannot_be(void)
{
    struct bight_case to;

    bight_case_sleep(&to, 0);
    ck_code(bight_select(&to, 1, 0), BIGHT_ENOTASK);
    ck_ok(world_run(refuses, NULL, NULL));
}

/* Both the item and the cancellation come before the task runs. */
struct seat {
    struct bight_case cases[2];
    int index;
};

static int sits(void *arg)
{
    struct seat *seat = arg;

    seat->index = bight_select(seat->cases, 2, 0);
    return bight_checkpoint();
}

static int woken_then_cancelled(void *arg)
{
    struct bight_queue *queue;
    struct bight_task *task;
    struct seat seat;
    int status;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 1));
    bight_case_get(&seat.cases[0], queue);
    bight_case_get(&seat.cases[1], queue); /* twice the same source */
    ck_ok(bight_spawn(&task, sits, &seat));
    world_settle();
    ck_ok(bight_queue_try_put(queue, ITEM(3)));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_ge(seat.index, 0);
    ck_assert_int_eq(NUMBER(seat.cases[seat.index].value), 3);
    /* The other way round the item stays. */
    ck_ok(bight_spawn(&task, sits, &seat));
    world_settle();
    bight_task_cancel(task);
    ck_ok(bight_queue_try_put(queue, ITEM(4)));
    ck_ok(bight_join(task, NULL));
    ck_code(seat.index, BIGHT_ECANCELED);
    ck_assert_uint_eq(bight_queue_length(queue), 1);
    bight_queue_abort(queue, NULL, NULL);
    return bight_queue_free(queue);
}

static const struct suite_case cases[] = {
    each_case(select_takes_what_can_happen_without_sleeping, KINDS),
    each_case(select_sleeps_until_one_happens, KINDS),
    world_case(select_that_is_cancelled_lets_none_happen, none),
    each_case(select_chooses_by_lot_or_in_order, 2),
    world_case(select_gives_the_code_of_its_source_as_the_status, with_codes),
    world_case(select_wakes_when_its_queue_is_closed, closed_meanwhile),
    plain_case(select_refuses_what_cannot_be),
    world_case(select_keeps_what_happened_before_the_cancellation, woken_then_cancelled),
};

test_suite("select", cases);
