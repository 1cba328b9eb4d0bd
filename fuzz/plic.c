/* Any accesses to the PLIC. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "plic"
#include "device.inc"
