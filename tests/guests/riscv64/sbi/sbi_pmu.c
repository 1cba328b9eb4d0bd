/*
 * The SBI's performance counters (SBI 2.0, chapter 11) and what S-mode reads of them: which there are,
 * matching, start with and without a value, stop, errors, and that they count what they say.
 */
#include "sbi.h"

#define PMU 0x504d55UL
enum { NUM_COUNTERS, GET_INFO, CONFIG_MATCHING, START, STOP, FW_READ, FW_READ_HI };
#define EVENT_CYCLES       1UL
#define EVENT_INSTRUCTIONS 2UL
#define SKIP_MATCH         1UL
#define CLEAR_VALUE        2UL
#define AUTO_START         4UL
#define START_SET          1UL

#define NOT_SUPPORTED   (-2)
#define INVALID_PARAM   (-3)
#define ALREADY_STARTED (-7)
#define ALREADY_STOPPED (-8)

static u64 counters, all; /* how many, and those of hardware as a mask */
static u64 firmware;      /* the firmware's own */

static struct sbiret pmu(u64 fid, u64 a, u64 b, u64 c, u64 d, u64 e)
{
    return sbi(PMU, fid, a, b, c, d, e);
}

static u64 counter_csr(u64 csr)
{
    switch (csr) {
#define ROW(n)                                                                                               \
    case n:                                                                                                  \
        return csr_read(#n)
        ROW(0xc00);
        ROW(0xc02);
        ROW(0xc03);
        ROW(0xc04);
        ROW(0xc05);
        ROW(0xc06);
        ROW(0xc07);
        ROW(0xc08);
        ROW(0xc09);
        ROW(0xc0a);
        ROW(0xc0b);
        ROW(0xc0c);
        ROW(0xc0d);
        ROW(0xc0e);
        ROW(0xc0f);
        ROW(0xc10);
        ROW(0xc11);
        ROW(0xc12);
    default:
        return 0;
    }
}

static void which(void)
{
    struct sbiret r = pmu(NUM_COUNTERS, 0, 0, 0, 0, 0);
    u64 seen = 0;

    section("SBI PMU: which counters");
    check("num_counters", (u64)r.error, 0);
    counters = r.value;
    check_true("two at least", counters >= 2 && counters < 64);
    for (u64 i = 0; i < counters; i++) {
        r = pmu(GET_INFO, i, 0, 0, 0, 0);
        if (r.error && under_reference())
            continue; /* the place of time */
        check("get_info", (u64)r.error, 0);
        if (r.value >> 63) {
            firmware |= 1UL << i;
            continue;
        }
        all |= 1UL << i;
        check_true("a CSR of user counters", (r.value & 0xfff) >= 0xc00 && (r.value & 0xfff) < 0xc20);
        check_true("wide enough", (r.value >> 12 & 63) >= 31);
        seen |= 1UL << (r.value & 31);
    }
    check("cycle and instret", seen & 5, 5);
    check("time is none of them", seen & 2, 0);
    /* they may run when the program begins */
    pmu(STOP, 0, all, 1, 0, 0);
    check("one too many", (u64)pmu(GET_INFO, counters, 0, 0, 0, 0).error, (u64)INVALID_PARAM);
    check("far too many", (u64)pmu(GET_INFO, ~0UL, 0, 0, 0, 0).error, (u64)INVALID_PARAM);
    check("no such function", (u64)pmu(99, 0, 0, 0, 0, 0).error, (u64)NOT_SUPPORTED);
}

/* A loop of 2 * n instructions and a few. */
static void work(u64 n)
{
    asm volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(n));
}

