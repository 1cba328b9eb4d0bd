/*
 * What compilers call unasked on RV64 with soft ABI, where libgcc is of the other ABI: 128-bit division, and
 * atomics of bytes and halves, which the A extension has as words only. What an image has no use for the
 * linker leaves out.
 */
#include "lib/base.h"

u128 __udivti3(u128 n, u128 d);
u128 __umodti3(u128 n, u128 d);
uint8_t __atomic_exchange_1(volatile void *p, uint8_t v, int order);
uint8_t __atomic_fetch_or_1(volatile void *p, uint8_t v, int order);
uint8_t __atomic_fetch_and_1(volatile void *p, uint8_t v, int order);
bool __atomic_compare_exchange_1(volatile void *p, void *expected, uint8_t v, bool weak, int ok, int no);
uint16_t __atomic_fetch_add_2(volatile void *p, uint16_t v, int order);
bool __atomic_compare_exchange_2(volatile void *p, void *expected, uint16_t v, bool weak, int ok, int no);
int __clzdi2(uint64_t x);
int __ctzdi2(uint64_t x);
int __popcountdi2(uint64_t x);
int __paritydi2(uint64_t x);
uint32_t __bswapsi2(uint32_t x);
uint64_t __bswapdi2(uint64_t x);
u128 __ashlti3(u128 x, int n);
u128 __lshrti3(u128 x, int n);

int __clzdi2(uint64_t x)
{
    int n = 0;

    for (unsigned s = 32; s; s /= 2) {
        if (!(x >> (64 - s))) {
            n += (int)s;
            x <<= s;
        }
    }
    return n;
}

int __ctzdi2(uint64_t x)
{
    return 63 - __clzdi2(x & -x);
}

int __popcountdi2(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (int)(x * 0x0101010101010101 >> 56);
}

int __paritydi2(uint64_t x)
{
    for (unsigned s = 32; s; s /= 2)
        x ^= x >> s;
    return (int)(x & 1);
}

uint32_t __bswapsi2(uint32_t x)
{
    x = (x & 0x00ff00ff) << 8 | (x >> 8 & 0x00ff00ff);
    return x << 16 | x >> 16;
}

uint64_t __bswapdi2(uint64_t x)
{
    return (uint64_t)__bswapsi2((uint32_t)x) << 32 | __bswapsi2((uint32_t)(x >> 32));
}

/* By halves: shifts of 128 bits are these functions. */
union halves {
    u128 whole;
    uint64_t half[2];
};

u128 __ashlti3(u128 x, int n)
{
    union halves u = {.whole = x};

    if (n >= 64) {
        u.half[1] = u.half[0] << (n - 64);
        u.half[0] = 0;
    } else if (n) {
        u.half[1] = u.half[1] << n | u.half[0] >> (64 - n);
        u.half[0] <<= n;
    }
    return u.whole;
}

u128 __lshrti3(u128 x, int n)
{
    union halves u = {.whole = x};

    if (n >= 64) {
        u.half[0] = u.half[1] >> (n - 64);
        u.half[1] = 0;
    } else if (n) {
        u.half[0] = u.half[0] >> n | u.half[1] << (64 - n);
        u.half[1] >>= n;
    }
    return u.whole;
}

/* hi < d: the quotient fits. Two digits of 32 bits, each guessed too high by 2 at most (Knuth, 4.3.1 D). */
static uint64_t div_128_64(uint64_t hi, uint64_t lo, uint64_t d, uint64_t *rest)
{
    unsigned s = (unsigned)__clzdi2(d);
    uint64_t q[2];

    d <<= s;
    if (s)
        hi = hi << s | lo >> (64 - s);
    lo <<= s;
    for (int i = 0; i < 2; i++) {
        uint64_t digit = i ? lo & 0xffffffff : lo >> 32;
        uint64_t guess = hi / (d >> 32), left = hi - guess * (d >> 32);

        while (guess >> 32 || guess * (d & 0xffffffff) > (left << 32 | digit)) {
            guess--;
            left += d >> 32;
            if (left >> 32)
                break;
        }
        q[i] = guess;
        hi = (hi << 32 | digit) - guess * d;
    }
    *rest = hi >> s;
    return q[0] << 32 | q[1];
}

