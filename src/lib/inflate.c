/*
 * DEFLATE: canonical prefix codes, bits from the least significant up. Codes of up to FAST_BITS are looked up
 * in a table, longer ones walked by length.
 */
#include "lib/inflate.h"
#include "lib/err.h"
#include "lib/str.h"

#define FAST_BITS 10
#define CODE_BITS 15
#define LITERALS  288
#define DISTANCES 32
#define LENGTHS   19 /* of the code that code lengths are written in */

struct reader {
    const uint8_t *in;
    size_t size, at;
    uint64_t bits;
    unsigned count;
    unsigned past; /* bits asked for behind the end */
};

struct code {
    uint16_t fast[1 << FAST_BITS]; /* symbol << 4 | length; 0: longer, or none */
    uint16_t count[CODE_BITS + 1]; /* codes of each length */
    uint16_t symbol[LITERALS];     /* in the order of their codes */
};

struct writer {
    uint8_t *out;
    size_t size, at;
};

/* ---- bits ---- */

/* At least 48 bits; zeros behind the end, which `past` counts. */
static void refill(struct reader *r)
{
    while (r->count <= 56) {
        if (r->at < r->size)
            r->bits |= (uint64_t)r->in[r->at++] << r->count;
        else
            r->past += 8;
        r->count += 8;
    }
}

static unsigned take(struct reader *r, unsigned n)
{
    unsigned v = (unsigned)(r->bits & (BIT(n) - 1));

    r->bits >>= n;
    r->count -= n;
    return v;
}

/* Bits were used that are not there. */
static bool overrun(const struct reader *r)
{
    return r->past > r->count;
}

/* ---- codes (RFC 1951, 3.2.2) ---- */

static unsigned reversed(unsigned code, unsigned bits)
{
    unsigned v = 0;

    for (unsigned i = 0; i < bits; i++)
        v |= (code >> i & 1) << (bits - 1 - i);
    return v;
}

/* False: more codes than the lengths leave room for. An incomplete set is allowed; its gaps decode to none.
 */
static bool code_build(struct code *c, const uint8_t *lengths, unsigned n)
{
    unsigned next[CODE_BITS + 1], offset[CODE_BITS + 2] = {0}, code = 0;

    memset(c, 0, sizeof(*c));
    for (unsigned i = 0; i < n; i++)
        c->count[lengths[i]]++;
    c->count[0] = 0;
    for (unsigned l = 1; l <= CODE_BITS; l++) {
        code = (code + c->count[l - 1]) << 1;
        if (code + c->count[l] > 1u << l)
            return false;
        next[l] = code;
        offset[l + 1] = offset[l] + c->count[l];
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned l = lengths[i];

        if (!l)
            continue;
        c->symbol[offset[l]++] = (uint16_t)i;
        for (unsigned v = reversed(next[l]++, l); l <= FAST_BITS && v < 1u << FAST_BITS; v += 1u << l)
            c->fast[v] = (uint16_t)(i << 4 | l);
    }
    return true;
}

