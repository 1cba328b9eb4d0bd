/* For the unit tests of this folder: a VM with 16 MiB of RAM, harts, and an engine that only counts calls. */
#ifndef CV_GUEST_RISCV64_HART_TEST_H
#define CV_GUEST_RISCV64_HART_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "guest/riscv64/cpu.h"

#define TEST_RAM      UINT64_C(0x80000000)
#define TEST_RAM_SIZE (UINT64_C(16) << 20)

struct test_engine {
    unsigned flushes, contexts, barriers;
    struct flush_scope scope; /* the last one */
};

#include "core/engine_test.h"

/* Harts just after reset: M-mode. With firmware NULL their entry would be S-mode over the built-in SBI. */
static inline struct vm *test_vm(const char *cpu, unsigned harts, const char *firmware, const char *options)
{
    const struct vm_desc desc = {.smp = harts,
                                 .cpu = cpu,
                                 .firmware = firmware,
                                 .machine_options = options,
                                 .memory = TEST_RAM_SIZE,
                                 .deterministic = true};
    char why[160] = "";
    struct vm *vm;

    assert_int_equal(vm_create(&vm, &desc, &guest_riscv64, NULL, &test_engine_ops, why, sizeof(why)), 0);
    assert_int_equal(mem_add_ram(&vm->mem, TEST_RAM, TEST_RAM_SIZE, MEM_RAM, "ram", why, sizeof(why)), 0);
    for (unsigned i = 0; i < harts; i++)
        riscv_reset(vm->vcpu[i]);
    return vm;
}

static inline struct riscv_vcpu *test_hart(struct vm *vm, unsigned i)
{
    return riscv_of(vm->vcpu[i]);
}

/* Access as the hart's present privilege may; false: illegal instruction. */
static inline bool test_csr_read(struct riscv_vcpu *r, unsigned number, uint64_t *value)
{
    struct riscv_csr_info c;

    return riscv_csr_lookup(number, r->priv, false, &c) && riscv_csr_get(r, c.row, value);
}

static inline bool test_csr_write(struct riscv_vcpu *r, unsigned number, uint64_t value)
{
    struct riscv_csr_info c;
    bool done = riscv_csr_lookup(number, r->priv, true, &c) && riscv_csr_set(r, c.row, value, UINT64_MAX);

    riscv_settle(r);
    return done;
}

static inline uint64_t test_csr(struct riscv_vcpu *r, unsigned number)
{
    uint64_t value = 0;

    assert_true(test_csr_read(r, number, &value));
    return value;
}

static inline void test_set(struct riscv_vcpu *r, unsigned number, uint64_t value)
{
    assert_true(test_csr_write(r, number, value));
}

static inline void test_priv(struct riscv_vcpu *r, unsigned priv)
{
    r->priv = (uint8_t)priv;
    riscv_settle(r);
}

#endif
