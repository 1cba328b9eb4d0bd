/*
 * VMIDs of riscv64, one a vCPU, so that the ASIDs of two vCPUs of a VM on one CPU do not meet. Given out in
 * generations: when they run out everybody gets a new one, and each CPU drops all translations before its
 * first use of the new generation. Without the instructions that drop them: vmid.c has these, vmid_test.c
 * TLBs of its own.
 */
#ifndef CV_ENGINE_BARE_RISCV64_VMID_H
#define CV_ENGINE_BARE_RISCV64_VMID_H

#include "platform/bare/sync/spin.h"

/* Shared by all VMs: the TLBs are. tests/bare/guests knows the first three fields. */
struct vmid_space {
    uint64_t generation;  /* from 1 */
    uint32_t next, count; /* numbers 1..count - 1 */
    struct spin lock;
};

/* Of a vCPU; zeros at first. */
struct vmid {
    uint64_t number, generation;
    const void *cpu; /* struct vmid_cpu that it was on last */
};

/* Of a CPU. */
struct vmid_cpu {
    uint64_t generation; /* translations of older ones are gone */
};

/* What this CPU has to drop before the number is used. */
enum vmid_drop { VMID_DROP_NOTHING, VMID_DROP_ITS_OWN, VMID_DROP_ALL };

static inline void vmid_new(struct vmid_space *s, struct vmid *v)
{
    spin_lock(&s->lock);
    if (s->next >= s->count) {
        s->generation++;
        s->next = 1;
    }
    v->generation = s->generation;
    v->number = s->next++;
    spin_unlock(&s->lock);
}

static inline enum vmid_drop vmid_take(struct vmid_space *s, struct vmid *v, struct vmid_cpu *c)
{
    bool moved;

    if (v->generation != s->generation)
        vmid_new(s, v);
    moved = v->cpu != c;
    v->cpu = c;
    if (c->generation != v->generation) {
        c->generation = v->generation;
        return VMID_DROP_ALL;
    }
    /* What it left on this CPU before it went elsewhere may be stale. */
    return moved ? VMID_DROP_ITS_OWN : VMID_DROP_NOTHING;
}

#endif
