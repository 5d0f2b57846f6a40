/* A hierarchical wheel of timers: arming and disarming are O(1) and touch no memory but the timer
 * and its neighbours; there is no allocation. 7 levels of 64 slots over ticks of 2^17 ns (131 us)
 * reach 18 years; what lies further waits in the last slot and is placed again. A timer sits at the
 * level of the highest group of 6 bits in which its tick differs from the wheel's, so timers of one
 * slot stay in order of arming when they move down.
 *
 * Deadlines are exact in ns in spite of the ticks: a timer fires in the first advance to a time not
 * before its deadline, and those of one advance fire in order of deadline, equal ones in order of
 * arming. Knows no clock. */
#ifndef BIGHT_RUNTIME_WHEEL_H
#define BIGHT_RUNTIME_WHEEL_H

#include "coro/timer.h"

#define WHEEL_LEVELS 7
#define WHEEL_SLOTS 64

struct bight_wheel {
    uint64_t now_tick;
    size_t armed;
    uint64_t occupied[WHEEL_LEVELS];
    struct bight_link slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void bight__wheel_init(struct bight_wheel *wheel, uint64_t now_ns);

/* Arm `timer`, or move it when it is armed. A deadline in the past fires in the next advance. */
void bight__wheel_arm(struct bight_wheel *wheel, struct bight_timer *timer, uint64_t deadline_ns);

/* Does nothing to a timer that is not armed. */
void bight__wheel_disarm(struct bight_wheel *wheel, struct bight_timer *timer);

/* The exact deadline of the timer that is due first, or a point before it at which the wheel has to
 * be advanced (or asked again) to learn more; UINT64_MAX when none is armed. Never later than the
 * first deadline. Cheap: a few loads, plus the length of one slot of level 0. */
uint64_t bight__wheel_next(const struct bight_wheel *wheel);

/* The exact deadline of the first timer, however far; for a virtual clock. UINT64_MAX: none. */
uint64_t bight__wheel_first(const struct bight_wheel *wheel);

/* Fire everything due at `now_ns`; timers armed by callbacks for the past wait for the next advance.
 * Returns how many fired. */
size_t bight__wheel_advance(struct bight_wheel *wheel, uint64_t now_ns);

#endif
