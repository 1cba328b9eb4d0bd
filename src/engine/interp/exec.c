/*
 * The interpreter's loop: direct-threaded code, one label an operation. Memory goes by the inline TLB probe;
 * what it does not find goes to slow_*(), which fill it, or leave before the instruction.
 */
#include "engine/interp/code.h"
#include "engine/interp/interp.h"
#include "engine/soft/access.h"
#include "engine/soft/ram.h"
#include "lib/str.h"

/* Where exact accesses leave and find their bytes; a value of the widest type. */
struct exec_buf {
    _Alignas(16) uint8_t bytes[32];
};

/* Unit closed (dead or promoted): back to the dispatcher, which finds v->pc set. */
static const struct iop *closed_ops(void);

void interp_unit_close(struct unit *u)
{
    atomic_store_explicit(&u->entry, closed_ops(), memory_order_release);
}

/* A pointer to the bytes loaded, or NULL: an exception was taken (exact), or leave before this instruction.
 */
static const void *slow_load(struct vcpu *v, gva_t va, unsigned aux, struct exec_buf *buf)
{
    if (!soft_of(v)->exact)
        return tlb_fill_read(v, va, 1u << (aux & IR_MEM_SIZE));
    return access_load(v, va, aux, buf->bytes) ? NULL : buf->bytes;
}

/* Where to store: guest memory, or a place that does not matter because the store is done. */
static void *slow_store(struct vcpu *v, gva_t va, unsigned aux, const void *value, struct exec_buf *buf)
{
    if (!soft_of(v)->exact)
        return tlb_fill_write(v, va, 1u << (aux & IR_MEM_SIZE));
    return access_store(v, va, aux, value) ? NULL : buf->bytes;
}

static uint64_t mulhu64(uint64_t a, uint64_t b)
{
    return (uint64_t)(((u128)a * b) >> 64);
}

static uint64_t mulhs64(uint64_t a, uint64_t b)
{
    return (uint64_t)(((__int128)(int64_t)a * (int64_t)b) >> 64);
}

static uint64_t mulhsu64(uint64_t a, uint64_t b)
{
    return (uint64_t)(((__int128)(int64_t)a * (__int128)(u128)b) >> 64);
}

