/* Any accesses to the arm64 serial port. */
#define FUZZ_ARCH    "arm64"
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "serial"
#include "device.inc"
