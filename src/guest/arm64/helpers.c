/* What lifted code calls. v->pc is exact: the instruction's own. */
#include "guest/arm64/fp.h"
#include "guest/arm64/lift.h"
#include "guest/arm64/pauth.h"
#include "guest/arm64/simd.h"

#define HELPER(name) static uint64_t help_##name(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
#define UNUSED3      (void)a, (void)b, (void)c

/* ---- exceptions ---- */

#define TRAP(name, call)                                                                                     \
    HELPER(name)                                                                                             \
    {                                                                                                        \
        UNUSED3;                                                                                             \
        call;                                                                                                \
        return 0;                                                                                            \
    }

TRAP(undefined, arm64_undefined(arm64_of(v)))
TRAP(fp_trap, arm64_fp_trap(arm64_of(v)))
TRAP(pc_misaligned, arm64_pc_misaligned(arm64_of(v), v->pc))
TRAP(sp_misaligned, arm64_sp_misaligned(arm64_of(v)))
TRAP(illegal_state, arm64_illegal_state(arm64_of(v)))
TRAP(step_trap, arm64_step_trap(arm64_of(v)))
TRAP(breakpoint, arm64_breakpoint(arm64_of(v)))
/* a: address, b: bytes, c: enum arm64_watch */
TRAP(watchpoint, arm64_watchpoint(arm64_of(v), a, (unsigned)b, (unsigned)c))
TRAP(svc, arm64_svc(arm64_of(v), (uint16_t)a))
TRAP(hvc, arm64_hvc(arm64_of(v), (uint16_t)a))
TRAP(smc, arm64_smc(arm64_of(v), (uint16_t)a))
TRAP(brk, arm64_brk(arm64_of(v), (uint16_t)a))
/* a: where to */
TRAP(eret, arm64_eret(arm64_of(v), a))
TRAP(wfi, arm64_wfi(arm64_of(v)))
TRAP(wfe, arm64_wfe(arm64_of(v)))
TRAP(sev, arm64_sev(arm64_of(v)))
/* a: load-exclusive */
TRAP(step_begin, arm64_step_begin(arm64_of(v), a != 0))

/* a: where the stepped instruction went */
HELPER(step_end)
{
    UNUSED3;
    v->pc = a;
    v->leave = 1;
    return 0;
}

/* ---- system registers ---- */

/* a: row << 32 | the instruction's bits */
HELPER(sys_read)
{
    uint64_t value = 0;

    UNUSED3;
    arm64_sys_read(arm64_of(v), (uint32_t)(a >> 32), (uint32_t)a, &value);
    return value;
}

/* Goes on behind the instruction, leaving the unit only where a change asks for it. */
static void go_on(struct arm64_vcpu *arm)
{
    uint64_t pc = arm->v.pc;

    if (!arm->changed)
        return;
    arm->v.pc = pc + 4;
    if (!arm64_settle(arm))
        arm->v.pc = pc;
}

HELPER(sys_write)
{
    struct arm64_vcpu *arm = arm64_of(v);

    (void)c;
    if (arm64_sys_write(arm, (uint32_t)(a >> 32), (uint32_t)a, b))
        go_on(arm);
    return 0;
}

/* a: op1:op2, b: the immediate, c: the instruction's bits. Goes on as above. */
HELPER(msr_imm)
{
    struct arm64_vcpu *arm = arm64_of(v);

    if (arm64_msr_imm(arm, (unsigned)a, (unsigned)b, (uint32_t)c))
        go_on(arm);
    return 0;
}

/* ---- unprivileged accesses; a: address, b: bytes, c: value ---- */

HELPER(user_load)
{
    uint64_t value = 0;

    (void)c;
    arm64_user_access(arm64_of(v), a, (unsigned)b, false, &value);
    return value;
}

/* Elements of a structure are misaligned. */
TRAP(elements, arm64_elements_misaligned(arm64_of(v)))

HELPER(user_store)
{
    arm64_user_access(arm64_of(v), a, (unsigned)b, true, &c);
    return 0;
}

/* ---- plain functions ---- */

/* a: flags, b: 0 for AXFLAG, 1 for XAFLAG (C6.2) */
HELPER(axflag)
{
    bool z = a & ARM64_FLAG_Z, cf = a & ARM64_FLAG_C, o = a & ARM64_FLAG_V;

    (void)v;
    (void)c;
    if (!b)
        return (z || o ? ARM64_FLAG_Z : 0) | (cf && !o ? ARM64_FLAG_C : 0);
    return (!cf && !z ? ARM64_FLAG_N : 0) | (z && cf ? ARM64_FLAG_Z : 0) | (cf || z ? ARM64_FLAG_C : 0) |
           (!cf && z ? ARM64_FLAG_V : 0);
}

/* ---- pointer authentication ---- */

/* a: pointer, b: modifier, c: enum arm64_pac_key, 8: authenticate */
HELPER(pac)
{
    enum arm64_pac_key key = (enum arm64_pac_key)(c & 3);

    return c & 8 ? arm64_pac_check(arm64_of(v), a, b, key) : arm64_pac_sign(arm64_of(v), a, b, key);
}

/* a: pointer, b: of data */
HELPER(xpac)
{
    (void)c;
    return arm64_pac_strip(arm64_of(v), a, b != 0);
}

HELPER(pacga)
{
    (void)c;
    return arm64_pac_generic(arm64_of(v), a, b);
}

/* ---- floating point, SIMD ---- */

/* a: operand, b: see enum lift_fp_convert */
HELPER(fp_convert)
{
    enum sf_format f = (enum sf_format)((b & 15) - 1), to = (enum sf_format)((b >> 4 & 15) - 1);
    unsigned bits = b & 256 ? 64 : 32, amount = b >> 16 & 255;
    struct sf_env e = arm64_fp_env(v->mode);
    uint64_t r;

    (void)c;
    switch (b >> 24) {
    case FP_FORMAT:
        r = arm64_fp_convert(f, to, a, v->mode & ARM64_MODE_AHP, &e);
        break;
    case FP_TO_FIXED_S:
    case FP_TO_FIXED_U:
        r = arm64_fp_to_fixed(f, a, bits, b >> 24 == FP_TO_FIXED_S, amount, &e);
        break;
    default:
        r = arm64_fp_from_fixed(f, a, bits, b >> 24 == FP_FROM_FIXED_S, amount, &e);
        break;
    }
    v->fp_flags |= e.flags;
    return r;
}

/* a: see simd.h */
HELPER(simd)
{
    UNUSED3;
    arm64_simd(arm64_of(v), a);
    return 0;
}

#define MAY_LEAVE IR_H_MAY_LEAVE
#define MEM       IR_H_MEM
#define PURE      IR_H_PURE
#define TRAPS     (IR_H_MAY_LEAVE | IR_H_READS | IR_H_WRITES)

const struct ir_helper arm64_helpers[A64H_COUNT] = {
#define ARM64_HELPER(id, fn, args, flags) [A64H_##id] = {#fn, help_##fn, args, flags},
#include "guest/arm64/helpers.def"
};
