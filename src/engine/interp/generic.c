/* The rarer operations, out of the loop: bit counting, carry-less products, flags. */
#include "engine/interp/code.h"
#include "lib/str.h"

uint64_t interp_reverse_bits(uint64_t x, unsigned width)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < width; i++)
        r |= (x >> i & 1) << (width - 1 - i);
    return r;
}

static uint64_t or_bytes(uint64_t x)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < 64; i += 8)
        r |= (x >> i & 0xff) ? UINT64_C(0xff) << i : 0;
    return r;
}

u128 interp_carryless(uint64_t a, uint64_t b)
{
    u128 r = 0;

    for (unsigned i = 0; i < 64; i++)
        r ^= b >> i & 1 ? (u128)a << i : 0;
    return r;
}

static uint64_t unary(unsigned op, uint64_t a, unsigned width)
{
    switch (op) {
    case IR_CLZ:
        return a ? (unsigned)__builtin_clzll(a) - (64 - width) : width;
    case IR_CTZ:
        return a ? (unsigned)__builtin_ctzll(a) : width;
    case IR_POPCNT:
        return (unsigned)__builtin_popcountll(a);
    case IR_BSWAP:
        return width == 64 ? __builtin_bswap64(a) : __builtin_bswap32((uint32_t)a);
    case IR_BREV:
        return interp_reverse_bits(a, width);
    default:
        return or_bytes(a);
    }
}

static uint64_t product(unsigned op, uint64_t a, uint64_t b, unsigned width)
{
    u128 r = interp_carryless(a, b);

    switch (op) {
    case IR_CLMUL:
        return (uint64_t)r;
    case IR_CLMULH:
        return (uint64_t)(r >> width);
    default:
        return (uint64_t)(r >> (width - 1));
    }
}

/* N Z C V A P in bits 0..5; carry is "no borrow" for subtractions (Arm ARM, AddWithCarry). */
static uint64_t flags(unsigned flagop, uint64_t a, uint64_t b, uint64_t carry, unsigned width)
{
    uint64_t mask = UINT64_MAX >> (64 - width), r, x = b;
    bool c, o, half;

    switch (flagop) {
    case IR_FLAG_LOGIC:
        r = a & mask;
        return (r >> (width - 1)) | (uint64_t)!r << 1 | (uint64_t)!__builtin_parityll(r & 0xff) << 5;
    case IR_FLAG_SUB:
        carry = 1;
        x = ~b;
        break;
    case IR_FLAG_SBC:
        x = ~b;
        break;
    case IR_FLAG_ADD:
        carry = 0;
        break;
    }
    a &= mask;
    x &= mask;
    r = (a + x + carry) & mask;
    c = ((u128)a + x + carry) >> width & 1;
    o = ((a ^ r) & (x ^ r)) >> (width - 1) & 1;
    half = ((a ^ b ^ r) >> 4) & 1;
    return (r >> (width - 1)) | (uint64_t)!r << 1 | (uint64_t)c << 2 | (uint64_t)o << 3 |
           (uint64_t)half << 4 | (uint64_t)!__builtin_parityll(r & 0xff) << 5;
}

/* ---- the rest ---- */

static uint64_t scalar(struct vcpu *v, const struct iop *op, const struct generic *g, unsigned width)
{
    uint64_t mask = UINT64_MAX >> (64 - width);
    uint64_t a = cell_get(v, op->a, width / 8), b = cell_get(v, op->b, width / 8), c = cell_get(v, g->c, 8),
             field;
    unsigned lsb = g->aux >> 8, bits = g->aux & 0xff;

    switch (g->op) {
    case IR_CLMUL:
    case IR_CLMULH:
    case IR_CLMULR:
        return product(g->op, a & mask, b & mask, width);
    case IR_INSERT:
        field = (UINT64_MAX >> (64 - bits)) << lsb;
        return (a & ~field) | (b << lsb & field);
    case IR_EXTRACT:
        return (a & mask) >> lsb & (UINT64_MAX >> (64 - bits));
    case IR_FLAGS:
        return flags(g->aux & 0xff, a, b, 0, width);
    case IR_FLAGSC:
        return flags(g->aux & 0xff, a, b, c & 1, width);
    case IR_FCOND:
        return interp_flag_cond((unsigned)a, g->aux);
    case IR_FPACK:
        return a & (g->aux ? g->aux : 63);
    case IR_FUNPACK:
        return a & 63;
    case IR_ADDC:
        return a + b + (c & 1);
    default:
        return unary(g->op, a & mask, width);
    }
}

void interp_generic(struct vcpu *v, const struct iop *op)
{
    struct generic g = generic_unpack(op->imm);
    uint64_t x;

    if (g.op >= IR_VADD && g.op <= IR_VZEXT) {
        interp_vector(v, op, &g);
        return;
    }
    x = scalar(v, op, &g, g.type == IRT_I32 ? 32 : 64);
    /* A 32-bit result may go straight into a 32-bit slot. */
    if (g.type == IRT_I32 && (g.op < IR_FLAGS || g.op == IR_ADDC))
        CELL(v, op->d, uint32_t) = (uint32_t)x;
    else
        CELL(v, op->d, uint64_t) = x;
}
