/*
 * Reasons to leave the guest, a line "ok WHAT" or "not ok WHAT" each. Loads and stores to devices in every
 * form that comes without a syndrome, and those that come with one: the distributor's priority registers keep
 * what was written, byte by byte. overflow.c has the interrupts.
 */
#include "guest.h"

#define PRIORITIES (GICD + 0x440) /* of SPIs 64 and on: multiples of 8 */

static volatile uint64_t trapped;
static volatile bool wanted;

uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    (void)far;
    trapped = esr >> 26;
    if (wanted)
        return 4;
    put("not ok trap ");
    put_number(trapped);
    put("\n");
    guest_off();
    return 4;
}

static volatile uint64_t echo;
static volatile unsigned turn;

#define TURNS         100
#define TURNS_CONTEXT 4712

/* Until it is this PE's turn, by WFE. */
static void wait_turn(unsigned mine)
{
    while (turn != mine)
        __asm__ volatile("wfe" ::: "memory");
}

static void give_turn(unsigned to)
{
    turn = to;
    __asm__ volatile("dsb sy\n\tsev" ::: "memory");
}

void guest_pe(uint64_t context)
{
    for (unsigned i = 0; context == TURNS_CONTEXT && i < TURNS; i++) {
        wait_turn(1);
        give_turn(0);
    }
    echo = context;
    hvc(PSCI_CPU_OFF, 0, 0, 0);
}

#define A UINT64_C(0x4038302820181008)
#define B UINT64_C(0x8078706860585048)

static void clear(void)
{
    for (unsigned i = 0; i < 32; i += 4)
        w32(PRIORITIES + i, 0);
}

static uint64_t words(unsigned at)
{
    return r32(PRIORITIES + at) | (uint64_t)r32(PRIORITIES + at + 4) << 32;
}

static void plain(void)
{
    uint64_t v;

    clear();
    __asm__ volatile("str %0, [%1]" ::"r"(A), "r"(PRIORITIES) : "memory");
    check("str x", words(0), A);
    __asm__ volatile("ldrb %w0, [%1, #1]" : "=r"(v) : "r"(PRIORITIES) : "memory");
    check("ldrb", v, 0x10);
    __asm__ volatile("strb %w0, [%1, #2]" ::"r"(0x88), "r"(PRIORITIES) : "memory");
    __asm__ volatile("ldrsb %0, [%1, #2]" : "=r"(v) : "r"(PRIORITIES) : "memory");
    check("ldrsb x", v, UINT64_C(0xffffffffffffff88));
    __asm__ volatile("ldrsb %w0, [%1, #2]" : "=r"(v) : "r"(PRIORITIES) : "memory");
    check("ldrsb w", v, 0xffffff88);
    __asm__ volatile("strb wzr, [%0, #2]" ::"r"(PRIORITIES) : "memory");
    check("strb wzr", words(0), A & ~UINT64_C(0xff0000));
}

