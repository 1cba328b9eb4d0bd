/*
 * Physical memory protection (Privileged, 3.7). The granularity is a page (G = 10), so that a page has one
 * answer and translations can keep it.
 */
#include "guest/riscv64/cpu.h"

#define G 10 /* grain: 2^(G+2) bytes */

static unsigned mode_of(uint8_t cfg)
{
    return (unsigned)rv_field_get(cfg, RV_PMP_A);
}

uint64_t riscv_pmpaddr_read(const struct riscv_vcpu *r, unsigned i)
{
    if (i >= RISCV_PMP_ENTRIES)
        return 0;
    /* 3.7.1: the low bits read 1 in NAPOT and 0 in OFF and TOR; what lies under them is kept. */
    return mode_of(r->pmpcfg[i]) == RV_PMP_NAPOT ? r->pmpaddr[i] | (BIT(G - 1) - 1)
                                                 : r->pmpaddr[i] & ~(BIT(G) - 1);
}

static void range_of(struct riscv_vcpu *r, unsigned i)
{
    uint64_t addr = riscv_pmpaddr_read(r, i), lo = 0, hi = 0;

    switch (mode_of(r->pmpcfg[i])) {
    case RV_PMP_TOR:
        lo = i ? (r->pmpaddr[i - 1] & ~(BIT(G) - 1)) << 2 : 0;
        hi = addr << 2;
        break;
    case RV_PMP_NAPOT: {
        uint64_t ones = addr ^ (addr + 1); /* the trailing ones and the zero above them */

        lo = (addr & ~ones) << 2;
        hi = ((addr | ones) + 1) << 2;
        break;
    }
    }
    r->pmp_range[i].lo = lo;
    r->pmp_range[i].hi = MAX(hi, lo);
}

void riscv_pmp_update(struct riscv_vcpu *r)
{
    const uint8_t rwx = RV_PMP_R | RV_PMP_W | RV_PMP_X;

    for (unsigned i = 0; i < RISCV_PMP_ENTRIES; i++)
        range_of(r, i);
    r->pmp_open = !r->pmp_range[0].lo && r->pmp_range[0].hi >= BIT(56) && (r->pmpcfg[0] & rwx) == rwx;
    r->changed |= RISCV_CHANGED_TLB;
}

unsigned riscv_pmp_rights(const struct riscv_vcpu *r, gpa_t pa, unsigned priv, uint8_t *bits)
{
    const unsigned rwx = RV_PMP_R | RV_PMP_W | RV_PMP_X;
    unsigned b = *bits;

    if (LIKELY(r->pmp_open))
        return rwx;
    for (unsigned i = 0; i < RISCV_PMP_ENTRIES; i++) {
        uint64_t lo = r->pmp_range[i].lo, hi = r->pmp_range[i].hi;

        if (lo == hi)
            continue;
        /* The lowest entry that touches the range decides; shrink until it holds all of it or none. */
        for (;; b--) {
            uint64_t from = ALIGN_DOWN(pa, BIT(b)), to = from + BIT(b);

            if (from >= lo && to <= hi) {
                *bits = (uint8_t)b;
                return priv == RV_PRIV_M && !(r->pmpcfg[i] & RV_PMP_L) ? rwx : r->pmpcfg[i] & rwx;
            }
            if (to <= lo || from >= hi)
                break;
        }
    }
    *bits = (uint8_t)b;
    return priv == RV_PRIV_M ? rwx : 0;
}

/* An entry is locked by itself, its address also by the TOR entry above it (3.7.1). */
static bool addr_locked(const struct riscv_vcpu *r, unsigned i)
{
    if (r->pmpcfg[i] & RV_PMP_L)
        return true;
    return i + 1 < RISCV_PMP_ENTRIES && r->pmpcfg[i + 1] & RV_PMP_L &&
           mode_of(r->pmpcfg[i + 1]) == RV_PMP_TOR;
}

uint64_t riscv_pmpcfg_read(const struct riscv_vcpu *r, unsigned reg)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8 && reg * 4 + i < RISCV_PMP_ENTRIES; i++)
        value |= (uint64_t)r->pmpcfg[reg * 4 + i] << i * 8;
    return value;
}

void riscv_pmpcfg_write(struct riscv_vcpu *r, unsigned reg, uint64_t value)
{
    for (unsigned i = 0; i < 8 && reg * 4 + i < RISCV_PMP_ENTRIES; i++) {
        uint8_t *cfg = &r->pmpcfg[reg * 4 + i];
        uint8_t byte = (uint8_t)(value >> i * 8) & (RV_PMP_R | RV_PMP_W | RV_PMP_X | RV_PMP_A | RV_PMP_L);

        if (*cfg & RV_PMP_L)
            continue;
        if (mode_of(byte) == RV_PMP_NA4) /* not selectable at this granularity */
            byte = (byte & ~RV_PMP_A) | (*cfg & RV_PMP_A);
        if ((byte & (RV_PMP_R | RV_PMP_W)) == RV_PMP_W) /* reserved */
            byte &= (uint8_t)~RV_PMP_W;
        *cfg = byte;
    }
    riscv_pmp_update(r);
}

void riscv_pmpaddr_write(struct riscv_vcpu *r, unsigned i, uint64_t value)
{
    if (i >= RISCV_PMP_ENTRIES || addr_locked(r, i))
        return;
    r->pmpaddr[i] = value & RV_PMPADDR_MASK;
    riscv_pmp_update(r);
}
