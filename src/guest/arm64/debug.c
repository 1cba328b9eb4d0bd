/* Self-hosted debug (D2): breakpoints, watchpoints, software step, and the registers behind them. */
#include "guest/arm64/sysreg.h"

/* ---- when (D2.3, AArch64.GenerateDebugExceptions) ---- */

bool arm64_debug_enabled(const struct arm64_vcpu *a, unsigned el, bool masked)
{
    if (a->oslsr_el1 & A64_OSLSR_OSLK || a->osdlr_el1 & 1) /* the two locks */
        return false;
    return el == 0 || (a->mdscr_el1 & A64_MDSCR_KDE && !masked);
}

static bool any_enabled(const uint64_t *control, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (control[i] & A64_DBGBCR_E)
            return true;
    }
    return false;
}

uint64_t arm64_debug_mode(const struct arm64_vcpu *a)
{
    uint64_t m = 0;

    if (!arm64_debug_enabled(a, (unsigned)a->el, a->daif & A64_SPSR_D))
        return 0;
    if (a->mdscr_el1 & A64_MDSCR_SS)
        m |= a->ss ? ARM64_MODE_STEP : ARM64_MODE_STEP_TRAP;
    if (a->mdscr_el1 & A64_MDSCR_MDE) {
        m |= any_enabled(a->dbgbcr, ARM64_BREAKPOINTS) ? ARM64_MODE_BREAK : 0;
        m |= any_enabled(a->dbgwcr, ARM64_WATCHPOINTS) ? ARM64_MODE_WATCH : 0;
    }
    return m;
}

/* ---- software step (D2.12) ---- */

bool arm64_debug_return_ss(const struct arm64_vcpu *a, unsigned el, uint64_t spsr)
{
    return a->mdscr_el1 & A64_MDSCR_SS && spsr & A64_SPSR_SS &&
           !arm64_debug_enabled(a, (unsigned)a->el, a->daif & A64_SPSR_D) &&
           arm64_debug_enabled(a, el, spsr & A64_SPSR_D);
}

void arm64_step_begin(struct arm64_vcpu *a, bool exclusive)
{
    struct vcpu *v = &a->v;

    a->ss = 0;
    a->stepping = true;
    a->step_exclusive = exclusive;
    v->mode = arm64_mode(a);
    if (v->vm->engine->context_changed)
        v->vm->engine->context_changed(v);
}

static enum a64_ec from_level(const struct arm64_vcpu *a, unsigned lower)
{
    return (enum a64_ec)(lower + (a->el ? A64_EC_SAME_LEVEL : 0));
}

void arm64_step_trap(struct arm64_vcpu *a)
{
    uint64_t iss = A64_FSC_DEBUG;

    /* ISV: an instruction was stepped; none was where a return found SPSR.SS 0 (SoftwareStep_DidNotStep()) */
    if (a->stepping)
        iss |= A64_ISS_STEP_ISV | (a->step_exclusive ? A64_ISS_STEP_EX : 0);

    a->stepping = false;
    arm64_trap(a, a64_esr(from_level(a, A64_EC_STEP_LOWER), iss));
}

/* ---- matching (D2.8, D2.9) ---- */

/* PMC or PAC: bit 0 EL1, bit 1 EL0; SSC 2 is Secure state alone. BCR and WCR have these fields alike. */
static bool state_matches(uint64_t control, bool user)
{
    uint64_t levels = a64_field_get(control, A64_DBGBCR_PMC);

    return control & A64_DBGBCR_E && a64_field_get(control, A64_DBGBCR_SSC) != 2 && levels >> user & 1;
}

enum { BT_ADDRESS = 0, BT_LINKED_ADDRESS = 1, BT_CONTEXT = 2, BT_LINKED_CONTEXT = 3 };

static bool context_matches(const struct arm64_vcpu *a, unsigned n)
{
    return n >= ARM64_BREAKPOINTS - ARM64_CONTEXT_BREAKPOINTS && n < ARM64_BREAKPOINTS &&
           (uint32_t)a->dbgbvr[n] == (uint32_t)a->contextidr_el1;
}

/* What an address is linked to has to be a linked context that is the present one. */
static bool link_matches(const struct arm64_vcpu *a, unsigned n)
{
    return n < ARM64_BREAKPOINTS && a->dbgbcr[n] & A64_DBGBCR_E &&
           a64_field_get(a->dbgbcr[n], A64_DBGBCR_BT) == BT_LINKED_CONTEXT && context_matches(a, n);
}

static bool breakpoint_matches(const struct arm64_vcpu *a, unsigned n)
{
    uint64_t c = a->dbgbcr[n];
    bool here = (uint64_t)bits_sext(a->dbgbvr[n] & ~UINT64_C(3), 49) == a->v.pc;

    if (!state_matches(c, !a->el))
        return false;
    switch (a64_field_get(c, A64_DBGBCR_BT)) {
    case BT_ADDRESS:
        return here;
    case BT_LINKED_ADDRESS:
        return here && link_matches(a, (unsigned)a64_field_get(c, A64_DBGBCR_LBN));
    case BT_CONTEXT:
        return context_matches(a, n);
    default:
        return false;
    }
}

bool arm64_breakpoint(struct arm64_vcpu *a)
{
    for (unsigned n = 0; n < ARM64_BREAKPOINTS; n++) {
        if (!breakpoint_matches(a, n))
            continue;
        arm64_trap(a, a64_esr(from_level(a, A64_EC_BREAKPOINT_LOWER), A64_FSC_DEBUG));
        return true;
    }
    return false;
}

