/* Split virtqueues: good chains, every malformed form, notification by flags and by event index. */
#include "device/virtio/virtio_test.h"
#include "lib/err.h"

#define ROM 0x70000000u

struct fixture {
    struct drv d;
    struct virtq q;
    struct virtq_chain c;
};

static void fixture_init(struct fixture *f, bool event_index, bool indirect)
{
    char why[160];

    drv_init(&f->d, false);
    assert_int_equal(mem_add_ram(&f->d.vm->mem, ROM, 0x1000, MEM_ROM, "rom", why, sizeof(why)), 0);
    virtq_reset(&f->q, &f->d.vm->mem);
    f->q.desc = drv_area(0, 0);
    f->q.driver = drv_area(0, 1);
    f->q.device = drv_area(0, 2);
    f->q.size = DRV_SIZE;
    assert_int_equal(virtq_enable(&f->q, event_index, indirect), 0);
}

static struct fixture *fixture_new(void **state, bool event_index, bool indirect)
{
    static struct fixture f;

    (void)state;
    memset(&f, 0, sizeof(f));
    fixture_init(&f, event_index, indirect);
    return &f;
}

static void plain_chain(void **state)
{
    struct fixture *f = fixture_new(state, false, false);
    struct mem *m = &f->d.vm->mem;
    char buf[16];

    assert_int_equal(virtq_pop(&f->q, &f->c), 0);
    memcpy(drv_ptr(&f->d, DRV_DATA), "hello, world", 12);
    drv_desc(&f->d, 0, 3, DRV_DATA, 5, D_NEXT, 7);
    drv_desc(&f->d, 0, 7, DRV_DATA + 5, 7, D_NEXT, 1);
    drv_desc(&f->d, 0, 1, DRV_DATA + 0x100, 0, D_NEXT | D_WRITE, 2); /* empty: left out */
    drv_desc(&f->d, 0, 2, DRV_DATA + 0x200, 3, D_NEXT | D_WRITE, 4);
    drv_desc(&f->d, 0, 4, DRV_DATA + 0x1200, 9, D_WRITE, 99);
    drv_add(&f->d, 0, 3);
    assert_int_equal(virtq_pop(&f->q, &f->c), 1);
    assert_int_equal(f->c.head, 3);
    assert_int_equal(f->c.readable, 2);
    assert_int_equal(f->c.count, 4);
    assert_int_equal(f->c.read_bytes, 12);
    assert_int_equal(f->c.write_bytes, 12);
    assert_int_equal(virtq_pop(&f->q, &f->c), 0);

    assert_int_equal(virtq_read(&f->c, 3, buf, sizeof(buf)), 9);
    assert_memory_equal(buf, "lo, world", 9);
    assert_int_equal(virtq_read(&f->c, 12, buf, 1), 0);
    mem_page_mark(m, DRV_DATA + 0x1200, 0, MEM_PAGE_DIRTY);
    mem_page_mark(m, drv_area(0, 2), 0, MEM_PAGE_DIRTY);
    assert_int_equal(virtq_write(&f->q, &f->c, 1, "0123456789abcdef", 16), 11);
    assert_memory_equal(drv_ptr(&f->d, DRV_DATA + 0x200), "\00001", 3);
    assert_memory_equal(drv_ptr(&f->d, DRV_DATA + 0x1200), "23456789a\0", 10);
    assert_true(mem_page_flags(m, DRV_DATA + 0x1200) & MEM_PAGE_DIRTY);
    virtq_push(&f->q, 0, f->c.head, 12);
    virtq_publish(&f->q, 1);
    assert_true(mem_page_flags(m, drv_area(0, 2)) & MEM_PAGE_DIRTY);
    {
        uint32_t id, len;

        assert_true(drv_used(&f->d, 0, &id, &len));
        assert_int_equal(id, 3);
        assert_int_equal(len, 12);
        assert_false(drv_used(&f->d, 0, &id, &len));
    }
    drv_free(&f->d);
}

static void indirect_desc(struct fixture *f, unsigned i, gpa_t addr, uint32_t len, unsigned flags,
                          unsigned next)
{
    drv_desc(&f->d, 0, (unsigned)(DRV_DATA - drv_area(0, 0)) / 16 + i, addr, len, flags, next);
}

