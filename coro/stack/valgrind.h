/* What valgrind is told about stacks, so that it does not take a switch between two of them for a
 * frame of megabytes. Its header has client requests: a few instructions each that do nothing
 * unless valgrind runs the program. If the header was not found when the library was built,
 * valgrind is told nothing. */
#ifndef BIGHT_CORO_STACK_VALGRIND_H
#define BIGHT_CORO_STACK_VALGRIND_H

#include <stdbool.h>
#include <stdint.h>

#ifdef BIGHT_HAVE_VALGRIND_H
#include <valgrind/valgrind.h>

/* [low, top) is a stack from now on. Returns the number to deregister it by. */
static inline uint32_t bight__valgrind_stack_register(const void *low, const void *top)
{
    return VALGRIND_STACK_REGISTER(low, top);
}

static inline void bight__valgrind_stack_deregister(uint32_t id)
{
    VALGRIND_STACK_DEREGISTER(id);
}

/* Whether it runs the program. It may not know system calls that the kernel has, and complains. */
static inline bool bight__valgrind_runs(void)
{
    return RUNNING_ON_VALGRIND;
}

/* Until it is on again: this thread reads what frames have left behind. */
static inline void bight__valgrind_errors(bool on)
{
    if (on)
        VALGRIND_ENABLE_ERROR_REPORTING;
    else
        VALGRIND_DISABLE_ERROR_REPORTING;
}
#else
static inline bool bight__valgrind_runs(void)
{
    return false;
}

static inline uint32_t bight__valgrind_stack_register(const void *low, const void *top)
{
    (void)low;
    (void)top;
    return 0;
}

static inline void bight__valgrind_stack_deregister(uint32_t id)
{
    (void)id;
}

static inline void bight__valgrind_errors(bool on)
{
    (void)on;
}
#endif

#endif
