/* The comparison of single FP operations: what tuples.c runs and fp-tuples lists. */
#ifndef ORACLE_TUPLES_H
#define ORACLE_TUPLES_H

#include "shim.h"

#define POOL_WORDS 4096 /* of each format; words that follow one another are related */

enum format { FROM_S, FROM_D, FROM_H, FROM_INT, FORMATS };

/* The last tuple of a loop: operands, flags before, result, flags after, in as many words as they need. */
#define TUPLE_WORDS 10
struct tuple {
    u64 word[TUPLE_WORDS];
};
/* The hash of count tuples out of pool from *seed on. */
typedef u64 (*loop_fn)(const u64 *pool, u64 count, u64 *seed, struct tuple *last);

/* Indices of a tuple's operands and the flags before it, by one step of the generator. */
struct pick {
    u64 i, j, k, flags;
};

static inline struct pick tuple_pick(u64 *seed)
{
    u64 s = *seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
    u64 related = -(s >> 14 & 1);
    struct pick p = {.i = s >> 52};

    p.j = ((s >> 40) & ~related) + ((p.i + 1) & related);
    p.k = ((s >> 28) & ~related) + ((p.i + 2) & related);
    p.j &= POOL_WORDS - 1;
    p.k &= POOL_WORDS - 1;
    /* Without flags in three of four: then each flag that is raised shows. */
    p.flags = s >> 23 & 31 & -((s >> 15 & 3) == 0);
    return p;
}

#ifdef __aarch64__
#include "tuples_arm64.h"
#else
#include "tuples_riscv64.h"
#endif

struct op {
    const char *name;
    enum format from;
    u32 columns; /* 1 where the mode does not matter, else COLUMNS */
    loop_fn loop[LOOPS];
};

extern const struct op ops[];
extern const u64 op_count;
#endif
