/* Any arm64 words in any mode lift to a unit that the verifier takes, before and after each pass. */
#include "lift.inc"
#include "guest/arm64/cpu.h"

#define MODE_LOW UINT64_C(0x01ffffff) /* guest/arm64/cpu.h; above it absent instruction sets, any */

/* A mode word that PSTATE and the system registers can make. */
static uint64_t mode_of(uint64_t bits)
{
    uint64_t mode = bits & MODE_LOW & ~UINT64_C(2); /* EL2 and EL3 are not there */

    if (bits >> 63)
        mode |= bits & UINT64_C(0x7fffffff00000000);
    if (!(mode & ARM64_MODE_EL))
        mode &= ~(ARM64_MODE_SPSEL | ARM64_MODE_PAN | ARM64_MODE_UAO);
    if (bits >> 29 & 7) /* what raises at each instruction is rare */
        mode &= ~(ARM64_MODE_IL | ARM64_MODE_STEP_TRAP | ARM64_MODE_FP_TRAP);
    return mode;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};
    struct lift_case c = lift_case_take(&in, &lift_arm64);

    c.mode = mode_of(c.mode);
    /* Each instruction has room: a unit that grows too long ends before it. */
    FUZZ_CHECK(lift_case_run(&in, &lift_arm64, &c, false));
    return 0;
}
