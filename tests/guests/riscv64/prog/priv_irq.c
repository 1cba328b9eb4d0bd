/* Interrupts: enabling, delegation, order, timers, msip, PLIC, wfi, vectored entry
 * (Priv. 3.1.6, 3.1.9, 3.2, 10.1, Sstc). */
#include "vm.h"

#define MSIP                0x2000000UL
#define MTIMECMP            0x2004000UL
#define MTIME               0x200bff8UL
#define PLIC                0xc000000UL
#define PLIC_PRIORITY(irq)  (PLIC + 4 * (irq))
#define PLIC_PENDING        (PLIC + 0x1000)
#define PLIC_ENABLE(ctx)    (PLIC + 0x2000 + 0x80 * (ctx))
#define PLIC_THRESHOLD(ctx) (PLIC + 0x200000 + 0x1000 * (ctx))
#define PLIC_CLAIM(ctx)     (PLIC + 0x200004 + 0x1000 * (ctx))
#define UART_IER            0x10000001UL
#define IRQ_UART            10
#define IRQ_RTC             11
#define RTC                 0x101000UL
#define BIT(n)              (1UL << (n))

static void quiet(void)
{
    csr_write("mie", 0);
    csr_write("mideleg", 0);
    csr_clear("mip", 0x222);
    poke32(MSIP, 0);
    poke64(MTIMECMP, ~0UL);
    poke8(UART_IER, 0);
    csr_clear("mstatus", MS_MPIE | MS_SPIE | MS_SIE | MS_MIE | MS_TW);
}

/* Waits in M-mode, interrupts off, until mip has the bits; bounded. */
static int wait_mip(u64 bits, u64 want)
{
    for (int i = 0; i < 10000000; i++)
        if ((csr_read("mip") & bits) == want)
            return 1;
    return 0;
}

#define UNTIL 100000000UL /* f_spin's count: far more than any interrupt needs */

static void software(void)
{
    section("machine software interrupt");
    quiet();
    check("not pending", csr_read("mip") & BIT(IRQ_MSI), 0);
    poke32(MSIP, 1);
    check_true("pending", wait_mip(BIT(IRQ_MSI), BIT(IRQ_MSI)));
    check("msip reads back", peek32(MSIP), 1);
    csr_clear("mip", BIT(IRQ_MSI));
    check("mip.MSIP is read-only", csr_read("mip") & BIT(IRQ_MSI), BIT(IRQ_MSI));
    csr_set("mie", BIT(IRQ_MSI));
    check_return("M without MIE", run(MODE_M, f_spin, 1000, 0), 0);
    csr_set("mstatus", MS_MPIE);
    struct trap t = run(MODE_M, f_spin, UNTIL, 0);
    check("M with MIE", t.cause, C_IRQ | IRQ_MSI);
    check("tval", t.tval, 0);
    csr_clear("mstatus", MS_MPIE);
    check("S, whatever MIE", run(MODE_S, f_spin, UNTIL, 0).cause, C_IRQ | IRQ_MSI);
    check("U, whatever MIE", run(MODE_U, f_spin, UNTIL, 0).cause, C_IRQ | IRQ_MSI);
    csr_write("mie", 0);
    check_return("S without mie", run(MODE_S, f_spin, 1000, 0), 0);
    poke32(MSIP, 0xfffffffe);
    check_true("only bit 0", wait_mip(BIT(IRQ_MSI), 0));
    check("bits 31:1 are zero", peek32(MSIP), 0);
    /* taken at once where MIE, mie or mstatus is written, or at mret: epc is the next instruction */
    u64 at;
    csr_set("mie", BIT(IRQ_MSI));
    poke32(MSIP, 1);
    wait_mip(BIT(IRQ_MSI), BIT(IRQ_MSI));
    csr_set("mstatus", MS_MPIE);
    t = run(MODE_M, f_spin, UNTIL, 0);
    at = t.epc;
    check("before the first instruction after mret", at, (u64)f_spin);
    quiet();
}

/* csrw of mie in S-mode code, next to where it is used. */
void enable_then_spin(u64 bits, u64 n);
asm(".pushsection .text\n .option push\n .option norvc\n .balign 4\n .globl enable_then_spin\n"
    "enable_then_spin: csrs mstatus, 8\n csrs mie, a0\n"
    "1: addi a1, a1, -1\n bnez a1, 1b\n ret\n .option pop\n .popsection");

