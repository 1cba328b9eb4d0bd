/* Any accesses to the ITS, and commands and tables in RAM. */
#define FUZZ_ARCH    "arm64"
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "its"
#include "device.inc"
