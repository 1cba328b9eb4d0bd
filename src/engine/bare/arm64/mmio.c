/*
 * Accesses to devices: by the abort's syndrome where that has them (ISV), else by decoding the instruction.
 */
#include "core/bus.h"
#include "engine/bare/arm64/hw.h"
#include "isa/arm64/decode.h"
#include "lib/str.h"

static const struct mem_region *region_at(struct hw_vcpu *h, gpa_t gpa)
{
    uint64_t page = gpa >> MEM_PAGE_BITS;
    const struct mem_region *r = hw_mmio_known(h, page);

    if (r)
        return r;
    r = mem_find(&h->a->v.vm->mem, gpa);
    /* Whole pages only, so that a page is one device; flash comes and goes. */
    if (r && r->dev && !r->host && !((r->base | r->size) & (MEM_PAGE_SIZE - 1)))
        h->mmio[(page ^ page >> 4) & (HW_MMIO - 1)] = (struct hw_mmio){page, r};
    return r;
}

/* One access on the bus; false: nobody answers. */
static __attribute__((noinline)) bool access(struct hw_vcpu *h, gpa_t gpa, unsigned size, bool write,
                                             uint64_t *value)
{
    const struct mem_region *r = region_at(h, gpa);

    if (r && r->dev && vgic_is_state(h, r, gpa))
        return vgic_access(h, r, gpa, size, write, value);
    return r && r->dev && bus_access_at(h->a->v.vm, r, gpa, size, write, value);
}

static uint64_t narrow(uint64_t value, unsigned size)
{
    return size == 8 ? value : value & (BIT(8 * size) - 1);
}

/* ESR.ISS (D19.2.37): SAS 23:22, SSE 21, SRT 20:16, SF 15, WnR 6. */
static void by_syndrome(struct hw_vcpu *h, gpa_t gpa)
{
    unsigned size = 1u << (h->esr >> 22 & 3), rt = h->esr >> 16 & 31;
    bool write = h->esr >> 6 & 1;
    uint64_t value = write && rt != 31 ? narrow(h->a->x[rt], size) : 0;

    if (!access(h, gpa, size, write, &value)) {
        hw_abort(h, h->far, write ? ACCESS_WRITE : ACCESS_READ);
        return;
    }
    if (!write && rt != 31) {
        value = narrow(value, size);
        if (h->esr >> 21 & 1)
            value = (uint64_t)bits_sext(value, 8 * size);
        h->a->x[rt] = h->esr >> 15 & 1 ? value : (uint32_t)value;
    }
    h->a->v.pc += 4;
}

/*
 * ---- without it: pairs, writeback, SIMD ----
 *
 * Exclusives and atomics get an external abort, as the architecture lets an implementation have them on
 * Device memory (B2.9.2, B2.11), and as they do hosted; so does DC ZVA, which is for Normal memory only
 * (D7.5.9.8).
 */

/* The instruction at pc by the MMU itself: what the guest fetched it by. */
static bool fetch(struct hw_vcpu *h, uint32_t *insn)
{
    bool on = arch_irq_save();
    uint64_t keep, par;

    hw_here_with(h);
    keep = sys_read(par_el1);
    if (hw_el(h))
        __asm__ volatile("at s12e1r, %0" ::"r"(h->a->v.pc) : "memory");
    else
        __asm__ volatile("at s12e0r, %0" ::"r"(h->a->v.pc) : "memory");
    isb();
    par = sys_read(par_el1);
    sys_write(par_el1, keep);
    arch_irq_restore(on);
    if (par & 1)
        return false;
    /* The output is the board's address of it: RAM of the guest, which is mapped one to one here. */
    *insn = *(const uint32_t *)arch_ptr((par & UINT64_C(0x0000fffffffff000)) | (h->a->v.pc & 0xfff));
    return true;
}

static uint64_t reg_get(const struct hw_vcpu *h, unsigned r)
{
    return r == 31 ? 0 : h->a->x[r];
}

static uint64_t base_get(struct hw_vcpu *h, unsigned rn)
{
    bool on;
    uint64_t value;

    if (rn != 31)
        return h->a->x[rn];
    on = arch_irq_save();
    hw_here_with(h);
    value = hw_el(h) && h->spsr & 1 ? sys_read(sp_el1) : sys_read(sp_el0);
    arch_irq_restore(on);
    return value;
}

static void base_set(struct hw_vcpu *h, unsigned rn, uint64_t value)
{
    bool on = arch_irq_save();

    hw_here_with(h);
    if (rn != 31)
        h->a->x[rn] = value;
    else if (hw_el(h) && h->spsr & 1)
        sys_write(sp_el1, value);
    else
        sys_write(sp_el0, value);
    arch_irq_restore(on);
}

