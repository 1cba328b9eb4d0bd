/*
 * The interpreter's loop: direct-threaded code, one label an operation. Memory goes by the inline TLB probe;
 * what it does not find goes to slow_*() (memory.h), which fill it, or leave before the instruction.
 */
#include "engine/interp/interp.h"
#include "engine/interp/labels.h"

/* Unit closed (dead or promoted): back to the dispatcher, which finds v->pc set. */
static const struct iop *closed_ops(void);

void interp_unit_close(struct unit *u)
{
    atomic_store_explicit(&u->entry, closed_ops(), memory_order_release);
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
    BRANCH(flag_cond(R32(a), ip->aux));
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

static bool is_branch(const struct iop *op, const void *const *labels)
{
    for (unsigned i = IOP_BR_EQ_64; i <= IOP_BRF; i++) {
        if (op->fn == labels[i])
            return true;
    }
    return false;
}

void interp_leans(const struct unit *u, void (*emit)(void *opaque, gpa_t at, int lean, bool both),
                  void *opaque)
{
    const void *const *labels = interp_labels();
    const struct icode *c = u->code;

    for (uint32_t i = 0; i < c->op_count; i++) {
        int d = __atomic_load_n(&c->ops[i].d, __ATOMIC_RELAXED);

        if (d & LEAN_MET && is_branch(&c->ops[i], labels))
            emit(opaque, (u->gpa & TLB_PAGE_MASK) + (gpa_t)mark_of(c, &c->ops[i])->offset, d >> LEAN_SHIFT,
                 d & LEAN_TAKEN && d & LEAN_NOT);
    }
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
