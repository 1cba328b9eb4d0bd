/*
 * More interrupts at once than there are list registers: pending ones come in the order of their priorities,
 * and active ones that preempted each other end in the reverse order.
 */
#include "guest.h"

#define FIRST 40u /* SPI */
#define COUNT 12u

static volatile unsigned order[64], seen, depth, deepest;
static unsigned nesting;

static void pend(unsigned id)
{
    w32(GICD + 0x200 + id / 32 * 4, 1u << id % 32);
}

static void priority(unsigned id, unsigned p)
{
    __asm__ volatile("strb %w0, [%1]" ::"r"(p), "r"(GICD + 0x400 + id) : "memory");
}

void guest_irq(uint64_t ticks)
{
    uint64_t id = gic_ack(), elr, spsr;

    (void)ticks;
    if (id >= 1020)
        return;
    order[seen++ % 64] = (unsigned)id;
    if (nesting && id + 1 < FIRST + COUNT) {
        depth++;
        deepest = depth > deepest ? depth : deepest;
        elr = sys_read(elr_el1);
        spsr = sys_read(spsr_el1);
        pend((unsigned)id + 1); /* more urgent: it comes at once */
        __asm__ volatile("msr daifclr, #2\n\tisb\n\tnop\n\tnop\n\tmsr daifset, #2" ::: "memory");
        sys_write(elr_el1, elr);
        sys_write(spsr_el1, spsr);
        depth--;
    }
    gic_end(id);
}

static void wait_for(unsigned n)
{
    for (unsigned i = 0; seen < n && i < 1000; i++)
        __asm__ volatile("msr daifclr, #2\n\tisb\n\tmsr daifset, #2" ::: "memory");
}

static void setup(void)
{
    gic_start(0);
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned id = FIRST + i;

        w32(GICD + 0x80 + id / 32 * 4, r32(GICD + 0x80 + id / 32 * 4) | 1u << id % 32);
        w32(GICD + 0xc00 + id / 16 * 4, r32(GICD + 0xc00 + id / 16 * 4) | 2u << id % 16 * 2);
        w32(GICD + 0x6000 + 8 * id, 0);
        w32(GICD + 0x6004 + 8 * id, 0);
        w32(GICD + 0x100 + id / 32 * 4, 1u << id % 32);
    }
}

static void in_order(void)
{
    for (unsigned i = 0; i < COUNT; i++)
        priority(FIRST + i, 0x80 - 8 * i);
    for (unsigned i = 0; i < COUNT; i++)
        pend(FIRST + i);
    wait_for(COUNT);
    check("how many", seen, COUNT);
    for (unsigned i = 0; i < seen && i < COUNT; i++)
        check("in order", order[i], FIRST + COUNT - 1 - i);
}

/* Each handler raises the next, more urgent one: all are active at once. */
static void nested(void)
{
    seen = 0;
    nesting = 1;
    for (unsigned round = 1; round <= 3; round++) {
        pend(FIRST);
        wait_for(round * COUNT);
        check("nested how many", seen, round * COUNT);
    }
    check("deepest", deepest, COUNT - 1);
    for (unsigned i = 0; i < COUNT; i++)
        check("nested order", order[i], FIRST + i);
    check("nothing active", r32(GICD + 0x304), 0);
    check("running priority", sys_read(S3_0_C12_C11_3), 0xff);
    nesting = 0;
    seen = 0;
    pend(FIRST + 1);
    wait_for(1);
    check("afterwards", seen, 1);
}

/* The same SGI again while it is pending, and after its end. */
static void again(void)
{
    seen = 0;
    gic_sgi(5, 0);
    gic_sgi(5, 0);
    wait_for(1);
    check("merged", seen, 1);
    for (unsigned i = 2; i < 20; i++) {
        gic_sgi(5, 0);
        wait_for(i);
        if (seen != i)
            break;
    }
    check("again", seen, 19);
}

#define BIT_OF(id)         (1u << (id) % 32)
#define REGISTER(base, id) (GICD + (base) + (id) / 32 * 4)
enum { ISPENDR = 0x200, ICPENDR = 0x280, ISACTIVER = 0x300, ICACTIVER = 0x380 };

