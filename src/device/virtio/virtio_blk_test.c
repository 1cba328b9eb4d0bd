/* virtio-blk: every request type, framing, limits, errors of the disk, read-only, hostile drivers. */
#include "device/virtio/virtio_blk.h"
#include "device/virtio/virtio_test.h"
#include "platform/test/test_platform.h"
#include "lib/err.h"

#define SECTORS 64
#define HEADER  DRV_DATA
#define STATUS  (DRV_DATA + 0x10)
#define BUF     (DRV_DATA + 0x1000)

enum { OK, IOERR, UNSUPP };
enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13 };

struct disk {
    struct blockdev b;
    uint8_t data[SECTORS * 512];
    unsigned calls, fail_at; /* fails the n-th call from now on */
    unsigned flushes;
    bool discarded;
};

static int called(struct blockdev *b, uint64_t offset, uint64_t len)
{
    struct disk *d = container_of(b, struct disk, b);

    assert_true(offset <= sizeof(d->data) && len <= sizeof(d->data) - offset);
    return ++d->calls == d->fail_at ? -EIO : 0;
}

static int disk_read(struct blockdev *b, uint64_t offset, void *buf, size_t len)
{
    int err = called(b, offset, len);

    memcpy(buf, container_of(b, struct disk, b)->data + offset, err ? len / 2 : len);
    return err;
}

static int disk_write(struct blockdev *b, uint64_t offset, const void *buf, size_t len)
{
    int err = called(b, offset, len);

    assert_false(b->read_only);
    if (!err)
        memcpy(container_of(b, struct disk, b)->data + offset, buf, len);
    return err;
}

static int disk_flush(struct blockdev *b)
{
    container_of(b, struct disk, b)->flushes++;
    return called(b, 0, 0);
}

static int disk_zero(struct blockdev *b, uint64_t offset, uint64_t len)
{
    int err = called(b, offset, len);

    assert_false(b->read_only);
    if (!err)
        memset(container_of(b, struct disk, b)->data + offset, 0, len);
    return err;
}

static int disk_discard(struct blockdev *b, uint64_t offset, uint64_t len)
{
    container_of(b, struct disk, b)->discarded = true;
    return disk_zero(b, offset, len);
}

static const struct blockdev_ops disk_ops = {
    .read = disk_read, .write = disk_write, .flush = disk_flush, .discard = disk_discard, .zero = disk_zero};
static const struct blockdev_ops plain_ops = {.read = disk_read, .write = disk_write, .flush = disk_flush};

static struct disk disk;

static void blk_drv(struct drv *d, const struct blockdev_ops *ops, bool read_only, uint64_t features)
{
    char why[160];

    memset(&disk, 0, sizeof(disk));
    disk.b = (struct blockdev){.ops = ops, .size = sizeof(disk.data), .read_only = read_only};
    for (size_t i = 0; i < sizeof(disk.data); i++)
        disk.data[i] = (uint8_t)(i / 512 + i);
    drv_init(d, false);
    drv_plug(d, virtio_blk_create(d->vm, "disk0", &disk.b, why, sizeof(why)));
    drv_start(d, features);
}

static void header(struct drv *d, uint32_t type, uint64_t sector)
{
    uint8_t raw[16] = {0};

    memcpy(raw, &type, 4);
    memcpy(raw + 8, &sector, 8);
    mem_write(&d->vm->mem, HEADER, raw, 16);
    *(uint8_t *)drv_ptr(d, STATUS) = 0xff;
}

/* The usual framing: header, data, status each in a buffer of its own. Gives the status byte. */
static unsigned request(struct drv *d, uint32_t type, uint64_t sector, uint32_t out, uint32_t in,
                        uint32_t *len)
{
    uint32_t id, unused;

    header(d, type, sector);
    drv_desc(d, 0, 0, HEADER, 16, D_NEXT, out + in ? 1 : 2);
    drv_desc(d, 0, 1, BUF, out + in, D_NEXT | (in ? D_WRITE : 0), 2);
    drv_desc(d, 0, 2, STATUS, 1, D_WRITE, 0);
    drv_add(d, 0, 0);
    drv_kick(d, 0);
    assert_true(drv_used(d, 0, &id, len ? len : &unused));
    assert_int_equal(id, 0);
    return *(uint8_t *)drv_ptr(d, STATUS);
}

