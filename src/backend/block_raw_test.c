/* Raw disks on files in memory: sizes, bounds, locks, read-only, holes, each failing call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "backend/block_raw.h"
#include "lib/err.h"
#include "platform/test/test_platform.h"

static char why[300];

static struct blockdev *disk(const char *path, bool read_only)
{
    struct blockdev *b = NULL;

    assert_int_equal(block_raw_create(&b, path, read_only, why, sizeof(why)), 0);
    return b;
}

static int reset(void **state)
{
    (void)state;
    test_reset();
    return 0;
}

static void refused(const char *path, bool read_only, int err, const char *text)
{
    struct blockdev *b;
    uint64_t live = test_live();

    why[0] = 0;
    assert_int_equal(block_raw_create(&b, path, read_only, why, sizeof(why)), err);
    if (!strstr(why, path) || !strstr(why, text) || strchr(why, '\n'))
        fail_msg("'%s' lacks '%s'", why, text);
    assert_int_equal(test_live(), live);
}

static void good(void **state)
{
    uint8_t buf[1024], data[4096];
    struct blockdev *b;
    size_t size;

    (void)state;
    memset(data, 0x11, sizeof(data));
    test_file("d.img", data, sizeof(data), false);
    b = disk("d.img", false);
    assert_int_equal(b->size, 4096);
    assert_false(b->read_only);
    memset(buf, 0x22, sizeof(buf));
    assert_int_equal(b->ops->write(b, 512, buf, 1024), 0);
    assert_int_equal(b->ops->read(b, 1024, buf, 1024), 0);
    assert_int_equal(buf[511], 0x22);
    assert_int_equal(buf[512], 0x11);
    assert_int_equal(b->ops->zero(b, 512, 512), 0);
    assert_int_equal(b->ops->discard(b, 2048, 512), 0);
    assert_int_equal(b->ops->zero(b, 4096, 0), 0);
    assert_int_equal(b->ops->flush(b), 0);
    assert_int_equal(test_file_data("d.img", &size)[512], 0);
    assert_int_equal(test_file_data("d.img", &size)[1024], 0x22);
    assert_int_equal(size, 4096);
    b->ops->destroy(b);
}

static void out_of_bounds(void **state)
{
    static const struct {
        uint64_t offset, len;
    } bad[] = {{4096, 1}, {4095, 2}, {UINT64_MAX, 2}, {0, 4097}, {UINT64_MAX - 511, 512}};
    static uint8_t buf[8192];
    struct blockdev *b;

    (void)state;
    test_file("d.img", NULL, 4096, false);
    b = disk("d.img", false);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(b->ops->read(b, bad[i].offset, buf, bad[i].len), -EINVAL);
        assert_int_equal(b->ops->write(b, bad[i].offset, buf, bad[i].len), -EINVAL);
        assert_int_equal(b->ops->zero(b, bad[i].offset, bad[i].len), -EINVAL);
        assert_int_equal(b->ops->discard(b, bad[i].offset, bad[i].len), -EINVAL);
    }
    b->ops->destroy(b);
}

static void read_only(void **state)
{
    uint8_t buf[512];
    struct blockdev *b, *second;

    (void)state;
    test_file("d.img", NULL, 4096, true);
    refused("d.img", false, -EACCES, "read-only (,ro)");
    b = disk("d.img", true);
    assert_true(b->read_only);
    assert_int_equal(b->ops->write(b, 0, buf, 512), -EROFS);
    assert_int_equal(b->ops->zero(b, 0, 512), -EROFS);
    assert_int_equal(b->ops->discard(b, 0, 512), -EROFS);
    assert_int_equal(b->ops->read(b, 0, buf, 512), 0);
    assert_int_equal(b->ops->flush(b), 0);
    second = disk("d.img", true); /* readers share */
    second->ops->destroy(second);
    b->ops->destroy(b);
}

static void locked(void **state)
{
    struct blockdev *b;

    (void)state;
    test_file("d.img", NULL, 4096, false);
    b = disk("d.img", false);
    refused("d.img", false, -EBUSY, "in use by another VM");
    refused("d.img", true, -EBUSY, "in use by another VM");
    b->ops->destroy(b);
    b = disk("d.img", true);
    refused("d.img", false, -EBUSY, "in use by another VM");
    b->ops->destroy(b);
    b = disk("d.img", false);
    b->ops->destroy(b);
}

static void bad_files(void **state)
{
    (void)state;
    refused("missing.img", false, -ENOENT, "no such file");
    test_file("odd.img", NULL, 1000, false);
    refused("odd.img", false, -EINVAL, "1000 bytes, is no multiple of 512");
    test_file("empty.img", NULL, 0, false);
    refused("empty.img", true, -EINVAL, "empty");
}

/* Where the file has no holes zeros are written, more than one piece of them; a discard does nothing. */
static void without_holes(void **state)
{
    static uint8_t data[200 * 1024];
    const uint8_t *now;
    struct blockdev *b;

    (void)state;
    memset(data, 0x33, sizeof(data));
    test_file("d.img", data, sizeof(data), false);
    test_file_no_punch("d.img");
    b = disk("d.img", false);
    assert_int_equal(b->ops->discard(b, 0, sizeof(data)), 0);
    now = test_file_data("d.img", NULL);
    assert_int_equal(now[0], 0x33);
    assert_int_equal(b->ops->zero(b, 512, sizeof(data) - 1024), 0);
    now = test_file_data("d.img", NULL);
    for (size_t i = 0; i < sizeof(data); i++)
        assert_int_equal(now[i], i < 512 || i >= sizeof(data) - 512 ? 0x33 : 0);
    b->ops->destroy(b);
}

/* Every call of the host's fails once: an error, never a crash or a leak. */
static void each_failure(void **state)
{
    uint8_t buf[512] = {0};

    (void)state;
    test_file("d.img", NULL, 4096, false);
    for (unsigned n = 1;; n++) {
        uint64_t live = test_live();
        struct blockdev *b;
        int err;

        test_fail_at(n);
        why[0] = 0;
        err = block_raw_create(&b, "d.img", false, why, sizeof(why));
        if (err) {
            assert_true(why[0]);
        } else {
            int bad = (b->ops->read(b, 0, buf, 512) != 0) + (b->ops->write(b, 0, buf, 512) != 0) +
                      (b->ops->flush(b) != 0) + (b->ops->zero(b, 0, 512) != 0) +
                      (b->ops->discard(b, 0, 512) != 0);

            assert_int_equal(bad, test_failed());
            b->ops->destroy(b);
        }
        assert_int_equal(test_live(), live);
        if (!test_failed())
            break;
        assert_true(n < 100);
    }
    test_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good, reset),         cmocka_unit_test_setup(out_of_bounds, reset),
        cmocka_unit_test_setup(read_only, reset),    cmocka_unit_test_setup(locked, reset),
        cmocka_unit_test_setup(bad_files, reset),    cmocka_unit_test_setup(without_holes, reset),
        cmocka_unit_test_setup(each_failure, reset),
    };

    return cmocka_run_group_tests_name("block_raw", tests, NULL, NULL);
}
