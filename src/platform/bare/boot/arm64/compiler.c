/* What the compiler calls a library for, where the library would use vector registers. */
#include "lib/base.h"

int __popcountdi2(uint64_t v);

/* Sums of bits in fields of 2, 4, 8 bits, then of all bytes by a multiplication. */
int __popcountdi2(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int)(v * UINT64_C(0x0101010101010101) >> 56);
}
