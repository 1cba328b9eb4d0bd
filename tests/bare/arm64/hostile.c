/*
 * A guest that means harm: calls of any number with any arguments, writes anywhere in its devices, wild
 * accesses, system registers of all kinds, queues of devices that are none, storms of interrupts, sleeps with
 * interrupts off. A line
 * "hostile round" now and then, "hostile end" at last.
 */
#include "guest.h"

#define ROUNDS      40000
#define RAM         0x40000000ul
#define VIRTIO      0x0a000000ul
#define VIRTIO_STEP 0x200

#include "../hostile.h"

uint64_t guest_sync(uint64_t esr, uint64_t far)
{
    (void)esr;
    (void)far;
    return 4;
}

void guest_irq(uint64_t ticks)
{
    uint64_t id = gic_ack();

    (void)ticks;
    sys_write(cntv_ctl_el0, 0);
    gic_end(id); /* without it nothing would ever wake this guest again */
}

void guest_pe(uint64_t context)
{
    (void)context;
    for (unsigned i = 0; i < 100; i++)
        gic_sgi(i % 16, i % 3);
    hvc(PSCI_CPU_OFF, 0, 0, 0);
}

/* Not what ends the machine, this PE, or waits. */
static void any_call(void)
{
    uint64_t f = any() % 4 ? (any() % 2 ? 0x84000000 : 0xc4000000) | any() % 0x20 : any();

    switch ((uint32_t)f) {
    case 0x84000001:
    case 0xc4000001:
    case 0x84000002:
    case 0x84000008:
    case 0x84000009:
    case 0x84000012:
    case 0xc4000012:
        return;
    }
    if ((uint32_t)f == PSCI_CPU_ON && any() % 2)
        hvc(f, 1, (uint64_t)guest_secondary, 0);
    else if ((uint32_t)f != PSCI_CPU_ON && (uint32_t)f != 0x84000003)
        hvc(f, any() % 3 ? any() % 16 : any(), any() % 3 ? any() % 64 : any(), any());
}

static void any_access(void)
{
    static const struct {
        uint64_t base, size;
    } at[] = {{0x08000000, 0x10000}, {0x08080000, 0x20000},       {0x080a0000, 0x40000},
              {0x09000000, 0x1000},  {0x09010000, 0x30000},       {0x0a000000, 0x4000},
              {0, 0x8000000},        {0x100000000, 0x1000000000}, {0, 0x40000000},
              {1ul << 38, 1ul << 47}};
    unsigned which = any() % (sizeof(at) / sizeof(at[0]));
    uint64_t a = at[which].base + any() % at[which].size, v = any();

    switch (any() % 10) {
    case 0:
        __asm__ volatile("strb %w0, [%1]" ::"r"(v), "r"(a) : "memory");
        break;
    case 1:
        __asm__ volatile("strh %w0, [%1]" ::"r"(v), "r"(a) : "memory");
        break;
    case 2:
    case 3:
        __asm__ volatile("str %w0, [%1]" ::"r"(v), "r"(a & ~3ul) : "memory");
        break;
    case 4:
        __asm__ volatile("stp %0, %0, [%1]" ::"r"(v), "r"(a & ~7ul) : "memory");
        break;
    case 5:
        __asm__ volatile("ldrb %w0, [%1]" : "=r"(v) : "r"(a) : "memory");
        break;
    case 6:
        __asm__ volatile("ldp q0, q1, [%0]" ::"r"((a & ~0xffful) | 0xff0) : "memory"); /* across two pages */
        break;
    case 7:
        __asm__ volatile("ldxr %0, [%1]" : "=r"(v) : "r"(a & ~7ul) : "memory");
        break;
    case 8:
        __asm__ volatile("dc civac, %0" ::"r"(a) : "memory");
        break;
    default:
        __asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(a & ~7ul) : "memory");
    }
}

#define WRITE(name)                                                                                          \
    case __COUNTER__ - FIRST:                                                                                \
        sys_write(name, any());                                                                              \
        break

/* None that would make this guest lose its own way. */
static void any_register(void)
{
    enum { FIRST = __COUNTER__ + 1 };

    switch (any() % 24) {
        WRITE(S3_0_C4_C6_0);
        WRITE(S3_0_C12_C8_3);
        WRITE(S3_0_C12_C12_4);
        WRITE(S3_0_C12_C12_1);
        WRITE(S3_0_C12_C8_1);
        WRITE(S3_0_C12_C11_5);
        WRITE(S3_0_C12_C11_6);
        WRITE(S3_0_C12_C11_7);
        WRITE(S3_0_C12_C11_1);
        WRITE(S3_0_C12_C9_0);
        WRITE(S3_0_C12_C12_7);
        WRITE(cntp_cval_el0);
        WRITE(cntp_ctl_el0);
        WRITE(cntp_tval_el0);
        WRITE(cntv_cval_el0);
        WRITE(pmcr_el0);
        WRITE(pmcntenset_el0);
        WRITE(pmevtyper0_el0);
        WRITE(dbgbvr0_el1);
        WRITE(S3_0_C5_C3_0);
        WRITE(S3_0_C15_C2_0);
        WRITE(tpidr_el1);
    default:
        (void)sys_read(id_aa64isar0_el1);
    }
}

static void any_sleep(void)
{
    sys_write(cntv_cval_el0, now() + any() % 3000);
    sys_write(cntv_ctl_el0, 1);
    w32(GICR + 0x10100, 1u << 27);
    sys_write(S3_0_C4_C6_0, 0xf0);
    sys_write(S3_0_C12_C12_7, 1);
    w32(GICD, 0x12);
    w32(GICR + 0x14, 0);
    w32(GICR + 0x10080, 0xffffffff);
    w32(GICR + 0x10418, 0x80808080);
    w32(GICR + 0x10380, 0xffffffff);
    sys_write(S3_0_C12_C8_4, 0); /* no priority is active */
    sys_write(S3_0_C12_C9_0, 0);
    __asm__ volatile("wfi");
    sys_write(cntv_ctl_el0, 0);
}

void guest_main(uint64_t dtb, uint64_t ticks)
{
    (void)dtb;
    seed ^= ticks;
    gic_start(0);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t what = any() % 20;

        if (what < 6)
            any_call();
        else if (what < 14)
            any_access();
        else if (what < 16)
            any_register();
        else if (what == 16)
            any_sleep();
        else if (what < 19)
            any_queue();
        else
            for (unsigned k = 0; k < 50; k++)
                gic_sgi(any() % 16, any() % 3);
        if (any() % 16 == 0)
            __asm__ volatile("msr daifclr, #3\n\tisb\n\tmsr daifset, #3" ::: "memory");
        if (i % 4000 == 0) {
            w32(UART + 0x30, 0x301);
            put("\nhostile round\n");
        }
    }
    w32(UART + 0x30, 0x301);
    put("\nhostile end\n");
}
