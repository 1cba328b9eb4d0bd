/*
 * PCI functions, as their devices write them. A function is a struct device whose windows are its BARs: the
 * ops' read and write get the BAR's number as region, and the host bridge (pci_host.h) finds them where the
 * guest has put the BARs. One more PCI device is one more file: allocate a struct that begins with struct
 * pci_func, call pci_func_init(), pci_bar() and pci_capability() for what it has, then pci_func_add().
 *
 * Locks: host bridge, function (its device's lock), the bridge's INTx, interrupt controllers.
 */
#ifndef CV_DEVICE_PCI_PCI_H
#define CV_DEVICE_PCI_PCI_H

#include "core/device.h"

/* Offsets in configuration space (PCI 3.0, 6.1) and what of their contents is used here. */
enum {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, /* interface, subclass, class */
    PCI_HEADER = 0x0e,
    PCI_BAR = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_HEADER_END = 0x40
};
enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_INTX_OFF = 1 << 10 };
enum { PCI_STATUS_INTERRUPT = 1 << 3, PCI_STATUS_CAPABILITIES = 1 << 4 };
enum { PCI_CAP_MSIX = 0x11 };

#define PCI_CONFIG_SIZE           256u
#define PCI_BARS                  6
#define PCI_PINS                  4
#define PCI_MSIX_MAX              128 /* vectors of one function */
#define PCI_DEVFN(slot, function) ((uint8_t)((slot) << 3 | (function)))

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM32, PCI_BAR_MEM64, PCI_BAR_UPPER };

struct pci_host;

struct pci_bar {
    enum pci_bar_kind kind; /* UPPER: the high half of the one before */
    uint64_t size;
};

/* MSI-X (PCI 3.0, 6.8.2): a table of four words a vector, and a pending bit each. */
struct pci_msix {
    unsigned count; /* vectors; 0: the function has no MSI-X */
    unsigned bar, cap;
    uint32_t table[PCI_MSIX_MAX][4]; /* address low, high, data, control */
    uint32_t pending[PCI_MSIX_MAX / 32];
};

struct pci_func {
    struct device dev;
    struct pci_host *host;
    uint8_t devfn;
    uint8_t next_cap;                  /* where pci_capability() continues */
    uint8_t last_cap;                  /* offset of the byte that leads to the next one */
    uint8_t config[PCI_CONFIG_SIZE];   /* dev.lock, and so is what follows */
    uint8_t writable[PCI_CONFIG_SIZE]; /* which bits a write changes; constant once added */
    uint8_t defaults[PCI_CONFIG_SIZE]; /* contents after a reset; constant once added */
    struct pci_bar bar[PCI_BARS];      /* constant once added */
    struct pci_msix msix;
    bool intx;        /* as the device wants its pin */
    bool intx_driven; /* as the bridge has it */
    /* After a write to configuration space, or before a read of it; NULL: the bytes are all there is. */
    void (*accessed)(struct pci_func *f, unsigned offset, unsigned size, bool write);
};

/* What of a function changes while the guest runs: rows of the device's own state table. */
#define PCI_FUNC_STATE(type, func)                                                                           \
    STATE_ARRAY(type, func.config, 0, 0), STATE_FIELD(type, func.intx, 0, 0),                                \
        STATE_FIELD(type, func.intx_driven, 0, 0), STATE_ARRAY(type, func.msix.pending, 0, 0),               \
    {                                                                                                        \
        "func.msix.table", offsetof(type, func.msix.table), 4, PCI_MSIX_MAX * 4, 0, 0                        \
    }

struct pci_ids {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class; /* class << 16 | subclass << 8 | interface */
    uint8_t revision;
    bool interrupt; /* uses INTx: pin A */
};

/* ---- making one; BUG_ON where a device contradicts itself ---- */

void pci_func_init(struct pci_func *f, const struct device_ops *ops, struct vm *vm, const char *id,
                   const struct pci_ids *ids);
/* BAR n; the size is a power of two, of at least 16 bytes (I/O: 4 to 256). MEM64 takes n + 1 too. */
void pci_bar(struct pci_func *f, unsigned n, enum pci_bar_kind kind, uint64_t size);
/* A capability of `size` bytes in all, zero behind id and link; gives its offset. */
unsigned pci_capability(struct pci_func *f, uint8_t id, unsigned size);
/*
 * MSI-X with its table at `table` and its pending bits at `pba` of a memory BAR; the device's read and write
 * hand accesses there to pci_msix_read() and pci_msix_write().
 */
void pci_msix_init(struct pci_func *f, unsigned count, unsigned bar, uint32_t table, uint32_t pba);
/* Bytes that a reset restores, and which bits of them the guest may write. */
void pci_config_default(struct pci_func *f, unsigned offset, unsigned size, uint32_t value,
                        uint32_t writable);
/* Onto bus 0 of the bridge; the VM owns it from now on. -EEXIST: the place is taken, and it stays the
 * caller's. */
int pci_func_add(struct pci_func *f, struct device *bridge, uint8_t devfn, char *why, size_t why_size);

/* ---- while it runs; the function's lock is held ---- */

/* Part of the ops' reset. */
void pci_func_reset(struct pci_func *f);
uint32_t pci_config_get(const struct pci_func *f, unsigned offset, unsigned size);
/* The guest lets it read and write memory (bus master). */
bool pci_may_dma(const struct pci_func *f);
/* Its pin, as a level; the command register may hold it back. */
void pci_intx_set(struct pci_func *f, bool level);
bool pci_msix_enabled(const struct pci_func *f);
/* Offset within table or pending bits; widths are 4 and 8 bytes, others read 0 and are ignored. */
uint64_t pci_msix_read(struct pci_func *f, bool pba, uint64_t offset, unsigned size);
void pci_msix_write(struct pci_func *f, uint64_t offset, unsigned size, uint64_t value);
/* Sends vector n, or keeps it pending while masked. */
void pci_msix_raise(struct pci_func *f, unsigned n);

/* ---- for the bridge, which holds the function's lock ---- */

uint32_t pci_config_read(struct pci_func *f, unsigned offset, unsigned size);
void pci_config_write(struct pci_func *f, unsigned offset, unsigned size, uint32_t value);
/* Does a BAR of this space answer at the address (of `size` bytes)? */
bool pci_bar_find(const struct pci_func *f, bool io, uint64_t address, unsigned size, unsigned *n,
                  uint64_t *offset);
/* The pin's wanted level, or the masks over it, changed (pci_host.c). */
void pci_host_intx(struct pci_host *h, struct pci_func *f);
void pci_msix_update(struct pci_func *f);

#endif
