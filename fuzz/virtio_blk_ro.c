/* The same to a read-only disk. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "virtio1"
#include "device.inc"
