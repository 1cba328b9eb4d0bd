/*
 * The decoder: the row of insn.def whose bits match, then the fields by its format.
 */
#include "isa/arm64/decode.h"
#include "isa/arm64/extract.h"

const struct a64_insn_desc a64_insn_descs[A64_ID_COUNT] = {
    [A64_UNDEFINED] = {0, 1, A64_FMT_NONE, A64_EXT_BASE, "undefined"},
#define A64_INSN(id, name, mask, match, format, ext)                                                         \
    [A64_##id] = {mask, match, A64_FMT_##format, A64_EXT_##ext, name},
#include "isa/arm64/insn.def"
};

const char *const a64_ext_names[A64_EXT_COUNT] = {
#define A64_EXT(id, name) [A64_EXT_##id] = name,
#include "isa/arm64/ext.def"
};

const struct a64_format_desc a64_format_descs[A64_FMT_COUNT] = {
#define A64_FORMAT(id, extract, half, operands) [A64_FMT_##id] = {half, operands},
#include "isa/arm64/format.def"
};

/* What a row's lookup needs, apart from the names so that neighbours share a cache line. */
struct pattern {
    uint32_t mask, match;
};

static const struct pattern patterns[A64_ID_COUNT] = {
    [A64_UNDEFINED] = {0, 1},
#define A64_INSN(id, name, mask, match, format, ext) [A64_##id] = {mask, match},
#include "isa/arm64/insn.def"
};

static const uint8_t formats[A64_ID_COUNT] = {
#define A64_INSN(id, name, mask, match, format, ext) [A64_##id] = A64_FMT_##format,
#include "isa/arm64/insn.def"
};

static bool (*const extractors[A64_FMT_COUNT])(struct a64_insn *) = {
#define A64_FORMAT(id, extract, half, operands) [A64_FMT_##id] = a64_get_##extract,
#include "isa/arm64/format.def"
};

/*
 * The lookup: bits [28:24] are the class (of C4.1's op0, or finer), two more fields, which index.def chooses
 * for each class, the bucket in it: a list of the few rows that can match.
 */
enum {
    BUCKET_EMPTY, /* serves classes without a row */
#define A64_CLASS(class, shift0, bits0, shift1, bits1)                                                       \
    BASE_##class, LAST_##class = BASE_##class + (1 << (bits0 + bits1)) - 1,
#include "isa/arm64/index.def"
    BUCKET_COUNT
};

static const struct {
    uint16_t base;
    uint8_t shift0, bits0, shift1, bits1;
} classes[32] = {
#define A64_CLASS(class, shift0, bits0, shift1, bits1) [class] = {BASE_##class, shift0, bits0, shift1, bits1},
#include "isa/arm64/index.def"
};

/* The lists one after another, each ended by A64_UNDEFINED; where they begin is the enum's own counting. */
static const uint16_t candidates[] = {
    A64_UNDEFINED,
#define A64_BUCKET(class, key, ...) __VA_ARGS__, A64_UNDEFINED,
#include "isa/arm64/index.def"
};

enum {
    BEGIN_EMPTY,
#define A64_BUCKET(class, key, ...)                                                                          \
    BEGIN_##class##_##key,                                                                                   \
        END_##class##_##key = BEGIN_##class##_##key + ARRAY_SIZE(((uint16_t[]){__VA_ARGS__})),
#include "isa/arm64/index.def"
};

static const uint16_t buckets[BUCKET_COUNT] = {
#define A64_BUCKET(class, key, ...) [BASE_##class + key] = BEGIN_##class##_##key,
#include "isa/arm64/index.def"
};

static unsigned find(uint32_t raw)
{
    unsigned class = raw >> 24 & 31, bits0 = classes[class].bits0;
    unsigned key0 = raw >> classes[class].shift0 & ((1u << bits0) - 1);
    unsigned key1 = raw >> classes[class].shift1 & ((1u << classes[class].bits1) - 1);
    const uint16_t *id = &candidates[buckets[classes[class].base + (key1 << bits0 | key0)]];

    while (*id != A64_UNDEFINED && (raw & patterns[*id].mask) != patterns[*id].match)
        id++;
    return *id;
}

bool a64_decode(uint32_t raw, struct a64_insn *out)
{
    unsigned id = find(raw);

    *out = (struct a64_insn){.id = (uint16_t)id, .raw = raw};
    out->rd = raw & 31;
    out->rn = raw >> 5 & 31;
    out->rm = raw >> 16 & 31;
    out->ra = raw >> 10 & 31;
    out->sf = (uint8_t)(raw >> 31);
    out->q = raw >> 30 & 1;
    if (id != A64_UNDEFINED && extractors[formats[id]](out))
        return true;
    *out = (struct a64_insn){.id = A64_UNDEFINED, .raw = raw};
    return false;
}
