/* Callbacks in a FIFO queue: the least that taking turns costs. */
#include "bench/bench.h"

#include <stdlib.h>

#include <bight/errors.h>

struct callback {
    struct callback *next;
    void (*fn)(struct callback *callback);
    uint64_t left;
};

static struct callback *queue_head, **queue_tail = &queue_head;

static void queue_push(struct callback *callback)
{
    callback->next = NULL;
    *queue_tail = callback;
    queue_tail = &callback->next;
}

static BENCH_OPAQUE void callback_step(struct callback *callback)
{
    if (--callback->left)
        queue_push(callback);
}

double bench_callbacks(unsigned count, uint64_t operations)
{
    struct callback *all = calloc(count, sizeof *all);
    uint64_t begin;
    double ns;

    bench_check(all ? 0 : BIGHT_ENOMEM, "calloc");
    begin = bench_begin();
    for (unsigned i = 0; i < count; i++) {
        all[i] = (struct callback){.fn = callback_step, .left = operations / count};
        queue_push(&all[i]);
    }
    for (struct callback *callback; (callback = queue_head);) {
        queue_head = callback->next;
        if (!queue_head)
            queue_tail = &queue_head;
        callback->fn(callback);
    }
    ns = bench_end(begin, operations);
    free(all);
    return ns;
}
