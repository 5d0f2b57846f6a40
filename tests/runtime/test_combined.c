/* What is put together from tasks and waits, under shuffled order and with suspensions cancelled
 * here and there: maps, generators, selects that trade items, races, rate limits and waits in one
 * program. Whatever happens, no item is lost or doubled, bounds hold, and nothing is left.
 * Everything follows from two numbers, which a failure's replay line names.
 *
 * BIGHT_SEEDS=N in the environment tries N seeds per block instead of 40; the blocks are 8. */
#include <stdlib.h>

#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"

#define BLOCKS 8
#define QUEUES 2
#define TRADES 8
#define RATE_MS 10
#define BURST 2

struct world {
    struct bight_queue *queues[QUEUES];
    size_t put, got; /* and their sums, so that doubling one and losing another is seen */
    size_t put_sum, got_sum;
    int running; /* of the map */
    struct bight_rate_limiter limiter;
    uint64_t begin_ns;
    uint64_t tokens;
};

static struct world world;

static uint64_t below(uint64_t limit)
{
    return bight_test_random() % limit;
}

#define insist(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            char line[BIGHT_TEST_LINE_BYTES] = "";                                                 \
            bight_test_line(line, sizeof line);                                                    \
            ck_abort_msg("%s: %s", line, #condition);                                              \
        }                                                                                          \
    } while (0)

static int short_sleep(void)
{
    return below(2) ? bight_yield() : bight_sleep((int64_t)below(4));
}

/* Map and gather: at most two at a time. */

static int mapped(void *item)
{
    int rc;

    insist(++world.running <= 2);
    rc = short_sleep();
    world.running--;
    *(char *)item = rc == 0;
    return rc;
}

static int maps(void *arg)
{
    char items[6] = {0};
    int rc = bight_map(mapped, items, 1, sizeof items, 2, 0);

    (void)arg;
    insist(rc == 0 || rc == BIGHT_ECANCELED);
    insist(world.running == 0);
    return rc;
}

/* A generator: what it gives lies in its frame, and is looked at as soon as it is there. */

struct marked {
    int mark;
    int number;
};

static int produces(struct bight_generator *generator, void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < 5 && !rc; i++) {
        volatile struct marked value = {.mark = 0x600d, .number = i};

        rc = short_sleep();
        if (rc == 0)
            rc = bight_generator_yield(generator, (void *)&value);
        value.mark = 0; /* from here on nobody may look */
    }
    return rc;
}

/* With little patience at times: what comes too late is for the next question. */
static int ask(struct bight_generator *generator, void **value)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, below(2) ? -1 : (int64_t)below(3), 0);

    if (rc)
        return rc;
    return bight_scope_end(&scope, bight_generator_next(generator, value));
}

