/*
 * A guest in machine mode without an operating system: prints on the serial port and powers off by the
 * test finisher. Runs under any virt machine: carbovisor run --firmware hello.elf
 */
#include <stdint.h>

#define UART     ((volatile uint8_t *)0x10000000)
#define FINISHER ((volatile uint32_t *)0x100000)

enum { UART_THR = 0, UART_LSR = 5, LSR_THR_EMPTY = 0x20, FINISHER_PASS = 0x5555 };

static void put(const char *s)
{
    while (*s) {
        while (!(UART[UART_LSR] & LSR_THR_EMPTY))
            ;
        UART[UART_THR] = (uint8_t)*s++;
    }
}

void hello(void)
{
    put("Hello, world!\n");
    *FINISHER = FINISHER_PASS;
}
