/* A virtual clock for the suites, on the seams of coro/seams.h. It stands still while tasks run and
 * jumps to the next deadline when nothing else can happen; while a wait for the outside is pending it
 * goes at the real pace, since nobody knows when that ends. */
#ifndef TESTS_VIRTUAL_CLOCK_H
#define TESTS_VIRTUAL_CLOCK_H

#include "coro/seams.h"

struct virtual_clock {
    uint64_t now_ns;
    unsigned jumps;
    /* At the last reading. */
    uint64_t real_ns;
    bool outside;
};

/* Start `clock`, and make it the clock of `seams`: their ctx is then to be the clock, or something
 * that begins with it. */
void virtual_clock_start(struct virtual_clock *clock, struct bight_seams *seams);

#endif
