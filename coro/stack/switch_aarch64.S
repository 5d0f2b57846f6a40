/* The switch for aarch64 (AAPCS64): see coro/stack/context.h for the contract of each symbol.
 *
 * Kept are the registers that the ABI gives to the callee: x19 to x28, the frame pointer x29, the
 * return address in the link register x30, sp, and the lower halves d8 to d15 of eight vector
 * registers. All others the caller of bight__switch has given up already, x18 belongs to the
 * platform, and fpcr to the thread (tasks that change it ask for bight__float_control_*).
 *
 * A stopped stack has these 160 bytes at its saved sp, which bight__switch_prepare imitates:
 *     x19 x20 | x21 x22 | x23 x24 | x25 x26 | x27 x28 | x29 x30 | d8 d9 | d10 d11 | d12 d13 | d14 d15
 *
 * It leaves by `ret`, here: with branch target identification a `br` to a return address would
 * fault, as there is no landing pad behind a call. The object declares that protection; not pointer
 * authentication, which has nothing to sign in a function that keeps x30 for one switch and no
 * caller's frame, nor guarded control stacks, which a switch would have to switch too. */

#define FRAME 160
#define FUNCTION(name) .globl name; .hidden name; .type name, %function; .p2align 5; name
#define END(name) .size name, . - name
#define BTI_C hint 34 /* a landing pad for calls; a no-op on older processors and assemblers */

    .text

/* void bight__switch(void **save, void *to)
 * The unwind rules hold on both stacks, since both have the same layout at each instruction. */
FUNCTION(bight__switch):
    .cfi_startproc
    BTI_C
    sub sp, sp, FRAME
    .cfi_def_cfa_offset FRAME
    stp x19, x20, [sp, 0]
    stp x21, x22, [sp, 16]
    stp x23, x24, [sp, 32]
    stp x25, x26, [sp, 48]
    stp x27, x28, [sp, 64]
    stp x29, x30, [sp, 80]
    stp d8, d9, [sp, 96]
    stp d10, d11, [sp, 112]
    stp d12, d13, [sp, 128]
    stp d14, d15, [sp, 144]
    .cfi_rel_offset x19, 0
    .cfi_rel_offset x20, 8
    .cfi_rel_offset x21, 16
    .cfi_rel_offset x22, 24
    .cfi_rel_offset x23, 32
    .cfi_rel_offset x24, 40
    .cfi_rel_offset x25, 48
    .cfi_rel_offset x26, 56
    .cfi_rel_offset x27, 64
    .cfi_rel_offset x28, 72
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    .cfi_rel_offset d8, 96
    .cfi_rel_offset d9, 104
    .cfi_rel_offset d10, 112
    .cfi_rel_offset d11, 120
    .cfi_rel_offset d12, 128
    .cfi_rel_offset d13, 136
    .cfi_rel_offset d14, 144
    .cfi_rel_offset d15, 152
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, 0]
    ldp x21, x22, [sp, 16]
    ldp x23, x24, [sp, 32]
    ldp x25, x26, [sp, 48]
    ldp x27, x28, [sp, 64]
    ldp x29, x30, [sp, 80]
    ldp d8, d9, [sp, 96]
    ldp d10, d11, [sp, 112]
    ldp d12, d13, [sp, 128]
    ldp d14, d15, [sp, 144]
    /* Until here the rules find the registers in the frame, whether loaded already or not. */
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore x29
    .cfi_restore x30
    .cfi_restore d8
    .cfi_restore d9
    .cfi_restore d10
    .cfi_restore d11
    .cfi_restore d12
    .cfi_restore d13
    .cfi_restore d14
    .cfi_restore d15
    add sp, sp, FRAME
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    END(bight__switch)

/* void *bight__switch_prepare(void *low, void *top, void (*entry)(void *), void *arg)
 * The first switch arrives in the trampoline with entry in x19 and arg in x20. */
FUNCTION(bight__switch_prepare):
    .cfi_startproc
    BTI_C
    and x0, x1, -16
    sub x0, x0, FRAME
    adr x9, trampoline
    stp x2, x3, [x0, 0]
    stp xzr, xzr, [x0, 16]
    stp xzr, xzr, [x0, 32]
    stp xzr, xzr, [x0, 48]
    stp xzr, xzr, [x0, 64]
    stp xzr, x9, [x0, 80]
    stp xzr, xzr, [x0, 96]
    stp xzr, xzr, [x0, 112]
    stp xzr, xzr, [x0, 128]
    stp xzr, xzr, [x0, 144]
    ret
    .cfi_endproc
    END(bight__switch_prepare)

/* The outermost frame of each stack. It has no caller: backtraces by unwind tables end at the
 * undefined x30, those by frame pointers at x29 0. Reached by `ret`, so it needs no landing pad. */
    .type trampoline, %function
    .p2align 4
trampoline:
    .cfi_startproc
    .cfi_undefined x30
    .cfi_undefined x29
    mov x0, x20
    blr x19
    brk 1
    .cfi_endproc
    END(trampoline)

/* void bight__float_control_save(struct bight_float_control *out) */
FUNCTION(bight__float_control_save):
    .cfi_startproc
    BTI_C
    mrs x9, fpcr
    str x9, [x0]
    ret
    .cfi_endproc
    END(bight__float_control_save)

/* void bight__float_control_load(const struct bight_float_control *in)
 * Writing may drain the pipeline, reading does not: write what differs. */
FUNCTION(bight__float_control_load):
    .cfi_startproc
    BTI_C
    ldr x9, [x0]
    mrs x10, fpcr
    cmp x9, x10
    b.eq 1f
    msr fpcr, x9
1:  ret
    .cfi_endproc
    END(bight__float_control_load)

    .section .rodata
    .globl bight__switch_name
    .hidden bight__switch_name
    .type bight__switch_name, %object
bight__switch_name:
    .asciz "aarch64"
    .size bight__switch_name, . - bight__switch_name

/* What gdb needs to know of stacks that were switched away from. It is part of the debug information:
 * in no process's memory, and gone with `strip`. */
    .section .debug_gdb_scripts, "MS", %progbits, 1
    .byte 4 /* the text of a script in Python */
    .ascii "gdb.inlined.bight\n"
    .incbin "coro/gdb/bight.py"
    .byte 0

    .section .note.GNU-stack, "", %progbits

/* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI only. */
    .section .note.gnu.property, "a"
    .p2align 3
    .word 4, 16, 5
    .asciz "GNU"
    .word 0xc0000000, 4, 1, 0
