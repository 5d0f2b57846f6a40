/* Calls on their way from the loop's thread, the only one that puts, to the threads. A thread
 * claims the oldest place by moving `head`, and then exchanges what lies there for NULL. Only this
 * exchange decides who has a call: the loop's thread takes one back in the same way, and the thread
 * that has the place finds it empty. A thread that stops between the two, until its place is in use
 * again, takes what lies there then, and whoever has that place later finds it empty: each call is
 * taken once, and no place keeps a call that nobody will look at. */
#ifndef BIGHT_OFFLOAD_THREADS_RING_H
#define BIGHT_OFFLOAD_THREADS_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_PLACES 1024u
#define RING_LINE_BYTES 64u

struct call;

struct ring {
    char apart[RING_LINE_BYTES];
    _Atomic uint64_t tail; /* written by the loop's thread */
    char apart_head[RING_LINE_BYTES];
    _Atomic uint64_t head;
    char apart_places[RING_LINE_BYTES];
    _Atomic(struct call *) places[RING_PLACES];
};

/* How many places wait for a thread, among them those whose call was taken back. */
static inline uint64_t ring_length(struct ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    return atomic_load_explicit(&ring->tail, memory_order_acquire) - head;
}

/* Put `call` behind the `more` that were put since the last ring_publish: false when there is no
 * room. The loop's thread. */
static inline bool ring_put(struct ring *ring, uint64_t more, struct call *call, uint64_t *position)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed) + more;
    _Atomic(struct call *) *place = &ring->places[tail % RING_PLACES];

    if (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == RING_PLACES ||
        atomic_load_explicit(place, memory_order_acquire))
        return false;
    *position = tail;
    atomic_store_explicit(place, call, memory_order_release);
    return true;
}

/* Let the threads have what was put. */
static inline void ring_publish(struct ring *ring, uint64_t more)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    atomic_store_explicit(&ring->tail, tail + more, memory_order_release);
}

/* The oldest call, or NULL. Whoever sees a head sees a tail that is not below it. */
static inline struct call *ring_claim(struct ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    while (head != atomic_load_explicit(&ring->tail, memory_order_acquire)) {
        struct call *call;

        if (!atomic_compare_exchange_weak_explicit(&ring->head, &head, head + 1,
                                                   memory_order_acq_rel, memory_order_acquire))
            continue;
        call =
            atomic_exchange_explicit(&ring->places[head % RING_PLACES], NULL, memory_order_acq_rel);
        if (call)
            return call;
        head++;
    }
    return NULL;
}

/* Whether `call`, which was put at `position`, still lies there. */
static inline bool ring_has(struct ring *ring, const struct call *call, uint64_t position)
{
    return atomic_load_explicit(&ring->places[position % RING_PLACES], memory_order_relaxed) ==
           call;
}

/* Take it back: false when a thread has it. */
static inline bool ring_take_back(struct ring *ring, struct call *call, uint64_t position)
{
    return atomic_compare_exchange_strong_explicit(&ring->places[position % RING_PLACES], &call,
                                                   NULL, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

/* Calls on their way back, at most RING_PLACES with those that are still to come. Any thread puts,
 * only the loop's takes. What came after the call of a thread that stops between its two
 * steps waits until that thread goes on, which then finds out itself whether the loop sleeps. */
struct returns {
    char apart[RING_LINE_BYTES];
    _Atomic uint64_t tail;
    char apart_places[RING_LINE_BYTES];
    _Atomic(struct call *) places[RING_PLACES];
    uint64_t head; /* the loop's thread only */
};

static inline void returns_put(struct returns *returns, struct call *call)
{
    uint64_t tail = atomic_fetch_add_explicit(&returns->tail, 1, memory_order_acq_rel);

    atomic_store(&returns->places[tail % RING_PLACES], call);
}

/* The call that comes after `behind` others, if it is there. */
static inline struct call *returns_peek(struct returns *returns, uint64_t behind)
{
    return atomic_load(&returns->places[(returns->head + behind) % RING_PLACES]);
}

static inline struct call *returns_take(struct returns *returns)
{
    _Atomic(struct call *) *place = &returns->places[returns->head % RING_PLACES];
    struct call *call = atomic_load_explicit(place, memory_order_acquire);

    if (call) {
        atomic_store_explicit(place, NULL, memory_order_relaxed);
        returns->head++;
    }
    return call;
}

#endif
