/* Any accesses to the APLICs. */
#define FUZZ_OPTIONS "aia=aplic-imsic"
#define FUZZ_ONLY    "aplic"
#include "device.inc"
