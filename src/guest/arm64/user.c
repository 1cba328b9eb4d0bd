/*
 * Unprivileged accesses from EL1 (LDTR, STTR): a kernel's copies from and to its programs. A small cache of
 * walks with the rights of EL0 stands before the tables; any flush empties it.
 */
#include "guest/arm64/cpu.h"
#include "isa/arm64/decode.h"
#include "lib/str.h"

/* One page's part of an access. */
struct piece {
    gva_t va;
    unsigned size;
    gpa_t gpa;
    uint8_t *host;          /* NULL: a device */
    bool device;            /* it is called one */
    _Atomic uint8_t *flags; /* of the page, enum mem_page_flag */
};

static struct lift_user_page *slot_of(struct arm64_vcpu *a, gva_t va, bool write)
{
    return &a->user_page[(va >> MEM_PAGE_BITS << 1 | write) & (ARM64_USER_PAGES - 1)];
}

static bool fail(struct arm64_vcpu *a, gva_t va, bool write, unsigned fsc)
{
    arm64_abort(a, va, write ? ACCESS_WRITE : ACCESS_READ, fsc, write ? A64_ISS_WNR : 0);
    return false;
}

/* The page of p->va for EL0; false: the exception was taken. */
static bool find(struct arm64_vcpu *a, struct piece *p, bool write)
{
    struct lift_user_page *s = slot_of(a, p->va, write);
    const struct mem *m = &a->v.vm->mem;
    const struct mem_region *r;
    struct translation t;
    gva_t page = p->va & ~(gva_t)(MEM_PAGE_SIZE - 1);
    uint64_t asid = arm64_asid(&a->v);
    unsigned res;

    p->flags = NULL;
    if (LIKELY(s->va == page && s->asid == asid && s->generation == a->user_generation &&
               s->map == atomic_load_explicit(&m->map, memory_order_acquire))) {
        p->gpa = s->gpa | (p->va - page);
        p->host = s->host + (p->va - page);
        p->flags = s->flags;
        return true;
    }
    res = arm64_walk(a, p->va, write ? ACCESS_WRITE : ACCESS_READ, ARM64_AS_EL0, &t);
    if (res)
        return fail(a, p->va, write, res & A64_ISS_FSC);
    r = mem_find(m, t.gpa);
    if (!r || (write && r->kind == MEM_ROM))
        return fail(a, p->va, write, A64_FSC_EXTERNAL);
    p->gpa = t.gpa;
    p->device = t.device;
    p->host = r->kind == MEM_MMIO ? NULL : r->host + (t.gpa - r->base);
    if (p->host) {
        p->flags = &r->flags[(t.gpa - r->base) >> MEM_PAGE_BITS];
        if (t.device)
            return true;
        *s = (struct lift_user_page){.va = page,
                                     .asid = asid,
                                     .generation = a->user_generation,
                                     .map = atomic_load(&m->map),
                                     .gpa = t.gpa - (p->va - page),
                                     .host = p->host - (p->va - page),
                                     .flags = p->flags};
    }
    return true;
}

/* Devices see naturally aligned accesses. */
static bool device(struct arm64_vcpu *a, const struct piece *p, bool write, uint8_t *bytes)
{
    for (unsigned done = 0, n; done < p->size; done += n) {
        struct exit e = {.kind = EXIT_MMIO};

        for (n = 8; n > p->size - done || (p->gpa + done) & (n - 1);)
            n /= 2;
        e.mmio.gpa = p->gpa + done;
        e.mmio.size = (uint8_t)n;
        e.mmio.write = write;
        if (write)
            memcpy(&e.mmio.value, bytes + done, n);
        a->v.exits[EXIT_MMIO]++;
        if (exit_handle(&a->v, &e) == EXIT_STOP && e.kind == EXIT_NONE)
            return fail(a, p->va + done, write, A64_FSC_EXTERNAL);
        if (!write)
            memcpy(bytes + done, &e.mmio.value, n);
    }
    return true;
}

/* Aligned ones are single accesses, as other vCPUs see them. */
static void host_load(const uint8_t *host, unsigned size, uint8_t *bytes)
{
    if ((uintptr_t)host & (size - 1) || size & (size - 1)) {
        memcpy(bytes, host, size);
    } else if (size == 8) {
        uint64_t x = __atomic_load_n((const uint64_t *)(const void *)host, __ATOMIC_RELAXED);

        memcpy(bytes, &x, 8);
    } else if (size == 4) {
        uint32_t x = __atomic_load_n((const uint32_t *)(const void *)host, __ATOMIC_RELAXED);

        memcpy(bytes, &x, 4);
    } else if (size == 2) {
        uint16_t x = __atomic_load_n((const uint16_t *)(const void *)host, __ATOMIC_RELAXED);

        memcpy(bytes, &x, 2);
    } else {
        bytes[0] = *host;
    }
}

