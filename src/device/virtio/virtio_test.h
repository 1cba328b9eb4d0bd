/* A driver for tests of virtio devices: a VM without an ISA, an interrupt line that counts, rings in its RAM.
 */
#ifndef CV_DEVICE_VIRTIO_VIRTIO_TEST_H
#define CV_DEVICE_VIRTIO_VIRTIO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "device/virtio/virtio_mmio.h"
#include "engine/minimal/testvm.h"
#include "lib/rng.h"

#define DRV_BASE  (TESTVM_DEV + 0x1000) /* registers */
#define DRV_QUEUE 0x3000u               /* bytes of a queue's three areas */
#define DRV_DATA  (TESTVM_RAM + 2 * DRV_QUEUE)
#define DRV_SIZE  16 /* of each queue */

enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

struct drv_line {
    struct device dev;
    bool level;
    unsigned rises;
};

struct drv {
    struct vm *vm;
    struct virtio_dev *v;
    struct drv_line *line;
    uint16_t used[VIRTIO_QUEUES]; /* seen so far */
};

static inline void drv_line_set(struct device *d, unsigned input, bool level)
{
    struct drv_line *l = container_of(d, struct drv_line, dev);

    (void)input;
    l->rises += level && !l->level;
    l->level = level;
}

static inline void drv_line_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct drv_line, dev));
}

static const struct state_field drv_line_state[] = {STATE_END};
static const struct device_ops drv_line_ops = {
    .name = "line", .state = drv_line_state, .line = drv_line_set, .destroy = drv_line_destroy};

/* The VM and its line; the test creates the device and calls drv_plug(). */
static inline void drv_init(struct drv *d, bool deterministic)
{
    struct vm_desc desc = {.name = "test", .smp = 1, .deterministic = deterministic};
    char why[200];

    *d = (struct drv){0};
    d->vm = testvm_try(&desc, why, sizeof(why));
    assert_non_null(d->vm);
    d->line = device_alloc(sizeof(*d->line), why, sizeof(why));
    device_init(&d->line->dev, &drv_line_ops, d->vm, "line");
    device_add(&d->line->dev);
}

static inline void drv_plug(struct drv *d, struct virtio_dev *v)
{
    const struct irq_line irq = {.controller = &d->line->dev};
    char why[200];

    assert_non_null(v);
    d->v = v;
    assert_non_null(virtio_mmio_create(d->vm, "virtio0", DRV_BASE, irq, v, why, sizeof(why)));
}

static inline void drv_free(struct drv *d)
{
    vm_destroy(d->vm);
}

/* ---- registers ---- */

static inline uint64_t drv_read(struct drv *d, unsigned offset, unsigned size)
{
    uint64_t value = 0;

    assert_true(bus_access(d->vm, DRV_BASE + offset, size, false, &value));
    return value;
}

static inline void drv_write(struct drv *d, unsigned offset, uint32_t value)
{
    uint64_t v = value;

    assert_true(bus_access(d->vm, DRV_BASE + offset, 4, true, &v));
}

static inline uint32_t drv_r32(struct drv *d, unsigned offset)
{
    return (uint32_t)drv_read(d, offset, 4);
}

static inline uint64_t drv_features(struct drv *d)
{
    uint64_t low;

    drv_write(d, 0x14, 0);
    low = drv_r32(d, 0x10);
    drv_write(d, 0x14, 1);
    return (uint64_t)drv_r32(d, 0x10) << 32 | low;
}

static inline gpa_t drv_area(unsigned queue, unsigned area)
{
    return TESTVM_RAM + queue * DRV_QUEUE + area * 0x1000;
}

static inline void drv_queue(struct drv *d, unsigned queue, unsigned size)
{
    drv_write(d, 0x30, queue);
    drv_write(d, 0x38, size);
    for (unsigned area = 0; area < 3; area++) {
        drv_write(d, 0x80 + 16 * area, (uint32_t)drv_area(queue, area));
        drv_write(d, 0x84 + 16 * area, (uint32_t)(drv_area(queue, area) >> 32));
    }
    drv_write(d, 0x44, 1);
    d->used[queue] = 0;
}