static void counting(u64 event, const char *name)
{
    struct sbiret r;
    u64 csr, n, before;

    section(name);
    r = pmu(CONFIG_MATCHING, 0, all, CLEAR_VALUE, event, 0);
    check("config_matching", (u64)r.error, 0);
    n = r.value;
    check_true("a counter of the mask", all >> n & 1);
    csr = pmu(GET_INFO, n, 0, 0, 0, 0).value & 0xfff;
    gap_begin("OpenSBI 1.1 does not stop these two on QEMU 7.2");
    check("not started: stands at 0", counter_csr(csr), 0);
    work(1000);
    check("still", counter_csr(csr), 0);
    check("stop what stands", (u64)pmu(STOP, n, 1, 0, 0, 0).error, (u64)ALREADY_STOPPED);
    gap_end();
    check("start at a value", (u64)pmu(START, n, 1, START_SET, 1000000, 0).error, 0);
    before = counter_csr(csr);
    check_true("from there", before >= 1000000 && before < 2000000);
    work(100000);
    gap_begin("without -icount QEMU counts host time");
    check_true("counts", counter_csr(csr) - before >= 200000);
    gap_end();
    check("start what runs", (u64)pmu(START, n, 1, 0, 0, 0).error, (u64)ALREADY_STARTED);
    check("stop", (u64)pmu(STOP, n, 1, 0, 0, 0).error, 0);
    before = counter_csr(csr);
    work(10000);
    gap_begin("OpenSBI 1.1 does not stop these two on QEMU 7.2");
    check("stands", counter_csr(csr), before);
    gap_end();
    check("start where it stood", (u64)pmu(START, n, 1, 0, 0, 0).error, 0);
    check_true("goes on", counter_csr(csr) >= before && counter_csr(csr) < before + 1000000000);
    check("stop and reset", (u64)pmu(STOP, n, 1, 1, 0, 0).error, 0);
    r = pmu(CONFIG_MATCHING, 0, all, CLEAR_VALUE | AUTO_START, event, 0);
    check("config and start", (u64)r.error, 0);
    csr = pmu(GET_INFO, r.value, 0, 0, 0, 0).value & 0xfff;
    before = counter_csr(csr);
    work(1000);
    check_true("counts at once", counter_csr(csr) > before);
    check("stop and reset", (u64)pmu(STOP, r.value, 1, 1, 0, 0).error, 0);
}

static void errors(void)
{
    section("SBI PMU: errors");
    gap_begin("OpenSBI 1.1");
    check("no counter named", (u64)pmu(CONFIG_MATCHING, 0, 0, 0, EVENT_CYCLES, 0).error, (u64)INVALID_PARAM);
    check("base too high", (u64)pmu(CONFIG_MATCHING, 64, 1, 0, EVENT_CYCLES, 0).error, (u64)INVALID_PARAM);
    check("a bit beyond 64", (u64)pmu(STOP, 1, 1UL << 63 | 1, 0, 0, 0).error, (u64)INVALID_PARAM);
    check("nothing but such", (u64)pmu(STOP, 1, 1UL << 63, 0, 0, 0).error, (u64)INVALID_PARAM);
    gap_end();
    check_true("no event", pmu(CONFIG_MATCHING, 0, all, 0, 0, 0).error < 0);
    check("event type 5", (u64)pmu(CONFIG_MATCHING, 0, all, 0, 5UL << 16 | 1, 0).error, (u64)NOT_SUPPORTED);
    check("start none", (u64)pmu(START, counters, 1, 0, 0, 0).error, (u64)INVALID_PARAM);
    check("stop none", (u64)pmu(STOP, counters, 1, 0, 0, 0).error, (u64)INVALID_PARAM);
}

/* Without Sscofpmf there is no scountovf; with it, nothing has overflown. */
static void overflow(void)
{
    struct result r;

    section("scountovf");
    vm_new(3);
    vm_map(TVA, (u64)code_one(INSN_CSRR(0xda0, 10)), 0, PTE_V | PTE_R | PTE_X | PTE_AD);
    check_true("Sv39", vm_on());
    r = acc_call(TVA);
    vm_off();
    check_true("illegal, or zero", r.fault == C_ILLEGAL + 1 || (!r.fault && !r.value));
}

/* ---- firmware events (11.4.4) ---- */

#define FW(event) (15UL << 16 | (event))
enum {
    MISALIGNED_LOAD,
    ILLEGAL_INSN = 4,
    SET_TIMER,
    IPI_SENT,
    IPI_RECEIVED,
    FENCE_I_SENT,
    FENCE_I_RECEIVED,
    SFENCE_SENT,
    SFENCE_RECEIVED,
    SFENCE_ASID_SENT,
    SFENCE_ASID_RECEIVED,
    FW_EVENTS
};
#define HARTS    4
#define SBI_TIME 0x54494d45UL
#define SBI_IPI  0x735049UL

static void set_timer(void)
{
    sbi(SBI_TIME, 0, ~0UL, 0, 0, 0, 0);
}

static u64 fw_read(u64 n)
{
    return pmu(FW_READ, n, 0, 0, 0, 0).value;
}

