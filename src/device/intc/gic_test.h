/* What the tests of GICs share: a VM of some vCPUs, registers, hostile accesses. */
#ifndef CV_DEVICE_INTC_GIC_TEST_H
#define CV_DEVICE_INTC_GIC_TEST_H

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

#define DIST 0x08000000u

static struct vm *vm;
static struct device *gic;

static inline int teardown(void **state)
{
    (void)state;
    plat_current_set(NULL);
    vm_destroy(vm);
    return 0;
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

static inline void wire(unsigned intid, bool level)
{
    gic->ops->line(gic, intid, level);
}

static inline void ppi(unsigned cpu, unsigned intid, bool level)
{
    struct dist *d = vm->vcpu[cpu]->dist;

    d->ops->private_input(d, vm->vcpu[cpu], intid - 16, level);
}

static inline void gic_reset(void)
{
    plat_lock(&gic->lock);
    gic->ops->reset(gic);
    plat_unlock(&gic->lock);
}

/* The device tree node has this text. */
static inline bool node_has(const struct device *dev, const char *text)
{
    static uint8_t blob[8192];
    size_t size, n = strlen(text);
    struct dtw w;

    dtw_init(&w, blob, sizeof(blob));
    dtw_begin_node(&w, "");
    dev->ops->describe((struct device *)dev, &w);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    for (size_t i = 0; i + n <= size; i++) {
        if (!memcmp(blob + i, text, n))
            return true;
    }
    return false;
}

/* Accesses of any size and place, wires, private inputs. */
static inline void hostile(gpa_t base, uint64_t size, unsigned steps, struct rng *r)
{
    for (unsigned i = 0; i < steps; i++) {
        uint64_t v = rng_below(r, 2) ? rng_below(r, 256) : rng_u64(r);
        uint64_t at = rng_below(r, rng_below(r, 2) ? size : MIN(size, 0x1000u));

        plat_current_set(vm->vcpu[rng_below(r, vm->vcpu_count)]);
        bus_access(vm, base + (rng_below(r, 8) ? at & ~UINT64_C(3) : at), 1u << rng_below(r, 4),
                   rng_below(r, 2), &v);
        wire((unsigned)rng_below(r, 400), rng_below(r, 2));
        ppi((unsigned)rng_below(r, vm->vcpu_count), 16 + (unsigned)rng_below(r, 16), rng_below(r, 2));
    }
    plat_current_set(NULL);
}

/* Each request that `create` makes fails once: it says so, and leaves nothing behind. */
static inline void each_allocation(struct device *(*create)(char *why, size_t why_size))
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
        if (!d) {
            assert_null(mem_find(&vm->mem, DIST));
            assert_null(vm->vcpu[0]->dist);
        }
        vm_destroy(vm);
    }
    assert_int_equal(test_live(), 0);
}

#endif
