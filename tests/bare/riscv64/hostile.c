/*
 * A guest that means harm: calls of any number with any arguments, writes anywhere in its devices, wild
 * accesses, queues of devices that are none, storms of interrupts, sleeps with interrupts off. A line
 * "hostile N" now and then, "hostile end" at last.
 */
#include "guest.h"

#define ROUNDS      40000
#define RAM         0x80000000ul
#define VIRTIO      0x10001000ul
#define VIRTIO_STEP 0x1000

#include "../hostile.h"

/* After what it did to the UART. */
static void say(const char *text)
{
    UART[3] = 3;
    UART[4] = 0;
    put(text);
}

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    uint64_t pc = csr_read(sepc);

    (void)stval;
    (void)at;
    if (scause >> 63) {
        csr_clear(sip, 2);
        csr_write(0x14d, UINT64_MAX);
        csr_clear(sie, 1ul << (scause & 63));
        return 0;
    }
    return (*(uint16_t *)pc & 3) == 3 ? 4 : 2;
}

void guest_hart(uint64_t hart, uint64_t opaque)
{
    (void)hart;
    (void)opaque;
    for (int i = 0; i < 100; i++)
        sbi(SBI_IPI, 0, 3, 0, 0);
    sbi(SBI_HSM, 1, 0, 0, 0);
}

/* Not what ends the machine, and not what ends this hart. */
static void any_call(void)
{
    static const uint64_t ext[] = {SBI_BASE,   SBI_TIME, SBI_IPI,    0x52464e43, SBI_HSM, 0x504d55,
                                   0x4442434e, 0,        1,          2,          3,       5,
                                   6,          7,        0x09000000, 0x08000000, ~0ul};
    uint64_t e = any() % 4 ? ext[any() % (sizeof(ext) / sizeof(ext[0]))] : any(), f = any() % 8;

    if (e == 8 || e == SBI_SRST || (e == SBI_HSM && (f == 1 || f == 3)))
        return;
    if (e == SBI_HSM && f == 0 && any() % 2)
        sbi(e, 0, 1, (uint64_t)guest_secondary, 0);
    else
        sbi(e, f, any() % 3 ? any() % 16 : any(), any() % 3 ? any() % 64 : any(), any() % 2 ? 0 : any());
}

static void any_access(void)
{
    static const struct {
        uint64_t base, size;
    } at[] = {{0x2000000, 0x10000}, {0xc000000, 0x4000000},     {0x10000000, 0x100},
              {0x10001000, 0x8000}, {0x101000, 0x1000},         {0x20000000, 0x4000000},
              {0, 0x80000000},      {0x100000000, 0x1000000000}};
    unsigned which = any() % (sizeof(at) / sizeof(at[0]));
    uint64_t a = at[which].base + any() % at[which].size;

    if ((a & ~0xffful) == 0x100000) /* the finisher */
        return;
    switch (any() % 10) {
    case 0:
        *(volatile uint8_t *)a = (uint8_t)any();
        break;
    case 1:
        *(volatile uint16_t *)a = (uint16_t)any();
        break;
    case 2:
    case 3:
        *(volatile uint32_t *)(a & ~3ul) = (uint32_t)any();
        break;
    case 4:
        *(volatile uint64_t *)a = any();
        break;
    case 5:
        (void)*(volatile uint8_t *)a;
        break;
    case 6:
    case 7:
        (void)*(volatile uint32_t *)a;
        break;
    case 8:
        (void)*(volatile uint64_t *)(a | 0xffc); /* across two pages */
        break;
    default:
        __asm__ volatile("amoswap.w zero, zero, (%0)" ::"r"(a & ~3ul) : "memory");
    }
}

static void any_sleep(void)
{
    csr_clear(sstatus, 2);
    csr_write(sie, any() & 0x222);
    csr_write(0x14d, now() + any() % 3000);
    csr_set(sie, 1 << 5);
    __asm__ volatile("wfi");
    csr_write(0x14d, UINT64_MAX);
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    seed ^= start;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t what = any() % 18;

        if (what < 6)
            any_call();
        else if (what < 14)
            any_access();
        else if (what == 14)
            any_sleep();
        else if (what < 17)
            any_queue();
        else
            for (int k = 0; k < 50; k++)
                sbi(SBI_IPI, 0, 1, 0, 0);
        if (i % 4000 == 0)
            say("\nhostile round\n");
    }
    say("\nhostile end\n");
}