/* The first byte of [va, va + size) that watchpoint n covers, or -1. */
static int watched_byte(const struct arm64_vcpu *a, unsigned n, gva_t va, unsigned size)
{
    uint64_t c = a->dbgwcr[n], base = (uint64_t)bits_sext(a->dbgwvr[n], 49);
    unsigned mask = (unsigned)a64_field_get(c, A64_DBGWCR_MASK);
    unsigned bas = (unsigned)a64_field_get(c, A64_DBGWCR_BAS);

    for (unsigned i = 0; i < size; i++) {
        gva_t at = (gva_t)bits_sext(va + i, 56); /* but for a tag; what is no address at all faults */

        /* By mask: the whole block; by BAS: bytes of the doubleword, or of the word when bit 2 is set. */
        if (mask ? at >> mask == base >> mask
                 : (at & ~UINT64_C(7)) == (base & ~UINT64_C(7)) && at - (base & ~UINT64_C(3)) < 8 &&
                       bas >> (at - (base & ~UINT64_C(3))) & 1)
            return (int)i;
    }
    return -1;
}

/* Faults of the access itself come first (D1.3.5.5). */
static bool access_faults(struct arm64_vcpu *a, gva_t va, unsigned size, unsigned how)
{
    enum access access = how & ARM64_WATCH_STORE ? ACCESS_WRITE : ACCESS_READ;
    unsigned as = ARM64_AS_PROBE | (how & ARM64_WATCH_USER ? ARM64_AS_EL0 : ARM64_AS_SELF);
    gva_t last = va + size - 1;
    struct translation t;

    if (arm64_walk(a, va, access, as, &t))
        return true;
    return (va ^ last) >> MEM_PAGE_BITS && arm64_walk(a, last, access, as, &t);
}

bool arm64_watchpoint(struct arm64_vcpu *a, gva_t va, unsigned size, unsigned how)
{
    bool write = how & ARM64_WATCH_STORE, user = !a->el || how & ARM64_WATCH_USER;

    for (unsigned n = 0; n < ARM64_WATCHPOINTS; n++) {
        uint64_t c = a->dbgwcr[n];
        int byte;

        if (!state_matches(c, user) || !(a64_field_get(c, A64_DBGWCR_LSC) & (write ? 2 : 1)) ||
            (c & A64_DBGWCR_WT && !link_matches(a, (unsigned)a64_field_get(c, A64_DBGWCR_LBN))))
            continue;
        byte = watched_byte(a, n, va, size);
        if (byte < 0)
            continue;
        if (access_faults(a, va, size, how))
            return false;
        arm64_trap_far(
            a, a64_esr(from_level(a, A64_EC_WATCHPOINT_LOWER), A64_FSC_DEBUG | (write ? A64_ISS_WNR : 0)),
            va + (unsigned)byte);
        return true;
    }
    return false;
}

/* ---- registers ---- */

/* Register n of the four arrays, by op2 4..7; NULL: there is none. */
static uint64_t *array_reg(struct arm64_vcpu *a, unsigned code)
{
    uint64_t *const arrays[] = {a->dbgbvr, a->dbgbcr, a->dbgwvr, a->dbgwcr};
    unsigned n = a64_sysreg_crm(code), which = code & 3;

    if (!(code & 4) || n >= (which < 2 ? ARM64_BREAKPOINTS : ARM64_WATCHPOINTS))
        return NULL;
    return &arrays[which][n];
}

/* The debug communications channel, which nobody is at the other end of; MDSCR_EL1.TDCC keeps EL0 away. */
static bool channel(struct arm64_vcpu *a)
{
    return !arm64_sys_trap_el0(a, !(a->mdscr_el1 & A64_MDSCR_TDCC));
}

bool arm64_debug_get(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    const uint64_t *reg;

    switch (code) {
    case A64_SYSREG_mdscr_el1:
        *value = a->mdscr_el1;
        return true;
    case A64_SYSREG_oslsr_el1:
        *value = a->oslsr_el1 | A64_OSLSR_OSLM1;
        return true;
    case A64_SYSREG_dbgclaimset_el1:
        *value = 0xff; /* eight tags */
        return true;
    case A64_SYSREG_dbgclaimclr_el1:
        *value = a->dbgclaim;
        return true;
    case A64_SYSREG_dbgauthstatus_el1:
        *value = 0xf; /* Non-secure invasive and non-invasive debug is there and enabled */
        return true;
    case A64_SYSREG_mdccsr_el0:
    case A64_SYSREG_dbgdtr_el0:
    case A64_SYSREG_dbgdtrrx_el0:
        *value = 0;
        return channel(a);
    default:
        reg = array_reg(a, code);
        *value = reg ? *reg : 0;
        return reg != NULL;
    }
}

bool arm64_debug_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    uint64_t *reg;

    a->changed |= ARM64_CHANGED_MODE;
    switch (code) {
    case A64_SYSREG_mdscr_el1:
        a->mdscr_el1 = value & (A64_MDSCR_SS | A64_MDSCR_TDCC | A64_MDSCR_KDE | A64_MDSCR_MDE);
        return true;
    case A64_SYSREG_oslar_el1:
        a->oslsr_el1 = value & 1 ? A64_OSLSR_OSLK : 0;
        return true;
    case A64_SYSREG_dbgclaimset_el1:
        a->dbgclaim |= value & 0xff;
        return true;
    case A64_SYSREG_dbgclaimclr_el1:
        a->dbgclaim &= ~value;
        return true;
    case A64_SYSREG_dbgdtr_el0:
    case A64_SYSREG_dbgdtrrx_el0:
        return channel(a);
    default:
        reg = array_reg(a, code);
        if (!reg)
            return false;
        /* A breakpoint's value may be a context, all of whose bits count; addresses are compared as words. */
        *reg = code & 1 ? (uint32_t)value : code & 2 ? value & ~UINT64_C(3) : value;
        return true;
    }
}
