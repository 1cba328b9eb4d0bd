/* Exceptions, delegation, mstatus, xRET, privilege of CSRs and instructions (Priv. 3.1, 3.3, 10.1). */
#include "vm.h"

#define NOWHERE 0x18000000UL /* no device, no memory */

static void causes(void)
{
    struct trap t;

    section("exception causes");
    static const u64 ecall[] = {C_ECALL_U, C_ECALL_S, 0, C_ECALL_M};
    for (int m = 0; m < 4; m++) {
        if (m == 2)
            continue;
        check_trap("ecall", run((enum mode)m, f_ecall, 0, 0), MODE_M, ecall[m], 0, (u64)f_ecall);
        t = run((enum mode)m, f_ebreak, 0, 0);
        check("ebreak", t.cause, C_BREAK);
        check_true("ebreak tval: 0 or pc", t.tval == 0 || t.tval == (u64)f_ebreak); /* 3.1.16 */
        check("ebreak epc", t.epc, (u64)f_ebreak);
        check_trap("load access", run((enum mode)m, f_ld, NOWHERE, 0), MODE_M, C_LOAD_ACCESS, NOWHERE,
                   (u64)f_ld);
        check_trap("load access lb", run((enum mode)m, f_lb, NOWHERE + 3, 0), MODE_M, C_LOAD_ACCESS,
                   NOWHERE + 3, (u64)f_lb);
        check_trap("store access", run((enum mode)m, f_sd, NOWHERE, 0), MODE_M, C_STORE_ACCESS, NOWHERE,
                   (u64)f_sd);
        check_trap("fetch access", run((enum mode)m, f_jump, NOWHERE, 0), MODE_M, C_FETCH_ACCESS, NOWHERE,
                   NOWHERE);
        check_trap("fetch access, odd target", run((enum mode)m, f_jump, NOWHERE + 3, 0), MODE_M,
                   C_FETCH_ACCESS, NOWHERE + 2, NOWHERE + 2);
        t = run((enum mode)m, code_one(0), 0, 0);
        check("illegal", t.cause, C_ILLEGAL);
        check("MPP holds the mode", t.status >> 11 & 3, (u64)m);
        check("MIE in the handler", t.status & MS_MIE, 0);
    }
    check("fld access", run(MODE_S, f_fld, NOWHERE, 0).cause, C_LOAD_ACCESS);
    check("fsd access", run(MODE_S, f_fsd, NOWHERE, 0).cause, C_STORE_ACCESS);
    check("above all memory", run(MODE_M, f_ld, 1UL << 54, 0).cause, C_LOAD_ACCESS);
    check("ld of the last bytes", run(MODE_M, f_ld, ~7UL, 0).cause, C_LOAD_ACCESS);
    gap_begin("QEMU 7.2 loads first");
    check("amo access", run(MODE_S, f_amo, NOWHERE, 0).cause, C_STORE_ACCESS);
    gap_end();
    /* rd is unchanged by a load that traps */
    asm volatile("" ::: "memory");
    t = run(MODE_M, f_ld, NOWHERE + 64, 0);
    check("rd unchanged", t.a0, NOWHERE + 64);
}

