/* The suite's assembler for arm64 at EL1, translation off: encodings of the Arm ARM (DDI 0487), chapter C6.
 */
#include "code.h"
#include "guest/arm64/guest.h"
#include "rig.h"

/* X9 holds the handler; X7 and X8 are for the time of a few instructions. */
enum { X7 = 7, X8 = 8, X9 = 9, X10 = 10 };
/* Behind what the tests use: vectors, that all lead to X9. */
#define VECTORS (RIG_RAM + RIG_SIZE - 0x1000)

static unsigned x(unsigned reg)
{
    return X10 + reg;
}

static void put(struct code *c, uint32_t insn)
{
    code_put(c, &insn, sizeof(insn));
}

static void set_x(struct code *c, unsigned rd, uint64_t value)
{
    put(c, 0xd2800000 | (uint32_t)(value & 0xffff) << 5 | rd); /* movz */
    for (unsigned k = 1; k < 4; k++) {
        if (value >> 16 * k & 0xffff)
            put(c, 0xf2800000 | k << 21 | (uint32_t)(value >> 16 * k & 0xffff) << 5 | rd); /* movk */
    }
}

static void set(struct code *c, unsigned rd, uint64_t value)
{
    set_x(c, x(rd), value);
}

/* Loads and stores with a scaled offset, or else an unscaled one. */
static void access(struct code *c, unsigned size, uint32_t load, unsigned rt, unsigned rn, int disp)
{
    uint32_t log = (uint32_t)__builtin_ctz(size), d = (uint32_t)disp;

    if (disp >= 0 && disp % (int)size == 0)
        put(c, log << 30 | 0x39000000 | load << 22 | (d >> log) << 10 | rn << 5 | rt);
    else
        put(c, log << 30 | 0x38000000 | load << 22 | (d & 511) << 12 | rn << 5 | rt);
}

static void load(struct code *c, unsigned size, unsigned rd, unsigned base, int disp)
{
    access(c, size, 1, x(rd), x(base), disp);
}

static void store(struct code *c, unsigned size, unsigned rd, unsigned base, int disp)
{
    access(c, size, 0, x(rd), x(base), disp);
}

static void fence(struct code *c)
{
    put(c, 0xd5033b9f); /* dsb ish */
    put(c, 0xd508751f); /* ic iallu */
    put(c, 0xd5033b9f);
    put(c, 0xd5033fdf); /* isb */
}

/* D1.3.1: at EL1 with its own stack pointer exceptions go to +0x200, IRQs to +0x280. */
static void vector(struct code *c, unsigned reg)
{
    set_x(c, X8, VECTORS);
    set_x(c, X7, 0xd61f0000 | X9 << 5); /* br x9 */
    access(c, 4, 0, X7, X8, 0x200);
    access(c, 4, 0, X7, X8, 0x280);
    put(c, 0xaa0003e0 | x(reg) << 16 | X9); /* mov x9, reg */
    put(c, 0xd518c000 | X8);                /* msr vbar_el1, x8 */
    fence(c);
}

static void irq_on(struct code *c)
{
    put(c, 0xd50342ff); /* msr daifclr, #2 */
}

static void irq_return(struct code *c)
{
    put(c, 0xd69f03e0); /* eret */
}

static void add(struct code *c, unsigned rd, unsigned rs, int imm)
{
    uint32_t op = imm < 0 ? 0xd1000000 : 0x91000000;

    put(c, op | (uint32_t)(imm < 0 ? -imm : imm) << 10 | x(rs) << 5 | x(rd));
}

static void sum(struct code *c, unsigned rd, unsigned rs)
{
    put(c, 0x8b000000 | x(rs) << 16 | x(rd) << 5 | x(rd));
}

static void jump(struct code *c, size_t target)
{
    put(c, 0x14000000 | ((uint32_t)(target - c->at) >> 2 & 0x3ffffff));
}

static void jump_if(struct code *c, unsigned reg, size_t target)
{
    put(c, 0xb5000000 | ((uint32_t)(target - c->at) >> 2 & 0x7ffff) << 5 | x(reg)); /* cbnz */
}

static void jump_reg(struct code *c, unsigned reg)
{
    put(c, 0xd61f0000 | x(reg) << 5);
}

static void halt(struct code *c)
{
    put(c, 0xd503207f); /* wfi */
}

static void illegal(struct code *c)
{
    put(c, 0); /* udf #0 */
}

const struct code_isa code_arm64 = {
    .guest = &guest_arm64,
    .cpu = "max",
    .inject_kind = ARM64_INJECT_INTERRUPT,
    .clear_kind = ARM64_INJECT_CLEAR,
    .inject_number = ARM64_INPUT_IRQ,
    .reg = {"x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17"},
    .vector = vector,
    .irq_on = irq_on,
    .irq_return = irq_return,
    .set = set,
    .add = add,
    .sum = sum,
    .load = load,
    .store = store,
    .jump = jump,
    .jump_if = jump_if,
    .jump_reg = jump_reg,
    .halt = halt,
    .fence = fence,
    .illegal = illegal,
};
