/* The ITS: registers, its commands and the LPIs that come of them (IHI 0069, 5.3, 12.19, 12.11). */
#include "gic.h"

#define LPI   8192u
#define DEV   5u
#define VALID (1UL << 63)

/* In Normal memory as the ITS sees it; translation is off, so nothing of it is in a cache. */
static u64 queue[512] __attribute__((aligned(65536))), devices[8192] __attribute__((aligned(65536))),
    collections[8192] __attribute__((aligned(65536))), itt[64] __attribute__((aligned(256)));
static u8 config[65536] __attribute__((aligned(65536))), pending[65536] __attribute__((aligned(65536)));

static void command(u64 a, u64 b, u64 c, u64 d)
{
    u64 at = MMIO64(ITS + 0x88) & 0xfffe0;

    queue[at / 8] = a;
    queue[at / 8 + 1] = b;
    queue[at / 8 + 2] = c;
    queue[at / 8 + 3] = d;
    at = (at + 32) & 0xfff;
    __asm__ volatile("dsb sy" ::: "memory");
    MMIO64(ITS + 0x88) = at;
    for (unsigned i = 0; (MMIO64(ITS + 0x90) & 0xfffff) != at; i++) {
        if (i == 1000000) {
            check("the command is done", MMIO64(ITS + 0x90), at);
            return;
        }
    }
}

static void mapd(unsigned dev, unsigned bits, u64 valid)
{
    command(8 | (u64)dev << 32, bits - 1, (u64)itt | valid, 0);
}

static void mapc(unsigned collection, u64 valid)
{
    u64 rd = MMIO64(ITS + 8) >> 19 & 1 ? GICR : 0;

    command(9, 0, valid | rd | collection, 0);
}

static void mapti(unsigned dev, unsigned event, unsigned lpi, unsigned collection)
{
    command(0xa | (u64)dev << 32, event | (u64)lpi << 32, collection, 0);
}

static void about(unsigned op, unsigned dev, unsigned event)
{
    command(op | (u64)dev << 32, event, 0, 0);
}

#define INT(dev, event)     about(3, dev, event)
#define CLEAR(dev, event)   about(4, dev, event)
#define INV(dev, event)     about(0xc, dev, event)
#define DISCARD(dev, event) about(0xf, dev, event)
#define INVALL(collection)  command(0xd, 0, collection, 0)

static u64 table(unsigned n)
{
    return MMIO64(ITS + 0x100 + 8 * n);
}

static void registers(void)
{
    section("ITS registers");
    check("GITS_PIDR2 says GICv3", MMIO32(ITS + 0xffe8) & 0xf0, 0x30);
    check("GITS_TYPER: physical LPIs", MMIO64(ITS + 8) & 1, 1);
    check("off and quiescent", MMIO32(ITS) & 0x80000001, 0x80000000);
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = table(i) >> 56 & 7;

        if (type == 1)
            MMIO64(ITS + 0x100 + 8 * i) = VALID | (u64)devices;
        if (type == 4)
            MMIO64(ITS + 0x100 + 8 * i) = VALID | (u64)collections;
        if (type) {
            check("valid", table(i) >> 63, 1);
            check("type stays", table(i) >> 56 & 7, type);
        }
    }
    MMIO64(ITS + 0x80) = VALID | (u64)queue;
    check("GITS_CBASER", MMIO64(ITS + 0x80) & (VALID | 0xffffffff000), VALID | (u64)queue);
    check("read pointer", MMIO64(ITS + 0x90), 0);
    check("write pointer", MMIO64(ITS + 0x88), 0);
    MMIO32(ITS) = 1;
    check("on", MMIO32(ITS) & 1, 1);
}

static void lpis_on(void)
{
    for (unsigned i = 0; i < 64; i++)
        config[i] = 0xa0 | 1;
    MMIO64(GICR + 0x70) = (u64)config | 14;
    MMIO64(GICR + 0x78) = (u64)pending | 1UL << 62;
    MMIO32(GICR) = 1;
    check("EnableLPIs", MMIO32(GICR) & 1, 1);
}

