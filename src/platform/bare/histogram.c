/* Durations counted by powers of two, as lines. */
#include "platform/bare/histogram.h"
#include "lib/fmt.h"
#include "platform/bare/sched/timer.h"

void histogram_emit(const char *name, unsigned buckets, uint64_t (*sum)(const void *of, unsigned bucket),
                    const void *of, void (*emit)(void *opaque, const char *name, uint64_t value),
                    void *opaque)
{
    for (unsigned i = 0; i < buckets; i++) {
        uint64_t n = sum(of, i);
        char line[48];

        if (!n)
            continue;
        fmt_snprintf(line, sizeof(line), "%s-below-%lluns", name,
                     (unsigned long long)clock_to_ns(BIT(MIN(i, 62u))));
        emit(opaque, line, n);
    }
}
