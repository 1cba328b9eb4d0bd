/*
 * What makes a guest come out, one after the other: each form of load and store on a device, faults, calls,
 * CSRs, floating point across exits. One line a check: "ok NAME" or "not ok NAME"; "forms end" at last.
 */
#include "guest.h"

#define MTIMECMP ((volatile uint64_t *)(ACLINT + 0x4000)) /* 64 bits that read back */
#define PRIORITY ((volatile uint32_t *)(PLIC + 4 * 5))
#define SCRATCH  (UART + 7)
#define HOLE     0x2f000000ul

static volatile uint64_t cause, value, skip, irqs;

static void check(bool ok, const char *name)
{
    put(ok ? "ok " : "not ok ");
    put(name);
    put("\n");
}

/* Expected faults are noted and the instruction left out; a fault of a fetch goes back to its caller (ra in
 * s11). */
uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    (void)at;
    if (scause >> 63) {
        irqs++;
        if ((scause & 63) == 5)
            csr_write(0x14d, UINT64_MAX);
        else if ((scause & 63) == 1)
            csr_clear(sip, 2);
        else
            csr_clear(sie, 1ul << (scause & 63));
        return 0;
    }
    cause = scause;
    value = stval;
    return skip;
}

void guest_hart(uint64_t hart, uint64_t opaque)
{
    *(volatile uint64_t *)opaque = hart + 100;
    sbi(SBI_HSM, 1, 0, 0, 0);
}

#define LOAD(op, address)                                                                                    \
    ({                                                                                                       \
        uint64_t load_value;                                                                                 \
        __asm__ volatile(op " %0, 0(%1)" : "=r"(load_value) : "r"(address) : "memory");                      \
        load_value;                                                                                          \
    })
#define STORE(op, address, x) __asm__ volatile(op " %0, 0(%1)" ::"r"((uint64_t)(x)), "r"(address) : "memory")

static void loads_and_stores(void)
{
    const uint64_t pattern = 0x8182838485868788;

    STORE("sd", MTIMECMP, pattern);
    check(LOAD("ld", MTIMECMP) == pattern, "sd, ld");
    STORE("sw", (char *)MTIMECMP + 4, 0x91929394);
    check(LOAD("lw", (char *)MTIMECMP + 4) == 0xffffffff91929394, "sw, lw");
    check(LOAD("lwu", (char *)MTIMECMP + 4) == 0x91929394, "lwu");
    STORE("sb", SCRATCH, 0xa5);
    check(LOAD("lb", SCRATCH) == 0xffffffffffffffa5, "sb, lb");
    check(LOAD("lbu", SCRATCH) == 0xa5, "lbu");
    STORE("sw", PRIORITY, 7);
    check(LOAD("lw", PRIORITY) == 7, "priority");
    check(LOAD("lh", PRIORITY) == 0 && LOAD("lhu", PRIORITY) == 0, "lh, lhu where words are");
    STORE("sh", SCRATCH, 0x5a5a); /* a register of a byte: the width is the form's, the value the port's */
    check(LOAD("lhu", SCRATCH) == 0x5a, "sh, lhu");
    STORE("sw", (char *)MTIMECMP + 4, 0x7fffffff);
    check(LOAD("lw", (char *)MTIMECMP + 4) == 0x7fffffff, "lw of a positive one");
    __asm__ volatile("sd %0, 2047(%1)\n" ::"r"(pattern), "r"((char *)MTIMECMP - 2047) : "memory");
    check(LOAD("ld", MTIMECMP) == pattern, "sd with an offset");
}

static void compressed_forms(void)
{
    register volatile uint64_t *at __asm__("a5") = MTIMECMP;
    register uint64_t x __asm__("a4") = 0x1122334455667788;

    __asm__ volatile("c.sd %0, 0(%1)" ::"r"(x), "r"(at) : "memory");
    x = 0;
    __asm__ volatile("c.ld %0, 0(%1)" : "=r"(x) : "r"(at) : "memory");
    check(x == 0x1122334455667788, "c.sd, c.ld");
    x = 0xdeadbeef;
    __asm__ volatile("c.sw %0, 4(%1)" ::"r"(x), "r"(at) : "memory");
    x = 0;
    __asm__ volatile("c.lw %0, 4(%1)" : "=r"(x) : "r"(at) : "memory");
    check(x == 0xffffffffdeadbeef, "c.sw, c.lw");
}

/* By sp, which is the device meanwhile: with interrupts off nobody needs the stack. */
#define BY_SP(code, ...) __asm__ volatile("mv t6, sp\nmv sp, %1\n" code "\nmv sp, t6" __VA_ARGS__)

