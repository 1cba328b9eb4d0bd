/* The bus: dispatch by window, edges, order of devices, messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "core/irqchip.h"
#include "engine/minimal/testvm.h"
#include "lib/fdt.h"

static int setup(void **state)
{
    *state = testvm_new(2);
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

static void dispatch(void **state)
{
    struct vm *vm = *state;
    struct testvm_device *a = (struct testvm_device *)vm_device(vm, "rec0");
    struct testvm_device *b = testvm_device_new(vm, "rec1");
    uint64_t value = 0;
    char why[160];

    assert_int_equal(device_map(&b->dev, 0, TESTVM_DEV + 0x100, 0x100, why, sizeof(why)), 0);
    assert_int_equal(device_map(&b->dev, 5, TESTVM_DEV + 0x1000, 0x10, why, sizeof(why)), 0);
    assert_int_equal(b->dev.base, TESTVM_DEV + 0x100); /* window 0's */
    assert_int_equal(b->dev.size, 0x100);
    a->answer = 0xaa;
    b->answer = 0xbb;
    for (unsigned size = 1; size <= 8; size *= 2) {
        assert_true(bus_access(vm, TESTVM_DEV + 0x100 - size, size, false, &value));
        assert_int_equal(value, 0xaa);
        assert_int_equal(a->offset, 0x100 - size);
        assert_int_equal(a->size, size);
        value = 0x11 * size;
        assert_true(bus_access(vm, TESTVM_DEV + 0x100, size, true, &value));
        assert_int_equal(b->value, 0x11 * size);
        assert_int_equal(b->offset, 0);
        assert_true(bus_access(vm, TESTVM_DEV + 0x1008, size, false, &value));
        assert_int_equal(b->region, 5);
        assert_int_equal(b->offset, 8);
    }
    assert_int_equal(device_map(&b->dev, 1, TESTVM_DEV + 0x80, 0x100, why, sizeof(why)), -EEXIST);
    assert_non_null(strstr(why, "rec0"));
}

static void nobody_answers(void **state)
{
    struct vm *vm = *state;
    struct testvm_device *a = (struct testvm_device *)vm_device(vm, "rec0");
    uint64_t value = 1;

    assert_false(bus_access(vm, 0, 4, false, &value));
    assert_false(bus_access(vm, TESTVM_RAM, 4, false, &value));        /* RAM is not the bus's */
    assert_false(bus_access(vm, TESTVM_DEV + 0xfd, 4, false, &value)); /* hangs over the end */
    assert_false(bus_access(vm, TESTVM_DEV - 1, 4, true, &value));
    assert_false(bus_access(vm, UINT64_MAX, 8, true, &value));
    assert_int_equal(a->reads + a->writes, 0);
    assert_int_equal(value, 1);
    msi_send(vm, 0x1234, 5); /* dropped */
    msi_send(vm, TESTVM_DEV + 4, 7);
    assert_int_equal(a->value, 7);
    assert_int_equal(a->size, 4);
}

/* A window smaller than the access. */
static void tiny_window(void **state)
{
    struct vm *vm = *state;
    struct testvm_device *b = testvm_device_new(vm, "rec1");
    uint64_t value = 0;
    char why[160];

    assert_int_equal(device_map(&b->dev, 0, 0x2000, 2, why, sizeof(why)), 0);
    assert_true(bus_access(vm, 0x2000, 2, true, &value));
    assert_false(bus_access(vm, 0x2000, 4, true, &value));
    assert_false(bus_access(vm, 0x2001, 8, true, &value));
    assert_int_equal(b->writes, 1);
}

static void found_by_id(void **state)
{
    struct vm *vm = *state;
    struct testvm_device *b = testvm_device_new(vm, "rec1");

    assert_ptr_equal(vm_device(vm, "rec1"), &b->dev);
    assert_null(vm_device(vm, "rec"));
    assert_ptr_equal(vm->devices->next, &b->dev); /* order of adding */
}

static unsigned line_input;
static int line_level[4], line_changes;

static void controller_line(struct device *d, unsigned input, bool level)
{
    (void)d;
    line_input = input;
    line_level[line_changes++ & 3] = level;
}

static void lines(void **state)
{
    static const struct device_ops ops = {.name = "chip", .line = controller_line};
    struct vm *vm = *state;
    struct device chip = {.ops = &ops, .vm = vm};
    struct irq_line line = {.controller = &chip, .input = 9}, open = {0};

    line_changes = 0;
    irq_line_set(&line, true);
    assert_int_equal(line_input, 9);
    irq_line_pulse(&line);
    assert_int_equal(line_changes, 3);
    assert_int_equal(line_level[1], 1);
    assert_int_equal(line_level[2], 0);
    irq_line_set(&open, true);
    irq_line_pulse(&open);
    assert_int_equal(line_changes, 3);
}

static void cpu_inputs(void **state)
{
    struct vm *vm = *state;

    irqchip_cpu_input(vm->vcpu[1], 3, true);
    assert_int_equal(atomic_load(&mock_of(vm->vcpu[1])->pending), 8);
    assert_true(atomic_load(&vm->vcpu[1]->request) & VCPU_REQ_IRQ);
    irqchip_cpu_input(vm->vcpu[1], 3, false);
    assert_int_equal(atomic_load(&mock_of(vm->vcpu[1])->pending), 0);
    assert_int_equal(atomic_load(&vm->vcpu[0]->request), 0);
}

static void tree_node(void **state)
{
    struct vm *vm = *state;
    struct irq_line line = {.dt_cells = 2, .dt = {10, 4}}, open = {0};
    static struct dtw w;
    uint8_t blob[8192];
    uint64_t reg[2];
    struct dtb d;
    size_t size;
    uint32_t n, cell;
    dtb_node node;

    dtw_init(&w, blob, sizeof(blob));
    dtw_begin_node(&w, "");
    device_node_begin(vm_device(vm, "rec0"), &w, "rec");
    device_node_irq(&w, &line);
    device_node_irq(&w, &open);
    dtw_end_node(&w);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    assert_int_equal(dtb_open(&d, blob, size), 0);
    node = dtb_path(&d, "/rec@10000000");
    assert_int_not_equal(node, DTB_NONE);
    assert_non_null(dtb_prop(&d, node, "reg", &n));
    memcpy(reg, dtb_prop(&d, node, "reg", &n), sizeof(reg));
    assert_int_equal(__builtin_bswap64(reg[0]), TESTVM_DEV);
    assert_int_equal(__builtin_bswap64(reg[1]), 0x100);
    assert_int_equal(dtb_u32(&d, node, "interrupts", 1, &cell), 0);
    assert_int_equal(cell, 4);
    assert_int_equal(dtb_u32(&d, node, "interrupts", 2, &cell), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dispatch, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(tiny_window, setup, teardown),
        cmocka_unit_test_setup_teardown(found_by_id, setup, teardown),
        cmocka_unit_test_setup_teardown(lines, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_inputs, setup, teardown),
        cmocka_unit_test_setup_teardown(tree_node, setup, teardown),
    };

    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
