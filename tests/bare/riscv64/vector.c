/*
 * Vector state that is this vCPU's alone: all of it is filled, others have the CPU for a while, and it is
 * read back. "vector N good" a round; "vector lost WHAT" is an error. SEED tells those beside each other
 * apart.
 */
#include "guest.h"

#ifndef SEED
#define SEED 1
#endif
#define REG_MAX 1024 /* bytes of a register that it has room for */

static volatile uint64_t cause;
static uint64_t seen[32 * REG_MAX / 8], put_in[32 * REG_MAX / 8];

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)stval;
    (void)at;
    cause = scause;
    return 4;
}

void guest_hart(uint64_t hart, uint64_t opaque)
{
    (void)hart;
    (void)opaque;
}

#define V(code) ".option push\n.option arch, +v\n" code "\n.option pop"
/* Groups of 8 registers from memory or there. */
#define GROUPS(op)                                                                                           \
    V("vsetvli t0, x0, e8, m8, ta, ma\n" op " v0, (%0)\nadd %0, %0, t0\n" op                                 \
      " v8, (%0)\nadd %0, %0, t0\n" op " v16, (%0)\nadd %0, %0, t0\n" op " v24, (%0)")

static uint64_t vlenb(void)
{
    uint64_t n;

    __asm__ volatile(V("csrr %0, vlenb") : "=r"(n));
    return n;
}

/* What a round sets beside the registers. */
struct control {
    uint64_t vl, vtype, vcsr, vstart, f;
};

static struct control fill(uint64_t round)
{
    static const uint64_t types[] = {0xc8, 0xd1, 0x58, 0x03,
                                     0xc7}; /* e16 m1, e32 m2, e64 m1, e8 m8, e8 mf2 */
    uint64_t n = 32 * vlenb() / 8, x = (round + 1) * 0x9e3779b97f4a7c15 * SEED;
    struct control c = {.vcsr = round % 8, .f = x | 1};
    const uint64_t *at = put_in;

    for (uint64_t i = 0; i < n; i++)
        put_in[i] = x += 0x0101010101010101 * (SEED + 2 * i);
    __asm__ volatile(GROUPS("vle8.v") : "+&r"(at)::"t0", "memory");
    __asm__ volatile(V("vsetvl %0, %1, %2") : "=r"(c.vl) : "r"(1 + round % 5), "r"(types[round % 5]));
    __asm__ volatile(V("csrr %0, vtype") : "=r"(c.vtype));
    c.vstart = round % 3 ? c.vl - 1 : 0;
    __asm__ volatile(V("csrw vcsr, %0\ncsrw vstart, %1")::"r"(c.vcsr), "r"(c.vstart));
    __asm__ volatile("fmv.d.x f17, %0" ::"r"(c.f));
    return c;
}

static bool same(const char *what, uint64_t is, uint64_t was)
{
    if (is == was)
        return true;
    put("vector lost ");
    put(what);
    put(", has ");
    put_number(is);
    put(" in place of ");
    put_number(was);
    put("\n");
    return false;
}

/* CSRs first: the stores change them. */
static bool check(const struct control *was)
{
    struct control c;
    uint64_t n = 32 * vlenb() / 8, *at = seen;
    bool good;

    __asm__ volatile(V("csrr %0, vstart\ncsrr %1, vl\ncsrr %2, vtype\ncsrr %3, vcsr")
                     : "=&r"(c.vstart), "=&r"(c.vl), "=&r"(c.vtype), "=&r"(c.vcsr));
    __asm__ volatile(GROUPS("vse8.v") : "+&r"(at)::"t0", "memory");
    __asm__ volatile("fmv.x.d %0, f17" : "=r"(c.f));
    good = same("vstart", c.vstart, was->vstart) & same("vl", c.vl, was->vl) &
           same("vtype", c.vtype, was->vtype);
    good &= same("vcsr", c.vcsr, was->vcsr) & same("f17", c.f, was->f);
    for (uint64_t i = 0; good && i < n; i++)
        good = same("a register", seen[i], put_in[i]);
    return good;
}

/* Others have the CPU: by a call that gives way, by a sleep, or by the scheduler's tick. */
static void wait(uint64_t round)
{
    uint64_t until = now() + 200000;

    if (round % 3 == 0) {
        for (unsigned i = 0; i < 5; i++)
            sbi(SBI_CARBOVISOR, 2, 0, 0, 0);
        return;
    }
    csr_write(sie, 1 << 5);
    csr_write(0x14d, until);
    if (round % 3 == 1)
        __asm__ volatile("wfi");
    while (now() < until)
        ;
    csr_write(0x14d, UINT64_MAX);
}

/* Registers that are as they were loaded, and a control register of theirs alone that is written. */
static bool control_alone(uint64_t round)
{
    uint64_t f, vcsr;

    __asm__ volatile("fmv.x.d %0, f17" : "=r"(f));
    csr_set(sstatus, 2 << 13 | 2 << 9);
    csr_clear(sstatus, 1 << 13 | 1 << 9); /* clean */
    csr_write(fcsr, round % 5 << 5 | round % 32);
    __asm__ volatile(V("csrw vcsr, %0")::"r"(7 - round % 8));
    wait(0);
    __asm__ volatile(V("csrr %0, vcsr") : "=r"(vcsr));
    return same("fcsr", csr_read(fcsr), round % 5 << 5 | round % 32) &
           same("vcsr alone", vcsr, 7 - round % 8);
}

static bool in_tree(const char *tree, const char *word)
{
    const uint8_t *size = (const uint8_t *)tree + 4; /* big endian */
    uint64_t n = (uint64_t)size[0] << 24 | (uint64_t)size[1] << 16 | (uint64_t)size[2] << 8 | size[3];

    for (uint64_t i = 0; i < n; i++) {
        uint64_t k = 0;

        while (word[k] && i + k < n && tree[i + k] == word[k])
            k++;
        if (!word[k])
            return true;
    }
    return false;
}

/* As the guest's kernel sees it: off is off, and what is used becomes dirty. */
static void states(void)
{
    csr_clear(sstatus, 3 << 9);
    cause = 0;
    __asm__ volatile(".4byte 0x0d007057"); /* vsetvli zero, zero, e8 */
    same("the exception while VS is off", cause, 2);
    csr_set(sstatus, 2 << 9); /* clean */
    __asm__ volatile(V("vsetvli t0, x0, e8, m1, ta, ma\nvmv.v.i v3, 5")::: "t0");
    same("VS", csr_read(sstatus) >> 9 & 3, 3);
    cause = 0;
    __asm__ volatile(".4byte 0xffffffff");
    same("an illegal instruction", cause, 2);
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)start;
    if (!in_tree((const char *)dtb, "rv64imafdcv"))
        put("vector lost its name in the device tree\n");
    csr_set(sstatus, 1 << 13);
    states();
    put("vector of ");
    put_number(vlenb());
    put(" bytes\n");
    for (uint64_t round = 0; vlenb() <= REG_MAX; round++) {
        struct control c = fill(round);

        wait(round);
        if (!check(&c) || !control_alone(round))
            guest_off();
        put("vector ");
        put_number(round);
        put(" good\n");
    }
    guest_off();
}
