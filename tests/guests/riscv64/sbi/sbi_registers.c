/*
 * Calls of the SBI from code that runs often, with every register in use: all arguments reach the firmware,
 * both results come back, and everything else is as it was (SBI 2.0, chapter 3).
 */
#include "sbi.h"

#define SBI_BASE 0x10UL
#define ROUNDS   4000

enum { RA = 1, SP, GP, TP, A0 = 10, A1, A2, A6 = 16, A7 };

/* x[n] of each, but for x0. */
struct registers {
    u64 x[32];
};

/* Loads all registers, calls, and stores all of them. */
void call_with(struct registers *r);
asm(".text\n"
    ".macro each op, base\n"
    ".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, "
    "27, 28, "
    "29, 30\n"
    "\\op x\\n, 8 * \\n(\\base)\n"
    ".endr\n"
    ".endm\n"
    ".globl call_with\n"
    "call_with: addi sp, sp, -256\n"
    "each sd, sp\n"
    "la t0, 9f\n"
    "sd sp, (t0)\n"
    "mv t6, a0\n"
    "each ld, t6\n"
    "csrw sscratch, t6\n"
    "ld t6, 248(t6)\n"
    "ecall\n"
    "csrrw t6, sscratch, t6\n"
    "each sd, t6\n"
    "csrr t0, sscratch\n"
    "sd t0, 248(t6)\n"
    "la t0, 9f\n"
    "ld sp, (t0)\n"
    "each ld, sp\n"
    "addi sp, sp, 256\n"
    "ret\n"
    ".data\n.balign 8\n"
    "9: .dword 0\n"
    ".text\n");

void sbi_job(u64 hart)
{
    (void)hart;
}

static const struct call {
    u64 ext, fid, a0, a1;
    s64 error;
    u64 value; /* ~0: any */
} calls[] = {
    {SBI_BASE, 0, 9, 9, 0, ~0UL},   {SBI_BASE, 3, SBI_HSM, 1, 0, 1}, {SBI_BASE, 3, SBI_RFENCE, 2, 0, 1},
    {SBI_BASE, 3, 0x7777, 3, 0, 0}, {SBI_BASE, 99, 1, 1, -2, 0},     {SBI_HSM, 2, 0, 8, 0, 0},
    {SBI_HSM, 2, 77, 8, -3, 0},     {SBI_RFENCE, 1, 1, 64, -3, 0},   {SBI_RFENCE, 0, 1, 0, 0, ~0UL},
    {0x7777777, 0, 5, 6, -2, 0},    {SBI_HSM, 99, 0, 0, -2, 0},
};

static void one(const struct call *c, u64 round)
{
    struct registers r;
    u64 first = round * 0x9e3779b97f4a7c15UL + 1, seed = first;

    for (u64 i = 1; i < 32; i++)
        r.x[i] = rnd(&seed);
    r.x[A0] = c->a0;
    r.x[A1] = c->a1;
    r.x[A6] = c->fid;
    r.x[A7] = c->ext;
    call_with(&r);
    seed = first;
    if (!check("error", r.x[A0], (u64)c->error) || (~c->value && !check("value", r.x[A1], c->value)))
        note("call", (u64)(c - calls));
    for (u64 i = 1; i < 32; i++) {
        u64 was = rnd(&seed);

        if (i == A0 || i == A1 || i == A6 || i == A7)
            continue;
        if (!check("register", r.x[i], was))
            note("number", i);
    }
    check("a6", r.x[A6], c->fid);
    check("a7", r.x[A7], c->ext);
}

void sbi_test(void)
{
    u64 seed = 5;

    section("SBI calls, all registers in use");
    csr_write("sie", 0);
    for (u64 round = 0; round < ROUNDS; round++)
        one(&calls[rnd(&seed) % COUNT(calls)], round);
}