static void configuration(void **state)
{
    struct drv d;

    (void)state;
    blk_drv(&d, &disk_ops, false, 0);
    assert_int_equal(drv_r32(&d, 0x08), VIRTIO_BLOCK);
    assert_int_equal(drv_features(&d) & UINT32_C(0xffffff), 1 << 2 | 1 << 6 | 1 << 9 | 1 << 13 | 1 << 14);
    assert_int_equal(drv_read(&d, 0x100, 8), SECTORS);
    assert_int_equal(drv_read(&d, 0x10c, 4), VIRTQ_SEGS - 2);
    assert_int_equal(drv_read(&d, 0x114, 4), 512);
    assert_int_equal(drv_read(&d, 0x138, 1), 1); /* write_zeroes_may_unmap */
    assert_int_equal(drv_read(&d, 0x13c, 8), 0);
    assert_int_equal(drv_read(&d, 0x1fc, 4), 0);
    drv_free(&d);
    blk_drv(&d, &plain_ops, true, 0);
    assert_int_equal(drv_features(&d) & UINT32_C(0xffffff), 1 << 2 | 1 << 5 | 1 << 6 | 1 << 9);
    drv_free(&d);
}

static void reading_writing(void **state)
{
    struct drv d;
    uint32_t len;

    (void)state;
    blk_drv(&d, &disk_ops, false, VIRTIO_F_EVENT_IDX);
    assert_int_equal(request(&d, IN, 3, 0, 1024, &len), OK);
    assert_int_equal(len, 1025);
    assert_memory_equal(drv_ptr(&d, BUF), disk.data + 3 * 512, 1024);
    assert_int_equal(d.line->rises, 1);
    memset(drv_ptr(&d, BUF), 0xa5, 2048);
    assert_int_equal(request(&d, OUT, 60, 2048, 0, &len), OK);
    assert_int_equal(len, 1);
    assert_memory_equal(disk.data + 60 * 512, drv_ptr(&d, BUF), 2048);
    assert_int_equal(disk.data[60 * 512 - 1], (uint8_t)(59 + 60 * 512 - 1));
    assert_int_equal(request(&d, FLUSH, 0, 0, 0, NULL), OK);
    assert_int_equal(disk.flushes, 1);
    drv_free(&d);
}

/* Header, data and status may be cut anywhere (2.7.4). */
static void any_framing(void **state)
{
    struct drv d;
    uint32_t id, len;

    (void)state;
    blk_drv(&d, &disk_ops, false, VIRTIO_F_INDIRECT_DESC);
    header(&d, OUT, 1);
    memset(drv_ptr(&d, BUF), 0x5a, 1024);
    memcpy(drv_ptr(&d, BUF - 9), drv_ptr(&d, HEADER + 7), 9); /* rest of the header in front of the data */
    drv_desc(&d, 0, 0, HEADER, 7, D_NEXT, 1);
    drv_desc(&d, 0, 1, BUF - 9, 9 + 300, D_NEXT, 2);
    drv_desc(&d, 0, 2, BUF + 300, 212, D_NEXT, 3);
    drv_desc(&d, 0, 3, STATUS, 1, D_WRITE, 0);
    drv_add(&d, 0, 0);
    drv_kick(&d, 0);
    assert_true(drv_used(&d, 0, &id, &len));
    assert_int_equal(*(uint8_t *)drv_ptr(&d, STATUS), OK);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(disk.data[512 + i], 0x5a);
    assert_int_equal(disk.data[1024], (uint8_t)(2 + 1024));
    /* Reading: data and status in one buffer, indirect. */
    header(&d, IN, 5);
    drv_desc(&d, 0, (unsigned)(DRV_DATA + 0x200 - drv_area(0, 0)) / 16, HEADER, 16, D_NEXT, 1);
    drv_desc(&d, 0, (unsigned)(DRV_DATA + 0x210 - drv_area(0, 0)) / 16, BUF, 100, D_NEXT | D_WRITE, 2);
    drv_desc(&d, 0, (unsigned)(DRV_DATA + 0x220 - drv_area(0, 0)) / 16, BUF + 100, 413, D_WRITE, 0);
    drv_desc(&d, 0, 0, DRV_DATA + 0x200, 48, D_INDIRECT, 0);
    drv_add(&d, 0, 0);
    drv_kick(&d, 0);
    assert_true(drv_used(&d, 0, &id, &len));
    assert_int_equal(len, 513);
    assert_memory_equal(drv_ptr(&d, BUF), disk.data + 5 * 512, 512);
    assert_int_equal(*(uint8_t *)drv_ptr(&d, BUF + 512), OK);
    drv_free(&d);
}

