/* The exact path: sizes, page crossings, faults before the first visible byte, devices, atomics, code pages.
 */
#include "engine/interp/interp.h"
#include "engine/soft/access.h"
#include "engine/soft/toy_test.h"
#include "lib/err.h"

#define PC (TOY_RAM + 0x100)

static struct toy_vm paged(void)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    x.t->paging = true;
    soft_context_changed(x.v);
    toy_map(&x, 0x4000, TOY_RAM + 0x8000, 0x1000);
    toy_map(&x, 0x5000, TOY_RAM + 0x3000, 0x1000);
    toy_map(&x, 0x6000, TOY_DEV, 0x1000);
    toy_map(&x, 0x7000, TOY_ROM, 0x1000);
    toy_map(&x, 0x8000, 0x50000000, 0x1000); /* nothing there */
    x.v->pc = PC;
    return x;
}

static void took(struct toy_vm *x, uint64_t cause, gva_t va)
{
    assert_int_equal(x->t->cause, cause);
    assert_int_equal(x->t->fault_va, va);
    assert_int_equal(x->t->saved_pc, PC);
    x->t->cause = TOY_NONE;
    x->v->pc = PC;
}

/* Each size at each place around a page's end: bytes come back, and land where they should. */
static void sizes_and_crossings(void **state)
{
    struct toy_vm x = paged();

    (void)state;
    for (unsigned size = 0; size <= 4; size++) {
        for (gva_t va = 0x4fe0; va < 0x5010; va++) {
            uint8_t in[16], out[16] = {0};

            for (unsigned i = 0; i < 16; i++)
                in[i] = (uint8_t)(va * 31 + i * 7 + size);
            assert_int_equal(access_store(x.v, va, size, in), 0);
            for (unsigned i = 0; i < 1u << size; i++)
                assert_int_equal((va + i < 0x5000 ? x.ram + 0x8000 : x.ram + 0x2000)[va + i - 0x4000], in[i]);
            assert_int_equal(access_load(x.v, va, size, out), 0);
            assert_memory_equal(in, out, 1u << size);
        }
    }
    toy_free(&x);
}

static void faults_before_the_first_byte(void **state)
{
    struct toy_vm x = paged();
    uint64_t value = UINT64_MAX;

    (void)state;
    assert_int_equal(access_store(x.v, 0x3ffc, 3, &value), 1);
    took(&x, TOY_FAULT, 0x3ffc);
    x.t->page[1].write = false;
    assert_int_equal(access_store(x.v, 0x4ffc, 3, &value), 1);
    took(&x, TOY_FAULT, 0x5000);
    assert_int_equal(x.ram[0x8ffc], 0);
    x.t->page[1].write = true;
    assert_int_equal(access_store(x.v, 0x7000, 3, &value), 1);
    took(&x, TOY_BUS, 0x7000);
    assert_int_equal(access_load(x.v, 0x7000, 3, &value), 0);
    assert_int_equal(access_load(x.v, 0x8000, 2, &value), 1);
    took(&x, TOY_BUS, 0x8000);
    assert_int_equal(access_load(x.v, 0x4001, 3 | IR_MEM_ALIGNED, &value), 1);
    took(&x, TOY_MISALIGNED, 0x4001);
    toy_free(&x);
}

static void devices(void **state)
{
    struct toy_vm x = paged();
    uint64_t value = 0;

    (void)state;
    assert_int_equal(access_load(x.v, 0x6010, 2, &value), 0);
    assert_int_equal((uint32_t)value, 0x55667788 + 0x10);
    assert_int_equal(x.dev->size, 4);
    value = 0xabcd;
    assert_int_equal(access_store(x.v, 0x6020, 1, &value), 0);
    assert_int_equal(x.dev->value, 0xabcd);
    assert_int_equal(x.dev->offset, 0x20);
    assert_int_equal(x.dev->size, 2);
    /* A misaligned one comes in pieces that a bus knows. */
    x.dev->writes = 0;
    assert_int_equal(access_store(x.v, 0x6021, 2, &value), 0);
    assert_int_equal(x.dev->writes, 3);
    assert_int_equal(x.dev->size, 1);
    /* From RAM into the device. */
    assert_int_equal(access_store(x.v, 0x5ffc, 3, &(uint64_t){UINT64_C(0x1234567800000000)}), 0);
    assert_int_equal(x.dev->value, 0x12345678);
    toy_free(&x);
}

