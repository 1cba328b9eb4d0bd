/* Lifts AES, SHA-1, SHA-2 and what SHA-3 is made of (DDI 0487, C7.2); SM3 and SM4 are by helper. */
#include "guest/arm64/lift_vec.h"

typedef const struct lift_row *row_t;

static ir_ref zero(struct lift *l)
{
    return alift_vec_const(l, 64, 0);
}

static void put(struct lift *l, ir_ref v)
{
    ir_put(l->u, IRT_V128, SLOT_Q(l->i.rd), v);
}

/* Bytes from `byte` on of a with b behind it. */
static ir_ref from_byte(struct lift *l, ir_ref a, ir_ref b, unsigned byte)
{
    return alift_vec(l, IR_VEXT, 8, a, b, byte);
}

static ir_ref shifted(struct lift *l, unsigned bits, ir_ref v, unsigned n)
{
    return alift_vec(l, IR_VSHR, bits, v, IR_REF_NONE, n);
}

/* Lanes rotated to the right. */
static ir_ref rotated(struct lift *l, unsigned bits, ir_ref v, unsigned n)
{
    if (!n)
        return v;
    return vec_bin(l, IR_VOR, 0, shifted(l, bits, v, n),
                   alift_vec(l, IR_VSHL, bits, v, IR_REF_NONE, bits - n));
}

static ir_ref xor3(struct lift *l, ir_ref a, ir_ref b, ir_ref c)
{
    return vec_bin(l, IR_VXOR, 0, vec_bin(l, IR_VXOR, 0, a, b), c);
}

/* ---- AES; arg: enum ir_aes ---- */

static void op_aes(struct lift *l, row_t row)
{
    ir_ref state = alift_get_v(l, l->i.rd), key = alift_get_v(l, l->i.rn);

    put(l, vec_bin(l, IR_VAES, row->arg, vec_bin(l, IR_VXOR, 0, state, key), zero(l)));
}

static void op_aes_mix(struct lift *l, row_t row)
{
    put(l, vec_bin(l, IR_VAES, row->arg, alift_get_v(l, l->i.rn), zero(l)));
}

/* ---- SHA-1, SHA-256 ---- */

/* arg: the operation; aux: its kind */
static ir_ref rounds(struct lift *l, row_t row, unsigned a, unsigned b)
{
    ir_ref x = alift_get_v(l, a), y = alift_get_v(l, b);

    return ir_emit(l->u, (enum ir_opcode)row->arg, IRT_V128, row->aux, x, y, alift_get_v(l, l->i.rm), 0);
}

static void op_rounds(struct lift *l, row_t row)
{
    put(l, rounds(l, row, l->i.rd, l->i.rn));
}

/* The halves of the state come the other way round. */
static void op_rounds_swapped(struct lift *l, row_t row)
{
    put(l, rounds(l, row, l->i.rn, l->i.rd));
}

static void op_sha1h(struct lift *l, row_t row)
{
    (void)row;
    alift_put_scalar(l, l->i.rd, alift_lane(l, 32, rotated(l, 32, alift_get_v(l, l->i.rn), 2), 0));
}

static void op_sha1su0(struct lift *l, row_t row)
{
    ir_ref d = alift_get_v(l, l->i.rd);

    (void)row;
    put(l, xor3(l, d, from_byte(l, d, alift_get_v(l, l->i.rn), 8), alift_get_v(l, l->i.rm)));
}

/* The last word depends on the first one of the result. */
static void op_sha1su1(struct lift *l, row_t row)
{
    ir_ref z = zero(l), n = from_byte(l, alift_get_v(l, l->i.rn), z, 4), r;

    (void)row;
    r = rotated(l, 32, vec_bin(l, IR_VXOR, 0, alift_get_v(l, l->i.rd), n), 31);
    put(l, vec_bin(l, IR_VXOR, 0, r, rotated(l, 32, from_byte(l, z, r, 4), 31)));
}

static void op_sha256su0(struct lift *l, row_t row)
{
    (void)row;
    put(l, vec_bin(l, IR_VSHA256W, 0, alift_get_v(l, l->i.rd), alift_get_v(l, l->i.rn)));
}

static void op_sha256su1(struct lift *l, row_t row)
{
    ir_ref m = alift_get_v(l, l->i.rm), n = from_byte(l, alift_get_v(l, l->i.rn), m, 4);

    (void)row;
    put(l, vec_bin(l, IR_VSHA256W, 1, vec_bin(l, IR_VADD, 32, alift_get_v(l, l->i.rd), n), m));
}

/* ---- SHA-512: two rounds of scalars ---- */

static ir_ref rotations(struct lift *l, ir_ref x, const uint8_t by[3])
{
    ir_ref r = alift_bini(l, IR_ROR, x, by[0]);

    for (unsigned i = 1; i < 3; i++)
        r = alift_bin(l, IR_XOR, r, alift_bini(l, IR_ROR, x, by[i]));
    return r;
}

/* x's bits choose between y and z, or the majority of the three. */
static ir_ref mixed(struct lift *l, bool majority, ir_ref x, ir_ref y, ir_ref z)
{
    ir_ref differ = alift_bin(l, IR_XOR, y, z);

    return majority ? alift_bin(l, IR_XOR, y, alift_bin(l, IR_AND, differ, alift_bin(l, IR_XOR, x, y)))
                    : alift_bin(l, IR_XOR, z, alift_bin(l, IR_AND, differ, x));
}

static ir_ref sum3(struct lift *l, ir_ref a, ir_ref b, ir_ref c)
{
    return alift_bin(l, IR_ADD, alift_bin(l, IR_ADD, a, b), c);
}