static void maps(void)
{
    section("MAPD, MAPC, MAPTI, INT");
    mapc(0, VALID);
    mapd(DEV, 4, VALID);
    mapti(DEV, 3, LPI + 7, 0);
    INT(DEV, 3);
    check("pending", GET(ICC_HPPIR1), LPI + 7);
    check("acknowledged", GET(ICC_IAR1), LPI + 7);
    check("LPIs have no active state", GET(ICC_HPPIR1), 1023);
    check("but a running priority", GET(ICC_RPR), 0xa0);
    SET(ICC_EOIR1, LPI + 7);
    check("dropped", GET(ICC_RPR), 0xff);
    INT(DEV, 3);
    CLEAR(DEV, 3);
    check("CLEAR", GET(ICC_HPPIR1), 1023);
    INT(DEV, 2); /* not mapped */
    INT(DEV + 1, 3);
    check("events and devices that are not mapped", GET(ICC_HPPIR1), 1023);
    command(0xb | (u64)DEV << 32, LPI + 9, 0, 0); /* MAPI: the event is the number */
    mapti(DEV, 15, LPI + 9, 0);
    INT(DEV, 15);
    check("the last event", GET(ICC_IAR1), LPI + 9);
    SET(ICC_EOIR1, LPI + 9);
    mapti(DEV, 16, LPI + 10, 0);
    INT(DEV, 16);
    check("beyond the device's events", GET(ICC_HPPIR1), 1023);
}

static void configured(void)
{
    section("LPI configuration: INV, INVALL");
    config[7] = 0xa0;
    INV(DEV, 3);
    INT(DEV, 3);
    check("disabled", GET(ICC_HPPIR1), 1023);
    config[7] = 0x60 | 1;
    INV(DEV, 3);
    check("enabled: it was pending", GET(ICC_IAR1), LPI + 7);
    check("priority", GET(ICC_RPR), 0x60);
    SET(ICC_EOIR1, LPI + 7);
    config[7] = 0xa0 | 1;
    config[9] = 0x40 | 1;
    INVALL(0);
    INT(DEV, 3);
    INT(DEV, 15);
    check("the higher priority first", GET(ICC_IAR1), LPI + 9);
    SET(ICC_EOIR1, LPI + 9);
    check("then the other", GET(ICC_IAR1), LPI + 7);
    SET(ICC_EOIR1, LPI + 7);
}

static void moved(void)
{
    section("MOVI, DISCARD, unmapping");
    mapc(1, VALID);
    command(1 | (u64)DEV << 32, 3, 1, 0); /* MOVI */
    INT(DEV, 3);
    check("by the other collection", GET(ICC_IAR1), LPI + 7);
    SET(ICC_EOIR1, LPI + 7);
    INT(DEV, 3);
    DISCARD(DEV, 3);
    check("DISCARD takes the pending state", GET(ICC_HPPIR1), 1023);
    INT(DEV, 3);
    check("and the mapping", GET(ICC_HPPIR1), 1023);
    mapti(DEV, 3, LPI + 7, 1);
    mapc(1, 0);
    INT(DEV, 3);
    check("no collection", GET(ICC_HPPIR1), 1023);
    mapc(1, VALID);
    mapti(DEV, 3, LPI + 7, 1);
    INT(DEV, 3);
    check("again", GET(ICC_IAR1), LPI + 7);
    SET(ICC_EOIR1, LPI + 7);
    mapd(DEV, 4, 0);
    INT(DEV, 3);
    check("no device", GET(ICC_HPPIR1), 1023);
    command(5, 0, MMIO64(ITS + 8) >> 19 & 1 ? GICR : 0, 0); /* SYNC */
}

static void full_queue(void)
{
    u64 at;

    section("a queue full of INVALL");
    at = MMIO64(ITS + 0x88);
    for (unsigned i = 0; i < 512; i += 4) {
        queue[i] = 0xd;
        queue[i + 1] = queue[i + 2] = queue[i + 3] = 0;
    }
    __asm__ volatile("dsb sy" ::: "memory");
    MMIO64(ITS + 0x88) = (at - 32) & 0xfff;
    while (MMIO64(ITS + 0x90) != ((at - 32) & 0xfff))
        ;
    check("done", MMIO64(ITS + 0x90), (at - 32) & 0xfff);
    MMIO32(ITS) = 0;
    while (!(MMIO32(ITS) & 1u << 31))
        ;
    check("off", MMIO32(ITS) & 1, 0);
}

void test_main(void)
{
    gic_on(0);
    registers();
    lpis_on();
    maps();
    configured();
    moved();
    full_queue();
}
