/*
 * The power key: line 3 of the PL061 (DDI 0190), SPI 7. Somebody presses the machine's power button while
 * this runs; the guest sees the key go down by an interrupt, then come up.
 */
#include "gic.h"

#define GPIO 0x09030000UL
#define KEY  (1u << 3)
#define SPI  39u

static volatile unsigned downs, ups, id;

/* The data register of one line: address bits 9:2 are the mask. */
static u32 key(void)
{
    return MMIO32(GPIO + (KEY << 2));
}

/* On a busy host the key may be up again before this looks, and be pressed once more. */
static void take(u64 vector)
{
    (void)vector;
    id = (unsigned)GET(ICC_IAR1);
    MMIO32(GPIO + 0x41c) = KEY; /* GPIOIC */
    if (key())
        downs++;
    else if (downs)
        ups++;
    if (id < 1020)
        SET(ICC_EOIR1, id);
}

void test_main(void)
{
    section("the power key");
    gic_on(0);
    interrupt = take;
    MMIO32(GPIO + 0x404) = 0;   /* edges */
    MMIO32(GPIO + 0x408) = KEY; /* both */
    MMIO32(GPIO + 0x41c) = 0xff;
    MMIO32(GPIO + 0x410) = KEY;
    gic_enable(0, SPI);
    check("it is up", key(), 0);
    section(0); /* whoever presses waits for this line */
    section("pressed, and let go of");
    while (!downs) {
        __asm__ volatile("wfi" ::: "memory");
        irqs_on();
        irqs_off();
    }
    check("by its interrupt", id, SPI);
    while (!ups) {
        __asm__ volatile("wfi" ::: "memory");
        irqs_on();
        irqs_off();
    }
    check("and up by the same", id, SPI);
}
