/* Selecting among queues: a producer hands items to them in turn, and each time the consumer waits
 * for all of them at once. Baseline: the same as callbacks in a FIFO queue that take turns. Peer: a
 * get from the one queue through which the item is known to come. */
#include "bench/run.h"

#include <bight/queue.h>
#include <bight/select.h>
#include <bight/task.h>

#define ITEMS 1000000u
#define CASES_MAX 8

struct hand_overs {
    unsigned cases;
    uint64_t items;
    int (*take)(struct hand_overs *hand_overs, uint64_t number);
    struct bight_queue *queues[CASES_MAX];
    double ns; /* per item */
};

static int item;

static int producer(void *arg)
{
    const struct hand_overs *hand_overs = arg;

    for (uint64_t i = 0; i < hand_overs->items; i++)
        bench_check(bight_queue_put(hand_overs->queues[i % hand_overs->cases], &item), "put");
    return 0;
}

static int take_any(struct hand_overs *hand_overs, uint64_t number)
{
    struct bight_case cases[CASES_MAX];
    int chosen;

    (void)number;
    for (unsigned i = 0; i < hand_overs->cases; i++)
        bight_case_get(&cases[i], hand_overs->queues[i]);
    chosen = bight_select(cases, hand_overs->cases, 0);
    return chosen < 0 ? chosen : cases[chosen].status;
}

static int take_known(struct hand_overs *hand_overs, uint64_t number)
{
    void *got;

    return bight_queue_get(hand_overs->queues[number % hand_overs->cases], &got);
}

static int consumer_main(void *arg)
{
    struct hand_overs *hand_overs = arg;
    struct bight_task *task;
    uint64_t begin;

    for (unsigned i = 0; i < hand_overs->cases; i++)
        bench_check(bight_queue_new(&hand_overs->queues[i], 0), "queue");
    bench_check(bight_spawn(&task, producer, hand_overs), "spawn");
    begin = bench_begin();
    for (uint64_t i = 0; i < hand_overs->items; i++)
        bench_check(hand_overs->take(hand_overs, i), "take");
    hand_overs->ns = bench_end(begin, hand_overs->items);
    bench_check(bight_join(task, NULL), "join");
    for (unsigned i = 0; i < hand_overs->cases; i++)
        bench_check(bight_queue_free(hand_overs->queues[i]), "free");
    return 0;
}

static double hand_over(const unsigned *cases, uint64_t items,
                        int (*take)(struct hand_overs *hand_overs, uint64_t number))
{
    struct hand_overs hand_overs = {.cases = *cases, .items = items, .take = take};

    bench_run_fixed(consumer_main, &hand_overs);
    return hand_overs.ns;
}

static double selects(void *arg, uint64_t operations)
{
    return hand_over(arg, operations, take_any);
}

static double gets(void *arg, uint64_t operations)
{
    return hand_over(arg, operations, take_known);
}

static double callbacks(void *arg, uint64_t operations)
{
    (void)arg;
    return bench_callbacks(2, operations);
}

static unsigned two = 2, eight = 8;

static const struct bench_row rows[] = {
    {"select_2", "ns", "callback out of a FIFO queue", selects, callbacks, &two, ITEMS,
     .counted = 20000, .peers = {{"queue_get", gets}}},
    {"select_8", "ns", "callback out of a FIFO queue", selects, callbacks, &eight, ITEMS,
     .counted = 20000, .peers = {{"queue_get", gets}}},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
