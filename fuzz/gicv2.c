/* Any accesses to a GICv2, by two vCPUs. */
#define FUZZ_ARCH    "arm64"
#define FUZZ_OPTIONS "gic=2"
#define FUZZ_ONLY    "gic"
#include "device.inc"
