/* IMSIC (AIA 1.0, chapter 3): interrupt files by MSI and by indirect registers. */
#include "device/intc/imsic.h"
#include "device/intc/intc_test.h"

#define BASE UINT64_C(0x28000000)
enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP0 = 0x80, EIE0 = 0xc0 };

static struct device *create(char *why, size_t why_size)
{
    static const struct imsic_config c = {
        .base = BASE, .supervisor = true, .input = INPUT_SEI, .phandle = 0x105, .cpu_phandle = cpu_phandle};

    return imsic_create(vm, "imsic-s", &c, why, why_size);
}

static void begin(void)
{
    char why[160];

    vm = testvm_new(2);
    assert_non_null(create(why, sizeof(why)));
    assert_null(vm->vcpu[0]->msi[0]);
    reset("imsic-s");
}

static struct msi_file *file(unsigned hart)
{
    return vm->vcpu[hart]->msi[1];
}

/* Old value of a register, of which the bits of mask become those of value. */
static uint64_t put(unsigned hart, uint64_t select, uint64_t value, uint64_t mask)
{
    uint64_t old = 0;

    assert_true(file(hart)->ops->write(file(hart), select, value, mask, &old));
    return old;
}

static uint64_t peek(unsigned hart, uint64_t select)
{
    uint64_t value = 0;

    assert_true(file(hart)->ops->read(file(hart), select, &value));
    return value;
}

static unsigned top(unsigned hart, bool claim)
{
    uint64_t t = file(hart)->ops->top(file(hart), claim);

    assert_int_equal(t >> 16, t & 0x7ff); /* 3.10: identity and priority are the same number */
    return (unsigned)(t >> 16);
}

static void msi(unsigned hart, uint32_t identity)
{
    set32(BASE + 0x1000 * hart, identity);
}

static void open_all(unsigned hart)
{
    put(hart, EIDELIVERY, 1, UINT64_MAX);
    for (unsigned i = 0; i < 8; i += 2)
        put(hart, EIE0 + i, UINT64_MAX, UINT64_MAX);
}

/* 3.5: a write of an identity to seteipnum_le makes it pending in that hart's file alone. */
static void messages(void **state)
{
    (void)state;
    begin();
    open_all(0);
    open_all(1);
    msi(1, 70);
    assert_true(input(1, INPUT_SEI));
    assert_false(input(0, INPUT_SEI));
    assert_true(peek(1, EIP0 + 2) == BIT(6));
    assert_int_equal(peek(0, EIP0 + 2), 0);
    msi(1, 9);
    msi(1, 255);
    assert_int_equal(top(1, false), 9); /* lower numbers first */
    assert_int_equal(top(1, true), 9);
    assert_int_equal(top(1, true), 70);
    assert_true(input(1, INPUT_SEI));
    assert_int_equal(top(1, true), 255);
    assert_false(input(1, INPUT_SEI));
    assert_int_equal(top(1, true), 0);
    vm_destroy(vm);
}

/* Identities that do not exist, other sizes and other places of the page are ignored; reads give 0. */
static void ignored(void **state)
{
    (void)state;
    begin();
    open_all(0);
    msi(0, 0);
    msi(0, 256);
    msi(0, UINT32_MAX);
    set32(BASE + 4, 0x05000000); /* big-endian */
    set32(BASE + 8, 5);
    set(BASE, 8, 5);
    set(BASE, 2, 5);
    set(BASE, 1, 5);
    assert_int_equal(top(0, false), 0);
    assert_int_equal(get32(BASE), 0);
    assert_int_equal(get32(BASE + 4), 0);
    vm_destroy(vm);
}