static void firmware_one(void)
{
    struct sbiret r;
    u64 n;

    section("SBI PMU: a firmware counter");
    check_true("there are some", firmware != 0);
    r = pmu(CONFIG_MATCHING, 0, firmware, CLEAR_VALUE, FW(SET_TIMER), 0);
    check("config_matching", (u64)r.error, 0);
    n = r.value;
    check_true("a counter of the mask", firmware >> n & 1);
    set_timer();
    check("not started", fw_read(n), 0);
    check("start at a value", (u64)pmu(START, n, 1, START_SET, 50, 0).error, 0);
    set_timer();
    set_timer();
    check("two more", fw_read(n), 52);
    gap_begin("OpenSBI 1.1 has one value an event, and is of SBI 1.0");
    check("start what runs", (u64)pmu(START, n, 1, 0, 0, 0).error, (u64)ALREADY_STARTED);
    check("and at a value", (u64)pmu(START, n, 1, START_SET, 7, 0).error, (u64)ALREADY_STARTED);
    check("keeps its own", fw_read(n), 52);
    r = pmu(CONFIG_MATCHING, 0, firmware, CLEAR_VALUE | AUTO_START, FW(SET_TIMER), 0);
    check("a second one", (u64)r.error, 0);
    check_true("is another", r.value != n && firmware >> r.value & 1);
    set_timer();
    check("counts from 0", fw_read(r.value), 1);
    check("beside the first", fw_read(n), 53);
    check("stop and reset", (u64)pmu(STOP, r.value, 1, 1, 0, 0).error, 0);
    check("stop", (u64)pmu(STOP, n, 1, 0, 0, 0).error, 0);
    check("stop what stands", (u64)pmu(STOP, n, 1, 0, 0, 0).error, (u64)ALREADY_STOPPED);
    set_timer();
    check("stands", fw_read(n), 53);
    check("goes on", (u64)pmu(START, n, 1, 0, 0, 0).error, 0);
    set_timer();
    check("from there", fw_read(n), 54);
    r = pmu(FW_READ_HI, n, 0, 0, 0, 0);
    check("nothing above 64 bits", (u64)r.error | r.value, 0);
    check("stop and reset", (u64)pmu(STOP, n, 1, 1, 0, 0).error, 0);
    check("hardware's are not read so", (u64)pmu(FW_READ, 0, 0, 0, 0, 0).error, (u64)INVALID_PARAM);
    check("nor what is not there", (u64)pmu(FW_READ, counters, 0, 0, 0, 0).error, (u64)INVALID_PARAM);
    check_true("no such event", pmu(CONFIG_MATCHING, 0, firmware, 0, FW(99), 0).error < 0);
    gap_end();
    check("hardware's count no such", (u64)pmu(CONFIG_MATCHING, 0, all, 0, FW(SET_TIMER), 0).error,
          (u64)NOT_SUPPORTED);
}

static volatile u64 events[HARTS][FW_EVENTS];

/* Each hart counts for itself; the one that booted, number 0 or any, sends to all others. */
void sbi_job(u64 hart)
{
    u64 n[FW_EVENTS], others;

    for (u64 e = ILLEGAL_INSN; e < FW_EVENTS; e++)
        n[e] = pmu(CONFIG_MATCHING, 0, firmware, CLEAR_VALUE | AUTO_START, FW(e), 0).value;
    sbi_meet(HARTS, hart);
    others = ((1UL << HARTS) - 1) & ~(1UL << hart);
    if (hart == sbi_boot_hart()) {
        for (u64 i = 0; i < 5; i++)
            sbi(SBI_RFENCE, 0, others, 0, 0, 0, 0);
        for (u64 i = 0; i < 6; i++)
            sbi(SBI_RFENCE, 1, others, 0, 0x1000, 0x1000, 0);
        for (u64 i = 0; i < 7; i++)
            sbi(SBI_RFENCE, 2, others, 0, 0, ~0UL, 3);
        sbi(SBI_IPI, 0, others, 0, 0, 0, 0);
    }
    sbi_meet(HARTS, hart);
    csr_write("sip", 0);
    for (u64 e = ILLEGAL_INSN; e < FW_EVENTS; e++)
        events[hart][e] = fw_read(n[e]);
    pmu(STOP, 0, firmware, 1, 0, 0);
}

static void firmware_harts(void)
{
    static const u64 sent[FW_EVENTS] = {
        [IPI_SENT] = 3, [FENCE_I_SENT] = 15, [SFENCE_SENT] = 18, [SFENCE_ASID_SENT] = 21};
    static const u64 received[FW_EVENTS] = {
        [IPI_RECEIVED] = 1, [FENCE_I_RECEIVED] = 5, [SFENCE_RECEIVED] = 6, [SFENCE_ASID_RECEIVED] = 7};

    section("SBI PMU: what harts send each other");
    sbi_run(HARTS);
    gap_begin("OpenSBI 1.1 counts requests, and sends IPIs for fences");
    for (u64 h = 0; h < HARTS; h++) {
        int sender = h == sbi_boot_hart();

        for (u64 e = ILLEGAL_INSN; e < FW_EVENTS; e++)
            if (!check("events", events[h][e], sender ? sent[e] : received[e]))
                note("event", e);
    }
    gap_end();
}

void sbi_test(void)
{
    which();
    counting(EVENT_CYCLES, "SBI PMU: cycles");
    counting(EVENT_INSTRUCTIONS, "SBI PMU: instructions");
    errors();
    firmware_one();
    firmware_harts();
    overflow();
}
