/* What the tests of interrupt controllers share: a VM of some vCPUs, registers, and what its CPUs see. */
#ifndef CV_DEVICE_INTC_INTC_TEST_H
#define CV_DEVICE_INTC_INTC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "core/irqchip.h"
#include "engine/minimal/testvm.h"
#include "lib/fdt.h"
#include "lib/rng.h"
#include "platform/test/test_platform.h"

enum { INPUT_MSI = 3, INPUT_MTI = 7, INPUT_SEI = 9, INPUT_MEI = 11 };

static struct vm *vm;

static inline uint32_t cpu_phandle(unsigned hart)
{
    return 0x50 + hart;
}

static inline uint64_t get(gpa_t at, unsigned size)
{
    uint64_t v = 0;

    assert_true(bus_access(vm, at, size, false, &v));
    return v;
}

static inline void set(gpa_t at, unsigned size, uint64_t v)
{
    assert_true(bus_access(vm, at, size, true, &v));
}

static inline uint32_t get32(gpa_t at)
{
    return (uint32_t)get(at, 4);
}

static inline void set32(gpa_t at, uint32_t v)
{
    set(at, 4, v);
}

static inline bool input(unsigned cpu, unsigned n)
{
    return atomic_load(&mock_of(vm->vcpu[cpu])->pending) >> n & 1;
}

static inline void reset(const char *id)
{
    struct device *d = vm_device(vm, id);

    plat_lock(&d->lock);
    d->ops->reset(d);
    plat_unlock(&d->lock);
}

/* The device tree node of a device, for strings to be looked for in it. */
static inline bool node_has(const char *id, const char *text)
{
    static uint8_t blob[8192];
    struct device *d = vm_device(vm, id);
    size_t size, n = strlen(text);
    struct dtw w;

    dtw_init(&w, blob, sizeof(blob));
    dtw_begin_node(&w, "");
    d->ops->describe(d, &w);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    for (size_t i = 0; i + n <= size; i++) {
        if (!memcmp(blob + i, text, n))
            return true;
    }
    return false;
}

/* Each request that `create` makes fails once: it says so, and leaves nothing behind. */
static inline void each_allocation(struct device *(*create)(char *why, size_t why_size), gpa_t base)
{
    struct device *d = NULL;
    char why[160];

    for (uint64_t n = 1; !d; n++) {
        vm = testvm_new(2);
        why[0] = 0;
        test_fail_at(n);
        d = create(why, sizeof(why));
        assert_int_equal(!d, test_failed());
        test_fail_at(0);
        assert_int_equal(!d, why[0] != 0);
        if (!d)
            assert_null(mem_find(&vm->mem, base));
        vm_destroy(vm);
    }
    assert_int_equal(test_live(), 0);
}

/* Accesses of any size and place; afterwards the device still answers and resets. */
static inline void hostile_registers(const char *id, gpa_t base, uint64_t size, unsigned steps)
{
    struct device *d = vm_device(vm, id);
    struct rng r;

    rng_init(&r, 11);
    for (unsigned i = 0; i < steps; i++) {
        uint64_t v = rng_below(&r, 2) ? rng_below(&r, 256) : rng_u64(&r);
        uint64_t at = rng_below(&r, rng_below(&r, 2) ? size : MIN(size, 0x4000u));

        bus_access(vm, base + (rng_below(&r, 8) ? at & ~UINT64_C(3) : at), 1u << rng_below(&r, 4),
                   rng_below(&r, 2), &v);
        if (d->ops->line)
            d->ops->line(d, (unsigned)rng_below(&r, 128), rng_below(&r, 2));
    }
    vm_hash(vm);
    reset(id);
}

#endif