static void at_once(void)
{
    section("taken at the instruction that enables it");
    for (int i = 0; i < 50; i++) {
        quiet();
        poke32(MSIP, 1);
        wait_mip(BIT(IRQ_MSI), BIT(IRQ_MSI));
        csr_set("mstatus", MS_MPIE);
        struct trap t = run(MODE_M, enable_then_spin, BIT(IRQ_MSI), UNTIL);
        check_trap("after csrs mie", t, MODE_M, C_IRQ | IRQ_MSI, 0, (u64)enable_then_spin + 8);
    }
    quiet();
}

static void timer(void)
{
    section("machine timer");
    quiet();
    u64 t0 = peek64(MTIME), t1;
    check("mtimecmp reads back", (poke64(MTIMECMP, 0x123456789abcdef0), peek64(MTIMECMP)),
          0x123456789abcdef0);
    poke32(MTIMECMP + 4, 0xffffffff);
    poke32(MTIMECMP, 5);
    check("by halves", peek64(MTIMECMP), 0xffffffff00000005);
    check("mtime by halves", peek32(MTIME + 4), peek64(MTIME) >> 32);
    check("not pending", csr_read("mip") & BIT(IRQ_MTI), 0);
    poke64(MTIMECMP, 0);
    check_true("pending at once when past", wait_mip(BIT(IRQ_MTI), BIT(IRQ_MTI)));
    poke64(MTIMECMP, ~0UL);
    check_true("cleared by a later mtimecmp", wait_mip(BIT(IRQ_MTI), 0));
    csr_set("mie", BIT(IRQ_MTI));
    csr_set("mstatus", MS_MPIE);
    for (int i = 0; i < 20; i++) {
        u64 due = peek64(MTIME) + 2000;
        poke64(MTIMECMP, due);
        struct trap t = run(i & 1 ? MODE_S : MODE_M, f_spin, UNTIL * 10, 0);
        check("fires", t.cause, C_IRQ | IRQ_MTI);
        check_true("not early", peek64(MTIME) >= due);
        poke64(MTIMECMP, ~0UL);
        wait_mip(BIT(IRQ_MTI), 0);
    }
    quiet();
    t1 = peek64(MTIME);
    check_true("mtime runs on", t1 > t0);
    poke64(MTIMECMP, t1 + 3000);
    check_true("mip shows it with everything disabled", wait_mip(BIT(IRQ_MTI), BIT(IRQ_MTI)));
    quiet();
}

#define CSR_STIMECMP 0x14d

static void sstc(void)
{
    section("Sstc");
    quiet();
    csr_clear("menvcfg", MENVCFG_STCE);
    csr_write("mcounteren", 7);
    check("off: illegal in S", run(MODE_S, code_one(INSN_CSRR(CSR_STIMECMP, 10)), 0, 0).cause, C_ILLEGAL);
    csr_set("mip", BIT(IRQ_STI));
    check("off: STIP is written by M", csr_read("mip") & BIT(IRQ_STI), BIT(IRQ_STI));
    csr_clear("mip", BIT(IRQ_STI));
    csr_set("menvcfg", MENVCFG_STCE);
    if (!need("menvcfg.STCE", !!(csr_read("menvcfg") & MENVCFG_STCE)))
        return;
    csr_write("0x14d", ~0UL);
    check("reads back", csr_read("0x14d"), ~0UL);
    check_true("not pending", wait_mip(BIT(IRQ_STI), 0));
    csr_set("mip", BIT(IRQ_STI));
    gap_begin("Sstc: STIP is read-only under STCE; QEMU 7.2 writes it");
    check("STIP is read-only", csr_read("mip") & BIT(IRQ_STI), 0);
    gap_end();
    csr_clear("mip", BIT(IRQ_STI));
    csr_write("0x14d", 0);
    check_true("pending when past", wait_mip(BIT(IRQ_STI), BIT(IRQ_STI)));
    csr_write("0x14d", ~0UL);
    check_true("cleared by a later stimecmp", wait_mip(BIT(IRQ_STI), 0));
    check("S may read it", run(MODE_S, code_one(INSN_CSRR(CSR_STIMECMP, 10)), 0, 0).by, 0);
    check("U may not", run(MODE_U, code_one(INSN_CSRR(CSR_STIMECMP, 10)), 0, 0).cause, C_ILLEGAL);
    csr_write("mcounteren", 5);
    check("mcounteren.TM closes it", run(MODE_S, code_one(INSN_CSRR(CSR_STIMECMP, 10)), 0, 0).cause,
          C_ILLEGAL);
    csr_write("mcounteren", 7);
    csr_write("mideleg", 0x222);
    csr_set("mie", BIT(IRQ_STI));
    for (int i = 0; i < 10; i++) {
        csr_write("0x14d", csr_read("time") + 2000);
        csr_set("mstatus", MS_SIE);
        struct trap t = run(MODE_S, f_spin, UNTIL * 10, 0);
        check("taken in S", t.by, MODE_S);
        check("cause", t.cause, C_IRQ | IRQ_STI);
        csr_write("0x14d", ~0UL);
        wait_mip(BIT(IRQ_STI), 0);
    }
    quiet();
    csr_clear("menvcfg", MENVCFG_STCE);
}