struct plan {
    bool write, vector, sign, wide;
    unsigned size, count; /* of one register, registers */
    unsigned reg[2];
    bool writeback;
    int64_t offset;
};

/*
 * Loads and stores by their fields (C4.1.94): pairs; unsigned offset; post-indexed, pre-indexed and unscaled;
 * register offset.
 */
static bool plan_of(uint32_t i, struct plan *p)
{
    unsigned size = i >> 30, opc = i >> 22 & 3;

    *p = (struct plan){.vector = i >> 26 & 1, .reg = {i & 31, i >> 10 & 31}, .count = 1};
    if ((i & 0x3a000000) == 0x28000000) { /* pair: opc 31:30, L 22, index 24:23 */
        p->count = 2;
        p->write = !(i >> 22 & 1);
        p->size = p->vector ? 4u << size : size & 2 ? 8 : 4;
        p->sign = !p->vector && size == 1;
        p->wide = !p->vector && size != 0;
        p->writeback = i >> 23 & 1;
        p->offset = bits_sext(i >> 15 & 0x7f, 7) * (int64_t)p->size;
        return size != 3;
    }
    if ((i & 0x3b000000) != 0x39000000 && (i & 0x3b000000) != 0x38000000)
        return false;
    if ((i & 0x3b200c00) == 0x38200000 || (i & 0x3b200400) == 0x38200400)
        return false; /* atomics; authenticated loads */
    if (!(i >> 24 & 1) && !(i >> 21 & 1)) {
        p->writeback = i >> 10 & 1;
        p->offset = bits_sext(i >> 12 & 0x1ff, 9);
    }
    if (p->vector) {
        p->size = opc & 2 ? 16 : 1u << size;
        p->write = !(opc & 1);
        return !(opc & 2) || !size;
    }
    p->size = 1u << size;
    p->write = !opc;
    p->sign = opc >= 2;
    p->wide = opc != 3;
    return !(size == 3 && opc >= 2); /* a prefetch does nothing; it does not come here */
}

static bool one(struct hw_vcpu *h, const struct plan *p, unsigned reg, gpa_t gpa)
{
    struct arm64_q *q = &h->a->q[reg];
    uint64_t value = 0, high = 0;

    if (p->write)
        value = p->vector ? q->lo : reg_get(h, reg);
    if (p->size == 16) {
        high = q->hi;
        if (!access(h, gpa, 8, p->write, &value) || !access(h, gpa + 8, 8, p->write, &high))
            return false;
    } else {
        value = narrow(value, p->size);
        if (!access(h, gpa, p->size, p->write, &value))
            return false;
    }
    if (p->write)
        return true;
    value = p->size == 16 ? value : narrow(value, p->size);
    if (p->vector) {
        *q = (struct arm64_q){value, high};
    } else if (reg != 31) {
        if (p->sign)
            value = (uint64_t)bits_sext(value, 8 * p->size);
        h->a->x[reg] = p->wide ? value : (uint32_t)value;
    }
    return true;
}

static void fp_to_struct(struct hw_vcpu *h)
{
    bool on = arch_irq_save();

    lent_fp_to_struct(hw_here(), h);
    arch_irq_restore(on);
}

/* ---- structures: LD1..LD4, ST1..ST4, LD1R..LD4R (C4.1.94, shared/LDn's operation) ---- */

struct structure {
    bool write, lane, replicate;
    uint8_t repeat, elements; /* of a structure: elements, each of the next register */
    uint8_t scale, index;     /* log2 of an element's bytes; lane */
    uint8_t bytes;            /* of a register */
};

static bool structure_of(uint32_t i, struct structure *s)
{
    /* By opcode: repeats, elements. */
    static const uint8_t multiple[16] = {
        [0] = 0x14, [2] = 0x41, [4] = 0x13, [6] = 0x31, [7] = 0x11, [8] = 0x12, [10] = 0x21};
    unsigned q = i >> 30 & 1, opcode = i >> 12 & 15, size = i >> 10 & 3, lane = q << 3 | (i >> 10 & 7);

    if ((i & 0xbe000000) != 0x0c000000)
        return false;
    *s = (struct structure){
        .write = !(i >> 22 & 1), .lane = i >> 24 & 1, .bytes = (uint8_t)(8 << q), .repeat = 1};
    if (!s->lane) {
        s->repeat = multiple[opcode] >> 4;
        s->elements = multiple[opcode] & 15;
        s->scale = (uint8_t)size;
        return s->elements;
    }
    s->elements = (uint8_t)((opcode >> 1 & 1) << 1 | (i >> 21 & 1)) + 1;
    s->scale = (uint8_t)(opcode >> 2);
    if (s->scale == 3) {
        s->replicate = true;
        s->scale = (uint8_t)size;
    } else if (s->scale == 2 && size & 1) {
        s->scale = 3;
    }
    s->index = (uint8_t)(lane >> s->scale);
    return true;
}

