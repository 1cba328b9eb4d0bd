/* Durations counted by powers of two, as lines. */
#include "platform/bare/histogram.h"
#include "lib/fmt.h"
#include "platform/bare/sched/timer.h"

static uint64_t sum(const struct histograms *h, unsigned bucket)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < h->count; i++)
        n += h->at(h->of, i, h->kind, bucket);
    return n;
}

uint64_t histogram_total(const struct histograms *h)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < h->buckets; i++)
        n += sum(h, i);
    return n;
}

void histogram_emit(const char *name, const struct histograms *h,
                    void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque)
{
    for (unsigned i = 0; i < h->buckets; i++) {
        uint64_t n = sum(h, i);
        char line[48];

        if (!n)
            continue;
        fmt_snprintf(line, sizeof(line), "%s-below-%lluns", name,
                     (unsigned long long)clock_to_ns(BIT(MIN(i, 62u))));
        emit(opaque, line, n);
    }
}
