/* Durations counted by powers of two of the counter's ticks, shown with their bounds in ns. */
#ifndef CV_PLATFORM_BARE_HISTOGRAM_H
#define CV_PLATFORM_BARE_HISTOGRAM_H

#include "lib/base.h"

/* Where one of `ticks` belongs: i with ticks < 2^i. */
static inline unsigned histogram_bucket(uint64_t ticks)
{
    return ticks ? 64 - (unsigned)__builtin_clzll(ticks) : 0;
}

/* Histograms that are shown as one: of `count` owners, the i-th of which has at(of, i, kind, bucket). */
struct histograms {
    const void *of;
    unsigned count, kind, buckets;
    uint64_t (*at)(const void *of, unsigned i, unsigned kind, unsigned bucket);
};

/* How many they counted. */
uint64_t histogram_total(const struct histograms *h);
/* A line "NAME-below-Nns" for each bucket that counted something. */
void histogram_emit(const char *name, const struct histograms *h,
                    void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque);

#endif