/* Totals of ir.def: no operand traps. */
static uint64_t divs64(uint64_t a, uint64_t b)
{
    if (!b)
        return UINT64_MAX;
    return b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t rems64(uint64_t a, uint64_t b)
{
    if (!b)
        return a;
    return b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static uint32_t divs32(uint32_t a, uint32_t b)
{
    if (!b)
        return UINT32_MAX;
    return b == UINT32_MAX ? -a : (uint32_t)((int32_t)a / (int32_t)b);
}

static uint32_t rems32(uint32_t a, uint32_t b)
{
    if (!b)
        return a;
    return b == UINT32_MAX ? 0 : (uint32_t)((int32_t)a % (int32_t)b);
}

/* By enum ir_fcond, on flags packed as N Z C V A P in bits 0..5. */
static bool flag_cond(unsigned f, unsigned cond)
{
    bool n = f & 1, z = f & 2, c = f & 4, o = f & 8, p = f & 32, r;

    switch (cond >> 1) {
    case 0:
        r = z;
        break;
    case 1:
        r = c;
        break;
    case 2:
        r = n;
        break;
    case 3:
        r = o;
        break;
    case 4:
        r = c && !z;
        break;
    case 5:
        r = n == o;
        break;
    case 6:
        r = n == o && !z;
        break;
    default:
        r = p;
        break;
    }
    return r != (cond & 1);
}

bool interp_flag_cond(unsigned flags, unsigned cond)
{
    return flag_cond(flags, cond);
}

/* One atomic: a pointer to RAM, or NULL. The exact way has its own calls. */
static void *atomic_ptr(struct vcpu *v, gva_t va, unsigned aux, bool write)
{
    struct soft_vcpu *s = soft_of(v);
    unsigned size = 1u << (aux & IR_MEM_SIZE);
    void *p;

    if (va & (size - 1))
        return NULL;
    p = write ? tlb_write(s, va, size) : tlb_read(s, va, size);
    if (!p)
        p = write ? tlb_fill_write(v, va, size) : tlb_fill_read(v, va, size);
    return p;
}

static int do_amo(struct vcpu *v, const struct iop *ip)
{
    gva_t va = CELL(v, ip->a, uint64_t);
    uint64_t old, operand = cell_get(v, ip->b, MIN(1u << (ip->aux & IR_MEM_SIZE), 8));
    void *p;

    if (soft_of(v)->exact) {
        if (access_amo(v, va, ip->aux, operand, &old))
            return 1;
    } else {
        p = atomic_ptr(v, va, ip->aux, true);
        if (!p)
            return 1;
        old = access_amo_host(p, ip->aux, operand);
    }
    memcpy(&CELL(v, ip->d, uint8_t), &old, (size_t)(ip->imm >> 32));
    return 0;
}

static int do_cas(struct vcpu *v, const struct iop *ip)
{
    gva_t va = CELL(v, ip->a, uint64_t);
    const void *expect = &CELL(v, ip->b, uint8_t), *desired = &CELL(v, (int16_t)ip->imm, uint8_t);
    uint8_t old[16] = {0};
    void *p;

    if (soft_of(v)->exact) {
        if (access_cas(v, va, ip->aux, expect, desired, old))
            return 1;
    } else {
        p = atomic_ptr(v, va, ip->aux, true);
        if (!p)
            return 1;
        access_cas_host(p, 1u << (ip->aux & IR_MEM_SIZE), expect, desired, old);
    }
    memcpy(&CELL(v, ip->d, uint8_t), old, (size_t)(ip->imm >> 32));
    return 0;
}

static int do_lr(struct vcpu *v, const struct iop *ip)
{
    gva_t va = CELL(v, ip->a, uint64_t);
    unsigned size = 1u << (ip->aux & IR_MEM_SIZE);
    uint64_t x[2];

    if (soft_of(v)->exact) {
        if (access_lr(v, va, ip->aux, x))
            return 1;
    } else {
        const uint8_t *p = atomic_ptr(v, va, ip->aux, false);

        if (!p)
            return 1;
        x[0] = ram_load(p, MIN(size, 8));
        x[1] = size == 16 ? ram_load(p + 8, 8) : 0;
        ram_acquire();
        v->resv_addr = va;
        v->resv_value = x[0];
        v->resv_high = x[1];
        v->resv_size = size;
    }
    memcpy(&CELL(v, ip->d, uint8_t), x, (size_t)(ip->imm >> 32));
    return 0;
}

static int do_sc(struct vcpu *v, const struct iop *ip)
{
    gva_t va = CELL(v, ip->a, uint64_t);
    unsigned size = 1u << (ip->aux & IR_MEM_SIZE);
    uint64_t seen[2] = {v->resv_value, v->resv_high}, old[2] = {0, 0}, fail = 1;
    const void *value = &CELL(v, ip->b, uint8_t);

    if (soft_of(v)->exact) {
        if (access_sc(v, va, ip->aux, value, &fail))
            return 1;
    } else if (v->resv_addr == va && v->resv_size == size) {
        void *p = atomic_ptr(v, va, ip->aux, true);

        if (!p)
            return 1;
        v->resv_addr = UINT64_MAX;
        access_cas_host(p, size, seen, value, old);
        fail = memcmp(old, seen, size) != 0;
    } else if (va & (size - 1)) {
        return 1;
    } else {
        v->resv_addr = UINT64_MAX;
    }
    CELL(v, ip->d, uint64_t) = fail;
    return 0;
}

/* Any load that has an order or an alignment to keep, or 16 bytes. b: bytes of the result. */
static int do_ldx(struct vcpu *v, const struct iop *ip)
{
    gva_t va = CELL(v, ip->a, uint64_t) + (uint64_t)ip->imm;
    unsigned size = 1u << (ip->aux & IR_MEM_SIZE);
    struct exec_buf buf;
    const uint8_t *p = NULL;
    uint64_t x[2] = {0, 0};

    if (!(ip->aux & IR_MEM_ALIGNED) || !(va & (size - 1)))
        p = tlb_read(soft_of(v), va, size);
    else if (!soft_of(v)->exact)
        return 1;
    if (!p)
        p = slow_load(v, va, ip->aux, &buf);
    if (!p)
        return 1;
    x[0] = ram_load(p, MIN(size, 8));
    if (size == 16)
        x[1] = ram_load(p + 8, 8);
    ram_acquire();
    if (ip->aux & IR_MEM_SIGNED && size < 8)
        x[0] = (uint64_t)bits_sext(x[0], size * 8);
    memcpy(&CELL(v, ip->d, uint8_t), x, (unsigned)ip->b);
    return 0;
}

static int do_stx(struct vcpu *v, const struct iop *ip)
{
    gva_t va = CELL(v, ip->a, uint64_t) + (uint64_t)ip->imm;
    unsigned size = 1u << (ip->aux & IR_MEM_SIZE);
    struct exec_buf buf;
    uint8_t *p = NULL;
    uint64_t x[2] = {0, 0};

    memcpy(x, &CELL(v, ip->b, uint8_t), size);
    if (!(ip->aux & IR_MEM_ALIGNED) || !(va & (size - 1)))
        p = tlb_write(soft_of(v), va, size);
    else if (!soft_of(v)->exact)
        return 1;
    if (!p)
        p = slow_store(v, va, ip->aux, x, &buf);
    if (!p)
        return 1;
    ram_release();
    ram_store(p, MIN(size, 8), x[0]);
    if (size == 16)
        ram_store(p + 8, 8, x[1]);
    if (ip->aux & IR_MEM_REL && ip->aux & IR_MEM_ACQ)
        ram_fence();
    return 0;
}

/* b, then d: whole FP or vector values of half the size. */
static int do_store2(struct vcpu *v, const struct iop *ip)
{
    gva_t va = CELL(v, ip->a, uint64_t) + (uint64_t)ip->imm;
    unsigned size = 1u << (ip->aux & IR_MEM_SIZE), half = size / 2;
    const int16_t cells[2] = {ip->b, ip->d};
    struct exec_buf buf, value;
    uint8_t *p = tlb_write(soft_of(v), va, size);

    for (unsigned i = 0; i < 2; i++)
        memcpy(value.bytes + i * half, &CELL(v, cells[i], uint8_t), half);
    if (!p)
        p = slow_store(v, va, ip->aux, value.bytes, &buf);
    if (!p)
        return 1;
    for (unsigned i = 0, n = MIN(half, 8); i < size; i += n) {
        uint64_t x = 0;

        memcpy(&x, value.bytes + i, n);
        ram_store(p + i, n, x);
    }
    return 0;
}

/* The mark of the instruction that operation `ip` of the running unit belongs to. */
static const struct insn_mark *mark_of(const struct icode *c, const struct iop *ip)
{
    uint32_t at = (uint32_t)(ip - c->ops), lo = 0, hi = c->mark_count;

    while (hi - lo > 1) {
        uint32_t mid = (lo + hi) / 2;

        if (c->marks[mid].first <= at)
            lo = mid;
        else
            hi = mid;
    }
    return &c->marks[lo];
}

/* Back to before the instruction of ip. */
static enum interp_leave bail(struct vcpu *v, const struct iop *ip, int64_t budget)
{
    struct soft_vcpu *s = soft_of(v);
    const struct insn_mark *m = mark_of(s->unit->code, ip);

    v->pc = v->pc_page + (uint64_t)(int64_t)m->offset;
    v->budget = budget + (m->total - m->begun);
    s->stat.bails++;
    return INTERP_BAIL;
}

/* Through the label table once, without running anything. */
struct exec_tables {
    const void *const *labels;
    const struct iop *closed;
};

#define R64(x) CELL(v, ip->x, uint64_t)
#define R32(x) CELL(v, ip->x, uint32_t)
#define I64    ((uint64_t)ip->imm)
#define I32    ((uint32_t)ip->imm)
#define NEXT                                                                                                 \
    do {                                                                                                     \
        ip++;                                                                                                \
        goto * ip->fn;                                                                                       \
    } while (0)

/* To a HEAD: takes the block's instructions from the budget. */
#define ENTER                                                                                                \
    do {                                                                                                     \
        budget -= ip->imm;                                                                                   \
        if (UNLIKELY(budget < 0))                                                                            \
            goto out_of_budget;                                                                              \
        NEXT;                                                                                                \
    } while (0)

#define BINARY(name, T64, expr64, T32, expr32)                                                               \
    L_##name##_64:                                                                                           \
    {                                                                                                        \
        T64 a = (T64)R64(a), b = (T64)R64(b);                                                                \
        R64(d) = (uint64_t)(expr64);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_64I:                                                                                          \
    {                                                                                                        \
        T64 a = (T64)R64(a), b = (T64)I64;                                                                   \
        R64(d) = (uint64_t)(expr64);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_32:                                                                                           \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)R32(b);                                                                \
        R32(d) = (uint32_t)(expr32);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_32I:                                                                                          \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)I32;                                                                   \
        R32(d) = (uint32_t)(expr32);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_W:                                                                                            \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)R32(b);                                                                \
        R64(d) = (uint64_t)(int64_t)(int32_t)(expr32);                                                       \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_WI:                                                                                           \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)I32;                                                                   \
        R64(d) = (uint64_t)(int64_t)(int32_t)(expr32);                                                       \
        NEXT;                                                                                                \
    }

