/* PLIC 1.0.0: gateways, priorities, thresholds, enables, claim and completion, contexts. */
#include "device/intc/plic.h"
#include "device/intc/intc_test.h"

#define BASE UINT64_C(0xc000000)
enum { M0, S0, M1, S1 }; /* contexts */

static struct device *plic;

static struct device *create(char *why, size_t why_size)
{
    static const struct plic_context c[] = {
        {0, INPUT_MEI, 0x50}, {0, INPUT_SEI, 0x50}, {1, INPUT_MEI, 0x51}, {1, INPUT_SEI, 0x51}};

    return plic_create(vm, "plic", BASE, c, ARRAY_SIZE(c), 0x101, why, why_size);
}

static void begin(void)
{
    char why[160];

    vm = testvm_new(2);
    plic = create(why, sizeof(why));
    assert_non_null(plic);
}

static void wire(unsigned source, bool level)
{
    struct irq_line line = plic_line(plic, source);

    irq_line_set(&line, level);
}

static void priority(unsigned source, uint32_t p)
{
    set32(BASE + 4 * source, p);
}

static void enable(unsigned context, unsigned source, bool on)
{
    gpa_t at = BASE + 0x2000 + 0x80 * context + source / 32 * 4;
    uint32_t bit = 1u << source % 32;

    set32(at, on ? get32(at) | bit : get32(at) & ~bit);
}

static bool pending(unsigned source)
{
    return get32(BASE + 0x1000 + source / 32 * 4) >> source % 32 & 1;
}

static gpa_t context(unsigned c)
{
    return BASE + 0x200000 + 0x1000 * c;
}

static uint32_t claim(unsigned c)
{
    return get32(context(c) + 4);
}

static void complete(unsigned c, uint32_t source)
{
    set32(context(c) + 4, source);
}

/* Chapter 2: one request through the gateway until its completion, however long the level lasts. */
static void gateway(void **state)
{
    (void)state;
    begin();
    priority(10, 1);
    enable(S0, 10, true);
    wire(10, true);
    assert_true(pending(10));
    assert_true(input(0, INPUT_SEI));
    assert_false(input(0, INPUT_MEI) || input(1, INPUT_MEI) || input(1, INPUT_SEI));
    assert_int_equal(claim(S0), 10);
    assert_false(pending(10) || input(0, INPUT_SEI));
    assert_int_equal(claim(S0), 0);
    wire(10, false);
    wire(10, true);
    assert_false(pending(10)); /* the gateway is closed */
    complete(S0, 10);
    assert_true(pending(10) && input(0, INPUT_SEI)); /* the level still asks */
    assert_int_equal(claim(S0), 10);
    wire(10, false);
    complete(S0, 10);
    assert_false(pending(10) || input(0, INPUT_SEI));
    /* Once forwarded a request stays, also without its level. */
    wire(10, true);
    wire(10, false);
    assert_true(pending(10));
    assert_int_equal(claim(S0), 10);
    complete(S0, 10);
    assert_false(pending(10));
    vm_destroy(vm);
}

/* Chapter 4: higher first, the lower number among equals, priority 0 never. */
static void priorities(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 1; i < PLIC_SOURCES; i++)
        enable(M1, i, true);
    wire(5, true);
    assert_false(input(1, INPUT_MEI));
    priority(5, 2);
    assert_true(input(1, INPUT_MEI));
    wire(40, true);
    wire(95, true);
    priority(40, 2);
    priority(95, 7);
    assert_int_equal(claim(M1), 95);
    assert_int_equal(claim(M1), 5);
    assert_int_equal(claim(M1), 40);
    assert_int_equal(claim(M1), 0);
    /* Eight levels (WARL); source 0 has none. */
    priority(5, 0xff);
    assert_int_equal(get32(BASE + 20), 7);
    priority(0, 3);
    assert_int_equal(get32(BASE), 0);
    assert_int_equal(get32(BASE + 4 * PLIC_SOURCES), 0);
    vm_destroy(vm);
}

