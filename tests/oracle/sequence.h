/* The state a sequence leaves: offsets for sequence.S, and the tables that gen.py writes. */
#ifndef ORACLE_SEQUENCE_H
#define ORACLE_SEQUENCE_H

#define SCRATCH_SIZE 512
#define STATE_X      256
#define STATE_F      512
#define STATE_FCSR   768
#define STATE_SIZE   776

#ifndef __ASSEMBLER__
#include "shim.h"

struct state {
    u64 saved[32];
    u64 left[65]; /* x0 to x31, f0 to f31, fcsr */
};
extern struct state state;
extern u64 scratch[SCRATCH_SIZE / 8];

/* Words of each pool; a sequence's inputs are 32 successive ones. */
extern const u64 pool_size, pool_x[], pool_f[];
/* needs: bits of what the sequence uses that an oracle may lack. */
extern const u64 sequence_count, sequence_seed, sequences[];
extern const u8 sequence_needs[];
void run_sequence(struct state *s, u64 sequence, const u64 *x, const u64 *f, u64 fcsr);
#endif
#endif