/* Traps go to S only from S and U, when medeleg says so; the other mode's registers stay (3.1.8). */
static void delegation(void)
{
    static const struct {
        const char *name;
        void (*fn)(u64, u64);
        u64 arg, cause, tval;
    } e[] = {
        {"ebreak", f_ebreak, 0, C_BREAK, ~0UL},
        {"load", f_ld, NOWHERE, C_LOAD_ACCESS, NOWHERE},
        {"store", f_sd, NOWHERE, C_STORE_ACCESS, NOWHERE},
    };

    section("delegation");
    for (u64 i = 0; i < COUNT(e); i++)
        for (int m = 0; m < 4; m++) {
            if (m == 2)
                continue;
            for (int d = 0; d < 2; d++) {
                csr_write("medeleg", d ? 1UL << e[i].cause : 0);
                csr_write("scause", 77);
                csr_write("mcause", 66);
                csr_write("sepc", 0x1234);
                struct trap t = run((enum mode)m, e[i].fn, e[i].arg, 0);
                check("taken in", t.by, d && m != MODE_M ? MODE_S : MODE_M);
                check(e[i].name, t.cause, e[i].cause);
                check("epc", t.epc, (u64)e[i].fn);
                if (e[i].tval != ~0UL)
                    check("tval", t.tval, e[i].tval);
                if (t.by == MODE_S) {
                    check("SPP", !!(t.status & MS_SPP), (u64)m);
                    check("SIE", t.status & MS_SIE, 0);
                } else {
                    check("scause kept", csr_read("scause"), 77);
                    check("sepc kept", csr_read("sepc"), 0x1234);
                }
            }
        }
    /* environment calls of each mode by their own bits */
    csr_write("medeleg", 1 << C_ECALL_U);
    check("U ecall to S", run(MODE_U, f_ecall, 0, 0).by, MODE_S);
    check("S ecall to M", run(MODE_S, f_ecall, 0, 0).by, MODE_M);
    csr_write("medeleg", 1 << C_ECALL_S);
    check("S ecall to S", run(MODE_S, f_ecall, 0, 0).by, MODE_S);
    check("U ecall to M", run(MODE_U, f_ecall, 0, 0).by, MODE_M);
    csr_write("medeleg", ~0UL);
    gap_begin("3.1.8: medeleg[11] is zero; QEMU 7.2 keeps it");
    check("ecall from M is never delegated", csr_read("medeleg") & 1 << C_ECALL_M, 0);
    gap_end();
    check("standard causes can be delegated", csr_read("medeleg") & 0xb1ff, 0xb1ff);
    csr_write("medeleg", 0);
    csr_write("mideleg", ~0UL);
    check("S interrupts can be delegated", csr_read("mideleg") & 0x222, 0x222);
    check("M interrupts cannot", csr_read("mideleg") & 0x888, 0);
    csr_write("mideleg", 0);
}

/* A trap in S delegated to S while it handles one: S state is replaced, then M takes its own. */
void s_twice(void);
asm(".pushsection .text\n .balign 4\n .globl s_twice\n"
    "s_twice:\n"
    " la t0, 1f\n csrw stvec, t0\n li a0, 0\n"
    " ebreak\n" /* to 1f */
    "3: addi a0, a0, 100\n la t0, s_entry\n csrw stvec, t0\n ret\n"
    " .balign 4\n"
    "1: addi a0, a0, 1\n li t0, 3\n beq a0, t0, 2f\n"
    " ebreak\n" /* nested, SPP = S */
    "2: la t0, 3b\n csrw sepc, t0\n sret\n"
    ".popsection");

static void nested(void)
{
    section("nested traps");
    csr_write("medeleg", 1 << C_BREAK);
    struct trap t = run(MODE_S, s_twice, 0, 0);
    check_return("S handles its own", t, 103);
    csr_write("medeleg", 0);
}

