/*
 * The built-in firmware: SMC Calling Convention 1.2 (DEN 0028), PSCI 1.1 (DEN 0022), TRNG 1.0 (DEN 0098), by
 * HVC and by SMC. The function is in w0, arguments in x1..x3, results in x0..x3.
 */
#include "core/hypercall.h"
#include "guest/arm64/cpu.h"
#include "isa/arm64/psci.h"
#include "lib/str.h"

#define SMCCC_1_2     0x10002
#define TRNG_1_0      0x10000
#define TRNG_BITS_MAX 192
enum { TRNG_INVALID_PARAMETERS = -2, TRNG_NO_ENTROPY = -3 };
enum { WORKAROUND_NOT_NEEDED = 1 };

typedef int64_t call_fn(struct arm64_vcpu *a);

static uint64_t arg(const struct arm64_vcpu *a, unsigned i)
{
    /* Those of the 32-bit convention are words. */
    return a->x[0] & SMCCC_64 ? a->x[1 + i] : (uint32_t)a->x[1 + i];
}

static void leave_with(struct arm64_vcpu *a, enum exit_kind kind)
{
    a->v.exit.kind = kind;
    a->v.leave = 1;
}

static struct vcpu *target(const struct arm64_vcpu *a, uint64_t mpidr)
{
    const struct vm *vm = a->v.vm;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        if ((arm64_mpidr(i) & ~A64_MPIDR_RES1) == mpidr)
            return vm->vcpu[i];
    }
    return NULL;
}

/* ---- PSCI ---- */

static int64_t psci_version(struct arm64_vcpu *a)
{
    (void)a;
    return PSCI_1_1;
}

static int64_t cpu_on(struct arm64_vcpu *a)
{
    struct vm *vm = a->v.vm;
    struct vcpu *t = target(a, arg(a, 0));
    uint32_t power;

    if (!t)
        return PSCI_INVALID_PARAMETERS;
    if (arg(a, 1) & 3 || !mem_ptr(&vm->mem, arg(a, 1), 4, false))
        return PSCI_INVALID_ADDRESS;
    plat_lock(&vm->lock); /* two PEs may start the same one */
    power = atomic_load(&t->power);
    if (power == VCPU_OFF) {
        t->off_entry = arg(a, 1);
        t->off_arg = arg(a, 2);
        atomic_store(&t->power, VCPU_ON_PENDING);
    }
    plat_unlock(&vm->lock);
    if (power != VCPU_OFF)
        return power == VCPU_ON_PENDING ? PSCI_ON_PENDING : PSCI_ALREADY_ON;
    vcpu_request(t, VCPU_REQ_POWER);
    return PSCI_SUCCESS;
}

static int64_t cpu_off(struct arm64_vcpu *a)
{
    leave_with(a, EXIT_CPU_OFF);
    return PSCI_SUCCESS;
}

/* Both kinds wait as WFI does; power down then comes up as CPU_ON does. */
static int64_t cpu_suspend(struct arm64_vcpu *a)
{
    uint64_t state = arg(a, 0), entry = arg(a, 1), context = arg(a, 2);

    if (state & PSCI_POWER_STATE_RES0)
        return PSCI_INVALID_PARAMETERS;
    if (state & PSCI_POWER_STATE_DOWN && (entry & 3 || !mem_ptr(&a->v.vm->mem, entry, 4, false)))
        return PSCI_INVALID_ADDRESS;
    if (!arm64_irq_wakeup(&a->v))
        leave_with(a, EXIT_HALT);
    if (!(state & PSCI_POWER_STATE_DOWN))
        return PSCI_SUCCESS;
    a->sctlr_el1 = ARM64_SCTLR_RES1;
    a->daif = A64_SPSR_DAIF;
    arm64_level_set(a, 1, 1);
    a->changed |= ARM64_CHANGED_MODE | ARM64_CHANGED_CONTEXT;
    a->v.pc = entry;
    a->v.leave = 1;
    return (int64_t)context;
}

