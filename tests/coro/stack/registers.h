/* A function that fills every register that the ABI says a callee keeps; in assembly per platform.
 * What calls through it can be shown to keep them, also when it switches stacks. */
#ifndef TESTS_CORO_STACK_REGISTERS_H
#define TESTS_CORO_STACK_REGISTERS_H

#include <stdint.h>

/* Fill the registers with seed + 1, seed + 2, ..., call fn(arg) and look at them again. Returns
 * a bit for each that changed; always 0 where there is no assembly for the platform. */
uint64_t test_registers(uint64_t seed, void (*fn)(void *arg), void *arg);

/* How many it fills. */
extern const unsigned test_registers_filled;

/* x86-64 only: raise SIGTRAP after each instruction, and no longer. */
void test_trap_on(void);
void test_trap_off(void);

#endif
