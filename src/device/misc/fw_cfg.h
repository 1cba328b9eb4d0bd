/*
 * The firmware configuration device of virtual boards ("qemu,fw-cfg-mmio"): numbered items and named files
 * that firmware reads through a data register or by DMA. Read-only for the guest.
 */
#ifndef CV_DEVICE_MISC_FW_CFG_H
#define CV_DEVICE_MISC_FW_CFG_H

#include "core/device.h"

#define FW_CFG_FILES 32
#define FW_CFG_NAME  56 /* of a file, its final 0 included */

/* Items with a number of their own. Sizes are 4 bytes, little endian; counts of CPUs 2. */
enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_CPUS = 0x05,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_CPUS_MAX = 0x0f,
    FW_CFG_KERNEL = 0x11,
    FW_CFG_INITRD = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE = 0x15,
    FW_CFG_DIRECTORY = 0x19,
    FW_CFG_FILE_FIRST = 0x20
};

/* NULL with the reason in why. */
struct device *fw_cfg_create(struct vm *vm, const char *id, gpa_t base, char *why, size_t why_size);
/*
 * An item's content, in place of what it had; while no vCPU runs. set copies; give takes over memory of
 * plat_alloc(), also when it fails. 0, -ENOMEM, or -EINVAL: no such number.
 */
int fw_cfg_set(struct device *fw, unsigned key, const void *data, size_t size);
int fw_cfg_give(struct device *fw, unsigned key, void *data, size_t size);
/* A named file, copied, in place of the one of that name. -ENOSPC: too many, or too long a name. */
int fw_cfg_file(struct device *fw, const char *name, const void *data, size_t size);

#endif
