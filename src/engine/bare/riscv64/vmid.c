/* The one space of VMIDs (vmid.h), and the fences. */
#include "engine/bare/riscv64/bare.h"

static struct vmid_space vmids = {.generation = 1, .next = 1, .lock = {.rank = RANK_USER}};

static void flush_everything(void)
{
    /* HFENCE.GVMA x0, x0 and HFENCE.VVMA for what is current (Priv. 20240411, 18.4.2) */
    __asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0\n"
                     ".insn r 0x73, 0, 0x11, x0, x0, x0" ::
                         : "memory");
}

bool bare_vmid_stale(const struct bare_vcpu *b)
{
    return riscv_host.vmid_bits && b->vmid.generation != vmids.generation;
}

/* hgatp is written with b->vmid afterwards. Without VMID bits every load flushes. */
void bare_vmid_check(struct bare_vcpu *b)
{
    struct bare_cpu *c = arch_cpu()->engine;
    enum vmid_drop drop;

    if (!riscv_host.vmid_bits) {
        b->vmid.number = 0;
        flush_everything();
        return;
    }
    if (!vmids.count) /* every CPU writes the same */
        vmids.count = 1u << riscv_host.vmid_bits;
    drop = vmid_take(&vmids, &b->vmid, &c->vmid);
    if (drop == VMID_DROP_NOTHING)
        return;
    if (drop == VMID_DROP_ALL)
        flush_everything();
    else
        __asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" ::"r"(b->vmid.number) : "memory");
    /* HFENCE.VVMA is for the VMID in hgatp, so it waits until this one is there. It may have moved, too. */
    b->fence.all = true;
    b->fence_code = true;
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
