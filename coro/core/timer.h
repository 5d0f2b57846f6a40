/* A timer as coro/ knows it, struct bight_timer of <bight/call.h>: a node that the host arms for a point of
 * its clock and that calls back once, must not suspend. What arms it is runtime/wheel.c; what reads
 * clocks is the host. */
#ifndef BIGHT_CORO_CORE_TIMER_H
#define BIGHT_CORO_CORE_TIMER_H

#include <bight/call.h>

#endif
