/* Stores, jumps, calls and returns: what tables of operands cannot show (RV64I, 2.5, 2.6). */
#include "vm.h"

#define BUF (SCRATCH + 0x10000)

static void expect_bytes(const char *what, u64 base, u64 at, u64 v, u64 n)
{
    for (u64 i = 0; i < 40; i++) {
        u64 a = base + i;
        u8 want = a >= at && a < at + n ? (u8)(v >> 8 * (a - at)) : 0xa5;
        check(what, peek8(a), want);
    }
}

#define STORE_CASE(op, n, imm)                                                                               \
    for (u64 o = 8; o < 24; o++)                                                                             \
        for (u64 page = 0; page < 2; page++) {                                                               \
            u64 base = BUF + (page ? PAGE - 16 : 0), at = base + o;                                          \
            for (u64 i = 0; i < 40; i++)                                                                     \
                poke8(base + i, 0xa5);                                                                       \
            asm volatile(op " %0, " #imm "(%1)" ::"r"(v), "r"(at - (imm)) : "memory");                       \
            expect_bytes(op " " #imm, base, at, v, n);                                                       \
        }

static void stores(void)
{
    u64 v = 0x8899aabbccddeeff;

    section("store sizes, offsets, alignments");
    STORE_CASE("sb", 1, 0)
    STORE_CASE("sh", 2, 2047)
    STORE_CASE("sw", 4, -2048)
    STORE_CASE("sd", 8, 0)
    STORE_CASE("sd", 8, -8)
    STORE_CASE("sh", 2, -1)
    STORE_CASE("sw", 4, 5)
    STORE_CASE("sb", 1, -2048)
}

static void forwarding(void)
{
    u64 a = BUF + 64, r;

    section("load after store, overlapping sizes");
    for (int i = 0; i < 300; i++) {
        poke64(a, 0x1111111111111111UL * (u64)(i % 15));
        asm volatile("sd %1, 0(%2)\n sb %3, 2(%2)\n sh %3, 5(%2)\n ld %0, 0(%2)"
                     : "=&r"(r)
                     : "r"(0x0123456789abcdefUL), "r"(a), "r"(0xfff7UL)
                     : "memory");
        check("bytes in words", r, 0x01fff76789f7cdefUL);
        asm volatile("sw %1, 4(%2)\n lh %0, 3(%2)\n lwu %0, 2(%2)"
                     : "=&r"(r)
                     : "r"(0x80c0f0ffUL), "r"(a)
                     : "memory");
        check("word across", r, 0xf0ff89f7UL);
        asm volatile("ld zero, 0(%1)\n mv %0, zero" : "=r"(r) : "r"(a));
        check("x0 stays zero", r, 0);
    }
}

#define JUMP_BODY(s)                                                                                         \
    asm volatile(".option push\n .option norvc\n" s "\n.option pop" : "=&r"(r), "=&r"(t) : : "ra", "t1")

static void jumps(void)
{
    u64 r, t;

    section("jal, jalr, link values");
    for (int i = 0; i < 200; i++) {
        JUMP_BODY("jal %0, 1f\n 2: nop\n 1: la %1, 2b\n sub %0, %0, %1");
        check("jal link", r, 0);
        JUMP_BODY("la %1, 1f\n jalr %0, 0(%1)\n 2: li %0, 7\n j 3f\n 1: la %1, 2b\n sub %0, %0, %1\n 3:");
        check("jalr link", r, 0);
        JUMP_BODY("la %0, 1f\n jalr %0, 0(%0)\n 2: li %0, 7\n j 3f\n 1: la %1, 2b\n sub %0, %0, %1\n 3:");
        check("jalr rd = rs1", r, 0);
        JUMP_BODY(
            "la %1, 1f\n addi %1, %1, 1\n jalr %0, 0(%1)\n 2: li %0, 7\n 1: la %1, 2b\n sub %0, %0, %1");
        check("jalr clears bit 0", r, 0);
        JUMP_BODY("la %1, 1f\n addi %1, %1, -2047\n jalr %0, 2047(%1)\n 2: li %0, 7\n 1: la %1, 2b\n sub %0, "
                  "%0, %1");
        check("jalr offset", r, 0);
        JUMP_BODY("la %1, 1f\n addi %1, %1, 2044\n jalr %0, -2044(%1)\n 2: li %0, 7\n 1: la %1, 2b\n sub %0, "
                  "%0, %1");
        check("jalr negative offset", r, 0);
        JUMP_BODY("li %0, 3\n j 1f\n .skip 262144\n 1: addi %0, %0, 1\n mv %1, %0");
        check("far jal", t, 4);
    }
}

static u64 depth_sum(u64 n);
static u64 (*volatile depth_fn)(u64) = depth_sum;

static __attribute__((noinline)) u64 depth_sum(u64 n)
{
    return n == 0 ? 0 : n + depth_fn(n - 1);
}

#define SMALL(n)                                                                                             \
    static __attribute__((noinline)) u64 small_##n(u64 x)                                                    \
    {                                                                                                        \
        return x * (n + 3) + n;                                                                              \
    }
SMALL(0)
SMALL(1)
SMALL(2)
SMALL(3)
SMALL(4)
SMALL(5)
SMALL(6)
SMALL(7)
static u64 (*volatile table[8])(u64) = {small_0, small_1, small_2, small_3,
                                        small_4, small_5, small_6, small_7};

static void calls(void)
{
    u64 s = 88172645463325252UL;

    section("recursion, indirect calls, unmatched returns");
    for (u64 n = 0; n < 64; n++)
        check("recursion", depth_fn(n), n * (n + 1) / 2);
    for (int i = 0; i < 4000; i++) {
        u64 k = rnd(&s) & 7, x = s >> 40;
        check("indirect", table[k](x), x * (k + 3) + k);
    }
    for (int i = 0; i < 300; i++) {
        u64 r, t;
        /* two calls, one return past both: a return predictor is wrong here */
        JUMP_BODY("li %0, 0\n jal ra, 1f\n addi %0, %0, 100\n j 3f\n 1: mv t1, ra\n jal ra, 2f\n addi %0, "
                  "%0, 50\n j 3f\n"
                  "2: addi %0, %0, 1\n mv ra, t1\n ret\n 3: mv %1, %0");
        check("return past two calls", t, 101);
    }
}

/* Every fence encoding that is defined or reserved executes, the latter as a normal fence (2.7). */
static void fences(void)
{
    section("fence encodings, hints");
    static const u32 insns[] = {0x0ff0000f, 0x0000000f, 0x8330000f, 0x0100000f,
                                0x0330000f, 0x0820000f, 0x0fff800f};
    for (u64 i = 0; i < COUNT(insns); i++)
        check_return("fence", run(MODE_M, code_one(insns[i]), 5, 0), 5);
    /* HINTs: results to x0; prefetch.{i,r,w} are ori x0 (Zicbop) */
    static const u32 hints[] = {0x00000033, 0x00a06013, 0x02056013, 0x01f01013, 0x40505013, 0x00002013};
    for (u64 i = 0; i < COUNT(hints); i++)
        check_return("hint", run(MODE_M, code_one(hints[i]), 5, 0), 5);
    for (u64 n = 0; n < 16; n++) /* reserved fm or sets: treated as a fence */
        check_return("fence fm", run(MODE_M, code_one((u32)(n << 28 | 0x0ff0000f)), 5, 0), 5);
}

/* Encodings that the manual defines as illegal, or that no listed extension assigns. */
static void illegal(void)
{
    static const u32 insns[] = {
        0x00000000,
        0xffffffff, /* defined illegal, all lengths (1.5) */
        0x0000707f,
        0x00007003 /* ld-like funct3 7 */,
        0x00007023,
        0x00002063 /* branch funct3 2 */,
        0x00001067 /* jalr funct3 1 */,
        0x04000033 /* OP funct7 2 */,
        0x0200101b | 32 << 20, /* slliw shamt 32 */
        0x80001013 /* slli with high bits */,
        0x1000302f | 1 << 20,
        /* lr.d with rs2 */ 0x0000102f, /* amo.h: no Zabha */
        0xb800302f,                     /* unassigned amo funct5 */
        0x0000000b,
        0x0000002b,
        0x0000005b,
        0x0000007b, /* custom */
        0x00004073 /* SYSTEM funct3 4 */,
        0x30200173 /* mret with rd */,
        0x10500173 /* wfi with rd */,
        0x06000053 /* fp funct7 of fmt q */,
        0x5b000053, /* fsqrt slot with rs2 */
    };
    section("illegal encodings");
    for (u64 i = 0; i < COUNT(insns); i++) {
        void *f = code_one(insns[i]);
        struct trap t = run(MODE_M, f, 0, 0);
        check("cause", t.by ? t.cause : ~0UL, C_ILLEGAL);
        check("epc", t.epc, (u64)f);
        check_true("tval is 0 or the instruction",
                   t.tval == 0 || t.tval == insns[i] ||
                       ((insns[i] & 3) != 3 && t.tval == (insns[i] & 0xffff)));
        if (t.cause != C_ILLEGAL || !t.by)
            note("encoding", insns[i]);
    }
    static const u16 c[] = {0x0000,
                            0x8002 /* c.jr x0 */,
                            0x2001 | 0 << 7 /* c.addiw x0 */,
                            0x4002 /* c.lwsp x0 */,
                            0x6002 /* c.ldsp x0 */,
                            0x6001 | 1 << 7 /* c.lui imm 0 */,
                            0x6101 /* c.addi16sp 0 */,
                            0x9c41 /* c.subw slot, reserved */,
                            0x9c61,
                            0x0004 /* c.addi4spn 0 */};
    for (u64 i = 0; i < COUNT(c); i++) {
        void *f = code_one(0x80820000u | c[i]);
        struct trap t = run(MODE_M, f, 0, 0);
        check("compressed cause", t.by ? t.cause : ~0UL, C_ILLEGAL);
        if (t.cause != C_ILLEGAL || !t.by)
            note("compressed encoding", c[i]);
    }
}

void test_main(void)
{
    stores();
    forwarding();
    jumps();
    calls();
    fences();
    illegal();
}
