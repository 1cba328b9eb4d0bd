/* Devices on the bus: adding, mapping, and the one way of an access to its handler. */
#include "core/vm.h"
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

/* Takes over what was switched by this access or by forwarded ones before it. */
static inline bool access_device(struct vm *vm, const struct mem_region *r, gpa_t gpa, unsigned size,
                                 bool write, uint64_t *value, bool *switched)
{
    struct device *d;

    if (!r || !r->dev || size > r->size - (gpa - r->base))
        return false;
    d = r->dev;
    plat_lock(&d->lock);
    if (write)
        d->ops->write(d, r->dev_region, gpa - r->base, size, *value);
    else
        *value = d->ops->read(d, r->dev_region, gpa - r->base, size);
    if (switched) {
        *switched = d->switched;
        d->switched = false;
    }
    plat_unlock(&d->lock);
    if (UNLIKELY(vm->log.trace & TRACE_MMIO))
        trace_write(&vm->log, "mmio: %s %s +0x%llx size %u = 0x%llx", d->id, write ? "write" : "read",
                    (unsigned long long)(gpa - r->base), size, (unsigned long long)*value);
    if (vm->desc.deterministic)
        work_drain(vm);
    return true;
}

bool bus_forward(struct vm *vm, gpa_t gpa, unsigned size, bool write, uint64_t *value)
{
    return access_device(vm, mem_find(&vm->mem, gpa), gpa, size, write, value, NULL);
}

static bool __attribute__((noinline))
access_slow(struct vm *vm, const struct mem_region *r, gpa_t gpa, unsigned size, bool write, uint64_t *value)
{
    bool switched = false;

    if (!access_device(vm, r, gpa, size, write, value, &switched))
        return false;
    if (UNLIKELY(switched))
        mem_flash_announce(&vm->mem);
    return true;
}

/* The way of a hardware engine's exit: nothing is kept over the handler but what it needs itself. */
bool bus_access_at(struct vm *vm, const struct mem_region *r, gpa_t gpa, unsigned size, bool write,
                   uint64_t *value)
{
    struct device *d;
    bool switched;

    if (UNLIKELY(!r || !r->dev || size > r->size - (gpa - r->base) || vm->log.trace & TRACE_MMIO ||
                 vm->desc.deterministic))
        return access_slow(vm, r, gpa, size, write, value);
    d = r->dev;
    plat_lock(&d->lock);
    if (write)
        d->ops->write(d, r->dev_region, gpa - r->base, size, *value);
    else
        *value = d->ops->read(d, r->dev_region, gpa - r->base, size);
    switched = d->switched;
    d->switched = false;
    plat_unlock(&d->lock);
    if (UNLIKELY(switched))
        mem_flash_announce(&d->vm->mem);
    return true;
}

bool bus_access(struct vm *vm, gpa_t gpa, unsigned size, bool write, uint64_t *value)
{
    return bus_access_at(vm, mem_find(&vm->mem, gpa), gpa, size, write, value);
}
