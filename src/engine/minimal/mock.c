/* The mock guest: exceptions and interrupts go to one vector with their cause in a register. */
#include "engine/minimal/mock.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

static const struct state_field mock_state[] = {
    STATE_ARRAY(struct mock_vcpu, r, REGS_GENERAL, STATE_REG),
    STATE_FIELD(struct mock_vcpu, vector, REGS_SYSTEM, STATE_REG),
    STATE_FIELD(struct mock_vcpu, saved_pc, REGS_SYSTEM, STATE_REG),
    STATE_FIELD(struct mock_vcpu, cause, REGS_SYSTEM, STATE_REG),
    STATE_FIELD(struct mock_vcpu, fault_va, REGS_SYSTEM, STATE_REG),
    STATE_FIELD(struct mock_vcpu, space, REGS_SYSTEM, STATE_REG),
    STATE_FIELD(struct mock_vcpu, forbidden, REGS_SYSTEM, 0),
    STATE_FIELD(struct mock_vcpu, irq_on, REGS_INTERRUPT, STATE_REG),
    STATE_ARRAY(struct mock_vcpu, halves, REGS_SYSTEM, STATE_REG),
    STATE_FIELD(struct mock_vcpu, pending, REGS_INTERRUPT, 0),
    STATE_FIELD(struct mock_vcpu, syncs, REGS_SYSTEM, STATE_REG | STATE_NOHASH),
    STATE_END,
};

static int mock_cpu_check(const char *spec, char *why, size_t why_size)
{
    if (!strcmp(spec, "max"))
        return 0;
    fmt_snprintf(why, why_size, "cpu: '%s' is unknown; the only one is 'max'", spec);
    return -EINVAL;
}

static int mock_vcpu_init(struct vcpu *v, const struct vm_desc *desc)
{
    (void)v;
    (void)desc;
    return 0;
}

static void mock_vcpu_fini(struct vcpu *v)
{
    (void)v;
}

/* Registers may live in the engine: what is changed here goes back by push. */
static void registers_changed(struct vcpu *v)
{
    if (v->vm->engine->push)
        v->vm->engine->push(v, REGS_GENERAL);
}

static void mock_reset(struct vcpu *v)
{
    struct mock_vcpu *m = mock_of(v);
    const size_t from = offsetof(struct mock_vcpu, r);

    memset((char *)m + from, 0, offsetof(struct mock_vcpu, pending) - from);
    atomic_store(&m->pending, 0);
    v->pc = 0;
    registers_changed(v);
}

static void mock_set_entry(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1)
{
    v->pc = entry;
    if (v->vm->engine->pull)
        v->vm->engine->pull(v, REGS_GENERAL);
    mock_of(v)->r[0] = arg0;
    mock_of(v)->r[1] = arg1;
    registers_changed(v);
}

static int mock_translate(struct vcpu *v, gva_t va, enum access access, struct translation *out)
{
    uint64_t page = va & ~(uint64_t)(MEM_PAGE_SIZE - 1);

    (void)access;
    if (page && page == mock_of(v)->forbidden)
        return 1;
    *out = (struct translation){
        .gpa = va, .page_bits = 12, .read = true, .write = true, .exec = true, .dirty = true};
    return 0;
}

static void deliver(struct vcpu *v, enum mock_cause cause, uint64_t va)
{
    struct mock_vcpu *m = mock_of(v);

    m->saved_pc = v->pc;
    m->cause = cause;
    m->fault_va = va;
    m->irq_on = 0;
    v->pc = m->vector;
    v->stat.exceptions += cause != MOCK_IRQ;
}

static void mock_raise(struct vcpu *v, gva_t va)
{
    deliver(v, MOCK_FAULT, va);
}

static void mock_raise_bus(struct vcpu *v, gva_t va, enum access access)
{
    (void)access;
    deliver(v, MOCK_BUS, va);
}

static void mock_raise_misaligned(struct vcpu *v, gva_t va, enum access access)
{
    (void)access;
    deliver(v, MOCK_MISALIGNED, va);
}

static void mock_raise_illegal(struct vcpu *v)
{
    deliver(v, MOCK_ILLEGAL, v->pc);
}

static uint64_t mock_context(struct vcpu *v, enum access access)
{
    (void)access;
    return mock_of(v)->space;
}

static uint64_t mock_asid(struct vcpu *v)
{
    return mock_of(v)->space;
}

static bool mock_irq_ready(struct vcpu *v)
{
    return mock_of(v)->irq_on && atomic_load(&mock_of(v)->pending);
}

static void mock_irq_take(struct vcpu *v)
{
    deliver(v, MOCK_IRQ, (uint64_t)__builtin_ctzll(atomic_load(&mock_of(v)->pending)));
}

static bool mock_irq_wakeup(struct vcpu *v)
{
    return atomic_load(&mock_of(v)->pending) != 0;
}

