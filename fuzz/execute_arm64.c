/* Any arm64 code, on both engines: the same state comes of it. */
#include "execute.inc"
#include "guest/arm64/cpu.h"
#include "isa/arm64/decode.h"
#include "isa/arm64/sysreg.h"

#define RAM 0x40000000

static const uint16_t codes[] = {
#define A64_SYSREG(name, op0, op1, crn, crm, op2) A64_SYSREG_CODE(op0, op1, crn, crm, op2),
#include "isa/arm64/sysreg.def"
#undef A64_SYSREG
#define A64_SYSOP(kind, name, op1, crn, crm, op2) A64_SYSREG_CODE(1, op1, crn, crm, op2),
#include "isa/arm64/sysop.def"
#undef A64_SYSOP
};

static uint32_t execute_word(struct fuzz_in *in, unsigned *bytes)
{
    uint8_t how = (uint8_t)fuzz_take(in, 1);
    const struct a64_insn_desc *d;

    (void)bytes;
    if (how < 0xb0) {
        d = &a64_insn_descs[1 + fuzz_take(in, 2) % (A64_ID_COUNT - 1)];
        return d->match | ((uint32_t)fuzz_take(in, 4) & ~d->mask);
    }
    if (how < 0xc8) /* MSR, MRS of what there is */
        return 0xd5000000 | (how & 1u) << 21 | (uint32_t)codes[fuzz_take(in, 2) % ARRAY_SIZE(codes)] << 5 |
               (uint32_t)(fuzz_take(in, 1) & 31);
    if (how < 0xe8) /* b.cond, mostly some words back */
        return 0x54000000 | (uint32_t)(fuzz_take(in, 1) & 15) |
               ((how & 3 ? 0x7ffe0u | (how & 0x1c) << 3 : how & 0x1c) << 5);
    return (uint32_t)fuzz_take(in, 4);
}

static uint32_t execute_again(unsigned offset)
{
    return 0x14000000 | (-offset >> 2 & 0x3ffffff);
}

static void execute_handler(struct vm *vm, gpa_t page)
{
    static const uint32_t handler[] = {
        0xd538403c, /* mrs x28, elr_el1 */
        0x9100139c, /* add x28, x28, #4 */
        0x92402f9c, /* and x28, x28, #0xfff */
        0x1000001d, /* adr x29, . */
        0x9274cfbd, /* and x29, x29, #~0xfff */
        0x914007bd, /* add x29, x29, #0x1000 */
        0x8b1d039c, /* add x28, x28, x29 */
        0xd518403c, /* msr elr_el1, x28 */
        0xd69f03e0, /* eret */
    };

    for (unsigned vector = 0; vector < 16; vector++)
        mem_load(&vm->mem, page + vector * 0x80, handler, sizeof(handler));
}

/* The gigabyte of RAM maps onto itself; other entries, and tables below, are the root again, or anything. */
static void translate(struct arm64_vcpu *a, const struct execute_case *c)
{
    uint64_t leaf = RAM | 0x701; /* accessed, inner shareable, for EL1 */

    for (unsigned i = 0; i < ARRAY_SIZE(c->table); i++) {
        uint64_t entry = RAM | (c->table[i].entry & 0xff0000000000ffff);

        if (c->table[i].slot && (c->table[i].slot & 3))
            mem_load(&a->v.vm->mem, RAM + TABLE_PAGE + c->table[i].slot * 8, &entry, 8);
    }
    mem_load(&a->v.vm->mem, RAM + TABLE_PAGE + 8, &leaf, 8);
    a->tcr_el1 = 25 | 25 << 16 | UINT64_C(2) << 30; /* 39 bits, 4 KiB */
    a->mair_el1 = 0xff;
    a->ttbr0_el1 = a->ttbr1_el1 = RAM + TABLE_PAGE;
    a->sctlr_el1 |= A64_SCTLR_M;
}

static void execute_begin(struct vcpu *v, const struct execute_case *c)
{
    struct arm64_vcpu *a = arm64_of(v);

    for (unsigned i = 0; i < 32; i++) {
        a->x[i] = c->reg[i];
        memcpy(&a->q[i], &c->reg[i / 2 * 2], 16);
    }
    a->vbar_el1 = RAM + HANDLER_PAGE;
    a->cpacr_el1 |= c->shape & 4 ? 0 : UINT64_C(3) << 20;
    if (c->shape & 1)
        translate(a, c);
    a->changed |= ARM64_CHANGED_MODE | ARM64_CHANGED_CONTEXT | ARM64_CHANGED_TLB;
    arm64_settle(a);
    v->leave = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};

    execute_take(&in, RAM);
    execute_both("arm64", &lift_arm64);
    return 0;
}
