/* Scenarios of tasks beyond groups: futures, starts, background work, points in time,
 * stacks, the dump, the hash table. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "coro/base/hash.h"
#include "coro/core/sched.h"

/* Futures */

static int settles(void *arg)
{
    scenario_balance--;
    int rc = bight_sleep(1);
    (void)(rc ? bight_future_fail(arg, rc) : bight_future_set(arg, arg));
    return rc;
}

/* In every case somebody waits for it. */
static void never_settles(void *arg)
{
    (void)bight_future_cancel(arg);
    scenario_balance--;
}

static int future_body(struct bight_group *group, void *arg)
{
    const struct bight_spawn_options options = {.name = "settles", .drop = never_settles};
    int status = 0, rc = bight_group_spawn(NULL, group, &options, settles, arg);
    void *value;

    if (rc)
        return rc;
    scenario_balance++;
    rc = bight_future_wait(arg, &status, &value);
    EXPECT(rc || status || value == arg);
    return rc ? rc : status;
}

/* The same future, given to wait, as-completed and wait-for. */
static int future_ends_body(struct bight_group *group, void *arg)
{
    const struct bight_spawn_options options = {.name = "settles", .drop = never_settles};
    struct bight_wait_item item = {.future = arg}, *next;
    struct bight_as_completed completed;
    int status = 0, rc = bight_group_spawn(NULL, group, &options, settles, arg);

    if (rc)
        return rc;
    scenario_balance++;
    rc = bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, 1);
    if (rc >= 0)
        rc = bight_as_completed_begin(&completed, &item, 1);
    if (rc)
        return rc;
    rc = bight_as_completed_next(&completed, &next);
    EXPECT(rc || next->done);
    bight_as_completed_end(&completed);
    if (rc == 0)
        rc = bight_future_wait_for(arg, 1000, &status, NULL);
    return rc ? rc : status;
}

