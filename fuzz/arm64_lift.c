/* Any arm64 words in any mode lift to a unit that the verifier takes, before and after each pass. */
#include "fuzz.h"
#include "engine/soft/region.h"
#include "guest/arm64/cpu.h"

#define MODE_LOW UINT64_C(0x01ffff7f) /* guest/arm64/cpu.h; above it absent instruction sets, any */

static void verify(const struct ir_unit *u, const char *when)
{
    char why[200];

    if (ir_verify(u, why, sizeof(why))) {
        fprintf(stderr, "%s: %s\n", when, why);
        abort();
    }
}

static void disassemble(const uint8_t *bytes, size_t size, uint64_t mode)
{
    char text[128];

    for (size_t at = 0; at + 4 <= size && at < 256; at += 4)
        lift_arm64.disasm(text, sizeof(text), mode, at, bytes + at, 4);
}

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
    static struct soft_scratch s;
    struct fuzz_in in = {data, size};
    uint64_t mode = mode_of(fuzz_take(&in, 8));
    struct region_limits limits = {1 + (unsigned)fuzz_take(&in, 1) * 2, 1 + (unsigned)fuzz_take(&in, 1) % 96};
    unsigned entry = (unsigned)fuzz_take(&in, 2) % MEM_PAGE_SIZE & ~3u;
    size_t n = in.left < MEM_PAGE_SIZE - entry ? in.left : MEM_PAGE_SIZE - entry;

    s.unit = (struct ir_unit){
        .ops = s.ops, .op_max = REGION_MAX_OPS, .blocks = s.blocks, .block_max = REGION_MAX_BLOCKS};
    memset(s.page, 0, sizeof(s.page));
    memcpy(s.page + entry, in.p, n);
    disassemble(s.page + entry, sizeof(s.page) - entry, mode);
    /* Each instruction has room: a unit that grows too long ends before it. */
    FUZZ_CHECK(!region_form(&s, &lift_arm64, mode, entry, MEM_PAGE_SIZE, &limits));
    verify(&s.unit, "lifted");
    for (unsigned pass = 1; pass <= IR_PASS_ALL; pass *= 2) {
        ir_optimise(&s.unit, pass, lift_arm64.helpers);
        verify(&s.unit, "after a pass");
    }
    ir_optimise(&s.unit, IR_PASS_ALL, lift_arm64.helpers);
    verify(&s.unit, "after all passes");
    return 0;
}