/* Pending at once: MEI, MSI, MTI, SEI, SSI, STI in this order, at M; those delegated at S (3.1.9). */
static void order(void)
{
    static const u64 rank[] = {IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI};
    u64 all = 0xaaa;

    section("order of simultaneous interrupts");
    quiet();
    poke32(MSIP, 1);
    poke64(MTIMECMP, 0);
    csr_set("mip", 0x222);
    poke32(PLIC_PRIORITY(IRQ_UART), 1);
    poke32(PLIC_ENABLE(0), BIT(IRQ_UART));
    poke32(PLIC_THRESHOLD(0), 0);
    poke8(UART_IER, 2);
    if (!check_true("all pending", wait_mip(all, all))) {
        quiet();
        return;
    }
    gap_begin("3.1.9: MEI, MSI, MTI, SEI, SSI, STI; QEMU 7.2 without AIA takes the lowest number");
    csr_set("mstatus", MS_MPIE | MS_SIE);
    for (int m = 0; m < 4; m++) {
        if (m == 2)
            continue;
        u64 left = all;
        for (u64 i = 0; i < COUNT(rank); i++) {
            csr_write("mie", left);
            struct trap t = run((enum mode)m, f_spin, UNTIL, 0);
            check("to M", t.by, MODE_M);
            check("cause", t.cause, C_IRQ | rank[i]);
            csr_write("mie", left);
            left &= ~BIT(rank[i]);
        }
    }
    /* delegated ones: in S-mode M's first, then S's own in order; in M-mode never */
    csr_write("mideleg", 0x222);
    u64 left = all;
    for (u64 i = 0; i < COUNT(rank); i++) {
        csr_write("mie", left);
        struct trap t = run(MODE_S, f_spin, UNTIL, 0);
        check("cause in S", t.cause, C_IRQ | rank[i]);
        check("mode", t.by, i < 3 ? MODE_M : MODE_S);
        csr_set("mstatus", MS_SIE);
        left &= ~BIT(rank[i]);
    }
    csr_write("mie", 0x222);
    check_return("M: delegated ones wait", run(MODE_M, f_spin, 1000, 0), 0);
    csr_clear("mstatus", MS_SIE);
    check_return("S without SIE", run(MODE_S, f_spin, 1000, 0), 0);
    check("U without SIE", run(MODE_U, f_spin, UNTIL, 0).cause, C_IRQ | IRQ_SEI);
    csr_write("mideleg", 0x020); /* one not delegated beats one delegated, whatever the order */
    csr_write("mie", 0x022);
    csr_set("mstatus", MS_SIE);
    struct trap t = run(MODE_S, f_spin, UNTIL, 0);
    check("not delegated first", t.cause, C_IRQ | IRQ_SSI);
    check("in M", t.by, MODE_M);
    csr_write("mideleg", 0x002);
    csr_set("mstatus", MS_SIE);
    t = run(MODE_S, f_spin, UNTIL, 0);
    check("not delegated first, lower rank", t.cause, C_IRQ | IRQ_STI);
    poke32(PLIC_ENABLE(0), 0);
    quiet();
}

