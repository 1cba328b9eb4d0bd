/* Any riscv64 code, on both engines: the same state comes of it. */
#include "execute.inc"
#include "guest/riscv64/cpu.h"
#include "isa/riscv64/decode.h"
#include "isa/riscv64/pte.h"

#define RAM 0x80000000

static const uint16_t csrs[] = {
#define RV_CSR(number, name) number,
#include "isa/riscv64/csr.def"
#undef RV_CSR
};

static uint32_t execute_word(struct fuzz_in *in, unsigned *bytes)
{
    uint8_t how = (uint8_t)fuzz_take(in, 1);
    const struct rv_insn_desc *d;

    if (how < 0xa0) {
        d = &rv_insn_descs[1 + fuzz_take(in, 2) % (RV_ID_COUNT - 1)];
        return d->match | ((uint32_t)fuzz_take(in, 4) & ~d->mask);
    }
    if (how < 0xc0) { /* csrrw and its kin, of a CSR that there is */
        uint32_t rest = (uint32_t)fuzz_take(in, 3);

        return 0x73 | (uint32_t)csrs[fuzz_take(in, 1) % ARRAY_SIZE(csrs)] << 20 | (rest & 0xfffff) >> 1 << 7;
    }
    if (how < 0xe0) { /* within the page, mostly backwards: bne, blt, bgeu, jal */
        uint32_t rest = (uint32_t)fuzz_take(in, 3);

        return 0x63 | (rest & 1 ? 0x80000000 : 0) | (how & 7) << 12 | (rest >> 1 & 0x3ff) << 15 |
               (rest >> 11 & 7) << 9 | (rest & 1 ? 0x7e000000 : 0);
    }
    *bytes = 2;
    return (uint32_t)fuzz_take(in, 2);
}

static uint32_t execute_again(unsigned offset)
{
    uint32_t to = -offset;

    return 0x6f | (to & 0xff000) | (to >> 11 & 1) << 20 | (to >> 1 & 0x3ff) << 21 | (to >> 20 & 1) << 31;
}

static void execute_handler(struct vm *vm, gpa_t page)
{
    static const uint32_t handler[] = {
        0x34102ff3, /* csrr t6, mepc */
        0x004f8f93, /* addi t6, t6, 4 */
        0x034f9f93, /* slli t6, t6, 52 */
        0x034fdf93, /* srli t6, t6, 52 */
        0x00001f17, /* auipc t5, 1 */
        0xff0f0f13, /* addi t5, t5, -16 */
        0x01ef8fb3, /* add t6, t6, t5 */
        0x341f9073, /* csrw mepc, t6 */
        0x30200073, /* mret */
    };

    mem_load(&vm->mem, page, handler, sizeof(handler));
}

/* The gigabyte of RAM maps onto itself; other entries, and tables below, are the root again, or anything. */
static void tables(struct vm *vm, const struct execute_case *c)
{
    uint64_t leaf = (RAM >> 12) << 10 | 0xff;

    if (c->shape & 2)
        leaf &= ~(uint64_t)RV_PTE_U;
    for (unsigned i = 0; i < ARRAY_SIZE(c->table); i++) {
        uint64_t entry = (RAM >> 12) << 10 | (c->table[i].entry & 0xff000000000000ff) |
                         (c->table[i].entry >> 12 & 15) << 10;

        if (c->table[i].slot && (c->table[i].entry >> 8 & 3))
            mem_load(&vm->mem, RAM + TABLE_PAGE + c->table[i].slot * 8, &entry, 8);
    }
    mem_load(&vm->mem, RAM + TABLE_PAGE + 2 * 8, &leaf, 8);
}

static void execute_begin(struct vcpu *v, const struct execute_case *c)
{
    struct riscv_vcpu *r = riscv_of(v);

    for (unsigned i = 1; i < 32; i++) {
        r->x[i] = c->reg[i];
        r->f[i] = c->reg[31 - i];
    }
    r->mtvec = RAM + HANDLER_PAGE;
    r->mstatus |= RV_MSTATUS_FS;
    r->pmpaddr[0] = RV_PMPADDR_MASK;
    r->pmpcfg[0] = 0x1f;
    riscv_pmp_update(r);
    if (c->shape & 1) {
        tables(v->vm, c);
        r->satp = (uint64_t)RV_SATP_SV39 << 60 | (RAM + TABLE_PAGE) >> 12;
        r->menvcfg = RV_ENVCFG_ADUE | RV_ENVCFG_PBMTE;
        r->priv = c->shape & 2 ? RV_PRIV_S : RV_PRIV_U;
    }
    if (c->shape & 4)
        r->medeleg = 0xb3ff & (c->shape << 4);
    r->changed |= RISCV_CHANGED_MODE | RISCV_CHANGED_CONTEXT | RISCV_CHANGED_TLB;
    riscv_settle(r);
    v->leave = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};

    execute_take(&in, RAM);
    execute_both("riscv64", &lift_riscv64);
    return 0;
}
