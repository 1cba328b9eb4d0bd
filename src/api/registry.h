/* The registries: guests, engines, device types. Machines have theirs in machine/machine.h. */
#ifndef CV_API_REGISTRY_H
#define CV_API_REGISTRY_H

#include "core/device.h"
#include "core/engine.h"
#include "core/guest.h"

/* A guest ISA: its operations, and its lift where software engines are linked. */
struct registry_guest {
    const struct guest_ops *ops;
    const struct lift_ops *lift;
};

extern const struct registry_guest registry_guests[];     /* ops NULL at the end */
extern const struct engine_ops *const registry_engines[]; /* NULL at the end, best first */

/* A device type, as `carbovisor list devices` shows it. */
struct registry_device {
    const char *name, *summary;
};
extern const struct registry_device registry_devices[]; /* name NULL at the end */

const struct registry_guest *registry_guest_find(const char *name);
const struct engine_ops *registry_engine_find(const char *name);

#endif
