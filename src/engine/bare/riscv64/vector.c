/*
 * Vector registers of guests, where the board has them and the guest's description asks for them
 * (Unprivileged 20240411, 30). When they are loaded and saved is as with the f registers, see regs.c.
 */
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/pte.h"
#include "lib/err.h"

/* Groups of 8 registers at (at), which moves on by `step`. */
#define GROUPS(op, at, step)                                                                                 \
    op " v0, (" at ")\nadd " at ", " at ", " step "\n" op " v8, (" at ")\nadd " at ", " at ", " step "\n" op \
       " v16, (" at ")\nadd " at ", " at ", " step "\n" op " v24, (" at ")\n"

int bare_vector_init(struct bare_vcpu *b)
{
    b->vector = plat_alloc(sizeof(*b->vector) + (size_t)32 * riscv_host.vlenb);
    if (!b->vector)
        return -ENOMEM;
    b->status_mask |= RV_MSTATUS_VS;
    return 0;
}

static void vs_is_clean(struct bare_vcpu *b)
{
    b->sstatus = rv_field_set(b->sstatus, RV_MSTATUS_VS, RV_FS_CLEAN);
}

/* vsetvl gives vl back as it was, which is at most what vtype allows (30.6); it sets vstart to 0. */
void bare_vector_load(struct bare_vcpu *b, struct bare_cpu *c)
{
    const struct bare_vector *s = b->vector;
    const uint8_t *at = s->reg;
    uint64_t step;

    vs_is_clean(b);
    if (!s->used && c->vector_zero)
        return;
    csr_set(RV_CSR_sstatus, RV_MSTATUS_VS);
    __asm__ volatile(".option push\n.option arch, +v\n"
                     "vsetvli %1, x0, e8, m8, ta, ma\n" GROUPS("vle8.v", "%0", "%1") "vsetvl x0, %2, %3\n"
                                                                                     "csrw vcsr, %4\n"
                                                                                     "csrw vstart, %5\n"
                                                                                     ".option pop"
                     : "+&r"(at), "=&r"(step)
                     : "r"(s->vl), "r"(s->vtype), "r"(s->vcsr), "r"(s->vstart)
                     : "memory");
    csr_clear(RV_CSR_sstatus, RV_MSTATUS_VS);
    c->vector_zero = !s->used;
}

void bare_vector_save(struct bare_vcpu *b)
{
    struct bare_vector *s = b->vector;
    uint8_t *at = s->reg;
    uint64_t step;

    if (!bare_dirty(b, RV_MSTATUS_VS))
        return;
    csr_set(RV_CSR_sstatus, RV_MSTATUS_VS);
    s->vstart = csr_read(RV_CSR_vstart);
    s->vcsr = csr_read(RV_CSR_vcsr);
    s->vl = csr_read(RV_CSR_vl);
    s->vtype = csr_read(RV_CSR_vtype);
    __asm__ volatile(".option push\n.option arch, +v\n"
                     "vsetvli %1, x0, e8, m8, ta, ma\n" GROUPS("vse8.v", "%0", "%1") "vsetvl x0, %2, %3\n"
                                                                                     "csrw vstart, %4\n"
                                                                                     ".option pop"
                     : "+&r"(at), "=&r"(step)
                     : "r"(s->vl), "r"(s->vtype), "r"(s->vstart)
                     : "memory");
    csr_clear(RV_CSR_sstatus, RV_MSTATUS_VS);
    vs_is_clean(b);
    s->used = true;
    b->cpu->vector_zero = false;
}
