/*
 * Carbovisor's own calls, in the range that each ISA leaves to hypervisors (docs/hypercalls.md). They grow by
 * features; a new major version is what an old guest must not use.
 */
#ifndef CV_CORE_HYPERCALL_H
#define CV_CORE_HYPERCALL_H

#include "lib/base.h"

#define HYPERCALL_VERSION   UINT32_C(0x00010001) /* major << 16 | minor */
#define HYPERCALL_FEATURES  HYPERCALL_HAS_YIELD  /* a bit for each later call */
#define HYPERCALL_HAS_YIELD UINT64_C(1)          /* another may have the CPU: an advice, 0 at once or later */

/* By which a guest tells Carbovisor from others: c31d5a80-7e42-4f0b-9b6d-2a94f1c8e057, as SMCCC gives it. */
#define HYPERCALL_UID                                                                                        \
    {                                                                                                        \
        0x805a1dc3, 0x0b4f427e, 0x942a6d9b, 0x57e0c8f1                                                       \
    }

#endif
