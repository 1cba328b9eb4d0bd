/*
 * Memory that MAIR_EL1 calls a device's, and all memory without translation: accesses of any kind have to be
 * aligned, of a pair each register, of structures each element, and no block is cleared there (B2.8.2,
 * D8.2.14, C5.3 DC ZVA). It is RAM behind, so that aligned ones do what they do elsewhere.
 */
#include "mmu.h"

#define DEVICE (1UL << 2) /* AttrIndx 1: 0x00 of mmu_on(); Attr 0 is Normal */
#define AT     (WINDOW + 0x100)
#define EL0_AT (WINDOW + 0x2100)

static volatile u64 frames[4][512] __attribute__((aligned(4096)));
static int wanted; /* a fault */

/* One instruction with x0 = at. It faults for what is misaligned, or does not. */
#define TRY(insn, at, write)                                                                                 \
    ({                                                                                                       \
        try_begin(0);                                                                                        \
        register u64 x0_ __asm__("x0") = (at);                                                               \
        __asm__ volatile(insn : "+r"(x0_)::"x1", "x2", "x3", "x4", "x5", "v0", "v1", "v2", "v3", "memory");  \
        if (wanted) {                                                                                        \
            check(insn, last.esr, ESR(0x25, (write) << 6 | 0x21));                                           \
            check(insn ": FAR", last.far, (at));                                                             \
        } else {                                                                                             \
            check(insn " goes", last.vector, 0xffff);                                                        \
        }                                                                                                    \
    })

/* Each `off` the least by which it is misaligned; `more` what is aligned enough though the whole is not. */
#define LOAD(insn, off)  TRY(insn, at + (off), 0UL)
#define STORE(insn, off) TRY(insn, at + (off), 1UL)

/* By that much off; 0: aligned. */
static void ordinary(u64 at, u64 off)
{
    u64 half = off ? 1 : 0, word = off ? 2 : 0, wide = off ? 4 : 0;

    LOAD("ldrh w1, [x0]", half);
    LOAD("ldr w1, [x0]", word);
    LOAD("ldrsw x1, [x0]", word);
    LOAD("ldr x1, [x0]", wide);
    STORE("strh wzr, [x0]", half);
    STORE("str wzr, [x0]", word);
    STORE("str xzr, [x0]", wide);
    LOAD("ldr h0, [x0]", half);
    LOAD("ldr s0, [x0]", word);
    LOAD("ldr d0, [x0]", wide);
    LOAD("ldr q0, [x0]", wide * 2);
    STORE("str s0, [x0]", word);
    STORE("str d0, [x0]", wide);
    STORE("str q0, [x0]", wide * 2);
    LOAD("ldp w1, w2, [x0]", word);
    LOAD("ldpsw x1, x2, [x0]", word);
    LOAD("ldp x1, x2, [x0]", wide);
    STORE("stp wzr, wzr, [x0]", word);
    STORE("stp xzr, xzr, [x0]", wide);
    LOAD("ldp d0, d1, [x0]", wide);
    STORE("stp s0, s1, [x0]", word);
    STORE("stp q0, q1, [x0]", wide * 2);
    LOAD("ld1 {v0.8h}, [x0]", half);
    LOAD("ld1 {v0.2s, v1.2s}, [x0]", word);
    STORE("st1 {v0.2d}, [x0]", wide);
    STORE("st1 {v0.s}[1], [x0]", word);
    LOAD("ld2 {v0.4h, v1.4h}, [x0]", half);
}

/* Aligned by their parts alone: no fault. */
static void parts(u64 at)
{
    LOAD("ldrb w1, [x0]", 1);
    STORE("strb wzr, [x0]", 3);
    LOAD("ldp w1, w2, [x0]", 4);
    STORE("stp wzr, wzr, [x0]", 4);
    LOAD("ldp x1, x2, [x0]", 8);
    STORE("stp xzr, xzr, [x0]", 8);
    STORE("stp s0, s1, [x0]", 4);
    STORE("stp d0, d1, [x0]", 8);
    STORE("stp q0, q1, [x0]", 16);
    LOAD("ld1 {v0.16b}, [x0]", 1);
    LOAD("ld1 {v0.8h}, [x0]", 2);
    STORE("st1 {v0.4s}, [x0]", 4);
    STORE("st1 {v0.16b}, [x0]", 5);
    LOAD("ld3 {v0.8b, v1.8b, v2.8b}, [x0]", 1);
}