static void indirect_chain(void **state)
{
    struct fixture *f = fixture_new(state, true, true);

    /* Plain descriptors, then the table (2.7.5.3.2); its WRITE flag means nothing. */
    drv_desc(&f->d, 0, 0, DRV_DATA + 0x3000, 8, D_NEXT, 1);
    drv_desc(&f->d, 0, 1, DRV_DATA, 3 * 16, D_INDIRECT | D_WRITE, 0);
    indirect_desc(f, 0, DRV_DATA + 0x4000, 16, D_NEXT, 2);
    indirect_desc(f, 2, DRV_DATA + 0x5000, 32, D_WRITE, 0);
    drv_add(&f->d, 0, 0);
    assert_int_equal(virtq_pop(&f->q, &f->c), 1);
    assert_int_equal(f->c.count, 3);
    assert_int_equal(f->c.readable, 2);
    assert_int_equal(f->c.read_bytes, 24);
    assert_int_equal(f->c.write_bytes, 32);

    /* The longest table that is taken. */
    drv_desc(&f->d, 0, 0, DRV_DATA, VIRTQ_SEGS * 16, D_INDIRECT, 0);
    for (unsigned i = 0; i < VIRTQ_SEGS; i++)
        indirect_desc(f, i, DRV_DATA + 0x4000, 1, i + 1 < VIRTQ_SEGS ? D_NEXT : 0, i + 1);
    drv_add(&f->d, 0, 0);
    assert_int_equal(virtq_pop(&f->q, &f->c), 1);
    assert_int_equal(f->c.count, VIRTQ_SEGS);
    drv_free(&f->d);
}

/* ---- mistakes ---- */

struct mistake {
    const char *name;
    void (*make)(struct fixture *f);
    bool no_indirect; /* the feature is not negotiated */
};

static void bad_head(struct fixture *f)
{
    drv_add(&f->d, 0, DRV_SIZE);
}

static void bad_index(struct fixture *f)
{
    drv_avail(&f->d, 0)[1] = DRV_SIZE + 1;
}

static void index_back(struct fixture *f)
{
    drv_avail(&f->d, 0)[1] = UINT16_MAX;
}

/* Head 0 with the given first descriptor. */
static void one(struct fixture *f, gpa_t addr, uint32_t len, unsigned flags, unsigned next)
{
    drv_desc(&f->d, 0, 0, addr, len, flags, next);
    drv_add(&f->d, 0, 0);
}

static void next_outside(struct fixture *f)
{
    one(f, DRV_DATA, 1, D_NEXT, DRV_SIZE);
}

static void loop_self(struct fixture *f)
{
    one(f, DRV_DATA, 1, D_NEXT, 0);
}

static void loop_empty(struct fixture *f)
{
    one(f, DRV_DATA, 0, D_NEXT, 0);
}

static void loop_two(struct fixture *f)
{
    drv_desc(&f->d, 0, 5, DRV_DATA, 1, D_NEXT, 0);
    one(f, DRV_DATA, 1, D_NEXT, 5);
}

static void nowhere(struct fixture *f)
{
    one(f, 0x1000, 1, 0, 0);
}

static void wraps(struct fixture *f)
{
    one(f, UINT64_MAX - 1, 16, 0, 0);
}

static void past_ram(struct fixture *f)
{
    one(f, TESTVM_RAM + TESTVM_SIZE - 4, 8, 0, 0);
}

static void huge(struct fixture *f)
{
    one(f, DRV_DATA, UINT32_MAX, D_WRITE, 0);
}

static void in_mmio(struct fixture *f)
{
    one(f, TESTVM_DEV, 16, 0, 0);
}

static void write_rom(struct fixture *f)
{
    one(f, ROM, 16, D_WRITE, 0);
}

static void write_first(struct fixture *f)
{
    drv_desc(&f->d, 0, 1, DRV_DATA, 4, 0, 0);
    one(f, DRV_DATA, 4, D_WRITE | D_NEXT, 1);
}

static void not_negotiated(struct fixture *f)
{
    one(f, DRV_DATA, 16, D_INDIRECT, 0);
}

static void indirect_next(struct fixture *f)
{
    one(f, DRV_DATA, 16, D_INDIRECT | D_NEXT, 1);
}

static void indirect_nested(struct fixture *f)
{
    indirect_desc(f, 0, DRV_DATA, 16, D_INDIRECT, 0);
    one(f, DRV_DATA, 16, D_INDIRECT, 0);
}

static void indirect_empty(struct fixture *f)
{
    one(f, DRV_DATA, 0, D_INDIRECT, 0);
}

static void indirect_uneven(struct fixture *f)
{
    one(f, DRV_DATA, 24, D_INDIRECT, 0);
}

static void indirect_nowhere(struct fixture *f)
{
    one(f, TESTVM_RAM + TESTVM_SIZE - 16, 32, D_INDIRECT, 0);
}

