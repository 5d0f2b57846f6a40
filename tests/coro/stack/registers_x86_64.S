/* See registers.h. rbx, rbp, r12 to r15, in this order: seed + 1 to seed + 6, bits 0 to 5. */

#define PUSH(reg) pushq %reg; .cfi_adjust_cfa_offset 8; .cfi_rel_offset reg, 0
#define POP(reg) popq %reg; .cfi_adjust_cfa_offset -8; .cfi_restore reg
#define CHECK(reg, n) leaq n(%rdi), %rcx; cmpq %rcx, %reg; setne %dl; movzbl %dl, %edx; \
    shlq $(n - 1), %rdx; orq %rdx, %rax

    .text
    .globl test_registers
    .type test_registers, @function
    .p2align 4
test_registers:
    .cfi_startproc
    endbr64
    PUSH(rbp)
    PUSH(rbx)
    PUSH(r12)
    PUSH(r13)
    PUSH(r14)
    PUSH(r15)
    subq $24, %rsp
    .cfi_adjust_cfa_offset 24
    movq %rdi, (%rsp)
    leaq 1(%rdi), %rbx
    leaq 2(%rdi), %rbp
    leaq 3(%rdi), %r12
    leaq 4(%rdi), %r13
    leaq 5(%rdi), %r14
    leaq 6(%rdi), %r15
    movq %rdx, %rdi
    call *%rsi
    movq (%rsp), %rdi
    xorl %eax, %eax
    CHECK(rbx, 1)
    CHECK(rbp, 2)
    CHECK(r12, 3)
    CHECK(r13, 4)
    CHECK(r14, 5)
    CHECK(r15, 6)
    addq $24, %rsp
    .cfi_adjust_cfa_offset -24
    POP(r15)
    POP(r14)
    POP(r13)
    POP(r12)
    POP(rbx)
    POP(rbp)
    ret
    .cfi_endproc
    .size test_registers, . - test_registers

    .globl test_trap_on
    .type test_trap_on, @function
test_trap_on:
    .cfi_startproc
    endbr64
    pushfq
    .cfi_adjust_cfa_offset 8
    orq $0x100, (%rsp)
    popfq
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size test_trap_on, . - test_trap_on

    .globl test_trap_off
    .type test_trap_off, @function
test_trap_off:
    .cfi_startproc
    endbr64
    pushfq
    .cfi_adjust_cfa_offset 8
    andq $~0x100, (%rsp)
    popfq
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size test_trap_off, . - test_trap_off

    .section .rodata
    .globl test_registers_filled
    .type test_registers_filled, @object
    .p2align 2
test_registers_filled:
    .long 6
    .size test_registers_filled, 4

    .section .note.GNU-stack, "", @progbits
