/* Any accesses to the APLICs in direct delivery mode. */
#define FUZZ_OPTIONS "aia=aplic"
#define FUZZ_ONLY    "aplic"
#include "device.inc"
