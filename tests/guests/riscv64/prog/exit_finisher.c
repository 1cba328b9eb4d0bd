/* The guest chooses 5 through the finisher. tests/run-guests knows the status expected. */
#include "harness.h"

void test_main(void)
{
    section("exit_finisher");
    check_true("reached", 1);
    section("end");
    poke32(0x100000, 5u << 16 | 0x3333);
    for (;;)
        ;
}
