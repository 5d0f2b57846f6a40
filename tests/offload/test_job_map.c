/* Maps of jobs, on threads and on worker processes. */
#include "tests/offload/map_cases.h"

#include <stdlib.h>

static int count_local(struct bight_job *job)
{
    bight_job_set_local(job, (char *)job->local + 1);
    return (int)(uintptr_t)job->local;
}

static const struct bight_job_def local_job = {.name = "count local", .fn = count_local};

static void ordered(enum kind kind)
{
    static const size_t chunks[] = {0, 1, 6, 40, 50, 65536};
    struct bight_executor *executor = map_open(kind, 0);
    struct bight_job_map_item item;
    struct bight_job_map map;

    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct numbers numbers = {.count = 40, .fail_at = -1};

        map_begin(&map, executor, &square_job, &numbers,
                  (struct bight_job_map_options){.chunk = chunks[i]});
        for (size_t at = 0; at < 40; at++) {
            CHECK_EQ(bight_job_map_next(&map, &item), 0);
            map_expect_square(&item, at);
        }
        CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
        CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
        CHECK_EQ(bight_job_map_end(&map), 0);
        CHECK_EQ(bight_job_map_end(&map), 0);
    }
    worker_close(executor);
}

static int results_come_in_order_whatever_the_chunk(void *arg)
{
    (void)arg;
    return map_on_both(ordered);
}

static void unordered(enum kind kind)
{
    struct bight_executor *executor = map_open(kind, 0);
    struct numbers numbers = {.count = 1000, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;
    bool seen[1000] = {false};

    map_begin(&map, executor, &square_job, &numbers,
              (struct bight_job_map_options){.chunk = 7, .unordered = true});
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK(item.index < 1000 && !seen[item.index]);
        map_expect_square(&item, item.index);
        seen[item.index] = true;
    }
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
}

static int unordered_results_come_once_each(void *arg)
{
    (void)arg;
    return map_on_both(unordered);
}

/* The first two items take long: others are there before them. */
static void overtaken(enum kind kind)
{
    struct bight_executor *executor = map_open(kind, 0);
    struct numbers numbers = {.next = 1, .count = 4, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    map_begin(&map, executor, &hold_some_job, &numbers,
              (struct bight_job_map_options){.unordered = true});
    CHECK_EQ(bight_job_map_next(&map, &item), 0);
    CHECK_EQ(item.index, 1);
    CHECK_EQ(bight_job_map_next(&map, &item), 0);
    CHECK_EQ(item.index, 2);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_job_map_next(&map, &item), 0);
    CHECK_EQ(item.index, 0);
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
}

static int what_is_ready_overtakes(void *arg)
{
    (void)arg;
    return map_on_both(overtaken);
}

static void endless(enum kind kind)
{
    struct bight_executor *executor = map_open(kind, 0);
    struct numbers numbers = {.count = -1, .fail_at = -1, .sleeps = true};
    struct bight_job_map_item item;
    struct bight_job_map map;

    map_begin(&map, executor, &square_job, &numbers,
              (struct bight_job_map_options){.chunk = 3, .window = 4});
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        map_expect_square(&item, (size_t)i);
        CHECK(numbers.next <= i + 1 + 3 * 4);
        CHECK(worker_stats(executor).jobs <= 4);
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    worker_close(executor);
}

static int a_source_may_be_endless(void *arg)
{
    (void)arg;
    return map_on_both(endless);
}

static void locals(enum kind kind)
{
    struct bight_threads_options one = {.threads_most = 1};
    struct bight_executor *executor = NULL;
    struct numbers numbers = {.count = 10, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    if (kind == WORKERS)
        executor = worker_open_count(1);
    else
        CHECK_EQ(bight_threads_new(&executor, &one), 0);
    map_begin(&map, executor, &local_job, &numbers, (struct bight_job_map_options){.chunk = 5});
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.code, i + 1);
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
}

static int items_see_their_worker_s_local(void *arg)
{
    (void)arg;
    return map_on_both(locals);
}