static void compressed_forms_by_sp(void)
{
    uint64_t x = 0x99aabbccddeeff00;

    BY_SP("c.sdsp %0, 0(sp)", : "+r"(x) : "r"(MTIMECMP) : "t6", "memory");
    check(LOAD("ld", MTIMECMP) == x, "c.sdsp");
    BY_SP("c.ldsp %0, 0(sp)", : "=&r"(x) : "r"(MTIMECMP) : "t6", "memory");
    check(x == 0x99aabbccddeeff00, "c.ldsp");
    x = 0x13572468;
    BY_SP("c.swsp %0, 4(sp)", : "+r"(x) : "r"(MTIMECMP) : "t6", "memory");
    check(LOAD("ld", MTIMECMP) == 0x13572468ddeeff00, "c.swsp");
    BY_SP("c.lwsp %0, 0(sp)", : "=&r"(x) : "r"(MTIMECMP) : "t6", "memory");
    check(x == 0xffffffffddeeff00, "c.lwsp");
}

/* Every register as source and as destination; sp, gp and tp are kept aside. */
#define EACH(n)                                                                                              \
    __asm__ volatile("mv t5, x" #n "\nmv t6, %1\nli x" #n ", " #n "\nsb x" #n ", 0(t6)\nli x" #n             \
                     ", 0\nlbu x" #n ", 0(t6)\nmv t6, x" #n "\nmv x" #n ", t5\nmv %0, t6"                    \
                     : "=&r"(x)                                                                              \
                     : "r"(SCRATCH)                                                                          \
                     : "memory", "t5", "t6");                                                                \
    good &= x == n

static void each_register(void)
{
    bool good = true;
    uint64_t x;

    EACH(1);
    EACH(2);
    EACH(3);
    EACH(4);
    EACH(5);
    EACH(6);
    EACH(7);
    EACH(8);
    EACH(9);
    EACH(10);
    EACH(11);
    EACH(12);
    EACH(13);
    EACH(14);
    EACH(15);
    EACH(16);
    EACH(17);
    EACH(18);
    EACH(19);
    EACH(20);
    EACH(21);
    EACH(22);
    EACH(23);
    EACH(24);
    EACH(25);
    EACH(26);
    EACH(27);
    EACH(28);
    EACH(29);
    check(good, "each register");
    x = 1;
    __asm__ volatile("sb zero, 0(%0)\nlbu zero, 0(%0)" ::"r"(SCRATCH) : "memory");
    check(*SCRATCH == 0, "x0");
}

#define FAULT(length, statement)                                                                             \
    do {                                                                                                     \
        cause = value = 0;                                                                                   \
        skip = length;                                                                                       \
        statement;                                                                                           \
    } while (0)
#define RAW(op, ...) __asm__ volatile(".option push\n.option norvc\n" op "\n.option pop" __VA_ARGS__)

static void faults(void)
{
    FAULT(4, RAW("lw t0, 0(%0)", ::"r"(HOLE) : "t0", "memory"));
    check(cause == 5 && value == HOLE, "load where nothing is");
    FAULT(4, RAW("sw t0, 0(%0)", ::"r"(HOLE + 8) : "memory"));
    check(cause == 7 && value == HOLE + 8, "store where nothing is");
    FAULT(4, RAW("amoadd.w t0, t0, (%0)", ::"r"(PRIORITY) : "t0", "memory"));
    check(cause == 7 || cause == 5, "amo on a device"); /* 5: emulators load first when alone */
    FAULT(4, RAW("lr.w t0, (%0)", ::"r"(PRIORITY) : "t0", "memory"));
    check(cause == 5, "lr on a device");
    FAULT(4, RAW("csrr t0, 0x7c0", ::: "t0"));
    check(cause == 2, "no such csr");
    FAULT(4, RAW("csrr t0, mstatus", ::: "t0"));
    check(cause == 2, "csr of machine mode");
    FAULT(4, RAW("csrr t0, 0x600", ::: "t0"));
    check(cause == 2, "csr of the hypervisor");
    FAULT(4, RAW("mret"));
    check(cause == 2, "mret");
    FAULT(4, RAW(".4byte 0xffffffff"));
    check(cause == 2, "illegal instruction");
    FAULT(2, __asm__ volatile("c.ebreak"));
    check(cause == 3, "ebreak");
}

#define LONG 1200000000 /* two minutes: only what hangs takes as long */

/* docs/hypercalls.md */
static void own_calls(void)
{
    check(sbi(SBI_BASE, 1, 0, 0, 0).value == 0x43766d6d, "implementation");
    check(sbi(SBI_BASE, 3, SBI_CARBOVISOR, 0, 0).value != 0, "our extension is there");
    check(sbi(SBI_CARBOVISOR, 0, 0, 0, 0).value == 0x10001, "version of our calls");
    check(sbi(SBI_CARBOVISOR, 1, 0, 0, 0).value == 1, "features of our calls");
    check(sbi(SBI_CARBOVISOR, 2, 0, 0, 0).error == 0, "yield");
    check(sbi(SBI_CARBOVISOR, 3, 1, 2, 3).error == -2, "none of ours");
}