/* Flash: reads by its mode, also behind a filled TLB; stores to the device in both; no atomics. */
static void flash(void **state)
{
    struct toy_vm x = paged();
    uint64_t value = 0x55, old;
    char why[160];

    (void)state;
    assert_int_equal(mem_add_flash(&x.vm->mem, 0x60000000, 0x1000, &x.dev->dev, 0, "flash", why, sizeof(why)),
                     0);
    assert_int_equal(mem_add_flash(&x.vm->mem, 0x60000000, 0x1000, &x.dev->dev, 0, "flash", why, sizeof(why)),
                     -EEXIST);
    assert_int_equal(mem_add_flash(&x.vm->mem, 0x60010000, 1, &x.dev->dev, 0, "flash", why, sizeof(why)),
                     -EINVAL);
    toy_map(&x, 0x9000, 0x60000000, 0x1000);
    ((struct mem_region *)mem_find(&x.vm->mem, 0x60000000))->host[0x10] = 0x77;
    for (unsigned i = 0; i < 6; i++) {
        bool host = i & 1;

        assert_int_equal(mem_flash_set(&x.vm->mem, 0x60000000, host), i > 0);
        mem_flash_announce(&x.vm->mem);
        assert_int_equal(tlb_fill_read(x.v, 0x9010, 4) != NULL, host);
        assert_null(tlb_fill_write(x.v, 0x9010, 4));
        assert_int_equal(tlb_read(soft_of(x.v), 0x9010, 4) != NULL, host);
        assert_int_equal(access_load(x.v, 0x9010, 2, &value), 0);
        assert_int_equal((uint32_t)value, host ? 0x77 : 0x55667788 + 0x10);
        x.dev->value = 0;
        assert_int_equal(access_store(x.v, 0x9010, 2, &(uint32_t){0x99}), 0);
        assert_int_equal(x.dev->value, 0x99);
        assert_int_equal(access_amo(x.v, 0x9010, 2 | IR_AMO_ADD << IR_MEM_AMO_SHIFT, 1, &old), 1);
        took(&x, TOY_BUS, 0x9010);
    }
    assert_int_equal(mem_find(&x.vm->mem, 0x60000000)->host[0x10], 0x77);
    toy_free(&x);
}

static uint64_t amo_once(struct toy_vm *x, enum ir_amo amo, unsigned size, uint64_t old, uint64_t operand)
{
    uint64_t got;

    memcpy(x->ram + 0x8000, &old, 8);
    assert_int_equal(access_amo(x->v, 0x4000, size | (unsigned)amo << IR_MEM_AMO_SHIFT, operand, &got), 0);
    assert_int_equal(got, size == 3 ? old : old & (UINT64_MAX >> (64 - (8u << size))));
    memcpy(&got, x->ram + 0x8000, 8);
    return got;
}

static void amos(void **state)
{
    struct toy_vm x = paged();
    uint64_t m = UINT64_MAX;

    (void)state;
    assert_int_equal(amo_once(&x, IR_AMO_SWAP, 3, 5, 9), 9);
    assert_int_equal(amo_once(&x, IR_AMO_ADD, 3, 5, m), 4);
    assert_int_equal(amo_once(&x, IR_AMO_AND, 3, 12, 10), 8);
    assert_int_equal(amo_once(&x, IR_AMO_OR, 3, 12, 10), 14);
    assert_int_equal(amo_once(&x, IR_AMO_XOR, 3, 12, 10), 6);
    assert_int_equal(amo_once(&x, IR_AMO_MINS, 3, m, 1), m);
    assert_int_equal(amo_once(&x, IR_AMO_MAXS, 3, m, 1), 1);
    assert_int_equal(amo_once(&x, IR_AMO_MINU, 3, m, 1), 1);
    assert_int_equal(amo_once(&x, IR_AMO_MAXU, 3, m, 1), m);
    /* Narrow ones leave the neighbours alone and compare in their width. */
    assert_int_equal(amo_once(&x, IR_AMO_ADD, 2, UINT64_C(0x1ffffffff), 1), UINT64_C(0x100000000));
    assert_int_equal(amo_once(&x, IR_AMO_MINS, 2, UINT64_C(0x180000000), 1), UINT64_C(0x180000000));
    assert_int_equal(amo_once(&x, IR_AMO_MAXU, 0, 0x180, 0x7f), 0x180);
    assert_int_equal(amo_once(&x, IR_AMO_SWAP, 1, 0x12345678, 0xffffabcd), 0x1234abcd);
    toy_free(&x);
}

static void atomics_refuse(void **state)
{
    struct toy_vm x = paged();
    uint64_t old;

    (void)state;
    assert_int_equal(access_amo(x.v, 0x6000, 3, 1, &old), 1);
    took(&x, TOY_BUS, 0x6000);
    assert_int_equal(access_amo(x.v, 0x4004, 3 | IR_MEM_ALIGNED, 1, &old), 1);
    took(&x, TOY_MISALIGNED, 0x4004);
    assert_int_equal(access_amo(x.v, 0x4ffc, 3, 1, &old), 1);
    took(&x, TOY_MISALIGNED, 0x4ffc);
    x.t->page[0].write = false;
    assert_int_equal(access_amo(x.v, 0x4000, 3, 1, &old), 1);
    took(&x, TOY_FAULT, 0x4000);
    toy_free(&x);
}

