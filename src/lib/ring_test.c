/* The byte ring: alone against a counter, positions about to wrap, and between two threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include "lib/ring.h"
#include "lib/rng.h"

/* Byte i of the stream that goes through. */
static uint8_t stream(uint64_t i)
{
    return (uint8_t)(i * 167 >> 3);
}

static void test_one_thread(void **state)
{
    uint8_t storage[16], data[24];
    uint64_t in = 0, out = 0;
    struct ring ring;
    struct rng r;

    (void)state;
    rng_init(&r, 1);
    ring_init(&ring, storage, sizeof(storage));
    /* Positions wrap soon. */
    atomic_store(&ring.read_pos, UINT32_MAX - 100);
    atomic_store(&ring.write_pos, UINT32_MAX - 100);
    for (int round = 0; round < 20000; round++) {
        size_t n = rng_below(&r, sizeof(data)), done;

        assert_int_equal(ring_used(&ring), in - out);
        assert_int_equal(ring_space(&ring), sizeof(storage) - (in - out));
        if (rng_below(&r, 2)) {
            for (size_t i = 0; i < n; i++)
                data[i] = stream(in + i);
            done = ring_write(&ring, data, n);
            assert_int_equal(done, MIN(n, sizeof(storage) - (in - out)));
            in += done;
        } else {
            done = ring_read(&ring, data, n);
            assert_int_equal(done, MIN(n, in - out));
            for (size_t i = 0; i < done; i++)
                assert_int_equal(data[i], stream(out + i));
            out += done;
        }
    }
}

#define TOTAL 2000000

static void *producer(void *arg)
{
    uint8_t data[50];
    uint64_t sent = 0;

    while (sent < TOTAL) {
        size_t n = MIN(1 + sent % sizeof(data), TOTAL - sent), done;

        for (size_t i = 0; i < n; i++)
            data[i] = stream(sent + i);
        done = ring_write(arg, data, n);
        sent += done;
        if (!done)
            sched_yield();
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    static uint8_t storage[64];
    uint8_t data[40];
    struct ring ring;
    uint64_t got = 0, wrong = 0;
    pthread_t t;

    (void)state;
    ring_init(&ring, storage, sizeof(storage));
    assert_int_equal(pthread_create(&t, NULL, producer, &ring), 0);
    while (got < TOTAL) {
        size_t n = ring_read(&ring, data, 1 + got % sizeof(data));

        for (size_t i = 0; i < n; i++)
            wrong += data[i] != stream(got + i);
        got += n;
        if (!n)
            sched_yield();
    }
    pthread_join(t, NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(ring_used(&ring), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