static void beyond_the_end(void **state)
{
    struct drv d;
    uint32_t len;

    (void)state;
    blk_drv(&d, &disk_ops, false, 0);
    assert_int_equal(request(&d, IN, SECTORS - 1, 0, 1024, &len), IOERR);
    assert_int_equal(len, 0);
    assert_int_equal(request(&d, IN, SECTORS, 0, 512, NULL), IOERR);
    assert_int_equal(request(&d, IN, UINT64_MAX, 0, 512, NULL), IOERR);
    assert_int_equal(request(&d, OUT, UINT64_MAX / 512 + 1, 512, 0, NULL), IOERR);
    assert_int_equal(request(&d, IN, 0, 0, 511, NULL), IOERR);
    assert_int_equal(request(&d, OUT, 0, 100, 0, NULL), IOERR);
    assert_int_equal(request(&d, IN, SECTORS, 0, 0, NULL), OK); /* nothing, at the end */
    assert_int_equal(request(&d, 99, 0, 0, 0, &len), UNSUPP);
    assert_int_equal(len, 1);
    assert_false(drv_broken(&d));
    drv_free(&d);
}

static void serial_number(void **state)
{
    struct drv d;
    uint32_t len;

    (void)state;
    blk_drv(&d, &disk_ops, false, 0);
    memset(drv_ptr(&d, BUF), 0xff, 32);
    assert_int_equal(request(&d, GET_ID, 0, 0, 20, &len), OK);
    assert_memory_equal(drv_ptr(&d, BUF), "disk0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff", 21);
    memset(drv_ptr(&d, BUF), 0xff, 32);
    assert_int_equal(request(&d, GET_ID, 0, 0, 3, &len), OK);
    assert_memory_equal(drv_ptr(&d, BUF), "dis\xff", 4);
    drv_free(&d);
}

static void range(struct drv *d, unsigned i, uint64_t sector, uint32_t sectors, uint32_t flags)
{
    mem_write(&d->vm->mem, BUF + 16 * i, &sector, 8);
    mem_write(&d->vm->mem, BUF + 16 * i + 8, &sectors, 4);
    mem_write(&d->vm->mem, BUF + 16 * i + 12, &flags, 4);
}

