/* Arithmetic that C does not have, as ir.def wants it: no operand traps. */
#ifndef CV_ENGINE_INTERP_ARITH_H
#define CV_ENGINE_INTERP_ARITH_H

#include "lib/base.h"

static inline uint64_t mulhu64(uint64_t a, uint64_t b)
{
    return (uint64_t)(((u128)a * b) >> 64);
}

static inline uint64_t mulhs64(uint64_t a, uint64_t b)
{
    return (uint64_t)(((__int128)(int64_t)a * (int64_t)b) >> 64);
}

static inline uint64_t mulhsu64(uint64_t a, uint64_t b)
{
    return (uint64_t)(((__int128)(int64_t)a * (__int128)(u128)b) >> 64);
}

static inline uint64_t divs64(uint64_t a, uint64_t b)
{
    if (!b)
        return UINT64_MAX;
    return b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

static inline uint64_t rems64(uint64_t a, uint64_t b)
{
    if (!b)
        return a;
    return b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static inline uint32_t divs32(uint32_t a, uint32_t b)
{
    if (!b)
        return UINT32_MAX;
    return b == UINT32_MAX ? -a : (uint32_t)((int32_t)a / (int32_t)b);
}

static inline uint32_t rems32(uint32_t a, uint32_t b)
{
    if (!b)
        return a;
    return b == UINT32_MAX ? 0 : (uint32_t)((int32_t)a % (int32_t)b);
}

#endif
