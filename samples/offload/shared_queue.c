/* A queue between processes: the lesson of `multiprocessing.Queue` and its sentinel. A producer
 * process puts numbers into one queue, two consumer processes get them from there and put squares
 * into another, and a task of the host awaits these while the loop goes on.
 *
 * To notice: put and get are the same calls in a process, which they block, and in a task, which
 * they suspend. The producer says by an item of no bytes that it was the last, and whoever gets it
 * puts it back for the next one; the results need none, since the queue is closed when all have
 * ended. Both queues are short, so that a slow consumer slows the producer down. */
#include "samples/offload/lesson.h"

#include <bight/errors.h>
#include <bight/executor.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/shared.h>
#include <bight/workers.h>

#include <stdio.h>

#define CONSUMERS 2
#define NUMBERS 20
#define CAPACITY 4

struct board {
    struct bight_shared_queue numbers, squares;
    uint64_t numbers_storage[CAPACITY * 2], squares_storage[CAPACITY * 2];
};

static struct board *find_board(struct bight_job *job, int *rc)
{
    void *data = NULL;

    *rc = bight_job_shared(job, *(int *)job->input, &data, NULL);
    return data;
}

static int produce(struct bight_job *job)
{
    int rc;
    struct board *board = find_board(job, &rc);

    for (int i = 1; i <= NUMBERS && rc == 0; i++)
        rc = bight_shared_queue_put(&board->numbers, &i, sizeof i, -1);
    return rc ? rc : bight_shared_queue_put(&board->numbers, NULL, 0, -1); /* the sentinel */
}
static const struct bight_job_def produce_job = {.name = "produce", .fn = produce};

static int consume(struct bight_job *job)
{
    int rc, number;
    struct board *board = find_board(job, &rc);

    while (rc == 0) {
        rc = bight_shared_queue_get(&board->numbers, &number, sizeof number, -1);
        if (rc <= 0)
            break;
        number *= number;
        rc = bight_shared_queue_put(&board->squares, &number, sizeof number, -1);
    }
    return rc ? rc : bight_shared_queue_put(&board->numbers, NULL, 0, -1);
}
static const struct bight_job_def consume_job = {.name = "consume", .fn = consume};

struct call {
    struct bight_executor *workers;
    const struct bight_job_def *def;
    int segment;
};

static int execute(void *item)
{
    const struct call *call = item;

    return bight_execute(call->workers, call->def, &call->segment, sizeof call->segment, NULL);
}

struct exchange {
    struct call calls[1 + CONSUMERS];
    struct board *board;
    int count;
    long sum;
};

/* Have all jobs run, and say when there are no more results. */
static int run_jobs(void *arg)
{
    struct exchange *exchange = arg;
    int rc = bight_map(execute, exchange->calls, sizeof exchange->calls[0], 1 + CONSUMERS,
                       1 + CONSUMERS, 0);
    int closed = bight_shared_queue_close(&exchange->board->squares);

    return rc ? rc : closed;
}

static int collect(void *arg)
{
    struct exchange *exchange = arg;
    int square, rc;

    while ((rc = bight_shared_queue_get(&exchange->board->squares, &square, sizeof square, -1)) >
           0) {
        exchange->count++;
        exchange->sum += square;
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int share(struct bight_executor *workers, struct bight_shared *segment)
{
    struct board *board = bight_shared_data(segment);
    struct exchange exchange = {.board = board};
    struct bight_gather both[] = {{.fn = run_jobs, .arg = &exchange},
                                  {.fn = collect, .arg = &exchange}};
    int number = bight_workers_share(workers, segment), rc = number < 0 ? number : 0;

    if (rc == 0)
        rc =
            bight_shared_queue_init(&board->numbers, board->numbers_storage, CAPACITY, sizeof(int));
    if (rc == 0)
        rc =
            bight_shared_queue_init(&board->squares, board->squares_storage, CAPACITY, sizeof(int));
    if (rc)
        return rc;
    for (int i = 0; i < 1 + CONSUMERS; i++)
        exchange.calls[i] = (struct call){workers, i == 0 ? &produce_job : &consume_job, number};
    rc = bight_gather_all(both, 2, 0);
    if (rc == 0)
        printf("%d results, sum of squares %ld\n", exchange.count, exchange.sum);
    return rc;
}

static int lesson(void *arg)
{
    const struct bight_workers_options options = {.workers = 1 + CONSUMERS, .ahead = 1};

    (void)arg;
    return with_segment(&options, sizeof(struct board), share);
}

int main(int argc, char **argv)
{
    int rc = bight_workers_prepare(argc, argv);

    return lesson_status("shared_queue", rc ? rc : bight_run(lesson, NULL));
}
