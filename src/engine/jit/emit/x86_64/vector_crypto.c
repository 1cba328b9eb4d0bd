/* Steps of ciphers and hashes by the host's instructions; where it has none soft_crypto() is called. */
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

bool emit_crypto(struct emit *e, const struct ir_op *op)
{
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