static void status_fields(void)
{
    section("mstatus fields");
    u64 old = csr_read("mstatus");
    for (u64 v = 0; v < 4; v++) {
        csr_clear("mstatus", MS_MPP);
        csr_set("mstatus", v << 11);
        u64 got = csr_read("mstatus") >> 11 & 3;
        gap_begin(v == 2 ? "3.1.6.1: WARL, 2 is no mode; QEMU 7.2 keeps it" : 0);
        check_true("MPP", v == 2 ? got != 2 : got == v);
        gap_end();
    }
    csr_write("mstatus", old);
    check("SXL", csr_read("mstatus") >> 34 & 3, 2);
    check("UXL", csr_read("mstatus") >> 32 & 3, 2);
    csr_write("mstatus", old | 0x1e00000000UL); /* unchanged or legal */
    check_true("UXL after a write",
               (csr_read("mstatus") >> 32 & 3) != 0 && (csr_read("mstatus") >> 32 & 3) != 3);
    csr_write("mstatus", old);
    static const u64 bits[] = {MS_SIE, MS_MIE, MS_SPIE, MS_MPIE, MS_SPP, MS_MPRV,
                               MS_SUM, MS_MXR, MS_TVM,  MS_TW,   MS_TSR};
    for (u64 i = 0; i < COUNT(bits); i++) {
        csr_set("mstatus", bits[i]);
        check("settable", csr_read("mstatus") & bits[i], bits[i]);
        csr_clear("mstatus", bits[i]);
        check("clearable", csr_read("mstatus") & bits[i], 0);
    }
    check("no vectors: VS and XS are zero", csr_read("mstatus") & (3UL << 9 | 3UL << 15), 0);
    /* sstatus is a view (10.1.1) */
    csr_write("mstatus", old | MS_SUM | MS_MXR | MS_SPP | MS_SPIE | MS_MPIE | MS_TSR | MS_MPRV);
    u64 s = csr_read("sstatus"),
        shown = MS_SUM | MS_MXR | MS_SPP | MS_SPIE | MS_SIE | MS_FS | 3UL << 32 | 1UL << 63;
    check("sstatus shows no M bits", s & ~shown & ~(3UL << 9 | 3UL << 15 | 1UL << 6), 0);
    check("sstatus shows", s & (MS_SUM | MS_MXR | MS_SPP | MS_SPIE), MS_SUM | MS_MXR | MS_SPP | MS_SPIE);
    csr_write("sstatus", 0);
    check("sstatus writes its own bits only",
          csr_read("mstatus") & (MS_SUM | MS_MPIE | MS_TSR | MS_MPRV | MS_FS), MS_MPIE | MS_TSR | MS_MPRV);
    csr_write("mstatus", old);
    /* xepc: bit 0 is zero; with C bit 1 can be set (3.1.14) */
    gap_begin("3.1.14: bit 0 is always zero; QEMU 7.2 keeps it");
    csr_write("mepc", ~0UL);
    check("mepc bits 1:0", csr_read("mepc") & 3, 2);
    csr_write("sepc", ~0UL);
    check("sepc bits 1:0", csr_read("sepc") & 3, 2);
    csr_write("mepc", 0x123456789abcdef1);
    check("mepc high bits", csr_read("mepc"), 0x123456789abcdef0);
    gap_end();
    /* xcause holds at least 0 to 31 and the interrupt bit */
    csr_write("scause", C_IRQ | 31);
    check("scause", csr_read("scause"), C_IRQ | 31);
    csr_write("stval", 0xfedcba9876543210);
    check("stval", csr_read("stval"), 0xfedcba9876543210);
    csr_write("sscratch", 0xfedcba9876543211);
    check("sscratch", csr_read("sscratch"), 0xfedcba9876543211);
    /* xtvec: mode 0 and 1 */
    csr_write("stvec", (u64)s_entry | 1);
    check("stvec vectored", csr_read("stvec"), (u64)s_entry | 1);
    csr_write("stvec", (u64)s_entry | 2);
    check_true("stvec mode 2 is reserved", (csr_read("stvec") & 3) < 2);
    csr_write("stvec", s_entry);
    check("sie and sip show delegated bits only", (csr_read("sie") | csr_read("sip")) & ~0x222UL, 0);
}