static void host_store(uint8_t *host, unsigned size, const uint8_t *bytes)
{
    uint64_t x = 0;

    memcpy(&x, bytes, size);
    if ((uintptr_t)host & (size - 1) || size & (size - 1))
        memcpy(host, bytes, size);
    else if (size == 8)
        __atomic_store_n((uint64_t *)(void *)host, x, __ATOMIC_RELAXED);
    else if (size == 4)
        __atomic_store_n((uint32_t *)(void *)host, (uint32_t)x, __ATOMIC_RELAXED);
    else if (size == 2)
        __atomic_store_n((uint16_t *)(void *)host, (uint16_t)x, __ATOMIC_RELAXED);
    else
        *host = (uint8_t)x;
}

static bool touch(struct arm64_vcpu *a, const struct piece *p, bool write, uint8_t *bytes)
{
    if (!p->host)
        return device(a, p, write, bytes);
    if (!write) {
        host_load(p->host, p->size, bytes);
        return true;
    }
    host_store(p->host, p->size, bytes);
    /* An ordinary page that is known to be written to needs no word of it. */
    if (atomic_load_explicit(p->flags, memory_order_relaxed) != MEM_PAGE_DIRTY)
        mem_dirty(&a->v.vm->mem, p->gpa, p->size);
    return true;
}

bool arm64_user_access(struct arm64_vcpu *a, gva_t va, unsigned size, bool write, uint64_t *value)
{
    unsigned room = MEM_PAGE_SIZE - (unsigned)(va & (MEM_PAGE_SIZE - 1));
    struct piece p[2] = {{.va = va, .size = MIN(size, room)}, {.va = va + room, .size = 0}};
    uint8_t bytes[8] = {0};

    p[1].size = size - p[0].size;
    if (a->v.mode & ARM64_MODE_ALIGN && va & (size - 1))
        return fail(a, va, write, A64_FSC_ALIGNMENT);
    if (!find(a, &p[0], write) || (p[1].size && !find(a, &p[1], write)))
        return false;
    if ((p[0].device || p[1].device) && va & (size - 1))
        return fail(a, va, write, A64_FSC_ALIGNMENT);
    if (write)
        memcpy(bytes, value, size);
    if (!touch(a, &p[0], write, bytes) || (p[1].size && !touch(a, &p[1], write, bytes + p[0].size)))
        return false;
    if (!write)
        memcpy(value, bytes, sizeof(bytes));
    return true;
}

/* Bytes of an access of `size` that are aligned by themselves. */
static unsigned unit_of(const struct a64_insn *i, unsigned size)
{
    switch (i->id) {
    case A64_STP:
    case A64_LDP:
    case A64_STNP:
    case A64_LDNP:
    case A64_LDPSW:
    case A64_STP_FP:
    case A64_LDP_FP:
    case A64_STNP_FP:
    case A64_LDNP_FP:
    case A64_ST1:
    case A64_ST2:
    case A64_ST3:
    case A64_ST4:
    case A64_LD1:
    case A64_LD2:
    case A64_LD3:
    case A64_LD4:
        return 1u << i->size;
    default:
        return size;
    }
}

/*
 * What is called a device takes no unaligned access (B2.8.2): of each register of a pair by itself, of the
 * elements of structures; and no block is cleared there (DC ZVA).
 */
bool arm64_device_allows(struct vcpu *v, gva_t va, unsigned size)
{
    struct a64_insn i;

    if (!(va & (size - 1)) && (size == 2 || size == 4))
        return true; /* no part of a larger one */
    if (!a64_decode(arm64_insn_here(arm64_of(v)), &i))
        return true;
    if (i.id == A64_SYS)
        return false;
    return !(va & (unit_of(&i, size) - 1));
}

void arm64_elements_misaligned(struct arm64_vcpu *a)
{
    struct a64_insn i;

    a64_decode(arm64_insn_here(a), &i);
    fail(a, a->x[i.rn], i.id >= A64_ST1 && i.id <= A64_ST4, A64_FSC_ALIGNMENT);
}
