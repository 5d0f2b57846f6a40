/* Producer and consumer with a sentinel: the lesson of `Queue`, `put(None)` and `if item is None:
 * break`.
 *
 * To notice: the queue carries pointers and every message has one owner at any time. A put that
 * succeeds hands the message over, a put that fails leaves it with the producer, and what is
 * still in the queue at the end, after an error, is dropped by bight_queue_abort. NULL is an
 * item like any other, so it can be the sentinel. A side that gives up, say because it was
 * cancelled, cannot put a sentinel: a put would be cancelled too. It closes the queue, and so
 * the other side does not wait for what never comes. */
#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/queue.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

#define MESSAGES 5
#define MESSAGE_BYTES 24

static int send_message(struct bight_queue *queue, int number)
{
    char *message = malloc(MESSAGE_BYTES);
    int rc;

    if (!message)
        return BIGHT_ENOMEM;
    snprintf(message, MESSAGE_BYTES, "Message %d", number);
    rc = bight_queue_put(queue, message);
    if (rc)
        free(message);
    return rc;
}

static int produce(void *arg)
{
    struct bight_queue *queue = arg;
    int rc = 0;

    for (int i = 0; i < MESSAGES && rc == 0; i++) {
        rc = send_message(queue, i);
        if (rc == 0)
            rc = bight_sleep(100);
    }
    if (rc == 0)
        rc = bight_queue_put(queue, NULL); /* the sentinel */
    if (rc)
        bight_queue_close(queue);
    return rc;
}

static int consume(void *arg)
{
    struct bight_queue *queue = arg;
    void *item;
    int rc;

    while ((rc = bight_queue_get(queue, &item)) == 0 && item) {
        printf("Consumed: %s\n", (char *)item);
        free(item);
    }
    if (rc)
        bight_queue_close(queue);
    return rc;
}

static void drop(void *arg, void *item)
{
    (void)arg;
    free(item);
}

static int lesson(void *arg)
{
    struct bight_queue *queue;
    int rc = bight_queue_new(&queue, 2);
    int freed;

    (void)arg;
    if (rc)
        return rc;
    struct bight_gather both[] = {
        {.fn = produce, .arg = queue, .name = "producer"},
        {.fn = consume, .arg = queue, .name = "consumer"},
    };
    rc = bight_gather_all(both, 2, 0);
    bight_queue_abort(queue, drop, NULL);
    freed = bight_queue_free(queue);
    return rc ? rc : freed;
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "producer_consumer: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
