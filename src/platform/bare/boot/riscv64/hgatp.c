/* The modes of hgatp, by trying. */
#include "platform/bare/boot/riscv64/hgatp.h"
#include "isa/riscv64/csr.h"
#include "isa/riscv64/pte.h"

void hgatp_find(struct hgatp_modes *m, uint64_t (*try)(uint64_t hgatp))
{
    *m = (struct hgatp_modes){0};
    for (unsigned mode = RV_SATP_SV57; mode >= RV_SATP_SV39; mode--) {
        uint64_t is = try((uint64_t)mode << 60 | RV_HGATP_VMID);

        if (is >> 60 != mode)
            continue;
        if (!m->widest)
            m->widest = (uint8_t)mode;
        m->narrowest = (uint8_t)mode;
        m->vmid_bits = (uint8_t)__builtin_popcountll(rv_field_get(is, RV_HGATP_VMID));
    }
}
