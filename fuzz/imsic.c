/* Any accesses to the IMSICs. */
#define FUZZ_OPTIONS "aia=aplic-imsic"
#define FUZZ_ONLY    "imsic"
#include "device.inc"