/* 3.8.1, 3.8.2: delivery gates the hart's input, not the claim; a threshold of P hides P and above. */
static void delivery_and_threshold(void **state)
{
    (void)state;
    begin();
    open_all(0);
    put(0, EIDELIVERY, 0, UINT64_MAX);
    msi(0, 5);
    assert_false(input(0, INPUT_SEI));
    assert_int_equal(top(0, false), 5);
    put(0, EIDELIVERY, 1, UINT64_MAX);
    assert_true(input(0, INPUT_SEI));
    put(0, EITHRESHOLD, 5, UINT64_MAX);
    assert_false(input(0, INPUT_SEI));
    assert_int_equal(top(0, true), 0);
    put(0, EITHRESHOLD, 6, UINT64_MAX);
    assert_true(input(0, INPUT_SEI));
    put(0, EITHRESHOLD, 0, UINT64_MAX);
    assert_int_equal(top(0, true), 5);
    /* Writable bits: one of delivery, identities of threshold. */
    put(0, EIDELIVERY, UINT64_MAX, UINT64_MAX);
    put(0, EITHRESHOLD, UINT64_MAX, UINT64_MAX);
    assert_int_equal(peek(0, EIDELIVERY), 1);
    assert_int_equal(peek(0, EITHRESHOLD), 255);
    vm_destroy(vm);
}

/* 3.8.3, 3.8.4: pending and enable bits by register, 64 a register on RV64; identity 0 does not exist. */
static void arrays(void **state)
{
    uint64_t dummy;

    (void)state;
    begin();
    put(0, EIDELIVERY, 1, UINT64_MAX);
    put(0, EIP0, UINT64_MAX, UINT64_MAX);
    assert_true(peek(0, EIP0) == ~UINT64_C(1));
    assert_false(input(0, INPUT_SEI));
    assert_int_equal(put(0, EIE0, BIT(3) | BIT(7), BIT(3) | BIT(9)), 0);
    assert_true(peek(0, EIE0) == BIT(3));
    assert_true(input(0, INPUT_SEI));
    assert_true(put(0, EIP0, 0, BIT(3)) == ~UINT64_C(1));
    assert_false(input(0, INPUT_SEI));
    put(0, EIE0, 1, 1);
    assert_true(peek(0, EIE0) == BIT(3));
    put(0, EIE0 + 6, BIT(63), BIT(63));
    put(0, EIP0 + 6, BIT(63), BIT(63));
    assert_int_equal(top(0, false), 255);
    /* Registers of identities that are not implemented are read-only zeros; odd ones do not exist. */
    for (uint64_t select = EIP0 + 8; select < EIE0; select += 2) {
        put(0, select, UINT64_MAX, UINT64_MAX);
        put(0, select + EIE0 - EIP0, UINT64_MAX, UINT64_MAX);
        assert_true(peek(0, select) == 0 && peek(0, select + EIE0 - EIP0) == 0);
    }
    for (uint64_t select = 0; select < 0x200; select++) {
        bool exists = select == EIDELIVERY || select == EITHRESHOLD ||
                      (select >= EIP0 && select <= 0xff && select % 2 == 0);

        assert_int_equal(file(0)->ops->read(file(0), select, &dummy), exists);
    }
    vm_destroy(vm);
}

static void resets(void **state)
{
    (void)state;
    begin();
    open_all(1);
    msi(1, 4);
    assert_true(input(1, INPUT_SEI));
    reset("imsic-s");
    assert_false(input(1, INPUT_SEI));
    assert_int_equal(peek(1, EIDELIVERY) + peek(1, EIP0) + peek(1, EIE0), 0);
    assert_true(node_has("imsic-s", "riscv,imsics"));
    vm_destroy(vm);
}

static void hostile(void **state)
{
    struct rng r;
    uint64_t v;

    (void)state;
    begin();
    rng_init(&r, 3);
    for (unsigned i = 0; i < 100000; i++) {
        v = rng_below(&r, 2) ? rng_u64(&r) : rng_below(&r, 300);
        if (i % 2)
            file(0)->ops->write(file(0), rng_below(&r, 0x110), v, rng_u64(&r), &v);
        else
            bus_access(vm, BASE + rng_below(&r, 0x2000), 1u << rng_below(&r, 4), true, &v);
        top(0, rng_below(&r, 2));
    }
    hostile_registers("imsic-s", BASE, 0x2000, 10000);
    vm_destroy(vm);
}

static void no_memory(void **state)
{
    (void)state;
    each_allocation(create, BASE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),  cmocka_unit_test(ignored), cmocka_unit_test(delivery_and_threshold),
        cmocka_unit_test(arrays),    cmocka_unit_test(resets),  cmocka_unit_test(hostile),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("imsic", tests, NULL, NULL);
}
