/* The suite's assembler for the mock guest. */
#include "code.h"
#include "engine/minimal/mock.h"

static void put(struct code *c, struct script s)
{
    code_put(c, &s, sizeof(s));
}

static void isa(struct code *c, enum mock_isa what, unsigned reg)
{
    put(c, (struct script){.op = SCRIPT_ISA, .rs = (uint8_t)reg, .imm = (int32_t)what});
}

static void set(struct code *c, unsigned rd, uint64_t value)
{
    put(c, (struct script){.op = SCRIPT_LI, .rd = (uint8_t)rd, .imm = (int32_t)value});
    put(c, (struct script){.op = SCRIPT_LUI, .rd = (uint8_t)rd, .imm = (int32_t)(value >> 32)});
}

static void vector(struct code *c, unsigned reg)
{
    isa(c, MOCK_VECTOR, reg);
}

static void irq_on(struct code *c)
{
    isa(c, MOCK_IRQ_ON, 0);
}

static void irq_return(struct code *c)
{
    isa(c, MOCK_RETURN, 0);
}

static void add(struct code *c, unsigned rd, unsigned rs, int imm)
{
    put(c, (struct script){.op = SCRIPT_ADD, .rd = (uint8_t)rd, .rs = (uint8_t)rs, .imm = imm});
}

static void sum(struct code *c, unsigned rd, unsigned rs)
{
    put(c, (struct script){.op = SCRIPT_SUM, .rd = (uint8_t)rd, .rs = (uint8_t)rs});
}

static void load(struct code *c, unsigned size, unsigned rd, unsigned base, int disp)
{
    put(c, (struct script){SCRIPT_LOAD, (uint8_t)rd, (uint8_t)base, (uint8_t)size, disp});
}

static void store(struct code *c, unsigned size, unsigned rd, unsigned base, int disp)
{
    put(c, (struct script){SCRIPT_STORE, (uint8_t)rd, (uint8_t)base, (uint8_t)size, disp});
}

static void jump(struct code *c, size_t target)
{
    put(c, (struct script){.op = SCRIPT_JUMP, .imm = (int32_t)(target - c->at)});
}

static void jump_if(struct code *c, unsigned reg, size_t target)
{
    put(c, (struct script){.op = SCRIPT_JNZ, .rs = (uint8_t)reg, .imm = (int32_t)(target - c->at)});
}

static void halt(struct code *c)
{
    put(c, (struct script){.op = SCRIPT_HALT});
}

static void fence(struct code *c)
{
    put(c, (struct script){.op = SCRIPT_FENCE});
}

static void illegal(struct code *c)
{
    put(c, (struct script){.op = SCRIPT_ILLEGAL});
}

const struct code_isa code_mock = {
    .guest = &guest_mock,
    .cpu = "max",
    .inject_kind = MOCK_INJECT,
    .inject_number = 5,
    .reg = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"},
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
    .halt = halt,
    .fence = fence,
    .illegal = illegal,
};
