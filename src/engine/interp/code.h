/*
 * The interpreter's own code: threaded operations, one table (ops.def) for their numbers.
 */
#ifndef CV_ENGINE_INTERP_CODE_H
#define CV_ENGINE_INTERP_CODE_H

#include "engine/soft/soft.h"

/*
 * d: where the result goes, a and b: operands, all displacements from the vcpu. Narrow values occupy the low
 * bytes of their cell; what is above is undefined.
 */
struct iop {
    const void *fn; /* label in interp_exec() */
    int16_t d, a, b;
    uint16_t aux;
    int64_t imm;
};
_Static_assert(sizeof(struct iop) == 24, "three to a cache line and a half");

enum iop_code {
#define IOP(name) IOP_##name,
#include "engine/interp/ops.def"
#undef IOP
    IOP_COUNT
};

/* imm of the generic operation, see generic.c. */
static inline int64_t generic_imm(unsigned op, unsigned type, unsigned aux, int16_t c, unsigned extra)
{
    return (int64_t)((uint64_t)op | (uint64_t)type << 8 | (uint64_t)aux << 16 | (uint64_t)(uint16_t)c << 32 |
                     (uint64_t)extra << 48);
}

struct generic {
    unsigned op, type, aux, extra;
    int16_t c;
};

static inline struct generic generic_unpack(int64_t imm)
{
    uint64_t x = (uint64_t)imm;

    return (struct generic){(unsigned)x & 0xff, (unsigned)(x >> 8) & 0xff, (unsigned)(x >> 16) & 0xffff,
                            (unsigned)(x >> 48), (int16_t)(x >> 32)};
}

/* Where an instruction's code begins, to find pc and count from an operation. */
struct insn_mark {
    uint32_t first; /* operation number */
    int16_t offset; /* from the page base */
    uint16_t begun; /* instructions of the block begun before it: refund is block insns - begun */
    uint16_t total;
};

/* A unit's code: marks, then operations, in one allocation. */
struct icode {
    uint32_t op_count, mark_count;
    struct insn_mark *marks;
    struct iop ops[];
};

/* Label addresses by enum iop_code. */
const void *const *interp_labels(void);
void interp_generic(struct vcpu *v, const struct iop *op);
/* IR's vector operations; extra: imm, for VZEXT the operand's type. */
void interp_vector(struct vcpu *v, const struct iop *op, const struct generic *g);
uint64_t interp_reverse_bits(uint64_t x, unsigned width);
u128 interp_carryless(uint64_t a, uint64_t b);
/* enum ir_fcond on flags packed as N Z C V A P in bits 0..5. */
bool interp_flag_cond(unsigned flags, unsigned cond);
/* IR's FP operations, see engine/soft/float.h. */
void interp_float(struct vcpu *v, const struct iop *op);
void interp_vector_float(struct vcpu *v, const struct iop *op);
/* VAES to CRC32. */
void interp_crypto(struct vcpu *v, const struct iop *op);

/* A cell's low `size` bytes; 4-byte slots need not be 8-byte aligned. */
static inline uint64_t cell_get(const struct vcpu *v, int16_t off, unsigned size)
{
    uint64_t x = 0;

    __builtin_memcpy(&x, (const char *)v + off, size);
    return x;
}

/*
 * d of a branch that was met: which ways it ever went, and in its upper byte how much oftener it was taken
 * than not, up to LEAN_MAX either way. It is odd, as no displacement of a cell is. The vCPUs' notes may get
 * lost.
 */
#define LEAN_MAX 100
enum { LEAN_MET = 1, LEAN_TAKEN = 2, LEAN_NOT = 4, LEAN_SHIFT = 8 };
static inline void lean_note(const struct iop *branch, bool taken)
{
    int16_t *d = (int16_t *)&branch->d, old = __atomic_load_n(d, __ATOMIC_RELAXED);
    int lean = old >> LEAN_SHIFT, ways = (old & (LEAN_TAKEN | LEAN_NOT)) | (taken ? LEAN_TAKEN : LEAN_NOT);

    if (taken ? lean < LEAN_MAX : lean > -LEAN_MAX)
        lean += taken ? 1 : -1;
    __atomic_store_n(d, (int16_t)(lean * (1 << LEAN_SHIFT) | ways | LEAN_MET), __ATOMIC_RELAXED);
}

#define CELL(v, off, type) (*(type *)((char *)(v) + (off)))

#endif
