/* A queue read under nested deadlines.
 *
 * Hard: several deadlines surround one wait. Only the scope whose own deadline passed may say
 * BIGHT_ETIMEDOUT, the scopes inside it pass BIGHT_ECANCELED on, those around it go on as if
 * nothing had happened. And an item handed over at the very moment the deadline passes is a
 * result: it must reach the reader, or it would be lost. */
#include <bight/queue.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/task.h>
#include <bight/time.h>

#include <stdio.h>

struct reader {
    struct bight_queue *queue;
    int64_t inner_ms;
    int inner;
    void *item;
};

static int get(void *arg)
{
    struct reader *reader = arg;

    return bight_queue_get(reader->queue, &reader->item);
}

static int get_within(void *arg)
{
    struct reader *reader = arg;

    reader->inner = bight_timeout(reader->inner_ms, get, reader);
    return reader->inner;
}

/* Keep the loop busy until the reader's deadline is over, then put: both are due in one turn. */
static int put_late(void *arg)
{
    struct reader *reader = arg;
    uint64_t end_ns = bight_now_ns() + 10 * UINT64_C(1000000);

    while (bight_now_ns() < end_ns)
        ;
    return bight_queue_put(reader->queue, reader);
}

struct seen {
    struct reader outer_first, inner_first, in_one_turn;
    int outer, around, kept;
};

static int run(void *arg)
{
    struct seen *seen = arg;
    struct bight_queue *queue;
    int rc = bight_queue_new(&queue, 1);

    if (rc)
        return rc;
    seen->outer_first = (struct reader){.queue = queue, .inner_ms = 60000};
    seen->outer = bight_timeout(5, get_within, &seen->outer_first);
    seen->inner_first = (struct reader){.queue = queue, .inner_ms = 5};
    seen->around = bight_timeout(60000, get_within, &seen->inner_first);
    seen->in_one_turn = (struct reader){.queue = queue, .inner_ms = 5};
    rc = bight_spawn(NULL, put_late, &seen->in_one_turn);
    if (rc == 0)
        seen->kept = bight_timeout(60000, get_within, &seen->in_one_turn);
    bight_queue_close(queue);
    return rc ? rc : bight_queue_free(queue);
}

int main(void)
{
    struct seen seen = {0};
    int rc = bight_run(run, &seen);
    bool ok = rc == 0 && seen.outer_first.inner == BIGHT_ECANCELED &&
              seen.outer == BIGHT_ETIMEDOUT && seen.inner_first.inner == BIGHT_ETIMEDOUT &&
              seen.around == BIGHT_ETIMEDOUT && seen.kept == 0 &&
              seen.in_one_turn.item == &seen.in_one_turn;

    printf("queue_deadlines: outer first: %s in %s; inner first: %s; item in the same turn: %s\n",
           bight_error_name(seen.outer_first.inner), bight_error_name(seen.outer),
           bight_error_name(seen.inner_first.inner), seen.kept ? "lost" : "kept");
    return ok ? 0 : 1;
}
