/*
 * Pointer authentication. The algorithm is our own choice (ID_AA64ISAR1_EL1.API, GPI): SipHash-2-4 of pointer
 * and modifier under the key (Aumasson, Bernstein: "SipHash: a fast short-input PRF").
 */
#include "guest/arm64/pauth.h"
#include "isa/arm64/sysreg.h"

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], unsigned n)
{
    while (n--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t mac(uint64_t x, uint64_t y, const struct arm64_key *k)
{
    const uint64_t blocks[3] = {x, y, UINT64_C(16) << 56}; /* the last one is the length */
    uint64_t v[4] = {k->lo ^ 0x736f6d6570736575, k->hi ^ 0x646f72616e646f6d, k->lo ^ 0x6c7967656e657261,
                     k->hi ^ 0x7465646279746573};

    for (unsigned i = 0; i < 3; i++) {
        v[3] ^= blocks[i];
        rounds(v, 2);
        v[0] ^= blocks[i];
    }
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- where the code is: bits 54 down to `bottom`, and 63 to 56 where the top byte is not ignored ---- */

struct layout {
    bool tbi;
    uint64_t field; /* the bits of the code, bit 55 not among them */
    uint64_t upper; /* those and bit 55 */
};

static bool top_byte_ignored(uint64_t tcr, bool high, bool data)
{
    uint64_t tbi = high ? A64_TCR_TBI1 : A64_TCR_TBI0, tbid = high ? A64_TCR_TBID1 : A64_TCR_TBID0;

    return tcr & tbi && (data || !(tcr & tbid));
}

static struct layout layout_of(const struct arm64_vcpu *a, uint64_t pointer, bool data)
{
    bool high = pointer >> 55 & 1;
    uint64_t size = a64_field_get(a->tcr_el1, high ? A64_TCR_T1SZ : A64_TCR_T0SZ);
    unsigned bottom = 64 - (unsigned)MIN(MAX(size, 16), 39);
    struct layout l = {.tbi = top_byte_ignored(a->tcr_el1, high, data)};

    l.upper = UINT64_MAX << bottom & (l.tbi ? BIT(56) - 1 : UINT64_MAX);
    l.field = l.upper & ~BIT(55);
    return l;
}

static uint64_t canonical(uint64_t pointer, uint64_t upper, bool high)
{
    return high ? pointer | upper : pointer & ~upper;
}

static const struct arm64_key *key_of(const struct arm64_vcpu *a, enum arm64_pac_key key)
{
    const struct arm64_key *const keys[] = {&a->apia, &a->apib, &a->apda, &a->apdb};

    return keys[key];
}

static bool is_data(enum arm64_pac_key key)
{
    return key >= ARM64_PAC_DA;
}

/* AddPAC() */
uint64_t arm64_pac_sign(const struct arm64_vcpu *a, uint64_t pointer, uint64_t modifier,
                        enum arm64_pac_key key)
{
    bool data = is_data(key);
    bool either = top_byte_ignored(a->tcr_el1, false, data) || top_byte_ignored(a->tcr_el1, true, data);
    bool high = pointer >> (either ? 55 : 63) & 1;
    struct layout l = layout_of(a, high ? BIT(55) : 0, data);
    uint64_t code = mac(canonical(pointer, l.upper, high), modifier, key_of(a, key));

    /* Bits that were no extension of the address have to fail later, whatever the code. */
    if ((pointer & l.upper) != 0 && (pointer & l.upper) != l.upper)
        code ^= BIT(l.tbi ? 54 : 62);
    return (pointer & ~l.upper) | (code & l.field) | (high ? BIT(55) : 0);
}

/* Auth() */
uint64_t arm64_pac_check(const struct arm64_vcpu *a, uint64_t pointer, uint64_t modifier,
                         enum arm64_pac_key key)
{
    bool high = pointer >> 55 & 1;
    struct layout l = layout_of(a, pointer, is_data(key));
    uint64_t plain = canonical(pointer, l.upper, high), error = key & 1 ? 2 : 1;
    unsigned at = l.tbi ? 53 : 61;

    if (!((mac(plain, modifier, key_of(a, key)) ^ pointer) & l.field))
        return plain;
    return (plain & ~(UINT64_C(3) << at)) | error << at;
}

uint64_t arm64_pac_strip(const struct arm64_vcpu *a, uint64_t pointer, bool data)
{
    return canonical(pointer, layout_of(a, pointer, data).upper, pointer >> 55 & 1);
}

uint64_t arm64_pac_generic(const struct arm64_vcpu *a, uint64_t x, uint64_t y)
{
    return mac(x, y, &a->apga) & ~(uint64_t)UINT32_MAX;
}