/* Often, so that it is compiled and its pages are known if they ever are. */
static void rounds(u64 at, int of_device)
{
    for (unsigned i = 0; i < 40; i++) {
        wanted = 0;
        ordinary(at, 0);
        parts(at);
        wanted = of_device;
        ordinary(at, 1);
        STORE("dc zva, x0", 0);
        STORE("dc zva, x0", 0x24);
    }
}

static void as_user(void)
{
    u64 at = EL0_AT;

    wanted = 0;
    for (unsigned i = 0; i < 40; i++) {
        LOAD("ldtr x1, [x0]", 0);
        STORE("sttr wzr, [x0]", 4);
    }
    wanted = 1;
    for (unsigned i = 0; i < 40; i++) {
        LOAD("ldtr x1, [x0]", 4);
        LOAD("ldtrh w1, [x0]", 1);
        STORE("sttr wzr, [x0]", 2);
    }
}

/* What was there stays where an access faults; an aligned one reads and writes it. */
static void contents(void)
{
    volatile u64 *p = (volatile u64 *)AT;

    map_page(WINDOW, (u64)frames[0], DEVICE);
    *p = 0x1122334455667788;
    check("stored", frames[0][0x100 / 8], 0x1122334455667788);
    try_begin(0);
    __asm__ volatile("str xzr, [%0]\n dc zva, %1" ::"r"(AT + 4), "r"(AT) : "memory");
    check("kept", *p, 0x1122334455667788);
    check("the next page is none: across the end", frames[1][0], 0);
    wanted = 1;
    TRY("str xzr, [x0]", WINDOW + 4096 - 4, 1UL);
    wanted = 0;
    map_page(WINDOW, (u64)frames[0], 0);
    map_page(WINDOW + 4096, (u64)frames[1], 0);
    TRY("str xzr, [x0]", WINDOW + 4096 - 4, 1UL);
}

/* A block of 2 MiB, and what the interrupt controller, a device indeed, says. */
static void blocks(void)
{
    u64 va = WINDOW + (4UL << 21), at = va + 0x3100;

    *block_entry(va) = 0x48000000UL | PTE_AF | PTE_IS | DEVICE | 1;
    tlb_flush();
    for (unsigned i = 0; i < 40; i++) {
        wanted = 0;
        LOAD("ldr x1, [x0]", 0);
        LOAD("ldr x1, [x0]", 4096);
        wanted = 1;
        LOAD("ldr x1, [x0]", 4);
        LOAD("ldr x1, [x0]", 4100);
    }
    at = 0x09010000; /* PL031 */
    LOAD("ldr w1, [x0]", 2);
    STORE("str wzr, [x0]", 0x11);
    STORE("dc zva, x0", 0x1c);
}

/* One that waits for the MMU clears a block: without it that is a fault. */
static void translation_off(void)
{
    u64 at = (u64)&frames[3][8];

    wanted = 0;
    STORE("dc zva, x0", 0);
    mmu_off();
    rounds(at, 1);
    frames[3][9] = 5;
    STORE("dc zva, x0", 0);
    check("kept", frames[3][9], 5);
    mmu_on();
    wanted = 0;
    STORE("dc zva, x0", 0);
    check("cleared", frames[3][9], 0);
}

void test_main(void)
{
    mmu_on();
    map_page(WINDOW, (u64)frames[0], DEVICE);
    map_page(WINDOW + 4096, (u64)frames[1], 0);
    map_page(WINDOW + 8192, (u64)frames[2], DEVICE | PTE_EL0);
    section("Normal memory takes all");
    rounds(WINDOW + 4096 + 0x100, 0);
    section("device memory wants alignment");
    rounds(AT, 1);
    section("of unprivileged accesses, too");
    as_user();
    section("what faults does nothing");
    contents();
    section("blocks, and devices");
    blocks();
    section("without translation");
    translation_off();
}
