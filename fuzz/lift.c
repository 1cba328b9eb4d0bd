/* Any bytes in any mode lift to a unit that the verifier takes, before and after each pass. */
#include "fuzz.h"
#include "engine/soft/region.h"
#include "guest/riscv64/guest.h"

#define MODE_LOW UINT64_C(0xffff) /* guest/riscv64/cpu.h; above it absent extensions, any */

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

    for (size_t at = 0; at + 2 <= size && at < 256; at += 2)
        lift_riscv64.disasm(text, sizeof(text), mode, at, bytes + at,
                            (unsigned)(size - at < 4 ? size - at : 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct soft_scratch s;
    struct fuzz_in in = {data, size};
    uint64_t mode = fuzz_take(&in, 8);
    struct region_limits limits = {1 + (unsigned)fuzz_take(&in, 1) * 2, 1 + (unsigned)fuzz_take(&in, 1) % 96};
    unsigned entry = (unsigned)fuzz_take(&in, 2) % MEM_PAGE_SIZE & ~1u;
    size_t n = in.left < MEM_PAGE_SIZE - entry ? in.left : MEM_PAGE_SIZE - entry;

    mode = (mode & MODE_LOW) | (mode & 1 ? mode & ~MODE_LOW : 0);
    if ((mode & 3) == 2) /* no such privilege */
        mode ^= 2;
    if ((mode >> 2 & 3) == 2)
        mode ^= 8;
    s.unit = (struct ir_unit){
        .ops = s.ops, .op_max = REGION_MAX_OPS, .blocks = s.blocks, .block_max = REGION_MAX_BLOCKS};
    memset(s.page, 0, sizeof(s.page));
    memcpy(s.page + entry, in.p, n);
    disassemble(s.page + entry, sizeof(s.page) - entry, mode);
    if (region_form(&s, &lift_riscv64, mode, entry, n % 2 ? MEM_PAGE_SIZE : MEM_PAGE_SIZE + 16, &limits))
        return 0;
    verify(&s.unit, "lifted");
    for (unsigned pass = 1; pass <= IR_PASS_ALL; pass *= 2) {
        ir_optimise(&s.unit, pass, lift_riscv64.helpers);
        verify(&s.unit, "after a pass");
    }
    ir_optimise(&s.unit, IR_PASS_ALL, lift_riscv64.helpers);
    verify(&s.unit, "after all passes");
    return 0;
}
