/* See registers.h. x19 to x28, then d8 to d15: seed + 1 to seed + 18, bits 0 to 17. x29 and x30 are
 * left out: a walk by frame pointers needs the one, the return the other. */

#define CHECK(reg, n) add x9, x1, n; cmp x9, reg; cset x10, ne; lsl x10, x10, n - 1; orr x0, x0, x10
#define CHECK_D(reg, n) fmov x11, reg; CHECK(x11, n)
#define FILL_D(reg, n) add x9, x0, n; fmov reg, x9

    .text
    .globl test_registers
    .type test_registers, %function
    .p2align 4
test_registers:
    .cfi_startproc
    hint 34
    stp x29, x30, [sp, -176]!
    .cfi_def_cfa_offset 176
    .cfi_offset x29, -176
    .cfi_offset x30, -168
    mov x29, sp
    stp x19, x20, [sp, 16]
    stp x21, x22, [sp, 32]
    stp x23, x24, [sp, 48]
    stp x25, x26, [sp, 64]
    stp x27, x28, [sp, 80]
    stp d8, d9, [sp, 96]
    stp d10, d11, [sp, 112]
    stp d12, d13, [sp, 128]
    stp d14, d15, [sp, 144]
    str x0, [sp, 160]
    add x19, x0, 1
    add x20, x0, 2
    add x21, x0, 3
    add x22, x0, 4
    add x23, x0, 5
    add x24, x0, 6
    add x25, x0, 7
    add x26, x0, 8
    add x27, x0, 9
    add x28, x0, 10
    FILL_D(d8, 11)
    FILL_D(d9, 12)
    FILL_D(d10, 13)
    FILL_D(d11, 14)
    FILL_D(d12, 15)
    FILL_D(d13, 16)
    FILL_D(d14, 17)
    FILL_D(d15, 18)
    mov x9, x1
    mov x0, x2
    blr x9
    ldr x1, [sp, 160]
    mov x0, 0
    CHECK(x19, 1)
    CHECK(x20, 2)
    CHECK(x21, 3)
    CHECK(x22, 4)
    CHECK(x23, 5)
    CHECK(x24, 6)
    CHECK(x25, 7)
    CHECK(x26, 8)
    CHECK(x27, 9)
    CHECK(x28, 10)
    CHECK_D(d8, 11)
    CHECK_D(d9, 12)
    CHECK_D(d10, 13)
    CHECK_D(d11, 14)
    CHECK_D(d12, 15)
    CHECK_D(d13, 16)
    CHECK_D(d14, 17)
    CHECK_D(d15, 18)
    ldp x19, x20, [sp, 16]
    ldp x21, x22, [sp, 32]
    ldp x23, x24, [sp, 48]
    ldp x25, x26, [sp, 64]
    ldp x27, x28, [sp, 80]
    ldp d8, d9, [sp, 96]
    ldp d10, d11, [sp, 112]
    ldp d12, d13, [sp, 128]
    ldp d14, d15, [sp, 144]
    ldp x29, x30, [sp], 176
    .cfi_restore x29
    .cfi_restore x30
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size test_registers, . - test_registers

    .section .rodata
    .globl test_registers_filled
    .type test_registers_filled, %object
    .p2align 2
test_registers_filled:
    .word 18
    .size test_registers_filled, 4

    .section .note.GNU-stack, "", %progbits
