/* guest_ops of arm64. */
#include "guest/arm64/cpu.h"
#include "isa/arm64/decode.h"
#include "isa/arm64/psci.h"

uint32_t arm64_insn_here(struct arm64_vcpu *a)
{
    struct translation t;
    uint32_t insn = 0;

    if (arm64_walk(a, a->v.pc, ACCESS_FETCH, ARM64_AS_SELF | ARM64_AS_PROBE, &t) ||
        mem_read(&a->v.vm->mem, t.gpa, &insn, sizeof(insn)))
        return 0;
    return insn;
}

/* LSE atomics and compare-and-swap (C4.1.94): they read before they write. */
static bool reads_and_writes(uint32_t insn)
{
    return (insn & 0x3b200c00) == 0x38200000 || (insn & 0x3fa07c00) == 0x08a07c00 ||
           (insn & 0xbfa07c00) == 0x08207c00;
}

/* A store's abort, unless reading would have failed alike: then an atomic's is a load's (D19.2.37, WnR). */
static uint64_t wnr(struct arm64_vcpu *a, gva_t va)
{
    struct translation t;

    if (reads_and_writes(arm64_insn_here(a)) &&
        arm64_walk(a, va, ACCESS_READ, ARM64_AS_SELF | ARM64_AS_PROBE, &t))
        return 0;
    return A64_ISS_WNR;
}

static void raise_translate(struct vcpu *v, gva_t va)
{
    struct arm64_vcpu *a = arm64_of(v);
    enum access access = (enum access)a->fault.access;

    if (a->fault.fsc == ARM64_FAULT_TAG) {
        v->pc = arm64_branch_address(a, v->pc);
        return;
    }
    arm64_abort(a, va, access, a->fault.fsc, access == ACCESS_WRITE ? wnr(a, va) : 0);
}

/* Of what faults for reads and writes alike. */
static uint64_t wnr_alike(struct arm64_vcpu *a, enum access access)
{
    return access == ACCESS_WRITE && !reads_and_writes(arm64_insn_here(a)) ? A64_ISS_WNR : 0;
}

static void raise_bus(struct vcpu *v, gva_t va, enum access access)
{
    struct arm64_vcpu *a = arm64_of(v);

    arm64_abort(a, va, access, A64_FSC_EXTERNAL, wnr_alike(a, access));
}

static void raise_misaligned(struct vcpu *v, gva_t va, enum access access)
{
    struct arm64_vcpu *a = arm64_of(v);

    if (access == ACCESS_FETCH)
        arm64_pc_misaligned(a, va);
    else
        arm64_abort(a, va, access, A64_FSC_ALIGNMENT, wnr_alike(a, access));
}

static void raise_illegal(struct vcpu *v)
{
    arm64_undefined(arm64_of(v));
}

static enum exit_action handle_exit(struct vcpu *v, struct exit *e)
{
    struct arm64_vcpu *a = arm64_of(v);

    if (e->kind != EXIT_HYPERCALL)
        return EXIT_HANDLED;
    e->kind = EXIT_NONE;
    arm64_psci_call(a);
    arm64_settle(a);
    return e->kind == EXIT_NONE ? EXIT_HANDLED : exit_handle(v, e);
}

/* The built-in PSCI keeps nothing that outlives a reset of the PEs. */
static void firmware_reset(struct vm *vm)
{
    (void)vm;
}

static const char *const aliases[] = {"aarch64", NULL};

const struct guest_ops guest_arm64 = {
    .name = "arm64",
    .summary = "Armv8-A, AArch64 at EL1 and EL0, with cryptography and the extensions of its CPU model",
    .aliases = aliases,
    .vcpu_size = sizeof(struct arm64_vcpu),
    .state = arm64_state,
    .cpu_models = arm64_cpu_models,
    .cpu_check = arm64_cpu_check,
    .vcpu_init = arm64_vcpu_init,
    .vcpu_fini = arm64_vcpu_fini,
    .reset = arm64_reset,
    .set_entry = arm64_set_entry,
    .translate = arm64_translate,
    .raise = raise_translate,
    .raise_bus = raise_bus,
    .raise_misaligned = raise_misaligned,
    .device_allows = arm64_device_allows,
    .raise_illegal = raise_illegal,
    .context = arm64_context,
    .global_context = arm64_global_context,
    .global_data = arm64_global_data,
    .asid = arm64_asid,
    .irq_ready = arm64_irq_ready,
    .irq_take = arm64_irq_take,
    .irq_wakeup = arm64_irq_wakeup,
    .irq_input = arm64_irq_input,
    .inject = arm64_inject,
    .handle_exit = handle_exit,
    .firmware_reset = firmware_reset,
    .describe = arm64_describe,
};
