/*
 * Registers that a hypervisor switches only when it must, written with a new number again and again while
 * somebody moves the guest from CPU to CPU. guest.h, registers_set() and registers_are() come before.
 */
#ifndef CV_TESTS_BARE_MOVED_H
#define CV_TESTS_BARE_MOVED_H

static void moved(uint64_t tenth)
{
    put("moved up\n");
    for (uint64_t n = 1, line = 1;; line++) {
        for (uint64_t until = now() + tenth; now() < until; n++) {
            registers_set(n);
            for (unsigned i = 0; i < 100; i++)
                (void)now();
            if (!registers_are(n)) {
                put("moved lost\n");
                guest_off();
            }
        }
        put("moved ");
        put_number(line);
        put("\n");
    }
}

#endif
