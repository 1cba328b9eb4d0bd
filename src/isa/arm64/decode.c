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

static unsigned find(uint32_t raw)
{
    for (unsigned id = 1; id < A64_ID_COUNT; id++)
        if ((raw & patterns[id].mask) == patterns[id].match)
            return id;
    return A64_UNDEFINED;
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
