/* What test guests of all ISAs share; guest.h, which includes this, has put(). */
#ifndef CV_TESTS_BARE_COMMON_H
#define CV_TESTS_BARE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void put(const char *s);

static inline void put_number(uint64_t n)
{
    char buf[24];
    unsigned i = sizeof(buf);

    buf[--i] = 0;
    do
        buf[--i] = (char)('0' + n % 10);
    while (n /= 10);
    put(buf + i);
}

/* Ends the machine. */
void guest_off(void);
/* start.S: where other CPUs begin. */
void guest_secondary(void);

#endif
