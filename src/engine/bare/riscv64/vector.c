/*
 * Vector registers of guests, where the board has them and the guest's description asks for them: like the f
 * registers they are in the hardware from their first use until another vCPU is resident (Unprivileged
 * 20240411, 30).
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
    b->lazy |= BARE_LAZY_VECTOR;
    return 0;
}

static void vs_is_clean(struct bare_vcpu *b)
{
    b->sstatus = rv_field_set(b->sstatus, RV_MSTATUS_VS, RV_FS_CLEAN);
}

/* vsetvl gives vl back as it was, which is at most what vtype allows (30.6); it sets vstart to 0. */
void bare_vector_load(struct bare_vcpu *b)
{
    const struct bare_vector *s = b->vector;
    const uint8_t *at = s->reg;
    uint64_t step;

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
    b->loaded |= BARE_LAZY_VECTOR;
    vs_is_clean(b);
    bare_hedeleg_write(b);
}

/* A CSR that is written makes both levels dirty; emulators that only know of the guest's own are served, too.
 */
void bare_vector_save(struct bare_vcpu *b)
{
    struct bare_vector *s = b->vector;
    uint8_t *at = s->reg;
    uint64_t step;

    if (rv_field_get(b->sstatus, RV_MSTATUS_VS) != RV_FS_DIRTY &&
        rv_field_get(csr_read(RV_CSR_vsstatus), RV_MSTATUS_VS) != RV_FS_DIRTY)
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
}
