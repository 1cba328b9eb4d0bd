/* Console, checks, trap capture; see harness.h. */
#include "harness.h"

#define UART     0x10000000UL
#define FINISHER 0x100000UL

volatile struct srec srec;
trap_hook hook;
volatile u32 smp_go __attribute__((section(".data"))) = 0;

void run_enter(u64 mepc, u64 mstatus, u64 a0, u64 a1, u64 sp, u64 ra);
extern char run_stacks[];
extern struct area areas[];

static struct {
    char name[64];
    u64 checks, failed, gaps;
    u64 all_checks, all_failed, sections;
    char open;
    const char *gap; /* why mismatches are gaps now, or 0 */
} report;

void console_putc(char c)
{
    while (!(peek8(UART + 5) & 0x20))
        ;
    poke8(UART, (u8)c);
}

void print(const char *s)
{
    for (; *s; s++)
        console_putc(*s);
}

void print_hex(u64 v)
{
    print("0x");
    for (int i = 60; i >= 0; i -= 4)
        if (v >> i || i == 0)
            console_putc("0123456789abcdef"[v >> i & 15]);
}

void print_dec(u64 v)
{
    char b[24];
    int n = 0;

    do
        b[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        console_putc(b[--n]);
}

static void section_end(void)
{
    if (!report.open)
        return;
    print(report.failed ? "FAIL " : report.checks || !report.gaps ? "ok " : "lack ");
    print(report.name);
    print(" (");
    print_dec(report.checks);
    print(" checks");
    if (report.gaps) {
        print(", gaps ");
        print_dec(report.gaps);
    }
    print(")\n");
    report.all_checks += report.checks;
    report.all_failed += report.failed;
    report.sections++;
    report.open = 0;
}

void section(const char *name)
{
    section_end();
    u64 n = 0;
    for (; name[n] && n < sizeof(report.name) - 1; n++)
        report.name[n] = name[n];
    report.name[n] = 0;
    report.checks = report.failed = report.gaps = 0;
    report.open = 1;
    report.gap = 0;
}

static void exit_with(u64 n)
{
    poke32(FINISHER, n ? (u32)(n << 16 | 0x3333) : 0x5555);
    for (;;)
        ;
}

void finish(void)
{
    section_end();
    exit_with(report.all_failed > 62 ? 62 : report.all_failed);
    __builtin_unreachable();
}

int under_reference(void)
{
    return peek32(REFERENCE_FLAG) == 1;
}

static void mismatch(const char *kind, const char *what, u64 got, u64 want)
{
    print(kind);
    print(report.name);
    print(": ");
    print(what);
    print(": got ");
    print_hex(got);
    print(" want ");
    print_hex(want);
}

static void newline_why(const char *why)
{
    if (why) {
        print(" (");
        print(why);
        print(")");
    }
    print("\n");
}

/* Counts a mismatch; says whether to print it and as what. */
static const char *count_bad(const char *why)
{
    if (why && under_reference())
        return report.gaps++ < 8 ? "  gap " : 0;
    return report.failed++ < 8 ? "  bad " : 0;
}

int check_gap(const char *what, u64 got, u64 want, const char *why)
{
    const char *kind;

    if (got == want || !why || !under_reference())
        report.checks++;
    if (got == want)
        return 1;
    kind = count_bad(why);
    if (kind) {
        mismatch(kind, what, got, want);
        newline_why(kind[2] == 'g' ? why : 0);
    }
    return 0;
}

int check(const char *what, u64 got, u64 want)
{
    return check_gap(what, got, want, report.gap);
}

int check_true(const char *what, int ok)
{
    return check(what, (u64) !!ok, 1);
}

void gap_begin(const char *why)
{
    report.gap = why;
}

void gap_end(void)
{
    report.gap = 0;
}

int need(const char *what, int have)
{
    if (!have)
        check_gap(what, 0, 1, "the reference lacks it");
    return have;
}

void note(const char *what, u64 value)
{
    print("  note ");
    print(what);
    print(" ");
    print_dec(value);
    print("\n");
}

static void panic(struct area *a)
{
    print("  bad unexpected trap, hart ");
    print_dec(csr_read("mhartid"));
    print(" cause ");
    print_hex(a->cause);
    print(" tval ");
    print_hex(a->tval);
    print(" epc ");
    print_hex(a->epc);
    print(" ra ");
    print_hex(a->x[1]);
    print("\nFAIL ");
    print(report.open ? report.name : "start");
    print(" (trap)\n");
    exit_with(63);
}

/* Called by m_entry. Nonzero: resume. */
int trap_c(struct area *a)
{
    if (a->in_trap)
        panic(a);
    a->in_trap = 1;
    if (hook && hook(a)) {
        a->in_trap = 0;
        return 1;
    }
    if (!a->active)
        panic(a);
    a->active = 0;
    a->out = (struct trap){MODE_M, a->cause, a->tval, a->epc, a->status, a->x[10]};
    if (srec.valid)
        a->out = (struct trap){MODE_S, srec.cause, srec.tval, srec.epc, srec.status, a->x[10]};
    a->in_trap = 0;
    return 0;
}

/* The U-mode window: the same image at these addresses (vm.c). */
#define USER_WINDOW 0x1000000000UL

static struct trap run_at(enum mode m, u64 fn, u64 a0, u64 a1, u64 shift)
{
    u64 hart = csr_read("mhartid");
    struct area *a = (struct area *)((char *)areas + hart * AREA_SIZE);
    u64 sp = (u64)run_stacks + (hart + 1) * STACK_SIZE + shift;
    u64 status = (csr_read("mstatus") & ~MS_MPP) | (u64)m << 11;
    u64 out = (u64)run_exit + shift;

    srec.valid = 0;
    a->active = 1;
    run_enter(fn + shift, status, a0, a1, sp, out);
    csr_clear("mstatus", MS_MPRV | MS_MIE);
    if (a->out.epc == out &&
        (a->out.cause == C_ECALL_U || a->out.cause == C_ECALL_S || a->out.cause == C_ECALL_M))
        a->out.by = 0;
    srec.valid = 0;
    return a->out;
}

struct trap run(enum mode m, void *fn, u64 a0, u64 a1)
{
    return run_at(m, (u64)fn, a0, a1, 0);
}

struct trap run_user(void *fn, u64 a0, u64 a1)
{
    return run_at(MODE_U, (u64)fn, a0, a1, USER_WINDOW);
}

static void trap_print(const char *kind, const char *what, struct trap t)
{
    print(kind);
    print(report.name);
    print(": ");
    print(what);
    print(t.by ? ": trap to " : ": returned ");
    print(t.by == MODE_M ? "M" : t.by == MODE_S ? "S" : "");
    print(" cause ");
    print_hex(t.cause);
    print(" tval ");
    print_hex(t.tval);
    print(" epc ");
    print_hex(t.epc);
    print(" a0 ");
    print_hex(t.a0);
}

int check_trap(const char *what, struct trap t, u64 by, u64 cause, u64 tval, u64 epc)
{
    const char *kind;

    report.checks++;
    if (t.by == by && t.cause == cause && t.tval == tval && t.epc == epc)
        return 1;
    kind = count_bad(report.gap);
    if (kind) {
        trap_print(kind, what, t);
        print("; want cause ");
        print_hex(cause);
        print(" tval ");
        print_hex(tval);
        print(" epc ");
        print_hex(epc);
        print(by == MODE_S ? " in S" : " in M");
        newline_why(kind[2] == 'g' ? report.gap : 0);
    }
    return 0;
}

int check_return(const char *what, struct trap t, u64 a0)
{
    const char *kind;

    report.checks++;
    if (t.by == 0 && t.a0 == a0)
        return 1;
    kind = count_bad(report.gap);
    if (kind) {
        trap_print(kind, what, t);
        print("; want return of ");
        print_hex(a0);
        newline_why(kind[2] == 'g' ? report.gap : 0);
    }
    return 0;
}

void smp_start(void)
{
    asm volatile("fence rw, w" ::: "memory");
    smp_go = 1;
}

__attribute__((weak)) void smp_main(u64 hart)
{
    (void)hart;
}

void *memset(void *d, int c, u64 n)
{
    for (volatile u8 *p = d; n; n--)
        *p++ = (u8)c;
    return d;
}

void *memcpy(void *d, const void *s, u64 n)
{
    volatile u8 *p = d;

    for (const u8 *q = s; n; n--)
        *p++ = *q++;
    return d;
}

/* Everything open to every mode: without a matching entry S and U may access nothing (3.7.1). */
void hart_init(void)
{
    csr_write("pmpaddr0", ~0UL >> 10);
    csr_write("pmpcfg0", 0x1f);
    csr_write("medeleg", 0);
    csr_write("mideleg", 0);
    csr_write("satp", 0);
    csr_write("stvec", s_entry);
}

void harness_main(void)
{
    hart_init();
    test_main();
    finish();
}
