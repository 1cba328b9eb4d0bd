/* The transport and what all devices share: registers, status machine, queue set-up, reset, state. */
#include "device/virtio/virtio_test.h"
#include "device/virtio/virtio_rng.h"
#include "lib/fdt.h"
#include "lib/hash.h"

static struct drv *plugged(void)
{
    static struct drv d;
    char why[160];

    drv_init(&d, true);
    drv_plug(&d, virtio_rng_create(d.vm, "rng0", why, sizeof(why)));
    return &d;
}

static void identity(void **state)
{
    struct drv *d = plugged();
    uint64_t none = 0;

    (void)state;
    assert_int_equal(drv_r32(d, 0x00), 0x74726976);
    assert_int_equal(drv_r32(d, 0x04), 2);
    assert_int_equal(drv_r32(d, 0x08), VIRTIO_ENTROPY);
    assert_int_equal(drv_r32(d, 0x34), VIRTQ_SIZE_MAX);
    drv_write(d, 0x30, 1);
    assert_int_equal(drv_r32(d, 0x34), 0); /* no second queue */
    drv_write(d, 0x30, UINT32_MAX);
    assert_int_equal(drv_r32(d, 0x34), 0);
    assert_int_equal(drv_features(d), VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1);
    drv_write(d, 0x14, 2);
    assert_int_equal(drv_r32(d, 0x10), 0);
    assert_int_equal(drv_r32(d, 0xb0), UINT32_MAX);
    assert_int_equal(drv_r32(d, 0xbc), UINT32_MAX);
    /* No configuration space; narrow and crooked accesses of registers read 0. */
    assert_int_equal(drv_read(d, 0x100, 8), 0);
    assert_int_equal(drv_read(d, 0x00, 1), 0);
    assert_int_equal(drv_read(d, 0x02, 4), 0);
    assert_int_equal(drv_read(d, 0x00, 8), 0);
    /* Nor are such writes any. */
    drv_write(d, 0x70, VIRTIO_ACKNOWLEDGE);
    assert_true(bus_access(d->vm, DRV_BASE + 0x70, 1, true, &none));
    assert_true(bus_access(d->vm, DRV_BASE + 0x70, 2, true, &none));
    assert_true(bus_access(d->vm, DRV_BASE + 0x70, 8, true, &none));
    assert_int_equal(drv_r32(d, 0x70), VIRTIO_ACKNOWLEDGE);
    drv_free(d);
}

