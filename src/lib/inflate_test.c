/* Inflate: what gzip writes comes back whole, damage never hurts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/inflate.h"

#define MAX_SIZE (1u << 20)

static uint8_t plain[MAX_SIZE], packed[2 * MAX_SIZE], out[MAX_SIZE];

/* Compressible to different degrees: runs, text-like, random. */
static void fill(size_t size, unsigned kind)
{
    for (size_t i = 0; i < size; i++) {
        switch (kind) {
        case 0:
            plain[i] = (uint8_t)rand();
            break;
        case 1:
            plain[i] = (uint8_t)("etaoin shrdlu\n"[(unsigned)rand() * (unsigned)(rand() % 4) % 14]);
            break;
        case 2:
            plain[i] = i && rand() % 50 ? plain[i - 1] : (uint8_t)rand();
            break;
        default:
            plain[i] = i > 3000 && rand() % 500 ? plain[i - 3000] : (uint8_t)rand();
            break;
        }
    }
}

static size_t pack(size_t size, const char *command)
{
    char dir[] = "/tmp/inflate.XXXXXX", name[64], line[160];
    size_t n;
    FILE *f;

    assert_non_null(mkdtemp(dir));
    snprintf(name, sizeof(name), "%s/a", dir);
    f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(plain, 1, size, f), size);
    fclose(f);
    snprintf(line, sizeof(line), "%s %s", command, name);
    f = popen(line, "r");
    assert_non_null(f);
    n = fread(packed, 1, sizeof(packed), f);
    assert_int_equal(pclose(f), 0);
    unlink(name);
    rmdir(dir);
    return n;
}

static void round_trips(void **state)
{
    static const char *const commands[] = {"gzip -1nc", "gzip -6c", "gzip -9nc"};
    static const size_t sizes[] = {1, 2, 100, 5000, 70000, MAX_SIZE};
    struct inflate_result r;

    (void)state;
    srand(3);
    for (unsigned i = 0; i < 3 * 4 * 6; i++) {
        size_t size = sizes[i / 12], n;

        fill(size, i % 4);
        n = pack(size, commands[i / 4 % 3]);
        assert_int_equal(inflate_gzip_size(packed, n), size);
        assert_int_equal(inflate_gzip(packed, n, out, size, &r), 0);
        assert_int_equal(r.size, size);
        assert_int_equal(r.used, n);
        assert_memory_equal(out, plain, size);
        if (size > 1)
            assert_int_equal(inflate_gzip(packed, n, out, size - 1, &r), -ENOSPC);
    }
}

/* A stored block, a fixed one, and streams that are none (RFC 1951, 3.2). */
static void raw_blocks(void **state)
{
    static const uint8_t stored[] = {0x01, 0x03, 0x00, 0xfc, 0xff, 'a', 'b', 'c'};
    static const uint8_t fixed[] = {0x4b, 0x4c, 0x4a, 0x06, 0x00};
    static const uint8_t bad_length[] = {0x01, 0x03, 0x00, 0xfc, 0xfe, 'a', 'b', 'c'};
    static const uint8_t reserved[] = {0x07, 0, 0};
    static const uint8_t too_far[] = {0x4b, 0x04, 0x22, 0, 0, 0}; /* a distance before the beginning */
    struct inflate_result r;

    (void)state;
    assert_int_equal(inflate_raw(stored, sizeof(stored), out, 10, &r), 0);
    assert_int_equal(r.size, 3);
    assert_int_equal(r.used, sizeof(stored));
    assert_memory_equal(out, "abc", 3);
    assert_int_equal(inflate_raw(stored, sizeof(stored), out, 2, &r), -ENOSPC);
    assert_int_equal(inflate_raw(stored, sizeof(stored) - 1, out, 10, &r), -EINVAL);
    assert_int_equal(inflate_raw(fixed, sizeof(fixed), out, 10, &r), 0);
    assert_int_equal(r.size, 3);
    assert_memory_equal(out, "abc", 3);
    assert_int_equal(inflate_raw(bad_length, sizeof(bad_length), out, 10, &r), -EINVAL);
    assert_int_equal(inflate_raw(reserved, sizeof(reserved), out, 10, &r), -EINVAL);
    assert_int_equal(inflate_raw(too_far, sizeof(too_far), out, 1000, &r), -EINVAL);
    assert_int_equal(inflate_raw(stored, 0, out, 10, &r), -EINVAL);
}

static void headers(void **state)
{
    static const uint8_t body[] = {0x4b, 0x4c, 0x4a, 0x06, 0x00, 0xc2, 0x41, 0x24, 0x35, 3, 0, 0, 0};
    struct inflate_result r;

    (void)state;
    for (unsigned flags = 0; flags < 32; flags++) {
        uint8_t file[100] = {0x1f, 0x8b, 8, (uint8_t)flags};
        size_t n = 10;

        if (flags & 4) {
            file[n] = 3;
            n += 5;
        }
        if (flags & 8) {
            memcpy(file + n, "name", 5);
            n += 5;
        }
        if (flags & 16) {
            memcpy(file + n, "no comment", 11);
            n += 11;
        }
        if (flags & 2)
            n += 2;
        memcpy(file + n, body, sizeof(body));
        n += sizeof(body);
        assert_int_equal(inflate_gzip(file, n, out, 10, &r), 0);
        assert_int_equal(r.used, n);
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(inflate_gzip(file, cut, out, 10, &r), -EINVAL);
        file[n - 5] ^= 1; /* the checksum */
        assert_int_equal(inflate_gzip(file, n, out, 10, &r), -EINVAL);
    }
}

static void damaged(void **state)
{
    struct inflate_result r;
    size_t n;

    (void)state;
    srand(4);
    fill(3000, 1);
    n = pack(3000, "gzip -9nc");
    for (unsigned i = 0; i < 50000; i++) {
        uint8_t copy[4000];
        size_t size = rand() % 3 ? n : (size_t)rand() % n;
        uint8_t *exact = malloc(size + 1); /* so that sanitizers see each byte behind its end */

        memcpy(copy, packed, n);
        for (unsigned k = 0; k <= i % 4; k++)
            copy[18 + (size_t)rand() % (n - 18) * (size_t)(rand() % 2)] ^= (uint8_t)(1u << rand() % 8);
        memcpy(exact, copy, size);
        inflate_gzip(exact, size, out, 3000, &r);
        assert_true(r.size <= 3000);
        if (size > 10)
            inflate_raw(exact + 10, size - 10, out, 3000, &r);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(raw_blocks),
        cmocka_unit_test(headers),
        cmocka_unit_test(damaged),
    };

    return cmocka_run_group_tests_name("inflate", tests, NULL, NULL);
}
