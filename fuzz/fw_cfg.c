/* Any accesses to the arm64 firmware configuration device, transfers among them. */
#define FUZZ_ARCH    "arm64"
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "fw-cfg"
#include "device.inc"
