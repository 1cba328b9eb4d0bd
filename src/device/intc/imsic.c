/* IMSIC (RISC-V AIA 1.0, chapter 3): pending and enable bits by identity; lower identities go first. */
#include "device/intc/imsic.h"
#include "core/irqchip.h"
#include "core/vm.h"
#include "lib/fdt.h"
#include "lib/str.h"

#define WORDS ((IMSIC_IDS + 64) / 64)
#define PAGE  0x1000u

/* Indirect registers (AIA 1.0, 3.8). On RV64 only the even numbers of eip and eie exist. */
enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP0 = 0x80, EIP63 = 0xbf, EIE0 = 0xc0, EIE63 = 0xff };

struct imsic;

struct imsic_file {
    struct msi_file file;
    struct imsic *imsic;
    struct vcpu *vcpu;
    bool driven;
};

struct imsic {
    struct device dev;
    struct imsic_config config;
    struct imsic_file file[VM_MAX_VCPUS];
    uint64_t pending[VM_MAX_VCPUS][WORDS], enable[VM_MAX_VCPUS][WORDS];
    uint32_t delivery[VM_MAX_VCPUS], threshold[VM_MAX_VCPUS];
};

static const struct state_field imsic_state[] = {
    {"pending", offsetof(struct imsic, pending), 8, VM_MAX_VCPUS *WORDS, 0, 0},
    {"enable", offsetof(struct imsic, enable), 8, VM_MAX_VCPUS *WORDS, 0, 0},
    STATE_ARRAY(struct imsic, delivery, 0, 0),
    STATE_ARRAY(struct imsic, threshold, 0, 0),
    STATE_END,
};

/* The identity that the hart is to take: the lowest one pending, enabled and below the threshold; or 0. */
static unsigned top(const struct imsic *im, unsigned hart)
{
    unsigned limit = im->threshold[hart] ? im->threshold[hart] : IMSIC_IDS + 1;

    for (unsigned w = 0; w < WORDS; w++) {
        uint64_t bits = im->pending[hart][w] & im->enable[hart][w];

        if (bits) {
            unsigned id = w * 64 + (unsigned)__builtin_ctzll(bits);

            return id < limit ? id : 0;
        }
    }
    return 0;
}

static void update(struct imsic *im, unsigned hart)
{
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a file has its controller from the start
    bool on = im->delivery[hart] == 1 && top(im, hart);

    if (on == im->file[hart].driven)
        return;
    im->file[hart].driven = on;
    irqchip_cpu_input(im->file[hart].vcpu, im->config.input, on);
}

/* The register's storage and its writable bits; NULL where there is none. */
static void *reg_find(struct imsic *im, unsigned hart, uint64_t select, uint64_t *mask)
{
    bool enable = select >= EIE0;
    uint64_t w = (select - (enable ? EIE0 : EIP0)) / 2;

    if (select < EIP0 || select > EIE63 || select % 2)
        return NULL;
    *mask = w < WORDS ? (w ? UINT64_MAX : ~UINT64_C(1)) : 0;
    w = MIN(w, (uint64_t)WORDS - 1);
    return enable ? &im->enable[hart][w] : &im->pending[hart][w];
}

static bool file_write(struct msi_file *f, uint64_t select, uint64_t value, uint64_t mask, uint64_t *old)
{
    struct imsic_file *file = container_of(f, struct imsic_file, file);
    struct imsic *im = file->imsic;
    unsigned hart = file->vcpu->id;
    uint64_t legal = 0, *reg;
    bool known = true;

    plat_lock(&im->dev.lock);
    reg = reg_find(im, hart, select, &legal);
    if (select == EIDELIVERY) {
        *old = im->delivery[hart];
        im->delivery[hart] = (uint32_t)((*old & ~mask) | (value & mask)) & 1;
    } else if (select == EITHRESHOLD) {
        *old = im->threshold[hart];
        im->threshold[hart] = (uint32_t)((*old & ~mask) | (value & mask)) & IMSIC_IDS;
    } else if (reg) {
        *old = *reg & legal;
        mask &= legal;
        *reg = (*reg & ~mask) | (value & mask);
    } else {
        known = false;
    }
    update(im, hart);
    plat_unlock(&im->dev.lock);
    return known;
}

