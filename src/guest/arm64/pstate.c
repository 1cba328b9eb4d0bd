/* PSTATE as registers, and MSR of an immediate (DDI 0487, C5.2, C5.1.3). */
#include "guest/arm64/sysreg.h"

/* The field of PSTATE behind a register of one bit, and the bit. */
static uint64_t *pstate_bit(struct arm64_vcpu *a, unsigned code, uint64_t *bit)
{
    switch (code) {
    case A64_SYSREG_pan:
        *bit = A64_SPSR_PAN;
        return &a->pan;
    case A64_SYSREG_uao:
        *bit = A64_SPSR_UAO;
        return &a->uao;
    case A64_SYSREG_dit:
        *bit = A64_SPSR_DIT;
        return &a->dit;
    default:
        *bit = A64_SPSR_SSBS;
        return &a->ssbs;
    }
}

static void nzcv_set(struct arm64_vcpu *a, uint64_t v)
{
    a->nzcv = (v & A64_SPSR_N ? ARM64_FLAG_N : 0) | (v & A64_SPSR_Z ? ARM64_FLAG_Z : 0) |
              (v & A64_SPSR_C ? ARM64_FLAG_C : 0) | (v & A64_SPSR_V ? ARM64_FLAG_V : 0);
}

static bool daif_set(struct arm64_vcpu *a, uint64_t value)
{
    if (arm64_sys_trap_el0(a, a->sctlr_el1 & A64_SCTLR_UMA))
        return false;
    a->daif = value & A64_SPSR_DAIF;
    a->changed |= ARM64_CHANGED_IRQ;
    if (a->mdscr_el1 & (A64_MDSCR_SS | A64_MDSCR_MDE)) /* PSTATE.D decides of debug exceptions */
        a->changed |= ARM64_CHANGED_MODE;
    return true;
}

static void spsel_set(struct arm64_vcpu *a, uint64_t value)
{
    arm64_level_set(a, (unsigned)a->el, value & 1);
    a->changed |= ARM64_CHANGED_MODE;
}

static void bit_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    uint64_t bit, *field = pstate_bit(a, code, &bit);

    *field = value & bit ? 1 : 0;
    a->changed |= ARM64_CHANGED_MODE;
}

bool arm64_pstate_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    uint64_t bit, *field;

    switch (code) {
    case A64_SYSREG_nzcv:
        *value = arm64_spsr(a) & A64_SPSR_NZCV;
        return true;
    case A64_SYSREG_daif:
        *value = a->daif;
        return !arm64_sys_trap_el0(a, a->sctlr_el1 & A64_SCTLR_UMA);
    case A64_SYSREG_currentel:
        *value = a->el << 2;
        return true;
    case A64_SYSREG_spsel:
        *value = a->spsel;
        return true;
    default:
        field = pstate_bit(a, code, &bit);
        *value = *field ? bit : 0;
        return true;
    }
}

bool arm64_pstate_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    switch (code) {
    case A64_SYSREG_nzcv:
        nzcv_set(a, value);
        return true;
    case A64_SYSREG_daif:
        return daif_set(a, value);
    case A64_SYSREG_spsel:
        spsel_set(a, value);
        return true;
    default:
        bit_set(a, code, value);
        return true;
    }
}

/* MSR (immediate), by op1:op2 (C5.1.3). */
bool arm64_msr_imm(struct arm64_vcpu *a, unsigned field, unsigned imm, uint32_t insn)
{
    static const struct {
        uint8_t field, needs, el0;
        uint16_t code;
    } bits[] = {
        {3, ARM64F_UAO, 0, A64_SYSREG_uao},          {4, ARM64F_PAN, 0, A64_SYSREG_pan},
        {5, NEEDS_NOTHING, 0, A64_SYSREG_spsel},     {3 << 3 | 1, ARM64F_SSBS, 1, A64_SYSREG_ssbs},
        {3 << 3 | 2, ARM64F_DIT, 1, A64_SYSREG_dit},
    };

    a->insn = insn;
    a->trapped = false;
    if (field == (3 << 3 | 6) || field == (3 << 3 | 7)) {
        uint64_t mask = (uint64_t)imm << 6;

        return daif_set(a, field & 1 ? a->daif & ~mask : a->daif | mask);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        if (bits[i].field != field || (!a->el && !bits[i].el0) ||
            (bits[i].needs != NEEDS_NOTHING && !arm64_has(a, (enum arm64_feature)bits[i].needs)))
            continue;
        if (bits[i].code == A64_SYSREG_spsel)
            spsel_set(a, imm);
        else
            bit_set(a, bits[i].code, imm & 1 ? UINT64_MAX : 0);
        return true;
    }
    arm64_undefined(a);
    return false;
}
