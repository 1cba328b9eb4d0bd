/* SiFive test finisher: low half of the word written is the command, upper half the guest's status. */
#include "device/misc/finisher.h"
#include "core/vm.h"
#include "lib/fdt.h"

enum { FINISHER_FAIL = 0x3333, FINISHER_PASS = 0x5555, FINISHER_RESET = 0x7777 };

static uint64_t finisher_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    (void)d, (void)region, (void)offset, (void)size;
    return 0;
}

static void finisher_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    unsigned status = (unsigned)(value >> 16) & 0xffff;

    (void)region, (void)size;
    if (offset)
        return;
    switch (value & 0xffff) {
    case FINISHER_PASS:
        vm_system(d->vm, SYSTEM_POWEROFF, 0, "test finisher: pass");
        break;
    case FINISHER_FAIL:
        vm_system(d->vm, SYSTEM_STATUS, status, "test finisher: fail");
        break;
    case FINISHER_RESET:
        vm_system(d->vm, SYSTEM_RESET, 0, "test finisher: reset");
        break;
    }
}

static void finisher_destroy(struct device *d)
{
    device_fini(d);
    plat_free(d);
}

/* The node names of Linux's syscon reboot and poweroff bindings. */
static void syscon_user(struct dtw *w, const char *name, uint32_t phandle, uint32_t value)
{
    dtw_begin_node(w, name);
    dtw_prop_str(w, "compatible", name[0] == 'p' ? "syscon-poweroff" : "syscon-reboot");
    dtw_prop_u32(w, "regmap", phandle);
    dtw_prop_u32(w, "offset", 0);
    dtw_prop_u32(w, "value", value);
    dtw_end_node(w);
}

#define FINISHER_PHANDLE 0x100

static int finisher_describe(struct device *d, struct dtw *w)
{
    static const char *const compatible[] = {"sifive,test1", "sifive,test0", "syscon"};

    device_node_begin(d, w, "test");
    dtw_prop_strlist(w, "compatible", compatible, ARRAY_SIZE(compatible));
    dtw_prop_u32(w, "phandle", FINISHER_PHANDLE);
    dtw_end_node(w);
    syscon_user(w, "poweroff", FINISHER_PHANDLE, FINISHER_PASS);
    syscon_user(w, "reboot", FINISHER_PHANDLE, FINISHER_RESET);
    return 0;
}

static const struct device_ops finisher_ops = {
    .name = "finisher",
    .summary = "SiFive test finisher (power off, reset, exit status)",
    .read = finisher_read,
    .write = finisher_write,
    .destroy = finisher_destroy,
    .describe = finisher_describe,
};

struct device *finisher_create(struct vm *vm, const char *id, gpa_t base, char *why, size_t why_size)
{
    struct device *d = device_alloc(sizeof(*d), why, why_size);

    if (!d)
        return NULL;
    device_init(d, &finisher_ops, vm, id);
    if (device_map(d, 0, base, 0x1000, why, why_size)) {
        finisher_destroy(d);
        return NULL;
    }
    device_add(d);
    return d;
}
