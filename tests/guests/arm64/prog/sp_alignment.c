/* SP alignment checks (D1.3.1, SCTLR_EL1.SA and SA0); QEMU has none. */
#include "harness.h"

extern char sp_load[];
__asm__(".text\n"
        "sp_load: ldr x1, [sp, #8]\n"
        "svc #1\n");

static u64 words[4] __attribute__((aligned(16)));

static void one(u64 sctlr, u64 spsr, u64 vector, u64 esr)
{
    u64 saved = READ(sctlr_el1);

    WRITE(sctlr_el1, (saved & ~0x18UL) | sctlr);
    try_begin((u64)run_exit);
    run((u64)sp_load, 0, (u64)words + 8, spsr);
    WRITE(sctlr_el1, saved);
    check("vector", last.vector, vector);
    check("ESR", last.esr, esr);
    check("ELR", last.elr, (u64)sp_load + (esr == ESR(0x15, 1) ? 8 : 0));
}

void test_main(void)
{
    section("SP misaligned at EL1");
    one(1 << 3, SPSR_EL1T, 0x000, ESR(0x26, 0));
    one(1 << 4, SPSR_EL1T, 0x000, ESR(0x15, 1)); /* SA off */
    section("SP misaligned at EL0");
    one(1 << 4, SPSR_EL0, 0x400, ESR(0x26, 0));
    one(1 << 3, SPSR_EL0, 0x400, ESR(0x15, 1)); /* SA0 off */
}