/* -1: no such code. */
static int decode(struct reader *r, const struct code *c)
{
    unsigned f = c->fast[r->bits & ((1u << FAST_BITS) - 1)];
    int code = 0, first = 0, index = 0;

    if (LIKELY(f)) {
        take(r, f & 15);
        return (int)(f >> 4);
    }
    for (unsigned l = 1; l <= CODE_BITS; l++) {
        int count = c->count[l];

        code |= (int)take(r, 1);
        if (code - count < first)
            return c->symbol[index + (code - first)];
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}

/* ---- blocks ---- */

static int stored(struct reader *r, struct writer *w)
{
    unsigned len, check;

    refill(r);
    take(r, r->count % 8);
    len = take(r, 16);
    check = take(r, 16);
    if (overrun(r) || (len ^ check) != 0xffff)
        return -EINVAL;
    if (len > w->size - w->at)
        return -ENOSPC;
    while (len--) {
        refill(r);
        w->out[w->at++] = (uint8_t)take(r, 8);
    }
    return overrun(r) ? -EINVAL : 0;
}

/* Lengths from symbol 257, distances: base and extra bits (3.2.5). */
static const uint16_t length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                         31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                           33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                           1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t distance_extra[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                           6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static int copy(struct reader *r, struct writer *w, const struct code *distances, unsigned symbol)
{
    size_t len, distance;
    int d;

    if (symbol >= ARRAY_SIZE(length_base))
        return -EINVAL;
    len = length_base[symbol] + take(r, length_extra[symbol]);
    refill(r);
    d = decode(r, distances);
    if (d < 0 || d >= (int)ARRAY_SIZE(distance_base))
        return -EINVAL;
    distance = distance_base[d] + take(r, distance_extra[d]);
    if (distance > w->at)
        return -EINVAL;
    if (len > w->size - w->at)
        return -ENOSPC;
    for (uint8_t *to = w->out + w->at, *end = to + len; to < end; to++)
        *to = *(to - distance);
    w->at += len;
    return 0;
}

static int coded(struct reader *r, struct writer *w, const struct code *literals,
                 const struct code *distances)
{
    for (;;) {
        int s, err;

        refill(r);
        s = decode(r, literals);
        if (s < 0 || overrun(r))
            return -EINVAL;
        if (s == 256)
            return 0;
        if (s > 256) {
            err = copy(r, w, distances, (unsigned)s - 257);
            if (err)
                return err;
        } else {
            if (w->at == w->size)
                return -ENOSPC;
            w->out[w->at++] = (uint8_t)s;
        }
    }
}

struct codes {
    struct code literals, distances;
};

static void fixed_codes(struct codes *c)
{
    uint8_t lengths[LITERALS];

    for (unsigned i = 0; i < LITERALS; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    code_build(&c->literals, lengths, LITERALS);
    memset(lengths, 5, 30);
    code_build(&c->distances, lengths, 30);
}

/* Code lengths as a code of their own writes them: 16 repeats the last, 17 and 18 are runs of zeros. */
static bool read_lengths(struct reader *r, const struct code *c, uint8_t *lengths, unsigned n)
{
    static const uint8_t bits[3] = {2, 3, 7}, base[3] = {3, 3, 11};

    for (unsigned i = 0; i < n;) {
        int s;
        unsigned run;

        refill(r);
        s = decode(r, c);
        if (s < 0 || overrun(r) || (s == 16 && i == 0))
            return false;
        if (s < 16) {
            lengths[i++] = (uint8_t)s;
            continue;
        }
        run = base[s - 16] + take(r, bits[s - 16]);
        if (run > n - i)
            return false;
        memset(lengths + i, s == 16 ? lengths[i - 1] : 0, run);
        i += run;
    }
    return true;
}

static bool dynamic_codes(struct reader *r, struct codes *c)
{
    static const uint8_t order[LENGTHS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS + DISTANCES] = {0};
    unsigned literals, distances, n;

    refill(r);
    literals = 257 + take(r, 5);
    distances = 1 + take(r, 5);
    n = 4 + take(r, 4);
    if (literals > 286 || distances > 30)
        return false;
    for (unsigned i = 0; i < n; i++) {
        refill(r);
        lengths[order[i]] = (uint8_t)take(r, 3);
    }
    if (!code_build(&c->literals, lengths, LENGTHS))
        return false;
    memset(lengths, 0, LENGTHS);
    if (!read_lengths(r, &c->literals, lengths, literals + distances) || !lengths[256])
        return false;
    return code_build(&c->literals, lengths, literals) &&
           code_build(&c->distances, lengths + literals, distances);
}

static int block(struct reader *r, struct writer *w, unsigned type)
{
    struct codes c;

    switch (type) {
    case 0:
        return stored(r, w);
    case 1:
        fixed_codes(&c);
        break;
    case 2:
        if (!dynamic_codes(r, &c))
            return -EINVAL;
        break;
    default:
        return -EINVAL;
    }
    return coded(r, w, &c.literals, &c.distances);
}

int inflate_raw(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, struct inflate_result *res)
{
    struct reader r = {.in = in, .size = in_size};
    struct writer w = {.out = out, .size = out_size};
    bool last;
    int err;

    do {
        refill(&r);
        last = take(&r, 1);
        err = block(&r, &w, take(&r, 2));
        if (!err && overrun(&r))
            err = -EINVAL;
    } while (!err && !last);
    *res = (struct inflate_result){.used = r.at - (r.count - r.past) / 8, .size = w.at};
    return err;
}

/* ---- gzip (RFC 1952, 2.3) ---- */

enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, HEADER = 10, TRAILER = 8 };

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t crc32(const uint8_t *p, size_t n)
{
    uint32_t table[256], crc = UINT32_MAX;

    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;

        for (unsigned k = 0; k < 8; k++)
            v = v >> 1 ^ (v & 1 ? 0xedb88320 : 0);
        table[i] = v;
    }
    for (size_t i = 0; i < n; i++)
        crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
    return ~crc;
}

static bool skip_string(const uint8_t *in, size_t size, size_t *at)
{
    while (*at < size && in[*at])
        ++*at;
    return *at < size && ++*at;
}

/* Offset of the DEFLATE stream, 0: no gzip member. */
static size_t header_size(const uint8_t *in, size_t size)
{
    size_t at = HEADER;

    if (size < HEADER + TRAILER || in[0] != 0x1f || in[1] != 0x8b || in[2] != 8 || in[3] & 0xe0)
        return 0;
    if (in[3] & FEXTRA)
        at += 2 + (size_t)(in[10] | in[11] << 8);
    if (in[3] & FNAME && !skip_string(in, size, &at))
        return 0;
    if (in[3] & FCOMMENT && !skip_string(in, size, &at))
        return 0;
    at += in[3] & FHCRC ? 2 : 0;
    return at <= size - TRAILER ? at : 0;
}

int inflate_gzip(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, struct inflate_result *r)
{
    size_t at = header_size(in, in_size);
    int err;

    *r = (struct inflate_result){0};
    if (!at)
        return -EINVAL;
    err = inflate_raw(in + at, in_size - at, out, out_size, r);
    r->used += at;
    if (err)
        return err;
    if (in_size - r->used < TRAILER || le32(in + r->used) != crc32(out, r->size) ||
        le32(in + r->used + 4) != (uint32_t)r->size)
        return -EINVAL;
    r->used += TRAILER;
    return 0;
}

uint32_t inflate_gzip_size(const uint8_t *in, size_t in_size)
{
    return header_size(in, in_size) ? le32(in + in_size - 4) : 0;
}
