/* Cases of a select that meet: two selects at a rendezvous, one with itself, many with each
 * other; and sources of one's own. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/select.h>

#include "coro/base/list.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

static struct bight_queue *meeting_place(void)
{
    struct bight_queue *queue;

    ck_ok(bight_queue_new(&queue, 0));
    return queue;
}

/* A select that offers to put and to get on one queue. */
struct both {
    struct bight_queue *queue;
    struct bight_queue *other;
    int number;
    int index;
    int got;
};

static int offers_both(void *arg)
{
    struct both *both = arg;
    struct bight_case cases[3];

    bight_case_put(&cases[0], both->queue, ITEM(both->number));
    bight_case_get(&cases[1], both->queue);
    bight_case_get(&cases[2], both->other);
    both->index = bight_select(cases, 3, 0);
    both->got = both->index == 1 ? NUMBER(cases[1].value) : 0;
    return both->index < 0 ? both->index : 0;
}

static int alone(void *arg)
{
    struct both both = {.queue = meeting_place(), .other = meeting_place(), .number = 1};
    struct bight_task *task;
    struct bight_queue_stats stats;
    void *item;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, offers_both, &both));
    ck_ok(bight_sleep(1000));
    ck_assert(!bight_task_done(task)); /* it has not met itself */
    ck_ok(bight_queue_try_get(both.queue, &item));
    ck_assert_int_eq(NUMBER(item), 1);
    ck_code(bight_queue_try_put(both.queue, ITEM(2)), BIGHT_EAGAIN); /* nor happens twice */
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    ck_assert_int_eq(both.index, 0);
    bight_queue_get_stats(both.queue, &stats);
    ck_assert_uint_eq(stats.getters + stats.putters, 0);
    ck_ok(bight_queue_free(both.queue));
    return bight_queue_free(both.other);
}

static int pairs(void *arg)
{
    struct both both[6];
    struct bight_task *tasks[6];
    struct bight_queue *queue = meeting_place(), *other = meeting_place();
    int put = 0, got = 0, given = 0;

    (void)arg;
    for (int i = 0; i < 6; i++) {
        both[i] = (struct both){.queue = queue, .other = other, .number = i + 1};
        ck_ok(bight_spawn(&tasks[i], offers_both, &both[i]));
    }
    for (int i = 0; i < 6; i++) {
        ck_ok(bight_join(tasks[i], NULL));
        ck_assert_int_ge(both[i].index, 0);
        ck_assert_int_le(both[i].index, 1);
        put += both[i].index == 0;
        got += both[i].got;
        given += both[i].index == 0 ? both[i].number : 0;
        ck_assert_int_ne(both[i].got, both[i].number);
    }
    ck_assert_int_eq(put, 3); /* each puts or gets, and not both */
    ck_assert_int_eq(got, given);
    ck_ok(bight_queue_free(queue));
    return bight_queue_free(other);
}

static void two_selects_meet_exactly_once(void)
{
    for (int i = 0; i < 20; i++)
        ck_ok(world_run(pairs, NULL, NULL));
}

/* Several producers and consumers over two queues: what goes in comes out once. */
#define EACH 200

struct traffic {
    struct bight_queue *queues[2];
    int seen[4 * EACH];
    int producers;
};

struct producer {
    struct traffic *traffic;
    int first;
};

static int produces(void *arg)
{
    struct producer *producer = arg;
    struct traffic *traffic = producer->traffic;
    struct bight_case cases[3];

    for (int i = 0; i < EACH;) {
        bight_case_put(&cases[0], traffic->queues[0], ITEM(producer->first + i));
        bight_case_put(&cases[1], traffic->queues[1], ITEM(producer->first + i));
        bight_case_sleep(&cases[2], i % 7 ? -1 : 0);
        int index = bight_select(cases, 3, 0);
        ck_assert_int_ge(index, 0);
        ck_ok(cases[index].status);
        i += index < 2;
    }
    if (--traffic->producers == 0)
        for (int i = 0; i < 2; i++)
            bight_queue_close(traffic->queues[i]);
    return 0;
}

static int consumes(void *arg)
{
    struct traffic *traffic = arg;
    struct bight_case cases[2];
    bool open[2] = {true, true};

    while (open[0] || open[1]) {
        size_t count = 0, from[2];

        for (size_t i = 0; i < 2; i++) {
            if (open[i]) {
                from[count] = i;
                bight_case_get(&cases[count++], traffic->queues[i]);
            }
        }
        int index = bight_select(cases, count, 0);
        ck_assert_int_ge(index, 0);
        if (cases[index].status == BIGHT_ECLOSED)
            open[from[index]] = false;
        else
            traffic->seen[NUMBER(cases[index].value)]++;
    }
    return 0;
}

static int traffic_body(struct bight_group *group, void *arg)
{
    struct traffic *traffic = arg;
    static struct producer producers[4];

    for (int i = 0; i < 4; i++) {
        producers[i] = (struct producer){traffic, i * EACH};
        ck_ok(bight_group_spawn(NULL, group, NULL, produces, &producers[i]));
        ck_ok(bight_group_spawn(NULL, group, NULL, consumes, traffic));
    }
    return 0;
}

static int traffic(void *arg)
{
    const size_t *capacity = arg;
    static struct traffic traffic;

    traffic = (struct traffic){.producers = 4};
    for (int i = 0; i < 2; i++)
        ck_ok(bight_queue_new(&traffic.queues[i], capacity[i]));
    ck_ok(bight_group_run(traffic_body, &traffic));
    for (int i = 0; i < 4 * EACH; i++)
        ck_assert_int_eq(traffic.seen[i], 1);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_queue_free(traffic.queues[i]));
    return 0;
}