static void pairs(void)
{
    uint64_t x, y, base = PRIORITIES + 16;

    clear();
    __asm__ volatile("stp %0, %1, [%2]" ::"r"(A), "r"(B), "r"(PRIORITIES) : "memory");
    check("stp x first", words(0), A);
    check("stp x second", words(8), B);
    __asm__ volatile("ldp %w0, %w1, [%2]" : "=&r"(x), "=&r"(y) : "r"(PRIORITIES) : "memory");
    check("ldp w first", x, (uint32_t)A);
    check("ldp w second", y, A >> 32);
    __asm__ volatile("ldp %0, %1, [%2, #-16]!" : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ldp pre first", x, A);
    check("ldp pre second", y, B);
    check("ldp pre base", base, PRIORITIES);
    __asm__ volatile("ldpsw %0, %1, [%2], #8" : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ldpsw", x, (uint64_t)(int32_t)A);
    check("ldpsw second", y, A >> 32);
    check("ldpsw base", base, PRIORITIES + 8);
    __asm__ volatile("stnp %w0, %w1, [%2]" ::"r"(0x08080808), "r"(0x10101010), "r"(PRIORITIES) : "memory");
    check("stnp w", words(0), UINT64_C(0x1010101008080808));
}

static void writeback(void)
{
    uint64_t v, base = PRIORITIES;

    clear();
    __asm__ volatile("str %w1, [%0], #4" : "+r"(base) : "r"(0x20202020) : "memory");
    check("str post base", base, PRIORITIES + 4);
    __asm__ volatile("str %w1, [%0, #4]!" : "+r"(base) : "r"(0x28282828) : "memory");
    check("str pre base", base, PRIORITIES + 8);
    check("str post", r32(PRIORITIES), 0x20202020);
    check("str pre", r32(PRIORITIES + 8), 0x28282828);
    __asm__ volatile("ldrb %w0, [%1], #-8" : "=&r"(v), "+r"(base)::"memory");
    check("ldrb post", v, 0x28);
    check("ldrb post base", base, PRIORITIES);
    __asm__ volatile("ldrsw %0, [%1], #8" : "=&r"(v), "+r"(base)::"memory");
    check("ldrsw post", v, 0x20202020);
    __asm__ volatile("mov x9, sp\n\tmov sp, %1\n\tldr %w0, [sp], #16\n\tmov %1, sp\n\tmov sp, x9"
                     : "=&r"(v), "+r"(base)::"x9", "memory");
    check("ldr by sp", v, 0x28282828);
    check("ldr by sp base", base, PRIORITIES + 24);
}

static void vectors(void)
{
    uint64_t x, y, base = PRIORITIES;

    clear();
    __asm__ volatile(".arch_extension simd\n\tfmov d0, %0\n\tmov v0.d[1], %1\n\tstr q0, [%2]" ::"r"(A),
                     "r"(B), "r"(PRIORITIES)
                     : "memory");
    check("str q low", words(0), A);
    check("str q high", words(8), B);
    __asm__ volatile("movi v1.16b, #0xff\n\tldr d1, [%2, #8]\n\tfmov %0, d1\n\tmov %1, v1.d[1]"
                     : "=&r"(x), "=&r"(y)
                     : "r"(PRIORITIES)
                     : "memory");
    check("ldr d", x, B);
    check("ldr d upper", y, 0);
    __asm__ volatile("ldp s2, s3, [%2], #8\n\tfmov %w0, s2\n\tfmov %w1, s3"
                     : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ldp s first", x, (uint32_t)A);
    check("ldp s second", y, A >> 32);
    check("ldp s base", base, PRIORITIES + 8);
    __asm__ volatile("stp q0, q0, [%0]" ::"r"(PRIORITIES) : "memory");
    check("stp q", words(16), A);
    check("stp q last", words(24), B);
    __asm__ volatile("movi v4.16b, #0x30\n\tstr b4, [%0], #1\n\tldr b5, [%0, #-1]!\n\tfmov %w1, s5"
                     : "+r"(base), "=&r"(x)::"memory");
    check("str b, ldr b", x, 0x30);
    check("str b base", base, PRIORITIES + 8);
    __asm__ volatile("str h4, [%0]" ::"r"(PRIORITIES) : "memory");
    check("str h", r32(PRIORITIES) & 0xffff, 0x3030);
}

/* More of the same forms: each register size, index and offset. */
static void more_pairs(void)
{
    uint64_t x, y, base = PRIORITIES;

    clear();
    __asm__ volatile("stp %1, %2, [%0], #16" : "+r"(base) : "r"(A), "r"(B) : "memory");
    check("stp x post base", base, PRIORITIES + 16);
    __asm__ volatile("stp %w1, %w2, [%0, #8]!" : "+r"(base) : "r"(A), "r"(B) : "memory");
    check("stp w pre base", base, PRIORITIES + 24);
    check("stp w pre", words(24), (uint32_t)A | B << 32);
    __asm__ volatile("ldnp %0, %1, [%2]" : "=&r"(x), "=&r"(y) : "r"(PRIORITIES) : "memory");
    check("ldnp x first", x, A);
    check("ldnp x second", y, B);
    __asm__ volatile("ldp %w0, %w1, [%2], #-24" : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ldp w post", x, (uint32_t)A);
    check("ldp w post base", base, PRIORITIES);
    __asm__ volatile("ldp xzr, %0, [%1]" : "=&r"(y) : "r"(PRIORITIES) : "memory");
    check("ldp xzr", y, B);
    __asm__ volatile(".arch_extension simd\n\tldp q1, q2, [%2]\n\tmov %0, v1.d[1]\n\tfmov %1, d2"
                     : "=&r"(x), "=&r"(y)
                     : "r"(PRIORITIES)
                     : "memory");
    check("ldp q first", x, B);
    check("ldp q second", y, 0);
    __asm__ volatile("fmov d3, %1\n\tfmov d4, %2\n\tstp d4, d3, [%0], #16"
                     : "+r"(base)
                     : "r"(A), "r"(B)
                     : "memory");
    check("stp d post", words(0), B);
    check("stp d post second", words(8), A);
    __asm__ volatile("ldp d5, d6, [%2, #-16]!\n\tfmov %0, d5\n\tfmov %1, d6"
                     : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ldp d pre", x, B);
    check("ldp d pre second", y, A);
    check("ldp d pre base", base, PRIORITIES);
    __asm__ volatile("stnp s4, s3, [%0, #16]" ::"r"(PRIORITIES) : "memory");
    check("stnp s", words(16), (uint32_t)B | A << 32);
}

/* Single registers: half words, register offsets, unprivileged, of vectors by index. */
static void more_singles(void)
{
    uint64_t x, y, base = PRIORITIES;

    clear();
    __asm__ volatile("strh %w0, [%1, #2]" ::"r"(A), "r"(PRIORITIES) : "memory");
    check("strh", words(0), (A & 0xffff) << 16);
    __asm__ volatile("ldrh %w0, [%1, #2]" : "=r"(x) : "r"(PRIORITIES) : "memory");
    check("ldrh", x, A & 0xffff);
    __asm__ volatile("strh %w0, [%1, #2]" ::"r"(0x8898), "r"(PRIORITIES) : "memory");
    __asm__ volatile("ldrsh %0, [%1, #2]" : "=r"(x) : "r"(PRIORITIES) : "memory");
    check("ldrsh x", x, UINT64_C(0xffffffffffff8898));
    __asm__ volatile("ldrsh %w0, [%1, #2]" : "=r"(x) : "r"(PRIORITIES) : "memory");
    check("ldrsh w", x, 0xffff8898);
    __asm__ volatile("str %0, [%1, %2, lsl #3]" ::"r"(B), "r"(PRIORITIES), "r"(UINT64_C(1)) : "memory");
    check("str by register offset", words(8), B);
    __asm__ volatile("ldr %w0, [%1, %w2, sxtw]" : "=r"(x) : "r"(PRIORITIES + 16), "r"(-4) : "memory");
    check("ldr w by register offset", x, B >> 32);
    __asm__ volatile("sttr %0, [%1, #-8]" ::"r"(A), "r"(PRIORITIES + 8) : "memory");
    __asm__ volatile("ldtr %0, [%1]" : "=r"(x) : "r"(PRIORITIES) : "memory");
    check("sttr, ldtr", x, A);
    __asm__ volatile("ldtrsb %0, [%1, #8]" : "=r"(x) : "r"(PRIORITIES) : "memory");
    check("ldtrsb", x, 0x48);
    __asm__ volatile("stur %w0, [%1, #-4]" ::"r"(0x50505050), "r"(PRIORITIES + 20) : "memory");
    __asm__ volatile("ldur %w0, [%1, #-4]" : "=r"(x) : "r"(PRIORITIES + 20) : "memory");
    check("stur, ldur", x, 0x50505050);
    __asm__ volatile("prfm pldl1keep, [%0]" ::"r"(PRIORITIES) : "memory");
    check("prfm", words(0), A);
    __asm__ volatile(".arch_extension simd\n\tldr q1, [%2], #8\n\tfmov %0, d1\n\tmov %1, v1.d[1]"
                     : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ldr q post low", x, A);
    check("ldr q post high", y, B);
    check("ldr q post base", base, PRIORITIES + 8);
    __asm__ volatile("fmov d2, %1\n\tstr s2, [%0, #8]!" : "+r"(base) : "r"(B) : "memory");
    check("str s pre base", base, PRIORITIES + 16);
    check("str s pre", words(16), (uint32_t)B);
    __asm__ volatile("str d2, [%0, %1]" ::"r"(PRIORITIES), "r"(UINT64_C(24)) : "memory");
    check("str d by register offset", words(24), B);
    __asm__ volatile("ldur h3, [%1, #-2]\n\tfmov %0, d3" : "=r"(x) : "r"(PRIORITIES + 8) : "memory");
    check("ldur h", x, A >> 48);
}

/* v0 and v1: A, B and B, A. */
static void structures_store(void)
{
    uint64_t base = PRIORITIES;

    __asm__ volatile(
        ".arch_extension simd\n\tfmov d0, %0\n\tmov v0.d[1], %1\n\tfmov d1, %1\n\tmov v1.d[1], %0" ::"r"(A),
        "r"(B));
    clear();
    __asm__ volatile("st1 {v0.16b}, [%0]" ::"r"(PRIORITIES) : "memory");
    check("st1 16b low", words(0), A);
    check("st1 16b high", words(8), B);
    clear();
    __asm__ volatile("st1 {v0.2d, v1.2d}, [%0], #32" : "+r"(base)::"memory");
    check("st1 2d two base", base, PRIORITIES + 32);
    check("st1 2d two", words(0), A);
    check("st1 2d two last", words(24), A);
    clear();
    __asm__ volatile("st1 {v0.b}[3], [%0], %1" : "+r"(base) : "r"(-UINT64_C(31)) : "memory");
    check("st1 lane base", base, PRIORITIES + 1);
    base = PRIORITIES;
    __asm__ volatile("st1 {v1.s}[1], [%0]" ::"r"(base) : "memory");
    check("st1 s lane", words(0), B >> 32);
    __asm__ volatile("st2 {v0.4s, v1.4s}, [%0]" ::"r"(base) : "memory");
    check("st2 4s first", words(0), (uint32_t)A | B << 32);
    check("st2 4s second", words(8), A >> 32 | (B >> 32 << 32));
    check("st2 4s last", words(24), B >> 32 | (A >> 32 << 32));
    __asm__ volatile("st4 {v0.h, v1.h, v2.h, v3.h}[0], [%0]" ::"r"(base) : "memory");
    check("st4 lane", words(0) & 0xffffffff, (A & 0xffff) | (B & 0xffff) << 16);
}

static void structures_load(void)
{
    uint64_t x, y, base = PRIORITIES;

    clear();
    __asm__ volatile("str %0, [%1]" ::"r"(A), "r"(PRIORITIES) : "memory");
    __asm__ volatile("str %0, [%1]" ::"r"(B), "r"(PRIORITIES + 8) : "memory");
    __asm__ volatile("str %0, [%1]" ::"r"(A + 8), "r"(PRIORITIES + 24) : "memory");
    __asm__ volatile(
        ".arch_extension simd\n\tld1 {v2.8h, v3.8h}, [%2], #32\n\tmov %0, v2.d[1]\n\tmov %1, v3.d[1]"
        : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ld1 8h two", x, B);
    check("ld1 8h two last", y, A + 8);
    check("ld1 8h two base", base, PRIORITIES + 32);
    __asm__ volatile("movi v4.16b, #0xff\n\tld1 {v4.8b}, [%2]\n\tfmov %0, d4\n\tmov %1, v4.d[1]"
                     : "=&r"(x), "=&r"(y)
                     : "r"(PRIORITIES)
                     : "memory");
    check("ld1 8b", x, A);
    check("ld1 8b upper", y, 0);
    base = PRIORITIES;
    __asm__ volatile("movi v5.16b, #0xff\n\tld1 {v5.s}[2], [%2], #4\n\tfmov %0, d5\n\tmov %1, v5.d[1]"
                     : "=&r"(x), "=&r"(y), "+r"(base)::"memory");
    check("ld1 lane keeps the others", x, UINT64_MAX);
    check("ld1 lane", y, UINT64_C(0xffffffff00000000) | (uint32_t)A);
    check("ld1 lane base", base, PRIORITIES + 4);
    __asm__ volatile("movi v6.16b, #0xff\n\tld1r {v6.4h}, [%2], %3\n\tfmov %0, d6\n\tmov %1, v6.d[1]"
                     : "=&r"(x), "=&r"(y), "+r"(base)
                     : "r"(-UINT64_C(4))
                     : "memory");
    check("ld1r", x, (A >> 32 & 0xffff) * UINT64_C(0x0001000100010001));
    check("ld1r upper", y, 0);
    check("ld1r base", base, PRIORITIES);
    __asm__ volatile("ld2 {v7.2s, v8.2s}, [%2]\n\tfmov %0, d7\n\tfmov %1, d8"
                     : "=&r"(x), "=&r"(y)
                     : "r"(PRIORITIES)
                     : "memory");
    check("ld2 first", x, (uint32_t)A | B << 32);
    check("ld2 second", y, A >> 32 | (B >> 32 << 32));
    __asm__ volatile("ld4 {v31.8b, v0.8b, v1.8b, v2.8b}, [%2]\n\tumov %w0, v31.b[1]\n\tumov %w1, v2.b[7]"
                     : "=&r"(x), "=&r"(y)
                     : "r"(PRIORITIES)
                     : "memory");
    check("ld4 first", x, A >> 32 & 0xff);
    check("ld4 last", y, (A + 8) >> 56);
    __asm__ volatile("ld3 {v9.d, v10.d, v11.d}[1], [%2]\n\tmov %0, v10.d[1]\n\tmov %1, v11.d[1]"
                     : "=&r"(x), "=&r"(y)
                     : "r"(PRIORITIES)
                     : "memory");
    check("ld3 lane second", x, B);
    check("ld3 lane third", y, 0);
    __asm__ volatile(
        "mov x9, sp\n\tmov sp, %1\n\tld1 {v12.2d}, [sp], #16\n\tmov %1, sp\n\tmov sp, x9\n\tmov %0, v12.d[1]"
        : "=&r"(x), "+r"(base)::"x9", "memory");
    check("ld1 by sp", x, B);
    check("ld1 by sp base", base, PRIORITIES + 16);
}

/* With acquire and release: as others, in order. */
static void ordered(void)
{
    uint64_t x, rcpc = sys_read(id_aa64isar1_el1) >> 20 & 15;

    clear();
    __asm__ volatile("stlr %0, [%1]" ::"r"(A), "r"(PRIORITIES) : "memory");
    check("stlr x", words(0), A);
    __asm__ volatile("stlr %w0, [%1]\n\tstlrh %w0, [%2]\n\tstlrb %w0, [%3]" ::"r"(B), "r"(PRIORITIES + 8),
                     "r"(PRIORITIES + 12), "r"(PRIORITIES + 14)
                     : "memory");
    check("stlr w, stlrh, stlrb", words(8), (uint32_t)B | (B & 0xffff) << 32 | (B & 0xff) << 48);
    __asm__ volatile("ldar %0, [%1]" : "=r"(x) : "r"(PRIORITIES) : "memory");
    check("ldar x", x, A);
    __asm__ volatile("ldar %w0, [%1]" : "=r"(x) : "r"(PRIORITIES + 4) : "memory");
    check("ldar w", x, A >> 32);
    __asm__ volatile("ldarh %w0, [%1]" : "=r"(x) : "r"(PRIORITIES + 2) : "memory");
    check("ldarh", x, A >> 16 & 0xffff);
    __asm__ volatile("ldarb %w0, [%1]" : "=r"(x) : "r"(PRIORITIES + 7) : "memory");
    check("ldarb", x, A >> 56);
    if (rcpc >= 1) {
        __asm__ volatile(".arch_extension rcpc\n\tldapr %0, [%1]" : "=r"(x) : "r"(PRIORITIES) : "memory");
        check("ldapr x", x, A);
        __asm__ volatile("ldaprb %w0, [%1]" : "=r"(x) : "r"(PRIORITIES + 5) : "memory");
        check("ldaprb", x, A >> 40 & 0xff);
    }
    if (rcpc >= 2) {
        register uint64_t x0 __asm__("x0") = B, x1 __asm__("x1") = PRIORITIES + 8;

        __asm__ volatile(".inst 0xd91f8020\n\t" /* stlur x0, [x1, #-8] */
                         "mov x0, #0\n\t"
                         ".inst 0xd95f8020" /* ldapur x0, [x1, #-8] */
                         : "+r"(x0)
                         : "r"(x1)
                         : "memory");
        check("stlur, ldapur", x0 == B && words(0) == B, 1);
    }
}

#define TRAPS(name, ...)                                                                                     \
    do {                                                                                                     \
        trapped = 99;                                                                                        \
        __asm__ volatile(__VA_ARGS__);                                                                       \
        check(name ": abort", trapped, 0x25);                                                                \
    } while (0)

/* What is for Normal memory only is an abort, and nothing is written. */
static void refused(void)
{
    uint64_t memory = 0, status = 9, atomics = sys_read(id_aa64isar0_el1) >> 20 & 15,
             dczid = sys_read(dczid_el0);

    clear();
    w32(PRIORITIES, (uint32_t)A);
    wanted = true;
    TRAPS("ldxr", "ldxr w9, [%0]" ::"r"(PRIORITIES) : "x9", "memory");
    TRAPS("ldaxrb", "ldaxrb w9, [%0]" ::"r"(PRIORITIES) : "x9", "memory");
    TRAPS("ldxp", "ldxp x9, x10, [%0]" ::"r"(PRIORITIES) : "x9", "x10", "memory");
    trapped = 99;
    __asm__ volatile("ldxr x9, [%1]\n\tstxr %w0, %2, [%3]"
                     : "+&r"(status)
                     : "r"(&memory), "r"(B), "r"(PRIORITIES)
                     : "x9", "memory");
    check("stxr: abort, or it fails", trapped == 0x25 || (uint32_t)status == 1, 1);
    if (atomics >= 2) {
        TRAPS("ldadd", ".arch_extension lse\n\tldadd %w1, w9, [%0]" ::"r"(PRIORITIES), "r"(8)
              : "x9", "memory");
        TRAPS("swp", "swp %w1, w9, [%0]" ::"r"(PRIORITIES), "r"(8) : "x9", "memory");
        TRAPS("cas", "mov w9, %w1\n\tcas w9, wzr, [%0]" ::"r"(PRIORITIES), "r"((uint32_t)A) : "x9", "memory");
    }
    if (!(dczid >> 4 & 1))
        TRAPS("dc zva", "dc zva, %0" ::"r"(PRIORITIES) : "memory");
    trapped = 99;
    __asm__ volatile("dc civac, %0\n\tdc cvac, %0\n\tdc ivac, %0" ::"r"(PRIORITIES) : "memory");
    check("dc by address: nothing", trapped, 99);
    wanted = false;
    check("what was refused wrote nothing", r32(PRIORITIES), (uint32_t)A);
}

static uint64_t smc(uint64_t function, uint64_t x)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = x;

    __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1)::"x2", "x3", "memory");
    return x0;
}

/* On a busy host another vCPU takes its time. */
static uint64_t soon(void)
{
    return now() + 100 * sys_read(cntfrq_el0);
}

/* docs/hypercalls.md */
static void own_calls(void)
{
    register uint64_t x0 __asm__("x0") = 0x8600ff01;
    register uint64_t x1 __asm__("x1") = 0;
    register uint64_t x2 __asm__("x2") = 0;
    register uint64_t x3 __asm__("x3") = 0;

    __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    const uint64_t uid[4] = {x0, x1, x2, x3};

    check("uid 0", (uint32_t)uid[0], 0x805a1dc3);
    check("uid 1", (uint32_t)uid[1], 0x0b4f427e);
    check("uid 2", (uint32_t)uid[2], 0x942a6d9b);
    check("uid 3", (uint32_t)uid[3], 0x57e0c8f1);
    check("version of our calls", (uint32_t)hvc(0x86000000, 0, 0, 0), 0x10001);
    check("features of our calls", hvc(0x86000001, 0, 0, 0), 1);
    check("yield", hvc(CARBOVISOR_YIELD, 0, 0, 0), 0);
    check("revision", (uint32_t)hvc(0x8600ff03, 0, 0, 0), 1);
    check("none of ours", (uint32_t)hvc(0x86000003, 1, 2, 3), 0xffffffff);
}

static void calls(void)
{
    uint64_t end;

    check("hvc", hvc(PSCI_VERSION, 0, 0, 0), 0x10001);
    check("smc", smc(PSCI_VERSION, 0), 0x10001);
    check("unknown call", (uint32_t)hvc(0x84001234, 1, 2, 3), 0xffffffff);
    own_calls();
    check("features", hvc(0x8400000a, PSCI_CPU_ON, 0, 0), 0);
    check("features of a call that is not there", (uint32_t)hvc(0x8400000a, 0xc400000e, 0, 0), (uint32_t)-1);
    check("reset of a type", (uint32_t)hvc(0xc4000012, 1, 0, 0), (uint32_t)-2);
    check("smccc", hvc(0x80000000, 0, 0, 0), 0x10002);
    check("arch features", hvc(0x80000001, 0x80000001, 0, 0), 0);
    /* QEMU's firmware says nothing of them. */
    check("arch features of a workaround", (uint32_t)smc(0x80000001, 0x80008000), (uint32_t)-1);
    check("of the second, by hvc", (uint32_t)hvc(0x80000001, 0x80007fff, 0, 0), (uint32_t)-1);
    check("of the third, by hvc", (uint32_t)hvc(0x80000001, 0x80003fff, 0, 0), (uint32_t)-1);
    check("a workaround that is not there", hvc(0x80008000, 0, 0, 0), 0x80008000);
    check("affinity info of one that is off", hvc(0xc4000004, 1, 0, 0), 1);
    check("cpu on", hvc(PSCI_CPU_ON, 1, (uint64_t)guest_secondary, 4711), 0);
    for (end = soon(); echo != 4711 && now() < end;)
        ;
    check("its context", echo, 4711);
    for (end = soon(); hvc(0xc4000004, 1, 0, 0) != 1 && now() < end;)
        ;
    check("cpu off", hvc(0xc4000004, 1, 0, 0), 1);
    check("cpu on nowhere", (uint32_t)hvc(PSCI_CPU_ON, 7, 0, 0), (uint32_t)-2);
}

/* Two vCPUs, on one CPU maybe, wait for each other. */
static void turns(void)
{
    hvc(PSCI_CPU_ON, 1, (uint64_t)guest_secondary, TURNS_CONTEXT);
    for (unsigned i = 0; i < TURNS; i++) {
        give_turn(1);
        wait_turn(0);
    }
    while (echo != TURNS_CONTEXT)
        __asm__ volatile("wfe");
    check("turns by WFE", turn, 0);
    while (hvc(0xc4000004, 1, 0, 0) != 1)
        ;
}

/* Where ID_AA64ISAR1_EL1 has it, a signature is one: it comes off, and a changed one does not. */
static uint64_t check_pauth(void)
{
    uint64_t isar1 = sys_read(id_aa64isar1_el1), p = (uint64_t)guest_off, q = p;

    if (!(isar1 & 0xff0))
        return 0;
    sys_write(S3_0_C2_C1_0, 0x0123456789abcdef); /* APIAKeyLo_EL1 */
    sys_write(S3_0_C2_C1_1, 0xfedcba9876543210);
    sys_write(sctlr_el1, sys_read(sctlr_el1) | 1u << 31); /* EnIA */
    __asm__ volatile(".arch_extension pauth\n\tpacia %0, %1" : "+r"(q) : "r"(UINT64_C(0x1234)));
    if (q == p)
        return 1; /* by chance once in thousands; the keys are fixed */
    hvc(PSCI_VERSION, 0, 0, 0);
    __asm__ volatile(".arch_extension pauth\n\tautia %0, %1" : "+r"(q) : "r"(UINT64_C(0x1234)));
    sys_write(sctlr_el1, sys_read(sctlr_el1) & ~(UINT64_C(1) << 31));
    return q == p ? 0 : 2;
}

/* SVE, SME and MTE are hidden; what is not there is undefined. */
static void registers(void)
{
    uint64_t pfr0 = sys_read(id_aa64pfr0_el1), pfr1 = sys_read(id_aa64pfr1_el1), v, physical;

    check("no SVE", pfr0 >> 32 & 0xf, 0);
    check("no MTE, no SME", pfr1 >> 8 & 0xf000f, 0);
    check("EL2 and EL3 are not there", pfr0 >> 8 & 0xff, 0);
    check("mpidr", sys_read(mpidr_el1) & 0xff00ffffff, 0);
    check("pointer authentication is the host's, or hidden", check_pauth(), 0);
    wanted = true;
    /* With SVE's and SME's traps to EL1 open, which are the first to be asked (D1.3.6). */
    sys_write(cpacr_el1, 3 << 24 | 3 << 20 | 3 << 16);
    trapped = 99;
    __asm__ volatile("mrs x9, S3_0_C1_C2_0" ::: "x9"); /* ZCR_EL1 */
    check("zcr_el1 is undefined", trapped, 0);
    trapped = 99;
    __asm__ volatile(".inst 0x0420e3e0" ::: "x0"); /* CNTB x0 */
    check("SVE is undefined", trapped, 0);
    trapped = 99;
    __asm__ volatile(".inst 0xd503477f"); /* SMSTART */
    check("SME is undefined", trapped, 0);
    trapped = 99;
    __asm__ volatile("mrs x9, S3_0_C1_C0_6" ::: "x9"); /* GCR_EL1 */
    check("MTE is undefined", trapped, 0);
    sys_write(cpacr_el1, 3 << 20);
    trapped = 99;
    __asm__ volatile("mrs x9, S3_0_C15_C0_0" ::: "x9");
    check("implementation defined is undefined", trapped, 0);
    trapped = 99;
    (void)r32(0x08fff000);
    check("nothing there: abort", trapped, 0x25);
    wanted = false;
    sys_write(cntp_cval_el0, 12345);
    check("physical timer", sys_read(cntp_cval_el0), 12345);
    v = sys_read(cntvct_el0);
    physical = sys_read(cntpct_el0);
    check("counters agree", physical + 1000 >= v && physical <= sys_read(cntvct_el0) + 1000, 1);
    sys_write(mdscr_el1, 1 << 12);
    check("debug register", sys_read(mdscr_el1) >> 12 & 1, 1);
    sys_write(mdscr_el1, 0);
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    (void)ticks;
    calls();
    turns();
    registers();
    plain();
    pairs();
    writeback();
    vectors();
    more_pairs();
    more_singles();
    structures_store();
    structures_load();
    ordered();
    refused();
    overflow();
    its();
    put("forms end\n");
}
