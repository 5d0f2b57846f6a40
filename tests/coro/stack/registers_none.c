/* Stands in for the assembly on other platforms: calls, and looks at nothing. */
#include "tests/coro/stack/registers.h"

const unsigned test_registers_filled = 0;

uint64_t test_registers(uint64_t seed, void (*fn)(void *arg), void *arg)
{
    (void)seed;
    fn(arg);
    return 0;
}
