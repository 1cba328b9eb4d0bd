/* Formatting against the C library, parsing against its limits, nearest names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/err.h"
#include "lib/fmt.h"

/* The same call to both, with every size that matters: text, terminator and length must agree. */
static void same(const char *format, ...)
{
    char ours[400], theirs[400];
    const size_t sizes[] = {sizeof(ours), 0, 1, 2, 5, 17};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        va_list ap;
        int n, m;

        memset(ours, 0x55, sizeof(ours));
        memset(theirs, 0x55, sizeof(theirs));
        va_start(ap, format);
        n = vsnprintf(theirs, sizes[i], format, ap);
        va_end(ap);
        va_start(ap, format);
        m = fmt_vsnprintf(ours, sizes[i], format, ap);
        va_end(ap);
        if (n != m || memcmp(ours, theirs, (size_t)MIN(n + 1, (int)sizes[i])) != 0)
            fail_msg("format \"%s\" size %zu: \"%.100s\" (%d), not \"%.100s\" (%d)", format, sizes[i],
                     sizes[i] ? ours : "", m, sizes[i] ? theirs : "", n);
        for (size_t k = sizes[i]; k < sizeof(ours); k++)
            assert_int_equal(ours[k], 0x55);
    }
}

static void test_plain(void **state)
{
    int x;

    (void)state;
    same("");
    same("no conversion, 100%%");
    same("%s|%10s|%-10s|%.2s|%.0s|%5.1s|", "abc", "abc", "abc", "abc", "abc", "abc");
    same("%c%5c%-5c|", 'a', 'b', 'c');
    same("a%cb", 0);
    same("%*d|%-*d|%*d|%.*d|%.*d|", 6, 1, 6, 2, -6, 3, 4, 5, -1, 6);
    same("%*.*s|", 8, 3, "abcdef");
    same("%p", (void *)&x);
    same("%20p|%-20p|", (void *)&x, (void *)&x);
    same("%d items in %s: %#lx of %zu", -3, "here", 0xabcdeful, (size_t)12345);
    same("%lld %llu %jd %zx", INT64_MIN, UINT64_MAX, INTMAX_MIN, SIZE_MAX);
    same("%hhd %hhu %hd %hu", 0x1ff, 0x1ff, 0x18000, 0x18000);
}

/* Every flag set, width, precision, length and conversion, on the values at the edges. */
static void test_integers(void **state)
{
    static const char *const lengths[] = {"hh", "h", "", "l", "ll", "j", "z"};
    static const char *const fields[] = {"", "1", "8", "20", ".0", ".1", ".12", "9.4", "3.20"};
    const uint64_t values[] = {0,      1,         7,          8,         UINT64_MAX, 0x7f,      0x80,
                               0x8000, INT32_MAX, 0x80000000, INT64_MAX, BIT(63),    1234567890};

    (void)state;
    for (unsigned flags = 0; flags < 32; flags++) {
        char set[6], format[32];
        size_t n = 0;

        for (unsigned b = 0; b < 5; b++) {
            if (flags & 1u << b)
                set[n++] = "-0+ #"[b];
        }
        set[n] = 0;
        for (const char *c = "diuxXo"; *c; c++) {
            /* Flags without a meaning for a conversion are undefined. */
            if ((strchr("uxXo", *c) && flags & 12) || (strchr("diu", *c) && flags & 16))
                continue;
            for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
                for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
                    snprintf(format, sizeof(format), "<%%%s%s%s%c>", set, fields[f], lengths[l], *c);
                    for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
                        if (l < 3)
                            same(format, (int)values[v]);
                        else
                            same(format, values[v]);
                    }
                }
            }
        }
    }
}

static void test_odd(void **state)
{
    char b[64];

    (void)state;
    /* The compiler would refuse these formats if it saw them. */
    const char *volatile string = "%s", *volatile early = "ab%-08", *volatile wide = "%99999999999999999999d";
    const char *volatile width = "%*d", *volatile precision = "%.*d";
    assert_int_equal(fmt_snprintf(b, sizeof(b), string, NULL), 6);
    assert_string_equal(b, "(null)");
    /* A format that ends early gives what came before; fields without end are cut, not overflowed. */
    assert_int_equal(fmt_snprintf(b, sizeof(b), early, 1), 2);
    assert_string_equal(b, "ab");
    assert_int_equal(fmt_snprintf(b, sizeof(b), wide, 1), 100000);
    assert_int_equal(fmt_snprintf(b, sizeof(b), width, INT32_MIN, 1), 100000);
    assert_int_equal(fmt_snprintf(b, sizeof(b), precision, INT32_MIN, 1), 1);
}

