/* Any accesses to the ACLINT. */
#define FUZZ_OPTIONS NULL
#define FUZZ_ONLY    "aclint"
#include "device.inc"
