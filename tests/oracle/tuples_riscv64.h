/* What is riscv64's in the comparison of single FP operations. */
#ifndef ORACLE_TUPLES_RISCV64_H
#define ORACLE_TUPLES_RISCV64_H

/* Rounding modes 0 to 4 dynamic, then the same static, under another dynamic one. */
#define MODES   5
#define COLUMNS (2 * MODES)
#define LOOPS   (1 + MODES) /* dynamic, then each static mode */

/* One number a word, boxed. */
#define POOL_DENSE 0

static inline u64 loop_of(u64 column)
{
    return column >= MODES ? 1 + column % MODES : 0;
}

static inline void mode_set(u64 column)
{
    asm volatile("fsrm %0" ::"r"(column >= MODES ? (column + 2) % MODES : column));
}

/* A result is all 64 bits of its register, so that a missing NaN box shows. */
#define LOOP_OF(fn, SOURCE, CONSTRAINT, code)                                                                \
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
        *last = (struct tuple){{pool[p.i], pool[p.j], pool[p.k], p.flags, value, after}};                    \
        return hash;                                                                                         \
    }
#define LOOP_F(fn, code) LOOP_OF(fn, double, "f", code)
#define LOOP_X(fn, code) LOOP_OF(fn, u64, "r", code)
#endif