static void calls(void)
{
    static volatile uint64_t came;
    uint64_t t;

    check(sbi(SBI_BASE, 0, 0, 0, 0).value >> 24 == 2, "specification version");
    check(sbi(0x12345678, 0, 0, 0, 0).error == -2, "no such extension");
    check(sbi(SBI_BASE, 99, 0, 0, 0).error == -2, "no such function");
    own_calls();
    check(sbi(SBI_HSM, 0, 99, 0, 0).error == -3, "start of no hart");
    check(sbi(SBI_HSM, 0, 0, (uint64_t)guest_secondary, 0).error == -6, "start of a hart that runs");
    check(!sbi(SBI_HSM, 0, 1, (uint64_t)guest_secondary, (uint64_t)&came).error, "start of a hart");
    for (t = now() + LONG; !came && now() < t;)
        ;
    check(came == 101, "it came with its id and argument");
    for (t = now() + LONG; sbi(SBI_HSM, 2, 1, 0, 0).value != 1 && now() < t;)
        ;
    check(sbi(SBI_HSM, 2, 1, 0, 0).value == 1, "it stopped");
    irqs = 0;
    csr_write(sie, 2);
    csr_set(sstatus, 2);
    sbi(SBI_IPI, 0, 1, 0, 0);
    csr_clear(sstatus, 2);
    check(irqs == 1, "interrupt to itself");
    csr_write(sie, 1 << 5);
    t = now() + 1000;
    sbi(SBI_TIME, 0, t, 0, 0);
    __asm__ volatile("wfi"); /* sip is not looked at: QEMU 7.2 shows no STIP of stimecmp to VS-mode */
    check(now() >= t, "timer by call ends wfi");
    csr_set(sstatus, 2);
    /* Within a bounded time (Priv. 20240411, 3.1.9); an emulator's timers may come after its counter. */
    for (t = now() + LONG; irqs < 2 && now() < t;)
        ;
    csr_clear(sstatus, 2);
    check(irqs == 2, "timer interrupt");
    t = now() + 1000;
    csr_write(0x14d, t);
    check(!sbi(SBI_HSM, 3, 0, 0, 0).error && now() >= t, "suspend until the timer");
    csr_write(0x14d, UINT64_MAX);
}

static void floating_point(void)
{
    uint64_t a, b, flags;

    csr_set(sstatus, 1 << 13);
    __asm__ volatile("fmv.d.x f9, %0\nfmv.d.x f27, %1" ::"r"(0x400921fb54442d18), "r"(0x3ff0000000000000));
    csr_write(fcsr, 0x61);
    put("exits between\n");
    csr_write(0x14d, now() + 20000);
    __asm__ volatile("wfi");
    csr_write(0x14d, UINT64_MAX);
    __asm__ volatile("fmv.x.d %0, f9\nfmv.x.d %1, f27" : "=r"(a), "=r"(b));
    flags = csr_read(fcsr);
    check(a == 0x400921fb54442d18 && b == 0x3ff0000000000000 && flags == 0x61, "f registers across exits");
    csr_clear(sstatus, 3 << 13);
    FAULT(4, RAW(".option arch, +d\nfmv.x.d t0, f9", ::: "t0"));
    check(cause == 2, "fp instruction while FS is off");
    csr_set(sstatus, 1 << 9);
    FAULT(4, RAW(".4byte 0x0d007057")); /* vsetvli zero, zero, e8 */
    csr_clear(sstatus, 3 << 9);
    check(cause == 2, "vector instruction");
    __asm__ volatile("lr.d t0, (%0)" ::"r"(&a) : "t0", "memory");
    FAULT(
        4,
        RAW(".4byte 0x00d00073")); /* wrs.nto: nobody stores, but it ends; illegal where the board has none */
    check(!cause || cause == 2, "wrs.nto ends");
}

static uint64_t fs(void)
{
    return csr_read(sstatus) >> 13 & 3;
}

