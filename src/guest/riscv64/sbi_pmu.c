/*
 * Performance monitoring of the built-in SBI (SBI 2.0, chapter 11): cycles and instructions, which run from
 * the start, and counters of what the firmware does for the hart. Counter numbers: the two of hardware, then
 * the firmware's.
 */
#include "core/engine.h"
#include "guest/riscv64/sbi.h"

enum { PMU_CYCLE, PMU_INSTRET, PMU_HARDWARE };
#define PMU_COUNTERS (PMU_HARDWARE + RISCV_FW_COUNTERS)
#define PMU_ALL      (BIT(PMU_COUNTERS) - 1)

static const uint16_t pmu_csr[PMU_HARDWARE] = {RV_CSR_cycle, RV_CSR_instret};

enum { CFG_SKIP_MATCH = 1, CFG_CLEAR = 2, CFG_START = 4, START_SET = 1, STOP_RESET = 1 };
enum { INFO_FIRMWARE = 1 }; /* bit 63 of counter_get_info */

/* event_idx: type in bits 19:16 (11.1). */
enum { EVENT_HARDWARE = 0, EVENT_FIRMWARE = 15 };

/* ---- one counter ---- */

static unsigned hardware_number(unsigned counter)
{
    return pmu_csr[counter] - RV_CSR_cycle;
}

static struct riscv_fw_counter *firmware_counter(struct riscv_vcpu *r, unsigned counter)
{
    return &r->fw_counter[counter - PMU_HARDWARE];
}

static bool is_running(struct riscv_vcpu *r, unsigned counter)
{
    if (counter < PMU_HARDWARE)
        return !(r->mcountinhibit >> hardware_number(counter) & 1);
    return firmware_counter(r, counter)->running;
}

static uint64_t firmware_value(struct riscv_vcpu *r, unsigned counter)
{
    const struct riscv_fw_counter *c = firmware_counter(r, counter);

    return c->value + (c->running ? atomic_load(&r->fw_event[c->event - 1]) : 0);
}

static void counter_put(struct riscv_vcpu *r, unsigned counter, uint64_t value)
{
    if (counter < PMU_HARDWARE)
        riscv_counter_put(r, hardware_number(counter), value);
    else
        firmware_counter(r, counter)->value += value - firmware_value(r, counter);
}

static void counter_run(struct riscv_vcpu *r, unsigned counter, bool run)
{
    struct riscv_fw_counter *c;
    uint64_t bit, value;

    if (is_running(r, counter) == run)
        return;
    if (counter < PMU_HARDWARE) {
        bit = BIT(hardware_number(counter));
        riscv_counters_inhibit(r, run ? r->mcountinhibit & ~bit : r->mcountinhibit | bit);
        return;
    }
    c = firmware_counter(r, counter);
    value = firmware_value(r, counter);
    c->running = run;
    counter_put(r, counter, value);
}

/* ---- the calls ---- */

/* Counters of (base, mask): false where one of them does not exist, or there is none. */
static bool counter_set(const struct riscv_vcpu *r, uint64_t *set)
{
    uint64_t base = sbi_arg(r, 0), mask = sbi_arg(r, 1);

    *set = base < PMU_COUNTERS ? mask << base : 0;
    return *set && *set >> base == mask && !(*set & ~PMU_ALL);
}

/* Has an event been given to it? Those of hardware always have one. */
static bool is_configured(struct riscv_vcpu *r, unsigned counter)
{
    return counter < PMU_HARDWARE || firmware_counter(r, counter)->event;
}

static struct sbi_ret configure(struct riscv_vcpu *r, unsigned counter)
{
    if (sbi_arg(r, 2) & CFG_CLEAR)
        counter_put(r, counter, 0);
    if (sbi_arg(r, 2) & CFG_START)
        counter_run(r, counter, true);
    return sbi_ok(counter);
}

/* On hardware the guest's exceptions go where it has them go, and nobody counts. Nothing here is misaligned
 * for firmware to perform, but exceptions of these kinds there are; of hypervisors' fences there are none. */
static bool firmware_counts(struct riscv_vcpu *r, uint64_t code)
{
    return code < RV_SBI_FW_EVENTS && (code > RV_SBI_FW_ILLEGAL_INSN || !r->v.vm->engine->hardware);
}