static int64_t affinity_info(struct arm64_vcpu *a)
{
    struct vcpu *t = target(a, arg(a, 0));

    if (!t || arg(a, 1)) /* levels above the PE itself: none are kept any more (5.7.4) */
        return PSCI_INVALID_PARAMETERS;
    switch (atomic_load(&t->power)) {
    case VCPU_OFF:
        return PSCI_AFFINITY_OFF;
    case VCPU_ON_PENDING:
        return PSCI_AFFINITY_ON_PENDING;
    default:
        return PSCI_AFFINITY_ON;
    }
}

static int64_t migrate_info_type(struct arm64_vcpu *a)
{
    (void)a;
    return PSCI_MIGRATE_NOT_NEEDED;
}

static int64_t leave_system(struct arm64_vcpu *a, enum exit_system what)
{
    a->v.exit.system.what = what;
    a->v.exit.system.status = 0;
    leave_with(a, EXIT_SYSTEM);
    return PSCI_SUCCESS;
}

static int64_t system_off(struct arm64_vcpu *a)
{
    return leave_system(a, SYSTEM_POWEROFF);
}

static int64_t system_reset(struct arm64_vcpu *a)
{
    return leave_system(a, SYSTEM_RESET);
}

/* Type 0 is the warm reset; vendors' own have bit 31. */
static int64_t system_reset2(struct arm64_vcpu *a)
{
    return (uint32_t)arg(a, 0) ? PSCI_INVALID_PARAMETERS : leave_system(a, SYSTEM_RESET);
}

static bool implemented(uint32_t function);

/* A function of the standard service whose number is from first to last. */
static bool is_standard(uint32_t function, uint32_t first, uint32_t last)
{
    uint32_t number = function & ~SMCCC_64;

    return number >= first && number <= last;
}

/* CPU_SUSPEND: original format of power_state, platform-coordinated. All others have no flags. */
static int64_t psci_features(struct arm64_vcpu *a)
{
    uint32_t function = (uint32_t)arg(a, 0);
    bool asked = function == SMCCC_VERSION || is_standard(function, PSCI_VERSION, PSCI_LAST);

    return asked && implemented(function) ? 0 : PSCI_NOT_SUPPORTED;
}

/* ---- SMCCC ---- */

static int64_t smccc_version(struct arm64_vcpu *a)
{
    (void)a;
    return SMCCC_1_2;
}

static int64_t arch_features(struct arm64_vcpu *a)
{
    switch ((uint32_t)arg(a, 0)) {
    case SMCCC_VERSION:
    case SMCCC_ARCH_FEATURES:
        return 0;
    case SMCCC_ARCH_WORKAROUND_1:
    case SMCCC_ARCH_WORKAROUND_2:
    case SMCCC_ARCH_WORKAROUND_3:
        return a->firmware ? a->firmware->features((uint32_t)arg(a, 0)) : WORKAROUND_NOT_NEEDED;
    default:
        return SMCCC_NOT_SUPPORTED;
    }
}

static int64_t workaround(struct arm64_vcpu *a)
{
    if (a->firmware)
        a->firmware->workaround((uint32_t)a->x[0], (uint32_t)arg(a, 0));
    return (int64_t)a->x[0]; /* returns nothing */
}

/*
 * Of ARCH_WORKAROUND_2 only turning it on: it starts so, and other guests run on this CPU, too, for which it
 * would be off.
 */
static int64_t workaround_2(struct arm64_vcpu *a)
{
    return arg(a, 0) ? workaround(a) : (int64_t)a->x[0];
}

/* ---- TRNG ---- */

static int64_t trng_version(struct arm64_vcpu *a)
{
    (void)a;
    return TRNG_1_0;
}

static int64_t trng_features(struct arm64_vcpu *a)
{
    uint32_t function = (uint32_t)arg(a, 0);

    return is_standard(function, SMCCC_TRNG_VERSION, SMCCC_TRNG_LAST) && implemented(function)
               ? 0
               : SMCCC_NOT_SUPPORTED;
}

static int64_t trng_uuid(struct arm64_vcpu *a)
{
    a->x[1] = 0x4a1f8b6c;
    a->x[2] = 0x2e735d90;
    a->x[3] = 0x7cb1a04f;
    return 0x61c95e38;
}