static void ranges(void **state)
{
    struct drv d;

    (void)state;
    blk_drv(&d, &disk_ops, false, 0);
    range(&d, 0, 2, 3, 1);
    range(&d, 1, 10, 1, 0);
    assert_int_equal(request(&d, WRITE_ZEROES, 0, 32, 0, NULL), OK);
    assert_int_equal(disk.data[2 * 512], 0);
    assert_int_equal(disk.data[10 * 512 + 511], 0);
    assert_int_not_equal(disk.data[5 * 512 + 1], 0);
    /* Unmap in a discard, unknown flags. */
    assert_int_equal(request(&d, DISCARD, 0, 32, 0, NULL), UNSUPP);
    range(&d, 0, 2, 3, 2);
    assert_int_equal(request(&d, WRITE_ZEROES, 0, 32, 0, NULL), UNSUPP);
    /* All are checked before the first is done. */
    range(&d, 0, 20, 1, 0);
    range(&d, 1, SECTORS - 1, 2, 0);
    disk.data[20 * 512] = 7;
    assert_int_equal(request(&d, DISCARD, 0, 32, 0, NULL), IOERR);
    assert_int_equal(disk.data[20 * 512], 7);
    assert_false(disk.discarded);
    assert_int_equal(request(&d, DISCARD, 0, 16, 0, NULL), OK);
    assert_true(disk.discarded);
    assert_int_equal(disk.data[20 * 512], 0);
    assert_int_equal(request(&d, DISCARD, 0, 20, 0, NULL), IOERR);
    assert_int_equal(request(&d, DISCARD, 0, 0, 0, NULL), IOERR);
    assert_int_equal(request(&d, DISCARD, 0, 17 * 16, 0, NULL), IOERR);
    drv_free(&d);
    blk_drv(&d, &plain_ops, false, 0);
    range(&d, 0, 2, 3, 0);
    assert_int_equal(request(&d, DISCARD, 0, 16, 0, NULL), UNSUPP);
    assert_int_equal(request(&d, WRITE_ZEROES, 0, 16, 0, NULL), UNSUPP);
    drv_free(&d);
}

static void read_only(void **state)
{
    struct drv d;

    (void)state;
    blk_drv(&d, &disk_ops, true, 0);
    range(&d, 0, 0, 1, 0);
    assert_int_equal(request(&d, OUT, 0, 512, 0, NULL), IOERR);
    assert_int_equal(request(&d, DISCARD, 0, 16, 0, NULL), IOERR);
    assert_int_equal(request(&d, WRITE_ZEROES, 0, 16, 0, NULL), IOERR);
    assert_int_equal(request(&d, IN, 0, 0, 512, NULL), OK);
    assert_int_equal(request(&d, FLUSH, 0, 0, 0, NULL), OK);
    drv_free(&d);
}

static void disk_errors(void **state)
{
    static const struct {
        uint32_t type, out, in;
    } kinds[] = {{IN, 0, 512}, {OUT, 512, 0}, {FLUSH, 0, 0}, {DISCARD, 16, 0}, {WRITE_ZEROES, 16, 0}};
    unsigned before, after;
    struct drv d;
    uint32_t len;

    (void)state;
    blk_drv(&d, &disk_ops, false, 0);
    d.vm->log.level[LOG_BLOCK] = LOG_WARN;
    test_log(&before);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        range(&d, 0, 1, 1, 0);
        disk.calls = 0;
        disk.fail_at = 1;
        assert_int_equal(request(&d, kinds[i].type, 1, kinds[i].out, kinds[i].in, &len), IOERR);
        disk.fail_at = 0;
        range(&d, 0, 1, 1, 0);
        assert_int_equal(request(&d, kinds[i].type, 1, kinds[i].out, kinds[i].in, &len), OK);
    }
    /* Said once, of the first. */
    assert_non_null(strstr(test_log(&after), "the host cannot read the image (error 5)"));
    assert_int_equal(after, before + 1);
    /* Read data that came before the error is marked dirty all the same. */
    disk.calls = 0;
    disk.fail_at = 1;
    mem_page_mark(&d.vm->mem, BUF, 0, MEM_PAGE_DIRTY);
    assert_int_equal(request(&d, IN, 1, 0, 512, &len), IOERR);
    assert_true(mem_page_flags(&d.vm->mem, BUF) & MEM_PAGE_DIRTY);
    drv_free(&d);
}

