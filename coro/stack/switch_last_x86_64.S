/* The switch as the last step of a function, for x86-64: see coro/stack/context.h. It is a file of its own
 * so that a program which has another bight__switch than the library's is not given this one's with it. */
#include "coro/stack/asm_x86_64.inc"

    .text

/* int bight__switch_last(struct bight_context *self, void *to, int (*ask)(struct bight_context *self))
 * See context.h. It returns by a jump as well, and goes to `ask` only where the byte at
 * BIGHT_SWITCH_ASKS, which is 32, says that there is something to ask. */
FUNCTION(bight__switch_last):
    .cfi_startproc
    endbr64
    PUSH(rbp)
    PUSH(rbx)
    PUSH(r12)
    PUSH(r13)
    PUSH(r14)
    PUSH(r15)
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    leaq 1f(%rip), %rcx
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    /* DW_OP_breg5 (rdi) 0, DW_OP_deref, DW_OP_plus_uconst 80 */
    .cfi_escape 0x0f, 0x05, 0x75, 0x00, 0x06, 0x23, 0x50
    popq %rcx
    notrack jmp *%rcx
1:  .cfi_def_cfa rsp, 72
    popq %rdi
    .cfi_adjust_cfa_offset -8
    popq %rdx
    .cfi_adjust_cfa_offset -8
    POP(r15)
    POP(r14)
    POP(r13)
    POP(r12)
    POP(rbx)
    POP(rbp)
    xorl %eax, %eax
    cmpb %al, 32(%rdi)
    jne 2f
    popq %rcx
    .cfi_remember_state
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    notrack jmp *%rcx
2:  .cfi_restore_state
    notrack jmp *%rdx
    .cfi_endproc
    END(bight__switch_last)

    END_OF_FILE
