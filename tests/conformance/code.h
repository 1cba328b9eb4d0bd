/*
 * Programs for the conformance suite, written once for every guest ISA: a small assembler whose
 * instructions each ISA translates in one file. Registers are 0 to 7; branch targets are byte offsets.
 */
#ifndef CONFORMANCE_CODE_H
#define CONFORMANCE_CODE_H

#include <stddef.h>
#include <stdint.h>
#include "core/guest.h"

#define CODE_MAX 8192

struct code {
    const struct code_isa *isa;
    size_t at;
    uint8_t bytes[CODE_MAX];
};

/* What a guest has to say of itself; each function appends to c. */
struct code_isa {
    const struct guest_ops *guest;
    const char *cpu;
    unsigned inject_kind, inject_number, clear_kind; /* clear_kind 0: irq_input() takes the line back */
    /* Names of the eight registers, and how many state-hash-relevant bytes a register has is always 8. */
    const char *reg[8];
    /* Vector for exceptions and interrupts = value of reg; interrupts stay off but can wake a halt. */
    void (*vector)(struct code *c, unsigned reg);
    void (*irq_on)(struct code *c);
    void (*irq_return)(struct code *c);
    void (*set)(struct code *c, unsigned rd, uint64_t value);
    void (*add)(struct code *c, unsigned rd, unsigned rs, int imm); /* imm within +-1000 */
    void (*sum)(struct code *c, unsigned rd, unsigned rs);          /* rd += rs */
    void (*load)(struct code *c, unsigned size, unsigned rd, unsigned base, int disp);
    void (*store)(struct code *c, unsigned size, unsigned rd, unsigned base, int disp);
    void (*jump)(struct code *c, size_t target);
    void (*jump_if)(struct code *c, unsigned reg, size_t target); /* reg is not 0 */
    void (*jump_reg)(struct code *c, unsigned reg);               /* NULL: the ISA has none */
    void (*halt)(struct code *c);
    void (*fence)(struct code *c); /* code was written */
    void (*illegal)(struct code *c);
};

extern const struct code_isa code_mock;
extern const struct code_isa code_riscv64;
extern const struct code_isa code_arm64;

static inline void code_put(struct code *c, const void *bytes, size_t n)
{
    __builtin_memcpy(c->bytes + c->at, bytes, n);
    c->at += n;
}

#endif