/* Nobody settles it but the wait. */
static int wait_for_future_in_vain(struct bight_future *future)
{
    int rc;

    bight_future_init(future);
    rc = bight_future_wait_for(future, 1, NULL, NULL);
    EXPECT(bight_future_done(future));
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

int scenario_future(void *arg)
{
    struct bight_future future;

    (void)arg;
    bight_future_init(&future);
    int rc = bight_group_run(future_body, &future);
    if (rc)
        return rc;
    bight_future_init(&future);
    rc = bight_group_run(future_ends_body, &future);
    return rc ? rc : wait_for_future_in_vain(&future);
}

/* Starts */

static int serves(void *arg)
{
    (void)arg;
    scenario_balance--;
    int rc = bight_sleep(1);
    if (rc)
        return rc;
    (void)bight_group_started(7);
    return bight_sleep(1);
}

static int never_serves(struct bight_group *group, void *arg)
{
    static const struct bight_spawn_options options = {.name = "serves"};
    int value, rc;

    (void)arg;
    scenario_balance++;
    rc = bight_group_start(NULL, group, &options, serves, NULL, &value);
    if (rc && scenario_balance)
        scenario_balance--; /* it never ran */
    EXPECT(rc || value == 7);
    if (rc && rc != BIGHT_ENOTREADY) /* cancelled, that is no failure */
        return rc;
    return bight_group_drain(group);
}

int scenario_started(void *arg)
{
    return bight_group_run(never_serves, arg);
}

/* Background */

static int rests(void *arg)
{
    (void)arg;
    scenario_balance--;
    return bight_sleep(5);
}

static void rests_never(void *arg)
{
    (void)arg;
    scenario_balance--;
}

int scenario_background(void *arg)
{
    static const struct bight_spawn_options options = {.name = "rests", .drop = rests_never};
    struct bight_background *background;
    int rc = bight_background_new(&background, NULL, NULL);

    if (rc)
        return rc;
    for (int i = 0; i < 2 && !rc; i++) {
        rc = bight_background_spawn(NULL, background, &options, rests, arg);
        scenario_balance += !rc;
    }
    if (rc == BIGHT_ECLOSED)
        rc = bight_checkpoint(); /* its keeper was cancelled */
    if (rc == 0)
        rc = bight_background_drain(background);
    int closed = bight_background_end(background);
    return rc ? rc : closed;
}

/* Points in time */

int scenario_points(void *arg)
{
    struct bight_ticker ticker;
    int rc = bight_ticker_init(&ticker, 10, BIGHT_TICKER_SKIP);

    (void)arg;
    for (int i = 0; i < 2 && !rc; i++) {
        rc = bight_ticker_wait(&ticker);
        EXPECT(rc <= 1);
        rc = rc > 0 ? 0 : rc;
    }
    return rc ? rc : bight_sleep_until(bight_now_ns() + 1000);
}

/* Work that is awaited item by item */

static int works(void *queue)
{
    void *item;
    int rc;

    scenario_balance--;
    while (!(rc = bight_queue_get(queue, &item))) {
        rc = bight_sleep(1);
        EXPECT(bight_queue_task_done(queue) == 0);
        if (rc)
            break;
    }
    bight_queue_abort(queue, NULL, NULL);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static void never_works(void *queue)
{
    bight_queue_abort(queue, NULL, NULL);
    scenario_balance--;
}

static int join_body(struct bight_group *group, void *queue)
{
    static const struct bight_spawn_options options = {.name = "works", .drop = never_works};
    int rc = bight_group_spawn(NULL, group, &options, works, queue);

    if (rc)
        return rc;
    scenario_balance++;
    for (int i = 0; i < 3 && !rc; i++)
        rc = bight_queue_put(queue, queue);
    if (rc == 0)
        rc = bight_queue_join(queue);
    bight_queue_close(queue);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

int scenario_queue_join(void *arg)
{
    struct bight_queue *queue;
    int rc = bight_queue_new(&queue, 5);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_run(join_body, queue);
    bight_queue_abort(queue, NULL, NULL);
    EXPECT(bight_queue_free(queue) == 0);
    return rc;
}

/* Stacks */

static int goes_deep(void *arg)
{
    volatile char frame[100000];

    (void)arg;
    scenario_balance--;
    for (size_t i = 0; i < sizeof frame; i += 1000)
        frame[i] = 1;
    return bight_yield();
}

static int deep_body(struct bight_group *group, void *arg)
{
    int rc = 0;

    for (int i = 0; i < 2 && !rc; i++)
        rc = scenario_spawn(group, NULL, "goes deep", goes_deep, arg);
    return rc;
}

int scenario_deep_stack(void *arg)
{
    return bight_group_run(deep_body, arg);
}

/* The dump */

int scenario_dump(void *arg)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)arg;
    EXPECT(fd >= 0);
    int rc = bight_dump_fd(fd);
    close(fd);
    return rc;
}

/* The hash table: more records than it has buckets at first, two of each hash. */

#define RECORDS 130

int scenario_hash(void *arg)
{
    static struct hash_node records[RECORDS];
    const struct bight_seams *seams = &bight__sched->seams;
    struct hash_table table;
    int rc = bight__hash_init(&table, seams);

    (void)arg;
    if (rc)
        return rc;
    for (uint32_t i = 0; i < RECORDS; i++) {
        bight__hash_add(&table, seams, &records[i], i / 2);
        if (table.count > table.bucket_count)
            rc = BIGHT_ENOMEM; /* it goes on with the buckets that it has */
    }
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct hash_node *node = hash_first(&table, i / 2);

        EXPECT(node == &records[i] || hash_along(node->chain, i / 2) == &records[i]);
    }
    for (uint32_t i = 0; i < RECORDS; i++)
        bight__hash_remove(&table, &records[i]);
    EXPECT(table.count == 0 && !hash_first(&table, 0));
    bight__hash_fini(&table);
    return rc;
}
