/* Stacks that can be switched to. The switch itself is bight__switch, in assembly per platform
 * (switch_x86_64.S, switch_aarch64.S) or over ucontext; it keeps the registers that the ABI says a
 * callee keeps and nothing else. Around it, the inline functions here tell AddressSanitizer,
 * ThreadSanitizer and valgrind what happens. Callers: coro/sched.c only. */
#ifndef BIGHT_CORO_CONTEXT_H
#define BIGHT_CORO_CONTEXT_H

#include <bight/base.h>

/* One stack of execution: a task's, or the thread's own while it drives the loop. */
struct bight_context {
    /* Where it stopped, as bight__switch left it. */
    void *sp;
#ifdef BIGHT_ASAN
    void *asan_fake;
    const void *asan_low;
    size_t asan_bytes;
#endif
#ifdef BIGHT_TSAN
    void *tsan_fiber;
#endif
#ifdef BIGHT_VALGRIND
    unsigned valgrind_id;
#endif
};

/* Floating-point control words: mxcsr and x87 on x86-64, fpcr on aarch64. */
struct bight_float_control {
    uint64_t words;
};

/* Save the running stack's position to *save and go on at `to`. Extern, and in assembly where
 * possible, because gcc's ipa-reference trusts file-local statics across inline asm. */
void bight__switch(void **save, void *to);

/* The position from which the first bight__switch to the stack [low, top) calls entry(arg) on it.
 * entry must not return. Backtraces end there. */
void *bight__switch_prepare(void *low, void *top, void (*entry)(void *arg), void *arg);

/* Read, or load, the control words of the running thread. */
void bight__float_control_save(struct bight_float_control *out);
void bight__float_control_load(const struct bight_float_control *in);

/* How the switch is done: "x86-64", "aarch64" or "ucontext". */
extern const char bight__switch_name[];

#endif