/* Two maps in an executor that has room for three jobs. */
static void crowded(enum kind kind)
{
    struct bight_executor *executor = map_open(kind, 1);
    struct numbers numbers[2] = {{.count = 100, .fail_at = -1}, {.count = 100, .fail_at = -1}};
    struct bight_job_map maps[2];
    struct bight_job_map_item item;

    for (int i = 0; i < 2; i++)
        map_begin(&maps[i], executor, &square_job, &numbers[i],
                  (struct bight_job_map_options){.window = 8});
    for (size_t at = 0; at < 100; at++) {
        for (int i = 0; i < 2; i++) {
            CHECK_EQ(bight_job_map_next(&maps[i], &item), 0);
            map_expect_square(&item, at);
        }
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(bight_job_map_end(&maps[i]), 0);
    worker_close(executor);
}

static int it_waits_for_room_in_the_executor(void *arg)
{
    (void)arg;
    return map_on_both(crowded);
}

struct mapper {
    struct bight_executor *executor;
    struct bight_task *task;
    int given;
};

static int map_task(void *arg)
{
    struct mapper *mapper = arg;
    struct numbers numbers = {.count = 20, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    map_begin(&map, mapper->executor, &square_job, &numbers, (struct bight_job_map_options){0});
    while (bight_job_map_next(&map, &item) == 0) {
        map_expect_square(&item, (size_t)mapper->given);
        mapper->given++;
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    return 0;
}

/* While others hold all places, several maps wait for their first ones. */
static void queued_maps(enum kind kind)
{
    enum { MAPS = 4 };
    struct bight_executor *executor = map_open(kind, 1);
    struct worker_call calls[3] = {{0}};
    struct mapper mappers[MAPS] = {{0}};

    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &hold_job};
        worker_spawn(&calls[i]);
    }
    worker_await(&worker_shared->running, 2);
    for (int i = 0; i < MAPS; i++) {
        mappers[i].executor = executor;
        CHECK_EQ(bight_spawn(&mappers[i].task, map_task, &mappers[i]), 0);
    }
    CHECK_EQ(bight_yield(), 0);
    atomic_store(&worker_shared->released, 1);
    for (int i = 0; i < 3; i++)
        worker_join(&calls[i]);
    for (int i = 0; i < MAPS; i++) {
        CHECK_EQ(bight_join(mappers[i].task, NULL), 0);
        CHECK_EQ(mappers[i].given, 20);
    }
    worker_close(executor);
}

static int maps_wait_in_a_row(void *arg)
{
    (void)arg;
    return map_on_both(queued_maps);
}

static void array(enum kind kind)
{
    enum { COUNT = 300 };
    struct bight_executor *executor = map_open(kind, 0);
    struct bight_job_map_options options = {.chunk = 16, .unordered = true};
    static struct bight_job_map_row rows[COUNT];
    static int numbers[COUNT];

    for (int i = 0; i < COUNT; i++) {
        numbers[i] = i;
        rows[i] = (struct bight_job_map_row){.input = &numbers[i], .input_bytes = sizeof(int)};
    }
    CHECK_EQ(bight_job_map_all(executor, &square_job, rows, COUNT, &options), 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(rows[i].status, 0);
        CHECK_EQ(*(long *)rows[i].result.output, (long)i * i);
        bight_result_free(&rows[i].result);
    }
    CHECK_EQ(bight_job_map_all(executor, &square_job, NULL, 0, &options), 0);
    worker_close(executor);
}

static int an_array_is_mapped_in_one_call(void *arg)
{
    (void)arg;
    return map_on_both(array);
}

static int bad_options_are_refused(void *arg)
{
    struct bight_executor *executor = map_open(THREADS, 0);
    struct bight_job_map_options options = {.chunk = SIZE_MAX};
    struct bight_job_map map;
    struct numbers numbers = {0};

    (void)arg;
    CHECK_EQ(bight_job_map_begin(&map, executor, &square_job, map_next_number, &numbers, &options),
             BIGHT_EINVAL);
    CHECK_EQ(bight_job_map_end(&map), 0);
    options = (struct bight_job_map_options){.window = 65537};
    CHECK_EQ(bight_job_map_begin(&map, executor, &square_job, map_next_number, &numbers, &options),
             BIGHT_EINVAL);
    CHECK_EQ(bight_job_map_begin(&map, executor, &square_job, NULL, &numbers, NULL), BIGHT_EINVAL);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(results_come_in_order_whatever_the_chunk, 0),
    worker_case(unordered_results_come_once_each, 0),
    worker_case(what_is_ready_overtakes, 0),
    worker_case(a_source_may_be_endless, 0),
    worker_case(items_see_their_worker_s_local, 0),
    worker_case(it_waits_for_room_in_the_executor, 0),
    worker_case(maps_wait_in_a_row, 0),
    worker_case(an_array_is_mapped_in_one_call, 0),
    worker_case(bad_options_are_refused, 0),
};

worker_suite("job_map", cases);
