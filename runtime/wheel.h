/* A hierarchical wheel of timers: arming and disarming are O(1) and touch no memory but the timer
 * and its neighbours; there is no allocation. 7 levels of 64 slots over ticks of 2^17 ns (131 us)
 * reach 18 years; what lies beyond them waits in a list of its own until the wheel gets there. A
 * timer sits at the level of the highest group of 6 bits in which its tick differs from the
 * wheel's, so timers of one slot stay in order of arming when they move down.
 *
 * Deadlines are exact in ns in spite of the ticks: a timer fires in the first advance to a time not
 * before its deadline, and those of one advance fire in order of deadline, equal ones in order of
 * arming. Knows no clock. */
#ifndef BIGHT_RUNTIME_WHEEL_H
#define BIGHT_RUNTIME_WHEEL_H

#include <bight/call.h>

#define WHEEL_LEVELS 7
#define WHEEL_SLOTS 64
#define WHEEL_TICK_SHIFT 17
#define WHEEL_LOOK 64
#define WHEEL_RUNS 32

struct bight_wheel {
    uint64_t now_tick;
    size_t armed;
    uint64_t occupied[WHEEL_LEVELS]; /* one bit per slot that is not empty */
    struct bight_link slots[WHEEL_LEVELS][WHEEL_SLOTS];
    struct bight_link far; /* ticks that differ above all levels */
    /* While timers fire: the time up to which they do, and those that go on in the same advance.
     * Run i is sorted and has 2^i of them or fewer, armed before those of the runs below. */
    uint64_t advance_ns;
    uint32_t runs_used; /* one bit per run that may not be empty */
    struct bight_link runs[WHEEL_RUNS];
};

/* A timer is link_init()ed once by its owner, before it is first armed or disarmed. */
void bight__wheel_init(struct bight_wheel *wheel, uint64_t now_ns);

/* Unlink all timers, which are then as if disarmed: their owners may outlive the wheel. */
void bight__wheel_fini(struct bight_wheel *wheel);

/* Arm `timer`, or move it when it is armed. A deadline in the past fires in the next advance. */
void bight__wheel_arm(struct bight_wheel *wheel, struct bight_timer *timer, uint64_t deadline_ns);

/* From the callback of `timer`: arm it for its next time. When that is due in this advance as well,
 * it fires in this one, in its order: for timers that stand for several deadlines. */
void bight__wheel_go_on(struct bight_wheel *wheel, struct bight_timer *timer, uint64_t deadline_ns);

/* Does nothing to a timer that is not armed. */
void bight__wheel_disarm(struct bight_wheel *wheel, struct bight_timer *timer);

/* The exact deadline of the timer that is due first, or a point before it at which the wheel has to
 * be advanced (or asked again) to learn more; UINT64_MAX when none is armed. Never later than the
 * first deadline. Cheap: a few loads, and a look at no more than WHEEL_LOOK timers unless they are
 * those of the current tick. */
uint64_t bight__wheel_next(const struct bight_wheel *wheel);

/* The exact deadline of the first timer, however far; for a virtual clock. UINT64_MAX: none. */
uint64_t bight__wheel_first(const struct bight_wheel *wheel);

/* Fire everything due at `now_ns`; timers armed by callbacks for the past wait for the next
 * advance, unless they go on. Callbacks may arm and disarm any timer, also one that is due in this
 * advance and has not fired. Returns how many fired. A clock that went back fires
 * nothing new and moves nothing. */
size_t bight__wheel_advance(struct bight_wheel *wheel, uint64_t now_ns);

#endif