/* `bits` random ones, right-aligned in x1:x2:x3 (w1:w2:w3), x3 the lowest. */
static int64_t trng_rnd(struct arm64_vcpu *a)
{
    bool wide = a->x[0] & SMCCC_64;
    unsigned width = wide ? 64 : 32;
    uint64_t bits = arg(a, 0), out[3];

    if (!bits || bits > 3 * width) {
        a->x[1] = a->x[2] = a->x[3] = 0;
        return TRNG_INVALID_PARAMETERS;
    }
    arm64_random(a, out, sizeof(out));
    for (unsigned i = 0; i < 3; i++) {
        unsigned n = bits > width ? width : (unsigned)bits;

        out[i] = n ? out[i] >> (64 - n) : 0;
        bits -= n;
        a->x[3 - i] = out[i];
    }
    return 0;
}

/* ---- our own (docs/hypercalls.md) ---- */

static int64_t vendor_version(struct arm64_vcpu *a)
{
    (void)a;
    return HYPERCALL_VERSION;
}

static int64_t vendor_features(struct arm64_vcpu *a)
{
    (void)a;
    return (int64_t)HYPERCALL_FEATURES;
}

/* Engines that have others to run do so instead of coming here. */
static int64_t vendor_yield(struct arm64_vcpu *a)
{
    (void)a;
    return 0;
}

static int64_t vendor_uid(struct arm64_vcpu *a)
{
    static const uint32_t uid[4] = HYPERCALL_UID;

    for (unsigned i = 1; i < 4; i++)
        a->x[i] = uid[i];
    return uid[0];
}

static int64_t vendor_revision(struct arm64_vcpu *a)
{
    a->x[1] = HYPERCALL_VERSION & 0xffff;
    return HYPERCALL_VERSION >> 16;
}

/* ---- dispatch ---- */

static const struct {
    uint32_t function;
    call_fn *call;
} calls[] = {
    {PSCI_VERSION, psci_version},
    {PSCI_CPU_SUSPEND_32, cpu_suspend},
    {PSCI_CPU_SUSPEND_64, cpu_suspend},
    {PSCI_CPU_OFF, cpu_off},
    {PSCI_CPU_ON_32, cpu_on},
    {PSCI_CPU_ON_64, cpu_on},
    {PSCI_AFFINITY_INFO_32, affinity_info},
    {PSCI_AFFINITY_INFO_64, affinity_info},
    {PSCI_MIGRATE_INFO_TYPE, migrate_info_type},
    {PSCI_SYSTEM_OFF, system_off},
    {PSCI_SYSTEM_RESET, system_reset},
    {PSCI_SYSTEM_RESET2_32, system_reset2},
    {PSCI_SYSTEM_RESET2_64, system_reset2},
    {PSCI_FEATURES, psci_features},
    {SMCCC_VERSION, smccc_version},
    {SMCCC_ARCH_FEATURES, arch_features},
    {SMCCC_ARCH_WORKAROUND_1, workaround},
    {SMCCC_ARCH_WORKAROUND_2, workaround_2},
    {SMCCC_ARCH_WORKAROUND_3, workaround},
    {SMCCC_TRNG_VERSION, trng_version},
    {SMCCC_TRNG_FEATURES, trng_features},
    {SMCCC_TRNG_GET_UUID, trng_uuid},
    {SMCCC_TRNG_RND32, trng_rnd},
    {SMCCC_TRNG_RND64, trng_rnd},
    {SMCCC_VENDOR_HYP_VERSION, vendor_version},
    {SMCCC_VENDOR_HYP_FEATURES, vendor_features},
    {SMCCC_VENDOR_HYP_YIELD, vendor_yield},
    {SMCCC_VENDOR_HYP_CALL_UID, vendor_uid},
    {SMCCC_VENDOR_HYP_REVISION, vendor_revision},
};

static call_fn *find(uint32_t function)
{
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        if (calls[i].function == function)
            return calls[i].call;
    }
    return NULL;
}

static bool implemented(uint32_t function)
{
    return find(function) != NULL;
}

void arm64_psci_call(struct arm64_vcpu *a)
{
    call_fn *call = find((uint32_t)a->x[0]);

    a->x[0] = call ? (uint64_t)call(a) : (uint64_t)SMCCC_NOT_SUPPORTED;
}
