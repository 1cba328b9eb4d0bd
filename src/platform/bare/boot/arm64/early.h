/* What entry.S calls before the MMU is on, and the UART that was found then. */
#ifndef CV_PLATFORM_BARE_BOOT_ARM64_EARLY_H
#define CV_PLATFORM_BARE_BOOT_ARM64_EARLY_H

#include "lib/base.h"

extern uint64_t early_uart, early_fdt;

/* By the device tree, which is mapped one to one. */
void early_find_uart(uint64_t fdt_pa);
/* Into the boot's tables, while they are in use. */
void early_map_uart(void);

void early_init(uint64_t fdt_pa, uint64_t load);
NORETURN void early_no_el2(uint64_t fdt_pa);

#endif
