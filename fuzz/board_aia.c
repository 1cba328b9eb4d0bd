/* Any accesses to every device of the board with the AIA. */
#define FUZZ_OPTIONS "aia=aplic-imsic"
#define FUZZ_ONLY    NULL
#include "device.inc"
