/* ACLINT: machine software interrupts and machine timers (RISC-V ACLINT specification 1.0-rc4). */
#include "device/intc/aclint.h"
#include "core/irqchip.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"

enum { MSIP = 0, MTIMECMP = 0x4000, MTIME = 0xbff8, WINDOW = 0x10000 };

struct aclint {
    struct device dev;
    struct aclint_config config;
    uint32_t msip[VM_MAX_VCPUS];
    uint64_t mtimecmp[VM_MAX_VCPUS];
    uint64_t mtime_delta; /* guest's writes to mtime, in ticks */
    struct timer timer[VM_MAX_VCPUS];
    struct timer_arg {
        struct aclint *aclint;
        unsigned hart;
    } arg[VM_MAX_VCPUS];
};

static const struct state_field aclint_state[] = {
    STATE_ARRAY(struct aclint, msip, 0, 0),
    STATE_ARRAY(struct aclint, mtimecmp, 0, 0),
    STATE_FIELD(struct aclint, mtime_delta, 0, 0),
    STATE_END,
};

static uint64_t mtime(struct aclint *a)
{
    return clock_ticks(a->dev.vm, a->config.timebase_hz) + a->mtime_delta;
}

/* The input is a level: mtime >= mtimecmp. */
static void timer_update(struct aclint *a, unsigned hart)
{
    bool due = mtime(a) >= a->mtimecmp[hart];

    irqchip_cpu_input(a->dev.vm->vcpu[hart], a->config.input_timer, due);
    timer_set(&a->timer[hart],
              due || a->mtimecmp[hart] == UINT64_MAX
                  ? TIMER_NEVER
                  : clock_ticks_to_ns(a->mtimecmp[hart] - a->mtime_delta, a->config.timebase_hz));
}

static void timer_fire(void *opaque)
{
    struct timer_arg *arg = opaque;

    plat_lock(&arg->aclint->dev.lock);
    timer_update(arg->aclint, arg->hart);
    plat_unlock(&arg->aclint->dev.lock);
}

/* The 32-bit half of a 64-bit register, or all of it. */
static uint64_t part_get(uint64_t reg, uint64_t offset, unsigned size)
{
    reg >>= (offset & 7) * 8;
    return size == 8 ? reg : reg & ((UINT64_C(1) << size * 8) - 1);
}

static uint64_t part_set(uint64_t reg, uint64_t offset, unsigned size, uint64_t value)
{
    unsigned shift = (unsigned)(offset & 7) * 8;
    uint64_t mask = (size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1) << shift;

    return (reg & ~mask) | (value << shift & mask);
}

static bool access_ok(uint64_t offset, unsigned size)
{
    return size >= 4 && offset % size == 0;
}

static uint64_t aclint_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct aclint *a = container_of(d, struct aclint, dev);
    unsigned harts = d->vm->vcpu_count;

    (void)region;
    if (!access_ok(offset, size) || offset >= MTIME + 8)
        return 0;
    if (offset >= MTIME)
        return part_get(mtime(a), offset, size);
    if (offset >= MTIMECMP)
        return (offset - MTIMECMP) / 8 < harts ? part_get(a->mtimecmp[(offset - MTIMECMP) / 8], offset, size)
                                               : 0;
    return offset / 4 < harts ? a->msip[offset / 4] : 0;
}

static void mtime_write(struct aclint *a, uint64_t offset, unsigned size, uint64_t value)
{
    uint64_t now = mtime(a);

    a->mtime_delta += part_set(now, offset, size, value) - now;
    for (unsigned i = 0; i < a->dev.vm->vcpu_count; i++)
        timer_update(a, i);
}

static void aclint_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct aclint *a = container_of(d, struct aclint, dev);
    uint64_t hart;

    (void)region;
    if (!access_ok(offset, size) || offset >= MTIME + 8)
        return;
    if (offset >= MTIME) {
        mtime_write(a, offset, size, value);
        return;
    }
    hart = offset >= MTIMECMP ? (offset - MTIMECMP) / 8 : offset / 4;
    if (hart >= d->vm->vcpu_count)
        return;
    if (offset >= MTIMECMP) {
        a->mtimecmp[hart] = part_set(a->mtimecmp[hart], offset, size, value);
        timer_update(a, (unsigned)hart);
    } else if (size == 4) {
        a->msip[hart] = value & 1;
        irqchip_cpu_input(d->vm->vcpu[hart], a->config.input_soft, value & 1);
    }
}

static void aclint_reset(struct device *d)
{
    struct aclint *a = container_of(d, struct aclint, dev);

    a->mtime_delta = 0;
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        a->msip[i] = 0;
        a->mtimecmp[i] = UINT64_MAX;
        irqchip_cpu_input(d->vm->vcpu[i], a->config.input_soft, false);
        timer_update(a, i);
    }
}

static void aclint_destroy(struct device *d)
{
    struct aclint *a = container_of(d, struct aclint, dev);

    for (unsigned i = 0; i < d->vm->vcpu_count; i++)
        timer_fini(&a->timer[i]);
    device_fini(d);
    plat_free(a);
}

static int aclint_describe(struct device *d, struct dtw *w)
{
    static const char *const compatible[] = {"sifive,clint0", "riscv,clint0"};
    struct aclint *a = container_of(d, struct aclint, dev);
    uint32_t cells[VM_MAX_VCPUS * 4];

    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        uint32_t ph = a->config.cpu_phandle(i);
        uint32_t c[4] = {ph, a->config.input_soft, ph, a->config.input_timer};

        for (unsigned k = 0; k < 4; k++)
            cells[i * 4 + k] = c[k];
    }
    device_node_begin(d, w, "clint");
    dtw_prop_strlist(w, "compatible", compatible, ARRAY_SIZE(compatible));
    dtw_prop_cells(w, "interrupts-extended", cells, d->vm->vcpu_count * 4);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops aclint_ops = {
    .name = "aclint",
    .summary = "RISC-V ACLINT (software interrupts, timer) in SiFive CLINT layout",
    .state = aclint_state,
    .read = aclint_read,
    .write = aclint_write,
    .reset = aclint_reset,
    .destroy = aclint_destroy,
    .describe = aclint_describe,
};

struct device *aclint_create(struct vm *vm, const char *id, const struct aclint_config *config, char *why,
                             size_t why_size)
{
    struct aclint *a = device_alloc(sizeof(*a), why, why_size);
    int err = 0;

    if (!a)
        return NULL;
    device_init(&a->dev, &aclint_ops, vm, id);
    a->config = *config;
    for (unsigned i = 0; !err && i < vm->vcpu_count; i++) {
        a->arg[i] = (struct timer_arg){a, i};
        a->mtimecmp[i] = UINT64_MAX;
        err = timer_init(&a->timer[i], vm, timer_fire, &a->arg[i]);
        if (!err)
            err = timer_home(&a->timer[i], i);
    }
    if (err)
        fmt_snprintf(why, why_size, "no memory for the timers of %s", id);
    if (err || device_map(&a->dev, 0, config->base, WINDOW, why, why_size)) {
        aclint_destroy(&a->dev);
        return NULL;
    }
    device_add(&a->dev);
    return &a->dev;
}