/* Chapters 6 to 8: the threshold hides all up to itself from the hart, not from a claim. */
static void thresholds(void **state)
{
    (void)state;
    begin();
    priority(3, 4);
    enable(M0, 3, true);
    set32(context(M0), 4);
    wire(3, true);
    assert_false(input(0, INPUT_MEI));
    set32(context(M0), 3);
    assert_true(input(0, INPUT_MEI));
    set32(context(M0), 7);
    assert_int_equal(get32(context(M0)), 7);
    assert_false(input(0, INPUT_MEI));
    assert_int_equal(claim(M0), 3);
    complete(M0, 3);
    vm_destroy(vm);
}

/* One request goes to all contexts that enabled it; the first claim takes it. */
static void contexts(void **state)
{
    (void)state;
    begin();
    priority(8, 1);
    enable(S0, 8, true);
    enable(S1, 8, true);
    wire(8, true);
    assert_true(input(0, INPUT_SEI) && input(1, INPUT_SEI));
    assert_int_equal(claim(S1), 8);
    assert_false(input(0, INPUT_SEI) || input(1, INPUT_SEI));
    assert_int_equal(claim(S0), 0);
    complete(M0, 8); /* not enabled there: ignored (chapter 9) */
    complete(S1, 0);
    complete(S1, 1000);
    assert_false(pending(8));
    complete(S1, 8);
    assert_true(input(0, INPUT_SEI));
    enable(S0, 8, false);
    assert_false(input(0, INPUT_SEI));
    assert_true(input(1, INPUT_SEI));
    vm_destroy(vm);
}

/* Source 0 cannot be enabled; pending bits are read-only; what does not exist reads 0. */
static void registers(void **state)
{
    (void)state;
    begin();
    set32(BASE + 0x2000, UINT32_MAX);
    assert_int_equal(get32(BASE + 0x2000), ~1u);
    set32(BASE + 0x2000 + 8, UINT32_MAX);
    assert_int_equal(get32(BASE + 0x2000 + 8), UINT32_MAX);
    set32(BASE + 0x2000 + 12, UINT32_MAX);
    assert_int_equal(get32(BASE + 0x2000 + 12), 0);
    set32(BASE + 0x2000 + 4 * 0x80, UINT32_MAX);
    assert_int_equal(get32(BASE + 0x2000 + 4 * 0x80), 0);
    set32(BASE + 0x1000, UINT32_MAX);
    assert_int_equal(get32(BASE + 0x1000), 0);
    assert_int_equal(get32(BASE + 0x1100), 0);
    set32(context(4), 1);
    assert_int_equal(get32(context(4)), 0);
    assert_int_equal(get32(context(0) + 8), 0);
    set(BASE + 4, 8, 5);
    set(BASE + 5, 1, 5);
    assert_int_equal(get32(BASE + 4), 0);
    assert_int_equal(get(BASE + 0x2000, 2), 0);
    wire(0, true);
    wire(PLIC_SOURCES, true);
    assert_int_equal(get32(BASE + 0x1000), 0);
    assert_true(node_has("plic", "sifive,plic-1.0.0"));
    assert_true(node_has("plic", "plic@c000000"));
    vm_destroy(vm);
}

/* A reset forgets all but the wires; those who drive them are reset too. */
static void resets(void **state)
{
    (void)state;
    begin();
    priority(2, 1);
    enable(M0, 2, true);
    wire(2, true);
    assert_true(input(0, INPUT_MEI));
    reset("plic");
    assert_false(input(0, INPUT_MEI));
    assert_int_equal(get32(BASE + 8), 0);
    priority(2, 1);
    enable(M0, 2, true);
    wire(2, false);
    wire(2, true);
    assert_true(input(0, INPUT_MEI));
    vm_destroy(vm);
}

static void hostile(void **state)
{
    (void)state;
    begin();
    hostile_registers("plic", BASE, 0x4000000, 100000);
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
        cmocka_unit_test(gateway),  cmocka_unit_test(priorities), cmocka_unit_test(thresholds),
        cmocka_unit_test(contexts), cmocka_unit_test(registers),  cmocka_unit_test(resets),
        cmocka_unit_test(hostile),  cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests_name("plic", tests, NULL, NULL);
}