static void compare_and_swap(void **state)
{
    struct toy_vm x = paged();

    (void)state;
    for (unsigned size = 0; size <= 4; size++) {
        uint8_t cell[16], expect[16], desired[16], old[16] = {0};

        for (unsigned i = 0; i < 16; i++) {
            cell[i] = expect[i] = (uint8_t)(i + 1);
            desired[i] = (uint8_t)(0x80 + i);
        }
        memcpy(x.ram + 0x8010, cell, 16);
        assert_int_equal(access_cas(x.v, 0x4010, size, expect, desired, old), 0);
        assert_memory_equal(old, expect, 1u << size);
        assert_memory_equal(x.ram + 0x8010, desired, 1u << size);
        /* Now it does not match: nothing changes, what is there is told. */
        assert_int_equal(access_cas(x.v, 0x4010, size, expect, cell, old), 0);
        assert_memory_equal(old, desired, 1u << size);
        assert_memory_equal(x.ram + 0x8010, desired, 1u << size);
    }
    toy_free(&x);
}

static unsigned told;
static gpa_t told_of;

static void watch(struct vm *vm, gpa_t gpa, uint64_t len)
{
    (void)vm, (void)len;
    told++;
    told_of = gpa;
}

/* Every kind of store to a watched page is told of, those beside it are not. */
static void watched_stores(void **state)
{
    struct toy_vm x = paged();
    uint64_t v[2] = {0}, seven = 7, fail;

    (void)state;
    told = 0;
    x.vm->watch = watch;
    mem_page_mark(&x.vm->mem, TOY_RAM + 0x8000, MEM_PAGE_WATCH, 0);
    assert_int_equal(access_store(x.v, 0x4010, 3, &seven), 0);
    assert_int_equal(told, 1);
    assert_int_equal(told_of, TOY_RAM + 0x8010);
    assert_int_equal(access_amo(x.v, 0x4018, 3 | IR_AMO_ADD << IR_MEM_AMO_SHIFT, 1, v), 0);
    assert_int_equal(told, 2);
    assert_int_equal(access_cas(x.v, 0x4020, 3, v, &seven, v), 0);
    assert_int_equal(told, 3);
    assert_int_equal(access_lr(x.v, 0x4028, 3, v), 0);
    assert_int_equal(told, 3);
    assert_int_equal(access_sc(x.v, 0x4028, 3, &seven, &fail), 0);
    assert_int_equal(told, 4);
    assert_int_equal(told_of, TOY_RAM + 0x8028);
    assert_int_equal(access_store(x.v, 0x5000, 3, &seven), 0);
    assert_int_equal(told, 4);
    assert_int_equal(access_store(x.v, 0x4ffc, 3, &seven), 0); /* half of it */
    assert_int_equal(told, 5);
    assert_int_equal(told_of, TOY_RAM + 0x8ffc);
    toy_free(&x);
}

static void reservations(void **state)
{
    struct toy_vm x = paged();
    uint64_t v[2], seven = 7, eight = 8, fail;

    (void)state;
    assert_int_equal(access_lr(x.v, 0x4000, 3, v), 0);
    assert_int_equal(access_sc(x.v, 0x4000, 3, &seven, &fail), 0);
    assert_int_equal(fail, 0);
    assert_int_equal(x.ram[0x8000], 7);
    assert_int_equal(access_sc(x.v, 0x4000, 3, &eight, &fail), 0); /* it is used up */
    assert_int_equal(fail, 1);
    access_lr(x.v, 0x4000, 3, v);
    access_sc(x.v, 0x4008, 3, &eight, &fail); /* another address */
    assert_int_equal(fail, 1);
    access_lr(x.v, 0x4000, 3, v);
    access_sc(x.v, 0x4000, 2, &eight, &fail); /* another size */
    assert_int_equal(fail, 1);
    access_lr(x.v, 0x4000, 3, v);
    x.ram[0x8000]++; /* somebody wrote */
    access_sc(x.v, 0x4000, 3, &eight, &fail);
    assert_int_equal(fail, 1);
    assert_int_equal(x.ram[0x8000], 8);
    /* The page may be read only: LR can, SC faults. */
    x.t->page[0].write = false;
    access_lr(x.v, 0x4000, 3, v);
    assert_int_equal(access_sc(x.v, 0x4000, 3, &eight, &fail), 1);
    took(&x, TOY_FAULT, 0x4000);
    toy_free(&x);
}

static void stores_mark_pages(void **state)
{
    struct toy_vm x = paged();
    uint64_t value = 1;
    gpa_t at = TOY_RAM + 0x8000;

    (void)state;
    mem_page_mark(&x.vm->mem, at, 0, MEM_PAGE_DIRTY);
    access_store(x.v, 0x4000, 3, &value);
    assert_int_equal(mem_page_flags(&x.vm->mem, at), MEM_PAGE_DIRTY);
    mem_page_mark(&x.vm->mem, at, 0, MEM_PAGE_DIRTY);
    access_amo(x.v, 0x4000, 3, 1, &value);
    assert_int_equal(mem_page_flags(&x.vm->mem, at), MEM_PAGE_DIRTY);
    toy_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_crossings),
        cmocka_unit_test(faults_before_the_first_byte),
        cmocka_unit_test(devices),
        cmocka_unit_test(flash),
        cmocka_unit_test(amos),
        cmocka_unit_test(atomics_refuse),
        cmocka_unit_test(compare_and_swap),
        cmocka_unit_test(watched_stores),
        cmocka_unit_test(reservations),
        cmocka_unit_test(stores_mark_pages),
    };

    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