static void no_request(void **state)
{
    struct drv d;
    uint32_t id, len;

    (void)state;
    blk_drv(&d, &disk_ops, false, 0);
    drv_chain(&d, 0, 0, HEADER, 15, STATUS, 1); /* header too short */
    drv_kick(&d, 0);
    assert_true(drv_broken(&d));
    assert_true(d.line->level);
    assert_false(drv_used(&d, 0, &id, &len));
    /* Until the reset nothing is done. */
    drv_chain(&d, 0, 2, HEADER, 16, STATUS, 1);
    drv_kick(&d, 0);
    assert_false(drv_used(&d, 0, &id, &len));
    drv_start(&d, 0);
    assert_int_equal(request(&d, IN, 0, 0, 512, NULL), OK);
    drv_chain(&d, 0, 0, HEADER, 16, 0, 0); /* no status */
    drv_kick(&d, 0);
    assert_true(drv_broken(&d));
    drv_free(&d);
}

/* ---- with a worker: a reset while a request is with the disk waits for it ---- */

static struct plat_event in_disk, go_on;

static int slow_read(struct blockdev *b, uint64_t offset, void *buf, size_t len)
{
    plat_event_wake(&in_disk);
    plat_event_wait(&go_on, PLAT_FOREVER);
    return disk_read(b, offset, buf, len);
}

static void let_go(void *opaque)
{
    struct plat_event later;

    (void)opaque;
    plat_event_init(&later);
    plat_event_wait(&later, plat_clock_ns() + 20000000);
    plat_event_fini(&later);
    plat_event_wake(&go_on);
}

static void reset_waits(void **state)
{
    const struct blockdev_ops ops = {.read = slow_read, .write = disk_write, .flush = disk_flush};
    struct plat_task *task;
    uint64_t status_now;
    struct drv d;
    uint32_t id, len;

    (void)state;
    plat_event_init(&in_disk);
    plat_event_init(&go_on);
    blk_drv(&d, &ops, false, 0);
    assert_int_equal(work_start(d.vm), 0);
    header(&d, IN, 1);
    drv_desc(&d, 0, 0, HEADER, 16, D_NEXT, 1);
    drv_desc(&d, 0, 1, BUF, 512, D_NEXT | D_WRITE, 2);
    drv_desc(&d, 0, 2, STATUS, 1, D_WRITE, 0);
    drv_add(&d, 0, 0);
    drv_write(&d, 0x50, 0);
    plat_event_wait(&in_disk, PLAT_FOREVER);
    /* Registers answer meanwhile. */
    status_now = drv_r32(&d, 0x70);
    assert_true(status_now & VIRTIO_DRIVER_OK);
    assert_int_equal(plat_task_start(&task, "later", let_go, NULL), 0);
    drv_write(&d, 0x70, 0);
    /* The buffer is the guest's again, all writes are done, and the request was not finished. */
    assert_int_equal(d.v->busy, 0);
    assert_memory_equal(drv_ptr(&d, BUF), disk.data + 512, 512);
    assert_false(drv_used(&d, 0, &id, &len));
    plat_task_join(task);
    /* The next driver is served. */
    plat_event_wake(&go_on);
    drv_start(&d, 0);
    header(&d, IN, 1);
    drv_desc(&d, 0, 0, HEADER, 16, D_NEXT, 1);
    drv_desc(&d, 0, 1, BUF, 512, D_NEXT | D_WRITE, 2);
    drv_desc(&d, 0, 2, STATUS, 1, D_WRITE, 0);
    drv_add(&d, 0, 0);
    drv_write(&d, 0x50, 0);
    d.v->dev.ops->quiesce(&d.v->dev);
    assert_true(drv_used(&d, 0, &id, &len));
    drv_free(&d);
    plat_event_fini(&go_on);
    plat_event_fini(&in_disk);
}

static void hostile(void **state)
{
    struct drv d;

    (void)state;
    blk_drv(&d, &disk_ops, false, 0);
    hostile_run(&d, 2, NULL);
    drv_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration),  cmocka_unit_test(reading_writing), cmocka_unit_test(any_framing),
        cmocka_unit_test(beyond_the_end), cmocka_unit_test(serial_number),   cmocka_unit_test(ranges),
        cmocka_unit_test(read_only),      cmocka_unit_test(disk_errors),     cmocka_unit_test(no_request),
        cmocka_unit_test(reset_waits),    cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests_name("virtio_blk", tests, NULL, NULL);
}
