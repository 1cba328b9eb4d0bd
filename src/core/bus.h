/*
 * Accesses whose region is known: a hardware engine remembers where its guest went last, and this is the rest
 * of the way to a device, inline, since an exit is short. Everybody else calls bus_access() (core/device.h).
 */
#ifndef CV_CORE_BUS_H
#define CV_CORE_BUS_H

#include "core/vm.h"

/* Any access to a region that holds gpa, or NULL. False: nobody answers. */
bool bus_access_slow(struct vm *vm, const struct mem_region *r, gpa_t gpa, unsigned size, bool write,
                     uint64_t *value);

/* Something follows each access: a line of trace, work that takes no time of its own. */
static inline bool bus_is_watched(const struct vm *vm)
{
    return UNLIKELY(vm->log.trace & TRACE_MMIO || vm->desc.deterministic);
}

/* The device's lock is held. */
static inline void bus_device_access(struct device *d, const struct mem_region *r, gpa_t gpa, unsigned size,
                                     bool write, uint64_t *value)
{
    if (write)
        d->ops->write(d, r->dev_region, gpa - r->base, size, *value);
    else
        *value = d->ops->read(d, r->dev_region, gpa - r->base, size);
}

/* gpa is in r. Flash alone (it has host memory, too) switches what its accesses meet. */
static inline bool bus_access_at(struct vm *vm, const struct mem_region *r, gpa_t gpa, unsigned size,
                                 bool write, uint64_t *value)
{
    struct device *d = r->dev;

    if (UNLIKELY(bus_is_watched(vm) || r->host || size > r->size - (gpa - r->base)))
        return bus_access_slow(vm, r, gpa, size, write, value);
    plat_lock(&d->lock);
    bus_device_access(d, r, gpa, size, write, value);
    plat_unlock(&d->lock);
    return true;
}

#endif