static void put_halves(struct lift *l, ir_ref lo, ir_ref hi)
{
    ir_ref v = ir_un(l->u, IR_VZEXT, IRT_V128, lo);

    put(l, alift_vec(l, IR_VINSLANE, 64, v, hi, 1));
}

static void op_sha512h(struct lift *l, row_t row)
{
    static const uint8_t by[] = {14, 18, 41};
    ir_ref x = alift_get_v(l, l->i.rn), y = alift_get_v(l, l->i.rm), d = alift_get_v(l, l->i.rd), hi, t;
    ir_ref x0 = alift_lane(l, 64, x, 0), y1 = alift_lane(l, 64, y, 1);

    (void)row;
    hi = sum3(l, mixed(l, false, y1, x0, alift_lane(l, 64, x, 1)), rotations(l, y1, by),
              alift_lane(l, 64, d, 1));
    t = alift_bin(l, IR_ADD, hi, alift_lane(l, 64, y, 0));
    put_halves(l, sum3(l, mixed(l, false, t, y1, x0), rotations(l, t, by), alift_lane(l, 64, d, 0)), hi);
}

static void op_sha512h2(struct lift *l, row_t row)
{
    static const uint8_t by[] = {28, 34, 39};
    ir_ref x = alift_get_v(l, l->i.rn), y = alift_get_v(l, l->i.rm), d = alift_get_v(l, l->i.rd), hi;
    ir_ref y0 = alift_lane(l, 64, y, 0), y1 = alift_lane(l, 64, y, 1);

    (void)row;
    hi = sum3(l, mixed(l, true, alift_lane(l, 64, x, 0), y1, y0), rotations(l, y0, by),
              alift_lane(l, 64, d, 1));
    put_halves(l, sum3(l, mixed(l, true, hi, y0, y1), rotations(l, hi, by), alift_lane(l, 64, d, 0)), hi);
}

static ir_ref small_sigma(struct lift *l, ir_ref x, unsigned rotate1, unsigned rotate2, unsigned shift)
{
    return xor3(l, rotated(l, 64, x, rotate1), rotated(l, 64, x, rotate2), shifted(l, 64, x, shift));
}

static void op_sha512su0(struct lift *l, row_t row)
{
    ir_ref d = alift_get_v(l, l->i.rd), next = from_byte(l, d, alift_get_v(l, l->i.rn), 8);

    (void)row;
    put(l, vec_bin(l, IR_VADD, 64, d, small_sigma(l, next, 1, 8, 7)));
}

static void op_sha512su1(struct lift *l, row_t row)
{
    ir_ref n = alift_get_v(l, l->i.rn);
    ir_ref sum = vec_bin(l, IR_VADD, 64, alift_get_v(l, l->i.rd), alift_get_v(l, l->i.rm));

    (void)row;
    put(l, vec_bin(l, IR_VADD, 64, sum, small_sigma(l, n, 19, 61, 6)));
}

/* ---- SHA-3 ---- */

static void op_eor3(struct lift *l, row_t row)
{
    (void)row;
    put(l, xor3(l, alift_get_v(l, l->i.rn), alift_get_v(l, l->i.rm), alift_get_v(l, l->i.ra)));
}

static void op_bcax(struct lift *l, row_t row)
{
    ir_ref cleared = vec_bin(l, IR_VANDN, 0, alift_get_v(l, l->i.rm), alift_get_v(l, l->i.ra));

    (void)row;
    put(l, vec_bin(l, IR_VXOR, 0, alift_get_v(l, l->i.rn), cleared));
}

static void op_rax1(struct lift *l, row_t row)
{
    (void)row;
    put(l, vec_bin(l, IR_VXOR, 0, alift_get_v(l, l->i.rn), rotated(l, 64, alift_get_v(l, l->i.rm), 63)));
}

static void op_xar(struct lift *l, row_t row)
{
    ir_ref both = vec_bin(l, IR_VXOR, 0, alift_get_v(l, l->i.rn), alift_get_v(l, l->i.rm));

    (void)row;
    put(l, rotated(l, 64, both, l->i.amount));
}

// clang-format off
#define ROW(id, fn, arg, aux) [A64_##id] = {fn, arg, aux, INSN_PLAIN, NEEDS_FP}

const struct lift_row arm64_lift_crypto[A64_ID_COUNT] = {
    ROW(AESE, op_aes, IR_AES_LAST, 0), ROW(AESD, op_aes, IR_AES_LAST_BACK, 0),
    ROW(AESMC, op_aes_mix, IR_AES_MIX, 0), ROW(AESIMC, op_aes_mix, IR_AES_MIX_BACK, 0),
    ROW(SHA1C, op_rounds, IR_VSHA1, 0), ROW(SHA1P, op_rounds, IR_VSHA1, 1), ROW(SHA1M, op_rounds, IR_VSHA1, 2),
    ROW(SHA1H, op_sha1h, 0, 0), ROW(SHA1SU0, op_sha1su0, 0, 0), ROW(SHA1SU1, op_sha1su1, 0, 0),
    ROW(SHA256H, op_rounds, IR_VSHA256, 0), ROW(SHA256H2, op_rounds_swapped, IR_VSHA256, 1),
    ROW(SHA256SU0, op_sha256su0, 0, 0), ROW(SHA256SU1, op_sha256su1, 0, 0),
    ROW(SHA512H, op_sha512h, 0, 0), ROW(SHA512H2, op_sha512h2, 0, 0),
    ROW(SHA512SU0, op_sha512su0, 0, 0), ROW(SHA512SU1, op_sha512su1, 0, 0),
    ROW(EOR3, op_eor3, 0, 0), ROW(BCAX, op_bcax, 0, 0), ROW(RAX1, op_rax1, 0, 0), ROW(XAR, op_xar, 0, 0),
};
