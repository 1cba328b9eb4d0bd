/* Building and driving the VMs of the conformance suite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "rig.h"
#include "api/registry.h"
#include "engine/minimal/minimal.h"

#define PATIENCE_NS 60000000000u

static const struct code_isa *const isas[] = {&code_riscv64, &code_arm64};

unsigned rig_pairs(struct rig_pair *out, unsigned max)
{
    unsigned n = 0;

    out[n++] = (struct rig_pair){&code_mock, NULL, &engine_minimal};
    for (const struct registry_guest *g = registry_guests; g->ops; g++) {
        for (size_t i = 0; i < ARRAY_SIZE(isas); i++) {
            for (unsigned e = 0; isas[i]->guest == g->ops && registry_engines[e] && n < max; e++) {
                char why[200];

                if (!registry_engines[e]->probe(why, sizeof(why)))
                    out[n++] = (struct rig_pair){isas[i], g->lift, registry_engines[e]};
                else
                    printf("engine %s left out: %s\n", registry_engines[e]->name, why);
            }
        }
    }
    return n;
}

/* ---- the device ---- */

static void note(struct rig_device *d, uint64_t offset, unsigned size, bool write, uint64_t value)
{
    if (d->count < ARRAY_SIZE(d->log))
        d->log[d->count] = (struct rig_access){offset, value, size, write};
    d->count++;
}

static uint64_t dev_read(struct device *dev, unsigned region, uint64_t offset, unsigned size)
{
    struct rig_device *d = (struct rig_device *)dev;

    (void)region;
    note(d, offset, size, false, 0);
    return d->answer + offset;
}

static void take_back(struct rig_device *d)
{
    struct vcpu *v = plat_current();

    if (!d->isa->clear_kind)
        d->dev.vm->guest->irq_input(v, d->isa->inject_number, false);
    else
        assert_int_equal(d->dev.vm->guest->inject(v, d->isa->clear_kind, d->isa->inject_number), 0);
}

static void dev_write(struct device *dev, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct rig_device *d = (struct rig_device *)dev;

    (void)region;
    switch (offset) {
    case RIG_END:
        vm_system(dev->vm, SYSTEM_STATUS, (unsigned)value, "by the program");
        break;
    case RIG_RESET:
        vm_system(dev->vm, SYSTEM_RESET, 0, "by the program");
        break;
    case RIG_CLEAR:
        take_back(d);
        break;
    case RIG_BEAT:
        atomic_fetch_add(&d->beats, 1);
        break;
    default:
        note(d, offset, size, true, value);
    }
}

static void dev_reset(struct device *dev)
{
    ((struct rig_device *)dev)->resets++;
}

static void dev_destroy(struct device *dev)
{
    device_fini(dev);
    plat_free(dev);
}

static const struct state_field dev_state[] = {STATE_FIELD(struct rig_device, answer, 0, 0), STATE_END};

static const struct device_ops dev_ops = {
    .name = "rig",
    .state = dev_state,
    .read = dev_read,
    .write = dev_write,
    .reset = dev_reset,
    .destroy = dev_destroy,
};

/* ---- the VM ---- */

uint64_t rig_entry(unsigned cpu)
{
    return RIG_RAM + 0x2000u * cpu;
}

static int rig_boot(struct vm *vm, char *why, size_t why_size)
{
    struct rig *r = vm->machine;

    (void)why;
    (void)why_size;
    for (unsigned i = 0; i < r->cpus; i++) {
        mem_load(&vm->mem, rig_entry(i), r->code[i].bytes, r->code[i].at);
        atomic_store(&vm->vcpu[i]->power, VCPU_ON);
        assert_int_equal(vcpu_set_entry(vm->vcpu[i], rig_entry(i), r->arg[i], 0), 0);
    }
    return 0;
}

struct rig *rig_new(const struct rig_pair *pair, unsigned smp, bool deterministic)
{
    struct vm_desc desc = {
        .name = "conformance", .cpu = pair->isa->cpu, .smp = smp, .deterministic = deterministic};
    struct rig *r = calloc(1, sizeof(*r));
    char why[200] = "";

