/* The unit table: finding, killing by written bytes, making against writers, bounded memory, release. */
#include "engine/interp/interp.h"
#include "engine/soft/toy_test.h"
#include "lib/err.h"

#define CODE (TOY_RAM + 0x4000)

static struct unit *make(struct toy_vm *x, gpa_t gpa, gpa_t gpa2, uint64_t mode, uint64_t lines,
                         uint32_t size)
{
    struct unit *u = units_alloc(x->vm);
    struct units_build b;

    u->gpa = gpa;
    u->gpa2 = gpa2;
    u->mode = mode;
    u->lines[0] = lines;
    u->lines[1] = gpa2 != UNIT_NO_PAGE;
    u->size = size;
    assert_int_equal(units_begin(x->v, &b, gpa, gpa2), 0);
    assert_int_equal(units_insert(x->v, &b, &u), 0);
    return u;
}

static uint8_t flags(struct toy_vm *x, gpa_t gpa)
{
    return mem_page_flags(&x->vm->mem, gpa) & MEM_PAGE_CODE;
}

static void find_and_kill(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    struct unit *a = make(&x, CODE, UNIT_NO_PAGE, 1, 1, 100),
                *b = make(&x, CODE + 64, UNIT_NO_PAGE, 1, 2, 100);
    struct units_stat st;

    (void)state;
    assert_ptr_equal(units_find(x.vm, CODE, 1), a);
    assert_ptr_equal(units_find(x.vm, CODE + 64, 1), b);
    assert_null(units_find(x.vm, CODE, 2));
    assert_null(units_find(x.vm, CODE + 4, 1));
    assert_int_equal(flags(&x, CODE), MEM_PAGE_CODE);
    /* A write next to code: it lives. One into it: it dies, alone. */
    units_written(x.vm, CODE + 128, 8);
    assert_ptr_equal(units_find(x.vm, CODE, 1), a);
    units_written(x.vm, CODE + 60, 4);
    assert_null(units_find(x.vm, CODE, 1));
    assert_true(unit_dead(a));
    assert_ptr_equal(units_find(x.vm, CODE + 64, 1), b);
    assert_int_equal(flags(&x, CODE), MEM_PAGE_CODE);
    /* With the last one the page is no CODE page. */
    units_written(x.vm, CODE + 4, 100);
    assert_int_equal(flags(&x, CODE), 0);
    units_stat(x.vm, &st);
    assert_int_equal(st.count, 0);
    assert_int_equal(st.bytes, 0);
    assert_int_equal(st.killed, 2);
    toy_free(&x);
}

/* What a store may be beside, and that pages whose numbers agree in the lower bits are looked at together. */
static void beside(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    assert_true(units_beside(x.vm, CODE, 4096));
    make(&x, CODE, UNIT_NO_PAGE, 1, 1 | BIT(5), 100);
    assert_false(units_beside(x.vm, CODE + 56, 8));
    assert_true(units_beside(x.vm, CODE + 64, 16));
    assert_false(units_beside(x.vm, CODE + 312, 16));
    assert_true(units_beside(x.vm, CODE + 0x1000, 8));
    assert_false(units_beside(x.vm, CODE + (UINT64_C(1) << 28), 8));
    make(&x, CODE + 0xffe, TOY_RAM + 0x9000, 1, BIT(63), 100);
    assert_false(units_beside(x.vm, TOY_RAM + 0x9000, 1));
    units_written(x.vm, CODE, 1);
    assert_true(units_beside(x.vm, CODE + 56, 8));
    assert_false(units_beside(x.vm, CODE + 4088, 8));
    units_flush(x.vm);
    assert_true(units_beside(x.vm, CODE, 4096));
    toy_free(&x);
}

static void two_pages(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    gpa_t second = TOY_RAM + 0x9000;

    (void)state;
    make(&x, CODE + 0xffe, second, 1, BIT(63), 100);
    assert_int_equal(flags(&x, CODE), MEM_PAGE_CODE);
    assert_int_equal(flags(&x, second), MEM_PAGE_CODE);
    units_written(x.vm, second + 1, 1);
    assert_null(units_find(x.vm, CODE + 0xffe, 1));
    assert_int_equal(flags(&x, CODE), 0);
    assert_int_equal(flags(&x, second), 0);
    /* The same first part with another second page takes its place. */
    make(&x, CODE + 0xffe, second, 1, BIT(63), 100);
    make(&x, CODE + 0xffe, second + 0x1000, 1, BIT(63), 100);
    assert_int_equal(units_find(x.vm, CODE + 0xffe, 1)->gpa2, second + 0x1000);
    assert_int_equal(flags(&x, second), 0);
    /* Both parts on one page (it is mapped twice). */
    make(&x, CODE + 0xffe, CODE, 2, BIT(63) | 1, 100);
    units_written(x.vm, CODE, 2);
    assert_null(units_find(x.vm, CODE + 0xffe, 2));
    units_written(x.vm, CODE, 4096);
    assert_int_equal(flags(&x, CODE), 0);
    toy_free(&x);
}

