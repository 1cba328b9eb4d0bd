/* CSR instructions (chapter 7), FP CSRs and mstatus.FS (20.2, 3.1.6.6), counters (chapter 8). */
#include "vm.h"

static void forms(void)
{
    u64 r;

    section("csr read, write, set, clear");
    for (int i = 0; i < 300; i++) {
        csr_write("sscratch", 0x123456789abcdef0);
        asm volatile("csrrw %0, sscratch, %1" : "=r"(r) : "r"(0xff00ff00ff00ff00UL));
        check("csrrw old", r, 0x123456789abcdef0);
        asm volatile("csrrs %0, sscratch, %1" : "=r"(r) : "r"(0xffUL));
        check("csrrs old", r, 0xff00ff00ff00ff00UL);
        asm volatile("csrrc %0, sscratch, %1" : "=r"(r) : "r"(0xff0UL));
        check("csrrc old", r, 0xff00ff00ff00ffffUL);
        check("after clear", csr_read("sscratch"), 0xff00ff00ff00f00fUL);
        asm volatile("csrrwi %0, sscratch, 21" : "=r"(r));
        check("csrrwi old", r, 0xff00ff00ff00f00fUL);
        asm volatile("csrrsi %0, sscratch, 10" : "=r"(r));
        check("csrrsi old", r, 21);
        asm volatile("csrrci %0, sscratch, 17" : "=r"(r));
        check("csrrci old", r, 31);
        check("after all", csr_read("sscratch"), 14);
        asm volatile("li %0, 99\n csrrw %0, sscratch, %0" : "=r"(r));
        check("rd = rs1", r, 14);
        check("rd = rs1 written", csr_read("sscratch"), 99);
        asm volatile("csrrw zero, sscratch, zero");
        check("zero", csr_read("sscratch"), 0);
    }
}

static void read_only(void)
{
    section("read-only and missing CSRs");
    /* csrrs/csrrc with x0 and csrr{s,c}i with 0 do not write */
    static const u32 fine[] = {0xf1402573, 0xf1403573, 0xf1406573, 0xf1407573};
    for (u64 i = 0; i < COUNT(fine); i++)
        check_return("mhartid read", run(MODE_M, code_one(fine[i]), 1, 0), 0);
    /* any other form writes, whatever the value */
    static const u32 bad[] = {0xf1401073, 0xf1459573 | 2 << 12, 0xf140e573 | 1 << 15,
                              0xf1405573, 0xf145a573,           0xf145b573};
    for (u64 i = 0; i < COUNT(bad); i++)
        check_gap("mhartid write", run(MODE_M, code_one(bad[i]), 0, 0).cause, C_ILLEGAL,
                  "7.1: csrrs with rs1 other than x0 writes; QEMU 7.2 looks at the value");
    static const u32 missing[] = {0x000, 0x004, 0x041, 0x0ff, 0x100 - 1, 0x181,
                                  0x5a9, 0x7ff, 0x800, 0x9ff, 0xbc0,     0xfff};
    for (u64 i = 0; i < COUNT(missing); i++)
        check("missing", run(MODE_M, code_one(INSN_CSRR(missing[i], 10)), 0, 0).cause, C_ILLEGAL);
    /* mvendorid, marchid, mimpid, mhartid, mconfigptr always readable */
    for (u32 c = 0xf11; c <= 0xf15; c++)
        check("machine information", run(MODE_M, code_one(INSN_CSRR(c, 10)), 0, 0).by, 0);
    check("mhartid", csr_read("mhartid"), 0);
    u64 misa = csr_read("misa");
    check("misa.MXL", misa >> 62, 2);
    for (const char *c = "ACDFIMSU"; *c; c++)
        check("misa extension", misa >> (*c - 'A') & 1, 1);
}

#define FP(s) asm volatile(".option push\n .option arch, +f, +d\n" s "\n .option pop" ::: "memory")

