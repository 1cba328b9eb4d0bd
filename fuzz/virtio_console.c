/* A driver that does anything to the console. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "virtio4"
#include "device.inc"
