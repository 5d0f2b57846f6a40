/* The switch, inlined, for coro/core/sched.c and park.c alone. A called switch leaves by a jump, so
 * the processor's stack of return addresses keeps an entry that nobody takes, and each `ret` after
 * it, out of the scheduler and of the API call, is mispredicted: 25 ns for a yield, where this one
 * takes 8. Inlined there is no call to be out of step with.
 *
 * It is asm in a header because that is the only place where it can be inlined from; where there is
 * none for the platform, the extern symbol does. gcc's ipa-reference believes that a function with
 * asm in it leaves file-local statics alone, "memory" clobber or not, and would keep a user's
 * static in a register across a wait if the user links with -flto: the functions that switch are
 * therefore SWITCHES, which hides them from such analysis. */
#ifndef BIGHT_CORO_STACK_SWITCH_HERE_H
#define BIGHT_CORO_STACK_SWITCH_HERE_H

#include "coro/stack/context.h"

#ifdef __clang__
#define SWITCHES __attribute__((noinline))
#else
#define SWITCHES __attribute__((noipa))
#endif

#if defined(BIGHT_SWITCH_ASM) && defined(__x86_64__) && defined(__LP64__)

/* The callee-saved registers are clobbers, so that the compiler saves those it uses. rbp may be its
 * frame pointer and cannot be one. Compiled with -mno-red-zone, since this pushes. */
__attribute__((always_inline)) static inline void bight__switch_here(void **save, void *to)
{
    __asm__ volatile("pushq %%rbp\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "movq %%rsp, (%0)\n\t"
                     "movq %1, %%rsp\n\t"
                     "popq %%rax\n\t"
                     "notrack jmp *%%rax\n"
                     "1:\tpopq %%rbp"
                     : "+D"(save), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
                       "memory", "cc");
}

/* Go on at `to`; where this stood is not kept. */
__attribute__((always_inline)) static inline _Noreturn void bight__switch_away(void *to)
{
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "popq %%rax\n\t"
                     "notrack jmp *%%rax"
                     :
                     : "r"(to)
                     : "memory");
    __builtin_unreachable();
}

#else

static inline void bight__switch_here(void **save, void *to)
{
    bight__switch(save, to);
}

static inline _Noreturn void bight__switch_away(void *to)
{
    void *nowhere;

    bight__switch(&nowhere, to);
    __builtin_trap();
}

#endif

/* bight__context_switch with the inlined switch. */
__attribute__((always_inline)) static inline void
bight__context_switch_here(struct bight_context *from, struct bight_context *to)
{
    bight__context_depart(from, to);
    bight__switch_here(&from->sp, to->sp);
    bight__context_return(from);
}

/* Leave the running stack for ever; nothing of it is written. */
__attribute__((always_inline)) static inline _Noreturn void
bight__context_exit_here(struct bight_context *to)
{
    bight__context_depart_for_ever(to);
    bight__switch_away(to->sp);
}

#endif
