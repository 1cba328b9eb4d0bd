/* Goldfish RTC: the low half of the time is read (or written last) first; it holds the high half. */
#include "device/rtc/goldfish_rtc.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"

#define WINDOW 0x1000

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08,
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c
};

struct goldfish_rtc {
    struct device dev;
    struct irq_line irq;
    struct timer timer;
    uint64_t offset; /* guest's time minus ours, modulo 2^64: the guest may set its clock */
    uint64_t alarm;  /* guest's time, ns */
    uint32_t time_high, alarm_high, new_high;
    uint8_t irq_enabled, irq_pending;
    uint8_t alarm_running;
};

static const struct state_field goldfish_rtc_state[] = {
    STATE_FIELD(struct goldfish_rtc, offset, 0, 0),
    STATE_FIELD(struct goldfish_rtc, alarm, 0, 0),
    STATE_FIELD(struct goldfish_rtc, time_high, 0, 0),
    STATE_FIELD(struct goldfish_rtc, alarm_high, 0, 0),
    STATE_FIELD(struct goldfish_rtc, new_high, 0, 0),
    STATE_FIELD(struct goldfish_rtc, irq_enabled, 0, 0),
    STATE_FIELD(struct goldfish_rtc, irq_pending, 0, 0),
    STATE_FIELD(struct goldfish_rtc, alarm_running, 0, 0),
    STATE_END,
};

static uint64_t now(const struct goldfish_rtc *r)
{
    return clock_wall_ns(r->dev.vm) + r->offset;
}

static void update_irq(struct goldfish_rtc *r)
{
    irq_line_set(&r->irq, r->irq_pending && r->irq_enabled);
}

static void fire(struct goldfish_rtc *r)
{
    r->alarm_running = false;
    r->irq_pending = true;
    update_irq(r);
}

/* One in the past rings at once. The host's clock may be set meanwhile, so the timer looks again. */
static void alarm_check(struct goldfish_rtc *r)
{
    int64_t left = (int64_t)(r->alarm - now(r));

    if (!r->alarm_running)
        timer_cancel(&r->timer);
    else if (left <= 0)
        fire(r);
    else
        timer_set(&r->timer, clock_now_ns(r->dev.vm) + (uint64_t)left);
}

static void timer_due(void *opaque)
{
    struct goldfish_rtc *r = opaque;

    plat_lock(&r->dev.lock);
    alarm_check(r);
    plat_unlock(&r->dev.lock);
}

static uint64_t rtc_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct goldfish_rtc *r = container_of(d, struct goldfish_rtc, dev);
    uint64_t time;

    (void)region, (void)size;
    switch (offset) {
    case TIME_LOW:
        time = now(r);
        r->time_high = (uint32_t)(time >> 32);
        return (uint32_t)time;
    case TIME_HIGH:
        return r->time_high;
    case ALARM_LOW:
        return (uint32_t)r->alarm;
    case ALARM_HIGH:
        return r->alarm >> 32;
    case IRQ_ENABLED:
        return r->irq_enabled;
    case ALARM_STATUS:
        return r->alarm_running;
    }
    return 0;
}

static void rtc_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct goldfish_rtc *r = container_of(d, struct goldfish_rtc, dev);
    uint32_t low = (uint32_t)value;

    (void)region, (void)size;
    switch (offset) {
    case TIME_LOW: /* written last: it takes effect */
        r->offset += ((uint64_t)r->new_high << 32 | low) - now(r);
        alarm_check(r);
        break;
    case TIME_HIGH:
        r->new_high = low;
        break;
    case ALARM_LOW:
        r->alarm = (uint64_t)r->alarm_high << 32 | low;
        r->alarm_running = true;
        alarm_check(r);
        break;
    case ALARM_HIGH:
        r->alarm_high = low;
        break;
    case IRQ_ENABLED:
        r->irq_enabled = low & 1;
        update_irq(r);
        break;
    case CLEAR_ALARM:
        r->alarm_running = false;
        alarm_check(r);
        break;
    case CLEAR_INTERRUPT:
        r->irq_pending = false;
        update_irq(r);
        break;
    }
}

/* The time that the guest set stays: it is battery-backed. */
static void rtc_reset(struct device *d)
{
    struct goldfish_rtc *r = container_of(d, struct goldfish_rtc, dev);

    r->alarm = 0;
    r->time_high = r->alarm_high = r->new_high = 0;
    r->irq_enabled = r->irq_pending = r->alarm_running = false;
    timer_cancel(&r->timer);
    update_irq(r);
}

static void rtc_destroy(struct device *d)
{
    struct goldfish_rtc *r = container_of(d, struct goldfish_rtc, dev);

    timer_fini(&r->timer);
    device_fini(d);
    plat_free(r);
}

static int rtc_describe(struct device *d, struct dtw *w)
{
    device_node_begin(d, w, "rtc");
    dtw_prop_str(w, "compatible", "google,goldfish-rtc");
    device_node_irq(w, &container_of(d, struct goldfish_rtc, dev)->irq);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops goldfish_rtc_ops = {
    .name = "goldfish-rtc",
    .summary = "real-time clock",
    .state = goldfish_rtc_state,
    .read = rtc_read,
    .write = rtc_write,
    .reset = rtc_reset,
    .destroy = rtc_destroy,
    .describe = rtc_describe,
};

struct device *goldfish_rtc_create(struct vm *vm, const char *id, gpa_t base, struct irq_line irq, char *why,
                                   size_t why_size)
{
    struct goldfish_rtc *r = device_alloc(sizeof(*r), why, why_size);

    if (!r)
        return NULL;
    device_init(&r->dev, &goldfish_rtc_ops, vm, id);
    r->irq = irq;
    if (timer_init(&r->timer, vm, timer_due, r)) {
        fmt_snprintf(why, why_size, "no memory for the alarm of %s", id);
        device_fini(&r->dev);
        plat_free(r);
        return NULL;
    }
    if (device_map(&r->dev, 0, base, WINDOW, why, why_size)) {
        rtc_destroy(&r->dev);
        return NULL;
    }
    device_add(&r->dev);
    return &r->dev;
}
