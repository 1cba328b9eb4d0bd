/* Steps of ciphers, hashes and checksums by the host's instructions; where it has none soft_crypto() is
 * called. */
#include "engine/jit/emit/x86_64/vector.h"

enum {
    C_AESIMC = P38(0xdb),
    C_AESENC = P38(0xdc),
    C_AESENCLAST = P38(0xdd),
    C_AESDEC = P38(0xde),
    C_AESDECLAST = P38(0xdf),
    /* without VEX forms */
    C_SHA1RNDS4 = 0xcc | O_0F3A,
    C_SHA256RNDS2 = 0xcb | O_0F38, /* xmm0: the words */
    C_SHA256MSG1 = 0xcc | O_0F38,
    C_SHA256MSG2 = 0xcd | O_0F38,
    C_CRC32 = 0xf1 | O_0F38 | O_F2,
    C_PSLLDQ = 7, /* ModRM.reg of 66 0f 73 */
};

/* ---- AES ---- */

/* Intel SDM 2B, AESDECLAST: what it undoes AESENC does again before its mix of columns. */
static void aes_mix(struct emit *e, unsigned kind, unsigned d, unsigned a, unsigned key)
{
    unsigned t = val_scratch_xmm(e, 0);

    if (kind == IR_AES_MIX_BACK) {
        as_vrr(&e->a, C_AESIMC, t, 0, a);
        as_vrr(&e->a, P_XOR, d, t, key);
        return;
    }
    vec_zero(e, t);
    as_vrr(&e->a, C_AESDECLAST, t, a, t);
    as_vrr(&e->a, C_AESENC, d, t, key);
}

static bool aes(struct emit *e, const struct ir_op *op)
{
    static const uint32_t codes[] = {[IR_AES_LAST] = C_AESENCLAST,
                                     [IR_AES_LAST_BACK] = C_AESDECLAST,
                                     [IR_AES_ROUND] = C_AESENC,
                                     [IR_AES_ROUND_BACK] = C_AESDEC};
    unsigned a = val_xmm(e, op->a), d;

    if (op->aux == IR_AES_MIX || op->aux == IR_AES_MIX_BACK) {
        unsigned key = val_xmm(e, op->b), t = val_scratch_xmm(e, 0);

        aes_mix(e, op->aux, t, a, key);
        d = vec_dest(e, op);
        if (d != t)
            as_vrr(&e->a, S_MOVAPS, d, 0, t);
        return vec_set(e, d);
    }
    struct rm key = val_xmm_rm(e, op->b);

    d = vec_dest(e, op);
    as_v_rm(&e->a, codes[op->aux], d, a, key);
    return vec_set(e, d);
}

/* ---- hashes: operands in registers of their own ---- */

static void three(struct emit *e, const struct ir_op *op)
{
    for (unsigned i = 0; i < 4; i++)
        val_take_xmm(e, i);
    val_xmm_to(e, op->c, 0);
    val_xmm_to(e, op->a, 1);
    val_xmm_to(e, op->b, 2);
    val_done(e, op->c);
}

/* The host has a at the top, adds e to the first word, and the constants by itself. */
static bool sha1(struct emit *e, const struct ir_op *op)
{
    unsigned d;

    three(e, op);
    as_vrm(&e->a, P0(0xfe), 0, 0, vec_const((enum vec_const)(VC_SHA1 + op->aux)));
    vec_rri(e, P0(0x73), C_PSLLDQ, 2, 2, 12);
    vec_rri(e, P_SHUFD, 0, 0, 0, 0x1b);
    vec_rri(e, P_SHUFD, 1, 0, 1, 0x1b);
    as_vrr(&e->a, P0(0xfe), 0, 0, 2);
    as_rr(&e->a, C_SHA1RNDS4, 1, 0);
    as_u8(&e->a, op->aux);
    d = vec_dest(e, op);
    vec_rri(e, P_SHUFD, d, 0, 1, 0x1b);
    return vec_set(e, d);
}

/* The host has a b e f in one register and c d g h in the other, from the top; two rounds make c d g h of a b
 * e f. */
