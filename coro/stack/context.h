/* Stacks that can be switched to. The switch itself is bight__switch, in assembly per platform
 * (switch_x86_64.S, switch_aarch64.S) or over ucontext; it keeps the registers that the ABI says a
 * callee keeps and nothing else. Around it, the inline functions here tell AddressSanitizer and
 * ThreadSanitizer what happens; without them they are the bare switch. Valgrind has to know the
 * stacks only, not the switches: stack.c tells it. Callers: coro/core/ only. */
#ifndef BIGHT_CORO_STACK_CONTEXT_H
#define BIGHT_CORO_STACK_CONTEXT_H

#include <bight/base.h>

#ifdef BIGHT_ASAN
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef BIGHT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* For functions that a stack is left in for ever: the entry function, the one that calls
 * bight__context_exit_here, and all between. ThreadSanitizer keeps a stack of calls per fiber,
 * which outlives the task; a frame that is entered and never left would stay on it, and after
 * some ten thousand tasks on one pooled stack it would run over. */
#if defined(__clang__)
#define BIGHT__NEVER_LEFT __attribute__((disable_sanitizer_instrumentation))
#else
#define BIGHT__NEVER_LEFT __attribute__((no_sanitize("address", "thread")))
#endif

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
};

/* Floating-point control words: mxcsr and x87 on x86-64, fpcr on aarch64, elsewhere what <fenv.h>
 * calls the modes. */
struct bight_float_control {
    uint64_t words;
};

/* Save the running stack's position to *save and go on at `to`. Extern, and in assembly where
 * possible, because gcc's ipa-reference trusts file-local statics across inline asm. */
void bight__switch(void **save, void *to);

/* Returns the position from which the first bight__switch to the stack [low, top) calls entry(arg)
 * on it. entry must not return. Backtraces end there. */
void *bight__switch_prepare(void *low, void *top, void (*entry)(void *arg), void *arg);

/* The same for a stack that was prepared with the same `low`, `top`, `entry` and `arg` before, and
 * whose memory next to `top` was not given back to the system. */
static inline void *bight__switch_again(void *low, void *top, void (*entry)(void *arg), void *arg)
{
#ifdef BIGHT_SWITCH_KEEPS /* how far below `top` switch_x86_64.S leaves what it has written */
    (void)low;
    (void)entry;
    (void)arg;
    return (char *)((uintptr_t)top & ~(uintptr_t)15) - BIGHT_SWITCH_KEEPS;
#else
    return bight__switch_prepare(low, top, entry, arg);
#endif
}

/* Read, or load, the control words of the running thread. */
void bight__float_control_save(struct bight_float_control *out);
void bight__float_control_load(const struct bight_float_control *in);

/* How the switch is done: "x86-64", "aarch64" or "ucontext". */
extern const char bight__switch_name[];

/* Make `self` stand for the stack that the caller runs on and that came from no pool. Pair it with
 * _fini from the same stack, while no other stack of the thread runs. */
static inline void bight__context_thread_init(struct bight_context *self)
{
    self->sp = NULL;
#ifdef BIGHT_ASAN
    /* AddressSanitizer tells the bounds of a stack to the one that is entered from it. Pretend to
     * leave and to come back. */
    __sanitizer_start_switch_fiber(&self->asan_fake, self, sizeof *self);
    __sanitizer_finish_switch_fiber(self->asan_fake, &self->asan_low, &self->asan_bytes);
    __sanitizer_start_switch_fiber(&self->asan_fake, self->asan_low, self->asan_bytes);
    __sanitizer_finish_switch_fiber(self->asan_fake, NULL, NULL);
    /* LeakSanitizer looks at the running stack only: exit() in a task must not lose what the
     * thread's own stack holds. */
    __lsan_register_root_region(self->asan_low, self->asan_bytes);
#endif
#ifdef BIGHT_TSAN
    self->tsan_fiber = __tsan_get_current_fiber();
#endif
}

static inline void bight__context_thread_fini(struct bight_context *self)
{
    (void)self;
#ifdef BIGHT_ASAN
    __lsan_unregister_root_region(self->asan_low, self->asan_bytes);
#endif
}

/* Tell the instrumentation that `from` is being left for `to`; and that it is entered again. */
__attribute__((always_inline)) static inline void bight__context_depart(struct bight_context *from,
                                                                        struct bight_context *to)
{
    (void)from;
    (void)to;
#ifdef BIGHT_ASAN
    __sanitizer_start_switch_fiber(&from->asan_fake, to->asan_low, to->asan_bytes);
#endif
#ifdef BIGHT_TSAN
    __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
}

__attribute__((always_inline)) static inline void bight__context_return(struct bight_context *from)
{
    (void)from;
#ifdef BIGHT_ASAN
    __sanitizer_finish_switch_fiber(from->asan_fake, NULL, NULL);
#endif
}

/* Leave the running stack, which is `from`, for `to`; return when somebody switches back. */
static inline void bight__context_switch(struct bight_context *from, struct bight_context *to)
{
    bight__context_depart(from, to);
    bight__switch(&from->sp, to->sp);
    bight__context_return(from);
}

/* So far behind a context its owner has a byte: see bight__context_switch_last. */
#define BIGHT_SWITCH_ASKS 32

/* The last step of a function: leave the running stack, which is `self`, for `to`, and when
 * somebody switches back return what ask(self) says. That is 0 as long as the byte at
 * BIGHT_SWITCH_ASKS is. */
#if defined(BIGHT_SWITCH_LAST) && !defined(BIGHT_ASAN) && !defined(BIGHT_TSAN)

/* In assembly, because a function in C would end by a `ret`, which is mispredicted wherever the
 * tasks that take turns were called from different places. */
int bight__switch_last(struct bight_context *self, void *to,
                       int (*ask)(struct bight_context *self));

static inline int bight__context_switch_last(struct bight_context *self, struct bight_context *to,
                                             int (*ask)(struct bight_context *self))
{
    return bight__switch_last(self, to->sp, ask);
}

#else

static inline int bight__context_switch_last(struct bight_context *self, struct bight_context *to,
                                             int (*ask)(struct bight_context *self))
{
    bight__context_switch(self, to);
    return ask(self);
}

#endif

/* The first thing that the entry function of a stack does. */
static inline void bight__context_arrive(struct bight_context *self)
{
    (void)self;
#ifdef BIGHT_ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

/* Tell the instrumentation that the running stack is left for ever: nobody may switch to it before
 * it is prepared again. Its memory may already be back in the pool's warm cache. */
__attribute__((always_inline)) static inline void
bight__context_depart_for_ever(struct bight_context *to)
{
    (void)to;
#ifdef BIGHT_ASAN
    __sanitizer_start_switch_fiber(NULL, to->asan_low, to->asan_bytes);
#endif
#ifdef BIGHT_TSAN
    __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
}

#endif