/* sip and sie: views of what is delegated; SSIP writable from S (10.1.3). */
static void views(void)
{
    section("sip and sie");
    quiet();
    csr_write("mie", 0xaaa);
    csr_set("mip", 0x222);
    csr_write("mideleg", 0);
    check("sie without delegation", csr_read("sie"), 0);
    check("sip without delegation", csr_read("sip"), 0);
    csr_write("mideleg", 0x222);
    check("sie", csr_read("sie"), 0x222);
    check("sip", csr_read("sip"), 0x222);
    csr_write("sie", 0x20);
    check("mie through sie", csr_read("mie"), 0x8a8);
    csr_clear("sip", 0x222);
    check("sip: SSIP alone is writable", csr_read("mip") & 0x222, 0x220);
    csr_set("sip", 2);
    check("SSIP set from S's view", csr_read("mip") & 2, 2);
    csr_write("mideleg", 0x220);
    csr_clear("sip", 2);
    check("SSIP not delegated: untouched", csr_read("mip") & 2, 2);
    quiet();
}

/* Entry k of the table for interrupt k, the base for exceptions (3.1.7). */
asm(".pushsection .text\n .option push\n .option norvc\n .balign 256\n .globl vector_table\n vector_table:\n"
    " j m_entry\n j v1\n j v2\n j v3\n j v4\n j v5\n j v6\n j v7\n j v8\n j v9\n j v10\n j v11\n"
    ".irp n, 1,2,3,4,5,6,7,8,9,10,11\n v\\n: li t0, \\n\n j vcommon\n .endr\n"
    "vcommon: lla t1, vector_hit\n sd t0, 0(t1)\n j m_entry\n .option pop\n .popsection");
extern char vector_table[];
u64 vector_hit;

static void vectored(void)
{
    section("vectored mtvec");
    quiet();
    csr_write("mtvec", (u64)vector_table | 1);
    check("mtvec", csr_read("mtvec"), (u64)vector_table | 1);
    vector_hit = 99;
    check_trap("exceptions at the base", run(MODE_S, f_ecall, 0, 0), MODE_M, C_ECALL_S, 0, (u64)f_ecall);
    check("entry", vector_hit, 99);
    csr_set("mstatus", MS_MPIE);
    csr_set("mip", 0x222);
    poke32(MSIP, 1);
    poke64(MTIMECMP, 0);
    wait_mip(0x2aa, 0x2aa);
    static const u64 irqs[] = {IRQ_SSI, IRQ_MSI, IRQ_STI, IRQ_MTI, IRQ_SEI};
    for (u64 i = 0; i < COUNT(irqs); i++) {
        csr_write("mie", BIT(irqs[i]));
        struct trap t = run(MODE_M, f_spin, UNTIL, 0);
        check("cause", t.cause, C_IRQ | irqs[i]);
        check("entry", vector_hit, irqs[i]);
        csr_set("mstatus", MS_MPIE);
    }
    csr_write("mtvec", m_entry);
    quiet();
}

static void wfi(void)
{
    section("wfi");
    quiet();
    /* wakes on what mie enables, whatever MIE and delegation; then goes on (3.3.3) */
    poke32(MSIP, 1);
    wait_mip(BIT(IRQ_MSI), BIT(IRQ_MSI));
    csr_write("mie", BIT(IRQ_MSI));
    check("pending already", run(MODE_M, f_wfi, 0, 0).by, 0);
    poke32(MSIP, 0);
    csr_write("mie", BIT(IRQ_MTI));
    for (int i = 0; i < 5; i++) {
        u64 due = peek64(MTIME) + 20000;
        poke64(MTIMECMP, due);
        while (!(csr_read("mip") & BIT(IRQ_MTI)))
            asm volatile("wfi");
        check_true("slept until the timer", peek64(MTIME) >= due);
        poke64(MTIMECMP, ~0UL);
        wait_mip(BIT(IRQ_MTI), 0);
    }
    csr_set("mstatus", MS_MPIE);
    u64 due = peek64(MTIME) + 20000;
    poke64(MTIMECMP, due);
    struct trap t = run(MODE_M, f_wfi, 0, 0);
    if (t.by) { /* may also return early (a nop) */
        check("interrupt out of wfi", t.cause, C_IRQ | IRQ_MTI);
        check("epc is the next instruction", t.epc, (u64)f_wfi + 4);
    }
    quiet();
    /* nothing will wake these */
    csr_set("mstatus", MS_TW);
    check_trap("TW in S", run(MODE_S, f_wfi, 0, 0), MODE_M, C_ILLEGAL, run(MODE_S, f_wfi, 0, 0).tval,
               (u64)f_wfi);
    check("TW in U", run(MODE_U, f_wfi, 0, 0).cause, C_ILLEGAL);
    csr_clear("mstatus", MS_TW);
    check("U", run(MODE_U, f_wfi, 0, 0).cause, C_ILLEGAL);
    poke64(MTIMECMP, 0);
    csr_write("mie", BIT(IRQ_MTI));
    wait_mip(BIT(IRQ_MTI), BIT(IRQ_MTI));
    csr_set("mstatus", MS_TW);
    check("TW does not bind M", run(MODE_M, f_wfi, 0, 0).by, 0);
    quiet();
}