static void unmask(void)
{
    for (unsigned i = 0; i < 20; i++)
        __asm__ volatile("msr daifclr, #2\n\tisb\n\tmsr daifset, #2" ::: "memory");
}

/* The distributor's registers know of interrupts that stand in list registers. */
static void registers_of_state(void)
{
    unsigned id = FIRST + 3;
    uint64_t taken;

    seen = 0;
    pend(id);
    hvc(PSCI_VERSION, 0, 0, 0);
    check("ISPENDR of a pending one", !!(r32(REGISTER(ISPENDR, id)) & BIT_OF(id)), 1);
    w32(REGISTER(ICPENDR, id), BIT_OF(id));
    check("ICPENDR", !!(r32(REGISTER(ISPENDR, id)) & BIT_OF(id)), 0);
    unmask();
    check("ICPENDR takes it back", seen, 0);
    w32(REGISTER(ISACTIVER, id), BIT_OF(id));
    pend(id);
    unmask();
    check("ISACTIVER holds it", seen, 0);
    w32(REGISTER(ICACTIVER, id), BIT_OF(id));
    wait_for(1);
    check("ICACTIVER lets it go", seen, 1);
    sys_write(S3_0_C12_C12_4, 2); /* EOImode: an end drops the priority, no more */
    pend(id);
    for (unsigned i = 0; i < 1000 && sys_read(S3_0_C12_C12_2) != id; i++)
        ;
    taken = gic_ack();
    check("taken", taken, id);
    check("active", !!(r32(REGISTER(ISACTIVER, id)) & BIT_OF(id)), 1);
    gic_end(taken);
    check("active still", !!(r32(REGISTER(ISACTIVER, id)) & BIT_OF(id)), 1);
    pend(id);
    hvc(PSCI_VERSION, 0, 0, 0);
    check("not again yet", sys_read(S3_0_C12_C12_2), 1023);
    w32(REGISTER(ICACTIVER, id), BIT_OF(id));
    for (unsigned i = 0; i < 1000 && sys_read(S3_0_C12_C12_2) != id; i++)
        ;
    check("again after ICACTIVER", gic_ack(), id);
    gic_end(id);
    sys_write(S3_0_C12_C11_1, id); /* ICC_DIR_EL1 */
    sys_write(S3_0_C12_C12_4, 0);
    check("not active", !!(r32(REGISTER(ISACTIVER, id)) & BIT_OF(id)), 0);
    seen = 0;
    pend(id);
    wait_for(1);
    check("as before", seen, 1);
}

static bool timer_comes(void)
{
    sys_write(cntv_cval_el0, now());
    sys_write(cntv_ctl_el0, 1);
    for (unsigned i = 0; i < 100000; i++) {
        if (sys_read(S3_0_C12_C12_2) == 27)
            return true;
    }
    return false;
}

/* The timer's interrupt is the hardware's from end to end, but for these registers. */
static void timer_state(void)
{
    uint64_t sgi = GICR + 0x10000;

    sys_write(S3_0_C12_C12_4, 2);
    check("timer", timer_comes(), 1);
    check("timer taken", gic_ack(), 27);
    sys_write(cntv_ctl_el0, 0);
    gic_end(27);
    check("timer active", r32(sgi + ISACTIVER) >> 27 & 1, 1);
    check("timer not again", timer_comes(), 0);
    w32(sgi + ICACTIVER, 1u << 27);
    check("timer not active", r32(sgi + ISACTIVER) >> 27 & 1, 0);
    check("timer again", timer_comes(), 1);
    check("timer taken again", gic_ack(), 27);
    sys_write(cntv_ctl_el0, 0);
    gic_end(27);
    sys_write(S3_0_C12_C11_1, 27);
    sys_write(S3_0_C12_C12_4, 0);
    check("timer as before", timer_comes() && gic_ack() == 27, 1);
    sys_write(cntv_ctl_el0, 0);
    gic_end(27);
}

void overflow(void)
{
    setup();
    in_order();
    nested();
    again();
    registers_of_state();
    timer_state();
}
