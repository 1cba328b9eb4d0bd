/* Registers on the stack, for assembly; op is sd or ld. */
#ifndef CV_PLATFORM_BARE_BOOT_RISCV64_FRAME_H
#define CV_PLATFORM_BARE_BOOT_RISCV64_FRAME_H

/* What C functions may change, but t0, whose place is at sp + 8; 128 bytes. */
.macro regs_changed op
    \op ra, 0(sp)
    \op t1, 16(sp)
    \op t2, 24(sp)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    \op a\n, 32 + 8 * \n(sp)
    .endr
    .irp n, 3, 4, 5, 6
    \op t\n, 72 + 8 * \n(sp)
    .endr
.endm

/* What they keep; 104 bytes. */
.macro regs_kept op
    \op ra, 0(sp)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    \op s\n, 8 + 8 * \n(sp)
    .endr
.endm

#endif