static void indirect_next_outside(struct fixture *f)
{
    indirect_desc(f, 0, DRV_DATA, 1, D_NEXT, 1);
    one(f, DRV_DATA, 16, D_INDIRECT, 0);
}

static void indirect_loop(struct fixture *f)
{
    indirect_desc(f, 0, DRV_DATA, 1, D_NEXT, 1);
    indirect_desc(f, 1, DRV_DATA, 1, D_NEXT, 0);
    one(f, DRV_DATA, 32, D_INDIRECT, 0);
}

static void indirect_long(struct fixture *f)
{
    for (unsigned i = 0; i <= VIRTQ_SEGS; i++)
        indirect_desc(f, i, DRV_DATA, 1, i < VIRTQ_SEGS ? D_NEXT : 0, i + 1);
    one(f, DRV_DATA, (VIRTQ_SEGS + 1) * 16, D_INDIRECT, 0);
}

static void indirect_write_first(struct fixture *f)
{
    indirect_desc(f, 0, DRV_DATA, 1, 0, 0);
    drv_desc(&f->d, 0, 1, DRV_DATA, 16, D_INDIRECT, 0);
    one(f, DRV_DATA, 1, D_WRITE | D_NEXT, 1);
}

#define MISTAKE(fn)                                                                                          \
    {                                                                                                        \
#fn, fn, false                                                                                       \
    }
static const struct mistake mistakes[] = {
    MISTAKE(bad_head),
    MISTAKE(bad_index),
    MISTAKE(index_back),
    MISTAKE(next_outside),
    MISTAKE(loop_self),
    MISTAKE(loop_empty),
    MISTAKE(loop_two),
    MISTAKE(nowhere),
    MISTAKE(wraps),
    MISTAKE(past_ram),
    MISTAKE(huge),
    MISTAKE(in_mmio),
    MISTAKE(write_rom),
    MISTAKE(write_first),
    {"not_negotiated", not_negotiated, true},
    MISTAKE(indirect_next),
    MISTAKE(indirect_nested),
    MISTAKE(indirect_empty),
    MISTAKE(indirect_uneven),
    MISTAKE(indirect_nowhere),
    MISTAKE(indirect_next_outside),
    MISTAKE(indirect_loop),
    MISTAKE(indirect_long),
    MISTAKE(indirect_write_first),
};

static void malformed(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        struct fixture *f = fixture_new(state, false, !mistakes[i].no_indirect);

        mistakes[i].make(f);
        if (virtq_pop(&f->q, &f->c) != -EINVAL)
            fail_msg("%s was taken", mistakes[i].name);
        assert_int_equal(f->q.avail, 0);
        drv_free(&f->d);
    }
}

static void malformed_places(void **state)
{
    struct fixture *f = fixture_new(state, false, false);
    const struct virtq good = f->q;
    const struct {
        gpa_t desc, driver, device;
        uint16_t size;
    } bad[] = {
        {good.desc, good.driver, good.device, 0},
        {good.desc, good.driver, good.device, 3},
        {good.desc, good.driver, good.device, 512},
        {good.desc + 8, good.driver, good.device, 16},
        {good.desc, good.driver + 1, good.device, 16},
        {good.desc, good.driver, good.device + 2, 16},
        {0, good.driver, good.device, 16},
        {good.desc, TESTVM_RAM + TESTVM_SIZE - 32, good.device, 16},
        {good.desc, good.driver, ROM, 16},
        {good.desc, good.driver, TESTVM_RAM + TESTVM_SIZE - 64, 16},
        {UINT64_MAX - 15, good.driver, good.device, 16},
        {good.desc, TESTVM_DEV, good.device, 16},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        virtq_reset(&f->q, good.mem);
        f->q.desc = bad[i].desc;
        f->q.driver = bad[i].driver;
        f->q.device = bad[i].device;
        f->q.size = bad[i].size;
        assert_int_equal(virtq_enable(&f->q, true, true), -EINVAL);
        assert_false(f->q.ready);
    }
    drv_free(&f->d);
}

/* RAM may go while the queue is in use. */
static void ram_removed(void **state)
{
    struct fixture *f = fixture_new(state, true, true);

    one(f, DRV_DATA, 4, D_WRITE, 0);
    assert_int_equal(mem_remove(&f->d.vm->mem, TESTVM_RAM), 0);
    assert_int_equal(virtq_pop(&f->q, &f->c), -EINVAL);
    virtq_push(&f->q, 0, 0, 0);
    virtq_publish(&f->q, 1);
    assert_false(virtq_interrupt(&f->q));
    assert_false(virtq_listen(&f->q));
    drv_free(&f->d);
}