static int consumes(void *arg)
{
    struct bight_generator *generator;
    size_t stop = below(7);
    int next = 0;
    int rc = bight_generator_new(&generator, produces, arg);
    void *value;

    if (rc)
        return rc;
    while (!rc && stop--) {
        rc = ask(generator, &value);
        if (rc == BIGHT_ETIMEDOUT)
            rc = bight_generator_next(generator, &value);
        if (rc == 0) {
            const struct marked *marked = value;

            insist(marked->mark == 0x600d && marked->number == next);
            next++;
        }
    }
    insist(bight_generator_end(generator) == 0);
    insist(bight_generator_free(generator) == 0);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

/* Traders put and get by select, on some queues at the same time. */

static int trades(void *arg)
{
    struct bight_case cases[2 * QUEUES + 1];
    int rc = 0;

    (void)arg;
    for (int trade = 0; trade < TRADES && rc >= 0; trade++) {
        size_t item = 1 + below(1000);

        for (size_t queue = 0; queue < QUEUES; queue++) {
            for (size_t i = 0; i < 2; i++)
                bight_case_sleep(&cases[2 * queue + i], -1);
            if (below(2))
                bight_case_put(&cases[2 * queue], world.queues[queue], (void *)item);
            if (below(2))
                bight_case_get(&cases[2 * queue + 1], world.queues[queue]);
        }
        bight_case_sleep(&cases[2 * QUEUES], (int64_t)below(5));
        rc = bight_select(cases, 2 * QUEUES + 1, 0);
        if (rc < 0 || rc == 2 * QUEUES || cases[rc].status)
            continue;
        if (rc % 2) {
            world.got++;
            world.got_sum += (size_t)cases[rc].value;
        } else {
            world.put++;
            world.put_sum += item;
        }
    }
    return rc < 0 ? rc : 0;
}

/* A race, under a rate limit. */

static int runs(void *arg)
{
    int rc = bight_rate_limiter_acquire(&world.limiter, 1);

    if (rc)
        return rc;
    world.tokens++;
    insist(world.tokens <= BURST + (bight_now_ns() - world.begin_ns) / (RATE_MS * 1000000));
    rc = short_sleep();
    return rc ? rc : *(int *)arg;
}

static int races(void *arg)
{
    int codes[3] = {BIGHT_EIO, below(2) ? 5 : BIGHT_EPERM, 6};
    struct bight_gather calls[3];
    size_t winner;
    int rc;

    (void)arg;
    for (int i = 0; i < 3; i++)
        calls[i] = (struct bight_gather){.fn = runs, .arg = &codes[i]};
    rc = bight_race(calls, 3, (int64_t)below(20) - 1, &winner);
    insist(rc <= 1);
    insist((rc == 1) == (winner < 3));
    insist(rc != 1 || calls[winner].status >= 5);
    for (size_t i = 0; i < 3 && winner < 3; i++)
        insist(i == winner || calls[i].status < 0 || calls[i].started);
    return rc < 0 ? rc : 0;
}

/* Everything is waited for one way or another. */

static int (*const bodies[])(void *arg) = {maps,   consumes, consumes, trades,
                                           trades, trades,   races,    races};
#define TASKS (sizeof bodies / sizeof bodies[0])

static int wait_any(struct bight_wait_item *items)
{
    struct bight_as_completed completed;
    struct bight_wait_item *item;
    size_t given = 0;
    int rc = bight_wait(items, TASKS, BIGHT_WAIT_FIRST_COMPLETED, 2);

    if (rc < 0)
        return rc;
    insist(bight_as_completed_begin(&completed, items, TASKS) == 0);
    while (!(rc = bight_as_completed_next(&completed, &item))) {
        insist(item->done && bight_task_done(item->task));
        given++;
    }
    bight_as_completed_end(&completed);
    insist(rc == BIGHT_ECANCELED || (rc == BIGHT_ECLOSED && given == TASKS));
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int program(void *arg)
{
    struct bight_wait_item items[TASKS];
    size_t left = 0;
    void *item;
    int rc;

    (void)arg;
    world = (struct world){.begin_ns = bight_now_ns()};
    insist(bight_rate_limiter_init(&world.limiter, 1, RATE_MS, BURST) == 0);
    for (size_t i = 0; i < QUEUES; i++)
        insist(bight_queue_new(&world.queues[i], i) == 0); /* the first is a rendezvous */
    for (size_t i = 0; i < TASKS; i++)
        insist(bight_spawn(&items[i].task, bodies[i], NULL) == 0);
    rc = wait_any(items);
    for (size_t i = 0; i < TASKS; i++) {
        int status;
        int end = bight_wait_for(items[i].task, (int64_t)below(50), &status);

        insist(end == 0 || end == BIGHT_ETIMEDOUT || end == BIGHT_ECANCELED);
    }
    for (size_t i = 0; i < QUEUES; i++) {
        while (bight_queue_try_get(world.queues[i], &item) == 0) {
            left++;
            world.got_sum += (size_t)item;
        }
        insist(bight_queue_free(world.queues[i]) == 0);
    }
    insist(world.put == world.got + left);
    insist(world.put_sum == world.got_sum);
    return rc;
}

static int seeds = 40;

static void run_seed(uint64_t seed)
{
    struct bight_test_options options = {.seed = seed, .name = "combined", .skip_probe = true};
    struct bight_test_result result;

    ck_assert_msg(bight_test_run(&options, program, NULL, &result) == 0, "%s", result.line);
    /* The same once more, with some suspensions cancelled. */
    options.suspend = 1 + seed % (result.suspends + 1);
    options.suspend_count = seed % 3 ? 1 : 3;
    int rc = bight_test_run(&options, program, NULL, &result);
    ck_assert_msg(rc == 0 || rc == BIGHT_ECANCELED, "%s", result.line);
}

static void no_order_and_no_cancellation_loses_anything(int round)
{
    int fds;

    run_seed(1);
    fds = test_open_fds();
    for (int i = 0; i < seeds; i++)
        run_seed((uint64_t)round * 1000003 + (uint64_t)i * 7919 + 1);
    ck_assert_int_eq(test_open_fds(), fds);
}

static void begin(int argc, char **argv)
{
    const char *wish = getenv("BIGHT_SEEDS");

    (void)argc;
    (void)argv;
    if (wish && atoi(wish) > 0)
        seeds = atoi(wish);
}

static const struct suite_case cases[] = {
    each_case(no_order_and_no_cancellation_loses_anything, BLOCKS),
};

/* As long as BIGHT_SEEDS makes it take. */
test_suite("combined", cases, .timeout_s = -1, .begin = begin);
