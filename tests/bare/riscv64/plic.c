/* A guest of the PLIC, on whatever board: the UART's interrupt, again and again, by claim and completion. */
#include "guest.h"

#define UART_INPUT 10
#define PRIORITY   (PLIC + 4 * UART_INPUT)
#define ENABLE     (PLIC + 0x2080) /* context 1: S-mode of hart 0 */
#define THRESHOLD  (PLIC + 0x201000)
#define CLAIM      (PLIC + 0x201004)

static volatile unsigned served, strange;

uint64_t guest_trap(uint64_t scause, uint64_t stval, uint64_t at)
{
    uint32_t id = r32(CLAIM);

    (void)stval;
    (void)at;
    if (scause != ((uint64_t)1 << 63 | 9) || id != UART_INPUT || r32(CLAIM))
        strange++;
    else
        served++;
    UART[1] = 0;
    (void)UART[2];
    w32(CLAIM, id);
    if (!(scause >> 63)) {
        put("plic trap\n");
        guest_off();
    }
    return 0;
}

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    w32(PRIORITY, 1);
    w32(ENABLE, 1u << UART_INPUT);
    w32(THRESHOLD, 0);
    csr_write(sie, 1 << 9);
    for (unsigned n = 1; n <= 20 && !strange; n++) {
        UART[1] = 2; /* the transmitter is empty: at once */
        while (served < n && !strange) {
            __asm__ volatile("wfi");
            csr_set(sstatus, 2);
            csr_clear(sstatus, 2);
        }
        strange += served != n;
    }
    put(strange ? "plic strange\n" : "plic served\n");
    for (;;)
        __asm__ volatile("wfi");
}