static bool file_read(struct msi_file *f, uint64_t select, uint64_t *value)
{
    return file_write(f, select, 0, 0, value);
}

static uint64_t file_top(struct msi_file *f, bool claim)
{
    struct imsic_file *file = container_of(f, struct imsic_file, file);
    struct imsic *im = file->imsic;
    unsigned hart = file->vcpu->id, id;

    plat_lock(&im->dev.lock);
    id = top(im, hart);
    if (id && claim) {
        im->pending[hart][id / 64] &= ~BIT(id % 64);
        update(im, hart);
    }
    plat_unlock(&im->dev.lock);
    return (uint64_t)id << 16 | id;
}

static const struct msi_file_ops imsic_file_ops = {.read = file_read, .write = file_write, .top = file_top};

/* Only seteipnum_le exists besides zeros (AIA 1.0, 3.5); big-endian writes are ignored. */
static uint64_t imsic_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    (void)d, (void)region, (void)offset, (void)size;
    return 0;
}

static void imsic_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct imsic *im = container_of(d, struct imsic, dev);
    uint64_t hart = offset / PAGE;

    (void)region;
    if (size != 4 || offset % PAGE || hart >= d->vm->vcpu_count || value == 0 || value > IMSIC_IDS)
        return;
    im->pending[hart][value / 64] |= BIT(value % 64);
    update(im, (unsigned)hart);
}

static void imsic_reset(struct device *d)
{
    struct imsic *im = container_of(d, struct imsic, dev);

    memset(im->pending, 0, sizeof(im->pending));
    memset(im->enable, 0, sizeof(im->enable));
    memset(im->delivery, 0, sizeof(im->delivery));
    memset(im->threshold, 0, sizeof(im->threshold));
    for (unsigned i = 0; i < d->vm->vcpu_count; i++)
        update(im, i);
}

static void imsic_destroy(struct device *d)
{
    struct imsic *im = container_of(d, struct imsic, dev);

    for (unsigned i = 0; i < d->vm->vcpu_count; i++)
        d->vm->vcpu[i]->msi[im->config.supervisor] = NULL;
    device_fini(d);
    plat_free(im);
}

static int imsic_describe(struct device *d, struct dtw *w)
{
    struct imsic *im = container_of(d, struct imsic, dev);
    uint32_t cells[VM_MAX_VCPUS * 2];

    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        cells[2 * i] = im->config.cpu_phandle(i);
        cells[2 * i + 1] = im->config.input;
    }
    device_node_begin(d, w, "imsics");
    dtw_prop_str(w, "compatible", "riscv,imsics");
    dtw_prop_empty(w, "interrupt-controller");
    dtw_prop_u32(w, "#interrupt-cells", 0);
    dtw_prop_empty(w, "msi-controller");
    dtw_prop_u32(w, "#msi-cells", 0);
    dtw_prop_u32(w, "riscv,num-ids", IMSIC_IDS);
    dtw_prop_cells(w, "interrupts-extended", cells, d->vm->vcpu_count * 2);
    dtw_prop_u32(w, "phandle", im->config.phandle);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops imsic_ops = {
    .name = "imsic",
    .summary = "RISC-V AIA incoming MSI controller",
    .state = imsic_state,
    .read = imsic_read,
    .write = imsic_write,
    .reset = imsic_reset,
    .destroy = imsic_destroy,
    .describe = imsic_describe,
};

struct device *imsic_create(struct vm *vm, const char *id, const struct imsic_config *config, char *why,
                            size_t why_size)
{
    struct imsic *im = device_alloc(sizeof(*im), why, why_size);

    if (!im)
        return NULL;
    device_init(&im->dev, &imsic_ops, vm, id);
    im->config = *config;
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        im->file[i] = (struct imsic_file){{&imsic_file_ops}, im, vm->vcpu[i], false};
        vm->vcpu[i]->msi[config->supervisor] = &im->file[i].file;
    }
    if (device_map(&im->dev, 0, config->base, (uint64_t)vm->vcpu_count * PAGE, why, why_size)) {
        imsic_destroy(&im->dev);
        return NULL;
    }
    device_add(&im->dev);
    return &im->dev;
}
