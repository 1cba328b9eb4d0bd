/* FP registers that code sets which hardly ever runs, and code stores which always runs: whoever executes the
 * one and the other, it is the same register. */
#include "harness.h"

#define SETTERS 1000
#define ROUNDS  3000

/* fa0 = a0, fs0 = a1, ft11 = a0: each of them runs three times. */
extern char setters[];
/* Reads a CSR, goes on in other pages, and stores the three at a0. */
void store_far(u64 *to);
/* The same without FP registers in between; then loads and adds, which leaves them in use. */
void store_after(u64 *to);

asm(".text\n.balign 4096\n.option push\n.option norvc\n.option arch, +d\n"
    ".globl setters\n"
    "setters: .rept 1000\n"
    "fmv.d.x fa0, a0\n"
    "fmv.d.x fs0, a1\n"
    "fmv.d.x ft11, a0\n"
    "ret\n"
    ".endr\n"
    ".balign 4096\n"
    ".globl store_far\n"
    "store_far: csrr t0, mscratch\n"
    "j 1f\n"
    ".globl store_after\n"
    "store_after: li t0, 20\n"
    "2: addi t0, t0, -1\n"
    "bnez t0, 2b\n"
    "j 3f\n"
    ".balign 4096\n"
    "1: fsd fa0, 0(a0)\n"
    "fsd fs0, 8(a0)\n"
    "fsd ft11, 16(a0)\n"
    "ret\n"
    ".balign 4096\n"
    "3: fsd fa0, 0(a0)\n"
    "fsd fs0, 8(a0)\n"
    "fsd ft11, 16(a0)\n"
    "j 4f\n"
    ".balign 4096\n"
    "4: fld fa0, 0(a0)\n"
    "fadd.d fs0, fa0, fs0\n"
    "ret\n"
    ".option pop\n");

static void rounds(void (*store)(u64 *), const char *name)
{
    u64 to[3], seed = 9;

    section(name);
    for (u64 round = 0; round < ROUNDS; round++) {
        u64 a = rnd(&seed), b = rnd(&seed);

        ((void (*)(u64, u64))(setters + round % SETTERS * 16))(a, b);
        store(to);
        check("fa0", to[0], a);
        check("fs0", to[1], b);
        check("ft11", to[2], a);
    }
}

void test_main(void)
{
    csr_set("mstatus", MS_FS);
    rounds(store_far, "stored behind a CSR access");
    rounds(store_after, "stored behind a loop of integers");
}
