/* guest_ops of riscv64. */
#include "guest/riscv64/cpu.h"

static void raise_translate(struct vcpu *v, gva_t va)
{
    riscv_trap(riscv_of(v), riscv_of(v)->exc_cause, va);
}

static void raise_bus(struct vcpu *v, gva_t va, enum access access)
{
    static const uint8_t cause[] = {RV_EXC_LOAD_ACCESS, RV_EXC_STORE_ACCESS, RV_EXC_INSN_ACCESS};

    riscv_trap(riscv_of(v), cause[access], va);
}

static void raise_misaligned(struct vcpu *v, gva_t va, enum access access)
{
    static const uint8_t cause[] = {RV_EXC_LOAD_MISALIGNED, RV_EXC_STORE_MISALIGNED, RV_EXC_INSN_MISALIGNED};

    riscv_trap(riscv_of(v), cause[access], va);
}

/* Without the instruction's bits at hand xtval is 0, which is allowed (Privileged, 3.1.16). */
static void raise_illegal(struct vcpu *v)
{
    riscv_trap(riscv_of(v), RV_EXC_ILLEGAL_INSN, 0);
}

static enum exit_action handle_exit(struct vcpu *v, struct exit *e)
{
    struct riscv_vcpu *r = riscv_of(v);

    if (e->kind != EXIT_HYPERCALL)
        return EXIT_HANDLED;
    e->kind = EXIT_NONE;
    riscv_sbi_call(r);
    riscv_settle(r);
    return e->kind == EXIT_NONE ? EXIT_HANDLED : exit_handle(v, e);
}

/* The built-in SBI keeps nothing that outlives a reset of the harts. */
static void firmware_reset(struct vm *vm)
{
    (void)vm;
}

static const char *const aliases[] = {"rv64", NULL};

const struct guest_ops guest_riscv64 = {
    .name = "riscv64",
    .summary = "RV64GC with bit manipulation, cache-block and supervisor extensions",
    .aliases = aliases,
    .vcpu_size = sizeof(struct riscv_vcpu),
    .state = riscv_state,
    .cpu_models = riscv_cpu_models,
    .cpu_check = riscv_cpu_check,
    .cpu_given = riscv_cpu_given,
    .vcpu_init = riscv_vcpu_init,
    .vcpu_fini = riscv_vcpu_fini,
    .reset = riscv_reset,
    .set_entry = riscv_set_entry,
    .translate = riscv_translate,
    .raise = raise_translate,
    .raise_bus = raise_bus,
    .raise_misaligned = raise_misaligned,
    .raise_illegal = raise_illegal,
    .context = riscv_context,
    .global_context = riscv_global_context,
    .asid = riscv_asid,
    .irq_ready = riscv_irq_ready,
    .irq_take = riscv_irq_take,
    .irq_wakeup = riscv_irq_wakeup,
    .irq_input = riscv_irq_input,
    .inject = riscv_inject,
    .handle_exit = handle_exit,
    .firmware_reset = firmware_reset,
    .describe = riscv_describe,
};
