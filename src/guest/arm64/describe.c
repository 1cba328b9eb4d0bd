/* The guest's own device tree nodes: cpus, psci, timer, pmu. */
#include "guest/arm64/cpu.h"
#include "isa/arm64/dt.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"

/* Phandles of the cores; those of devices begin above. */
#define PHANDLE_CPU(i) (1 + (uint32_t)(i))

static void describe_cpu(const struct arm64_vcpu *a, struct dtw *w)
{
    uint64_t affinity = arm64_mpidr(a->v.id) & ~A64_MPIDR_RES1;

    dtw_begin_unit(w, "cpu", affinity);
    dtw_prop_str(w, "device_type", "cpu");
    dtw_prop_str(w, "compatible", a->cpu.model->compatible);
    dtw_prop_u32(w, "reg", (uint32_t)affinity);
    dtw_prop_str(w, "enable-method", "psci");
    dtw_prop_u32(w, "phandle", PHANDLE_CPU(a->v.id));
    dtw_end_node(w);
}

static void describe_map(const struct vm *vm, struct dtw *w)
{
    char name[16];

    dtw_begin_node(w, "cpu-map");
    dtw_begin_node(w, "cluster0");
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        fmt_snprintf(name, sizeof(name), "core%u", i);
        dtw_begin_node(w, name);
        dtw_prop_u32(w, "cpu", PHANDLE_CPU(i));
        dtw_end_node(w);
    }
    dtw_end_node(w);
    dtw_end_node(w);
}

static void describe_psci(struct dtw *w)
{
    static const char *const compatible[] = {"arm,psci-1.0", "arm,psci-0.2", "arm,psci"};

    dtw_begin_node(w, "psci");
    dtw_prop_strlist(w, "compatible", compatible, ARRAY_SIZE(compatible));
    dtw_prop_str(w, "method", "hvc");
    dtw_end_node(w);
}

/* A private interrupt's three cells; a GICv2's flags name the cores that have it. */
static void private_cells(const struct vm *vm, unsigned intid, uint32_t *cells)
{
    const struct dist *d = vm->vcpu[0]->dist;
    uint32_t cores = d && !d->ops->top ? (uint32_t)((BIT(vm->vcpu_count) - 1) & 0xff) << 8 : 0;

    cells[0] = A64_DT_PPI;
    cells[1] = intid - A64_INTID_PPI;
    cells[2] = A64_DT_LEVEL_HIGH | cores;
}

static void describe_timer(const struct vm *vm, struct dtw *w)
{
    static const uint8_t intids[] = {A64_INTID_TIMER_PHYS_SECURE, A64_INTID_TIMER_PHYS, A64_INTID_TIMER_VIRT,
                                     A64_INTID_TIMER_HYP};
    uint32_t cells[3 * ARRAY_SIZE(intids)];

    for (unsigned i = 0; i < ARRAY_SIZE(intids); i++)
        private_cells(vm, intids[i], cells + 3 * i);
    dtw_begin_node(w, "timer");
    dtw_prop_str(w, "compatible", "arm,armv8-timer");
    dtw_prop_cells(w, "interrupts", cells, ARRAY_SIZE(cells));
    dtw_prop_empty(w, "always-on");
    dtw_end_node(w);
}

static void describe_pmu(const struct vm *vm, struct dtw *w)
{
    uint32_t cells[3];

    private_cells(vm, A64_INTID_PMU, cells);
    dtw_begin_node(w, "pmu");
    dtw_prop_str(w, "compatible", "arm,armv8-pmuv3");
    dtw_prop_cells(w, "interrupts", cells, ARRAY_SIZE(cells));
    dtw_end_node(w);
}

int arm64_describe(struct vm *vm, struct dtw *w)
{
    dtw_begin_node(w, "cpus");
    dtw_prop_u32(w, "#address-cells", 1);
    dtw_prop_u32(w, "#size-cells", 0);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        describe_cpu(arm64_of(vm->vcpu[i]), w);
    describe_map(vm, w);
    dtw_end_node(w);
    describe_psci(w);
    describe_timer(vm, w);
    if (arm64_has(arm64_of(vm->vcpu[0]), ARM64F_PMU))
        describe_pmu(vm, w);
    return w->err;
}
