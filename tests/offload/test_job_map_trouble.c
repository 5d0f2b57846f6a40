/* Maps of jobs of which something fails, dies, or is given up. */
#include "tests/offload/map_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of item 13 it dies. */
static int mishap(struct bight_job *job)
{
    if (*(int *)job->input == 13)
        raise(SIGKILL);
    return square_job.fn(job);
}

/* Fails for odd numbers, with a text of that length. */
static int odd_fails(struct bight_job *job)
{
    int number = *(int *)job->input;

    for (int i = 0; i < number; i++) {
        if (bight_job_output_append(job, "x", 1))
            return -3;
    }
    return number % 2 ? -number : number;
}

/* Item 3 writes more than it may; 4 does, and takes it back. */
static int too_much(struct bight_job *job)
{
    static const char block[4096];
    int number = *(int *)job->input, rc = 0;

    for (int i = 0; (number == 3 || number == 4) && i < 100 && !rc; i++)
        rc = bight_job_output_append(job, block, sizeof block);
    if (number == 4)
        bight_job_output_clear(job);
    return bight_job_output_append(job, &number, sizeof number) ? -1 : number;
}

/* Writes over what chunks keep beside their outputs. */
static int scribble(struct bight_job *job)
{
    if (*(int *)job->input == 5)
        memset(job->output - 16, 0xff, 16);
    return 0;
}

/* Its child returns too, and ends there. */
static int fork_and_count(struct bight_job *job)
{
    pid_t pid = fork();

    if (pid < 0)
        return -1;
    if (pid == 0)
        return bight_job_output_append(job, "child", 5);
    while (waitpid(pid, NULL, 0) < 0)
        ;
    atomic_fetch_add(&worker_shared->counter, 1);
    return bight_job_output_append(job, "worker", 6);
}

static const struct bight_job_def mishap_job = {.name = "mishap", .fn = mishap};
static const struct bight_job_def odd_job = {.name = "odd fails", .fn = odd_fails};
static const struct bight_job_def big_job = {.name = "too much", .fn = too_much};
static const struct bight_job_def scribble_job = {.name = "scribble", .fn = scribble};
static const struct bight_job_def fork_job = {.name = "fork and count", .fn = fork_and_count};

static void source_fails(enum kind kind)
{
    static const struct {
        size_t chunk;
        int at;
        int given;
    } rows[] = {{1, 0, 0}, {1, 3, 3}, {2, 7, 6}, {4, 7, 4}, {100, 7, 0}};
    struct bight_executor *executor = map_open(kind, 0);
    struct bight_job_map_item item;
    struct bight_job_map map;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct numbers numbers = {.count = 20, .fail_at = rows[i].at, .code = BIGHT_EIO};

        map_begin(&map, executor, &square_job, &numbers,
                  (struct bight_job_map_options){.chunk = rows[i].chunk});
        for (int at = 0; at < rows[i].given; at++)
            CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_EIO);
        CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_EIO);
        CHECK_EQ(bight_job_map_end(&map), 0);
    }
    worker_close(executor);
}

static int a_source_that_fails_ends_the_map(void *arg)
{
    (void)arg;
    return map_on_both(source_fails);
}

static void items_fail(enum kind kind)
{
    struct bight_executor *executor = map_open(kind, 0);
    struct numbers numbers = {.count = 100, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    map_begin(&map, executor, &odd_job, &numbers, (struct bight_job_map_options){.chunk = 9});
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.status, i % 2 ? BIGHT_EJOBFAILED : 0);
        CHECK_EQ(item.code, i % 2 ? -i : i);
        CHECK_EQ(item.output_bytes, i);
        CHECK(i == 0 || ((const char *)item.output)[i - 1] == 'x');
        CHECK_EQ((uintptr_t)item.output % 8, 0);
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
}

static int an_item_that_fails_is_a_result(void *arg)
{
    (void)arg;
    return map_on_both(items_fail);
}

