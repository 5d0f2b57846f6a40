/* Kinds and sizes of queues: order, growth without losing items, the rendezvous, what stats say.
 * Items are small numbers as pointers. */
#include <stdlib.h>

#include "runtime/runtime.h"
#include "tests/harness/suite.h"
#include "runtime/testing/testing.h"
#include "tests/harness/world.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

/* By tens only, so that there are equal items. */
static int by_tens(const void *a, const void *b)
{
    return (int)((uintptr_t)a / 10) - (int)((uintptr_t)b / 10);
}

static struct bight_queue *make(size_t capacity, enum bight_queue_kind kind)
{
    struct bight_queue *queue;

    ck_ok(bight_queue_new_with(
        &queue,
        &(struct bight_queue_options){.capacity = capacity, .kind = kind, .compare = by_tens}));
    return queue;
}

static void put_all(struct bight_queue *queue, const int *numbers, int count)
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_queue_put(queue, ITEM(numbers[i])));
}

static void get_all(struct bight_queue *queue, const int *numbers, int count)
{
    void *item;

    for (int i = 0; i < count; i++) {
        ck_ok(bight_queue_get(queue, &item));
        ck_assert_int_eq(NUMBER(item), numbers[i]);
    }
    ck_code(bight_queue_try_get(queue, &item), BIGHT_EAGAIN);
}

static int orders(void *arg)
{
    static const int put[] = {31, 10, 32, 20, 11, 33, 12};
    static const int last_first[] = {12, 33, 11, 20, 32, 10, 31};
    static const int smallest_first[] = {10, 11, 12, 20, 31, 32, 33};
    static const int *const got[] = {put, last_first, smallest_first};

    (void)arg;
    for (int kind = BIGHT_QUEUE_FIFO; kind <= BIGHT_QUEUE_PRIORITY; kind++) {
        struct bight_queue *queue = make(7, (enum bight_queue_kind)kind);

        put_all(queue, put, 7);
        ck_code(bight_queue_try_put(queue, ITEM(1)), BIGHT_EAGAIN);
        get_all(queue, got[kind], 7);
        ck_ok(bight_queue_free(queue));
    }
    return 0;
}

/* A mirror of the priority queue that looks at every item. */
static int take_smallest(int *numbers, int *count)
{
    int best = 0, number;

    for (int i = 1; i < *count; i++)
        if (numbers[i] / 10 < numbers[best] / 10)
            best = i;
    number = numbers[best];
    --*count;
    for (int i = best; i < *count; i++)
        numbers[i] = numbers[i + 1];
    return number;
}

static int random_order(void *arg)
{
    struct bight_queue *queue = make(BIGHT_QUEUE_UNBOUNDED, BIGHT_QUEUE_PRIORITY);
    int mirror[400], count = 0;
    unsigned state = 1;
    void *item;

    (void)arg;
    for (int step = 0; step < 4000; step++) {
        state = state * 1103515245u + 12345u;
        if (count < 400 && (state >> 16) % 5 < (step < 2000 ? 3 : 2)) {
            mirror[count] = 1 + (int)((state >> 20) % 300);
            ck_ok(bight_queue_try_put(queue, ITEM(mirror[count])));
            count++;
        } else if (count) {
            ck_ok(bight_queue_try_get(queue, &item));
            ck_assert_int_eq(NUMBER(item), take_smallest(mirror, &count));
        }
        ck_assert_uint_eq(bight_queue_length(queue), (size_t)count);
    }
    bight_queue_abort(queue, NULL, NULL);
    return bight_queue_free(queue);
}

/* So that a ring grows while it is wrapped around. */
static int grows(void *arg)
{
    struct bight_queue *queue = make(BIGHT_QUEUE_UNBOUNDED, BIGHT_QUEUE_FIFO);
    int next_put = 1, next_got = 1;
    void *item;

    (void)arg;
    for (int round = 1; round < 60; round++) {
        for (int i = 0; i < 2 * round; i++)
            ck_ok(bight_queue_put(queue, ITEM(next_put++)));
        ck_assert(!bight_queue_full(queue));
        for (int i = 0; i < round; i++) {
            ck_ok(bight_queue_get(queue, &item));
            ck_assert_int_eq(NUMBER(item), next_got++);
        }
    }
    while (next_got < next_put) {
        ck_ok(bight_queue_get(queue, &item));
        ck_assert_int_eq(NUMBER(item), next_got++);
    }
    ck_assert(bight_queue_empty(queue));
    return bight_queue_free(queue);
}

/* Memory that is short while a flag is set. */
struct shortage {
    struct bight__test test; /* first: the seams' ctx */
    bool now;
};

static bool is_short(void *ctx, const void *site)
{
    (void)site;
    return ((struct shortage *)ctx)->now;
}

