/* Any accesses to the arm64 GPIO lines. */
#define FUZZ_ARCH    "arm64"
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "gpio"
#include "device.inc"