static void fp_csrs(void)
{
    section("fcsr, frm, fflags");
    for (u64 i = 0; i < 256; i++) {
        csr_write("fcsr", i);
        check("frm", csr_read("frm"), i >> 5);
        check("fflags", csr_read("fflags"), i & 31);
        csr_write("fflags", ~i & 31);
        check("fcsr", csr_read("fcsr"), (i & 0xe0) | (~i & 31));
        csr_write("frm", ~i >> 5 & 7);
        check("fcsr of frm", csr_read("fcsr"), ~i & 255);
        csr_write("fcsr", i | ~255UL);
        check("upper bits", csr_read("fcsr") & 255, i);
    }
    csr_write("fcsr", 0);
    /* flags accumulate: 1/0 then 1/3 */
    FP("li t0, 1\n fcvt.d.w fa0, t0\n fcvt.d.w fa1, zero\n fdiv.d fa2, fa0, fa1\n li t0, 3\n fcvt.d.w fa1, "
       "t0\n"
       "fdiv.d fa2, fa0, fa1");
    check("accumulated", csr_read("fflags"), 8 | 1);
    csr_write("fcsr", 0);
}

static u64 fs(void)
{
    return csr_read("mstatus") >> 13 & 3;
}

static void fs_set(u64 v)
{
    csr_clear("mstatus", MS_FS);
    csr_set("mstatus", v << 13);
}

static void fp_state(void)
{
    static const u32 insns[] = {
        0x00053507, /* fld fa0, 0(a0) */
        0x00052507, /* flw */
        0x00a53027, /* fsd fa0, 0(a0) */
        0x02a57553, /* fadd.d */
        0xe2050553, /* fmv.x.d a0, fa0 */
        0xf2050553, /* fmv.d.x */
        0xa2a52553, /* feq.d */
        INSN_CSRR(3, 10), INSN_CSRR(1, 10), INSN_CSRR(2, 10), INSN_CSRW(3, 0),
    };

    section("mstatus.FS");
    for (u64 i = 0; i < COUNT(insns); i++) {
        fs_set(0);
        struct trap t = run(MODE_M, code_one(insns[i]), SCRATCH, 0);
        check("off: illegal", t.by ? t.cause : 0, C_ILLEGAL);
        check("off: stays", fs(), 0);
        fs_set(1);
        t = run(MODE_M, code_one(insns[i]), SCRATCH, 0);
        check("initial: runs", t.by, 0);
    }
    check("SD off", (fs_set(0), csr_read("mstatus") >> 63), 0);
    check("SD initial", (fs_set(1), csr_read("mstatus") >> 63), 0);
    check("SD clean", (fs_set(2), csr_read("mstatus") >> 63), 0);
    check("SD dirty", (fs_set(3), csr_read("mstatus") >> 63), 1);
    check("sstatus.SD", csr_read("sstatus") >> 63, 1);
    for (u64 s = 1; s < 3; s++) {
        fs_set(s);
        FP("fmv.d.x fa0, zero");
        check("register write makes dirty", fs(), 3);
        fs_set(s);
        FP("la t0, run_stacks\n fld fa0, 0(t0)");
        check("load makes dirty", fs(), 3);
        fs_set(s);
        csr_write("fcsr", 0);
        check("csr write makes dirty", fs(), 3);
        fs_set(s);
        FP("fmv.d.x fa0, zero\n fmv.d.x fa1, zero");
        fs_set(s);
        /* flags change without a register write: feq of a signalling NaN */
        FP("li t0, 1\n slli t0, t0, 51\n li t1, 0x7ff\n slli t1, t1, 52\n srli t0, t0, 1\n or t1, t1, t0\n"
           "fmv.d.x fa0, t1");
        fs_set(s);
        FP("feq.d t0, fa0, fa0");
        check_gap("new flags make dirty", fs(), 3, "3.1.6.6: fcsr changed; QEMU 7.2 overlooks flags");
        check("NV", csr_read("fflags") & 16, 16);
    }
    fs_set(3);
    csr_write("fcsr", 0);
}

