/*
 * A bank of NOR flash with the Common Flash Interface (JEDEC JESD68) and Intel's command set (vendor 0001):
 * two x16 chips side by side on 32 bits, blocks of 128 KiB each, so 256 KiB of the bank.
 *
 * In read-array mode it reads, and runs code, as fast as ROM. The contents outlast a reset of the VM; with a
 * file they outlast the VM: program and erase end when the file has the bytes.
 */
#ifndef CV_DEVICE_FLASH_CFI_H
#define CV_DEVICE_FLASH_CFI_H

#include "core/blockdev.h"
#include "core/device.h"

#define CFI_BLOCK    (256u << 10)
#define CFI_SIZE_MAX (64u << 20) /* of a bank: two chips of 256 Mbit, the largest of the family */

struct cfi_config {
    gpa_t base;
    uint64_t size; /* a power of two of at least 2 blocks, at most CFI_SIZE_MAX */
    /* At most one of both; neither: all bytes 0xff. */
    struct blockdev
        *file;         /* of `size` bytes; the caller's, outlives the device. Read-only: so is the flash */
    const void *image; /* copied; the rest is 0xff */
    uint64_t image_size;
};

/* Created, added and mapped. NULL with the reason in why. */
struct device *cfi_create(struct vm *vm, const char *id, const struct cfi_config *config, char *why,
                          size_t why_size);

#endif
