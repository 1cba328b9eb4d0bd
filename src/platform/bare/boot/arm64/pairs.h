/* Registers by pairs, for assembly. */
#ifndef CV_PLATFORM_BARE_BOOT_ARM64_PAIRS_H
#define CV_PLATFORM_BARE_BOOT_ARM64_PAIRS_H

/* op: stp or ldp of the registers named, two by two, at `base` from `at` on. */
.macro pairs op, base, at, first, second, rest:vararg
    \op \first, \second, [\base, #(\at)]
    .ifnb \rest
    pairs \op, \base, (\at + 16), \rest
    .endif
.endm

/* What C functions keep, and the frame record at sp + 80. */
.macro push_kept
    stp x19, x20, [sp, #-96]!
    pairs stp, sp, 16, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
.endm
.macro pop_kept
    pairs ldp, sp, 16, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
    ldp x19, x20, [sp], #96
.endm

#endif
