/* A bounded queue between threads: the lesson of `Condition` and the queue that is built on it.
 *
 * To notice: bight_thread_queue is that queue, and the same calls are for both worlds: a thread
 * blocks in them, a task sleeps. So a stage may move from one to the other and stays as it is
 * written. Items are pointers that have one owner at a time. Closing says "no more": whoever gets
 * takes what is still there and then learns it, however many there are, so no sentinel is needed,
 * and a stage that fails closes both sides, for the others not to wait for what never comes. What
 * is then left in a queue is dropped with its last reference. */
#include "samples/offload/lesson.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/thread_queue.h>
#include <bight/threads.h>

#include <stdio.h>
#include <stdlib.h>

#define CAPACITY 2
#define NUMBERS 6

struct pipeline {
    struct bight_executor *threads;
    struct bight_thread_queue *numbers, *squares;
    size_t most; /* items that `numbers` had */
};

static int put_number(struct bight_thread_queue *queue, long number)
{
    long *item = malloc(sizeof *item);
    int rc;

    if (!item)
        return BIGHT_ENOMEM;
    *item = number;
    rc = bight_thread_queue_put(queue, item, -1);
    if (rc)
        free(item);
    return rc;
}

static int produce(void *arg) /* on a thread */
{
    struct pipeline *pipeline = arg;
    int rc = 0;

    for (long i = 1; i <= NUMBERS && rc == 0; i++) {
        size_t length;

        rc = put_number(pipeline->numbers, i);
        length = bight_thread_queue_length(pipeline->numbers);
        if (length > pipeline->most)
            pipeline->most = length;
    }
    bight_thread_queue_close(pipeline->numbers);
    return rc;
}

static int square(void *arg) /* on another thread */
{
    struct pipeline *pipeline = arg;
    void *item;
    int rc;

    while ((rc = bight_thread_queue_get(pipeline->numbers, &item, -1)) == 0) {
        long *number = item;

        *number *= *number;
        rc = bight_thread_queue_put(pipeline->squares, number, -1);
        if (rc) {
            free(number);
            break;
        }
    }
    bight_thread_queue_close(pipeline->numbers);
    bight_thread_queue_close(pipeline->squares);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int run_produce(void *arg)
{
    struct pipeline *pipeline = arg;

    return bight_threads_call(pipeline->threads, produce, pipeline);
}

static int run_square(void *arg)
{
    struct pipeline *pipeline = arg;

    return bight_threads_call(pipeline->threads, square, pipeline);
}

static int print(void *arg) /* a task */
{
    struct pipeline *pipeline = arg;
    void *item;
    int rc;

    while ((rc = bight_thread_queue_get(pipeline->squares, &item, -1)) == 0) {
        printf("Got %ld\n", *(long *)item);
        free(item);
    }
    bight_thread_queue_close(pipeline->squares);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int run_stages(struct pipeline *pipeline)
{
    struct bight_gather stages[] = {
        {.fn = run_produce, .arg = pipeline, .name = "produce"},
        {.fn = run_square, .arg = pipeline, .name = "square"},
        {.fn = print, .arg = pipeline, .name = "print"},
    };
    struct bight_threads_options options = {.threads_most = 2};
    int ended, rc = bight_threads_new(&pipeline->threads, &options);

    if (rc)
        return rc;
    rc = bight_gather_all(stages, sizeof stages / sizeof stages[0], 0);
    ended = bight_executor_end(pipeline->threads);
    return rc ? rc : ended;
}

static void drop(void *arg, void *item)
{
    (void)arg;
    free(item);
}

static int lesson(void *arg)
{
    struct pipeline pipeline = {.most = 0};
    int rc = bight_thread_queue_new(&pipeline.numbers, CAPACITY, drop, NULL);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_thread_queue_new(&pipeline.squares, CAPACITY, drop, NULL);
    if (rc == 0)
        rc = run_stages(&pipeline);
    if (rc == 0)
        printf("Never more than %d numbers waited: %s\n", CAPACITY,
               pipeline.most <= CAPACITY ? "true" : "false");
    bight_thread_queue_unref(pipeline.squares);
    bight_thread_queue_unref(pipeline.numbers);
    return rc;
}

int main(void)
{
    return lesson_status("thread_queue", bight_run(lesson, NULL));
}