#define BINARY_SAME(name, expr) BINARY(name, uint64_t, expr, uint32_t, expr)

#define COMPARE(name, T64, T32, cmp)                                                                         \
    L_SET_##name##_64 : R64(d) = (T64)R64(a) cmp(T64) R64(b);                                                \
    NEXT;                                                                                                    \
    L_SET_##name##_64I : R64(d) = (T64)R64(a) cmp(T64) I64;                                                  \
    NEXT;                                                                                                    \
    L_SET_##name##_32 : R64(d) = (T32)R32(a) cmp(T32) R32(b);                                                \
    NEXT;                                                                                                    \
    L_SET_##name##_32I : R64(d) = (T32)R32(a) cmp(T32) I32;                                                  \
    NEXT;                                                                                                    \
    L_BR_##name##_64 : ip += (T64)R64(a) cmp(T64) R64(b) ? (int32_t)(ip->imm >> 32) : (int32_t)ip->imm;      \
    ENTER;                                                                                                   \
    L_BR_##name##_64Z:                                                                                       \
    {                                                                                                        \
        T64 x = (T64)R64(a), none = 0;                                                                       \
        ip += x cmp none ? (int32_t)(ip->imm >> 32) : (int32_t)ip->imm;                                      \
        ENTER;                                                                                               \
    }                                                                                                        \
    L_BR_##name##_32 : ip += (T32)R32(a) cmp(T32) R32(b) ? (int32_t)(ip->imm >> 32) : (int32_t)ip->imm;      \
    ENTER;

