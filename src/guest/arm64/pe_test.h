/* For the unit tests of this folder: a VM with 16 MiB of RAM, PEs, an engine that only counts calls, a
 * distributor. */
#ifndef CV_GUEST_ARM64_PE_TEST_H
#define CV_GUEST_ARM64_PE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "guest/arm64/sysreg.h"

#define TEST_RAM      UINT64_C(0x40000000)
#define TEST_RAM_SIZE (UINT64_C(16) << 20)

/* In vm->engine_vm. */
struct test_engine {
    unsigned flushes, contexts, barriers;
    struct flush_scope scope; /* the last one */
    struct dist dist;
    uint64_t top; /* what the distributor offers */
    uint32_t lines;
    unsigned activated, deactivated, sent; /* ids, and the mask of the last SGI */
};

#include "core/engine_test.h"

static void test_private(struct dist *d, struct vcpu *v, unsigned input, bool level)
{
    struct test_engine *e = test_engine(v->vm);

    (void)d;
    e->lines = (e->lines & ~(1u << input)) | (uint32_t)level << input;
}

static uint64_t test_top(struct dist *d, struct vcpu *v)
{
    (void)d;
    return test_engine(v->vm)->top;
}

static bool test_activate(struct dist *d, struct vcpu *v, uint64_t top)
{
    struct test_engine *e = test_engine(v->vm);

    (void)d;
    e->activated = DIST_TOP_ID(top);
    e->top = DIST_NONE;
    return true;
}

static void test_deactivate(struct dist *d, struct vcpu *v, unsigned id)
{
    (void)d;
    test_engine(v->vm)->deactivated = id;
}

static void test_software(struct dist *d, struct vcpu *v, unsigned id, unsigned group, uint64_t mask)
{
    (void)d;
    test_engine(v->vm)->sent = id << 16 | group << 8 | (unsigned)mask;
}

static const struct dist_ops test_dist = {.private_input = test_private,
                                          .top = test_top,
                                          .activate = test_activate,
                                          .deactivate = test_deactivate,
                                          .software = test_software};

/* PEs just after reset; a distributor with GICv3's interface where gic says so. */
static inline struct vm *test_vm(const char *cpu, unsigned pes, bool gic)
{
    const struct vm_desc desc = {.smp = pes, .cpu = cpu, .memory = TEST_RAM_SIZE, .deterministic = true};
    char why[160] = "";
    struct vm *vm;

    assert_int_equal(vm_create(&vm, &desc, &guest_arm64, NULL, &test_engine_ops, why, sizeof(why)), 0);
    assert_int_equal(mem_add_ram(&vm->mem, TEST_RAM, TEST_RAM_SIZE, MEM_RAM, "ram", why, sizeof(why)), 0);
    test_engine(vm)->dist.ops = &test_dist;
    test_engine(vm)->top = DIST_NONE;
    for (unsigned i = 0; i < pes; i++) {
        vm->vcpu[i]->dist = gic ? &test_engine(vm)->dist : NULL;
        arm64_reset(vm->vcpu[i]);
    }
    return vm;
}

static inline struct arm64_vcpu *test_pe(struct vm *vm, unsigned i)
{
    return arm64_of(vm->vcpu[i]);
}

/* The instruction's bits of an access with Xt = x5. */
static inline uint32_t test_insn(unsigned code, bool read)
{
    return 0xd5000000u | (uint32_t)read << 21 | code << 5 | 5;
}

/* Access as the PE's present state may; false: an exception (undefined, or a trap). */
static inline bool test_sys_read(struct arm64_vcpu *a, unsigned code, uint64_t *value)
{
    struct arm64_sys_info i;

    if (!arm64_sys_lookup(a->v.mode, code, false, &i)) {
        arm64_undefined(a);
        return false;
    }
    return arm64_sys_read(a, i.row, test_insn(code, true), value);
}

static inline bool test_sys_write(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    struct arm64_sys_info i;

    if (!arm64_sys_lookup(a->v.mode, code, true, &i)) {
        arm64_undefined(a);
        return false;
    }
    if (!arm64_sys_write(a, i.row, test_insn(code, false), value))
        return false;
    arm64_settle(a);
    return true;
}

static inline uint64_t test_sys(struct arm64_vcpu *a, unsigned code)
{
    uint64_t value = 0;

    assert_true(test_sys_read(a, code, &value));
    return value;
}

static inline void test_set(struct arm64_vcpu *a, unsigned code, uint64_t value)
{
    assert_true(test_sys_write(a, code, value));
}

static inline void test_level(struct arm64_vcpu *a, unsigned el)
{
    arm64_level_set(a, el, el != 0);
    arm64_settle(a);
}

static inline unsigned test_ec(const struct arm64_vcpu *a)
{
    return (unsigned)a64_field_get(a->esr_el1, A64_ESR_EC);
}

#endif
