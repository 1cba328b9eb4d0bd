/*
 * The slow side of exec()'s loads and stores, and the accesses that are more than those: ordered, aligned,
 * atomic ones, pairs. Part of exec.c, so that the compiler sees them with the loop.
 */
#ifndef CV_ENGINE_INTERP_MEMORY_H
#define CV_ENGINE_INTERP_MEMORY_H

#include "engine/interp/code.h"
#include "engine/soft/access.h"
#include "engine/soft/ram.h"
#include "lib/str.h"

/* Where exact accesses leave and find their bytes; a value of the widest type. */
struct exec_buf {
    _Alignas(16) uint8_t bytes[32];
};

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
    unsigned size = 1u << (aux & IR_MEM_SIZE);
    void *p;

    if (!soft_of(v)->exact) {
        p = tlb_fill_write(v, va, size);
        return p ? p : tlb_store_once(v, va, size);
    }
    return access_store(v, va, aux, value) ? NULL : buf->bytes;
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

#endif