/* ---- indices and notifications ---- */

static void indices_wrap(void **state)
{
    struct fixture *f = fixture_new(state, false, false);
    uint32_t id, len;

    drv_desc(&f->d, 0, 0, DRV_DATA, 4, 0, 0);
    for (unsigned i = 0; i < 70000; i++) {
        drv_add(&f->d, 0, 0);
        assert_int_equal(virtq_pop(&f->q, &f->c), 1);
        virtq_push(&f->q, 0, f->c.head, i);
        virtq_publish(&f->q, 1);
        assert_true(drv_used(&f->d, 0, &id, &len));
        assert_int_equal(len, i);
    }
    drv_free(&f->d);
}

static void taken_back(void **state)
{
    struct fixture *f = fixture_new(state, false, false);
    uint32_t id, len;

    for (unsigned i = 0; i < 3; i++) {
        drv_desc(&f->d, 0, i, DRV_DATA, 4, 0, 0);
        drv_add(&f->d, 0, i);
    }
    virtq_pop(&f->q, &f->c);
    virtq_push(&f->q, 0, f->c.head, 10);
    virtq_pop(&f->q, &f->c);
    virtq_push(&f->q, 1, f->c.head, 11);
    assert_false(drv_used(&f->d, 0, &id, &len)); /* not published */
    virtq_unpop(&f->q, 2);
    assert_int_equal(virtq_pop(&f->q, &f->c), 1);
    assert_int_equal(f->c.head, 0);
    virtq_push(&f->q, 0, 0, 1);
    virtq_pop(&f->q, &f->c);
    virtq_push(&f->q, 1, f->c.head, 2);
    virtq_publish(&f->q, 2);
    assert_true(drv_used(&f->d, 0, &id, &len) && id == 0 && len == 1);
    assert_true(drv_used(&f->d, 0, &id, &len) && id == 1 && len == 2);
    assert_false(drv_used(&f->d, 0, &id, &len));
    drv_free(&f->d);
}

static void interrupt_by_flag(void **state)
{
    struct fixture *f = fixture_new(state, false, false);

    virtq_publish(&f->q, 1);
    assert_true(virtq_interrupt(&f->q));
    drv_avail(&f->d, 0)[0] = 1;
    virtq_publish(&f->q, 1);
    assert_false(virtq_interrupt(&f->q));
    drv_free(&f->d);
}

/* Against the definition in 2.7.7.1: the driver wants to hear when the index passes the one it wrote. */
static void interrupt_by_index(void **state)
{
    struct fixture *f = fixture_new(state, true, false);
    uint16_t *event = drv_avail(&f->d, 0) + 2 + DRV_SIZE;
    struct rng r;

    virtq_publish(&f->q, 1);
    assert_true(virtq_interrupt(&f->q)); /* the first, whatever stands there */
    assert_false(virtq_interrupt(&f->q));
    rng_init(&r, 1);
    for (unsigned i = 0; i < 100000; i++) {
        uint16_t from = f->q.used, n = (uint16_t)(1 + rng_below(&r, DRV_SIZE));
        bool want = false;

        *event = (uint16_t)(from + rng_below(&r, 40) - 20);
        for (uint16_t k = 0; k < n; k++)
            want |= (uint16_t)(from + k) == *event;
        virtq_publish(&f->q, n);
        assert_int_equal(virtq_interrupt(&f->q), want);
    }
    drv_free(&f->d);
}

static void listening(void **state)
{
    struct fixture *f = fixture_new(state, true, false);
    const uint16_t *used = drv_ptr(&f->d, drv_area(0, 2));

    drv_desc(&f->d, 0, 0, DRV_DATA, 4, 0, 0);
    assert_false(virtq_listen(&f->q));
    drv_add(&f->d, 0, 0);
    assert_true(virtq_listen(&f->q)); /* came in between */
    virtq_pop(&f->q, &f->c);
    assert_int_equal(used[2 + 4 * DRV_SIZE], 0);
    assert_false(virtq_listen(&f->q));
    assert_int_equal(used[2 + 4 * DRV_SIZE], 1); /* avail_event */
    drv_free(&f->d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_chain),        cmocka_unit_test(indirect_chain),
        cmocka_unit_test(malformed),          cmocka_unit_test(malformed_places),
        cmocka_unit_test(ram_removed),        cmocka_unit_test(indices_wrap),
        cmocka_unit_test(taken_back),         cmocka_unit_test(interrupt_by_flag),
        cmocka_unit_test(interrupt_by_index), cmocka_unit_test(listening),
    };

    return cmocka_run_group_tests_name("virtq", tests, NULL, NULL);
}