static void mock_irq_input(struct vcpu *v, unsigned input, bool level)
{
    if (level)
        atomic_fetch_or(&mock_of(v)->pending, BIT(input));
    else
        atomic_fetch_and(&mock_of(v)->pending, ~BIT(input));
}

static int mock_inject(struct vcpu *v, unsigned kind, uint64_t number)
{
    if (kind != MOCK_INJECT || number > 63)
        return -EINVAL;
    mock_irq_input(v, (unsigned)number, true);
    vcpu_request(v, VCPU_REQ_IRQ);
    return 0;
}

static void mock_sync(struct vcpu *v, void *arg)
{
    mock_of(v)->syncs++;
    atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

static void flush(struct vcpu *v, enum flush_kind kind, uint64_t va)
{
    v->vm->engine->flush(v, &(struct flush_scope){.kind = kind, .va = va, .asid = mock_of(v)->space});
}

static enum exit_action handle_isa(struct vcpu *v, uint64_t what, uint64_t info)
{
    struct mock_vcpu *m = mock_of(v);
    _Atomic unsigned served = 0;

    switch (what) {
    case MOCK_IRQ_ON:
    case MOCK_IRQ_OFF:
        m->irq_on = what == MOCK_IRQ_ON;
        break;
    case MOCK_VECTOR:
        m->vector = info;
        break;
    case MOCK_RETURN:
        v->pc = m->saved_pc;
        m->irq_on = 1;
        break;
    case MOCK_FLUSH:
        flush(v, FLUSH_ALL, 0);
        break;
    case MOCK_FLUSH_PAGE:
        flush(v, FLUSH_PAGE, info);
        break;
    case MOCK_CONTEXT:
        m->space = info;
        v->vm->engine->context_changed(v);
        break;
    case MOCK_FORBID:
        m->forbidden = info;
        flush(v, FLUSH_PAGE, info);
        break;
    case MOCK_ACK:
        atomic_fetch_and(&m->pending, ~BIT(info & 63));
        break;
    case MOCK_SYNC:
        vcpu_call_others(v, v->vm, mock_sync, &served);
        break;
    default:
        v->pc -= sizeof(struct script);
        deliver(v, MOCK_ILLEGAL, v->pc);
    }
    return EXIT_HANDLED;
}

/* CPU_ON: the same handshake as SBI HSM and PSCI; r[0] of the caller is 0, or 1 when it was on already. */
static enum exit_action handle_on(struct vcpu *v, const struct exit *e)
{
    struct vm *vm = v->vm;
    uint32_t off = VCPU_OFF;
    uint64_t result = 1;

    if (e->cpu_on.cpu < vm->vcpu_count) {
        struct vcpu *t = vm->vcpu[e->cpu_on.cpu];

        plat_lock(&vm->lock);
        if (atomic_load(&t->power) == off) {
            t->off_entry = e->cpu_on.entry;
            t->off_arg = e->cpu_on.arg;
            atomic_store(&t->power, VCPU_ON_PENDING);
            result = 0;
        }
        plat_unlock(&vm->lock);
        if (!result)
            vcpu_request(t, VCPU_REQ_POWER);
    }
    if (vm->engine->pull)
        vm->engine->pull(v, REGS_GENERAL);
    mock_of(v)->r[0] = result;
    registers_changed(v);
    return EXIT_HANDLED;
}

static enum exit_action mock_handle_exit(struct vcpu *v, struct exit *e)
{
    if (e->kind == EXIT_ISA)
        return handle_isa(v, e->isa.syndrome, e->isa.info);
    if (e->kind == EXIT_CPU_ON)
        return handle_on(v, e);
    return EXIT_HANDLED;
}

static void mock_firmware_reset(struct vm *vm)
{
    (void)vm;
}

static int mock_describe(struct vm *vm, struct dtw *w)
{
    (void)vm;
    (void)w;
    return 0;
}

static const char *const mock_aliases[] = {NULL};
static const char *const mock_models[] = {"max", NULL};

const struct guest_ops guest_mock = {
    .name = "mock",
    .summary = "no ISA: programs of the minimal engine",
    .aliases = mock_aliases,
    .vcpu_size = sizeof(struct mock_vcpu),
    .state = mock_state,
    .cpu_models = mock_models,
    .cpu_check = mock_cpu_check,
    .vcpu_init = mock_vcpu_init,
    .vcpu_fini = mock_vcpu_fini,
    .reset = mock_reset,
    .set_entry = mock_set_entry,
    .translate = mock_translate,
    .raise = mock_raise,
    .raise_bus = mock_raise_bus,
    .raise_misaligned = mock_raise_misaligned,
    .raise_illegal = mock_raise_illegal,
    .context = mock_context,
    .asid = mock_asid,
    .irq_ready = mock_irq_ready,
    .irq_take = mock_irq_take,
    .irq_wakeup = mock_irq_wakeup,
    .irq_input = mock_irq_input,
    .inject = mock_inject,
    .handle_exit = mock_handle_exit,
    .firmware_reset = mock_firmware_reset,
    .describe = mock_describe,
};
