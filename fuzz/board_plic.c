/* Any accesses to every device of the board with a PLIC. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    NULL
#include "device.inc"
