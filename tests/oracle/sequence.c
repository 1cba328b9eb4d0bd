/* Runs each sequence PASSES times with other inputs, prints a hash of all it left; of sequence DETAIL all
 * states. */
#include "sequence.h"

#ifndef DETAIL
#define DETAIL (~0UL)
#endif

static u64 next(u64 *s)
{
    *s = *s * 6364136223846793005UL + 1442695040888963407UL;
    return *s >> 24;
}

static void state_print(u64 pass)
{
    put_str("pass ");
    put_hex(pass, '\n');
    for (int i = 0; i < 65; i++)
        put_hex(state.left[i], '\n');
}

static u64 sequence_run(u64 n)
{
    u64 seed = (sequence_seed ^ n) * 0x9e3779b97f4a7c15UL;
    u64 hash = n;

    for (u64 i = 0; i < SCRATCH_SIZE / 8; i++)
        scratch[i] = pool_x[next(&seed) % pool_size];
    for (u64 pass = 0; pass < PASSES; pass++) {
        const u64 *x = pool_x + next(&seed) % (pool_size - 32);
        const u64 *f = pool_f + next(&seed) % (pool_size - 32);
        u64 r = next(&seed);

        /* Most passes begin without flags: setting them is what is watched. */
        run_sequence(&state, sequences[n], x, f, (r & 255) % 5 << 5 | (r & 0x300 ? 0 : r >> 10 & 31));
        if (n == DETAIL)
            state_print(pass);
        for (int i = 0; i < 65; i++)
            FOLD(hash, state.left[i]);
    }
    if (n == DETAIL)
        put_str("scratch\n");
    for (u64 i = 0; i < SCRATCH_SIZE / 8; i++) {
        FOLD(hash, scratch[i]);
        if (n == DETAIL)
            put_hex(scratch[i], '\n');
    }
    return hash;
}

void body_main(void)
{
    for (u64 n = 0; n < sequence_count && (DETAIL == ~0UL || n <= DETAIL); n++) {
        u64 hash = sequence_needs[n] & LACKS ? 0 : sequence_run(n);

        if (DETAIL == ~0UL)
            put_hex(hash, '\n');
    }
}
