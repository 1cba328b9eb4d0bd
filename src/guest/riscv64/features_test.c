/* CPU specs, ISA strings, and the /cpus node. */
#include "guest/riscv64/hart_test.h"
#include "isa/riscv64/decode.h"
#include "lib/fdt.h"

static void parsing(void **state)
{
    char why[128];
    uint64_t f, all;

    (void)state;
    assert_int_equal(riscv_features_parse(NULL, &all, why, sizeof(why)), 0);
    assert_int_equal(riscv_features_parse("max", &f, why, sizeof(why)), 0);
    assert_int_equal(f, all);
    assert_int_equal(riscv_features_parse("max,-zba,-sv57", &f, why, sizeof(why)), 0);
    assert_int_equal(f, all & ~(BIT(RVF_ZBA) | BIT(RVF_SV57)));
    assert_string_equal(riscv_features_mmu(f), "riscv,sv48");
    assert_int_equal(riscv_features_mode(f), RISCV_MODE_NO_EXT(RV_EXT_ZBA));
    assert_int_equal(riscv_features_parse("rv64gc,+zfh", &f, why, sizeof(why)), 0);
    assert_true(f >> RVF_ZFHMIN & 1);
}

static void refused(void **state)
{
    static const struct {
        const char *spec, *reason;
    } bad[] = {
        {"mx", "cpu: 'mx' is no riscv64 model; the nearest is 'max'"},
        {"host", "cpu: 'host' is no riscv64 model; known: max, rv64gc, sifive-u74"},
        {"max,+zbaa", "cpu: feature 'zbaa' is unknown; the nearest is 'zba'"},
        {"max,zba", "cpu: 'zba' follows the model; write +zba or -zba"},
        {"max,-f,-zfhmin,-zfh", "cpu: d needs f; add +f or -d"},
        {"max,-i", "cpu: i belongs to every riscv64 model and cannot be removed; leave out -i"},
        {"max,-zba,-m", "cpu: m belongs to every riscv64 model and cannot be removed; leave out -m"},
        {"max,-a", "cpu: a belongs to every riscv64 model and cannot be removed; leave out -a"},
        {"max,-zicsr", "cpu: zicsr belongs to every riscv64 model and cannot be removed; leave out -zicsr"},
        {"max,,", "cpu: a feature is missing after a comma; write +FEATURE or -FEATURE"},
        {"max,+", "cpu: a feature is missing after a comma; write +FEATURE or -FEATURE"},
    };
    char why[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(riscv_cpu_check(bad[i].spec, why, sizeof(why)), -22);
        assert_string_equal(why, bad[i].reason);
    }
}

static void isa_string(void **state)
{
    char isa[256], why[128];
    uint64_t f;

    (void)state;
    riscv_features_parse("rv64gc", &f, why, sizeof(why));
    riscv_features_isa(f, isa, sizeof(isa));
    assert_string_equal(isa, "rv64imafdc_zicntr_zicsr_zifencei_zihpm");
    assert_int_equal(riscv_features_misa(f), UINT64_C(0x800000000014112d));
    assert_int_equal(riscv_features_satp_modes(f), 0x101);
    riscv_features_isa(f, isa, 12); /* cut, but terminated */
    assert_string_equal(isa, "rv64imafdc_");
}

/* No model has V, and only hardware can. */
static void vector(void **state)
{
    const struct engine_ops software = {.name = "interp", .software = true};
    const struct engine_ops hardware = {.name = "bare", .hardware = true};
    char isa[256], why[128];
    uint64_t f;

    (void)state;
    for (unsigned i = 0; riscv_cpu_models[i]; i++) {
        assert_int_equal(riscv_features_parse(riscv_cpu_models[i], &f, why, sizeof(why)), 0);
        assert_false(f >> RVF_V & 1);
        assert_int_equal(riscv_cpu_given(riscv_cpu_models[i], &software, why, sizeof(why)), 0);
    }
    assert_int_equal(riscv_cpu_given(NULL, &software, why, sizeof(why)), 0);
    assert_int_equal(riscv_features_parse("rv64gc,+v", &f, why, sizeof(why)), 0);
    riscv_features_isa(f, isa, sizeof(isa));
    assert_string_equal(isa, "rv64imafdcv_zicntr_zicsr_zifencei_zihpm");
    assert_true(riscv_features_misa(f) & RV_MISA_EXT('V'));
    assert_int_equal(riscv_cpu_given("rv64gc,+v", &hardware, why, sizeof(why)), 0);
    assert_int_equal(riscv_cpu_given("rv64gc,+v", &software, why, sizeof(why)), -95);
    assert_string_equal(
        why, "cpu: engine interp has no vector registers, only CPUs have, in the bare form; leave out +v");
    assert_int_equal(riscv_cpu_given("rv64gc,+v,-v", &software, why, sizeof(why)), 0);
    assert_int_equal(riscv_cpu_check("max,+v,-d", why, sizeof(why)), -22);
    assert_string_equal(why, "cpu: v needs d; add +d or -v");
}

static void describe(void **state)
{
    struct vm *vm = test_vm("max", 2, NULL, NULL);
    static uint8_t blob[16384];
    struct dtw w;
    struct dtb d;
    size_t size;
    uint32_t cell;
    dtb_node n;

    (void)state;
    dtw_init(&w, blob, sizeof(blob));
    dtw_begin_node(&w, "");
    assert_int_equal(riscv_describe(vm, &w), 0);
    dtw_end_node(&w);
    assert_int_equal(dtw_finish(&w, &size), 0);
    assert_int_equal(dtb_open(&d, blob, size), 0);
    n = dtb_path(&d, "/cpus/cpu@1");
    assert_true(n != DTB_NONE);
    assert_string_equal(dtb_str(&d, n, "mmu-type"), "riscv,sv57");
    assert_string_equal(dtb_str(&d, n, "riscv,isa-base"), "rv64i");
    assert_int_equal(dtb_u32(&d, n, "riscv,cboz-block-size", 0, &cell), 0);
    assert_int_equal(cell, 64);
    n = dtb_path(&d, "/cpus/cpu@1/interrupt-controller");
    assert_int_equal(dtb_u32(&d, n, "phandle", 0, &cell), 0);
    assert_int_equal(cell, RISCV_PHANDLE_CPU_INTC(1));
    n = dtb_path(&d, "/cpus");
    assert_int_equal(dtb_u32(&d, n, "timebase-frequency", 0, &cell), 0);
    assert_int_equal(cell, RISCV_TIMEBASE_HZ);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing), cmocka_unit_test(refused),  cmocka_unit_test(isa_string),
        cmocka_unit_test(vector),  cmocka_unit_test(describe),
    };

    return cmocka_run_group_tests_name("riscv64/features", tests, NULL, NULL);
}