static void check_u64(const char *s, int err, uint64_t value)
{
    uint64_t v = 77;

    if (fmt_parse_u64(s, &v) != err || v != (err ? 77 : value))
        fail_msg("\"%s\" gave %llu", s, (unsigned long long)v);
}

static void test_parse_u64(void **state)
{
    (void)state;
    check_u64("0", 0, 0);
    check_u64("007", 0, 7);
    check_u64("18446744073709551615", 0, UINT64_MAX);
    check_u64("18446744073709551616", -ERANGE, 0);
    check_u64("99999999999999999999999", -ERANGE, 0);
    check_u64("0xffffFFFFffffFFFF", 0, UINT64_MAX);
    check_u64("0X10", 0, 16);
    check_u64("0x10000000000000000", -ERANGE, 0);
    check_u64("0b101", 0, 5);
    static const char *const bad[] = {"",    " 1",  "1 ", "-1",  "+1", "0x",  "0b",
                                      "0b2", "12a", "x",  "0xg", "1K", "\xff"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        check_u64(bad[i], -EINVAL, 0);
}

static void check_size(const char *s, int err, uint64_t value)
{
    uint64_t v = 77;

    if (fmt_parse_size(s, &v) != err || v != (err ? 77 : value))
        fail_msg("\"%s\" gave %llu", s, (unsigned long long)v);
}

static void test_parse_size(void **state)
{
    (void)state;
    check_size("0", 0, 0);
    check_size("4096", 0, 4096);
    check_size("1K", 0, 1024);
    check_size("512m", 0, UINT64_C(512) << 20);
    check_size("2G", 0, UINT64_C(2) << 30);
    check_size("3T", 0, UINT64_C(3) << 40);
    check_size("1KiB", 0, 1024);
    check_size("1MiB", 0, 1 << 20);
    check_size("1GB", 0, 1 << 30);
    check_size("0x10k", 0, 16384);
    check_size("16777215T", 0, UINT64_C(16777215) << 40);
    check_size("16777216T", -ERANGE, 0);
    check_size("18446744073709551616", -ERANGE, 0);
    static const char *const bad[] = {"", "K", "1Q", "1KX", "1KiBx", "1 K", "-1K", "1.5G", "1KK", "1Ki "};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        check_size(bad[i], -EINVAL, 0);
}

static void test_nearest(void **state)
{
    static const char *const known[] = {"memory", "smp", "kernel", "initrd", "append", "net-mode"};
    static const char *const cases[][2] = {
        {"memroy", "memory"}, {"kernle", "kernel"}, {"netmode", "net-mode"}, {"inird", "initrd"},
        {"apend", "append"},  {"smp", "smp"},       {"spm", "smp"},          {"sm", "smp"}};
    static const char *const far[] = {"", "x", "zebra", "mem", "colonel", "-----"};
    char word[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(fmt_nearest(cases[i][0], known, ARRAY_SIZE(known)), cases[i][1]);
    for (size_t i = 0; i < ARRAY_SIZE(far); i++)
        assert_null(fmt_nearest(far[i], known, ARRAY_SIZE(known)));
    memset(word, 'k', sizeof(word) - 1);
    word[sizeof(word) - 1] = 0;
    assert_null(fmt_nearest(word, known, ARRAY_SIZE(known)));
    assert_null(fmt_nearest("x", known, 0));
    fmt_hint(word, sizeof(word), "kernal", known, ARRAY_SIZE(known));
    assert_string_equal(word, "the nearest is 'kernel'");
    fmt_hint(word, sizeof(word), "zebra", known, 3);
    assert_string_equal(word, "known: memory, smp, kernel");
    fmt_hint(word, 12, "zebra", known, 3);
    assert_string_equal(word, "known: memo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_integers),   cmocka_unit_test(test_odd),
        cmocka_unit_test(test_parse_u64), cmocka_unit_test(test_parse_size), cmocka_unit_test(test_nearest),
    };

    return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}