/* From reset to DRIVER_OK (VIRTIO 1.2, 3.1.1), with clean rings. */
static inline void drv_start(struct drv *d, uint64_t features)
{
    drv_write(d, 0x70, 0);
    memset(mem_ptr(&d->vm->mem, TESTVM_RAM, TESTVM_SIZE, true), 0, TESTVM_SIZE);
    drv_write(d, 0x70, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    features |= VIRTIO_F_VERSION_1;
    drv_write(d, 0x24, 0);
    drv_write(d, 0x20, (uint32_t)features);
    drv_write(d, 0x24, 1);
    drv_write(d, 0x20, (uint32_t)(features >> 32));
    drv_write(d, 0x70, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    for (unsigned q = 0; q < d->v->ops->queues; q++)
        drv_queue(d, q, DRV_SIZE);
    drv_write(d, 0x70, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
    work_drain(d->vm);
}

/* ---- rings ---- */

static inline void *drv_ptr(struct drv *d, gpa_t gpa)
{
    return mem_ptr(&d->vm->mem, gpa, 1, false);
}

static inline void drv_desc(struct drv *d, unsigned queue, unsigned i, gpa_t addr, uint32_t len,
                            unsigned flags, unsigned next)
{
    uint8_t raw[16];
    uint16_t f = (uint16_t)flags, n = (uint16_t)next;

    memcpy(raw, &addr, 8);
    memcpy(raw + 8, &len, 4);
    memcpy(raw + 12, &f, 2);
    memcpy(raw + 14, &n, 2);
    mem_write(&d->vm->mem, drv_area(queue, 0) + 16 * i, raw, 16);
}

static inline uint16_t *drv_avail(struct drv *d, unsigned queue)
{
    return drv_ptr(d, drv_area(queue, 1));
}

/* One more head on the available ring, without a notification. */
static inline void drv_add(struct drv *d, unsigned queue, unsigned head)
{
    uint16_t *avail = drv_avail(d, queue);

    avail[2 + avail[1] % DRV_SIZE] = (uint16_t)head;
    avail[1]++;
}

static inline void drv_kick(struct drv *d, unsigned queue)
{
    drv_write(d, 0x50, queue);
    work_drain(d->vm);
}

/* The next used element; false: none. */
static inline bool drv_used(struct drv *d, unsigned queue, uint32_t *id, uint32_t *len)
{
    uint16_t idx;
    uint32_t e[2];

    memcpy(&idx, drv_ptr(d, drv_area(queue, 2) + 2), 2);
    if (idx == d->used[queue])
        return false;
    memcpy(e, drv_ptr(d, drv_area(queue, 2) + 4 + 8 * (d->used[queue] % DRV_SIZE)), 8);
    d->used[queue]++;
    *id = e[0];
    *len = e[1];
    return true;
}

/* Chain of one readable and one writable buffer (len 0: none of that kind) at descriptor `head`. */
static inline void drv_chain(struct drv *d, unsigned queue, unsigned head, gpa_t out, uint32_t out_len,
                             gpa_t in, uint32_t in_len)
{
    if (out_len)
        drv_desc(d, queue, head, out, out_len, in_len ? D_NEXT : 0, head + 1);
    if (in_len)
        drv_desc(d, queue, out_len ? head + 1 : head, in, in_len, D_WRITE, 0);
    drv_add(d, queue, head);
}

static inline bool drv_broken(struct drv *d)
{
    return drv_r32(d, 0x70) & VIRTIO_NEEDS_RESET;
}

/* ---- hostile drivers ---- */

/* A descriptor that is often nearly right. */
static inline void hostile_desc(struct drv *d, struct rng *r, gpa_t table, unsigned count)
{
    static const gpa_t odd[] = {0,          TESTVM_DEV, TESTVM_RAM + TESTVM_SIZE - 3, UINT64_MAX - 7,
                                0x10001000, TESTVM_RAM};
    gpa_t addr = rng_below(r, 8) ? DRV_DATA + rng_below(r, 0x8000) : odd[rng_below(r, ARRAY_SIZE(odd))];
    uint32_t len = rng_below(r, 8) ? (uint32_t)rng_below(r, 600) : (uint32_t)rng_u64(r);
    uint16_t flags = rng_below(r, 16) ? (uint16_t)rng_below(r, 4) : (uint16_t)rng_u64(r);
    uint16_t next = (uint16_t)rng_below(r, rng_below(r, 16) ? count : 65536);
    uint8_t raw[16];

    if (!rng_below(r, 8)) {
        flags = D_INDIRECT;
        addr = DRV_DATA + 16 * rng_below(r, 64);
        len = 16 * (uint32_t)rng_below(r, 20);
    }
    memcpy(raw, &addr, 8);
    memcpy(raw + 8, &len, 4);
    memcpy(raw + 12, &flags, 2);
    memcpy(raw + 14, &next, 2);
    mem_write(&d->vm->mem, table + 16 * rng_below(r, count), raw, 16);
}

/* A chain as it should be, of some buffers to read and some to write, before others spoil it. */
static inline void hostile_chain(struct drv *d, struct rng *r, unsigned queue)
{
    unsigned n = 1 + (unsigned)rng_below(r, 5), readable = (unsigned)rng_below(r, n + 1);
    unsigned at = (unsigned)rng_below(r, DRV_SIZE - n);
    uint64_t type = rng_below(r, 16), sector = rng_below(r, 80);

    for (unsigned i = 0; i < n; i++) {
        uint32_t len = rng_below(r, 2) ? 16 : 512u * (uint32_t)rng_below(r, 5) + (uint32_t)rng_below(r, 2);

        drv_desc(d, queue, at + i, DRV_DATA + 0x1000 + rng_below(r, 0x6000), len,
                 (i < readable ? 0 : D_WRITE) | (i + 1 < n ? D_NEXT : 0), at + i + 1);
    }
    if (readable && rng_below(r, 4)) {
        gpa_t first = DRV_DATA + 0x1000 + rng_below(r, 0x1000);

        drv_desc(d, queue, at, first, 16, n > 1 ? D_NEXT : 0, at + 1);
        mem_write(&d->vm->mem, first, &type, 8);
        mem_write(&d->vm->mem, first + 8, &sector, 8);
    }
    drv_add(d, queue, at);
}

static inline void hostile_step(struct drv *d, struct rng *r)
{
    unsigned queue = (unsigned)rng_below(r, d->v->ops->queues);
    uint16_t *avail = drv_avail(d, queue);
    uint64_t value = rng_u64(r);

    switch (rng_below(r, 16)) {
    case 0:
    case 1:
    case 2:
    case 3:
        hostile_desc(d, r, drv_area(queue, 0), DRV_SIZE);
        break;
    case 4:
        hostile_desc(d, r, DRV_DATA, 64);
        break;
    case 5:
    case 6:
        drv_add(d, queue, (unsigned)rng_below(r, rng_below(r, 32) ? DRV_SIZE : 65536));
        break;
    case 7:
        avail[rng_below(r, 32) ? 2 + rng_below(r, DRV_SIZE + 1) : rng_below(r, 2)] = (uint16_t)value;
        break;
    case 8:
        /* The beginnings of requests: small numbers. */
        value = rng_below(r, 16);
        memcpy(drv_ptr(d, DRV_DATA + rng_below(r, 0x8000)), &value, 8);
        break;
    case 9:
    case 10:
        drv_kick(d, queue);
        break;
    case 11:
    case 12:
    case 13:
        hostile_chain(d, r, queue);
        break;
    default:
        bus_access(d->vm, DRV_BASE + rng_below(r, 0x200), 1u << rng_below(r, 4), rng_below(r, 2), &value);
        work_drain(d->vm);
    }
}

#define HOSTILE_CASES 100000

/* One case is some steps of a driver that got as far as DRIVER_OK; `host` does the other side's part. */
static inline void hostile_run(struct drv *d, uint64_t seed, void (*host)(struct drv *d, struct rng *r))
{
    struct rng r;
    unsigned broken = 0, finished = 0;
    uint32_t id, len;

    rng_init(&r, seed);
    for (unsigned i = 0; i < HOSTILE_CASES; i++) {
        if (i % 4 == 0 || drv_broken(d))
            drv_start(d, d->v->features & (rng_below(&r, 2) ? UINT64_MAX : rng_u64(&r)));
        for (unsigned step = 0; step < 12; step++)
            hostile_step(d, &r);
        if (host)
            host(d, &r);
        work_drain(d->vm);
        broken += drv_broken(d);
        finished += drv_used(d, 0, &id, &len);
    }
    /* The cases are worth something: many go wrong, and many get through. */
    assert_true(broken > HOSTILE_CASES / 20);
    assert_true(finished > HOSTILE_CASES / 100);
    /* And none has spoilt the device for the next driver. */
    drv_start(d, 0);
    assert_false(drv_broken(d));
    assert_int_equal(d->v->busy, 0);
}

#endif
