/*
 * The ITS (IHI 0069, 5 and 12.18): a device of 16 events, each an LPI; all are raised at once, more than
 * there are list registers, and come by their priorities.
 */
#include "guest.h"

#define GITS    0x08080000ul
#define TABLES  0x41000000ul /* RAM that nothing else uses */
#define QUEUE   TABLES
#define DEVICES (TABLES + 0x10000)
#define CPUS    (TABLES + 0x20000)
#define EVENTS  (TABLES + 0x30000)
#define CONFIG  (TABLES + 0x40000)
#define PENDING (TABLES + 0x50000)
#define LPI     8192u
#define COUNT   16u
#define VALID   (UINT64_C(1) << 63)
#define DEVICE  7ul

enum { GITS_CTLR = 0, GITS_CBASER = 0x80, GITS_CWRITER = 0x88, GITS_CREADR = 0x90, GITS_BASER = 0x100 };
enum { INT = 3, SYNC = 5, MAPD = 8, MAPC = 9, MAPTI = 10, INV = 12, DISCARD = 15 };

static void w64(uint64_t at, uint64_t v)
{
    __asm__ volatile("str %0, [%1]" ::"r"(v), "r"(at) : "memory");
}

static uint64_t r64(uint64_t at)
{
    uint64_t v;

    __asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(at) : "memory");
    return v;
}

static bool command(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t at = r64(GITS + GITS_CWRITER), next = (at + 32) % 4096;

    w64(QUEUE + at, a);
    w64(QUEUE + at + 8, b);
    w64(QUEUE + at + 16, c);
    w64(QUEUE + at + 24, 0);
    __asm__ volatile("dsb sy" ::: "memory");
    w64(GITS + GITS_CWRITER, next);
    for (unsigned i = 0; i < 100000; i++) {
        if (r64(GITS + GITS_CREADR) == next)
            return true;
    }
    return false;
}

static void start_its(void)
{
    for (unsigned i = 0; i < COUNT; i++) /* event i is LPI + i, the later the more urgent; enabled */
        __asm__ volatile("strb %w0, [%1]" ::"r"(0xa1 - 8 * i), "r"(CONFIG + i) : "memory");
    w64(GICR + 0x70, CONFIG | 13);
    w64(GICR + 0x78, PENDING | UINT64_C(1) << 62);
    w32(GICR, 1);
    w64(GITS + GITS_CBASER, VALID | QUEUE);
    w64(GITS + GITS_CWRITER, 0);
    w64(GITS + GITS_BASER, VALID | (r64(GITS + GITS_BASER) & UINT64_C(0x071f000000000000)) | DEVICES);
    w64(GITS + GITS_BASER + 8, VALID | (r64(GITS + GITS_BASER + 8) & UINT64_C(0x071f000000000000)) | CPUS);
    w32(GITS + GITS_CTLR, 1);
}

static unsigned next(void)
{
    for (unsigned i = 0; i < 10000; i++) {
        if (sys_read(S3_0_C12_C12_2) >= LPI)
            return (unsigned)gic_ack();
    }
    return 1023;
}

void its(void)
{
    bool done;
    unsigned id, right = 0;

    gic_start(0);
    start_its();
    done = command(MAPD | DEVICE << 32, 3, VALID | EVENTS) && command(MAPC, 0, VALID | 5);
    for (unsigned i = 0; i < COUNT; i++)
        done = done && command(MAPTI | DEVICE << 32, i | (uint64_t)(LPI + i) << 32, 5) &&
               command(INV | DEVICE << 32, i, 0);
    check("commands of the ITS", done && command(SYNC, 0, 0), 1);
    for (unsigned i = 0; i < COUNT; i++)
        done = done && command(INT | DEVICE << 32, i, 0);
    check("all are raised", done, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        id = next();
        right += id == LPI + COUNT - 1 - i;
        if (id != 1023)
            gic_end(id);
    }
    check("LPIs in order", right, COUNT);
    check("each once", sys_read(S3_0_C12_C12_2), 1023);
    command(INT | DEVICE << 32, 3, 0);
    command(DISCARD | DEVICE << 32, 3, 0);
    id = (unsigned)sys_read(S3_0_C12_C12_2);
    check("a discarded one", id == 1023 || id == LPI + 3, 1);
    if (id == LPI + 3)
        gic_end(gic_ack());
    command(INT | DEVICE << 32, 4, 0);
    check("another afterwards", id = next(), LPI + 4);
    gic_end(id);
}