static bool element(struct hw_vcpu *h, const struct structure *s, unsigned reg, unsigned lane, gpa_t gpa)
{
    unsigned size = 1u << s->scale;
    uint8_t *q = (uint8_t *)&h->a->q[reg % 32], *at = q + lane * size;
    uint64_t value = 0;

    if (s->write)
        memcpy(&value, at, size);
    if (!access(h, gpa, size, s->write, &value))
        return false;
    if (s->write)
        return true;
    memcpy(at, &value, size);
    for (unsigned i = 0; s->replicate && i < s->bytes; i += size)
        memcpy(q + i, &value, size);
    if (!s->lane || s->replicate)
        memset(q + s->bytes, 0, 16u - s->bytes);
    return true;
}

/* Element by element, as each is an access of its own; *moved: bytes in all. */
static bool elements(struct hw_vcpu *h, const struct structure *s, unsigned rt, gpa_t gpa, unsigned *moved)
{
    unsigned lanes = s->lane ? 1 : s->bytes >> s->scale;

    *moved = 0;
    for (unsigned r = 0; r < s->repeat; r++) {
        for (unsigned l = 0; l < lanes; l++) {
            for (unsigned e = 0; e < s->elements; e++, *moved += 1u << s->scale) {
                if (!element(h, s, rt + r + e, s->lane ? s->replicate ? 0 : s->index : l, gpa + *moved))
                    return false;
            }
        }
    }
    return true;
}

/* False: it ended in an abort. */
static bool by_structure(struct hw_vcpu *h, const struct structure *s, uint32_t raw, gpa_t gpa)
{
    unsigned rn = raw >> 5 & 31, rm = raw >> 16 & 31, moved;
    uint64_t base = base_get(h, rn);

    /* One that begins in memory, in front of a device, is nobody's. */
    if ((base ^ h->far) & 0xfff || !elements(h, s, raw & 31, gpa, &moved))
        return false;
    if (raw >> 23 & 1)
        base_set(h, rn, base + (rm == 31 ? moved : h->a->x[rm]));
    return true;
}

/* FAR is where the first byte that faulted is: of a pair maybe the second register. */
static void by_decoding(struct hw_vcpu *h, gpa_t gpa)
{
    struct a64_insn insn;
    struct structure s;
    struct plan p;
    uint32_t raw;
    bool known, ok = true;

    h->reason = HW_MMIO_DECODED;
    if (!fetch(h, &raw))
        return; /* unmapped by another PE meanwhile: the guest runs it again and gets its own abort */
    known = a64_decode(raw, &insn);
    if (known && structure_of(raw, &s)) {
        fp_to_struct(h);
        if (by_structure(h, &s, raw, gpa))
            h->a->v.pc += 4;
        else
            hw_abort(h, h->far, s.write ? ACCESS_WRITE : ACCESS_READ);
        return;
    }
    if (!known || !plan_of(raw, &p)) {
        hw_abort(h, h->far, h->esr >> 6 & 1 ? ACCESS_WRITE : ACCESS_READ);
        return;
    }
    if (p.vector)
        fp_to_struct(h);
    for (unsigned i = 0; ok && i < p.count; i++)
        ok = one(h, &p, p.reg[i], gpa + i * p.size);
    if (!ok) {
        hw_abort(h, h->far, p.write ? ACCESS_WRITE : ACCESS_READ);
        return;
    }
    if (p.writeback) {
        /* Post-index: the base was the address; pre-index: it becomes it. */
        bool post = p.count == 2 ? (raw >> 23 & 3) == 1 : (raw >> 10 & 3) == 1;

        base_set(h, raw >> 5 & 31, post ? h->far + (uint64_t)p.offset : h->far);
    }
    h->a->v.pc += 4;
}

void hw_mmio(struct hw_vcpu *h, gpa_t gpa)
{
    if (h->esr >> 8 & 1) { /* cache maintenance of a device's address: nothing to do */
        h->a->v.pc += 4;
        return;
    }
    if (LIKELY(h->esr >> 24 & 1))
        by_syndrome(h, gpa);
    else
        by_decoding(h, gpa);
}