static void features_refused(void **state)
{
    struct drv *d = plugged();

    (void)state;
    drv_write(d, 0x70, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    /* Without VERSION_1. */
    drv_write(d, 0x70, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    assert_int_equal(drv_r32(d, 0x70), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    /* DRIVER_OK before FEATURES_OK. */
    drv_write(d, 0x70, VIRTIO_DRIVER_OK);
    assert_int_equal(drv_r32(d, 0x70), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    /* One that is not offered. */
    drv_write(d, 0x24, 1);
    drv_write(d, 0x20, 1);
    drv_write(d, 0x24, 0);
    drv_write(d, 0x20, 1);
    drv_write(d, 0x70, VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
    assert_int_equal(drv_r32(d, 0x70), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    drv_write(d, 0x20, 0);
    drv_write(d, 0x70, VIRTIO_FEATURES_OK);
    assert_int_equal(drv_r32(d, 0x70), VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    /* Settled now. */
    drv_write(d, 0x20, UINT32_MAX);
    assert_int_equal(d->v->driver_features, VIRTIO_F_VERSION_1);
    /* The driver cannot set NEEDS_RESET. */
    drv_write(d, 0x70, VIRTIO_NEEDS_RESET);
    assert_false(drv_broken(d));
    drv_write(d, 0x70, VIRTIO_FAILED);
    assert_true(drv_r32(d, 0x70) & VIRTIO_FAILED);
    drv_free(d);
}

static void queue_registers(void **state)
{
    struct drv *d = plugged();

    (void)state;
    drv_start(d, 0);
    assert_int_equal(drv_r32(d, 0x44), 1);
    /* A ready queue does not move. */
    drv_write(d, 0x80, 0x1000);
    drv_write(d, 0x38, 4);
    assert_int_equal(d->v->queue[0].desc, drv_area(0, 0));
    assert_int_equal(d->v->queue[0].size, DRV_SIZE);
    drv_write(d, 0x44, 0);
    assert_int_equal(drv_r32(d, 0x44), 0);
    assert_int_equal(d->v->queue[0].desc, 0);
    drv_write(d, 0x84, 0x12);
    drv_write(d, 0x80, 0x34);
    assert_int_equal(d->v->queue[0].desc, UINT64_C(0x1200000034));
    /* Notifications of queues that are not there, or not ready. */
    drv_kick(d, 0);
    drv_kick(d, 1);
    drv_kick(d, UINT32_MAX);
    assert_false(drv_broken(d));
    /* An impossible queue breaks a running device, and says so. */
    drv_write(d, 0x60 + 4, 3);
    assert_false(d->line->level);
    drv_write(d, 0x38, 100000);
    drv_write(d, 0x44, 1);
    assert_true(drv_broken(d));
    assert_int_equal(drv_r32(d, 0x44), 0);
    assert_int_equal(drv_r32(d, 0x60), VIRTIO_ISR_CONFIG);
    assert_true(d->line->level);
    drv_write(d, 0x64, VIRTIO_ISR_CONFIG);
    assert_int_equal(drv_r32(d, 0x60), 0);
    assert_false(d->line->level);
    /* Broken before DRIVER_OK: told when that comes. */
    drv_write(d, 0x70, 0);
    assert_int_equal(drv_r32(d, 0x70), 0);
    drv_write(d, 0x24, 1);
    drv_write(d, 0x20, 1);
    drv_write(d, 0x70, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    drv_write(d, 0x30, 0);
    drv_write(d, 0x44, 1);
    assert_true(drv_broken(d));
    assert_false(d->line->level);
    drv_write(d, 0x70, VIRTIO_DRIVER_OK);
    assert_true(d->line->level);
    drv_free(d);
}

static void reset_forgets(void **state)
{
    struct drv *d = plugged();
    uint32_t id, len;

    (void)state;
    drv_start(d, VIRTIO_F_EVENT_IDX);
    drv_chain(d, 0, 0, 0, 0, DRV_DATA, 16);
    drv_kick(d, 0);
    assert_true(drv_used(d, 0, &id, &len));
    assert_true(d->line->level);
    drv_write(d, 0x70, 0);
    assert_false(d->line->level);
    assert_int_equal(drv_r32(d, 0x70), 0);
    assert_int_equal(drv_r32(d, 0x60), 0);
    assert_int_equal(drv_r32(d, 0x44), 0);
    assert_int_equal(d->v->driver_features, 0);
    /* The board's reset does the same, selectors included. */
    drv_start(d, 0);
    drv_write(d, 0x30, 5);
    for (struct device *dev = d->vm->devices; dev; dev = dev->next) {
        plat_lock(&dev->lock);
        if (dev->ops->reset)
            dev->ops->reset(dev);
        plat_unlock(&dev->lock);
    }
    assert_int_equal(drv_r32(d, 0x70), 0);
    assert_int_equal(drv_r32(d, 0x34), VIRTQ_SIZE_MAX);
    drv_free(d);
}

static void config_change(void **state)
{
    struct drv *d = plugged();
    uint32_t before;

    (void)state;
    before = drv_r32(d, 0xfc);
    plat_lock(&d->v->dev.lock);
    virtio_config_changed(d->v);
    plat_unlock(&d->v->dev.lock);
    assert_int_equal(drv_r32(d, 0xfc), before + 1);
    assert_false(d->line->level); /* nobody to tell */
    drv_start(d, 0);
    plat_lock(&d->v->dev.lock);
    virtio_config_changed(d->v);
    plat_unlock(&d->v->dev.lock);
    assert_int_equal(drv_r32(d, 0x60), VIRTIO_ISR_CONFIG);
    drv_free(d);
}

static uint64_t device_hash(struct drv *d)
{
    struct hash h;

    hash_init(&h, 0);
    state_hash(d->v->dev.ops->state, &d->v->dev, &h);
    return hash_final(&h);
}

/* Every part of the state shows in the hash. */
static void state_is_whole(void **state)
{
    struct drv *d = plugged();
    uint64_t hash;

    (void)state;
    drv_start(d, 0);
    hash = device_hash(d);
#define SHOWS(field)                                                                                         \
    do {                                                                                                     \
        d->v->field ^= 1;                                                                                    \
        assert_true(device_hash(d) != hash);                                                                 \
        d->v->field ^= 1;                                                                                    \
        assert_true(device_hash(d) == hash);                                                                 \
    } while (0)
    SHOWS(status);
    SHOWS(isr);
    SHOWS(generation);
    SHOWS(driver_features);
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++) {
        SHOWS(queue[i].desc);
        SHOWS(queue[i].driver);
        SHOWS(queue[i].device);
        SHOWS(queue[i].size);
        SHOWS(queue[i].avail);
        SHOWS(queue[i].used);
        SHOWS(queue[i].signalled);
        SHOWS(queue[i].signalled_valid);
        SHOWS(queue[i].ready);
        SHOWS(queue[i].event_index);
        SHOWS(queue[i].indirect);
    }
    drv_free(d);
}

static void device_tree(void **state)
{
    struct drv *d = plugged();
    struct device *mmio = vm_device(d->vm, "virtio0");
    static uint8_t buf[4096];
    struct dtw w;
    struct dtb b;
    uint64_t base, size_reg;
    size_t size;
    dtb_node n;

    (void)state;
    dtw_init(&w, buf, sizeof(buf));
    dtw_begin_node(&w, "");
    dtw_prop_u32(&w, "#address-cells", 2);
    dtw_prop_u32(&w, "#size-cells", 2);
    assert_int_equal(mmio->ops->describe(mmio, &w), 0);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    assert_int_equal(dtb_open(&b, buf, size), 0);
    n = dtb_compatible(&b, DTB_NONE, "virtio,mmio");
    assert_string_equal(dtb_name(&b, n), "virtio_mmio@10001000");
    assert_int_equal(dtb_reg(&b, n, 0, &base, &size_reg), 0);
    assert_int_equal(base, DRV_BASE);
    assert_int_equal(size_reg, VIRTIO_MMIO_SIZE);
    drv_free(d);
}

static void no_room(void **state)
{
    struct drv *d = plugged();
    char why[160] = "";

    (void)state;
    assert_null(
        virtio_mmio_create(d->vm, "virtio1", DRV_BASE + 0x100, (struct irq_line){0}, d->v, why, sizeof(why)));
    assert_non_null(strstr(why, "virtio0"));
    drv_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity),        cmocka_unit_test(features_refused),
        cmocka_unit_test(queue_registers), cmocka_unit_test(reset_forgets),
        cmocka_unit_test(config_change),   cmocka_unit_test(state_is_whole),
        cmocka_unit_test(device_tree),     cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests_name("virtio_mmio", tests, NULL, NULL);
}
