/* Exact guest memory accesses: see access.h. */
#include "engine/soft/access.h"
#include "engine/soft/ram.h"
#include "engine/soft/units.h"
#include "lib/str.h"

struct piece {
    gva_t va;
    unsigned size;
    struct tlb_target t;
};

/* An access as one piece or, where it crosses a page, two. */
struct span {
    struct piece piece[2];
    unsigned count;
};

static unsigned aux_size(unsigned aux)
{
    return 1u << (aux & IR_MEM_SIZE);
}

/* A device's rules for all of the access, where a part of it is one. */
static bool device_allows(struct vcpu *v, gva_t va, unsigned size, const struct span *sp)
{
    bool device = sp->piece[0].t.device || (sp->count > 1 && sp->piece[1].t.device);

    return LIKELY(!device) || v->vm->guest->device_allows(v, va, size);
}

/* All pages are walked before anything is touched. 1: the exception was taken. */
static int span_walk(struct vcpu *v, gva_t va, unsigned size, enum access access, struct span *sp)
{
    unsigned room = MEM_PAGE_SIZE - (unsigned)(va & (MEM_PAGE_SIZE - 1));

    sp->count = size > room ? 2 : 1;
    sp->piece[0] = (struct piece){.va = va, .size = MIN(size, room)};
    sp->piece[1] = (struct piece){.va = va + room, .size = size - MIN(size, room)};
    for (unsigned i = 0; i < sp->count; i++) {
        struct piece *p = &sp->piece[i];

        if (tlb_walk(v, p->va, access, &p->t)) {
            v->vm->guest->raise(v, p->va);
            return 1;
        }
        /* ROM takes no stores, those to flash are commands; where nothing is mapped nothing answers. */
        if (access == ACCESS_WRITE && p->t.region && p->t.region->dev)
            p->t.host = NULL;
        else if (access == ACCESS_WRITE && p->t.region && p->t.region->kind == MEM_ROM)
            p->t.region = NULL;
        if (!p->t.region) {
            v->vm->guest->raise_bus(v, p->va, access);
            return 1;
        }
    }
    if (device_allows(v, va, size, sp))
        return 0;
    v->vm->guest->raise_misaligned(v, va, access);
    return 1;
}

static bool misaligned(struct vcpu *v, gva_t va, unsigned aux, enum access access)
{
    if (!(aux & IR_MEM_ALIGNED) || !(va & (aux_size(aux) - 1)))
        return false;
    v->vm->guest->raise_misaligned(v, va, access);
    return true;
}

/* Devices see accesses of 1, 2, 4 or 8 bytes, naturally aligned. */
static int mmio(struct vcpu *v, const struct piece *p, bool write, uint8_t *bytes)
{
    unsigned done = 0;

    while (done < p->size) {
        unsigned n = 8;
        struct exit e = {.kind = EXIT_MMIO};

        while (n > p->size - done || ((p->t.gpa + done) & (n - 1)))
            n /= 2;
        e.mmio.gpa = p->t.gpa + done;
        e.mmio.size = (uint8_t)n;
        e.mmio.write = write;
        if (write)
            memcpy(&e.mmio.value, bytes + done, n);
        v->exits[EXIT_MMIO]++;
        if (exit_handle(v, &e) == EXIT_STOP && e.kind == EXIT_NONE) {
            v->vm->guest->raise_bus(v, p->va + done, write ? ACCESS_WRITE : ACCESS_READ);
            return 1;
        }
        if (!write)
            memcpy(bytes + done, &e.mmio.value, n);
        done += n;
    }
    return 0;
}

/* Announces a store: DIRTY before it; after it units of a CODE page, and who watches it. */
static _Atomic uint8_t *page_flag(const struct tlb_target *t)
{
    return &t->region->flags[(t->gpa - t->region->base) >> MEM_PAGE_BITS];
}

static void store_begin(const struct tlb_target *t)
{
    if (!(atomic_load_explicit(page_flag(t), memory_order_relaxed) & MEM_PAGE_DIRTY))
        atomic_fetch_or(page_flag(t), MEM_PAGE_DIRTY);
}

static void store_end(struct vcpu *v, const struct tlb_target *t, unsigned size)
{
    uint8_t flags = atomic_load(page_flag(t));

    if (flags & MEM_PAGE_CODE)
        units_written(v->vm, t->gpa, size);
    if (flags & MEM_PAGE_WATCH && v->vm->watch)
        v->vm->watch(v->vm, t->gpa, size);
}

/* Sixteen bytes are twice eight, and so on: no deeper. */
// NOLINTNEXTLINE(misc-no-recursion)
static void ram_copy_out(const uint8_t *host, void *out, unsigned size)
{
    if (size <= 8 && !(size & (size - 1))) {
        uint64_t x = ram_load(host, size);

        memcpy(out, &x, size);
    } else if (size == 16) {
        ram_copy_out(host, out, 8);
        ram_copy_out(host + 8, (uint8_t *)out + 8, 8);
    } else {
        ram_read(out, host, size);
    }
}

