/* What tests of a device with registers of 32 bits at BASE share; BASE comes before. */
#ifndef CV_DEVICE_REG_TEST_H
#define CV_DEVICE_REG_TEST_H

#include "device/virtio/virtio_test.h"
#include "platform/test/test_platform.h"

static struct drv d;

static inline uint32_t get(unsigned offset)
{
    uint64_t v = 0;

    assert_true(bus_access(d.vm, BASE + offset, 4, false, &v));
    return (uint32_t)v;
}

static inline void set(unsigned offset, uint32_t value)
{
    uint64_t v = value;

    assert_true(bus_access(d.vm, BASE + offset, 4, true, &v));
}

static inline bool line(void)
{
    return d.line->level;
}

static inline int teardown(void **state)
{
    (void)state;
    vm_destroy(d.vm);
    return 0;
}

/* Each request that `create` makes fails once: it says so, and leaves nothing behind. */
static inline void each_allocation(void *(*create)(char *why, size_t why_size))
{
    char why[160];
    void *u = NULL;

    for (uint64_t n = 1; !u; n++) {
        drv_init(&d, false);
        why[0] = 0;
        test_fail_at(n);
        u = create(why, sizeof(why));
        assert_int_equal(!u, test_failed());
        test_fail_at(0);
        assert_int_equal(!u, why[0] != 0);
        vm_destroy(d.vm);
    }
    assert_int_equal(test_live(), 0);
}

#endif
