/* A driver that does anything to a network device, frames echoed. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "virtio2"
#include "device.inc"