// NOLINTNEXTLINE(misc-no-recursion)
static void ram_copy_in(uint8_t *host, const void *in, unsigned size)
{
    const uint8_t *b = in;

    if (size <= 8 && !(size & (size - 1))) {
        uint64_t x = 0;

        memcpy(&x, in, size);
        ram_store(host, size, x);
    } else if (size == 16) {
        ram_copy_in(host, b, 8);
        ram_copy_in(host + 8, b + 8, 8);
    } else if (size == 32) {
        ram_copy_in(host, b, 16);
        ram_copy_in(host + 16, b + 16, 16);
    } else {
        for (unsigned i = 0; i < size; i++)
            ram_u8_store(host + i, b[i]);
    }
}

int access_load(struct vcpu *v, gva_t va, unsigned aux, void *out)
{
    uint8_t *bytes = out;
    struct span sp;

    if (misaligned(v, va, aux, ACCESS_READ) || span_walk(v, va, aux_size(aux), ACCESS_READ, &sp))
        return 1;
    for (unsigned i = 0; i < sp.count; i++) {
        const struct piece *p = &sp.piece[i];

        if (p->t.host)
            ram_copy_out(p->t.host, bytes, p->size);
        else if (mmio(v, p, false, bytes))
            return 1;
        bytes += p->size;
    }
    ram_acquire();
    return 0;
}

int access_store(struct vcpu *v, gva_t va, unsigned aux, const void *in)
{
    uint8_t bytes[32], *b = bytes;
    struct span sp;

    if (misaligned(v, va, aux, ACCESS_WRITE) || span_walk(v, va, aux_size(aux), ACCESS_WRITE, &sp))
        return 1;
    memcpy(bytes, in, aux_size(aux));
    ram_release();
    for (unsigned i = 0; i < sp.count; i++) {
        const struct piece *p = &sp.piece[i];

        if (p->t.host) {
            store_begin(&p->t);
            plat_meet();
            ram_copy_in(p->t.host, b, p->size);
            plat_meet();
            store_end(v, &p->t, p->size);
        } else if (mmio(v, p, true, b)) {
            return 1;
        }
        b += p->size;
    }
    return 0;
}

/* ---- atomics ---- */

static uint64_t amo_apply(enum ir_amo amo, uint64_t a, uint64_t b, unsigned size)
{
    int64_t sa = bits_sext(a, size * 8), sb = bits_sext(b, size * 8);
    uint64_t ua = bits_get(a, size * 8 - 1, 0), ub = bits_get(b, size * 8 - 1, 0);

    switch (amo) {
    case IR_AMO_SWAP:
        return b;
    case IR_AMO_ADD:
        return a + b;
    case IR_AMO_AND:
        return a & b;
    case IR_AMO_OR:
        return a | b;
    case IR_AMO_XOR:
        return a ^ b;
    case IR_AMO_MINS:
        return sa < sb ? a : b;
    case IR_AMO_MAXS:
        return sa > sb ? a : b;
    case IR_AMO_MINU:
        return ua < ub ? a : b;
    default:
        return ua > ub ? a : b;
    }
}

#define AMO_LOOP(type)                                                                                       \
    do {                                                                                                     \
        type old = __atomic_load_n((type *)p, __ATOMIC_RELAXED);                                             \
                                                                                                             \
        while (!__atomic_compare_exchange_n((type *)p, &old,                                                 \
                                            (type)amo_apply(amo, old, operand, sizeof(type)), true,          \
                                            __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))                             \
            ;                                                                                                \
        return old;                                                                                          \
    } while (0)

uint64_t access_amo_host(void *p, unsigned aux, uint64_t operand)
{
    enum ir_amo amo = (enum ir_amo)(aux >> IR_MEM_AMO_SHIFT);

    /* What compilers put in one instruction first. */
    if (amo == IR_AMO_ADD && (aux & IR_MEM_SIZE) == 3)
        return __atomic_fetch_add((uint64_t *)p, operand, __ATOMIC_SEQ_CST);
    if (amo == IR_AMO_ADD && (aux & IR_MEM_SIZE) == 2)
        return __atomic_fetch_add((uint32_t *)p, (uint32_t)operand, __ATOMIC_SEQ_CST);
    switch (aux & IR_MEM_SIZE) {
    case 0:
        AMO_LOOP(uint8_t);
    case 1:
        AMO_LOOP(uint16_t);
    case 2:
        AMO_LOOP(uint32_t);
    default:
        AMO_LOOP(uint64_t);
    }
}

#define CAS_ONE(type)                                                                                        \
    do {                                                                                                     \
        type e, d;                                                                                           \
                                                                                                             \
        memcpy(&e, expect, sizeof(e));                                                                       \
        memcpy(&d, desired, sizeof(d));                                                                      \
        __atomic_compare_exchange_n((type *)p, &e, d, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);            \
        memcpy(old, &e, sizeof(e));                                                                          \
    } while (0)

