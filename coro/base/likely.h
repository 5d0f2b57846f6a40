/* Hints to the compiler about branches. */
#ifndef BIGHT_CORO_BASE_LIKELY_H
#define BIGHT_CORO_BASE_LIKELY_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
