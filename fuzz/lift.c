/* Any bytes in any mode lift to a unit that the verifier takes, before and after each pass. */
#include "lift.inc"
#include "guest/riscv64/guest.h"

#define MODE_LOW UINT64_C(0xffff) /* guest/riscv64/cpu.h; above it absent extensions, any */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};
    struct lift_case c = lift_case_take(&in, &lift_riscv64);

    c.mode = (c.mode & MODE_LOW) | (c.mode & 1 ? c.mode & ~MODE_LOW : 0);
    if ((c.mode & 3) == 2) /* no such privilege */
        c.mode ^= 2;
    if ((c.mode >> 2 & 3) == 2)
        c.mode ^= 8;
    lift_case_run(&in, &lift_riscv64, &c, true);
    return 0;
}