static void selects_lose_no_item_and_double_none(int i)
{
    static size_t capacity[][2] = {{0, 0}, {1, 0}, {3, 5}};

    ck_ok(world_run(traffic, capacity[i], NULL));
}

/* A source of one's own: a bell that rings for one listener at a time. */
struct bell {
    int rings; /* nobody heard yet */
    struct bight_link listeners;
    int refuses; /* code of the arming */
    int armed;
};

static int bell_abort(struct bight_waiter *waiter)
{
    struct bell *bell = bight_case_of(waiter)->source;

    bell->armed -= waiter->link.next != &waiter->link;
    link_remove(&waiter->link);
    return 0;
}

static const struct bight_waiter_ops bell_wait = {.name = "bell", .abort = bell_abort};

static bool bell_attempt(struct bight_case *chosen)
{
    struct bell *bell = chosen->source;

    if (bell->rings == 0)
        return false;
    bell->rings--;
    chosen->status = 1;
    return true;
}

static int bell_arm(struct bight_case *chosen)
{
    struct bell *bell = chosen->source;

    if (bell->refuses)
        return bell->refuses;
    bell->armed++;
    link_append(&bell->listeners, &chosen->waiter.link);
    return 0;
}

static void bell_settle(struct bight_case *chosen)
{
    chosen->status *= 10;
}

static const struct bight_case_ops bell_ops = {&bell_wait, bell_attempt, bell_arm, bell_settle};

static int ring(void *arg)
{
    struct bell *bell = arg;
    struct bight_link *link;

    while ((link = link_take(&bell->listeners))) {
        bell->armed--;
        if (bight_unpark(container_of(link, struct bight_waiter, link), 2))
            return 0;
    }
    bell->rings++;
    return 0;
}

static int bells(void *arg)
{
    struct bell bell = {.rings = 1};
    struct bight_case cases[3];

    (void)arg;
    link_init(&bell.listeners);
    bight_case_sleep(&cases[0], 10);
    bight_case_custom(&cases[1], &bell_ops, &bell);
    bight_case_custom(&cases[2], &bell_ops, &bell);
    int index = bight_select(cases, 3, BIGHT_SELECT_ORDERED);
    ck_assert_int_eq(index, 1);
    ck_assert_int_eq(cases[1].status, 1);
    ck_assert_int_eq(bight_select(cases, 3, 0), 0); /* time is up */
    ck_assert_int_eq(bell.armed, 0);
    ck_ok(bight_spawn(NULL, ring, &bell));
    index = bight_select(cases, 3, BIGHT_SELECT_ORDERED);
    ck_assert_int_eq(index, 1);
    ck_assert_int_eq(cases[1].status, 20);
    ck_assert_int_eq(bell.armed, 0);
    bell.refuses = BIGHT_EMFILE;
    ck_code(bight_select(cases, 3, 0), BIGHT_EMFILE);
    ck_assert_int_eq(bell.rings, 0);
    return bight_sleep(20); /* no timer is left that would find a dead frame */
}

/* Arming may resolve at once; the rest is then not armed. */
static int eager_arm(struct bight_case *chosen)
{
    bight_unpark(&chosen->waiter, 3);
    return 0;
}

static bool never(struct bight_case *chosen)
{
    (void)chosen;
    return false;
}

static int stubborn_abort(struct bight_waiter *waiter)
{
    (void)waiter;
    return BIGHT_EBUSY;
}

static const struct bight_case_ops eager_ops = {&bell_wait, never, eager_arm, NULL};
static const struct bight_waiter_ops stubborn_wait = {
    .name = "stubborn", .abort = stubborn_abort, .flags = BIGHT_WAITER_MAY_REFUSE};
static const struct bight_waiter_ops no_abort_wait = {.name = "no abort"};
static const struct bight_case_ops stubborn_ops = {&stubborn_wait, never, eager_arm, NULL};
static const struct bight_case_ops no_abort_ops = {&no_abort_wait, never, eager_arm, NULL};

static int eager(void *arg)
{
    struct bell bell = {.rings = 0};
    struct bight_case cases[3];

    (void)arg;
    link_init(&bell.listeners);
    bight_case_custom(&cases[0], &bell_ops, &bell);
    bight_case_custom(&cases[1], &eager_ops, &bell);
    bight_case_custom(&cases[2], &eager_ops, &bell);
    ck_assert_int_eq(bight_select(cases, 3, BIGHT_SELECT_ORDERED), 1);
    ck_assert_int_eq(cases[1].status, 3);
    ck_assert_int_eq(bell.armed, 0);
    bight_case_custom(&cases[1], &stubborn_ops, NULL);
    ck_code(bight_select(cases, 2, 0), BIGHT_EINVAL);
    ck_code(bight_select(&cases[1], 1, 0), BIGHT_EINVAL);
    bight_case_custom(&cases[1], &no_abort_ops, NULL);
    ck_code(bight_select(cases, 2, 0), BIGHT_EINVAL);
    bight_case_custom(&cases[1], NULL, NULL);
    ck_code(bight_select(cases, 2, 0), BIGHT_EINVAL);
    ck_assert_int_eq(bell.armed, 0);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_select_does_not_meet_itself, alone),
    plain_case(two_selects_meet_exactly_once),
    each_case(selects_lose_no_item_and_double_none, 3),
    world_case(a_source_of_ones_own_is_as_good, bells),
    world_case(a_source_may_happen_as_it_is_armed_but_must_let_go, eager),
};

test_suite("cases", cases);