static u128 divide(u128 n, u128 d, u128 *rest)
{
    uint64_t hi = (uint64_t)(n >> 64), lo = (uint64_t)n, q1, q0, r;
    u128 q = 0;

    if (!(uint64_t)(d >> 64)) {
        if (!hi) {
            *rest = lo % (uint64_t)d;
            return lo / (uint64_t)d;
        }
        q1 = hi / (uint64_t)d;
        q0 = div_128_64(hi % (uint64_t)d, lo, (uint64_t)d, &r);
        *rest = r;
        return (u128)q1 << 64 | q0;
    }
    /* A divisor above 64 bits: bit by bit, nobody here does it often. */
    for (int i = 63; i >= 0; i--) {
        if (d << i >> i == d && n >= d << i) {
            n -= d << i;
            q |= (u128)1 << i;
        }
    }
    *rest = n;
    return q;
}

u128 __udivti3(u128 n, u128 d)
{
    u128 rest;

    return divide(n, d, &rest);
}

u128 __umodti3(u128 n, u128 d)
{
    u128 rest;

    divide(n, d, &rest);
    return rest;
}

/* ---- parts of an aligned word ---- */

#define PART(p) ((volatile uint32_t *)((uintptr_t)(p) & ~(uintptr_t)3))
#define POS(p)  (8 * (unsigned)((uintptr_t)(p)&3))

/* One attempt: the part becomes v if it is `old`; what was there. */
static uint32_t part_cas(volatile void *p, uint32_t bits, uint32_t old, uint32_t v)
{
    volatile uint32_t *w = PART(p);
    uint32_t mask = bits << POS(p), word = __atomic_load_n(w, __ATOMIC_RELAXED);

    while ((word & mask) >> POS(p) == old) {
        if (__atomic_compare_exchange_n(w, &word, (word & ~mask) | v << POS(p), false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return old;
    }
    return (word & mask) >> POS(p);
}

uint8_t __atomic_exchange_1(volatile void *p, uint8_t v, int order)
{
    uint8_t old = *(volatile uint8_t *)p, seen;

    (void)order;
    while ((seen = (uint8_t)part_cas(p, 0xff, old, v)) != old)
        old = seen;
    return old;
}

uint8_t __atomic_fetch_or_1(volatile void *p, uint8_t v, int order)
{
    (void)order;
    return (uint8_t)(__atomic_fetch_or(PART(p), (uint32_t)v << POS(p), __ATOMIC_SEQ_CST) >> POS(p));
}

uint8_t __atomic_fetch_and_1(volatile void *p, uint8_t v, int order)
{
    (void)order;
    return (uint8_t)(__atomic_fetch_and(PART(p), ~((uint32_t)(uint8_t)~v << POS(p)), __ATOMIC_SEQ_CST) >>
                     POS(p));
}

bool __atomic_compare_exchange_1(volatile void *p, void *expected, uint8_t v, bool weak, int ok, int no)
{
    uint8_t seen = (uint8_t)part_cas(p, 0xff, *(uint8_t *)expected, v);
    bool done = seen == *(uint8_t *)expected;

    (void)weak;
    (void)ok;
    (void)no;
    *(uint8_t *)expected = seen;
    return done;
}

uint16_t __atomic_fetch_add_2(volatile void *p, uint16_t v, int order)
{
    uint16_t old = *(volatile uint16_t *)p, seen;

    (void)order;
    while ((seen = (uint16_t)part_cas(p, 0xffff, old, (uint16_t)(old + v))) != old)
        old = seen;
    return old;
}

bool __atomic_compare_exchange_2(volatile void *p, void *expected, uint16_t v, bool weak, int ok, int no)
{
    uint16_t seen = (uint16_t)part_cas(p, 0xffff, *(uint16_t *)expected, v);
    bool done = seen == *(uint16_t *)expected;

    (void)weak;
    (void)ok;
    (void)no;
    *(uint16_t *)expected = seen;
    return done;
}
