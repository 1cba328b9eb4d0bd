/* Any accesses to the arm64 clock. */
#define FUZZ_ARCH    "arm64"
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "rtc"
#include "device.inc"
