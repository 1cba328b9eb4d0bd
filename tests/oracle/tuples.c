/*
 * FP operations on tuples of operands: a hash for each operation and rounding mode. With BLOCK only one of
 * these, a hash for every BLOCK tuples; with TUPLES the tuples FROM to FROM + TUPLES - 1 themselves.
 */
#include "tuples.h"

#ifndef ONE_OP
#define ONE_OP     (~0UL)
#define ONE_COLUMN 0
#endif
#ifndef BLOCK
#define BLOCK 0UL
#endif
#ifndef TUPLES
#define TUPLES 0UL
#define FROM   0UL
#endif

#define CHUNK 64

static const struct {
    int exp, man;
} formats[] = {[FROM_S] = {8, 23}, [FROM_D] = {11, 52}, [FROM_H] = {5, 10}};

static u64 pools[FORMATS][POOL_WORDS] __attribute__((aligned(16)));

static u64 rnd(u64 *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s * 0x2545f4914f6cdd1dUL >> 8;
}

static u64 ones(int n)
{
    return n >= 64 ? ~0UL : (1UL << n) - 1;
}

/* Fractions that round at the very edge: none, all, one bit, a half of the places below bit n, a little
 * beside it. */
static u64 fraction_edge(int man, u64 *s)
{
    u64 r = rnd(s);
    int n = (int)(r >> 8) % man;

    switch (r % 8) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return ones(man);
    case 3:
        return 1UL << n;
    case 4:
        return (r >> 16 & ~ones(n)) | (n ? 1UL << (n - 1) : 0);
    case 5:
        return ((r >> 16 & ~ones(n)) | (n ? 1UL << (n - 1) : 0)) + (r & 8 ? 1 : ~0UL);
    case 6:
        return r >> 16 & (7UL << (man - 3));
    default:
        return r >> 16 & ~ones(n);
    }
}

/* Exponents where something happens in another format or an integer. */
static int exponent_edge(int bias, u64 *s)
{
    static const short at[] = {0,    1,    -1,    2,    -2,   7,   8,    15,   16,   23,   24,
                               30,   31,   32,    52,   53,   62,  63,   64,   -11,  -14,  -15,
                               -24,  -25,  -26,   10,   11,   14,  127,  128,  -126, -127, -149,
                               -150, -151, -1022, 1023, 1022, 512, -512, -537, -538};
    u64 r = rnd(s);

    return bias + at[r % (sizeof(at) / sizeof(at[0]))];
}

static u64 value_any(enum format f, u64 prev, u64 *s)
{
    int exp = formats[f].exp, man = formats[f].man, top = (int)ones(exp), bias = top >> 1;
    u64 r = rnd(s), fraction = rnd(s) & ones(man), sign = (r >> 40 & 1) << (exp + man);
    long e = (long)(r >> 8 & 0xffff);

    switch (r % 16) {
    case 0: /* any bits */
    case 1:
    case 2:
        return rnd(s) & ones(1 + exp + man);
    case 3: /* of about the same size */
    case 4:
    case 5:
        e = bias + e % (2 * man + 8) - man - 4;
        break;
    case 6:
    case 7:
        e = bias + e % 7 - 3;
        fraction = fraction_edge(man, s);
        break;
    case 8: /* the one before, nearly */
        return prev ^ sign ^ (r >> 41 & 3);
    case 9: /* about half an ulp of the one before, or of its square */
        e = (long)(prev >> man & ones(exp)) - man - 1 + (long)(r >> 44 & 1);
        fraction = r >> 45 & 1 ? 0 : fraction_edge(man, s);
        break;
    case 10: /* zero, subnormal, smallest normal */
        e = (long)(r >> 44 & 7) ? 0 : 1;
        fraction = r >> 47 & 3 ? fraction_edge(man, s) : 0;
        break;
    case 11: /* largest, infinity, NaN */
        e = top - (long)(r >> 44 & 1);
        fraction = fraction_edge(man, s);
        break;
    case 12: /* infinity; NaN of both kinds */
        e = top;
        fraction = r >> 44 & 3 ? (r >> 46 & 1) << (man - 1) | (r >> 47 & 1) : fraction;
        break;
    default:
        e = exponent_edge(bias, s);
        fraction = r >> 44 & 3 ? fraction_edge(man, s) : fraction;
    }
    e = e < 0 ? 0 : e > top ? top : e;
    return sign | (u64)e << man | (fraction & ones(man));
}

