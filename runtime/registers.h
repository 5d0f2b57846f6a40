/* Where an interrupted thread was, as its signal handler is told. Zeros where we do not know how to
 * ask. */
#ifndef BIGHT_RUNTIME_REGISTERS_H
#define BIGHT_RUNTIME_REGISTERS_H

#include <stdint.h>
#include <ucontext.h>

struct registers {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t frame; /* where frame pointers are kept, the address of the innermost record */
};

static inline struct registers registers_of(const void *context)
{
    const ucontext_t *where = context;

#if defined(__x86_64__)
    return (struct registers){
        .pc = (uintptr_t)where->uc_mcontext.gregs[REG_RIP],
        .sp = (uintptr_t)where->uc_mcontext.gregs[REG_RSP],
        .frame = (uintptr_t)where->uc_mcontext.gregs[REG_RBP],
    };
#elif defined(__aarch64__)
    return (struct registers){
        .pc = (uintptr_t)where->uc_mcontext.pc,
        .sp = (uintptr_t)where->uc_mcontext.sp,
        .frame = (uintptr_t)where->uc_mcontext.regs[29],
    };
#else
    (void)where;
    return (struct registers){0};
#endif
}

#endif