/* The first of the set that has no event yet. */
static struct sbi_ret match_firmware(struct riscv_vcpu *r, uint64_t set, uint64_t code)
{
    if (!firmware_counts(r, code))
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    for (unsigned i = PMU_HARDWARE; i < PMU_COUNTERS; i++) {
        if (!(set >> i & 1) || is_configured(r, i))
            continue;
        firmware_counter(r, i)->event = (uint32_t)code + 1;
        return configure(r, i);
    }
    return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
}

static struct sbi_ret config_matching(struct riscv_vcpu *r)
{
    uint64_t set, event = sbi_arg(r, 3);
    unsigned counter;

    if (!counter_set(r, &set))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    if (sbi_arg(r, 2) & CFG_SKIP_MATCH) {
        counter = (unsigned)__builtin_ctzll(set);
        return is_configured(r, counter) ? configure(r, counter) : sbi_error(RV_SBI_ERR_INVALID_PARAM);
    }
    if (event >> 16 == EVENT_FIRMWARE)
        return match_firmware(r, set, event & 0xffff);
    if (event != 1 && event != 2) /* hardware general events: CPU_CYCLES, INSTRUCTIONS */
        return sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
    counter = event == 1 ? PMU_CYCLE : PMU_INSTRET;
    return set >> counter & 1 ? configure(r, counter) : sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
}

/* One that runs keeps its value. Nothing starts where one has no event. */
static struct sbi_ret counter_start(struct riscv_vcpu *r)
{
    uint64_t set, left;
    bool stood = true;

    if (!counter_set(r, &set))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    for (left = set; left; left &= left - 1) {
        if (!is_configured(r, (unsigned)__builtin_ctzll(left)))
            return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    }
    for (left = set; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);

        stood &= !is_running(r, i);
        if (sbi_arg(r, 2) & START_SET && !is_running(r, i))
            counter_put(r, i, sbi_arg(r, 3));
        counter_run(r, i, true);
    }
    return stood ? sbi_ok(0) : sbi_error(RV_SBI_ERR_ALREADY_STARTED);
}

/* Also those without an event: kernels begin by stopping all that there are. */
static struct sbi_ret counter_stop(struct riscv_vcpu *r)
{
    uint64_t set;
    bool ran = true;

    if (!counter_set(r, &set))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    for (; set; set &= set - 1) {
        unsigned i = (unsigned)__builtin_ctzll(set);

        ran &= is_running(r, i);
        counter_run(r, i, false);
        if (sbi_arg(r, 2) & STOP_RESET && i >= PMU_HARDWARE)
            firmware_counter(r, i)->event = 0;
    }
    return ran ? sbi_ok(0) : sbi_error(RV_SBI_ERR_ALREADY_STOPPED);
}

/* CSR number, width - 1 above it; of the firmware's counters the type alone counts. */
static struct sbi_ret get_info(struct riscv_vcpu *r)
{
    uint64_t i = sbi_arg(r, 0);

    if (i >= PMU_COUNTERS)
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    return sbi_ok(i < PMU_HARDWARE ? pmu_csr[i] | 63u << 12 : (uint64_t)INFO_FIRMWARE << 63);
}

static struct sbi_ret fw_read(struct riscv_vcpu *r)
{
    uint64_t i = sbi_arg(r, 0);

    if (i < PMU_HARDWARE || i >= PMU_COUNTERS || !is_configured(r, (unsigned)i))
        return sbi_error(RV_SBI_ERR_INVALID_PARAM);
    return sbi_ok(firmware_value(r, (unsigned)i));
}

/* What is above 64 bits (11.12). */
static struct sbi_ret fw_read_hi(struct riscv_vcpu *r)
{
    struct sbi_ret ret = fw_read(r);

    ret.value = 0;
    return ret;
}

struct sbi_ret riscv_sbi_pmu(struct riscv_vcpu *r, uint64_t fid)
{
    static struct sbi_ret (*const call[])(struct riscv_vcpu * r) = {
        [1] = get_info,     [2] = config_matching, [3] = counter_start,
        [4] = counter_stop, [5] = fw_read,         [6] = fw_read_hi,
    };

    if (fid == 0)
        return sbi_ok(PMU_COUNTERS);
    return fid < ARRAY_SIZE(call) ? call[fid](r) : sbi_error(RV_SBI_ERR_NOT_SUPPORTED);
}
