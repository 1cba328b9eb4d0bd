/* PL031 real-time clock (DDI 0224). It counts from the host's wall clock; what the guest loads is an offset.
 */
#include "device/rtc/pl031.h"
#include "core/vm.h"
#include "lib/fdt.h"
#include "lib/fmt.h"

#define WINDOW     0x1000
#define NS_PER_SEC UINT64_C(1000000000)

enum {
    RTCDR = 0x00,
    RTCMR = 0x04,
    RTCLR = 0x08,
    RTCCR = 0x0c,
    RTCIMSC = 0x10,
    RTCRIS = 0x14,
    RTCMIS = 0x18,
    RTCICR = 0x1c,
    ID = 0xfe0
};

struct pl031 {
    struct device dev;
    struct irq_line irq;
    uint32_t clock;
    struct timer timer;
    uint32_t offset; /* the counter minus the wall clock's seconds, modulo 2^32 */
    uint32_t match, load;
    uint8_t imsc, ris;
    uint8_t armed; /* the match is still to come */
};

static const struct state_field pl031_state[] = {
    STATE_FIELD(struct pl031, offset, 0, 0),
    STATE_FIELD(struct pl031, match, 0, 0),
    STATE_FIELD(struct pl031, load, 0, 0),
    STATE_FIELD(struct pl031, imsc, 0, 0),
    STATE_FIELD(struct pl031, ris, 0, 0),
    STATE_FIELD(struct pl031, armed, 0, 0),
    STATE_END,
};

static void update_irq(struct pl031 *r)
{
    irq_line_set(&r->irq, r->ris & r->imsc);
}

static uint32_t counter(const struct pl031 *r)
{
    return (uint32_t)(clock_wall_ns(r->dev.vm) / NS_PER_SEC) + r->offset;
}

/*
 * Equality raises the interrupt (2.2.1). The distance goes round at 2^32: a match in the past is more than a
 * century away. The host's clock may be set meanwhile, so the timer looks again.
 */
static void match_check(struct pl031 *r)
{
    uint64_t wall = clock_wall_ns(r->dev.vm);
    uint32_t left = r->match - ((uint32_t)(wall / NS_PER_SEC) + r->offset);

    if (!r->armed) {
        timer_cancel(&r->timer);
    } else if (!left) {
        r->armed = false;
        r->ris = 1;
        update_irq(r);
    } else {
        timer_set(&r->timer, clock_now_ns(r->dev.vm) + left * NS_PER_SEC - wall % NS_PER_SEC);
    }
}

static void timer_due(void *opaque)
{
    struct pl031 *r = opaque;

    plat_lock(&r->dev.lock);
    match_check(r);
    plat_unlock(&r->dev.lock);
}

/* PeriphID0..3, PCellID0..3 (3.3.9): part 0x031. */
static uint32_t identity(uint64_t offset)
{
    static const uint8_t id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    return offset % 4 ? 0 : id[(offset - ID) / 4];
}

static uint64_t pl031_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct pl031 *r = container_of(d, struct pl031, dev);

    (void)region, (void)size;
    switch (offset) {
    case RTCDR:
        return counter(r);
    case RTCMR:
        return r->match;
    case RTCLR:
        return r->load;
    case RTCCR:
        return 1; /* it runs; once it does, writes change nothing (3.3.4) */
    case RTCIMSC:
        return r->imsc;
    case RTCRIS:
        return r->ris;
    case RTCMIS:
        return r->ris & r->imsc;
    default:
        return offset >= ID && offset < WINDOW ? identity(offset) : 0;
    }
}

static void pl031_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct pl031 *r = container_of(d, struct pl031, dev);

    (void)region, (void)size;
    switch (offset) {
    case RTCMR:
        r->match = (uint32_t)value;
        r->armed = true;
        match_check(r);
        break;
    case RTCLR:
        r->load = (uint32_t)value;
        r->offset += r->load - counter(r);
        r->armed = true;
        match_check(r);
        break;
    case RTCIMSC:
        r->imsc = value & 1;
        break;
    case RTCICR:
        if (value & 1)
            r->ris = 0;
        break;
    }
    update_irq(r);
}

/* The clock goes on through a reset, as one with a battery does; what the guest set it to stays. */
static void pl031_reset(struct device *d)
{
    struct pl031 *r = container_of(d, struct pl031, dev);

    r->match = r->load = 0;
    r->imsc = r->ris = r->armed = 0;
    timer_cancel(&r->timer);
    update_irq(r);
}

static void pl031_destroy(struct device *d)
{
    struct pl031 *r = container_of(d, struct pl031, dev);

    timer_fini(&r->timer);
    device_fini(d);
    plat_free(r);
}

static int pl031_describe(struct device *d, struct dtw *w)
{
    static const char *const compatible[] = {"arm,pl031", "arm,primecell"};
    struct pl031 *r = container_of(d, struct pl031, dev);

    device_node_begin(d, w, "rtc");
    dtw_prop_strlist(w, "compatible", compatible, ARRAY_SIZE(compatible));
    dtw_prop_str(w, "clock-names", "apb_pclk");
    dtw_prop_u32(w, "clocks", r->clock);
    device_node_irq(w, &r->irq);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops pl031_ops = {
    .name = "pl031",
    .summary = "PL031 real-time clock",
    .state = pl031_state,
    .read = pl031_read,
    .write = pl031_write,
    .reset = pl031_reset,
    .destroy = pl031_destroy,
    .describe = pl031_describe,
};

struct device *pl031_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, uint32_t clock,
                            char *why, size_t why_size)
{
    struct pl031 *r = device_alloc(sizeof(*r), why, why_size);

    if (!r)
        return NULL;
    device_init(&r->dev, &pl031_ops, vm, id);
    r->irq = irq;
    r->clock = clock;
    if (timer_init(&r->timer, vm, timer_due, r)) {
        fmt_snprintf(why, why_size, "no memory for the alarm of %s", id);
        device_fini(&r->dev);
        plat_free(r);
        return NULL;
    }
    if (device_map(&r->dev, 0, base, WINDOW, why, why_size)) {
        pl031_destroy(&r->dev);
        return NULL;
    }
    device_add(&r->dev);
    return &r->dev;
}
