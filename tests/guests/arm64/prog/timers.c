/* The generic timer: counters, both timers of EL1, conditions, masks, interrupts (D12). */
#include "gic.h"

#define CTL_ENABLE 1
#define CTL_IMASK  2
#define CTL_STATUS 4
#define FAR        0x7fffffffffffffffUL

#define TRNG_VERSION 0x84000050u

static volatile unsigned taken, taken_id;
static int is_virtual;

static u64 now(void)
{
    __asm__ volatile("isb" ::: "memory");
    return is_virtual ? READ(cntvct_el0) : READ(cntpct_el0);
}

static u64 ctl(void)
{
    return is_virtual ? READ(cntv_ctl_el0) : READ(cntp_ctl_el0);
}

static void set_ctl(u64 v)
{
    if (is_virtual)
        WRITE(cntv_ctl_el0, v);
    else
        WRITE(cntp_ctl_el0, v);
}

static u64 cval(void)
{
    return is_virtual ? READ(cntv_cval_el0) : READ(cntp_cval_el0);
}

static void set_cval(u64 v)
{
    if (is_virtual)
        WRITE(cntv_cval_el0, v);
    else
        WRITE(cntp_cval_el0, v);
}

static u64 tval(void)
{
    return is_virtual ? READ(cntv_tval_el0) : READ(cntp_tval_el0);
}

static void set_tval(u64 v)
{
    if (is_virtual)
        WRITE(cntv_tval_el0, v);
    else
        WRITE(cntp_tval_el0, v);
}

static void take(u64 vector)
{
    u64 id = GET(ICC_IAR1);

    (void)vector;
    taken++;
    taken_id = (unsigned)id;
    set_ctl(CTL_ENABLE | CTL_IMASK);
    if (id < 1020)
        SET(ICC_EOIR1, id);
}

static void counters(void)
{
    u64 a, b, c;

    section("counters");
    check("CNTFRQ_EL0", READ(cntfrq_el0), 62500000);
    a = READ(cntpct_el0);
    __asm__ volatile("isb");
    b = READ(cntvct_el0);
    __asm__ volatile("isb");
    c = READ(cntpct_el0);
    check("virtual as physical", a <= b && b <= c, 1); /* there is no offset */
    for (unsigned i = 0; i < 1000; i++) {
        b = now();
        if (b < a)
            check("they never go back", b, a);
        a = b;
    }
    for (a = now(); now() == a;)
        ;
    check("they advance", now() > a, 1);
}

/* Neither before its time nor after it, however long the host does something else in between. */
static void due_in_time(void)
{
    u64 before, status;
    /* QEMU, the one without TRNG, says it when it comes to it. */
    u64 late = HVC(TRNG_VERSION, 0, 0, 0) == 0x10000 ? 0 : 60 * 62500000UL;

    do {
        before = now();
        status = ctl() & CTL_STATUS;
        check("not before its time", status && now() < cval(), 0);
        check("when it is time", !status && before >= cval() + late, 0);
    } while (!status);
}

/* CVAL less the count, its low half: of a moment between two looks at the counter. */
static void tval_is_true(const char *what)
{
    u64 before = now(), v = tval(), after = now();

    check(what, v <= 0xffffffff && (u32)(cval() - v) - (u32)before <= after - before, 1);
}

static void condition(void)
{
    u64 t;

    section(is_virtual ? "virtual timer: condition" : "physical timer: condition");
    set_ctl(0);
    set_cval(0);
    check("off: no status", ctl(), 0);
    set_ctl(CTL_ENABLE);
    check("due", ctl(), CTL_ENABLE | CTL_STATUS);
    set_ctl(CTL_ENABLE | CTL_IMASK);
    check("the mask hides nothing from the status", ctl(), CTL_ENABLE | CTL_IMASK | CTL_STATUS);
    set_ctl(~0UL);
    check("two bits are kept", ctl(), CTL_ENABLE | CTL_IMASK | CTL_STATUS);
    set_cval(FAR);
    check("far: not due", ctl(), CTL_ENABLE | CTL_IMASK);
    set_cval(~0UL);
    check("the end of time: not due (unsigned)", ctl(), CTL_ENABLE | CTL_IMASK);
    set_cval(0x123456789abcdef0);
    check("CVAL reads back", cval(), 0x123456789abcdef0);
    t = now();
    set_tval(1000000);
    check("CVAL is now and TVAL", cval() - 1000000 >= t && cval() - 1000000 <= now(), 1);
    tval_is_true("TVAL goes down");
    t = now();
    set_tval(-1000UL & 0xffffffff);
    check("TVAL is signed", cval() + 1000 >= t && cval() + 1000 <= now(), 1);
    check("so it is due", ctl() & CTL_STATUS, CTL_STATUS);
    set_cval(now() - 5);
    tval_is_true("TVAL below zero");
    set_cval(now() + (1UL << 32) + 1000000000);
    tval_is_true("TVAL has 32 bits");
    set_cval(now() + 20000);
    due_in_time();
    set_ctl(0);
}

/* The line is a level: it follows enable, mask and condition at once. */
static void line(unsigned id)
{
    section(is_virtual ? "virtual timer: line" : "physical timer: line");
    set_cval(0);
    check("off", gic_pending(0, id), 0);
    set_ctl(CTL_ENABLE);
    check("due", gic_pending(0, id), 1);
    set_ctl(CTL_ENABLE | CTL_IMASK);
    check("masked", gic_pending(0, id), 0);
    set_ctl(CTL_ENABLE);
    set_cval(FAR);
    check("not due any more", gic_pending(0, id), 0);
    set_tval(0);
    check("due again", gic_pending(0, id), 1);
    set_ctl(0);
    check("off again", gic_pending(0, id), 0);
}

static void interrupts(unsigned id)
{
    section(is_virtual ? "virtual timer: interrupts" : "physical timer: interrupts");
    gic_enable(0, id);
    taken = 0;
    irqs_on();
    set_tval(5000);
    set_ctl(CTL_ENABLE);
    while (!taken)
        ;
    check("id", taken_id, id);
    for (unsigned i = 0; i < 20; i++) { /* through WFI, which the line ends */
        irqs_off();
        set_tval(2000 + 500 * i);
        set_ctl(CTL_ENABLE);
        __asm__ volatile("wfi" ::: "memory");
        check("awake: due", ctl() & CTL_STATUS, CTL_STATUS);
        irqs_on();
        __asm__ volatile("isb" ::: "memory");
    }
    irqs_off();
    check("one each", taken, 21);
    set_ctl(0);
    gic_disable(0, id);
}

/* An event a 2^7 ticks: WFE comes back without an interrupt (D12.2.3). */
static void event_stream(void)
{
    u64 t;

    section("event stream");
    WRITE(cntkctl_el1, 1 << 2 | 6 << 4);
    t = READ(cntvct_el0);
    for (unsigned i = 0; i < 50; i++)
        __asm__ volatile("wfe" ::: "memory");
    check("came back", READ(cntvct_el0) > t, 1);
    WRITE(cntkctl_el1, 0);
    __asm__ volatile("sevl\n wfe\n sev\n wfe" ::: "memory");
}

void test_main(void)
{
    gic_on(0);
    interrupt = take;
    counters();
    for (is_virtual = 0; is_virtual < 2; is_virtual++) {
        condition();
        line(is_virtual ? 27 : 30);
        interrupts(is_virtual ? 27 : 30);
    }
    event_stream();
}
