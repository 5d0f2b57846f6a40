/* Shared values: the lesson of `Value('i', 0)`, `Array('d', ...)` and the lock that goes with them.
 * Four processes count together, each fills its part of an array, and one doubles what it finds.
 *
 * To notice: the segment is one struct, and each of its fields is shared in the way that it needs.
 * A counter is a C11 atomic. What has to change together is under the mutex, which a worker that is
 * killed does not take with it. The array needs neither, since each process has a part of its own,
 * and the host reads it after they have ended. */
#include "samples/offload/lesson.h"

#include <bight/errors.h>
#include <bight/executor.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/shared.h>
#include <bight/workers.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PROCESSES 4
#define PER_PROCESS 5
#define ROUNDS 1000

struct values {
    atomic_long counter;
    struct bight_shared_mutex mutex;
    long sum, squares; /* under the mutex: of the same numbers */
    double array[PROCESSES * PER_PROCESS];
    char text[20];
};

/* A job's input; and what the task that has it run needs. */
struct order {
    int segment;
    int process;
};

struct call {
    struct bight_executor *workers;
    struct order order;
};

/* Add to both sums, or to none: after BIGHT_EOWNERDEAD they may disagree. Nobody is killed here, so
 * that is a failure as any other. */
static int add(struct values *values, long number)
{
    int rc = bight_shared_mutex_lock(&values->mutex, -1);

    if (rc == BIGHT_EOWNERDEAD)
        (void)bight_shared_mutex_unlock(&values->mutex);
    if (rc)
        return rc;
    values->sum += number;
    values->squares += number * number;
    return bight_shared_mutex_unlock(&values->mutex);
}

static int work(struct bight_job *job)
{
    const struct order *order = job->input;
    struct values *values;
    void *data;
    int rc = bight_job_shared(job, order->segment, &data, NULL);

    values = data;
    for (int i = 0; i < ROUNDS && rc == 0; i++) {
        atomic_fetch_add(&values->counter, 1);
        rc = add(values, i % 10);
    }
    for (int i = 0; i < PER_PROCESS && rc == 0; i++) {
        int index = order->process * PER_PROCESS + i;

        values->array[index] = index / 2.0;
    }
    return rc;
}
static const struct bight_job_def work_job = {.name = "work", .fn = work};

static int double_all(struct bight_job *job)
{
    const struct order *order = job->input;
    struct values *values;
    void *data;
    int rc = bight_job_shared(job, order->segment, &data, NULL);

    if (rc)
        return rc;
    values = data;
    for (int i = 0; i < PROCESSES * PER_PROCESS; i++)
        values->array[i] *= 2;
    memcpy(values->text + strlen(values->text), "hello", sizeof("hello"));
    return 0;
}
static const struct bight_job_def double_all_job = {.name = "double all", .fn = double_all};

static int call_work(void *item)
{
    const struct call *call = item;

    return bight_execute(call->workers, &work_job, &call->order, sizeof call->order, NULL);
}

static void show(struct values *values)
{
    printf("counter %ld, sum %ld, squares %ld\n", atomic_load(&values->counter), values->sum,
           values->squares);
    printf("array %.1f %.1f ... %.1f, text %s\n", values->array[0], values->array[1],
           values->array[PROCESSES * PER_PROCESS - 1], values->text);
}

static int share(struct bight_executor *workers, struct bight_shared *segment)
{
    struct values *values = bight_shared_data(segment); /* all zero */
    struct call calls[PROCESSES];
    int number = bight_workers_share(workers, segment);
    int rc = number < 0 ? number : bight_shared_mutex_init(&values->mutex);

    if (rc)
        return rc;
    strcpy(values->text, "hello");
    for (int i = 0; i < PROCESSES; i++)
        calls[i] = (struct call){workers, {number, i}};
    rc = bight_map(call_work, calls, sizeof calls[0], PROCESSES, PROCESSES, 0);
    if (rc)
        return rc;
    show(values);
    rc = bight_execute(workers, &double_all_job, &calls[0].order, sizeof calls[0].order, NULL);
    if (rc == 0)
        show(values);
    return rc;
}

static int lesson(void *arg)
{
    const struct bight_workers_options options = {.workers = PROCESSES};

    (void)arg;
    return with_segment(&options, sizeof(struct values), share);
}

int main(int argc, char **argv)
{
    int rc = bight_workers_prepare(argc, argv);

    return lesson_status("shared_values", rc ? rc : bight_run(lesson, NULL));
}