static int put_in_shortage(void *arg)
{
    struct shortage *shortage = arg;
    struct bight_queue *queue;
    void *item;
    int held = 0;

    for (int kind = BIGHT_QUEUE_FIFO; kind <= BIGHT_QUEUE_PRIORITY; kind++) {
        shortage->now = true;
        ck_code(bight_queue_new(&queue, 1), BIGHT_ENOMEM);
        shortage->now = false;
        queue = make(BIGHT_QUEUE_UNBOUNDED, (enum bight_queue_kind)kind);
        shortage->now = true;
        for (held = 0; bight_queue_try_put(queue, ITEM(7)) == 0; held++)
            ck_assert_int_lt(held, 1000);
        ck_code(bight_queue_put(queue, ITEM(7)), BIGHT_ENOMEM); /* and does not wait */
        ck_assert_uint_eq(bight_queue_length(queue), (size_t)held);
        shortage->now = false;
        ck_ok(bight_queue_put(queue, ITEM(7)));
        for (int i = 0; i < held + 1; i++)
            ck_ok(bight_queue_try_get(queue, &item));
        ck_code(bight_queue_try_get(queue, &item), BIGHT_EAGAIN);
        ck_ok(bight_queue_free(queue));
    }
    return 0;
}

static void queue_that_cannot_grow_leaves_the_item_with_the_caller(void)
{
    struct shortage shortage = {.now = false};
    struct bight_seams seams = {.fail_alloc = is_short};

    bight__test_time(&shortage.test, &seams);
    ck_ok(bight__run_with_seams(NULL, &seams, put_in_shortage, &shortage));
}

static int gets(void *arg)
{
    void *item = NULL;
    int rc = bight_queue_get(arg, &item);

    return rc ? rc : NUMBER(item);
}

static int puts_seven(void *arg)
{
    return bight_queue_put(arg, ITEM(7));
}

static int meets(void *arg)
{
    struct bight_task *tasks[3];
    struct bight_queue *queue;
    void *item;
    int status;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 0));
    ck_code(bight_queue_try_put(queue, ITEM(1)), BIGHT_EAGAIN);
    ck_code(bight_queue_try_get(queue, &item), BIGHT_EAGAIN);
    ck_assert(bight_queue_empty(queue) && bight_queue_full(queue));
    /* Getters first: an item goes to the first that still wants one, and is in no place between. */
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], gets, queue));
    world_settle();
    bight_task_cancel(tasks[0]);
    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_ok(bight_queue_try_put(queue, ITEM(2)));
    ck_code(bight_queue_try_put(queue, ITEM(3)), BIGHT_EAGAIN);
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_assert_int_eq(status, i ? i : BIGHT_ECANCELED);
    }
    /* Putters first. */
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], puts_seven, queue));
    world_settle();
    bight_task_cancel(tasks[1]);
    ck_ok(bight_queue_get(queue, &item));
    ck_ok(bight_queue_try_get(queue, &item));
    ck_code(bight_queue_try_get(queue, &item), BIGHT_EAGAIN);
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, i == 1 ? BIGHT_ECANCELED : 0);
    }
    for (int i = 0; i < 4; i++)
        ck_ok(bight_queue_task_done(queue));
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
    return bight_queue_free(queue);
}

static int close_meeting(void *arg)
{
    struct bight_task *putter, *getter;
    struct bight_queue *queues[2];
    int status;

    (void)arg;
    ck_ok(bight_queue_new(&queues[0], 0));
    ck_ok(bight_queue_new(&queues[1], 0));
    ck_ok(bight_spawn(&putter, puts_seven, queues[0]));
    ck_ok(bight_spawn(&getter, gets, queues[1]));
    world_settle();
    bight_queue_close(queues[0]);
    bight_queue_close(queues[1]);
    ck_ok(bight_join(putter, &status));
    ck_code(status, BIGHT_ECLOSED);
    ck_ok(bight_join(getter, &status));
    ck_code(status, BIGHT_ECLOSED);
    ck_ok(bight_queue_free(queues[0]));
    return bight_queue_free(queues[1]);
}

struct text {
    char text[2000];
    size_t length;
};

static void append(void *arg, const char *text, size_t bytes)
{
    struct text *all = arg;

    ck_assert_uint_lt(all->length + bytes, sizeof(all->text));
    memcpy(all->text + all->length, text, bytes);
    all->length += bytes;
}

static int waits_done(void *arg)
{
    return bight_queue_join(arg);
}

static void spawn_named(struct bight_group *group, int (*fn)(void *arg), void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, fn, arg));
    world_settle();
}

