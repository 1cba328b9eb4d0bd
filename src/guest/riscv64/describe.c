/* The /cpus node: what each hart has, its interrupt controller, the topology. */
#include "guest/riscv64/cpu.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"

static void describe_features(const struct riscv_vcpu *r, struct dtw *w)
{
    const char *names[RVF_COUNT];
    char isa[256];
    unsigned n = riscv_features_names(r->features, names, RVF_COUNT);

    riscv_features_isa(r->features, isa, sizeof(isa));
    dtw_prop_str(w, "riscv,isa", isa);
    dtw_prop_str(w, "riscv,isa-base", "rv64i");
    dtw_prop_strlist(w, "riscv,isa-extensions", names, n);
    dtw_prop_str(w, "mmu-type", riscv_features_mmu(r->features));
    if (riscv_has(r, RVF_ZICBOM))
        dtw_prop_u32(w, "riscv,cbom-block-size", RISCV_CBO_BLOCK);
    if (riscv_has(r, RVF_ZICBOZ))
        dtw_prop_u32(w, "riscv,cboz-block-size", RISCV_CBO_BLOCK);
}

static void describe_cpu(const struct vcpu *v, struct dtw *w)
{
    dtw_begin_unit(w, "cpu", v->id);
    dtw_prop_str(w, "device_type", "cpu");
    dtw_prop_u32(w, "reg", v->id);
    dtw_prop_str(w, "status", "okay");
    dtw_prop_str(w, "compatible", "riscv");
    describe_features(container_of(v, struct riscv_vcpu, v), w);
    dtw_prop_u32(w, "phandle", RISCV_PHANDLE_CPU(v->id));
    dtw_begin_node(w, "interrupt-controller");
    dtw_prop_u32(w, "#interrupt-cells", 1);
    dtw_prop_empty(w, "interrupt-controller");
    dtw_prop_str(w, "compatible", "riscv,cpu-intc");
    dtw_prop_u32(w, "phandle", RISCV_PHANDLE_CPU_INTC(v->id));
    dtw_end_node(w);
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
        dtw_prop_u32(w, "cpu", RISCV_PHANDLE_CPU(i));
        dtw_end_node(w);
    }
    dtw_end_node(w);
    dtw_end_node(w);
}

int riscv_describe(struct vm *vm, struct dtw *w)
{
    dtw_begin_node(w, "cpus");
    dtw_prop_u32(w, "#address-cells", 1);
    dtw_prop_u32(w, "#size-cells", 0);
    dtw_prop_u32(w, "timebase-frequency", (uint32_t)clock_counter_hz(vm, RISCV_TIMEBASE_HZ));
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        describe_cpu(vm->vcpu[i], w);
    describe_map(vm, w);
    dtw_end_node(w);
    return w->err;
}
