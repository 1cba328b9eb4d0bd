/*
 * IR's vector operations, each by a function on whole registers or on one lane; by the letter of ir.def, for
 * speed there is the JIT.
 */
#include "engine/interp/code.h"
#include "lib/str.h"

struct vec {
    uint8_t b[16];
};

struct lanes {
    unsigned width, bytes, count; /* of a lane; bits, bytes; how many */
    bool is_signed, upper;
    unsigned imm;
};

static uint64_t get(const struct vec *v, unsigned bytes, unsigned i)
{
    uint64_t x = 0;

    memcpy(&x, v->b + (size_t)i * bytes, bytes);
    return x;
}

static void set(struct vec *v, unsigned bytes, unsigned i, uint64_t x)
{
    memcpy(v->b + (size_t)i * bytes, &x, bytes);
}

/* ---- lane by lane: operands zero-extended ---- */

static uint64_t sext(const struct lanes *l, uint64_t x)
{
    return (uint64_t)bits_sext(x, l->width);
}

static bool greater(const struct lanes *l, uint64_t a, uint64_t b)
{
    return l->is_signed ? (int64_t)sext(l, a) > (int64_t)sext(l, b) : a > b;
}

static uint64_t shift_right(const struct lanes *l, uint64_t a, unsigned n)
{
    if (l->is_signed)
        return (uint64_t)((int64_t)sext(l, a) >> MIN(n, 63u));
    return n < l->width ? a >> n : 0;
}

static uint64_t shift_left(const struct lanes *l, uint64_t a, unsigned n)
{
    return n < l->width ? a << n : 0;
}

static uint64_t shift_by(const struct lanes *l, uint64_t a, int n)
{
    return n < 0 ? shift_right(l, a, (unsigned)-n) : shift_left(l, a, (unsigned)n);
}

/* To the lane's width, which is less than 64 bits. */
static uint64_t saturated(const struct lanes *l, int64_t x)
{
    int64_t high = (int64_t)(UINT64_MAX >> (64 - l->width + l->is_signed)),
            low = l->is_signed ? -high - 1 : 0;

    return (uint64_t)(x < low ? low : x > high ? high : x);
}

static uint64_t lane_op(unsigned op, const struct lanes *l, uint64_t a, uint64_t b)
{
    switch (op) {
    case IR_VADD:
        return a + b;
    case IR_VSUB:
        return a - b;
    case IR_VMUL:
        return a * b;
    case IR_VMIN:
        return greater(l, a, b) ? b : a;
    case IR_VMAX:
        return greater(l, a, b) ? a : b;
    case IR_VCMPEQ:
        return a == b ? UINT64_MAX : 0;
    case IR_VCMPGT:
        return greater(l, a, b) ? UINT64_MAX : 0;
    case IR_VCMPGE:
        return greater(l, b, a) ? 0 : UINT64_MAX;
    case IR_VSHLV:
        return shift_by(l, a, (int8_t)b);
    case IR_VQADD:
        return saturated(l, l->is_signed ? (int64_t)sext(l, a) + (int64_t)sext(l, b) : (int64_t)(a + b));
    case IR_VQSUB:
        return saturated(l, l->is_signed ? (int64_t)sext(l, a) - (int64_t)sext(l, b) : (int64_t)(a - b));
    case IR_VAND:
        return a & b;
    case IR_VOR:
        return a | b;
    case IR_VXOR:
        return a ^ b;
    case IR_VANDN:
        return a & ~b;
    case IR_VABS:
        return (int64_t)sext(l, a) < 0 ? -a : a;
    case IR_VCNT:
        return (uint64_t)__builtin_popcountll(a);
    case IR_VRBIT:
        return interp_reverse_bits(a, l->width);
    case IR_VCLZ:
        return a ? (uint64_t)__builtin_clzll(a) - (64 - l->width) : l->width;
    case IR_VSHL:
        return shift_left(l, a, l->imm);
    default:
        return shift_right(l, a, l->imm);
    }
}

static struct vec by_lane(unsigned op, const struct lanes *l, struct vec a, struct vec b)
{
    struct vec r;

    for (unsigned i = 0; i < l->count; i++)
        set(&r, l->bytes, i, lane_op(op, l, get(&a, l->bytes, i), get(&b, l->bytes, i)));
    return r;
}

/* ---- lanes to other places: where lane i comes from, among a's and then b's ---- */

static unsigned zip_from(const struct lanes *l, unsigned i)
{
    return (l->upper ? l->count / 2 : 0) + i / 2 + (i & 1) * l->count;
}

static unsigned uzp_from(const struct lanes *l, unsigned i)
{
    return 2 * i + l->upper;
}

static unsigned trn_from(const struct lanes *l, unsigned i)
{
    return (i & ~1u) + l->upper + (i & 1) * l->count;
}

static unsigned ext_from(const struct lanes *l, unsigned i)
{
    return i + l->imm;
}

