/* The switch for x86-64 System V: see coro/stack/context.h for the contract of each symbol.
 *
 * Kept are the six registers that the ABI gives to the callee: rbx, rbp, r12 to r15, and rsp. All
 * others the caller of bight__switch has given up already, and the control words of x87 and SSE
 * belong to the thread (tasks that change them ask for bight__float_control_*): reloading them would
 * triple the cost of a switch.
 *
 * A stopped stack's saved rsp points at the address at which to go on; what lies above it is that
 * address's own business. So stacks stopped here, stacks stopped by the inlined switch of
 * coro/stack/switch_here.h and stacks that bight__switch_prepare made can go on after each other.
 *
 * The switch leaves by a jump: a `ret` to an address that no `call` pushed last is mispredicted at
 * each switch and costs 3.4 times as much. The jump is `notrack` because a return address carries no
 * endbr64. The object therefore declares indirect branch tracking, and not shadow stacks, which a
 * switch of stacks would have to switch too. */

#include "coro/stack/asm_x86_64.inc"

    .text

/* void bight__switch(void **save, void *to)
 * From the change of rsp to the jump the unwind rules describe the stack that is being left, by way of
 * *save: what is on the other one is known only to where the jump goes. */
FUNCTION(bight__switch):
    .cfi_startproc
    endbr64
    PUSH(rbp)
    PUSH(rbx)
    PUSH(r12)
    PUSH(r13)
    PUSH(r14)
    PUSH(r15)
    leaq 1f(%rip), %rcx
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    /* DW_CFA_def_cfa_expression of 5 bytes: DW_OP_breg5 (rdi) 0, DW_OP_deref, DW_OP_plus_uconst 64 */
    .cfi_escape 0x0f, 0x05, 0x75, 0x00, 0x06, 0x23, 0x40
    popq %rcx
    notrack jmp *%rcx
1:  .cfi_def_cfa rsp, 56
    POP(r15)
    POP(r14)
    POP(r13)
    POP(r12)
    POP(rbx)
    POP(rbp)
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    notrack jmp *%rcx
    .cfi_endproc
    END(bight__switch)

/* void *bight__switch_prepare(void *low, void *top, void (*entry)(void *), void *arg)
 * The first switch goes on in the trampoline, which calls entry(arg). What is written here stays as
 * long as the stack does: bight__switch_again in coro/stack/context.h knows where it begins. */
FUNCTION(bight__switch_prepare):
    .cfi_startproc
    endbr64
    andq $-16, %rsi
    leaq trampoline(%rip), %r9
    movq %rcx, -8(%rsi)
    movq %rdx, -16(%rsi)
    movq %r9, -24(%rsi)
    leaq -24(%rsi), %rax
    ret
    .cfi_endproc
    END(bight__switch_prepare)

/* The outermost frame of each stack. It has no caller: backtraces by unwind tables end at the
 * undefined rip, those by frame pointers at rbp 0. */
    .type trampoline, @function
    .p2align 4
trampoline:
    .cfi_startproc
    .cfi_undefined rip
    .cfi_undefined rbp
    endbr64
    xorl %ebp, %ebp
    movq (%rsp), %rax
    movq 8(%rsp), %rdi
    subq $16, %rsp
    call *%rax
    ud2
    .cfi_endproc
    END(trampoline)

/* void bight__float_control_save(struct bight_float_control *out)
 * mxcsr in the lower half, the x87 control word above it. */
FUNCTION(bight__float_control_save):
    .cfi_startproc
    endbr64
    movq $0, (%rdi)
    stmxcsr (%rdi)
    fnstcw 4(%rdi)
    ret
    .cfi_endproc
    END(bight__float_control_save)

/* void bight__float_control_load(const struct bight_float_control *in)
 * Loading serialises, reading does not: load what differs. The words below rsp are the red zone. */
FUNCTION(bight__float_control_load):
    .cfi_startproc
    endbr64
    stmxcsr -8(%rsp)
    fnstcw -4(%rsp)
    movl (%rdi), %eax
    cmpl %eax, -8(%rsp)
    je 1f
    ldmxcsr (%rdi)
1:  movzwl 4(%rdi), %eax
    cmpw %ax, -4(%rsp)
    je 2f
    fldcw 4(%rdi)
2:  ret
    .cfi_endproc
    END(bight__float_control_load)

    .section .rodata
    .globl bight__switch_name
    .hidden bight__switch_name
    .type bight__switch_name, @object
bight__switch_name:
    .asciz "x86-64"
    .size bight__switch_name, . - bight__switch_name

/* What gdb needs to know of stacks that were switched away from. It is part of the debug information:
 * in no process's memory, and gone with `strip`. */
    .section .debug_gdb_scripts, "MS", @progbits, 1
    .byte 4 /* the text of a script in Python */
    .ascii "gdb.inlined.bight\n"
    .incbin "coro/gdb/bight.py"
    .byte 0

    END_OF_FILE
