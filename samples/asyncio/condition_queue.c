/* A queue made of a condition variable: the lesson of `Condition`, `while ...: wait()` and
 * `notify_all()`.
 *
 * To notice: bight_condition_wait_until is the while loop; it asks its question with the mutex
 * held. The mutex is held again when it returns, also when it was cancelled, so there is one way
 * out, by the unlock. With one task at a time the mutex matters where a change has a wait in its
 * middle; here it has none, and the mutex is what the condition lets go of and takes again. In a
 * program, use bight_queue. */
#include <bight/condition.h>
#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

#define MAX_SIZE 2
#define ITEMS 6

struct queue {
    struct bight_mutex mutex;
    struct bight_condition changed; /* of count */
    int items[MAX_SIZE];            /* a ring */
    size_t first, count;
    size_t peak; /* the largest count ever */
};

static void queue_init(struct queue *queue)
{
    *queue = (struct queue){.count = 0};
    bight_mutex_init(&queue->mutex);
    bight_condition_init(&queue->changed, &queue->mutex);
}

static bool has_room(void *queue)
{
    return ((const struct queue *)queue)->count < MAX_SIZE;
}

static bool has_items(void *queue)
{
    return ((const struct queue *)queue)->count > 0;
}

/* Lock the mutex, and wait until `ready`. On success the mutex is held. */
static int enter(struct queue *queue, bool (*ready)(void *queue))
{
    int rc = bight_mutex_lock(&queue->mutex);

    if (rc)
        return rc;
    rc = bight_condition_wait_until(&queue->changed, ready, queue);
    if (rc)
        bight_mutex_unlock(&queue->mutex);
    return rc;
}

/* Tell the others what has changed, and unlock. */
static int leave(struct queue *queue)
{
    int notified = bight_condition_notify_all(&queue->changed);
    int unlocked = bight_mutex_unlock(&queue->mutex);

    return notified ? notified : unlocked;
}

static int queue_put(struct queue *queue, int item)
{
    int rc = enter(queue, has_room);

    if (rc)
        return rc;
    queue->items[(queue->first + queue->count++) % MAX_SIZE] = item;
    if (queue->peak < queue->count)
        queue->peak = queue->count;
    return leave(queue);
}

static int queue_get(struct queue *queue, int *item)
{
    int rc = enter(queue, has_items);

    if (rc)
        return rc;
    *item = queue->items[queue->first];
    queue->first = (queue->first + 1) % MAX_SIZE;
    queue->count--;
    return leave(queue);
}

static int produce(void *queue)
{
    int rc = 0;

    for (int i = 0; i < ITEMS && rc == 0; i++)
        rc = queue_put(queue, i);
    return rc;
}

static int consume(void *queue)
{
    int item, rc = 0;

    for (int i = 0; i < ITEMS && rc == 0; i++) {
        rc = bight_sleep(10); /* slower than the producer, who has to wait */
        if (rc == 0)
            rc = queue_get(queue, &item);
        if (rc == 0)
            printf("Got %d\n", item);
    }
    return rc;
}

static int lesson(void *arg)
{
    struct queue queue;
    struct bight_gather both[] = {
        {.fn = produce, .arg = &queue, .name = "producer"},
        {.fn = consume, .arg = &queue, .name = "consumer"},
    };
    int rc;

    (void)arg;
    queue_init(&queue);
    rc = bight_gather_all(both, 2, 0);
    if (rc == 0)
        printf("Never more than %zu items\n", queue.peak);
    return rc;
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "condition_queue: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