static int a_dead_worker_takes_its_chunk_only(void *arg)
{
    struct bight_executor *executor = map_open(WORKERS, 0);
    struct numbers numbers = {.count = 40, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    (void)arg;
    map_begin(&map, executor, &mishap_job, &numbers, (struct bight_job_map_options){.chunk = 5});
    for (int i = 0; i < 40; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.status, i / 5 == 2 ? BIGHT_EWORKERDIED : 0);
        CHECK_EQ(item.exit_signal, i / 5 == 2 ? SIGKILL : 0);
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
    return 0;
}

static int an_output_that_is_too_big_is_its_own(void *arg)
{
    struct bight_executor *executor = map_open(WORKERS, 0);
    struct numbers numbers = {.count = 10, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    (void)arg;
    map_begin(&map, executor, &big_job, &numbers, (struct bight_job_map_options){.chunk = 10});
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.status, i == 3 ? BIGHT_ETOOBIG : 0);
        CHECK_EQ(item.output_bytes, i == 3 ? 0 : sizeof(int));
        CHECK(i == 3 || *(const int *)item.output == i);
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
    return 0;
}

static int an_input_that_is_too_big_is_its_chunk_s(void *arg)
{
    struct bight_executor *executor = map_open(WORKERS, 0);
    char *large = calloc(1, 64 << 10);
    struct bight_job_map_row rows[3] = {{.input = large, .input_bytes = 10},
                                        {.input = large, .input_bytes = 64 << 10},
                                        {.input = large, .input_bytes = 20}};

    (void)arg;
    CHECK_EQ(bight_job_map_all(executor, &echo_job, rows, 3, NULL), BIGHT_ETOOBIG);
    CHECK_EQ(rows[0].status, 0);
    CHECK_EQ(rows[0].result.output_bytes, 10);
    CHECK_EQ(rows[1].status, BIGHT_ETOOBIG);
    CHECK_EQ(rows[2].result.output_bytes, 20);
    for (int i = 0; i < 3; i++)
        bight_result_free(&rows[i].result);
    free(large);
    worker_close(executor);
    return 0;
}

static int what_a_worker_scribbles_harms_its_chunk_only(void *arg)
{
    struct bight_executor *executor = map_open(WORKERS, 0);
    struct numbers numbers = {.count = 20, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    (void)arg;
    map_begin(&map, executor, &scribble_job, &numbers, (struct bight_job_map_options){.chunk = 6});
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        if (i < 5 || i >= 12 || i == 11)
            CHECK(item.status == 0 || (i < 6 && item.status == BIGHT_EUNKNOWNOUTCOME));
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
    return 0;
}

static void ended_early(enum kind kind)
{
    struct bight_executor *executor = map_open(kind, 0);
    struct numbers numbers = {.count = 1000, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    map_begin(&map, executor, &square_job, &numbers, (struct bight_job_map_options){.chunk = 3});
    CHECK_EQ(bight_job_map_end(&map), 0);
    map_begin(&map, executor, &square_job, &numbers, (struct bight_job_map_options){.chunk = 3});
    CHECK_EQ(bight_job_map_next(&map, &item), 0);
    CHECK_EQ(bight_job_map_end(&map), 0);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    CHECK(numbers.next < 100);
    worker_close(executor);
}

static int it_can_be_ended_early(void *arg)
{
    (void)arg;
    return map_on_both(ended_early);
}

/* A cancelled wait loses no result. */
static void cancelled(enum kind kind)
{
    struct bight_executor *executor = map_open(kind, 0);
    struct numbers numbers = {.count = 3, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;
    struct bight_scope scope;
    int rc;

    map_begin(&map, executor, &hold_some_job, &numbers, (struct bight_job_map_options){0});
    CHECK_EQ(bight_scope_begin(&scope, 10, 0), 0);
    rc = bight_job_map_next(&map, &item);
    CHECK_EQ(rc, BIGHT_ECANCELED);
    CHECK_EQ(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    atomic_store(&worker_shared->released, 1);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.index, i);
        CHECK_EQ(item.status, 0);
    }
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
}

static int a_time_limit_does_not_end_the_map(void *arg)
{
    (void)arg;
    return map_on_both(cancelled);
}

static int a_child_of_an_item_ends_with_it(void *arg)
{
    struct bight_executor *executor = map_open(WORKERS, 0);
    struct numbers numbers = {.count = 12, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    (void)arg;
    map_begin(&map, executor, &fork_job, &numbers, (struct bight_job_map_options){.chunk = 4});
    for (int i = 0; i < 12; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.status, 0);
        CHECK_EQ(item.output_bytes, 6);
        CHECK_EQ(memcmp(item.output, "worker", 6), 0);
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    CHECK_EQ(atomic_load(&worker_shared->counter), 12);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_source_that_fails_ends_the_map, 0),
    worker_case(an_item_that_fails_is_a_result, 0),
    worker_case(a_dead_worker_takes_its_chunk_only, 0),
    worker_case(an_output_that_is_too_big_is_its_own, 0),
    worker_case(an_input_that_is_too_big_is_its_chunk_s, 0),
    worker_case(what_a_worker_scribbles_harms_its_chunk_only, 0),
    worker_case(it_can_be_ended_early, 0),
    worker_case(a_time_limit_does_not_end_the_map, 0),
    worker_case(a_child_of_an_item_ends_with_it, 0),
};

worker_suite("job_map_trouble", cases);
