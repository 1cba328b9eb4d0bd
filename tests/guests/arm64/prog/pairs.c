/* Stores of pairs and structures: nothing is written unless all can be; alignment of elements (B2.5.2). */
#include "mmu.h"

static u64 *first, *second; /* the frames of two pages that follow each other */

static void sees(const char *what, u64 at, u64 want)
{
    check(what, *(volatile u64 *)((u8 *)first + at), want);
}

#define STORE(insn)                                                                                          \
    ({                                                                                                       \
        u64 x_ = WINDOW + 4096 - 16;                                                                         \
        try_begin(0);                                                                                        \
        __asm__ volatile("fmov d8, %1\n fmov d9, %1\n dup v8.2d, %1\n dup v9.2d, %1\n" insn                  \
                         : "+r"(x_)                                                                          \
                         : "r"(0x1122334455667788)                                                           \
                         : "v8", "v9", "memory");                                                            \
        x_;                                                                                                  \
    })

static void pairs_across(u64 flags, u64 esr)
{
    map_page(WINDOW, (u64)first, 0);
    map_page(WINDOW + 4096, (u64)second, flags);
    for (unsigned i = 0; i < 512; i++)
        first[i] = second[i] = 7;
    check("base is kept", STORE("stp q8, q9, [%0], #32"), WINDOW + 4080);
    check("vector", last.vector, 0x200);
    check("ESR", last.esr, esr);
    check("FAR", last.far, WINDOW + 4096);
    sees("STP Q wrote nothing", 4080, 7);
    STORE("stp d8, d9, [%0, #8]");
    check("FAR", last.far, WINDOW + 4096);
    sees("STP D wrote nothing", 4088, 7);
    STORE("stp s8, s9, [%0, #12]");
    check("FAR", last.far, WINDOW + 4096);
    sees("STP S wrote nothing", 4088, 7);
    STORE("stp xzr, xzr, [%0, #8]");
    check("FAR", last.far, WINDOW + 4096);
    sees("STP X wrote nothing", 4088, 7);
}

static void pairs_done(void)
{
    section("pairs across two pages that can be written");
    map_page(WINDOW, (u64)first, 0);
    map_page(WINDOW + 4096, (u64)second, 0);
    first[510] = first[511] = second[0] = second[1] = second[2] = 7;
    check("base moves", STORE("stp q8, q9, [%0], #48"), WINDOW + 4080 + 48);
    check("no exception", last.vector, 0xffff);
    check("low", first[510], 0x1122334455667788);
    check("", first[511], 0x1122334455667788);
    check("high", second[0], 0x1122334455667788);
    check("", second[1], 0x1122334455667788);
    check("no more", second[2], 7);
    STORE("stp s8, s9, [%0, #12]");
    check("STP S", (u32)second[0], 0x55667788);
    check("base moves", STORE("stp q8, q9, [%0, #-16]!"), WINDOW + 4080 - 16);
    STORE("add %0, %0, #3\n stp q8, q9, [%0]"); /* not aligned at all */
    check("misaligned, last byte", ((u8 *)second)[18], 0x11);
    check("misaligned, first byte", ((u8 *)first)[4083], 0x88);
}

static void elements(void)
{
    u64 at = WINDOW + 2, sctlr = READ(sctlr_el1);

    section("alignment of elements");
    WRITE(sctlr_el1, sctlr | 2);
    try_begin(0);
    __asm__ volatile("ld1 {v0.8h}, [%0]" ::"r"(at) : "v0", "memory");
    check("LD1 of halfwords", last.vector, 0xffff);
    try_begin(0);
    __asm__ volatile("st1 {v0.16b}, [%0]" ::"r"(at + 1) : "memory");
    check("ST1 of bytes", last.vector, 0xffff);
    try_begin(0);
    __asm__ volatile("ld1 {v0.4s}, [%0]" ::"r"(at) : "v0", "memory");
    check("LD1 of words", last.esr, ESR(0x25, 0x21));
    check("FAR", last.far, at);
    try_begin(0);
    __asm__ volatile("st2 {v0.2d, v1.2d}, [%0]" ::"r"(at + 2) : "memory");
    check("ST2 of doublewords", last.esr, ESR(0x25, 1 << 6 | 0x21));
    try_begin(0);
    __asm__ volatile("ld1r {v0.2s}, [%0]" ::"r"(at) : "v0", "memory");
    check("LD1R", last.esr, ESR(0x25, 0x21));
    try_begin(0);
    __asm__ volatile("st1 {v0.h}[3], [%0]" ::"r"(at) : "memory");
    check("ST1 of a lane", last.vector, 0xffff);
    WRITE(sctlr_el1, sctlr);
    try_begin(0);
    __asm__ volatile("ld4 {v0.2d, v1.2d, v2.2d, v3.2d}, [%0]" ::"r"(at) : "v0", "v1", "v2", "v3", "memory");
    check("unaligned is allowed", last.vector, 0xffff);
}

void test_main(void)
{
    static u64 frames[1024] __attribute__((aligned(4096)));

    first = frames;
    second = frames + 512;
    mmu_on();
    section("pairs across into a page that is not mapped");
    pairs_across(UNMAPPED, ESR(0x25, 1 << 6 | 0x07));
    section("pairs across into a read-only page");
    pairs_across(PTE_RO, ESR(0x25, 1 << 6 | 0x0f));
    pairs_done();
    elements();
}