static bool sha256(struct emit *e, const struct ir_op *op)
{
    enum { EFAB = 0x11, GHCD = 0xbb };
    unsigned d;

    three(e, op);
    vec_rri(e, S_SHUFPS, 3, 2, 1, EFAB);
    vec_rri(e, S_SHUFPS, 1, 2, 1, GHCD);
    as_rr(&e->a, C_SHA256RNDS2, 1, 3);
    vec_rri(e, P_SHUFD, 0, 0, 0, 0x0e);
    as_rr(&e->a, C_SHA256RNDS2, 3, 1);
    d = vec_dest(e, op);
    vec_rri(e, S_SHUFPS, d, 3, 1, op->aux ? EFAB : GHCD);
    return vec_set(e, d);
}

static bool schedule(struct emit *e, const struct ir_op *op)
{
    unsigned b, t, d;

    b = val_xmm(e, op->b);
    t = val_scratch_xmm(e, 0);
    val_xmm_to(e, op->a, t);
    as_rr(&e->a, op->aux ? C_SHA256MSG2 : C_SHA256MSG1, t, b);
    d = vec_dest(e, op);
    if (d != t)
        as_vrr(&e->a, S_MOVAPS, d, 0, t);
    return vec_set(e, d);
}

/* ---- CRC-32 ---- */

static bool crc32c(struct emit *e, const struct ir_op *op)
{
    unsigned r = val_scratch(e, 0), d;
    struct rm b;

    val_gpr_to(e, op->a, r);
    b = val_rm(e, op->b);
    as_r_rm(&e->a, C_CRC32 | ((op->aux & 3) == 3 ? O_W : 0), r, b);
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest(e, 0);
    as_mov(&e->a, d, r);
    val_set(e, d);
    return true;
}

/*
 * The remainder of m * x^32 by Barrett: q = m * (x^96 / P) / x^64, of q * P the low words. Reflected products
 * stand one bit lower, which the shift undoes, and a P that has it done. Words are m's upper half.
 */
static bool crc32_product(struct emit *e, const struct ir_op *op)
{
    struct xmem k = vec_const(op->aux & 4 ? VC_CRC32C : VC_CRC32);
    unsigned g = val_scratch(e, 0), x = val_scratch_xmm(e, 0), t = val_scratch_xmm(e, 0), d;
    struct rm b;

    val_gpr_to(e, op->a, g);
    b = val_rm(e, op->b);
    as_mov32(&e->a, g, g);
    as_r_rm(&e->a, X_XOR | O_W, g, b);
    if ((op->aux & 3) == 2)
        as_shift_ri(&e->a, O_W, G_SHL, g, 32);
    as_vrr(&e->a, S_MOVQ_XG | O_W, x, 0, g);
    as_vrm(&e->a, S_PCLMUL, t, x, k);
    as_u8(&e->a, 0x00);
    vec_shift(e, P_SLL, 3, t, t, 1);
    as_vrr(&e->a, P_XOR, t, t, x);
    as_vrm(&e->a, S_PCLMUL, t, t, k);
    as_u8(&e->a, 0x10);
    val_done(e, op->a);
    val_done(e, op->b);
    d = val_dest(e, 0);
    vec_rri(e, P3A(0x16), t, 0, d, 2); /* vpextrd */
    val_set(e, d);
    return true;
}

static bool crc32(struct emit *e, const struct ir_op *op)
{
    unsigned size = op->aux & 3;

    if (size >= 2 && op->aux & 4 && e->ev->cpu.crc)
        return crc32c(e, op);
    if (size >= 2 && e->ev->cpu.pclmul && e->ev->cpu.avx)
        return crc32_product(e, op);
    return float_call(e, op);
}

bool emit_crypto(struct emit *e, const struct ir_op *op)
{
    if (op->op == IR_CRC32)
        return crc32(e, op);
    if (op->op == IR_VAES ? !e->ev->cpu.aes : !e->ev->cpu.sha)
        return float_call(e, op);
    switch (op->op) {
    case IR_VAES:
        return aes(e, op);
    case IR_VSHA1:
        return sha1(e, op);
    case IR_VSHA256:
        return sha256(e, op);
    default:
        return schedule(e, op);
    }
}
