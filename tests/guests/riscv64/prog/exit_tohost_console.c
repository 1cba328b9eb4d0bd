/* Console output and the end through tohost: device 1, command 1 writes a byte and is acknowledged in
 * fromhost. */
#include "harness.h"

volatile u64 tohost __attribute__((aligned(64))), fromhost __attribute__((aligned(64)));

static int put(char c)
{
    tohost = 1UL << 56 | 1UL << 48 | (u8)c;
    for (u64 i = 0; i < 100000000; i++)
        if (fromhost) {
            fromhost = 0;
            return 1;
        }
    return 0;
}

void test_main(void)
{
    int all = 1;

    section("tohost console");
    for (const char *s = "ok written through tohost\n"; *s; s++)
        all &= put(*s);
    check_true("each byte acknowledged", all);
    if (!all)
        finish();
    section("end");
    tohost = 1;
    for (;;)
        ;
}
