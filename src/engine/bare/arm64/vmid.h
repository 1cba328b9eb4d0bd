/*
 * VMIDs of arm64, one a VM, of 8 or 16 bits. A VM keeps its number through a generation. When all numbers are
 * given out a new generation begins: TLBs forget every guest, and only the numbers in use on CPUs at that
 * moment stay with their VMs. 0 is nobody's. Without the instructions: stage2.c has these, vmid_test.c TLBs
 * of its own.
 */
#ifndef CV_ENGINE_BARE_ARM64_VMID_H
#define CV_ENGINE_BARE_ARM64_VMID_H

#include "lib/str.h"
#include "platform/bare/cpu.h"
#include "platform/bare/sync/spin.h"

/* Of a CPU. */
struct vmid_cpu {
    _Atomic uint64_t now; /* generation and number in use here; 0: none of this generation */
    uint64_t reserved;    /* what was in use when the generation began; the space's lock */
};

/* tests/bare/guests knows the first three fields. */
struct vmid_space {
    uint64_t generation; /* << 16 */
    uint32_t next, count;
    struct spin lock;
    uint64_t *map;                        /* a bit for each number that is taken */
    struct vmid_cpu *(*cpu)(unsigned id); /* NULL: there is none, or it ran no guest yet */
    void (*drop_all)(void);               /* what all CPUs know of guests */
};

static inline void vmid_new_generation(struct vmid_space *s)
{
    s->generation += BIT(16);
    s->next = 1;
    memset(s->map, 0, s->count / 8);
    for (unsigned i = 0; i < CPU_MAX; i++) {
        struct vmid_cpu *c = s->cpu(i);
        uint64_t used = c ? atomic_exchange(&c->now, 0) : 0;

        if (!c)
            continue;
        if (!used)
            used = c->reserved;
        c->reserved = used;
        s->map[(used & 0xffff) / 64] |= BIT(used & 63);
    }
    s->map[0] |= 1;
    s->drop_all();
}

static inline bool vmid_still_reserved(struct vmid_space *s, uint64_t vmid)
{
    bool any = false;

    for (unsigned i = 0; i < CPU_MAX; i++) {
        struct vmid_cpu *c = s->cpu(i);

        if (c && vmid && c->reserved == vmid) {
            c->reserved = s->generation | (vmid & 0xffff);
            any = true;
        }
    }
    return any;
}

static inline uint32_t vmid_free_number(struct vmid_space *s)
{
    for (;;) {
        for (; s->next < s->count; s->next++) {
            if (!(s->map[s->next / 64] >> (s->next % 64) & 1))
                return s->next;
        }
        vmid_new_generation(s);
    }
}

static inline uint64_t vmid_new(struct vmid_space *s, uint64_t old)
{
    uint32_t n;

    if (!s->generation)
        vmid_new_generation(s);
    if (vmid_still_reserved(s, old))
        return s->generation | (old & 0xffff);
    n = vmid_free_number(s);
    s->map[n / 64] |= BIT(n % 64);
    return s->generation | n;
}

/* For a VM that comes to this CPU, whose number was not the last one here: generation << 16 | number. */
static inline uint64_t vmid_take(struct vmid_space *s, _Atomic uint64_t *vm, struct vmid_cpu *c)
{
    uint64_t vmid;

    spin_lock(&s->lock);
    vmid = atomic_load(vm);
    if (!vmid || (vmid & ~UINT64_C(0xffff)) != s->generation) {
        vmid = vmid_new(s, vmid);
        atomic_store(vm, vmid);
    }
    atomic_store(&c->now, vmid);
    spin_unlock(&s->lock);
    return vmid;
}

/* A new generation takes away what stands in c->now before anything else. */
static inline bool vmid_is_here(uint64_t vmid, const struct vmid_cpu *c)
{
    return vmid && vmid == atomic_load_explicit(&c->now, memory_order_relaxed);
}

#endif