/* Bits N Z C V; carry is "no borrow" in differences. */
#define FLAGS_OF(w, U, S)                                                                                    \
    L_FLAGS_ADD_##w:                                                                                         \
    {                                                                                                        \
        U a = R##w(a), b = R##w(b), r = (U)(a + b);                                                          \
                                                                                                             \
        R64(d) = (unsigned)((S)r < 0) | (unsigned)(r == 0) << 1 | (unsigned)(r < a) << 2 |                   \
                 (unsigned)((S)((a ^ r) & (b ^ r)) < 0) << 3;                                                \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_FLAGS_SUB_##w:                                                                                         \
    {                                                                                                        \
        U a = R##w(a), b = R##w(b), r = (U)(a - b);                                                          \
                                                                                                             \
        R64(d) = (unsigned)((S)r < 0) | (unsigned)(r == 0) << 1 | (unsigned)(a >= b) << 2 |                  \
                 (unsigned)((S)((a ^ b) & (a ^ r)) < 0) << 3;                                                \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_FLAGS_LOGIC_##w:                                                                                       \
    {                                                                                                        \
        U a = R##w(a);                                                                                       \
                                                                                                             \
        R64(d) = (unsigned)((S)a < 0) | (unsigned)(a == 0) << 1;                                             \
        NEXT;                                                                                                \
    }

#define VECTOR(name, op)                                                                                     \
    L_##name:                                                                                                \
    {                                                                                                        \
        uint64_t lo = R64(a) op R64(b);                                                                      \
        uint64_t hi = CELL(v, ip->a + 8, uint64_t) op CELL(v, ip->b + 8, uint64_t);                          \
                                                                                                             \
        R64(d) = lo;                                                                                         \
        CELL(v, ip->d + 8, uint64_t) = hi;                                                                   \
        NEXT;                                                                                                \
    }

#define LOAD(name, T, aux, CT, RT)                                                                           \
    L_##name:                                                                                                \
    {                                                                                                        \
        gva_t va = R64(a) + I64;                                                                             \
        const void *p = tlb_read(s, va, sizeof(T));                                                          \
                                                                                                             \
        if (UNLIKELY(!p)) {                                                                                  \
            v->budget = budget;                                                                              \
            p = slow_load(v, va, aux, &buf);                                                                 \
            if (!p)                                                                                          \
                goto failed;                                                                                 \
        }                                                                                                    \
        CELL(v, ip->d, RT) = (RT)(CT)T##_ram(p);                                                             \
        NEXT;                                                                                                \
    }

#define uint8_t_ram(p)  ram_u8_load(p)
#define uint16_t_ram(p) ram_u16_load(p)
#define uint32_t_ram(p) ram_u32_load(p)
#define uint64_t_ram(p) ram_u64_load(p)

#define STORE(name, T, aux, ram)                                                                             \
    L_##name:                                                                                                \
    {                                                                                                        \
        gva_t va = R64(a) + I64;                                                                             \
        void *p = tlb_write(s, va, sizeof(T));                                                               \
                                                                                                             \
        if (UNLIKELY(!p)) {                                                                                  \
            v->budget = budget;                                                                              \
            p = slow_store(v, va, aux, &CELL(v, ip->b, uint8_t), &buf);                                      \
            if (!p)                                                                                          \
                goto failed;                                                                                 \
        }                                                                                                    \
        ram(p, CELL(v, ip->b, T));                                                                           \
        NEXT;                                                                                                \
    }

#define MEMORY_CALL(name, fn)                                                                                \
    L_##name : v->budget = budget;                                                                           \
    if (UNLIKELY(fn(v, ip)))                                                                                 \
        goto failed;                                                                                         \
    NEXT;

static enum interp_leave exec(struct vcpu *v, struct unit *u, bool alone, struct exec_tables *tables)
{
    static const void *const labels[IOP_COUNT] = {
#define IOP(name) [IOP_##name] = &&L_##name,
#include "engine/interp/ops.def"
#undef IOP
    };
    static const struct iop closed[2] = {{.fn = &&L_HEAD}, {.fn = &&L_CLOSED}};
    struct soft_vcpu *s;
    const struct iop *ip;
    struct exec_buf buf;
    int64_t budget;
    uint64_t pc;

    if (UNLIKELY(tables)) {
        *tables = (struct exec_tables){labels, closed};
        return INTERP_NEXT;
    }
    s = soft_of(v);
    budget = v->budget;
    ip = atomic_load_explicit(&u->entry, memory_order_acquire);
    ENTER;

L_HEAD: /* never run: the way to a block is ENTER */
L_CLOSED:
    v->budget = budget;
    return INTERP_NEXT;
L_MOV64:
    R64(d) = R64(a);
    NEXT;
L_MOV32:
    R32(d) = R32(a);
    NEXT;
L_MOV16:
    CELL(v, ip->d, uint16_t) = CELL(v, ip->a, uint16_t);
    NEXT;
L_MOV128 : {
    uint64_t lo = CELL(v, ip->a, uint64_t), hi = CELL(v, ip->a + 8, uint64_t);

    CELL(v, ip->d, uint64_t) = lo;
    CELL(v, ip->d + 8, uint64_t) = hi;
    NEXT;
}
L_MOVI64:
    R64(d) = I64;
    NEXT;
L_MOVI32:
    R32(d) = I32;
    NEXT;
L_PC:
    R64(d) = v->pc_page + I64;
    NEXT;
L_SYNC:
    v->pc = v->pc_page + (uint64_t)(int64_t)ip->d;
    budget += ip->imm;
    NEXT;
L_UNSYNC:
    budget -= ip->imm;
    NEXT;
L_GENERIC:
    interp_generic(v, ip);
    NEXT;
L_FLOAT:
    interp_float(v, ip);
    NEXT;
L_CRYPTO:
    interp_crypto(v, ip);
    NEXT;
L_VFLOAT:
    interp_vector_float(v, ip);
    NEXT;

    BINARY_SAME(ADD, a + b)
    BINARY_SAME(SUB, a - b)
    BINARY_SAME(MUL, a * b)
    BINARY_SAME(AND, a & b)
    BINARY_SAME(OR, a | b)
    BINARY_SAME(XOR, a ^ b)
    BINARY_SAME(ANDN, a & ~b)
    BINARY_SAME(ORN, a | ~b)
    BINARY_SAME(XNOR, ~(a ^ b))
    BINARY(SHL, uint64_t, a << (b & 63), uint32_t, a << (b & 31))
    BINARY(SHR, uint64_t, a >> (b & 63), uint32_t, a >> (b & 31))
    BINARY(SAR, int64_t, a >> (b & 63), int32_t, a >> (b & 31))
    BINARY(ROL, uint64_t, a << (b & 63) | a >> (-b & 63), uint32_t, a << (b & 31) | a >> (-b & 31))
    BINARY(ROR, uint64_t, a >> (b & 63) | a << (-b & 63), uint32_t, a >> (b & 31) | a << (-b & 31))
    BINARY(MULHU, uint64_t, mulhu64(a, b), uint32_t, ((uint64_t)a * b) >> 32)
    BINARY(MULHS, uint64_t, mulhs64(a, b), int32_t, ((int64_t)a * b) >> 32)
    BINARY(MULHSU, uint64_t, mulhsu64(a, b), uint32_t, ((int64_t)(int32_t)a * (int64_t)b) >> 32)
    BINARY(DIVS, uint64_t, divs64(a, b), uint32_t, divs32(a, b))
    BINARY(DIVU, uint64_t, b ? a / b : UINT64_MAX, uint32_t, b ? a / b : UINT32_MAX)
    BINARY(REMS, uint64_t, rems64(a, b), uint32_t, rems32(a, b))
    BINARY(REMU, uint64_t, b ? a % b : a, uint32_t, b ? a % b : a)
    BINARY(MINS, int64_t, a < b ? a : b, int32_t, a < b ? a : b)
    BINARY(MINU, uint64_t, a < b ? a : b, uint32_t, a < b ? a : b)
    BINARY(MAXS, int64_t, a > b ? a : b, int32_t, a > b ? a : b)
    BINARY(MAXU, uint64_t, a > b ? a : b, uint32_t, a > b ? a : b)

    COMPARE(EQ, uint64_t, uint32_t, ==)
    COMPARE(NE, uint64_t, uint32_t, !=)
    COMPARE(LTU, uint64_t, uint32_t, <)
    COMPARE(GEU, uint64_t, uint32_t, >=)
    COMPARE(LEU, uint64_t, uint32_t, <=)
    COMPARE(GTU, uint64_t, uint32_t, >)
    COMPARE(LTS, int64_t, int32_t, <)
    COMPARE(GES, int64_t, int32_t, >=)
    COMPARE(LES, int64_t, int32_t, <=)
    COMPARE(GTS, int64_t, int32_t, >)

L_BRF:
    ip += flag_cond(R32(a), ip->aux) ? (int32_t)(ip->imm >> 32) : (int32_t)ip->imm;
    ENTER;
L_SELECT64:
    R64(d) = R64(a) ? R64(b) : CELL(v, (int16_t)ip->imm, uint64_t);
    NEXT;
L_SELECT32:
    R32(d) = R64(a) ? R32(b) : CELL(v, (int16_t)ip->imm, uint32_t);
    NEXT;
L_SELECT128:
    memmove(&CELL(v, ip->d, uint8_t), &CELL(v, R64(a) ? ip->b : (int16_t)ip->imm, uint8_t), 16);
    NEXT;
L_SEXT8:
    R64(d) = (uint64_t)(int64_t)CELL(v, ip->a, int8_t);
    NEXT;
L_SEXT16:
    R64(d) = (uint64_t)(int64_t)CELL(v, ip->a, int16_t);
    NEXT;
L_SEXT32:
    R64(d) = (uint64_t)(int64_t)CELL(v, ip->a, int32_t);
    NEXT;
L_ZEXT8:
    R64(d) = CELL(v, ip->a, uint8_t);
    NEXT;
L_ZEXT16:
    R64(d) = CELL(v, ip->a, uint16_t);
    NEXT;
L_ZEXT32:
    R64(d) = R32(a);
    NEXT;
L_SEXT8_32:
    R32(d) = (uint32_t)(int32_t)CELL(v, ip->a, int8_t);
    NEXT;
L_SEXT16_32:
    R32(d) = (uint32_t)(int32_t)CELL(v, ip->a, int16_t);
    NEXT;
L_ZEXT8_32:
    R32(d) = CELL(v, ip->a, uint8_t);
    NEXT;
L_ZEXT16_32:
    R32(d) = CELL(v, ip->a, uint16_t);
    NEXT;
L_NEG64:
    R64(d) = -R64(a);
    NEXT;
L_NOT64:
    R64(d) = ~R64(a);
    NEXT;
L_NEG32:
    R32(d) = -R32(a);
    NEXT;
L_NOT32:
    R32(d) = ~R32(a);
    NEXT;
L_EXTRACT64: /* aux: lsb << 8 | width */
    R64(d) = R64(a) >> (ip->aux >> 8) & (UINT64_MAX >> (64 - (ip->aux & 0xff)));
    NEXT;
L_EXTRACT32:
    R32(d) = R32(a) >> (ip->aux >> 8) & (UINT32_MAX >> (32 - (ip->aux & 0xff)));
    NEXT;
L_INSERT64 : /* aux: lsb << 8 | width */
{
    uint64_t field = (UINT64_MAX >> (64 - (ip->aux & 0xff))) << (ip->aux >> 8);

    R64(d) = (R64(a) & ~field) | (R64(b) << (ip->aux >> 8) & field);
    NEXT;
}
L_INSERT32 : {
    uint32_t field = (UINT32_MAX >> (32 - (ip->aux & 0xff))) << (ip->aux >> 8);

    R32(d) = (R32(a) & ~field) | (R32(b) << (ip->aux >> 8) & field);
    NEXT;
}
L_CLZ64:
    R64(d) = R64(a) ? (uint64_t)__builtin_clzll(R64(a)) : 64;
    NEXT;
L_CLZ32:
    R32(d) = R32(a) ? (uint32_t)__builtin_clz(R32(a)) : 32;
    NEXT;
L_BSWAP64:
    R64(d) = __builtin_bswap64(R64(a));
    NEXT;
L_BSWAP32:
    R32(d) = __builtin_bswap32(R32(a));
    NEXT;
L_ADDC64:
    R64(d) = R64(a) + R64(b) + (CELL(v, (int16_t)ip->imm, uint64_t) & 1);
    NEXT;
L_ADDC32:
    R32(d) = R32(a) + R32(b) + (CELL(v, (int16_t)ip->imm, uint32_t) & 1);
    NEXT;

    FLAGS_OF(64, uint64_t, int64_t)
    FLAGS_OF(32, uint32_t, int32_t)
L_FCOND:
    R64(d) = flag_cond(R32(a), ip->aux);
    NEXT;

    VECTOR(VAND, &)
    VECTOR(VOR, |)
    VECTOR(VXOR, ^)

    LOAD(LD8U, uint8_t, 0, uint8_t, uint64_t)
    LOAD(LD8S, uint8_t, 0, int8_t, uint64_t)
    LOAD(LD16U, uint16_t, 1, uint16_t, uint64_t)
    LOAD(LD16S, uint16_t, 1, int16_t, uint64_t)
    LOAD(LD32U, uint32_t, 2, uint32_t, uint64_t)
    LOAD(LD32S, uint32_t, 2, int32_t, uint64_t)
    LOAD(LD64, uint64_t, 3, uint64_t, uint64_t)
    LOAD(LD8U_32, uint8_t, 0, uint8_t, uint32_t)
    LOAD(LD8S_32, uint8_t, 0, int8_t, uint32_t)
    LOAD(LD16U_32, uint16_t, 1, uint16_t, uint32_t)
    LOAD(LD16S_32, uint16_t, 1, int16_t, uint32_t)
    LOAD(LD32, uint32_t, 2, uint32_t, uint32_t)
    LOAD(LD16_16, uint16_t, 1, uint16_t, uint16_t)
    STORE(ST8, uint8_t, 0, ram_u8_store)
    STORE(ST16, uint16_t, 1, ram_u16_store)
    STORE(ST32, uint32_t, 2, ram_u32_store)
    STORE(ST64, uint64_t, 3, ram_u64_store)
L_LD128 : {
    gva_t va = R64(a) + I64;
    const uint8_t *p = tlb_read(s, va, 16);
    uint64_t lo, hi;

    if (UNLIKELY(!p)) {
        v->budget = budget;
        p = slow_load(v, va, 4, &buf);
        if (!p)
            goto failed;
    }
    lo = ram_u64_load(p);
    hi = ram_u64_load(p + 8);
    R64(d) = lo;
    CELL(v, ip->d + 8, uint64_t) = hi;
    NEXT;
}
L_ST128 : {
    gva_t va = R64(a) + I64;
    uint8_t *p = tlb_write(s, va, 16);

    if (UNLIKELY(!p)) {
        v->budget = budget;
        p = slow_store(v, va, 4, &CELL(v, ip->b, uint8_t), &buf);
        if (!p)
            goto failed;
    }
    ram_u64_store(p, R64(b));
    ram_u64_store(p + 8, CELL(v, ip->b + 8, uint64_t));
    NEXT;
}
L_ST64P : {
    gva_t va = R64(a) + I64;
    uint8_t *p = tlb_write(s, va, 16);

    if (UNLIKELY(!p)) {
        uint64_t pair[2] = {R64(b), R64(d)};

        v->budget = budget;
        p = slow_store(v, va, 4, pair, &buf);
        if (!p)
            goto failed;
    }
    ram_u64_store(p, R64(b));
    ram_u64_store(p + 8, R64(d));
    NEXT;
}
    MEMORY_CALL(LDX, do_ldx)
    MEMORY_CALL(STX, do_stx)
    MEMORY_CALL(STORE2, do_store2)
    MEMORY_CALL(AMO, do_amo)
    MEMORY_CALL(CAS, do_cas)
    MEMORY_CALL(LR, do_lr)
    MEMORY_CALL(SC, do_sc)
L_FENCE:
    access_fence(ip->aux);
    NEXT;
L_CALL : {
    const struct ir_helper *h = (const struct ir_helper *)(uintptr_t)ip->imm;
    uint64_t x;

    v->budget = budget;
    v->stat.helper_calls++;
    x = h->fn(v, R64(a), R64(b), CELL(v, (int16_t)ip->aux, uint64_t));
    if (UNLIKELY(v->leave)) {
        v->leave = 0;
        return INTERP_NEXT;
    }
    R64(d) = x;
    NEXT;
}
L_GUARD: /* the exact way has pc right: it executes this instruction alone */
    if (LIKELY(!R64(a)))
        NEXT;
    v->budget = budget;
    if (s->exact)
        ((const struct ir_helper *)(uintptr_t)ip->imm)->fn(v, 0, 0, 0);
    goto failed;
L_JUMP:
    ip += (int32_t)ip->imm;
    ENTER;
L_EXIT:
    pc = v->pc_page + I64;
    goto transition;
L_JUMPI:
    pc = R64(a);
    goto transition;
L_DISPATCH:
    v->budget = budget;
    return INTERP_NEXT;

transition : {
    const struct soft_jump *j = &s->jumps[soft_jump_index(pc)];
    uint32_t heat;

    v->pc = pc;
    if (UNLIKELY(j->key != (pc ^ s->space) || alone)) {
        v->budget = budget;
        return INTERP_NEXT;
    }
    u = j->target;
    v->pc_page = pc & TLB_PAGE_MASK;
    s->unit = u;
    heat = __atomic_load_n(&u->heat, __ATOMIC_RELAXED) - 1;
    __atomic_store_n(&u->heat, heat, __ATOMIC_RELAXED);
    if (UNLIKELY(!heat)) {
        v->budget = budget;
        return INTERP_HOT;
    }
    ip = atomic_load_explicit(&u->entry, memory_order_acquire);
    ENTER;
}
out_of_budget:
    v->budget = budget + ip->imm;
    v->pc = v->pc_page + (uint64_t)(int64_t)ip->d;
    return INTERP_BUDGET;
failed:
    if (s->exact) {
        v->leave = 0;
        return INTERP_NEXT;
    }
    return bail(v, ip, budget);
}

const void *const *interp_labels(void)
{
    struct exec_tables t;

    exec(NULL, NULL, true, &t);
    return t.labels;
}

static const struct iop *closed_ops(void)
{
    struct exec_tables t;

    exec(NULL, NULL, true, &t);
    return t.closed;
}

enum interp_leave interp_exec(struct vcpu *v, struct unit *u)
{
    return exec(v, u, false, NULL);
}

enum interp_leave interp_exec_alone(struct vcpu *v, struct unit *u)
{
    return exec(v, u, true, NULL);
}