static u64 value_int(u64 *s)
{
    u64 r = rnd(s), v = rnd(s) << 8 ^ rnd(s);
    int n = (int)(r >> 8) % 64;

    switch (r % 6) {
    case 0:
        return v;
    case 1:
        return (1UL << n) + (r >> 16) % 3 - 1;
    case 2:
        return -((1UL << n) + (r >> 16) % 3 - 1);
    case 3:
        return (u64)(int)v;
    case 4: /* halves and beside them */
        v = (v & ~ones(n)) | (n ? 1UL << (n - 1) : 0);
        return v + (r >> 16) % 3 - 1;
    default:
        v = (v >> (r >> 14 & 63)) + (r >> 20) % 3 - 1;
        return r >> 22 & 1 ? -v : v;
    }
}

/* One number in a word, boxed; but one time in 64 it is not: then the operand is the canonical NaN. */
static u64 word_boxed(enum format f, u64 *prev, u64 *s)
{
    int width = 1 + formats[f].exp + formats[f].man;
    u64 r = rnd(s), v = *prev = value_any(f, *prev, s);

    return width == 64 ? v : v | (r % 64 ? ~0UL : r >> 8) << width;
}

/* A number in each lane. */
static u64 word_dense(enum format f, u64 *prev, u64 *s)
{
    int width = 1 + formats[f].exp + formats[f].man;
    u64 word = 0;

    for (int at = 0; at < 64; at += width) {
        prev[at / width] = value_any(f, prev[at / width], s);
        word |= prev[at / width] << at;
    }
    return word;
}

static void pools_fill(u64 seed)
{
    static u64 prevs[FORMATS][2][4]; /* where words are dense, registers follow one another */
    u64 s = seed ^ 0x6a09e667f3bcc908UL;

    for (int f = 0; f < FORMATS; f++) {
        for (int i = 0; i < POOL_WORDS; i++) {
            if (f == FROM_INT)
                pools[f][i] = value_int(&s);
            else
                pools[f][i] =
                    POOL_DENSE ? word_dense(f, prevs[f][i & 1], &s) : word_boxed(f, prevs[f][0], &s);
        }
    }
}

static void line(const char *name, u64 column, u64 hash)
{
    char digit = (char)('0' + column);

    put_str(name);
    put_str(" ");
    put(&digit, 1);
    put_str(" ");
    put_hex(hash, '\n');
}

static void tuple_print(const struct tuple *t)
{
    for (int i = 0; i < TUPLE_WORDS; i++)
        put_hex(t->word[i], i < TUPLE_WORDS - 1 ? ' ' : '\n');
}

/* By calls of CHUNK tuples: a JIT may count calls alone to find what is hot. */
static u64 loop_run(loop_fn loop, const u64 *pool, u64 count, u64 *seed)
{
    struct tuple last;
    u64 hash = 0;

    for (; count; count -= count < CHUNK ? count : CHUNK)
        FOLD(hash, loop(pool, count < CHUNK ? count : CHUNK, seed, &last));
    return hash;
}

static void column_run(const struct op *op, u64 column)
{
    loop_fn loop = op->loop[loop_of(column)];
    u64 count = op->columns == 1 ? COUNT * COLUMNS : COUNT;
    u64 seed = (SEED * 1000003UL + (u64)(op - ops) * COLUMNS + column) * 0x9e3779b97f4a7c15UL;
    const u64 *pool = pools[op->from];
    struct tuple last;

    mode_set(column);
    if (TUPLES) {
        loop_run(loop, pool, FROM, &seed);
        for (u64 left = TUPLES; left; left--) {
            loop(pool, 1, &seed, &last);
            tuple_print(&last);
        }
    } else if (BLOCK) {
        for (u64 i = 0; i < count; i += BLOCK)
            line(op->name, column, loop_run(loop, pool, BLOCK, &seed));
    } else {
        line(op->name, column, loop_run(loop, pool, count, &seed));
    }
}

void body_main(void)
{
    pools_fill(SEED);
    if (ONE_OP != ~0UL) {
        column_run(&ops[ONE_OP], ONE_COLUMN);
        return;
    }
    for (u64 n = 0; n < op_count; n++)
        for (u64 column = 0; column < ops[n].columns; column++)
            column_run(&ops[n], column);
}
