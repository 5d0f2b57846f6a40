/* Maps of jobs, on threads and on worker processes. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum kind { THREADS, WORKERS };

static struct bight_executor *open_two(enum kind kind, size_t queue_max)
{
    struct bight_threads_options threads = {.threads_most = 2, .queue_max = queue_max};
    struct bight_workers_options workers = {
        .workers = 2, .queue_max = queue_max, .payload_max_bytes = 64 << 10};
    struct bight_executor *executor = NULL;

    if (kind == WORKERS)
        return worker_open(&workers);
    CHECK_EQ(bight_threads_new(&executor, &threads), 0);
    return executor;
}

static int on_both(void (*fn)(enum kind kind))
{
    for (enum kind kind = THREADS; kind <= WORKERS; kind++) {
        atomic_store(&worker_shared->running, 0);
        atomic_store(&worker_shared->released, 0);
        atomic_store(&worker_shared->counter, 0);
        fn(kind);
    }
    return 0;
}

/* Its output is the square, its code the number. */
static int square(struct bight_job *job)
{
    int number;
    long result;

    if (job->input_bytes != sizeof number || (uintptr_t)job->input % 16)
        return -1;
    memcpy(&number, job->input, sizeof number);
    result = (long)number * number;
    atomic_fetch_add(&worker_shared->counter, 1);
    return bight_job_output_append(job, &result, sizeof result) ? -2 : number;
}

