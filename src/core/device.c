/* Devices on the bus: adding, mapping, and the one way of an access to its handler. */
#include "core/bus.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"

void device_init(struct device *d, const struct device_ops *ops, struct vm *vm, const char *id)
{
    d->ops = ops;
    d->vm = vm;
    d->id = id;
    plat_lock_init(&d->lock);
}

void device_fini(struct device *d)
{
    plat_lock_fini(&d->lock);
}

void *device_alloc(size_t size, char *why, size_t why_size)
{
    void *p = plat_alloc(size);

    if (!p)
        fmt_snprintf(why, why_size, "no memory for a device of %llu bytes", (unsigned long long)size);
    return p;
}

int device_add(struct device *d)
{
    struct device **p = &d->vm->devices;

    while (*p) {
        BUG_ON(!strcmp((*p)->id, d->id));
        p = &(*p)->next;
    }
    d->next = NULL;
    *p = d;
    return 0;
}

void device_node_begin(struct device *d, struct dtw *w, const char *name)
{
    const uint64_t reg[2] = {d->base, d->size};

    dtw_begin_unit(w, name, d->base);
    dtw_prop_u64s(w, "reg", reg, 2);
}

void device_node_irq(struct dtw *w, const struct irq_line *line)
{
    if (line->dt_cells)
        dtw_prop_cells(w, "interrupts", line->dt, line->dt_cells);
}

int device_map(struct device *d, unsigned region, gpa_t base, uint64_t size, char *why, size_t why_size)
{
    int err = mem_add_mmio(&d->vm->mem, base, size, d, region, d->id, why, why_size);

    if (!err && region == 0) {
        d->base = base;
        d->size = size;
    }
    return err;
}

struct device *vm_device(struct vm *vm, const char *id)
{
    struct device *d = vm->devices;

    while (d && strcmp(d->id, id))
        d = d->next;
    return d;
}

/* What follows an access in some VMs only. */
static __attribute__((noinline)) void access_seen(struct vm *vm, const struct mem_region *r, gpa_t gpa,
                                                  unsigned size, bool write, uint64_t value)
{
    if (vm->log.trace & TRACE_MMIO)
        trace_write(&vm->log, "mmio: %s %s +0x%llx size %u = 0x%llx", r->dev->id, write ? "write" : "read",
                    (unsigned long long)(gpa - r->base), size, (unsigned long long)value);
    if (vm->desc.deterministic)
        work_drain(vm);
}

static bool answers(const struct mem_region *r, gpa_t gpa, unsigned size)
{
    return r && r->dev && size <= r->size - (gpa - r->base);
}

bool bus_forward(struct vm *vm, gpa_t gpa, unsigned size, bool write, uint64_t *value)
{
    const struct mem_region *r = mem_find(&vm->mem, gpa);

    if (!answers(r, gpa, size))
        return false;
    plat_lock(&r->dev->lock);
    bus_device_access(r->dev, r, gpa, size, write, value);
    plat_unlock(&r->dev->lock);
    if (bus_is_watched(vm))
        access_seen(vm, r, gpa, size, write, *value);
    return true;
}

/* Takes over what was switched by this access or by forwarded ones before it. */
static bool access_fully(struct vm *vm, const struct mem_region *r, gpa_t gpa, unsigned size, bool write,
                         uint64_t *value)
{
    struct device *d = r->dev;
    bool switched;

    plat_lock(&d->lock);
    bus_device_access(d, r, gpa, size, write, value);
    switched = d->switched;
    d->switched = false;
    plat_unlock(&d->lock);
    if (bus_is_watched(vm))
        access_seen(vm, r, gpa, size, write, *value);
    if (UNLIKELY(switched))
        mem_flash_announce(&vm->mem);
    return true;
}

bool bus_access_slow(struct vm *vm, const struct mem_region *r, gpa_t gpa, unsigned size, bool write,
                     uint64_t *value)
{
    return answers(r, gpa, size) && access_fully(vm, r, gpa, size, write, value);
}

bool bus_access(struct vm *vm, gpa_t gpa, unsigned size, bool write, uint64_t *value)
{
    return bus_access_slow(vm, mem_find(&vm->mem, gpa), gpa, size, write, value);
}
