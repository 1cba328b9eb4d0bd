/* Multiply-and-fold hashing, see hash.h for the definition. */
#include "lib/hash.h"
#include "lib/str.h"

/* Odd, balanced numbers: fractional bits of the square roots of 2, 3, 5 and 7, made odd. */
#define K0 UINT64_C(0x6a09e667f3bcc909)
#define K1 UINT64_C(0xbb67ae8584caa73b)
#define K2 UINT64_C(0x3c6ef372fe94f82b)
#define K3 UINT64_C(0xa54ff53a5f1d36f1)

static uint64_t fold(uint64_t a, uint64_t b)
{
    u128 p = (u128)a * b;

    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t word(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

uint64_t hash_memory(uint64_t key, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t s = fold(key ^ K0, K1), t = s ^ K2;
    size_t left = size;

    for (; left >= 32; p += 32, left -= 32) {
        s = fold(s ^ word(p), K1 ^ word(p + 8));
        t = fold(t ^ word(p + 16), K3 ^ word(p + 24));
    }
    if (left) {
        uint8_t rest[32] = {0};

        memcpy(rest, p, left);
        s = fold(s ^ word(rest), K1 ^ word(rest + 8));
        t = fold(t ^ word(rest + 16), K3 ^ word(rest + 24));
    }
    return fold(s ^ size, t ^ K2);
}

void hash_init(struct hash *h, uint64_t seed)
{
    h->state = fold(seed ^ K0, K1);
    h->count = 0;
}

void hash_u64(struct hash *h, uint64_t value)
{
    h->count++;
    h->state = fold(h->state ^ value, K1 ^ h->count) ^ value;
}

void hash_bytes(struct hash *h, const void *data, size_t size)
{
    const uint8_t *p = data;

    for (; size >= 8; p += 8, size -= 8)
        hash_u64(h, word(p));
    if (size) {
        uint8_t rest[8] = {0};

        memcpy(rest, p, size);
        rest[7] = (uint8_t)size; /* so that zeros at the end count */
        hash_u64(h, word(rest));
    }
}

uint64_t hash_final(const struct hash *h)
{
    return fold(h->state ^ K2, K3 ^ h->count);
}