/* Loads and stores of f registers on devices; the others stay what they are. */
static void fp_forms(void)
{
    uint64_t a, b;

    csr_set(sstatus, 1 << 13);
    csr_write(fcsr, 0x41);
    __asm__ volatile("fmv.d.x f0, %0\nfmv.d.x f31, %1\nfmv.d.x f9, %0" ::"r"(0x1122334455667788),
                     "r"(0x4142434445464748));
    __asm__ volatile("fsd f9, 0(%0)" ::"r"(MTIMECMP) : "memory");
    check(LOAD("ld", MTIMECMP) == 0x1122334455667788, "fsd");
    __asm__ volatile("fsw f31, 4(%0)" ::"r"(MTIMECMP) : "memory");
    check(LOAD("ld", MTIMECMP) == 0x4546474855667788, "fsw");
    csr_clear(sstatus, 1 << 13);
    csr_set(sstatus, 2 << 13);
    check(fs() == 2, "f registers are clean");
    __asm__ volatile("fld f10, 0(%0)" ::"r"(MTIMECMP) : "memory");
    check(fs() == 3, "a load makes them dirty");
    __asm__ volatile("flw f11, 4(%0)" ::"r"(MTIMECMP) : "memory");
    __asm__ volatile("fmv.x.d %0, f10\nfmv.x.d %1, f11" : "=r"(a), "=r"(b));
    check(a == 0x4546474855667788, "fld");
    check(b == 0xffffffff45464748, "flw, in its box");
    __asm__ volatile("fmv.x.d %0, f0\nfmv.x.d %1, f31" : "=r"(a), "=r"(b));
    check(a == 0x1122334455667788 && b == 0x4142434445464748 && csr_read(fcsr) == 0x41,
          "the others are as they were");
    csr_clear(sstatus, 3 << 13);
    FAULT(4, RAW("fld f10, 0(%0)", ::"r"(MTIMECMP) : "memory"));
    check(cause == 2, "fld while FS is off");
    csr_set(sstatus, 1 << 13);
}

static void fp_compressed_forms(void)
{
    register volatile uint64_t *at __asm__("a5") = MTIMECMP;
    uint64_t x;

    __asm__ volatile("fmv.d.x f12, %0\nc.fsd f12, 0(%1)" ::"r"(0x6162636465666768), "r"(at) : "memory");
    check(LOAD("ld", MTIMECMP) == 0x6162636465666768, "c.fsd");
    __asm__ volatile("c.fld f13, 0(%1)\nfmv.x.d %0, f13" : "=r"(x) : "r"(at) : "memory");
    check(x == 0x6162636465666768, "c.fld");
    x = 0x7172737475767778;
    BY_SP("fmv.d.x f14, %0\nc.fsdsp f14, 0(sp)", : "+r"(x) : "r"(MTIMECMP) : "t6", "memory");
    check(LOAD("ld", MTIMECMP) == 0x7172737475767778, "c.fsdsp");
    BY_SP("c.fldsp f29, 0(sp)\nfmv.x.d %0, f29", : "=&r"(x) : "r"(MTIMECMP) : "t6", "memory");
    check(x == 0x7172737475767778, "c.fldsp");
    csr_clear(sstatus, 3 << 13);
}

/* Of half precision, where it is there. */
static void fp_half_forms(void)
{
    static volatile uint16_t half = 0x1234;
    register volatile void *at __asm__("a5") = &half;
    uint64_t x;

    csr_set(sstatus, 1 << 13);
    FAULT(4, RAW(".4byte 0x79487", ::"r"(at) : "memory")); /* flh f9, 0(a5) */
    if (cause != 2) {
        at = SCRATCH;
        *SCRATCH = 0x77;
        RAW(".4byte 0x79487", ::"r"(at) : "memory");
        __asm__ volatile("fmv.x.d %0, f9" : "=r"(x));
        check(x == 0xffffffffffff0077, "flh, in its box");
        __asm__ volatile("fmv.d.x f9, %0" ::"r"(0x66));
        RAW(".4byte 0x979027", ::"r"(at) : "memory"); /* fsh f9, 0(a5) */
        check(*SCRATCH == 0x66, "fsh");
    }
    csr_clear(sstatus, 3 << 13);
}

static uint64_t table[512] __attribute__((aligned(4096)));

static void translation(void)
{
    for (uint64_t i = 0; i < 4; i++)
        table[i] = (i << 28) | 0xcf; /* one to one by gigapages: V R W X A D */
    table[8] = (HOLE >> 12) << 10 | 1;
    csr_write(satp, 8ul << 60 | (uint64_t)table >> 12);
    __asm__ volatile("sfence.vma");
    check(LOAD("lw", PRIORITY) == 7, "device through the guest's own tables");
    FAULT(4, RAW("lw t0, 0(%0)", ::"r"(9ul << 30) : "t0", "memory"));
    check(cause == 13 && value == 9ul << 30, "load page fault");
    FAULT(4, RAW("sw t0, 0(%0)", ::"r"(9ul << 30) : "memory"));
    check(cause == 15, "store page fault");
    FAULT(4, RAW("lw t0, 0(%0)", ::"r"(8ul << 30) : "t0", "memory"));
    check(cause == 5, "page table where nothing is");
    csr_write(satp, 0);
    __asm__ volatile("sfence.vma");
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    loads_and_stores();
    compressed_forms();
    compressed_forms_by_sp();
    each_register();
    faults();
    calls();
    floating_point();
    fp_forms();
    fp_compressed_forms();
    fp_half_forms();
    translation();
    put("forms end\n");
}