    desc.guest_arch = pair->isa->guest->name;
    desc.firmware = "program"; /* programs start in the highest mode */
    r->pair = pair;
    r->cpus = smp;
    for (unsigned i = 0; i < ARRAY_SIZE(r->code); i++)
        r->code[i].isa = pair->isa;
    if (vm_create(&r->vm, &desc, pair->isa->guest, pair->lift, pair->engine, why, sizeof(why)))
        fail_msg("%s", why);
    r->vm->machine = r;
    r->vm->boot = rig_boot;
    r->dev = device_alloc(sizeof(*r->dev), why, sizeof(why));
    r->dev->isa = pair->isa;
    device_init(&r->dev->dev, &dev_ops, r->vm, "rig0");
    device_add(&r->dev->dev);
    assert_int_equal(mem_add_ram(&r->vm->mem, RIG_RAM, RIG_SIZE, MEM_RAM, "ram", why, sizeof(why)), 0);
    assert_int_equal(device_map(&r->dev->dev, 0, RIG_DEV, 0x1000, why, sizeof(why)), 0);
    return r;
}

void rig_free(struct rig *r)
{
    vm_destroy(r->vm);
    free(r);
}

void rig_start(struct rig *r)
{
    char why[200] = "";

    if (vm_start(r->vm, why, sizeof(why)))
        fail_msg("%s", why);
}

struct vm_result rig_wait(struct rig *r)
{
    struct vm_result result = {0};

    if (vm_wait(r->vm, plat_clock_ns() + PATIENCE_NS, &result))
        fail_msg("the VM did not end");
    return result;
}

struct vm_result rig_run(struct rig *r)
{
    rig_start(r);
    return rig_wait(r);
}

void rig_inject(struct rig *r, unsigned cpu)
{
    const struct code_isa *isa = r->pair->isa;

    assert_int_equal(isa->guest->inject(r->vm->vcpu[cpu], isa->inject_kind, isa->inject_number), 0);
}

uint64_t rig_word(struct rig *r, gpa_t at)
{
    _Atomic uint64_t *p = mem_ptr(&r->vm->mem, at, 8, false);

    return atomic_load(p);
}

void rig_until(struct rig *r, gpa_t word, uint64_t n)
{
    uint64_t end = plat_clock_ns() + PATIENCE_NS;

    while (rig_word(r, word) < n) {
        if (plat_clock_ns() > end)
            fail_msg("the guest's word at 0x%llx stays %llu", (unsigned long long)word,
                     (unsigned long long)rig_word(r, word));
        nanosleep(&(struct timespec){0, 20000}, NULL);
    }
}

void rig_until_beats(struct rig *r, unsigned n)
{
    uint64_t end = plat_clock_ns() + PATIENCE_NS;

    while (atomic_load(&r->dev->beats) < n) {
        if (plat_clock_ns() > end)
            fail_msg("%u of %u beats", atomic_load(&r->dev->beats), n);
        nanosleep(&(struct timespec){0, 5000}, NULL);
    }
}

void rig_spin_beats(struct rig *r, unsigned n)
{
    uint64_t end = 0;

    for (uint64_t spins = 1; atomic_load(&r->dev->beats) < n; spins++) {
        if (spins % 0x4000)
            continue;
        sched_yield(); /* by now it is another's turn on a busy machine */
        if (!end)
            end = plat_clock_ns() + PATIENCE_NS;
        if (plat_clock_ns() > end)
            fail_msg("%u of %u beats", atomic_load(&r->dev->beats), n);
    }
}

uint64_t rig_reg(struct rig *r, unsigned cpu, unsigned reg)
{
    uint64_t x = 0;

    assert_int_equal(vcpu_reg_get(r->vm->vcpu[cpu], r->pair->isa->reg[reg], &x, 8), 0);
    return x;
}

void rig_end_reg(struct code *c, unsigned reg)
{
    size_t here;

    c->isa->set(c, 7, RIG_DEV);
    c->isa->store(c, 4, reg, 7, RIG_END);
    here = c->at;
    c->isa->jump(c, here);
}

void rig_end(struct code *c, unsigned status)
{
    c->isa->set(c, 6, status);
    rig_end_reg(c, 6);
}
