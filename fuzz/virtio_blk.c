/* A driver that does anything to a disk: registers, rings, requests. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "virtio0"
#include "device.inc"
