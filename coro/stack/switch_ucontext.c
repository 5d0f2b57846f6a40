/* The switch over <ucontext.h>, for processors that have no assembly here: see
 * coro/stack/context.h for the contract of each symbol. Two system calls for the signal mask
 * make it about a hundred times slower than the others; and mask and floating-point control
 * words are kept per stack, where the others leave them to the thread. */
#include "coro/stack/context.h"

#include <fenv.h>
#include <string.h>
#include <ucontext.h>

const char bight__switch_name[] = "ucontext";

/* Lies at the top of a stack that was never switched to. */
struct start {
    ucontext_t context;
    void (*entry)(void *arg);
    void *arg;
};

/* A stopped stack's registers lie in this function's frame, on that stack, so nothing is allocated.
 * Not instrumented, since it is entered on one stack and left on another. */
BIGHT__NEVER_LEFT void bight__switch(void **save, void *to)
{
    ucontext_t here;

    /* Sanitizers read the bounds of the stack from here, and nobody else fills them in. */
    memset(&here.uc_stack, 0, sizeof here.uc_stack);
    *save = (void *)(uintptr_t)&here;
    if (swapcontext(&here, to))
        __builtin_trap(); /* fails only for an invalid signal mask */
}

/* makecontext passes only ints. */
BIGHT__NEVER_LEFT static void trampoline(unsigned high, unsigned low)
{
    struct start *start = (struct start *)(uintptr_t)((uint64_t)high << 32 | low);

    start->entry(start->arg);
    __builtin_trap();
}

void *bight__switch_prepare(void *low, void *top, void (*entry)(void *arg), void *arg)
{
    const uintptr_t end = (uintptr_t)top & ~(uintptr_t)63;
    struct start *start = (struct start *)((end - sizeof *start) & ~(uintptr_t)63);

    if (getcontext(&start->context))
        __builtin_trap();
    start->entry = entry;
    start->arg = arg;
    start->context.uc_link = NULL;
    start->context.uc_stack.ss_sp = low;
    start->context.uc_stack.ss_size = (size_t)((char *)start - (char *)low);
    makecontext(&start->context, (void (*)(void))trampoline, 2,
                (unsigned)((uint64_t)(uintptr_t)start >> 32), (unsigned)(uintptr_t)start);
    return start;
}

/* fegetmode is C23 and glibc 2.25. Without it only the direction of rounding is kept. */
#ifdef FE_DFL_MODE
_Static_assert(sizeof(femode_t) <= sizeof(struct bight_float_control), "modes fit");

void bight__float_control_save(struct bight_float_control *out)
{
    femode_t mode;

    *out = (struct bight_float_control){0};
    if (fegetmode(&mode) == 0)
        memcpy(out, &mode, sizeof mode);
}

void bight__float_control_load(const struct bight_float_control *in)
{
    femode_t mode;

    memcpy(&mode, in, sizeof mode);
    (void)fesetmode(&mode);
}
#else
void bight__float_control_save(struct bight_float_control *out)
{
    out->words = (uint64_t)fegetround();
}

void bight__float_control_load(const struct bight_float_control *in)
{
    (void)fesetround((int)in->words);
}
#endif