static int look(struct bight_group *group, void *arg)
{
    struct bight_queue *queue = arg;
    struct bight_queue_stats stats;
    struct text text = {.length = 0};
    void *item;

    bight_queue_get_stats(queue, &stats);
    ck_assert_uint_eq(stats.capacity, 1);
    ck_assert(!stats.closed && !stats.length && !stats.getters && !stats.putters);
    spawn_named(group, gets, queue);
    bight_queue_get_stats(queue, &stats);
    ck_assert_uint_eq(stats.getters, 1);
    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_ok(bight_queue_put(queue, ITEM(2)));
    spawn_named(group, puts_seven, queue);
    spawn_named(group, puts_seven, queue);
    spawn_named(group, waits_done, queue);
    bight_queue_get_stats(queue, &stats);
    ck_assert_uint_eq(stats.length, 1);
    ck_assert_uint_eq(stats.unfinished, 2);
    ck_assert_uint_eq(stats.getters, 0);
    ck_assert_uint_eq(stats.putters, 2);
    ck_assert_uint_eq(stats.joiners, 1);
    ck_ok(bight_dump(append, &text));
    text.text[text.length] = 0;
    ck_assert_ptr_nonnull(strstr(text.text, "waits for queue put (1 of 1 items, 2 unfinished)"));
    ck_assert_ptr_nonnull(strstr(text.text, "waits for queue join (1 of 1 items, 2 unfinished)"));
    bight_queue_close(queue);
    bight_queue_get_stats(queue, &stats);
    ck_assert(stats.closed);
    ck_assert_uint_eq(stats.putters, 0);
    ck_ok(bight_queue_get(queue, &item));
    ck_ok(bight_queue_task_done(queue));
    ck_ok(bight_queue_task_done(queue));
    return 0;
}

static int looks(void *arg)
{
    struct bight_queue *queue;
    int rc;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 1));
    rc = bight_group_run(look, queue);
    ck_code(rc, BIGHT_ECLOSED); /* the putters' failure */
    return bight_queue_free(queue);
}

struct visit {
    int numbers[8];
    int count, max;
};

static bool note(void *arg, const void *item)
{
    struct visit *visit = arg;

    visit->numbers[visit->count++] = NUMBER(item);
    return visit->count < visit->max;
}

static int visits(void *arg)
{
    (void)arg;
    for (int kind = BIGHT_QUEUE_FIFO; kind <= BIGHT_QUEUE_PRIORITY; kind++) {
        struct bight_queue *queue = make(3, (enum bight_queue_kind)kind);
        struct visit visit = {.max = 8};
        void *item;

        bight_queue_visit(queue, note, &visit);
        ck_assert_int_eq(visit.count, 0);
        put_all(queue, (int[]){1}, 1);
        ck_ok(bight_queue_get(queue, &item));
        put_all(queue, (int[]){10, 20, 30}, 3); /* around the end of a ring */
        bight_queue_visit(queue, note, &visit);
        ck_assert_int_eq(visit.count, 3);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(visit.numbers[i], 10 * (i + 1));
        visit = (struct visit){.max = 1};
        bight_queue_visit(queue, note, &visit);
        ck_assert_int_eq(visit.count, 1);
        ck_assert_uint_eq(bight_queue_length(queue), 3);
        bight_queue_abort(queue, NULL, NULL);
        ck_ok(bight_queue_free(queue));
    }
    return 0;
}

static int misuse(void *arg)
{
    struct bight_queue_options options = {.capacity = 1, .kind = BIGHT_QUEUE_PRIORITY};
    struct bight_queue *queue;

    (void)arg;
    ck_code(bight_queue_new_with(&queue, &options), BIGHT_EINVAL);
    options.kind = (enum bight_queue_kind)3;
    ck_code(bight_queue_new_with(&queue, &options), BIGHT_EINVAL);
    options = (struct bight_queue_options){.capacity = SIZE_MAX / 8};
    ck_code(bight_queue_new_with(&queue, &options), BIGHT_EINVAL);
    return 0;
}

static void queue_that_cannot_be_is_refused(void)
{
    struct bight_queue *queue;

    ck_code(bight_queue_new(&queue, 1), BIGHT_ENORUNTIME);
    ck_ok(world_run(misuse, NULL, NULL));
}

static const struct suite_case cases[] = {
    world_case(queue_kinds_differ_in_what_is_taken_first, orders),
    world_case(queue_by_priority_is_stable_whatever_is_put_and_taken, random_order),
    world_case(queue_without_bound_grows_and_keeps_the_order, grows),
    plain_case(queue_that_cannot_grow_leaves_the_item_with_the_caller),
    world_case(queue_of_no_places_is_a_rendezvous, meets),
    world_case(queue_of_no_places_closed_wakes_whoever_waits, close_meeting),
    world_case(queue_says_how_full_it_is_and_who_waits, looks),
    world_case(queue_shows_what_is_in_it, visits),
    plain_case(queue_that_cannot_be_is_refused),
};

test_suite("queue_store", cases);
