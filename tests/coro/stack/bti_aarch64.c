/* The switch under enforced branch target identification: a program without C library, in which
 * every page is guarded. Exits 0 after some switches there and back. See switch_aarch64.sh. */
#include "coro/stack/context.h"

static void *outside;
static void *inside;
static int arrived;

static _Alignas(16) char stack[16384];

/* Neither memset nor a stack protector can be called here. */
_Noreturn static void leave(int status)
{
    register long x0 __asm__("x0") = status;
    register long x8 __asm__("x8") = 93; /* exit */
    __asm__ volatile("svc 0" ::"r"(x0), "r"(x8) : "memory");
    __builtin_unreachable();
}

static void entry(void *arg)
{
    for (;;) {
        ++*(int *)arg;
        bight__switch(&inside, outside);
    }
}

#ifdef BREAK_BTI
/* A jump to where no landing pad is, as a switch that left by `br` would make. */
static void jump_without_pad(void)
{
    __asm__ volatile("adr x9, 1f; br x9; 1: nop" ::: "x9");
}
#endif

void _start(void);
void _start(void)
{
    inside = bight__switch_prepare(stack, stack + sizeof stack, entry, &arrived);
    for (int i = 0; i < 10; i++)
        bight__switch(&outside, inside);
#ifdef BREAK_BTI
    jump_without_pad();
#endif
    leave(arrived == 10 ? 0 : 1);
}
