/* The inline part of platform/bare/arch.h: of this ISA in an image, of the simulation in host unit tests. */
#ifndef CV_PLATFORM_BARE_BOOT_INLINE_H
#define CV_PLATFORM_BARE_BOOT_INLINE_H

#ifndef CV_BARE
#include "platform/bare/sim/inline.h"
#elif defined(__riscv)
#include "platform/bare/boot/riscv64/inline.h"
#elif defined(__aarch64__)
#include "platform/bare/boot/arm64/inline.h"
#endif

#endif
