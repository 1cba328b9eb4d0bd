/* The suite's assembler for riscv64, machine mode: encodings of RISC-V Unprivileged 20240411, chapter 34. */
#include "code.h"
#include "guest/riscv64/guest.h"

enum { X0 = 0, X5 = 5, X10 = 10, MSTATUS = 0x300, MIE = 0x304, MTVEC = 0x305, IRQ_M_EXTERNAL = 11 };

static unsigned x(unsigned reg)
{
    return X10 + reg;
}

static void put(struct code *c, uint32_t insn)
{
    code_put(c, &insn, sizeof(insn));
}

static void itype(struct code *c, unsigned opcode, unsigned funct3, unsigned rd, unsigned rs, int imm)
{
    put(c, opcode | rd << 7 | funct3 << 12 | rs << 15 | (uint32_t)imm << 20);
}

/* 64 bits in pieces of 11, so that no piece is negative. */
static void set_x(struct code *c, unsigned rd, uint64_t value)
{
    int shift = 55;

    while (shift && !(value >> shift))
        shift -= 11;
    itype(c, 0x13, 0, rd, X0, (int)(value >> shift & 0x7ff));
    for (shift -= 11; shift >= 0; shift -= 11) {
        itype(c, 0x13, 1, rd, rd, 11);                            /* slli */
        itype(c, 0x13, 6, rd, rd, (int)(value >> shift & 0x7ff)); /* ori */
    }
}

static void set(struct code *c, unsigned rd, uint64_t value)
{
    set_x(c, x(rd), value);
}

static void csrw(struct code *c, unsigned csr, unsigned rs)
{
    itype(c, 0x73, 1, X0, rs, (int)csr);
}

static void vector(struct code *c, unsigned reg)
{
    csrw(c, MTVEC, x(reg));
    set_x(c, X5, UINT64_C(1) << IRQ_M_EXTERNAL);
    csrw(c, MIE, X5);
}

static void irq_on(struct code *c)
{
    itype(c, 0x73, 6, X0, 8, MSTATUS); /* csrsi mstatus, MIE */
}

static void irq_return(struct code *c)
{
    put(c, 0x30200073);
}

static void add(struct code *c, unsigned rd, unsigned rs, int imm)
{
    itype(c, 0x13, 0, x(rd), x(rs), imm);
}

static void sum(struct code *c, unsigned rd, unsigned rs)
{
    put(c, 0x33 | x(rd) << 7 | x(rd) << 15 | x(rs) << 20);
}

static unsigned size_bits(unsigned size)
{
    return (unsigned)__builtin_ctz(size);
}

static void load(struct code *c, unsigned size, unsigned rd, unsigned base, int disp)
{
    itype(c, 0x03, size_bits(size) | (size < 8 ? 4u : 0), x(rd), x(base), disp); /* lbu lhu lwu ld */
}

static void store(struct code *c, unsigned size, unsigned rd, unsigned base, int disp)
{
    uint32_t d = (uint32_t)disp;

    put(c, 0x23 | (d & 31) << 7 | size_bits(size) << 12 | x(base) << 15 | x(rd) << 20 | (d >> 5 & 127) << 25);
}

static void jump(struct code *c, size_t target)
{
    uint32_t d = (uint32_t)(target - c->at);

    put(c, 0x6f | (d >> 12 & 255) << 12 | (d >> 11 & 1) << 20 | (d >> 1 & 1023) << 21 | (d >> 20 & 1) << 31);
}

static void jump_if(struct code *c, unsigned reg, size_t target)
{
    uint32_t d = (uint32_t)(target - c->at);

    put(c, 0x63 | (d >> 11 & 1) << 7 | (d >> 1 & 15) << 8 | 1u << 12 | x(reg) << 15 | (d >> 5 & 63) << 25 |
               (d >> 12 & 1) << 31);
}

static void jump_reg(struct code *c, unsigned reg)
{
    itype(c, 0x67, 0, X0, x(reg), 0);
}

static void halt(struct code *c)
{
    put(c, 0x10500073);
}

static void fence(struct code *c)
{
    put(c, 0x0000100f);
}

static void illegal(struct code *c)
{
    put(c, 0);
}

const struct code_isa code_riscv64 = {
    .guest = &guest_riscv64,
    .cpu = "max",
    .inject_kind = RISCV_INJECT_INTERRUPT,
    .clear_kind = RISCV_INJECT_CLEAR,
    .inject_number = IRQ_M_EXTERNAL,
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
