/* Code that is rewritten: fence.i makes own stores visible to own fetches (chapter 6), to the byte. */
#include "vm.h"

#define CODE            (SCRATCH + 0x40000) /* four pages */
#define ADDI(rd, rs, n) ((u32)(n) << 20 | (rs) << 15 | (rd) << 7 | 0x13)
#define A0              10
#define CALL(a, x)      (((u64(*)(u64))(a))(x))

static u32 jal(u64 from, u64 to)
{
    u64 d = to - from;

    return (u32)((d >> 20 & 1) << 31 | (d >> 1 & 0x3ff) << 21 | (d >> 11 & 1) << 20 | (d >> 12 & 0xff) << 12 |
                 0x6f);
}

static void same_page(void)
{
    section("rewrite and call");
    for (u32 i = 0; i < 2000; i++) {
        poke32(CODE, ADDI(A0, A0, i & 1023));
        poke32(CODE + 4, INSN_RET);
        fence_i();
        check("called", CALL(CODE, 1000), 1000 + (i & 1023));
    }
    /* called often between rewrites, so that what was compiled is what is rewritten */
    for (u32 i = 0; i < 20; i++) {
        poke32(CODE, ADDI(A0, A0, i));
        fence_i();
        for (u32 k = 0; k < 2000; k++)
            if (!check("hot", CALL(CODE, k), k + i))
                return;
    }
}

/* A loop whose body stores over an instruction ahead of it, on its own page. */
asm(".pushsection .text\n .balign 4096\n .option push\n .option norvc\n .globl self_loop\n"
    "self_loop:\n" /* a0 count, a1 two instruction words; returns sum */
    " li a2, 0\n"
    " la t0, 3f\n"
    "1: andi t1, a0, 4\n"
    " add t1, t1, a1\n"
    " lw t2, 0(t1)\n"
    " sw t2, 0(t0)\n"
    " fence.i\n"
    "3: addi a2, a2, 1\n"
    " addi a0, a0, -1\n"
    " bnez a0, 1b\n"
    " mv a0, a2\n"
    " ret\n"
    ".option pop\n .balign 4096\n .popsection");
u64 self_loop(u64 n, const u32 *words);

static void own_loop(void)
{
    static const u32 words[2] = {ADDI(12, 12, 1), ADDI(12, 12, 100)};
    u64 want = 0;

    section("a loop that rewrites itself");
    for (u64 n = 4000; n; n--)
        want += n & 4 ? 100 : 1;
    check("sum", self_loop(4000, words), want);
    check("sum again", self_loop(7, words), 4 * 100 + 3);
}

static void other_page(void)
{
    u64 b = CODE + PAGE;

    section("rewrite a callee on another page");
    poke32(CODE, jal(CODE, b));
    poke32(b + 4, INSN_RET);
    for (u32 i = 0; i < 50; i++) {
        poke32(b, ADDI(A0, A0, i));
        fence_i();
        for (u32 k = 0; k < 100; k++)
            check("through a jump", CALL(CODE, k), k + i);
    }
    /* and the jump itself */
    for (u32 i = 0; i < 200; i++) {
        u64 to = b + 64 * (i & 15);
        poke32(to, ADDI(A0, A0, i));
        poke32(to + 4, INSN_RET);
        poke32(CODE, jal(CODE, to));
        fence_i();
        check("retargeted", CALL(CODE, 5), 5 + i);
    }
}

static void across(void)
{
    u64 at = CODE + 2 * PAGE - 2;

    section("an instruction across two pages");
    poke32(at - 4, ADDI(A0, A0, 0));
    for (u32 i = 0; i < 400; i++) {
        u32 w = ADDI(A0, A0, i * 5 & 1023);
        if (i & 1) { /* both halves */
            poke16(at, (u16)w);
            poke16(at + 2, (u16)(w >> 16));
            poke32(at + 4, INSN_RET);
        } else { /* only the half on the second page: the immediate */
            poke16(at + 2, (u16)(w >> 16));
        }
        if (!i)
            poke16(at, (u16)w), poke32(at + 4, INSN_RET);
        fence_i();
        for (u32 k = 0; k < 20; k++)
            check("value", CALL(at - 4, k), k + (i * 5 & 1023));
    }
    for (u32 i = 0; i < 100; i++) { /* only the half on the first page: addi to xori and back */
        u32 w = ADDI(A0, A0, 1) | (i & 1 ? 4u << 12 : 0);
        poke16(at, (u16)w);
        poke16(at + 2, (u16)(w >> 16));
        fence_i();
        check("first half", CALL(at - 4, 3), i & 1 ? 2 : 4);
    }
}

static void sizes(void)
{
    section("code written by bytes, atomics, sc, fp stores");
    poke32(CODE + 4, INSN_RET);
    for (u32 i = 0; i < 200; i++) {
        u32 w = ADDI(A0, A0, i);
        u64 d = (u64)INSN_RET << 32 | w, r;
        switch (i % 5) {
        case 0:
            for (int k = 0; k < 4; k++)
                poke8(CODE + (u64)k, (u8)(w >> 8 * k));
            break;
        case 1:
            asm volatile("amoswap.w %0, %1, (%2)" : "=r"(r) : "r"(w), "r"(CODE) : "memory");
            break;
        case 2:
            asm volatile("1: lr.d %0, (%2)\n sc.d %0, %1, (%2)\n bnez %0, 1b"
                         : "=&r"(r)
                         : "r"(d), "r"(CODE)
                         : "memory");
            break;
        case 3:
            asm volatile(
                ".option push\n .option arch, +f, +d\n fmv.d.x fa0, %0\n fsd fa0, 0(%1)\n .option pop" ::"r"(
                    d),
                "r"(CODE)
                : "memory");
            break;
        default: /* across into the code */
            poke64(CODE - 4, (u64)w << 32 | 0x13);
        }
        fence_i();
        for (u32 k = 0; k < 10; k++)
            check("value", CALL(CODE, k), k + i);
    }
}

/* Data beside hot code: stores must not disturb it, nor be lost. */
static void beside(void)
{
    section("data on a page of code");
    poke32(CODE, ADDI(A0, A0, 3));
    poke32(CODE + 4, INSN_RET);
    fence_i();
    for (u64 i = 0; i < 5000; i++) {
        poke64(CODE + 64 + 8 * (i & 63), i);
        check("code", CALL(CODE, i), i + 3);
        check("data", peek64(CODE + 64 + 8 * (i & 63)), i);
    }
}

/* Compressed and full instructions over one another. */
static void overlap(void)
{
    section("overlapping instructions");
    for (u32 i = 0; i < 300; i++) {
        /* at +0: addi whose upper half is c.addi a0, n; entered at +0 and at +2 */
        u16 c_addi = (u16)(0x0501 | (i & 31) << 2);
        poke16(CODE, (u16)ADDI(A0, A0, 0));
        poke16(CODE + 2, c_addi);
        poke32(CODE + 4, INSN_RET);
        fence_i();
        u64 imm = (u64)((s64)(s32)((u32)c_addi << 16) >> 20);
        u32 w = peek32(CODE);
        if ((w >> 15 & 31) == A0)
            check("full", CALL(CODE, 100), 100 + imm);
        u64 n = i & 31;
        check("compressed", CALL(CODE + 2, 100), 100 + (n > 31 ? n - 64 : n));
    }
}

void test_main(void)
{
    same_page();
    own_loop();
    other_page();
    across();
    sizes();
    beside();
    overlap();
}