static unsigned rev_from(const struct lanes *l, unsigned i)
{
    return i ^ (l->imm / l->width - 1);
}

static unsigned dup_from(const struct lanes *l, unsigned i)
{
    (void)i;
    return l->imm;
}

static unsigned insert_from(const struct lanes *l, unsigned i)
{
    return i == (l->imm & 0xff) ? (l->imm >> 8) + l->count : i;
}

static struct vec permute(unsigned (*from)(const struct lanes *, unsigned), const struct lanes *l,
                          struct vec a, struct vec b)
{
    struct vec r;

    for (unsigned i = 0; i < l->count; i++) {
        unsigned at = from(l, i);

        set(&r, l->bytes, i, get(at < l->count ? &a : &b, l->bytes, at % l->count));
    }
    return r;
}

static struct vec table(struct vec a, struct vec b)
{
    struct vec r;

    for (unsigned i = 0; i < 16; i++)
        r.b[i] = b.b[i] < 16 ? a.b[b.b[i]] : 0;
    return r;
}

/* ---- lanes of double width ---- */

static struct vec widen(bool product, const struct lanes *l, struct vec a, struct vec b)
{
    unsigned half = l->count / 2, first = l->upper ? half : 0;
    struct vec r;

    for (unsigned i = 0; i < half; i++) {
        uint64_t x = get(&a, l->bytes, first + i), y = product ? get(&b, l->bytes, first + i) : 1;

        if (l->is_signed) {
            x = sext(l, x);
            y = sext(l, y);
        }
        set(&r, 2 * l->bytes, i, x * y);
    }
    return r;
}

static struct vec carryless(const struct lanes *l, struct vec a, struct vec b)
{
    u128 p = interp_carryless(get(&a, 8, l->upper), get(&b, 8, l->upper));
    struct vec r;

    memcpy(&r, &p, 16);
    return r;
}

static struct vec sum_bytes(struct vec a)
{
    struct vec r;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t sum = 0;

        for (unsigned k = 0; k < 8; k++)
            sum += a.b[8 * i + k];
        set(&r, 8, i, sum);
    }
    return r;
}

/* ---- all ---- */

static struct vec vector(unsigned op, const struct lanes *l, struct vec a, struct vec b)
{
    static unsigned (*const from[])(const struct lanes *, unsigned) = {
        [IR_VZIP - IR_VADD] = zip_from,       [IR_VUZP - IR_VADD] = uzp_from, [IR_VTRN - IR_VADD] = trn_from,
        [IR_VEXT - IR_VADD] = ext_from,       [IR_VREV - IR_VADD] = rev_from, [IR_VDUPL - IR_VADD] = dup_from,
        [IR_VINSERT - IR_VADD] = insert_from,
    };

    switch (op) {
    case IR_VTBL:
        return table(a, b);
    case IR_VWIDEN:
        return widen(false, l, a, b);
    case IR_VMULL:
        return widen(true, l, a, b);
    case IR_VCLMULL:
        return carryless(l, a, b);
    case IR_VSUMB:
        return sum_bytes(a);
    default:
        return op <= IR_VSHR ? by_lane(op, l, a, b) : permute(from[op - IR_VADD], l, a, b);
    }
}

static struct vec repeated(const struct lanes *l, uint64_t x)
{
    struct vec r;

    for (unsigned i = 0; i < l->count; i++)
        set(&r, l->bytes, i, x);
    return r;
}

static struct vec extended(struct vec a, unsigned type)
{
    unsigned size = MIN(ir_type_size((enum ir_type)type), 8u);

    memset(a.b + size, 0, 16 - size);
    return a;
}

void interp_vector(struct vcpu *v, const struct iop *op, const struct generic *g)
{
    unsigned width = g->aux & IR_V_LANE ? g->aux & IR_V_LANE : 64;
    const struct lanes l = {.width = width,
                            .bytes = width / 8,
                            .count = 128 / width,
                            .is_signed = g->aux & IR_V_SIGNED,
                            .upper = g->aux & IR_V_UPPER,
                            .imm = g->extra};
    struct vec a, b, r;

    memcpy(&a, &CELL(v, op->a, uint8_t), 16);
    memcpy(&b, &CELL(v, op->b, uint8_t), 16);
    switch (g->op) {
    case IR_VLANE:
        CELL(v, op->d, uint64_t) = get(&a, l.bytes, l.imm % l.count);
        return;
    case IR_VANY:
        CELL(v, op->d, uint64_t) = (get(&a, 8, 0) | get(&a, 8, 1)) != 0;
        return;
    case IR_VDUP:
        r = repeated(&l, get(&a, 8, 0));
        break;
    case IR_VINSLANE:
        r = a;
        set(&r, l.bytes, l.imm % l.count, get(&b, 8, 0));
        break;
    case IR_VZEXT:
        r = extended(a, l.imm);
        break;
    default:
        r = vector(g->op, &l, a, b);
        break;
    }
    memcpy(&CELL(v, op->d, uint8_t), &r, 16);
}
