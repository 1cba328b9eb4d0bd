/* Any accesses to a GICv3's distributor and redistributors, and what CPU interfaces ask of it. */
#define FUZZ_ARCH    "arm64"
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "gic"
#include "device.inc"
