/* What a queue tells of itself. */
#include "coro/queue/queue.h"

#include <stdio.h>
#include <string.h>

size_t bight_queue_length(const struct bight_queue *queue)
{
    return queue ? queue->length : 0;
}

bool bight_queue_empty(const struct bight_queue *queue)
{
    return queue && queue->length == 0;
}

bool bight_queue_full(const struct bight_queue *queue)
{
    return queue && queue->length == queue->capacity;
}

/* How many in the list still wait: a getter of many stays in it for a while after it was woken. */
static size_t count_waits(const struct bight_link *list)
{
    size_t count = 0;

    for (const struct bight_link *link = list->next; link != list; link = link->next)
        count += bight_waiter_pending(container_of(link, struct bight_waiter, link));
    return count;
}

void bight_queue_get_stats(const struct bight_queue *queue, struct bight_queue_stats *stats)
{
    if (!queue || !stats)
        return;
    *stats = (struct bight_queue_stats){
        .length = queue->length,
        .capacity = queue->capacity,
        .unfinished = queue->unfinished,
        .getters = count_waits(&queue->getters),
        .putters = count_waits(&queue->putters),
        .joiners = count_waits(&queue->joiners),
        .closed = queue->end,
    };
}

void bight__queue_describe_items(const struct bight_queue *queue, char *text, size_t text_bytes)
{
    if (queue->capacity == BIGHT_QUEUE_UNBOUNDED)
        snprintf(text, text_bytes, "%zu items", queue->length);
    else
        snprintf(text, text_bytes, "%zu of %zu items", queue->length, queue->capacity);
}

void bight__queue_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_queue *queue = container_of(waiter, struct bight__queue_wait, waiter)->queue;
    size_t used;

    bight__queue_describe_items(queue, text, text_bytes);
    used = strlen(text);
    snprintf(text + used, text_bytes - used, ", %zu unfinished%s", queue->unfinished,
             queue->end ? ", closed" : "");
}
