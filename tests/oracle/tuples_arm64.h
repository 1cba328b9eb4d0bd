/* What is arm64's in the comparison of single FP operations. Operands are whole vector registers. */
#ifndef ORACLE_TUPLES_ARM64_H
#define ORACLE_TUPLES_ARM64_H

/* Rounding mode, FZ, DN and FZ16 of FPCR, by column. */
#define COLUMNS 10
#define LOOPS   1

/* Lanes of 32 and 16 bits fill the words. */
#define POOL_DENSE 1

static inline void mode_set(u64 column)
{
    static const u32 fpcr[COLUMNS] = {
        0,       1 << 22,           2 << 22,           3 << 22, 1 << 24,
        1 << 25, 1 << 24 | 1 << 25, 1 << 24 | 1 << 22, 1 << 19, 1 << 19 | 1 << 25 | 2 << 22};

    asm volatile("msr fpcr, %0" ::"r"((u64)fpcr[column]));
}

static inline u64 loop_of(u64 column)
{
    (void)column;
    return 0;
}

/* Operands a, b, c in v1, v2, v3, c in v0 too, the result in v0; x9 is free. FPSR: IDC stands at bit 7. */
#define LOOP(fn, code)                                                                                       \
    static u64 fn(const u64 *pool, u64 count, u64 *seed, struct tuple *last)                                 \
    {                                                                                                        \
        struct pick p = {0, 0, 0, 0};                                                                        \
        u64 hash = 0, after = 0, s = *seed;                                                                  \
        const u64 *a = pool, *b = pool, *c = pool;                                                           \
        u64 value[2] __attribute__((aligned(16))) = {0, 0};                                                  \
                                                                                                             \
        while (count--) {                                                                                    \
            p = tuple_pick(&s);                                                                              \
            a = pool + (2 * p.i & (POOL_WORDS - 1));                                                         \
            b = pool + (2 * p.j & (POOL_WORDS - 1));                                                         \
            c = pool + (2 * p.k & (POOL_WORDS - 1));                                                         \
            asm volatile("ldr q1, [%[a]]\nldr q2, [%[b]]\nldr q3, [%[c]]\nldr q0, [%[c]]\n"                  \
                         "msr fpsr, %[flags]\n" code "\nmrs %[after], fpsr\nstr q0, [%[value]]"              \
                         : [after] "=&r"(after)                                                              \
                         : [a] "r"(a), [b] "r"(b), [c] "r"(c), [flags] "r"(p.flags), [value] "r"(value)      \
                         : "v0", "v1", "v2", "v3", "v4", "x9", "cc", "memory");                              \
            FOLD(hash, value[0] ^ after << 40);                                                              \
            FOLD(hash, value[1]);                                                                            \
        }                                                                                                    \
        *seed = s;                                                                                           \
        *last = (struct tuple){{a[0], a[1], b[0], b[1], c[0], c[1], p.flags, value[0], value[1], after}};    \
        return hash;                                                                                         \
    }
#endif
