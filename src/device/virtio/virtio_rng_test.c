/* virtio-rng: seeded and host entropy, odd buffers, a failing source. */
#include "device/virtio/virtio_rng.h"
#include "device/virtio/virtio_test.h"
#include "platform/test/test_platform.h"

static void rng_drv(struct drv *d, bool deterministic)
{
    char why[160];

    drv_init(d, deterministic);
    drv_plug(d, virtio_rng_create(d->vm, "rng0", why, sizeof(why)));
    drv_start(d, 0);
}

static void draw(struct drv *d, uint8_t out[64])
{
    uint32_t id, len;

    drv_chain(d, 0, 2, 0, 0, DRV_DATA, 64);
    drv_kick(d, 0);
    assert_true(drv_used(d, 0, &id, &len));
    assert_int_equal(id, 2);
    assert_int_equal(len, 64);
    memcpy(out, drv_ptr(d, DRV_DATA), 64);
}

static void seeded(void **state)
{
    uint8_t a[2][64], b[2][64];
    struct drv d;

    (void)state;
    rng_drv(&d, true);
    draw(&d, a[0]);
    draw(&d, a[1]);
    drv_free(&d);
    rng_drv(&d, true);
    draw(&d, b[0]);
    draw(&d, b[1]);
    drv_free(&d);
    assert_memory_equal(a, b, sizeof(a));
    assert_memory_not_equal(a[0], a[1], 64);
}

static void from_host(void **state)
{
    uint8_t out[64];
    struct drv d;

    (void)state;
    rng_drv(&d, false);
    test_fail_at(0);
    draw(&d, out);
    assert_true(test_requests() > 0);
    drv_free(&d);
    rng_drv(&d, true);
    test_fail_at(0);
    draw(&d, out);
    assert_int_equal(test_requests(), 0);
    drv_free(&d);
}

/* Split buffers, readable ones in front, more room than is filled at once, none at all. */
static void odd_buffers(void **state)
{
    struct drv d;
    uint32_t id, len;

    (void)state;
    rng_drv(&d, true);
    drv_desc(&d, 0, 0, DRV_DATA, 8, D_NEXT, 1);
    drv_desc(&d, 0, 1, DRV_DATA + 0x100, 3, D_NEXT | D_WRITE, 2);
    drv_desc(&d, 0, 2, DRV_DATA + 0x200, 0x8000, D_WRITE, 0);
    drv_add(&d, 0, 0);
    drv_chain(&d, 0, 4, DRV_DATA, 4, 0, 0);
    drv_kick(&d, 0);
    assert_true(drv_used(&d, 0, &id, &len));
    assert_int_equal(len, 16 << 10);
    assert_true(drv_used(&d, 0, &id, &len));
    assert_int_equal(id, 4);
    assert_int_equal(len, 0);
    assert_false(drv_broken(&d));
    drv_free(&d);
}

static void source_fails(void **state)
{
    struct drv d;
    uint32_t id, len;

    (void)state;
    rng_drv(&d, false);
    drv_chain(&d, 0, 0, 0, 0, DRV_DATA, 64);
    test_fail_at(1);
    drv_kick(&d, 0);
    assert_true(test_failed());
    test_fail_at(0);
    assert_true(drv_used(&d, 0, &id, &len));
    assert_int_equal(len, 0);
    drv_free(&d);
}

static void hostile(void **state)
{
    struct drv d;

    (void)state;
    rng_drv(&d, true);
    hostile_run(&d, 1, NULL);
    drv_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeded),       cmocka_unit_test(from_host), cmocka_unit_test(odd_buffers),
        cmocka_unit_test(source_fails), cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests_name("virtio_rng", tests, NULL, NULL);
}
