/* A VM of mock guest and minimal engine for unit tests: 64 KiB of RAM, a device that records accesses. */
#ifndef CV_ENGINE_MINIMAL_TESTVM_H
#define CV_ENGINE_MINIMAL_TESTVM_H

#include "core/vm.h"
#include "engine/minimal/minimal.h"
#include "engine/minimal/mock.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define TESTVM_RAM  0x80000000u
#define TESTVM_SIZE 0x10000u
#define TESTVM_DEV  0x10000000u

/* Remembers the last access; reads give `answer`. A write to offset 0x80 ends the VM with that status. */
struct testvm_device {
    struct device dev;
    uint64_t answer, value, reads, writes, offset;
    uint32_t size, region;
    uint32_t resets, quiesces;
};

static inline uint64_t testvm_device_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct testvm_device *t = (struct testvm_device *)d;

    t->reads++;
    t->region = region;
    t->offset = offset;
    t->size = size;
    return t->answer;
}

static inline void testvm_device_write(struct device *d, unsigned region, uint64_t offset, unsigned size,
                                       uint64_t value)
{
    struct testvm_device *t = (struct testvm_device *)d;

    t->writes++;
    t->region = region;
    t->offset = offset;
    t->size = size;
    t->value = value;
    if (offset == 0x80)
        vm_system(d->vm, SYSTEM_STATUS, (unsigned)value, "by the test device");
}

static inline void testvm_device_reset(struct device *d)
{
    ((struct testvm_device *)d)->resets++;
}

static inline void testvm_device_quiesce(struct device *d)
{
    ((struct testvm_device *)d)->quiesces++;
}

static inline void testvm_device_destroy(struct device *d)
{
    device_fini(d);
    plat_free(d);
}

static const struct state_field testvm_device_state[] = {
    STATE_FIELD(struct testvm_device, answer, 0, 0),
    STATE_FIELD(struct testvm_device, value, 0, STATE_REG),
    STATE_FIELD(struct testvm_device, reads, 0, STATE_NOHASH),
    STATE_END,
};

static const struct device_ops testvm_device_ops = {
    .name = "recorder",
    .state = testvm_device_state,
    .read = testvm_device_read,
    .write = testvm_device_write,
    .reset = testvm_device_reset,
    .quiesce = testvm_device_quiesce,
    .destroy = testvm_device_destroy,
};

static inline struct testvm_device *testvm_device_new(struct vm *vm, const char *id)
{
    char why[160];
    struct testvm_device *d = device_alloc(sizeof(*d), why, sizeof(why));

    if (!d)
        return NULL;
    device_init(&d->dev, &testvm_device_ops, vm, id);
    device_add(&d->dev);
    return d;
}

/* NULL when anything fails; why has the reason. */
static inline struct vm *testvm_try(const struct vm_desc *desc, char *why, size_t why_size)
{
    struct testvm_device *d;
    struct vm *vm;

    if (vm_create(&vm, desc, &guest_mock, NULL, &engine_minimal, why, why_size))
        return NULL;
    d = testvm_device_new(vm, "rec0");
    if (!d)
        fmt_snprintf(why, why_size, "rec0: no memory");
    if (!d || mem_add_ram(&vm->mem, TESTVM_RAM, TESTVM_SIZE, MEM_RAM, "ram", why, why_size) ||
        device_map(&d->dev, 0, TESTVM_DEV, 0x100, why, why_size)) {
        vm_destroy(vm);
        return NULL;
    }
    return vm;
}

static inline struct vm *testvm_new(unsigned smp)
{
    struct vm_desc desc = {.name = "test", .smp = smp};
    char why[160];
    struct vm *vm = testvm_try(&desc, why, sizeof(why));

    BUG_ON(!vm);
    return vm;
}

/* vm->boot of tests that load their program themselves: CPU 0 on, at the start of RAM. */
static inline int testvm_boot(struct vm *vm, char *why, size_t why_size)
{
    (void)why;
    (void)why_size;
    atomic_store(&vm->vcpu[0]->power, VCPU_ON);
    return vcpu_set_entry(vm->vcpu[0], TESTVM_RAM, 0, 0);
}

#endif