static void lines_down(void)
{
    poke8(UART_IER, 0);
    if (run(MODE_M, f_lw, RTC, 0).by == 0) {
        poke32(RTC + 0x10, 0);
        poke32(RTC + 0x1c, 1);
    }
}

/* Lines down, and what had pended before taken away: a request stays when its line drops (PLIC 1.0, interrupt
 * gateways). */
static void drain(u64 ctx)
{
    u32 got[4], n = 0;

    lines_down();
    poke32(PLIC_PRIORITY(IRQ_UART), 1);
    poke32(PLIC_PRIORITY(IRQ_RTC), 1);
    poke32(PLIC_THRESHOLD(ctx), 0);
    poke32(PLIC_ENABLE(ctx), BIT(IRQ_UART) | BIT(IRQ_RTC));
    while (n < 4 && (got[n] = peek32(PLIC_CLAIM(ctx))))
        n++;
    while (n--)
        poke32(PLIC_CLAIM(ctx), got[n]);
}

static void plic(void)
{
    section("PLIC: claim, complete, level");
    for (u64 ctx = 0; ctx < 2; ctx++) {
        u64 bit = ctx ? BIT(IRQ_SEI) : BIT(IRQ_MEI);
        quiet();
        drain(ctx);
        check_true("idle", wait_mip(bit, 0));
        check("claim of nothing", peek32(PLIC_CLAIM(ctx)), 0);
        poke8(UART_IER, 2); /* transmitter empty: a level */
        check_true("external interrupt", wait_mip(bit, bit));
        check("pending bit", peek32(PLIC_PENDING) >> IRQ_UART & 1, 1);
        check("claim", peek32(PLIC_CLAIM(ctx)), IRQ_UART);
        check_true("claimed: not pending", wait_mip(bit, 0));
        check("pending bit after claim", peek32(PLIC_PENDING) >> IRQ_UART & 1, 0);
        check("claim again", peek32(PLIC_CLAIM(ctx)), 0);
        poke32(PLIC_CLAIM(ctx), IRQ_RTC);
        check("completion of another changes nothing", peek32(PLIC_CLAIM(ctx)), 0);
        poke32(PLIC_CLAIM(ctx), IRQ_UART);
        gap_begin("the gateway asks again while the level stands; QEMU 7.2 wants an edge");
        check_true("completed: pends again while the line is up", wait_mip(bit, bit));
        gap_end();
        drain(ctx);
        check_true("completed with the line down", wait_mip(bit, 0));
        poke8(UART_IER, 2);
        wait_mip(bit, bit);
        poke8(UART_IER, 0);
        check_true("a request stays when its line drops", wait_mip(bit, bit));
        check("and is claimed", peek32(PLIC_CLAIM(ctx)), IRQ_UART);
        poke32(PLIC_CLAIM(ctx), IRQ_UART);
        check_true("once", wait_mip(bit, 0));
        poke32(PLIC_ENABLE(ctx), 0);
    }
    quiet();
}

