/* The guest chooses 7 through the ELF symbol tohost. tests/run-guests knows the status expected. */
#include "harness.h"

volatile u64 tohost __attribute__((aligned(64))), fromhost __attribute__((aligned(64)));

void test_main(void)
{
    section("exit_tohost");
    check_true("reached", 1);
    section("end");
    tohost = 7 << 1 | 1;
    for (;;)
        ;
}
