/* Any accesses to the flash banks. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "flash"
#include "device.inc"
