/* Touches all of a GiB of RAM, out of order, and looks whether everything is where it was put. */
#ifndef CV_TESTS_BARE_WIDE_H
#define CV_TESTS_BARE_WIDE_H

#define BLOCK  (2ul << 20)
#define BLOCKS 512u

static volatile uint64_t *word(uint64_t ram, unsigned i)
{
    return (volatile uint64_t *)(ram + (i * 77 % BLOCKS) * BLOCK + BLOCK - 64);
}

static void wide(uint64_t ram)
{
    unsigned wrong = 0, again = *word(ram, 1) == 2; /* a reset leaves memory as it was */

    for (unsigned i = 0; i < BLOCKS; i++) {
        wrong += *word(ram, i) != (again ? i + 1 : 0);
        *word(ram, i) = i + 1;
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        wrong += *word(ram, i) != i + 1;
    put(wrong ? "wide wrong\n" : "wide good\n");
}

#endif
