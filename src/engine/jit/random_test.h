/*
 * What tests of the JIT against the interpreter share: a machine of the guest without an ISA, random programs
 * and registers for it, what is shown where the engines differ.
 */
#ifndef CV_ENGINE_JIT_RANDOM_TEST_H
#define CV_ENGINE_JIT_RANDOM_TEST_H

#include "engine/interp/interp.h"
#include "engine/jit/jit.h"
#include "engine/soft/toy_test.h"

#define CODE    TOY_RAM
#define COUNTER 14 /* registers that random operations leave alone */
#define ZERO    15

static inline struct toy_vm random_machine(const struct engine_ops *engine, const struct lift_ops *lift)
{
    char why[160] = "";

    if (engine == &engine_jit && emit_probe(why, sizeof(why)))
        skip();
    return toy_new_lifted(engine, lift, 1);
}

/* ---- counters ---- */

struct counter_search {
    const char *name;
    uint64_t value;
};

static inline void counter_seen(void *opaque, const char *name, uint64_t value)
{
    struct counter_search *s = opaque;

    if (!strcmp(name, s->name))
        s->value = value;
}

static inline uint64_t counter(struct toy_vm *x, const char *name)
{
    struct counter_search s = {name, 0};

    x->vm->engine->counters(x->vm, counter_seen, &s);
    return s.value;
}

/* ---- programs ---- */

/* Below n. */
static inline uint32_t random_next(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 9) % n;
}

/* n instructions {op, seed, seed, seed}, among them branches over up to `reach` of the next and counts, of
 * the registers below `ints`; then three sums. How many there are. */
static inline unsigned random_insns(uint8_t (*code)[4], unsigned n, uint8_t op, unsigned ints, unsigned reach)
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)random();

        memcpy(code[i], (uint8_t[]){op, (uint8_t)seed, (uint8_t)(seed >> 8), (uint8_t)(seed >> 16)}, 4);
        if (!(random() % 8))
            memcpy(code[i],
                   (uint8_t[]){TOY_BNE, (uint8_t)(seed % ints), (uint8_t)(seed / 16 % ints),
                               (uint8_t)(1 + seed / 512 % reach)},
                   4);
        else if (!(random() % 16))
            memcpy(code[i], (uint8_t[]){TOY_COUNT, (uint8_t)(seed % ints), 0, 0}, 4);
    }
    for (uint8_t k = 0; k < 3; k++)
        memcpy(code[n++], (uint8_t[]){TOY_ADD, k, (uint8_t)(k + 1), 0}, 4);
    return n;
}

/* Behind n instructions: COUNTER times round, then the end. */
static inline unsigned loop_end(uint8_t (*code)[4], unsigned n)
{
    memcpy(code[n++], (uint8_t[]){TOY_ADDI, COUNTER, COUNTER, (uint8_t)-1}, 4);
    memcpy(code[n], (uint8_t[]){TOY_BNE, COUNTER, ZERO, (uint8_t)-n}, 4);
    memcpy(code[++n], (uint8_t[]){TOY_HALT, 0, 0, 0}, 4);
    return n + 1;
}

/* Any of 32 values, a third of them special. */
static inline void random_values(uint64_t *r, const uint64_t *special, size_t specials)
{
    for (unsigned i = 0; i < 32; i++) {
        r[i] = (uint64_t)random() << 33 ^ (uint64_t)random() << 10 ^ (uint64_t)random();
        if (!(random() % 3))
            r[i] = special[(unsigned)random() % specials];
    }
}

/* The operations of one instruction. */
static inline void show_insn(const struct lift_ops *lift, unsigned i, const uint8_t *bytes)
{
    static struct ir_op ops[256];
    static struct ir_block blocks[2];
    struct ir_unit u = {.ops = ops, .blocks = blocks, .op_max = 256, .block_max = 2};
    static char text[8192];

    ir_block_begin(&u, 0);
    lift->lift(&u, 0, 4 * (int32_t)i, bytes, 4);
    ir_print(&u, text, sizeof(text));
    print_error("%2u: %02x %02x %02x %02x\n%s", i, bytes[0], bytes[1], bytes[2], bytes[3], text);
}

static inline void show_program(const struct lift_ops *lift, const uint8_t (*code)[4], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        show_insn(lift, i, code[i]);
}

#endif
