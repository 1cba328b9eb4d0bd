/* Durations counted by powers of two of the counter's ticks, shown with their bounds in ns. */
#ifndef CV_PLATFORM_BARE_HISTOGRAM_H
#define CV_PLATFORM_BARE_HISTOGRAM_H

#include "lib/base.h"

/* Where one of `ticks` belongs: i with ticks < 2^i. */
static inline unsigned histogram_bucket(uint64_t ticks)
{
    return ticks ? 64 - (unsigned)__builtin_clzll(ticks) : 0;
}

/* A line "NAME-below-Nns" for each bucket that counted something; sum() adds up what several have in one. */
void histogram_emit(const char *name, unsigned buckets, uint64_t (*sum)(const void *of, unsigned bucket),
                    const void *of, void (*emit)(void *opaque, const char *name, uint64_t value),
                    void *opaque);

#endif
