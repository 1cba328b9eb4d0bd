/*
 * VMIDs: one a vCPU, so that the ASIDs of two vCPUs of a VM on one CPU do not meet. Given out in generations:
 * when they run out everybody gets a new one, and each CPU drops all translations before its first use of the
 * new generation.
 */
#include "engine/bare/riscv64/bare.h"

/* Shared by all VMs: the TLBs are. */
static struct {
    struct spin lock;
    uint64_t generation, next;
} vmids = {.lock = {.rank = RANK_USER}, .generation = 1, .next = 1};

static void flush_everything(void)
{
    /* HFENCE.GVMA x0, x0 and HFENCE.VVMA for what is current (Priv. 20240411, 18.4.2) */
    __asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0\n"
                     ".insn r 0x73, 0, 0x11, x0, x0, x0" ::
                         : "memory");
}

static void vmid_new(struct bare_vcpu *b)
{
    spin_lock(&vmids.lock);
    if (vmids.next >> riscv_host.vmid_bits) {
        vmids.generation++;
        vmids.next = 1;
    }
    b->vmid_generation = vmids.generation;
    b->vmid = vmids.next++;
    spin_unlock(&vmids.lock);
}

bool bare_vmid_stale(const struct bare_vcpu *b)
{
    return riscv_host.vmid_bits && b->vmid_generation != vmids.generation;
}

/* hgatp is written with b->vmid afterwards. Without VMID bits every load flushes. */
void bare_vmid_check(struct bare_vcpu *b)
{
    struct bare_cpu *c = arch_cpu()->engine;

    if (!riscv_host.vmid_bits) {
        b->vmid = 0;
        flush_everything();
        return;
    }
    if (b->vmid_generation != vmids.generation)
        vmid_new(b);
    if (c->vmid_generation != b->vmid_generation) {
        flush_everything();
        c->vmid_generation = b->vmid_generation;
        b->last_cpu = c;
    }
    /* What it left on this CPU before it went elsewhere may be stale. */
    if (b->last_cpu != c) {
        __asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" ::"r"(b->vmid) : "memory");
        b->fence.all = true;
        b->fence_code = true;
        b->last_cpu = c;
    }
}

/* Fences that were asked for while others were resident, or by calls: hgatp is this vCPU's. */
void bare_fences(struct bare_vcpu *b)
{
    if (b->fence.all) {
        __asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" ::: "memory");
    } else {
        for (unsigned i = 0; i < b->fence.count; i++) {
            if (b->fence.page[i].by_asid)
                __asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, %1" ::"r"(b->fence.page[i].va),
                                 "r"(b->fence.page[i].asid)
                                 : "memory");
            else
                __asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, x0" ::"r"(b->fence.page[i].va) : "memory");
        }
    }
    b->fence.all = false;
    b->fence.count = 0;
    if (b->fence_code)
        __asm__ volatile("fence.i" ::: "memory");
    b->fence_code = false;
}
