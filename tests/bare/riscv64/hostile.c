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

static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

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

static uint32_t r32(uint64_t at)
{
    return *(volatile uint32_t *)at;
}

static void w32(uint64_t at, uint32_t v)
{
    *(volatile uint32_t *)at = v;
}

/* A device of virtio set up as its specification says (VIRTIO 1.2, 4.2.3), but with rings anywhere and of
 * anything. */
static void any_queue(void)
{
    static uint64_t ring[512];
    uint64_t at = VIRTIO + VIRTIO_STEP * (any() % 8), queue = any() % 3;
    const uint64_t where[] = {(uint64_t)ring,
                              (uint64_t)ring + 2048,
                              RAM + (32 << 20) - 8,
                              RAM - 4096,
                              VIRTIO,
                              any(),
                              ~0ul - 100,
                              1ul << 40,
                              RAM + 1};

    for (unsigned i = 0; i < 512; i += 2) { /* descriptors: address; length, flags, next */
        ring[i] = any() % 2 ? where[any() % 9] : any();
        ring[i + 1] =
            (any() % 2 ? any() % 4096 : any() & 0xffffffff) | (any() & 7) << 32 | (any() % 300) << 48;
    }
    ring[256] = any() % 2 ? 0x100000000 : any(); /* available ring: flags, index, heads */
    static const uint8_t steps[] = {0, 1, 3};
    for (unsigned i = 0; i < 3; i++)
        w32(at + 0x70, steps[i]);
    w32(at + 0x24, 1);
    w32(at + 0x20, 1);
    w32(at + 0x70, 11);
    w32(at + 0x30, (uint32_t)queue);
    w32(at + 0x38, any() % 4 ? 1u << any() % 9 : (uint32_t)any());
    for (unsigned i = 0x80; i <= 0xa0; i += 16) {
        uint64_t p = i == 0x80 && any() % 2   ? (uint64_t)ring
                     : i == 0x90 && any() % 2 ? (uint64_t)ring + 2048
                                              : where[any() % 9];

        w32(at + i, (uint32_t)p);
        w32(at + i + 4, (uint32_t)(p >> 32));
    }
    w32(at + 0x44, 1);
    w32(at + 0x70, 15);
    w32(at + 0x50, (uint32_t)queue);
    (void)r32(at + 0x70);
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
