/* The thread's C++ exceptions, by a weak reference: a program in which something throws or catches
 * has the function, even if it is linked statically; one without it has no exceptions. */
#include "coro/stack/exceptions.h"

struct bight_exceptions *__cxa_get_globals(void) __attribute__((weak));

void bight__exceptions_save(struct bight_exceptions *out)
{
    if (__cxa_get_globals)
        *out = *__cxa_get_globals();
}

void bight__exceptions_load(const struct bight_exceptions *in)
{
    if (__cxa_get_globals)
        *__cxa_get_globals() = *in;
}
