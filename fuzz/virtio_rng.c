/* A driver that does anything to the entropy device. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "virtio3"
#include "device.inc"
