/* Where a queue keeps its items: making and freeing it, growth of an unbounded one, and the order
 * in the kinds that are not a ring. The ring itself is in queue.c, inlined into put and get. */
#include "coro/queue/queue.h"

#include <string.h>

#include "coro/core/sched.h"

/* How many places an unbounded queue begins with. */
#define FIRST_ROOM 16

#define ROOM_MAX (SIZE_MAX / sizeof(struct bight__queue_entry) / 2)

static void *places_new(const struct bight_queue *queue, size_t room)
{
    size_t bytes = queue->kind == BIGHT_QUEUE_PRIORITY ? sizeof(*queue->heap) : sizeof(void *);

    return bight__alloc(bight__sched ? &bight__sched->seams : NULL, room * bytes);
}

static bool sound(const struct bight_queue_options *options)
{
    if (options->capacity > ROOM_MAX && options->capacity != BIGHT_QUEUE_UNBOUNDED)
        return false;
    switch (options->kind) {
    case BIGHT_QUEUE_FIFO:
    case BIGHT_QUEUE_LIFO:
        return true;
    case BIGHT_QUEUE_PRIORITY:
        return options->compare;
    default:
        return false;
    }
}

int bight_queue_new_with(struct bight_queue **out, const struct bight_queue_options *options)
{
    static const struct bight_queue_options defaults = {.kind = BIGHT_QUEUE_FIFO};
    struct bight_queue *queue;
    size_t room;

    if (!options)
        options = &defaults;
    if (!out || !sound(options))
        return BIGHT_EINVAL;
    if (!bight__sched)
        return BIGHT_ENORUNTIME;
    queue = bight__alloc_zero(&bight__sched->seams, sizeof(*queue));
    if (!queue)
        return BIGHT_ENOMEM;
    room = options->capacity == BIGHT_QUEUE_UNBOUNDED ? FIRST_ROOM : options->capacity;
    queue->kind = options->kind;
    queue->compare = options->compare;
    queue->capacity = options->capacity;
    queue->room = room;
    queue->plain_room = options->kind == BIGHT_QUEUE_FIFO ? room : 0;
    link_init(&queue->getters);
    link_init(&queue->putters);
    link_init(&queue->joiners);
    if (room) {
        void *places = places_new(queue, room);

        if (!places) {
            bight__free(queue);
            return BIGHT_ENOMEM;
        }
        if (queue->kind == BIGHT_QUEUE_PRIORITY)
            queue->heap = places;
        else
            queue->items = places;
    }
    *out = queue;
    return 0;
}

int bight_queue_new(struct bight_queue **out, size_t capacity)
{
    return bight_queue_new_with(out, &(struct bight_queue_options){.capacity = capacity});
}

int bight_queue_free(struct bight_queue *queue)
{
    if (!queue)
        return 0;
    if (!link_empty(&queue->getters) || !link_empty(&queue->putters) ||
        !link_empty(&queue->joiners))
        return BIGHT_EBUSY;
    bight__free(queue->items);
    bight__free(queue->heap);
    bight__free(queue);
    return 0;
}

int bight__queue_grow(struct bight_queue *queue)
{
    size_t before_wrap = queue->room - queue->head;
    void *places;

    if (queue->capacity != BIGHT_QUEUE_UNBOUNDED)
        return BIGHT_EAGAIN;
    if (queue->room > ROOM_MAX / 2)
        return BIGHT_ENOMEM;
    places = places_new(queue, queue->room * 2);
    if (!places)
        return BIGHT_ENOMEM;
    if (queue->kind == BIGHT_QUEUE_PRIORITY) {
        memcpy(places, queue->heap, queue->length * sizeof(*queue->heap));
        bight__free(queue->heap);
        queue->heap = places;
    } else {
        void **items = (void **)places;

        memcpy(items, queue->items + queue->head, before_wrap * sizeof(*items));
        memcpy(items + before_wrap, queue->items, queue->head * sizeof(*items));
        bight__free(queue->items);
        queue->items = items;
        queue->head = 0;
    }
    queue->room *= 2;
    if (queue->plain_room)
        queue->plain_room = queue->room;
    return 0;
}

static bool is_before(const struct bight_queue *queue, const struct bight__queue_entry *a,
                      const struct bight__queue_entry *b)
{
    int order = queue->compare(a->item, b->item);

    return order ? order < 0 : a->number < b->number;
}

static void heap_push(struct bight_queue *queue, void *item)
{
    struct bight__queue_entry entry = {item, queue->put_count++};
    size_t at = queue->length++;

    while (at > 0 && is_before(queue, &entry, &queue->heap[(at - 1) / 2])) {
        queue->heap[at] = queue->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->heap[at] = entry;
}

static void *heap_pop(struct bight_queue *queue)
{
    struct bight__queue_entry *heap = queue->heap;
    void *item = heap[0].item;
    struct bight__queue_entry entry = heap[--queue->length];
    size_t at = 0;

    for (size_t child = 1; child < queue->length; child = 2 * at + 1) {
        if (child + 1 < queue->length && is_before(queue, &heap[child + 1], &heap[child]))
            child++;
        if (!is_before(queue, &heap[child], &entry))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
    return item;
}

void bight__queue_store(struct bight_queue *queue, void *item)
{
    if (queue->kind == BIGHT_QUEUE_LIFO)
        queue->items[queue->length++] = item;
    else
        heap_push(queue, item);
}

void *bight__queue_take(struct bight_queue *queue)
{
    return queue->kind == BIGHT_QUEUE_LIFO ? queue->items[--queue->length] : heap_pop(queue);
}

void bight_queue_visit(const struct bight_queue *queue, bool (*visit)(void *arg, const void *item),
                       void *arg)
{
    for (size_t i = 0; queue && visit && i < queue->length; i++) {
        size_t at = queue->head + i;
        const void *item = queue->kind == BIGHT_QUEUE_PRIORITY
                               ? queue->heap[i].item
                               : queue->items[at < queue->room ? at : at - queue->room];

        if (!visit(arg, item))
            return;
    }
}
