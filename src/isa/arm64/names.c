/*
 * The tables behind sysreg.h and pte.h.
 */
#include "isa/arm64/pte.h"
#include "isa/arm64/sysreg.h"
#include "lib/str.h"

// clang-format off
const struct a64_granule_info a64_granules[A64_GRANULE_COUNT] = {
    [A64_GRANULE_4K]  = {12,  9, 1, {0, 4, 4, 4}},
    [A64_GRANULE_16K] = {14, 11, 2, {0, 0, 5, 7}},
    [A64_GRANULE_64K] = {16, 13, 2, {0, 0, 5, 5}},
};
// clang-format on

const uint8_t a64_pa_bits[8] = {32, 36, 40, 42, 44, 48, 52, 52};

struct name {
    uint16_t code;
    const char *name;
};

static const struct name sysregs[] = {
#define A64_SYSREG(name, op0, op1, crn, crm, op2) {A64_SYSREG_CODE(op0, op1, crn, crm, op2), #name},
#include "isa/arm64/sysreg.def"
};

static const struct name sysops[] = {
#define A64_SYSOP(kind, name, op1, crn, crm, op2) {A64_SYSREG_CODE(1, op1, crn, crm, op2), #kind " " #name},
#include "isa/arm64/sysop.def"
};

static const char *find(const struct name *table, size_t count, unsigned code)
{
    size_t lo = 0, hi = count;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (table[mid].code == code)
            return table[mid].name;
        if (table[mid].code < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const char *a64_sysreg_name(unsigned code)
{
    return find(sysregs, ARRAY_SIZE(sysregs), code);
}

const char *a64_sysop_name(unsigned code)
{
    return find(sysops, ARRAY_SIZE(sysops), code);
}

int a64_sysreg_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++)
        if (strcmp(sysregs[i].name, name) == 0)
            return sysregs[i].code;
    return -1;
}
