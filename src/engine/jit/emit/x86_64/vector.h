/* What the files of vector operations share: opcodes, operands, constants. VEX forms only: AVX is asked for.
 */
#ifndef CV_ENGINE_JIT_EMIT_X86_64_VECTOR_H
#define CV_ENGINE_JIT_EMIT_X86_64_VECTOR_H

#include "engine/jit/emit/x86_64/emit.h"

/* Opcodes by map; 66 is their prefix. */
#define P0(x)  ((x) | O_0F | O_66)
#define P38(x) ((x) | O_0F38 | O_66)
#define P3A(x) ((x) | O_0F3A | O_66)

enum {
    P_AND = P0(0xdb),
    P_ANDN = P0(0xdf), /* ~v & rm */
    P_OR = P0(0xeb),
    P_XOR = P0(0xef),
    P_ADDUSB = P0(0xdc),
    P_CMPEQD = P0(0x76),
    P_CMPGTQ = P38(0x37),
    P_SHUFB = P38(0x00),
    P_SHUFD = P0(0x70),
    P_SHUFLW = 0x70 | O_0F | O_F2,
    P_SHUFHW = 0x70 | O_0F | O_F3,
    P_SHUFPD = P0(0xc6),
    P_ALIGNR = P3A(0x0f),
    P_BLENDW = P3A(0x0e),
    P_UNPCKLQDQ = P0(0x6c),
    P_UNPCKHQDQ = P0(0x6d),
    P_UNPCKLBW = P0(0x60),
    P_UNPCKHBW = P0(0x68),
    P_PACKUSWB = P0(0x67),
    P_PACKUSDW = P38(0x2b),
    P_PACKSSWB = P0(0x63),
    P_SADBW = P0(0xf6),
    /* shifts by imm8: 71 + lane - 1, ModRM.reg: */
    P_SRL = 2,
    P_SRA = 4,
    P_SLL = 6
};

/* Constants of soft_vcpu.jit_tables. */
enum vec_const {
    VC_REV16_8,
    VC_REV32_8,
    VC_REV64_8,
    VC_REV32_16,
    VC_REV64_16,
    VC_NIBBLE,
    VC_CNT,
    VC_RBIT_LOW,
    VC_RBIT_HIGH,
    VC_CLZ_LOW,
    VC_CLZ_HIGH,
    VC_EVEN8,
    VC_ODD8,
    VC_EVEN16,
    VC_TBL,
    VC_SIGN8,
    VC_SIGN16,
    VC_SIGN32,
    VC_SIGN64,
    VC_BYTE32,
    VC_BYTE64,
    VC_BITS64, /* the largest count of a shift */
    VC_SHA1,   /* less the constants of each kind of rounds */
    VC_SHA1_LAST = VC_SHA1 + 2,
    VC_CRC32,  /* x^96 / P without its first bit, P without its first bit; bits reflected */
    VC_CRC32C, /* alike */
    VC_ONES,
    VC_LARGE32, /* the last exponent that is not large: see vector_fp.c */
    VC_LARGE64,
    VC_HALF32, /* the largest float below half of what an unsigned integer holds, see vector_fp.c */
    VC_HALF64,
    VC_LOWER32, /* 2^23, and 2^39 for the upper halves of integers, the sum of both */
    VC_UPPER32,
    VC_HALVES32,
    VC_LOWER64, /* alike: 2^52, 2^84 */
    VC_UPPER64,
    VC_HALVES64,
    VC_FRACTION32, /* the largest float that may have a fraction */
    VC_FRACTION64,
    VC_A_HALF32,
    VC_A_HALF64,
    VC_ONE32,
    VC_ONE64,
    VC_LEAST16, /* twice the least normal half */
    VC_COUNT
};
_Static_assert(16 * VC_COUNT <= sizeof(((struct soft_vcpu *)0)->jit_tables), "room for the constants");

void vec_consts_init(struct vcpu *v);

static inline struct xmem vec_const(enum vec_const c)
{
    return mem_at(RBP, SOFT_DISP(jit_tables) + 16 * (int32_t)c);
}

/* log2 of the lane's bytes */
static inline unsigned vec_lane(const struct ir_op *op)
{
    unsigned bits = op->aux & IR_V_LANE;

    return bits ? (unsigned)__builtin_ctz(bits) - 3 : 3;
}

static inline void vec_rri(struct emit *e, uint32_t code, unsigned d, unsigned a, unsigned b, unsigned imm)
{
    as_vrr(&e->a, code, d, a, b);
    as_u8(&e->a, imm);
}

/* Shift by imm of lanes of 16, 32, 64 bits (1, 2, 3). */
static inline void vec_shift(struct emit *e, unsigned which, unsigned lane, unsigned d, unsigned a,
                             unsigned n)
{
    vec_rri(e, P0(0x70 + lane), which, d, a, n);
}

static inline void vec_zero(struct emit *e, unsigned d)
{
    as_vrr(&e->a, P_XOR, d, d, d);
}

static inline void vec_ones(struct emit *e, unsigned d)
{
    as_vrr(&e->a, P_CMPEQD, d, d, d);
}

/* One use of each operand is over; where the result goes, which may be a temporary or an ended operand. */
static inline unsigned vec_dest(struct emit *e, const struct ir_op *op)
{
    val_done(e, op->a);
    val_done(e, op->b);
    return val_dest_xmm(e, 0);
}

static inline bool vec_set(struct emit *e, unsigned d)
{
    val_set_xmm(e, d, false);
    return true;
}

/* Its value stands in memory. */
static inline bool vec_in_memory(struct emit *e, ir_ref r)
{
    const struct val *v = val_of(e, r);

    return v->kind == V_CELL || (v->kind == V_SLOT && !home_of(e, v->disp));
}

/* By operation; false: no inline form. */
bool emit_vector_move(struct emit *e, const struct ir_op *op);

#endif