static void returns(void)
{
    section("mret and sret");
    /* MIE takes MPIE, MPIE becomes 1, MPP the least mode (3.1.6.1) */
    for (u64 mpie = 0; mpie < 2; mpie++)
        for (u64 spie = 0; spie < 2; spie++) {
            csr_clear("mstatus", MS_MPIE | MS_MIE);
            csr_set("mstatus", mpie ? MS_MPIE : 0);
            struct trap t = run(MODE_M, f_ecall, 0, 0);
            check("MPIE holds what MIE became", !!(t.status & MS_MPIE), mpie);
            csr_clear("mstatus", MS_SPIE | MS_SIE | MS_SPP | MS_MIE);
            csr_set("mstatus", (spie ? MS_SPIE : 0));
            csr_write("sepc", f_ecall);
            t = run(MODE_S, f_sret, 0, 0);
            check_trap("sret to U", t, MODE_M, C_ECALL_U, 0, (u64)f_ecall);
            check("SIE takes SPIE", !!(t.status & MS_SIE), spie);
            check("SPIE becomes 1", !!(t.status & MS_SPIE), 1);
            check("SPP becomes U", !!(t.status & MS_SPP), 0);
            csr_set("mstatus", MS_SPP);
            csr_write("sepc", f_ecall);
            t = run(MODE_S, f_sret, 0, 0);
            check_trap("sret to S", t, MODE_M, C_ECALL_S, 0, (u64)f_ecall);
            check("SPP becomes U again", !!(t.status & MS_SPP), 0);
        }
    csr_clear("mstatus", MS_SIE | MS_SPIE | MS_MPIE | MS_MIE);
    /* sret in M works; mret below M and sret in U are illegal */
    csr_set("mstatus", MS_SPP | MS_MPRV);
    csr_write("sepc", f_ecall);
    struct trap t = run(MODE_M, f_sret, 0, 0);
    check_trap("sret in M", t, MODE_M, C_ECALL_S, 0, (u64)f_ecall);
    gap_begin("3.1.6.3; QEMU 7.2 keeps MPRV");
    check("and clears MPRV", t.status & MS_MPRV, 0);
    gap_end();
    check("mret in S", run(MODE_S, f_mret, 0, 0).cause, C_ILLEGAL);
    check("mret in U", run(MODE_U, f_mret, 0, 0).cause, C_ILLEGAL);
    check("sret in U", run(MODE_U, f_sret, 0, 0).cause, C_ILLEGAL);
    csr_set("mstatus", MS_TSR);
    check("TSR: sret in S", run(MODE_S, f_sret, 0, 0).cause, C_ILLEGAL);
    csr_set("mstatus", MS_SPP);
    csr_write("sepc", f_ecall);
    check("TSR: sret in M", run(MODE_M, f_sret, 0, 0).cause, C_ECALL_S);
    csr_clear("mstatus", MS_TSR | MS_SPP);
}

/* Zihintpause, and Zawrs without a reservation: they end at once in every mode and change nothing. */
static void hints(void)
{
    static const unsigned modes[] = {MODE_M, MODE_S, MODE_U};

    section("pause and wrs");
    for (unsigned i = 0; i < 3; i++) {
        check("pause", run(modes[i], code_one(0x0100000f), 0, 0).by, 0);
        check_gap("wrs.nto", run(modes[i], code_one(0x00d00073), 0, 0).by, 0, "Zawrs; QEMU 7.2 has none");
        check_gap("wrs.sto", run(modes[i], code_one(0x01d00073), 0, 0).by, 0, "Zawrs; QEMU 7.2 has none");
    }
}

static void trapping_bits(void)
{
    section("TVM and sfence.vma by mode");
    csr_write("satp", 0);
    check("satp read in S", run(MODE_S, f_read_satp, 0, 0).by, 0);
    check("sfence.vma in S", run(MODE_S, f_sfence, 0, 0).by, 0);
    check("sfence.vma in U", run(MODE_U, f_sfence, 0, 0).cause, C_ILLEGAL);
    check("satp in U", run(MODE_U, f_read_satp, 0, 0).cause, C_ILLEGAL);
    csr_set("mstatus", MS_TVM);
    check("TVM: satp read", run(MODE_S, f_read_satp, 0, 0).cause, C_ILLEGAL);
    check("TVM: satp write", run(MODE_S, f_write_satp, 0, 0).cause, C_ILLEGAL);
    check("TVM: sfence.vma", run(MODE_S, f_sfence, 0, 0).cause, C_ILLEGAL);
    void *sinval = code_one(0x16000073);
    check("TVM: sinval.vma", run(MODE_S, sinval, 0, 0).cause, C_ILLEGAL);
    check("TVM: satp in M", run(MODE_M, f_read_satp, 0, 0).by, 0);
    check("TVM: sfence.vma in M", run(MODE_M, f_sfence, 0, 0).by, 0);
    csr_clear("mstatus", MS_TVM);
    check("sinval.vma in S", run(MODE_S, code_one(0x16000073), 0, 0).by, 0);
    check("sinval.vma in U", run(MODE_U, code_one(0x16000073), 0, 0).cause, C_ILLEGAL);
    check("sfence.w.inval in S", run(MODE_S, code_one(0x18000073), 0, 0).by, 0);
    check("sfence.inval.ir in S", run(MODE_S, code_one(0x18100073), 0, 0).by, 0);
    gap_begin("Svinval: illegal in U; QEMU 7.2 takes it");
    check("sfence.w.inval in U", run(MODE_U, code_one(0x18000073), 0, 0).cause, C_ILLEGAL);
}

