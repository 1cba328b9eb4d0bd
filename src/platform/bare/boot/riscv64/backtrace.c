/*
 * Who called whom, without frame pointers: words of the stack that are return addresses. One that was left by
 * an earlier call may stand among them.
 */
#include "platform/bare/boot/riscv64/private.h"

#define STACK_MAX 65536

/* Behind a JAL or JALR that links ra, or a C.JALR (Unpriv. 20240411, 2.5.1, 27.4). */
static bool is_return(uint64_t at)
{
    extern const uint8_t image_start[], image_rodata[];
    const uint16_t *before = (const uint16_t *)at;
    bool jal, c_jalr;

    if (at & 1 || at < (uint64_t)image_start + 4 || at >= (uint64_t)image_rodata)
        return false;
    jal = (before[-2] & 0xff7) == 0x0e7; /* 0xe7: JALR, 0xef: JAL */
    c_jalr = (before[-1] & 0xf07f) == 0x9002 && before[-1] >> 7 & 31;
    return jal || c_jalr;
}

/* An exception has a stack of its own; its frame, at the top of that, knows who was interrupted. */
static const struct trap_frame *frame_of(uint64_t sp)
{
    uint64_t top = arch_cpu()->scratch[RISCV_SCRATCH_STACK];

    return sp < top && sp >= top - FAULT_STACK ? (const void *)(top - sizeof(struct trap_frame)) : NULL;
}

unsigned arch_backtrace(uint64_t *pc, unsigned max)
{
    uint64_t sp = (uint64_t)__builtin_frame_address(0), top = arch_cpu() ? arch_cpu()->stack_top : 0;
    const struct trap_frame *f = arch_cpu() ? frame_of(sp) : NULL;
    uint64_t ra = f ? f->x[0] : (uint64_t)__builtin_return_address(0);
    unsigned n = 0;

    if (max && is_return(ra))
        pc[n++] = ra;
    sp = ALIGN_DOWN(f ? f->sp : sp, 8);
    if (sp >= top || top - sp > STACK_MAX)
        return n;
    if (!riscv_mapped(sp, false)) /* its guard page */
        sp = ALIGN_DOWN(sp, 4096) + 4096;
    for (; n < max && sp < top; sp += 8) {
        uint64_t at = *(const uint64_t *)sp;

        if (is_return(at) && !(n && pc[n - 1] == at))
            pc[n++] = at;
    }
    return n;
}