static void rounding(void)
{
    section("reserved rounding modes");
    /* fadd.d fa0, fa0, fa0 with static rm 5, 6, and dynamic with frm 5, 6, 7 */
    for (u32 rm = 5; rm < 7; rm++)
        check("static", run(MODE_M, code_one(0x02a50553 | rm << 12), 0, 0).cause, C_ILLEGAL);
    for (u32 rm = 0; rm < 8; rm++) {
        csr_write("frm", rm);
        struct trap t = run(MODE_M, code_one(0x02a57553), 0, 0);
        check("dynamic", t.by ? t.cause : 0, rm > 4 ? C_ILLEGAL : 0);
        t = run(MODE_M, code_one(0xd2057553), 0,
                0); /* fcvt.d.w with dynamic rm is exact, yet rm is read: either */
        check_true("exact conversion", t.by == 0 || t.cause == C_ILLEGAL);
        t = run(MODE_M, code_one(0x22a50553), 0, 0); /* fsgnj.d does not round */
        check("no rounding", t.by, 0);
    }
    csr_write("fcsr", 0);
}

#define GAP_INSTRET "8.1.1: counts instructions; QEMU without -icount counts host ticks"

static void counters(void)
{
    u64 a, b;

    section("counters");
    asm volatile("csrr %0, minstret\n nop\n nop\n nop\n csrr %1, minstret" : "=&r"(a), "=&r"(b));
    check_gap("instret of four", b - a, 4, GAP_INSTRET);
    asm volatile("csrr %0, instret\n nop\n csrr %1, instret" : "=&r"(a), "=&r"(b));
    check_gap("instret of two", b - a, 2, GAP_INSTRET);
    asm volatile("csrr %0, minstret\n li t0, 1000\n 1: addi t0, t0, -1\n bnez t0, 1b\n csrr %1, minstret"
                 : "=&r"(a), "=&r"(b)::"t0");
    check_gap("instret of a loop", b - a, 2002, GAP_INSTRET);
    /* a write takes effect after the writing instruction, which is not counted into it (3.1.11) */
    asm volatile("csrw minstret, %1\n csrr %0, minstret" : "=r"(a) : "r"(5000));
    check_gap("minstret written", a, 5000, GAP_INSTRET);
    asm volatile("csrr %0, cycle\n nop\n csrr %1, cycle" : "=&r"(a), "=&r"(b));
    check_true("cycle does not run backwards", b >= a);
    a = csr_read("time");
    for (volatile int i = 0; i < 10000; i++)
        ;
    check_true("time runs on", csr_read("time") > a);
    a = csr_read("time");
    check_true("time is mtime", peek64(0x200bff8) - a < 1000000);
    u64 inhibit = csr_swap("mcountinhibit", 5);
    if (csr_read("mcountinhibit") == 5) {
        a = csr_read("minstret");
        b = csr_read("mcycle");
        for (volatile int i = 0; i < 100; i++)
            ;
        check_gap("minstret inhibited", csr_read("minstret"), a, GAP_INSTRET);
        check_gap("mcycle inhibited", csr_read("mcycle"), b, GAP_INSTRET);
    }
    csr_write("mcountinhibit", 7);
    check_gap("mcountinhibit.TM is zero", csr_read("mcountinhibit") & 2, 0, "3.1.12; QEMU 7.2 keeps the bit");
    csr_write("mcountinhibit", inhibit);
    for (u32 n = 3; n < 32; n++) { /* all 29 exist, may be zero (3.1.10) */
        check_gap("mhpmcounter", run(MODE_M, code_one(INSN_CSRR(0xb00 + n, 10)), 0, 0).by, 0,
                  "3.1.10: all 29 exist; QEMU has pmu-num of them");
        check_gap("mhpmevent", run(MODE_M, code_one(INSN_CSRR(0x320 + n, 10)), 0, 0).by, 0,
                  "3.1.10: all 29 exist; QEMU has pmu-num of them");
    }
}

void test_main(void)
{
    forms();
    read_only();
    fp_csrs();
    fp_state();
    rounding();
    counters();
}