/* Bytes were written between begin and insert: what was read may be old. */
static void writer_meets_builder(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    struct unit *u = units_alloc(x.vm);
    struct units_build b;

    (void)state;
    u->gpa = CODE;
    u->lines[0] = 1;
    u->size = 10;
    assert_int_equal(units_begin(x.v, &b, CODE, UNIT_NO_PAGE), 0);
    assert_int_equal(flags(&x, CODE), MEM_PAGE_CODE);
    units_written(x.vm, CODE + 2048, 1);
    assert_int_equal(units_insert(x.v, &b, &u), -EAGAIN);
    assert_int_equal(flags(&x, CODE), 0);
    assert_int_equal(units_begin(x.v, &b, CODE, UNIT_NO_PAGE), 0);
    assert_int_equal(units_insert(x.v, &b, &u), 0);
    assert_ptr_equal(units_find(x.vm, CODE, 0), u);
    /* Not RAM: no unit. */
    assert_int_equal(units_begin(x.v, &b, TOY_DEV, UNIT_NO_PAGE), -EFAULT);
    assert_int_equal(units_begin(x.v, &b, CODE, TOY_DEV), -EFAULT);
    assert_int_equal(units_begin(x.v, &b, TOY_RAM, UNIT_NO_PAGE), 0);
    units_abort(x.v, &b);
    assert_int_equal(flags(&x, TOY_RAM), 0);
    toy_free(&x);
}

static void second_maker_gets_the_first(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    struct unit *a = make(&x, CODE, UNIT_NO_PAGE, 1, 1, 100);

    (void)state;
    assert_ptr_equal(make(&x, CODE, UNIT_NO_PAGE, 1, 1, 100), a);
    toy_free(&x);
}

/* Over the bound the oldest pages go, and what is there fits. */
static void bounded(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    struct units_stat st;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        units_safepoint(x.v);
        make(&x, TOY_RAM + i % 64 * 0x1000 + i * 4 % 4096, UNIT_NO_PAGE, i, 1, 100000);
        units_stat(x.vm, &st);
        assert_true(st.bytes <= 17u << 20);
    }
    units_stat(x.vm, &st);
    assert_true(st.evicted > 1000);
    units_flush(x.vm);
    units_stat(x.vm, &st);
    assert_int_equal(st.count, 0);
    toy_free(&x);
}

static void fill(struct toy_vm *x, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        units_safepoint(x->v);
        make(x, TOY_RAM + 0x10000 + i % 32 * 0x1000, UNIT_NO_PAGE, i, 1, 100000);
    }
}

/* What was compiled outlives one turn of the oldest, not two. */
static void compiled_ones_stay_longer(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);
    struct units_stat st;

    (void)state;
    atomic_store(&make(&x, CODE, UNIT_NO_PAGE, 1, 1, 100000)->jit, &x);
    make(&x, CODE + 64, UNIT_NO_PAGE, 1, 2, 100000);
    fill(&x, 0, 170);
    assert_non_null(units_find(x.vm, CODE + 64, 1));
    fill(&x, 170, 10);
    assert_null(units_find(x.vm, CODE + 64, 1));
    assert_non_null(units_find(x.vm, CODE, 1));
    assert_int_equal(flags(&x, CODE), MEM_PAGE_CODE);
    fill(&x, 180, 400);
    assert_null(units_find(x.vm, CODE, 1));
    assert_int_equal(flags(&x, CODE), 0);
    units_stat(x.vm, &st);
    assert_true(st.bytes <= 17u << 20);
    toy_free(&x);
}

/* Memory of dead units is released only after each vCPU inside has emptied its jump hash. */
static void release_waits(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 2);
    struct vcpu *other = x.vm->vcpu[1];
    struct soft_vcpu *s = soft_of(other);
    struct unit *u;

    (void)state;
    soft_context_changed(x.v);
    soft_context_changed(other);
    units_safepoint(x.v);
    units_safepoint(other);
    u = make(&x, CODE, UNIT_NO_PAGE, 1, 1, 2u << 20); /* its death alone makes release due */
    soft_jump_set(s, 0x4000, u, false);
    units_written(x.vm, CODE, 1);
    for (unsigned i = 0; i < 5; i++)
        units_safepoint(x.v);
    assert_ptr_equal(s->jumps[soft_jump_index(0x4000)].target, u);
    assert_true(unit_dead(u)); /* still there to be looked at */
    units_safepoint(other);
    assert_null(s->jumps[soft_jump_index(0x4000)].target);
    units_safepoint(x.v);
    /* One outside the engine is not waited for, and comes back to an empty hash. */
    u = make(&x, CODE, UNIT_NO_PAGE, 1, 1, 2u << 20);
    soft_jump_set(s, 0x4000, u, false);
    units_leave(other);
    units_written(x.vm, CODE, 1);
    units_safepoint(x.v);
    units_safepoint(x.v);
    units_safepoint(x.v);
    units_safepoint(other);
    assert_null(s->jumps[soft_jump_index(0x4000)].target);
    units_leave(x.v);
    units_leave(other);
    toy_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_and_kill),
        cmocka_unit_test(beside),
        cmocka_unit_test(two_pages),
        cmocka_unit_test(writer_meets_builder),
        cmocka_unit_test(second_maker_gets_the_first),
        cmocka_unit_test(bounded),
        cmocka_unit_test(compiled_ones_stay_longer),
        cmocka_unit_test(release_waits),
    };

    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