#ifdef __GCC_HAVE_SYNC_COMPARE_AND_SWAP_16
static void cas16(uint64_t *p, const void *expect, const void *desired, void *old)
{
    u128 e, d;

    memcpy(&e, expect, 16);
    memcpy(&d, desired, 16);
    e = __sync_val_compare_and_swap((u128 *)(void *)p, e, d);
    memcpy(old, &e, 16);
}
#else
/*
 * 16 bytes: the halves are compared one after the other under no lock where the host has no such
 * instruction; the first half carries the decision, which is what list heads with a tag need.
 */
static void cas16(uint64_t *p, const void *expect, const void *desired, void *old)
{
    uint64_t e[2], d[2], o[2];

    memcpy(e, expect, 16);
    memcpy(d, desired, 16);
    o[1] = __atomic_load_n(&p[1], __ATOMIC_SEQ_CST);
    o[0] = e[0];
    if (o[1] != e[1]) {
        o[0] = __atomic_load_n(&p[0], __ATOMIC_SEQ_CST);
    } else if (__atomic_compare_exchange_n(&p[0], &o[0], d[0], false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&p[1], d[1], __ATOMIC_SEQ_CST);
    }
    memcpy(old, o, 16);
}
#endif

void access_cas_host(void *p, unsigned size, const void *expect, const void *desired, void *old)
{
    switch (size) {
    case 1:
        CAS_ONE(uint8_t);
        break;
    case 2:
        CAS_ONE(uint16_t);
        break;
    case 4:
        CAS_ONE(uint32_t);
        break;
    case 8:
        CAS_ONE(uint64_t);
        break;
    default:
        cas16(p, expect, desired, old);
        break;
    }
}

/*
 * Atomics want plain RAM in one page. Elsewhere: on a device, a bus error (RISC-V: AMOs need the
 * AMOArithmetic PMA; Arm: external abort); across pages the guest's misaligned exception.
 */
static int atomic_target(struct vcpu *v, gva_t va, unsigned aux, enum access access, struct tlb_target *t)
{
    struct span sp;

    if (misaligned(v, va, aux, access))
        return 1;
    if (span_walk(v, va, aux_size(aux), access, &sp))
        return 1;
    if (sp.count > 1) {
        v->vm->guest->raise_misaligned(v, va, access);
        return 1;
    }
    *t = sp.piece[0].t;
    if (!t->host) {
        v->vm->guest->raise_bus(v, va, access);
        return 1;
    }
    return 0;
}

int access_amo(struct vcpu *v, gva_t va, unsigned aux, uint64_t operand, uint64_t *old)
{
    struct tlb_target t;

    if (atomic_target(v, va, aux, ACCESS_WRITE, &t))
        return 1;
    store_begin(&t);
    *old = access_amo_host(t.host, aux, operand);
    store_end(v, &t, aux_size(aux));
    return 0;
}

int access_cas(struct vcpu *v, gva_t va, unsigned aux, const void *expect, const void *desired, void *old)
{
    struct tlb_target t;

    if (atomic_target(v, va, aux, ACCESS_WRITE, &t))
        return 1;
    store_begin(&t);
    access_cas_host(t.host, aux_size(aux), expect, desired, old);
    store_end(v, &t, aux_size(aux));
    return 0;
}

int access_lr(struct vcpu *v, gva_t va, unsigned aux, uint64_t out[2])
{
    struct tlb_target t;

    if (atomic_target(v, va, aux, ACCESS_READ, &t))
        return 1;
    out[0] = ram_load(t.host, MIN(aux_size(aux), 8));
    out[1] = aux_size(aux) == 16 ? ram_load(t.host + 8, 8) : 0;
    v->resv_addr = va;
    v->resv_value = out[0];
    v->resv_high = out[1];
    v->resv_size = aux_size(aux);
    return 0;
}

int access_sc(struct vcpu *v, gva_t va, unsigned aux, const void *value, uint64_t *fail)
{
    uint64_t seen[2] = {v->resv_value, v->resv_high}, old[2] = {0, 0};
    struct tlb_target t;

    if (misaligned(v, va, aux, ACCESS_WRITE))
        return 1;
    *fail = 1;
    if (v->resv_addr != va || v->resv_size != aux_size(aux)) {
        v->resv_addr = UINT64_MAX;
        return 0;
    }
    if (atomic_target(v, va, aux, ACCESS_WRITE, &t))
        return 1;
    v->resv_addr = UINT64_MAX;
    store_begin(&t);
    access_cas_host(t.host, aux_size(aux), seen, value, old);
    *fail = memcmp(old, seen, aux_size(aux)) != 0;
    store_end(v, &t, aux_size(aux));
    return 0;
}

void access_fence(unsigned aux)
{
    unsigned before = aux >> 4, after = aux & 15;

    if ((before & (IR_FENCE_W | IR_FENCE_O)) && (after & (IR_FENCE_R | IR_FENCE_I)))
        ram_fence();
    else {
        ram_acquire();
        ram_release();
    }
}
