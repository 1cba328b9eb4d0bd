/* Any accesses to the serial port. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "serial"
#include "device.inc"