/* Bits 9:8 of a CSR number are the least mode, 11:10 = 3 is read-only (2.1): all 4096, by each mode. */
static void csr_modes(void)
{
    section("CSR numbers by mode");
    csr_write("mcounteren", 0);
    csr_write("scounteren", 0);
    for (u32 n = 0; n < 4096; n++) {
        u32 least = n >> 8 & 3;
        struct trap t;
        for (int m = 0; m < 2; m++) {
            if (least <= (u32)m)
                continue;
            t = run((enum mode)m, code_one(INSN_CSRR(n, 10)), 0, 0);
            if (!check("read below its mode", t.by ? t.cause : 0, C_ILLEGAL))
                note("csr", n);
            t = run((enum mode)m, code_one(INSN_CSRW(n, 0)), 0, 0);
            check("write below its mode", t.by ? t.cause : 0, C_ILLEGAL);
        }
        if (n >> 10 == 3) {
            t = run(MODE_M, code_one(INSN_CSRW(n, 0)), 0, 0);
            check("write of a read-only one", t.by ? t.cause : 0, C_ILLEGAL);
        }
        if (n >= 0xc00 && n < 0xc20) {
            t = run(MODE_S, code_one(INSN_CSRR(n, 10)), 0, 0);
            check("counter in S", t.by ? t.cause : 0, C_ILLEGAL);
        }
    }
}

/* mcounteren opens a counter to S, with scounteren also to U (3.1.11, 10.1.5). */
static void counter_enables(void)
{
    section("mcounteren and scounteren");
    for (u64 n = 0; n < 3; n++)
        for (u64 me = 0; me < 2; me++)
            for (u64 se = 0; se < 2; se++) {
                csr_write("mcounteren", me ? 1UL << n : ~(1UL << n));
                csr_write("scounteren", se ? 1UL << n : ~(1UL << n));
                void *f = code_one(INSN_CSRR(0xc00 + (u32)n, 10));
                struct trap t = run(MODE_M, f, 0, 0);
                check("M", t.by, 0);
                t = run(MODE_S, f, 0, 0);
                check("S", t.by ? t.cause : 0, me ? 0 : C_ILLEGAL);
                t = run(MODE_U, f, 0, 0);
                check("U", t.by ? t.cause : 0, me && se ? 0 : C_ILLEGAL);
            }
    csr_write("mcounteren", 7);
    csr_write("scounteren", 7);
}

static int resume_hits;
static int skip_illegal(struct area *a)
{
    if (a->cause != C_ILLEGAL)
        return 0;
    a->epc += 4;
    a->x[10] += 7; /* an emulated instruction */
    resume_hits++;
    return 1;
}

/* A handler that resumes behind the instruction: registers come back, epc is exact, in a hot loop too. */
static void resume(void)
{
    u64 r;

    section("emulated instruction in a loop");
    hook = skip_illegal;
    asm volatile("li a0, 0\n li t0, 3000\n li t1, 0\n 1: addi t1, t1, 3\n .word 0x0000000b\n add t1, t1, a0\n"
                 "addi t0, t0, -1\n bnez t0, 1b\n mv %0, t1"
                 : "=r"(r)::"a0", "t0", "t1", "memory");
    hook = 0;
    check("sum", r, 3 * 3000UL + 7 * 3000UL * 3001 / 2);
    check("traps", (u64)resume_hits, 3000);
}

void test_main(void)
{
    causes();
    delegation();
    nested();
    status_fields();
    returns();
    hints();
    trapping_bits();
    csr_modes();
    counter_enables();
    resume();
}
