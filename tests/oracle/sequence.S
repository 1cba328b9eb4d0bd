// run_sequence(state, sequence, x, f, fcsr): enters a sequence with all registers loaded, returns with them stored.
// Reserved in a sequence: gp the state, sp the scratch buffer's begin, s0 its middle; t1 holds the sequence.
#include "sequence.h"

    .text
    .globl run_sequence
run_sequence:
    sd ra, 8(a0)
    sd sp, 16(a0)
    sd gp, 24(a0)
    sd tp, 32(a0)
    .irp n, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    sd x\n, 8*\n(a0)
    .endr
    mv gp, a0
    fscsr a4
    mv t1, a1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, 8*\n(a3)
    .endr
    la sp, scratch
    addi s0, sp, SCRATCH_SIZE / 2
    .irp n, 1,4,5,7,9,10,11,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, 8*\n(a2)
    .endr
    ld a2, 8*12(a2)
    jr t1

    // In the body, where each sequence reaches it by one jump.
    .section .body, "ax"
    .globl sequence_end
sequence_end:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, STATE_X+8*\n(gp)
    fsd f\n, STATE_F+8*\n(gp)
    .endr
    frcsr t0
    sd t0, STATE_FCSR(gp)
    mv a0, gp
    ld ra, 8(a0)
    ld sp, 16(a0)
    ld gp, 24(a0)
    ld tp, 32(a0)
    .irp n, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    ld x\n, 8*\n(a0)
    .endr
    ret

    .section .state, "aw"
    .balign 4096
    // Across two pages.
    .space 4096 - SCRATCH_SIZE / 2
    .globl scratch
scratch:
    .space SCRATCH_SIZE
    .balign 4096
    .globl state
state:
    .space STATE_SIZE
