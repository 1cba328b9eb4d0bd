/* Field tables: hash and dump; the hash of a whole VM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "engine/minimal/testvm.h"
#include "lib/hash.h"

struct thing {
    uint8_t byte;
    uint32_t words[3];
    uint64_t hidden, wide[4];
};

static const struct state_field thing_state[] = {
    STATE_FIELD(struct thing, byte, 0, 0),
    STATE_ARRAY(struct thing, words, 0, 0),
    STATE_FIELD(struct thing, hidden, 0, STATE_NOHASH),
    {"wide", offsetof(struct thing, wide), 32, 1, 0, 0},
    STATE_END,
};

static uint64_t hash_of(const struct thing *t)
{
    struct hash h;

    hash_init(&h, 0);
    state_hash(thing_state, t, &h);
    return hash_final(&h);
}

static void hash_of_fields(void **state)
{
    struct thing t = {0};
    uint64_t base = hash_of(&t);

    (void)state;
    memset((char *)&t + 1, 0xff, 3); /* padding */
    t.hidden = 1;
    assert_int_equal(hash_of(&t), base);
    t.byte = 1;
    assert_int_not_equal(hash_of(&t), base);
    t.byte = 0;
    for (unsigned i = 0; i < 3; i++) {
        t.words[i] = 0x80000000;
        assert_int_not_equal(hash_of(&t), base);
        t.words[i] = 0;
    }
    t.wide[3] = 1;
    assert_int_not_equal(hash_of(&t), base);
    t.wide[3] = 0;
    assert_int_equal(hash_of(&t), base);
}

struct lines {
    char text[16][128];
    unsigned n;
};

static void keep_line(void *opaque, const char *line)
{
    struct lines *l = opaque;

    if (l->n < ARRAY_SIZE(l->text))
        snprintf(l->text[l->n], sizeof(l->text[0]), "%s", line);
    l->n++;
}

static void dump_of_fields(void **state)
{
    struct thing t = {.byte = 0xa5, .words = {1, 0xdeadbeef, 3}, .hidden = 7, .wide = {1, 2, 3, 0x1234}};
    struct lines l = {0};

    (void)state;
    state_dump(thing_state, &t, "t0", keep_line, &l);
    assert_int_equal(l.n, 6);
    assert_string_equal(l.text[0], "t0.byte = a5");
    assert_string_equal(l.text[2], "t0.words[1] = deadbeef");
    assert_string_equal(l.text[4], "t0.hidden = 0000000000000007");
    assert_string_equal(l.text[5],
                        "t0.wide = 0000000000001234000000000000000300000000000000020000000000000001");
}

static void no_table(void **state)
{
    struct lines l = {0};
    struct hash h;

    (void)state;
    hash_init(&h, 0);
    state_hash(NULL, NULL, &h);
    state_dump(NULL, NULL, "x", keep_line, &l);
    assert_int_equal(l.n, 0);
}

/* Everything that the guest can see is in the hash; what the host counts is not. */
static void hash_of_vm(void **state)
{
    struct vm *vm = testvm_new(2);
    struct testvm_device *d = (struct testvm_device *)vm_device(vm, "rec0");
    uint64_t base = vm_hash(vm), x = 1, zero = 0;
    char b = 1;

    (void)state;
    assert_int_equal(vm_hash(vm), base);
    assert_int_equal(vcpu_reg_set(vm->vcpu[1], "r7", &x, 8), 0);
    assert_int_not_equal(vm_hash(vm), base);
    assert_int_equal(vcpu_reg_set(vm->vcpu[1], "r7", &zero, 8), 0);
    assert_int_equal(vm_hash(vm), base);
    assert_int_equal(vcpu_reg_set(vm->vcpu[0], "r7", &x, 8), 0);
    x = vm_hash(vm);
    assert_int_not_equal(x, base);
    assert_int_equal(vcpu_reg_set(vm->vcpu[0], "r7", &zero, 8), 0);
    vm->vcpu[1]->pc = 4;
    assert_int_not_equal(vm_hash(vm), base);
    vm->vcpu[1]->pc = 0;
    atomic_store(&vm->vcpu[1]->power, VCPU_ON);
    assert_int_not_equal(vm_hash(vm), base);
    atomic_store(&vm->vcpu[1]->power, VCPU_OFF);
    d->value = 1;
    assert_int_not_equal(vm_hash(vm), base);
    d->value = 0;
    d->reads = 1; /* STATE_NOHASH */
    vm->vcpu[0]->stat.exceptions = 1;
    assert_int_equal(vm_hash(vm), base);
    mem_write(&vm->mem, TESTVM_RAM + TESTVM_SIZE - 1, &b, 1);
    assert_int_not_equal(vm_hash(vm), base);
    vm_destroy(vm);
}

static void dump_of_vm(void **state)
{
    struct vm *vm = testvm_new(2);
    struct lines l = {0};

    (void)state;
    vm_dump(vm, keep_line, &l);
    /* Per CPU 16 + 6 + 1 + 4 + 2 fields and pc, then three fields of the device; RAM is zeros. */
    assert_int_equal(l.n, 2 * (16 + 6 + 1 + 4 + 2 + 1) + 3);
    assert_string_equal(l.text[0], "cpu0.r[0] = 0000000000000000");
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_of_fields), cmocka_unit_test(dump_of_fields), cmocka_unit_test(no_table),
        cmocka_unit_test(hash_of_vm),     cmocka_unit_test(dump_of_vm),
    };

    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
