/* Cache-block operations: Zicboz, Zicbom, Zicbop (CMO chapters), their enables in menvcfg and senvcfg
 * (3.1.18, 10.1.10). */
#include "vm.h"

#define CBO(n)    ((u32)(n) << 20 | 10 << 15 | 2 << 12 | 0x0f) /* inval 0, clean 1, flush 2, zero 4, on (a0) */
#define BUF       (SCRATCH + 0x60000)
#define ENV_CBIE  (3UL << 4)
#define ENV_CBCFE (1UL << 6)
#define ENV_CBZE  (1UL << 7)

static u64 block;

static void fill(void)
{
    for (u64 i = 0; i < 2 * PAGE; i++)
        poke8(BUF + i, 0xff);
}

static u64 zero_run(u64 *first)
{
    u64 n = 0;

    *first = ~0UL;
    for (u64 i = 0; i < 2 * PAGE; i++)
        if (peek8(BUF + i) == 0) {
            if (!n++)
                *first = i;
        } else if (n) {
            break;
        }
    return n;
}

static void zero(void)
{
    u64 first;

    section("cbo.zero");
    fill();
    struct trap t = run(MODE_M, code_one(CBO(4)), BUF + 1024, 0);
    if (!need("cbo.zero", t.by == 0))
        return;
    block = zero_run(&first);
    check("block start", first, 1024);
    check_true("block is a power of two", block >= 4 && !(block & (block - 1)));
    for (u64 i = 0; i < block * 3; i += block / 4 - 1) {
        fill();
        run(MODE_M, code_one(CBO(4)), BUF + PAGE - block + i, 0);
        check("length", zero_run(&first), block);
        check("aligned down", first, (PAGE - block + i) & ~(block - 1));
    }
}

static void clean(void)
{
    section("cbo.clean, flush, inval keep coherent memory");
    struct trap t = run(MODE_M, code_one(CBO(1)), BUF, 0);
    if (!need("cbo.clean", t.by == 0))
        return;
    for (u32 k = 0; k < 3; k++)
        for (u64 o = 0; o < 300; o += 37) {
            poke64(BUF + 512, 0x1234567890abcdef + o);
            check("returns", run(MODE_M, code_one(CBO(k)), BUF + 512 + o % 8, 0).by, 0);
            check("data", peek64(BUF + 512), 0x1234567890abcdef + o);
        }
}

/* Enables for less privileged modes: clear means illegal instruction. */
static void enables(void)
{
    static const struct {
        u32 op;
        u64 bits;
    } ops[] = {{0, ENV_CBIE}, {1, ENV_CBCFE}, {2, ENV_CBCFE}, {4, ENV_CBZE}};

    section("menvcfg and senvcfg enables");
    if (!need("cbo.zero and cbo.clean", block && run(MODE_M, code_one(CBO(1)), BUF, 0).by == 0))
        return;
    for (u64 i = 0; i < COUNT(ops); i++)
        for (u64 m = 0; m < 2; m++)
            for (u64 s = 0; s < 2; s++) {
                void *f = code_one(CBO(ops[i].op));
                csr_write("menvcfg", m ? ops[i].bits : 0);
                csr_write("senvcfg", s ? ops[i].bits : 0);
                struct trap t = run(MODE_S, f, BUF, 0);
                check("S", t.by ? t.cause : 0, m ? 0 : C_ILLEGAL);
                t = run(MODE_U, f, BUF, 0);
                check("U", t.by ? t.cause : 0, m && s ? 0 : C_ILLEGAL);
                check("M", run(MODE_M, f, BUF, 0).by, 0);
            }
    csr_write("menvcfg", ENV_CBIE | ENV_CBCFE | ENV_CBZE);
    csr_write("senvcfg", ENV_CBIE | ENV_CBCFE | ENV_CBZE);
}

/* Faults: zero is a store; the others fault where neither load nor store is allowed, as stores (CMO, 3.5). */
static void faults(void)
{
    section("cbo page faults");
    if (!need("cbo.zero and cbo.clean", block && run(MODE_M, code_one(CBO(1)), BUF, 0).by == 0))
        return;
    vm_new(3);
    vm_map(TVA, BUF, 0, PTE_V | PTE_R | PTE_AD);
    vm_map(TVA + PAGE, BUF, 0, PTE_V | PTE_R | PTE_W | PTE_AD);
    vm_map(TVA + 2 * PAGE, 0, 0, 0);
    vm_on();
    void *f = code_one(CBO(4));
    u64 at = TVA + 2 * PAGE + 100;
    struct trap t = run(MODE_S, f, at, 0);
    check("zero unmapped cause", t.by ? t.cause : 0, C_STORE_PAGE);
    check_true("zero unmapped tval in the block", t.tval >= (at & ~(block - 1)) && t.tval <= at);
    check("zero read-only", run(MODE_S, f, TVA, 0).cause, C_STORE_PAGE);
    check("zero writable", run(MODE_S, f, TVA + PAGE, 0).by, 0);
    check("zeroed", peek64(BUF), 0);
    for (u32 k = 1; k < 3; k++) {
        f = code_one(CBO(k));
        check("clean read-only", run(MODE_S, f, TVA, 0).by, 0);
        check("clean unmapped", run(MODE_S, f, at, 0).cause, C_STORE_PAGE);
    }
    vm_off();
}

/* Code zeroed by a block operation must not run from an old copy. */
static void code(void)
{
    u64 at = BUF + 2 * PAGE;

    section("cbo.zero over code");
    if (!need("cbo.zero", block))
        return;
    for (int i = 0; i < 20; i++) {
        poke32(at, INSN_LI_A0(7));
        poke32(at + 4, INSN_RET);
        fence_i();
        for (int k = 0; k < 200; k++)
            check_return("code", run(MODE_M, (void *)at, 0, 0), 7);
        check("zero", run(MODE_M, code_one(CBO(4)), at, 0).by, 0);
        struct trap t = run(MODE_M, (void *)at, 0, 0);
        check("zeroed code is illegal", t.by ? t.cause : 0, C_ILLEGAL);
    }
}

void test_main(void)
{
    zero();
    clean();
    enables();
    faults();
    code();
}