static void plic_rules(void)
{
    u64 mei = BIT(IRQ_MEI);

    section("PLIC: priority, threshold, enable");
    quiet();
    poke32(PLIC_ENABLE(1), 0);
    drain(0);
    poke8(UART_IER, 2);
    for (u32 p = 0; p < 8; p++)
        for (u32 t = 0; t < 8; t++) {
            poke32(PLIC_PRIORITY(IRQ_UART), p);
            poke32(PLIC_THRESHOLD(0), t);
            check("threshold reads back", peek32(PLIC_THRESHOLD(0)), t);
            check("priority reads back", peek32(PLIC_PRIORITY(IRQ_UART)), p);
            check_true("above the threshold only", wait_mip(mei, p > t ? mei : 0));
        }
    poke32(PLIC_THRESHOLD(0), 0);
    poke32(PLIC_PRIORITY(IRQ_UART), 1);
    gap_begin("PLIC 1.0, 7; QEMU 7.2 does not look again when enables are written");
    poke32(PLIC_ENABLE(0), 0);
    check_true("not enabled", wait_mip(mei, 0));
    gap_end();
    check("not enabled: no claim", peek32(PLIC_CLAIM(0)), 0);
    gap_begin("PLIC 1.0, 5: there is no interrupt 0; QEMU 7.2 keeps the bit");
    poke32(PLIC_ENABLE(0), 1);
    check("irq 0 cannot be enabled", peek32(PLIC_ENABLE(0)) & 1, 0);
    poke32(PLIC_ENABLE(0), 0);
    quiet();
}

static void plic_order(void)
{
    static const u32 pr[][3] = {{1, 1, IRQ_UART}, {1, 2, IRQ_RTC}, {3, 2, IRQ_UART}, {7, 7, IRQ_UART}};

    section("PLIC: order of two sources");
    quiet();
    if (!need("goldfish clock", run(MODE_M, f_lw, RTC, 0).by == 0))
        return;
    for (u64 i = 0; i < COUNT(pr); i++) {
        drain(0);
        poke32(PLIC_PRIORITY(IRQ_UART), pr[i][0]);
        poke32(PLIC_PRIORITY(IRQ_RTC), pr[i][1]);
        poke32(RTC + 0x10, 1);
        poke32(RTC + 0x0c, 0);
        poke32(RTC + 0x08, 1); /* an alarm in the past fires at once */
        poke8(UART_IER, 2);
        check("both pending", peek32(PLIC_PENDING) >> IRQ_UART & 3, 3);
        u32 first = peek32(PLIC_CLAIM(0)), second = peek32(PLIC_CLAIM(0));
        check("higher priority, then lower number", first, pr[i][2]);
        check("then the other", second, IRQ_UART + IRQ_RTC - pr[i][2]);
        lines_down();
        poke32(PLIC_CLAIM(0), first);
        poke32(PLIC_CLAIM(0), second);
        check_true("all quiet", wait_mip(BIT(IRQ_MEI), 0));
    }
    drain(0);
    poke32(PLIC_ENABLE(0), 0);
    quiet();
}

static volatile u64 ticks;
static int on_tick(struct area *a)
{
    if (a->cause != (C_IRQ | IRQ_MTI))
        return 0;
    ticks++;
    poke64(MTIMECMP, peek64(MTIME) + 500);
    return 1;
}

/* Interrupts at any point of a computation leave its registers alone. */
static void transparent(void)
{
    u64 sum = 0, want = 0, rounds = 0, r;

    section("interrupts at any point leave registers alone");
    quiet();
    hook = on_tick;
    poke64(MTIMECMP, peek64(MTIME) + 500);
    csr_set("mie", BIT(IRQ_MTI));
    csr_set("mstatus", MS_MIE);
    for (u64 k = 0; k < 200000 && (ticks < 200 || k < 100); k++, rounds++) {
        asm volatile("li a0, 1\n li t0, 1000\n li t1, 7\n li t2, 11\n li s11, 13\n"
                     "1: add a0, a0, t1\n xor a0, a0, t2\n slli t3, a0, 3\n add a0, a0, t3\n srli t4, a0, 5\n"
                     "sub a0, a0, t4\n add a0, a0, s11\n addi t0, t0, -1\n bnez t0, 1b\n mv %0, a0"
                     : "=r"(r)::"a0", "t0", "t1", "t2", "t3", "t4", "s11");
        if (k == 0)
            want = r;
        sum += r == want;
    }
    csr_clear("mstatus", MS_MIE);
    hook = 0;
    check_true("same result each time", sum == rounds);
    u64 x = 1;
    for (int i = 0; i < 1000; i++) {
        x = (x + 7) ^ 11;
        x += x << 3;
        x -= x >> 5;
        x += 13;
    }
    check("the result", want, x);
    check_true("there were interrupts", ticks > 10);
    note("interrupts", ticks);
    quiet();
}

void test_main(void)
{
    software();
    at_once();
    timer();
    sstc();
    order();
    views();
    vectored();
    wfi();
    plic();
    plic_rules();
    plic_order();
    transparent();
}
