/* Which modes hgatp has: what of it sticks is there (RISC-V Priv. 20240411, 18.2.10). */
#ifndef CV_PLATFORM_BARE_BOOT_RISCV64_HGATP_H
#define CV_PLATFORM_BARE_BOOT_RISCV64_HGATP_H

#include "lib/base.h"

struct hgatp_modes {
    uint8_t widest, narrowest; /* MODE: RV_SATP_SV39 for Sv39x4...; 0: none */
    uint8_t vmid_bits;
};

/* try: writes hgatp, and gives back what it reads as. It is as the last try left it. */
void hgatp_find(struct hgatp_modes *m, uint64_t (*try)(uint64_t hgatp));

#endif
