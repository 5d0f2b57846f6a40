/* A timer as coro/ knows it: a node that the host arms for a point of its clock and that calls back
 * once. What arms it is runtime/wheel.c; what reads clocks is the host. */
#ifndef BIGHT_CORO_TIMER_H
#define BIGHT_CORO_TIMER_H

#include <bight/waiter.h>

struct bight_timer {
    /* Self-linked while not armed. */
    struct bight_link link;
    uint64_t deadline_ns;
    /* Called on the loop's thread, outside of tasks, the timer being disarmed. Must not suspend. */
    void (*fire)(struct bight_timer *timer);
};

#endif