/* Of item 13 it dies. */
static int mishap(struct bight_job *job)
{
    if (*(int *)job->input == 13)
        raise(SIGKILL);
    return square(job);
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

static int count_local(struct bight_job *job)
{
    bight_job_set_local(job, (char *)job->local + 1);
    return (int)(uintptr_t)job->local;
}

static int hold_some(struct bight_job *job)
{
    return *(int *)job->input < 2 ? hold_job.fn(job) : 0;
}

static const struct bight_job_def square_job = {.name = "square", .fn = square};
static const struct bight_job_def mishap_job = {.name = "mishap", .fn = mishap};
static const struct bight_job_def odd_job = {.name = "odd fails", .fn = odd_fails};
static const struct bight_job_def big_job = {.name = "too much", .fn = too_much};
static const struct bight_job_def scribble_job = {.name = "scribble", .fn = scribble};
static const struct bight_job_def local_job = {.name = "count local", .fn = count_local};
static const struct bight_job_def hold_some_job = {.name = "hold some", .fn = hold_some};

/* Gives the numbers from 0 on. */
struct numbers {
    int next;
    int count;   /* -1: endless */
    int fail_at; /* -1: never */
    int code;
    bool sleeps;
};

static int next_number(void *arg, const void **input, size_t *input_bytes)
{
    struct numbers *numbers = arg;
    static int number;

    if (numbers->sleeps && bight_sleep(1))
        return BIGHT_ECANCELED;
    if (numbers->next == numbers->fail_at)
        return numbers->code;
    if (numbers->next == numbers->count)
        return 0;
    number = numbers->next++;
    *input = &number;
    *input_bytes = sizeof number;
    return 1;
}

static void begin(struct bight_job_map *map, struct bight_executor *executor,
                  const struct bight_job_def *def, struct numbers *numbers,
                  struct bight_job_map_options options)
{
    CHECK_EQ(bight_job_map_begin(map, executor, def, next_number, numbers, &options), 0);
}

static void expect_square(const struct bight_job_map_item *item, size_t index)
{
    long result;

    CHECK_EQ(item->status, 0);
    CHECK_EQ(item->index, index);
    CHECK_EQ(item->code, index);
    CHECK_EQ(item->attempts, 1);
    CHECK_EQ(item->output_bytes, sizeof result);
    memcpy(&result, item->output, sizeof result);
    CHECK_EQ(result, index * index);
}

static void ordered(enum kind kind)
{
    static const size_t chunks[] = {0, 1, 6, 40, 50, 65536};
    struct bight_executor *executor = open_two(kind, 0);
    struct bight_job_map_item item;
    struct bight_job_map map;

    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct numbers numbers = {.count = 40, .fail_at = -1};

        begin(&map, executor, &square_job, &numbers,
              (struct bight_job_map_options){.chunk = chunks[i]});
        for (size_t at = 0; at < 40; at++) {
            CHECK_EQ(bight_job_map_next(&map, &item), 0);
            expect_square(&item, at);
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
    return on_both(ordered);
}

static void unordered(enum kind kind)
{
    struct bight_executor *executor = open_two(kind, 0);
    struct numbers numbers = {.count = 1000, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;
    bool seen[1000] = {false};

    begin(&map, executor, &square_job, &numbers,
          (struct bight_job_map_options){.chunk = 7, .unordered = true});
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK(item.index < 1000 && !seen[item.index]);
        expect_square(&item, item.index);
        seen[item.index] = true;
    }
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
}

static int unordered_results_come_once_each(void *arg)
{
    (void)arg;
    return on_both(unordered);
}

/* The first two items take long: others are there before them. */
static void overtaken(enum kind kind)
{
    struct bight_executor *executor = open_two(kind, 0);
    struct numbers numbers = {.next = 1, .count = 4, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    begin(&map, executor, &hold_some_job, &numbers,
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
    return on_both(overtaken);
}

static void endless(enum kind kind)
{
    struct bight_executor *executor = open_two(kind, 0);
    struct numbers numbers = {.count = -1, .fail_at = -1, .sleeps = true};
    struct bight_job_map_item item;
    struct bight_job_map map;

    begin(&map, executor, &square_job, &numbers,
          (struct bight_job_map_options){.chunk = 3, .window = 4});
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        expect_square(&item, (size_t)i);
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
    return on_both(endless);
}

static void source_fails(enum kind kind)
{
    static const struct {
        size_t chunk;
        int at;
        int given;
    } rows[] = {{1, 0, 0}, {1, 3, 3}, {2, 7, 6}, {4, 7, 4}, {100, 7, 0}};
    struct bight_executor *executor = open_two(kind, 0);
    struct bight_job_map_item item;
    struct bight_job_map map;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct numbers numbers = {.count = 20, .fail_at = rows[i].at, .code = BIGHT_EIO};

        begin(&map, executor, &square_job, &numbers,
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
    return on_both(source_fails);
}

static void items_fail(enum kind kind)
{
    struct bight_executor *executor = open_two(kind, 0);
    struct numbers numbers = {.count = 100, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    begin(&map, executor, &odd_job, &numbers, (struct bight_job_map_options){.chunk = 9});
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
    return on_both(items_fail);
}

static int a_dead_worker_takes_its_chunk_only(void *arg)
{
    struct bight_executor *executor = open_two(WORKERS, 0);
    struct numbers numbers = {.count = 40, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    (void)arg;
    begin(&map, executor, &mishap_job, &numbers, (struct bight_job_map_options){.chunk = 5});
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
    struct bight_executor *executor = open_two(WORKERS, 0);
    struct numbers numbers = {.count = 10, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    (void)arg;
    begin(&map, executor, &big_job, &numbers, (struct bight_job_map_options){.chunk = 10});
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
    struct bight_executor *executor = open_two(WORKERS, 0);
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
    struct bight_executor *executor = open_two(WORKERS, 0);
    struct numbers numbers = {.count = 20, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    (void)arg;
    begin(&map, executor, &scribble_job, &numbers, (struct bight_job_map_options){.chunk = 6});
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        if (i < 5 || i >= 12 || i == 11)
            CHECK(item.status == 0 || (i < 6 && item.status == BIGHT_EUNKNOWNOUTCOME));
    }
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
    return 0;
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
    begin(&map, executor, &local_job, &numbers, (struct bight_job_map_options){.chunk = 5});
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
    return on_both(locals);
}

static void ended_early(enum kind kind)
{
    struct bight_executor *executor = open_two(kind, 0);
    struct numbers numbers = {.count = 1000, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;

    begin(&map, executor, &square_job, &numbers, (struct bight_job_map_options){.chunk = 3});
    CHECK_EQ(bight_job_map_end(&map), 0);
    begin(&map, executor, &square_job, &numbers, (struct bight_job_map_options){.chunk = 3});
    CHECK_EQ(bight_job_map_next(&map, &item), 0);
    CHECK_EQ(bight_job_map_end(&map), 0);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    CHECK(numbers.next < 100);
    worker_close(executor);
}

static int it_can_be_ended_early(void *arg)
{
    (void)arg;
    return on_both(ended_early);
}

/* A cancelled wait loses no result. */
static void cancelled(enum kind kind)
{
    struct bight_executor *executor = open_two(kind, 0);
    struct numbers numbers = {.count = 3, .fail_at = -1};
    struct bight_job_map_item item;
    struct bight_job_map map;
    struct bight_scope scope;
    int rc;

    begin(&map, executor, &hold_some_job, &numbers, (struct bight_job_map_options){0});
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
    return on_both(cancelled);
}

/* Two maps in an executor that has room for three jobs. */
static void crowded(enum kind kind)
{
    struct bight_executor *executor = open_two(kind, 1);
    struct numbers numbers[2] = {{.count = 100, .fail_at = -1}, {.count = 100, .fail_at = -1}};
    struct bight_job_map maps[2];
    struct bight_job_map_item item;

    for (int i = 0; i < 2; i++)
        begin(&maps[i], executor, &square_job, &numbers[i],
              (struct bight_job_map_options){.window = 8});
    for (size_t at = 0; at < 100; at++) {
        for (int i = 0; i < 2; i++) {
            CHECK_EQ(bight_job_map_next(&maps[i], &item), 0);
            expect_square(&item, at);
        }
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(bight_job_map_end(&maps[i]), 0);
    worker_close(executor);
}

static int it_waits_for_room_in_the_executor(void *arg)
{
    (void)arg;
    return on_both(crowded);
}

static void array(enum kind kind)
{
    enum { COUNT = 300 };
    struct bight_executor *executor = open_two(kind, 0);
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
    return on_both(array);
}

static int bad_options_are_refused(void *arg)
{
    struct bight_executor *executor = open_two(THREADS, 0);
    struct bight_job_map_options options = {.chunk = SIZE_MAX};
    struct bight_job_map map;
    struct numbers numbers = {0};

    (void)arg;
    CHECK_EQ(bight_job_map_begin(&map, executor, &square_job, next_number, &numbers, &options),
             BIGHT_EINVAL);
    CHECK_EQ(bight_job_map_end(&map), 0);
    options = (struct bight_job_map_options){.window = 65537};
    CHECK_EQ(bight_job_map_begin(&map, executor, &square_job, next_number, &numbers, &options),
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
    worker_case(a_source_that_fails_ends_the_map, 0),
    worker_case(an_item_that_fails_is_a_result, 0),
    worker_case(a_dead_worker_takes_its_chunk_only, 0),
    worker_case(an_output_that_is_too_big_is_its_own, 0),
    worker_case(an_input_that_is_too_big_is_its_chunk_s, 0),
    worker_case(what_a_worker_scribbles_harms_its_chunk_only, 0),
    worker_case(items_see_their_worker_s_local, 0),
    worker_case(it_can_be_ended_early, 0),
    worker_case(a_time_limit_does_not_end_the_map, 0),
    worker_case(it_waits_for_room_in_the_executor, 0),
    worker_case(an_array_is_mapped_in_one_call, 0),
    worker_case(bad_options_are_refused, 0),
};

worker_suite("job_map", cases);
