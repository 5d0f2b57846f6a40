/* What a loop says that looks again and again for something which another processor writes. */
#ifndef BIGHT_CORO_BASE_RELAX_H
#define BIGHT_CORO_BASE_RELAX_H

/* Give way to the other thread of the core, and let the loop end without a penalty. */
static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
