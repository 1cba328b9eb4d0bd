/* The comparison of single FP operations: what tuples.c runs and fp-tuples lists. */
#ifndef ORACLE_TUPLES_H
#define ORACLE_TUPLES_H

#include "shim.h"

#define POOL_WORDS 4096 /* of each format; words that follow one another are related */
/* Rounding modes 0 to 4 dynamic, then the same static, under another dynamic one. */
#define MODES   5
#define COLUMNS (2 * MODES)

enum format { FROM_S, FROM_D, FROM_H, FROM_INT, FORMATS };

/* The last tuple of a loop; a result is all 64 bits of its register, so that a missing NaN box shows. */
struct tuple {
    u64 a, b, c, before, value, after;
};
/* The hash of count tuples out of pool from *seed on. */
typedef u64 (*loop_fn)(const u64 *pool, u64 count, u64 *seed, struct tuple *last);

struct op {
    const char *name;
    enum format from;
    u32 columns;             /* 1 where the rounding mode does not matter, else COLUMNS */
    loop_fn loop[1 + MODES]; /* dynamic, then each static mode */
};

extern const struct op ops[];
extern const u64 op_count;

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

#define LOOP(fn, SOURCE, CONSTRAINT, code)                                                                   \
    static u64 fn(const u64 *pool, u64 count, u64 *seed, struct tuple *last)                                 \
    {                                                                                                        \
        const SOURCE *operand = (const SOURCE *)pool;                                                        \
        struct pick p = {0, 0, 0, 0};                                                                        \
        u64 hash = 0, value = 0, after = 0, s = *seed;                                                       \
        double d;                                                                                            \
                                                                                                             \
        while (count--) {                                                                                    \
            p = tuple_pick(&s);                                                                              \
            asm volatile("fsflags %[flags]\n" code "\nfrflags %[after]"                                      \
                         : [x] "=&r"(value), [d] "=&f"(d), [after] "=&r"(after)                              \
                         : [flags] "r"(p.flags), [a] CONSTRAINT(operand[p.i]), [b] CONSTRAINT(operand[p.j]), \
                           [c] CONSTRAINT(operand[p.k]));                                                    \
            FOLD(hash, value ^ after << 40);                                                                 \
        }                                                                                                    \
        *seed = s;                                                                                           \
        *last = (struct tuple){pool[p.i], pool[p.j], pool[p.k], p.flags, value, after};                      \
        return hash;                                                                                         \
    }
#define LOOP_F(fn, code) LOOP(fn, double, "f", code)
#define LOOP_X(fn, code) LOOP(fn, u64, "r", code)
#endif
