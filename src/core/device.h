/*
 * A device: a register window or several, interrupt lines, a field table. Devices know the bus, lines,
 * timers and backends' interfaces; never a guest, an engine or a platform's OS.
 */
#ifndef CV_CORE_DEVICE_H
#define CV_CORE_DEVICE_H

#include "core/irq.h"
#include "core/platform.h"
#include "core/state.h"

struct vm;
struct device;
struct dtw;

struct device_ops {
    const char *name;    /* type, "ns16550" */
    const char *summary; /* for `carbovisor list devices` */
    const struct state_field
        *state; /* offsets from the device's own struct (which begins with struct device) */
    /*
     * One access, size 1 2 4 8, offset within the window; the device's lock is held. Unknown offsets
     * read 0 and ignore writes.
     */
    uint64_t (*read)(struct device *d, unsigned region, uint64_t offset, unsigned size);
    void (*write)(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value);
    void (*reset)(struct device *d);
    /* Finish or park all work in flight; after it the fields are the whole state. */
    void (*quiesce)(struct device *d);
    void (*destroy)(struct device *d); /* frees the device */
    /* Its node(s) in the device tree; base is that of window 0. */
    int (*describe)(struct device *d, struct dtw *w);
    /* An input line of an interrupt controller changed (irq.h); takes its own lock. */
    void (*line)(struct device *d, unsigned input, bool level);
    /*
     * A message interrupt to this window from the device numbered `source` (msi_send_from()); the lock is
     * held. False: it leads nowhere. NULL: messages are plain writes here.
     */
    bool (*msi)(struct device *d, unsigned region, uint64_t offset, uint32_t source, uint32_t data);
};

struct device {
    const struct device_ops *ops;
    struct vm *vm;
    const char *id;        /* instance, "serial0" */
    struct plat_lock lock; /* all fields of the device */
    gpa_t base;            /* of window 0, for describe */
    uint64_t size;
    bool switched;       /* lock; mem_flash_set() changed something that engines have not heard of */
    struct device *next; /* vm's list, in creation order */
};

/* Common part of every x_create: links nothing yet. */
void device_init(struct device *d, const struct device_ops *ops, struct vm *vm, const char *id);
void device_fini(struct device *d);
/* Zeroed storage for a device's struct, or NULL with the reason in why. */
void *device_alloc(size_t size, char *why, size_t why_size);
/* Opens the node "name@base" with its "reg"; the caller adds the rest and ends it. */
void device_node_begin(struct device *d, struct dtw *w, const char *name);
void device_node_irq(struct dtw *w, const struct irq_line *line);
/* Adds it to the VM (reset order = order of adding). The VM owns it from now on, also on failure. */
int device_add(struct device *d);
/* Maps window `region`; on failure (-EEXIST...) why says what it hits. */
int device_map(struct device *d, unsigned region, gpa_t base, uint64_t size, char *why, size_t why_size);

/*
 * Accesses by the bus: splits nothing; an access that no window answers is false. bus_access() is for vCPUs,
 * outside all locks; bus_forward() for a device whose lock is held.
 */
bool bus_access(struct vm *vm, gpa_t gpa, unsigned size, bool write, uint64_t *value);
/* Where the caller knows the region that holds gpa: core/bus.h. */
bool bus_forward(struct vm *vm, gpa_t gpa, unsigned size, bool write, uint64_t *value);

#endif
