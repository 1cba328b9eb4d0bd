/*
 * Calls of firmware from code that runs often, with every register in use: arguments, results in x0 to x3,
 * and x4 to x30 as they were (SMC Calling Convention 1.2, 2.5 and 2.6; PSCI 1.1; TRNG 1.0).
 */
#include "harness.h"

#define ROUNDS 4000

struct registers {
    u64 x[31];
};

/* Loads x0 to x30, calls, and stores them. */
void call_hvc(struct registers *r);
void call_smc(struct registers *r);
#define EACH(op, base)                                                                                       \
#op " x2, x3, [" base ", #16]\n" #op " x4, x5, [" base ", #32]\n" #op " x6, x7, [" base ", #48]\n" #op   \
        " x8, x9, [" base ", #64]\n" #op " x10, x11, [" base ", #80]\n" #op " x12, x13, [" base              \
        ", #96]\n" #op " x14, x15, [" base ", #112]\n" #op " x16, x17, [" base ", #128]\n" #op               \
        " x18, x19, [" base ", #144]\n" #op " x20, x21, [" base ", #160]\n" #op " x22, x23, [" base          \
        ", #176]\n" #op " x24, x25, [" base ", #192]\n" #op " x26, x27, [" base ", #208]\n" #op              \
        " x28, x29, [" base ", #224]\n"
#define CALL(how)                                                                                            \
    __asm__(".text\n.globl call_" #how "\n"                                                                  \
            "call_" #how ": sub sp, sp, #272\n" EACH(                                                        \
                stp, "sp") "stp x30, x0, [sp, #240]\n"                                                       \
                           "mov x1, x0\n"                                                                    \
                           "ldr x30, [x1, #240]\n" EACH(                                                     \
                               ldp, "x1") "ldp x0, x1, [x1]\n" #how " #0\n"                                  \
                                          "str x1, [sp, #256]\n"                                             \
                                          "ldr x1, [sp, #248]\n"                                             \
                                          "str x30, [x1, #240]\n"                                            \
                                          "str x0, [x1]\n" EACH(stp, "x1") "ldr x0, [sp, #256]\n"            \
                                                                           "str x0, [x1, #8]\n" EACH(        \
                                                                               ldp,                          \
                                                                               "sp") "ldr x30, [sp, #240]\n" \
                                                                                     "add sp, sp, #272\n"    \
                                                                                     "ret\n")
CALL(hvc);
CALL(smc);

#define ANY (~0UL - 1)

static const struct call {
    u64 x0, x1, want;
} calls[] = {
    {0x84000000, 5, ANY},                                     /* PSCI_VERSION */
    {0x8400000a, 0x84000001, ANY},                            /* PSCI_FEATURES of CPU_SUSPEND */
    {0x8400000a, 0x84000777, ~0UL}, {0xc4000004, 0, 0},       /* AFFINITY_INFO: on */
    {0x80000000, 7, 0x10002},                                 /* SMCCC_VERSION */
    {0x84000777, 3, ~0UL},          {0x84000050, 0, 0x10000}, /* TRNG_VERSION */
    {0xc4000053, 192, 0},                                     /* TRNG_RND */
};

static u64 next(u64 *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static u64 wrong; /* how often, so that a report is short */

static void expect(const char *what, u64 got, u64 want)
{
    if (got != want && wrong++ < 5)
        check(what, got, want);
}

static void one(void (*call)(struct registers *r), const struct call *c, u64 round)
{
    struct registers r;
    u64 first = round * 0x9e3779b97f4a7c15UL + 1, seed = first;

    for (u64 i = 0; i < 31; i++)
        r.x[i] = next(&seed);
    r.x[0] = c->x0;
    r.x[1] = c->x1;
    r.x[2] = 0; /* AFFINITY_INFO: of a PE */
    call(&r);
    seed = first;
    expect("result is none of the arguments", r.x[0] == c->x0, 0);
    if (c->want != ANY)
        expect("result", (u32)c->want == c->want ? r.x[0] : (u64)(int)r.x[0], c->want);
    for (u64 i = 0; i < 31; i++) {
        u64 was = next(&seed);

        if (i > 3)
            expect("register", r.x[i], was);
        else if (i && c->x0 == 0xc4000053)
            expect("entropy that is not", r.x[i] == was, 0);
    }
}

static void all(void (*call)(struct registers *r))
{
    u64 seed = 5;

    wrong = 0;
    for (u64 round = 0; round < ROUNDS; round++)
        one(call, &calls[next(&seed) % (sizeof(calls) / sizeof(calls[0]))], round);
    check("registers that differ", wrong, 0);
}

void test_main(void)
{
    section("HVC, all registers in use");
    all(call_hvc);
    section("SMC, all registers in use");
    all(call_smc);
}
