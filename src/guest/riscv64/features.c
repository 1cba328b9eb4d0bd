/* CPU models and features: parsing, and what follows for mode word, misa, ISA strings, MMU modes. */
#include "guest/riscv64/features.h"
#include "guest/riscv64/cpu.h"
#include "isa/riscv64/decode.h"
#include "isa/riscv64/pte.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

enum { M_MAX = 1, M_GC = 2, M_U74 = 4 };
#define F(id) BIT(RVF_##id)

enum { EXT_NONE = -1 };
#define RV_EXT_NONE EXT_NONE

static const struct feature {
    const char *name;
    int8_t ext; /* enum rv_ext */
    uint8_t models;
    uint64_t needs;
} features[RVF_COUNT] = {
#define RISCV_FEATURE(id, name, ext, models, needs) [RVF_##id] = {name, RV_EXT_##ext, models, needs},
#include "guest/riscv64/features.def"
};

#undef F

const char *const riscv_cpu_models[] = {"max", "rv64gc", "sifive-u74", NULL};
static const uint8_t model_bits[] = {M_MAX, M_GC, M_U74};

_Static_assert(RV_EXT_COUNT <= 31, "bits 32..62 of the mode word are for absent instruction sets");
_Static_assert(RVF_COUNT <= 64, "features are one word");

/* The next word of a comma-separated list into buf; false at the end. Too long words come cut. */
static bool next_word(const char **s, char *buf, size_t size)
{
    size_t n = 0;

    if (!**s)
        return false;
    for (; **s && **s != ','; ++*s) {
        if (n + 1 < size)
            buf[n++] = **s;
    }
    buf[n] = 0;
    if (**s == ',')
        ++*s;
    return true;
}

static int find_feature(const char *name)
{
    for (int i = 0; i < RVF_COUNT; i++) {
        if (!strcmp(features[i].name, name))
            return i;
    }
    return -1;
}

static int model_features(const char *name, uint64_t *out, char *why, size_t why_size)
{
    unsigned n = ARRAY_SIZE(model_bits);
    char hint[160];

    *out = 0;
    for (unsigned m = 0; m < n; m++) {
        if (strcmp(riscv_cpu_models[m], name))
            continue;
        for (unsigned i = 0; i < RVF_COUNT; i++)
            *out |= features[i].models & model_bits[m] ? BIT(i) : 0;
        return 0;
    }
    fmt_hint(hint, sizeof(hint), name, riscv_cpu_models, n);
    fmt_snprintf(why, why_size, "cpu: '%s' is no riscv64 model; %s", name, hint);
    return -EINVAL;
}

/* Without these there is no CPU: a kernel, its loader and the built-in SBI's users take them for granted. */
static const uint64_t base = BIT(RVF_I) | BIT(RVF_M) | BIT(RVF_A) | BIT(RVF_ZICSR);

static int apply_word(const char *word, uint64_t *f, char *why, size_t why_size)
{
    const char *names[RVF_COUNT];
    char hint[320];
    int i = word[0] == '+' || word[0] == '-' ? find_feature(word + 1) : -1;

    if (i >= 0) {
        /* Adding brings along what it needs. */
        *f = word[0] == '+' ? *f | BIT(i) | features[i].needs : *f & ~BIT(i);
        if ((*f & base) == base)
            return 0;
        fmt_snprintf(why, why_size,
                     "cpu: %s belongs to every riscv64 model and cannot be removed; leave out %s",
                     features[i].name, word);
        return -EINVAL;
    }
    for (unsigned k = 0; k < RVF_COUNT; k++)
        names[k] = features[k].name;
    if (!word[0] || (!word[1] && word[0] < 'a'))
        fmt_snprintf(why, why_size, "cpu: a feature is missing after a comma; write +FEATURE or -FEATURE");
    else if (word[0] != '+' && word[0] != '-')
        fmt_snprintf(why, why_size, "cpu: '%s' follows the model; write +%s or -%s", word, word, word);
    else {
        fmt_hint(hint, sizeof(hint), word + 1, names, RVF_COUNT);
        fmt_snprintf(why, why_size, "cpu: feature '%s' is unknown; %s", word + 1, hint);
    }
    return -EINVAL;
}

static int check_needs(uint64_t f, char *why, size_t why_size)
{
    for (unsigned i = 0; i < RVF_COUNT; i++) {
        uint64_t missing = f >> i & 1 ? features[i].needs & ~f : 0;

        if (!missing)
            continue;
        fmt_snprintf(why, why_size, "cpu: %s needs %s; add +%s or -%s", features[i].name,
                     features[__builtin_ctzll(missing)].name, features[__builtin_ctzll(missing)].name,
                     features[i].name);
        return -EINVAL;
    }
    return 0;
}

int riscv_features_parse(const char *spec, uint64_t *out, char *why, size_t why_size)
{
    char word[32];
    int err;

    if (!spec || !*spec)
        spec = riscv_cpu_models[0];
    next_word(&spec, word, sizeof(word));
    err = model_features(word, out, why, why_size);
    while (!err && next_word(&spec, word, sizeof(word)))
        err = apply_word(word, out, why, why_size);
    return err ? err : check_needs(*out, why, why_size);
}

int riscv_cpu_check(const char *spec, char *why, size_t why_size)
{
    uint64_t f;

    return riscv_features_parse(spec, &f, why, why_size);
}

/* No row of isa/riscv64/insn.def is of V: only a CPU can execute it. */
int riscv_cpu_given(const char *spec, const struct engine_ops *engine, char *why, size_t why_size)
{
    uint64_t f;
    int err = engine->hardware ? 0 : riscv_features_parse(spec, &f, why, why_size);

    if (engine->hardware || err || !(f >> RVF_V & 1))
        return err;
    fmt_snprintf(why, why_size,
                 "cpu: engine %s has no vector registers, only CPUs have, in the bare form; leave out +v",
                 engine->name);
    return -ENOTSUP;
}

uint64_t riscv_features_mode(uint64_t f)
{
    uint64_t mode = 0;

    for (unsigned i = 0; i < RVF_COUNT; i++) {
        if (features[i].ext != EXT_NONE && !(f >> i & 1))
            mode |= RISCV_MODE_NO_EXT(features[i].ext);
    }
    return mode;
}

uint64_t riscv_features_misa(uint64_t f)
{
    uint64_t misa = rv_field_set(0, RV_MISA_MXL, RV_XL_64) | RV_MISA_EXT('S') | RV_MISA_EXT('U');

    for (unsigned i = 0; i < RVF_COUNT; i++) {
        if (f >> i & 1 && !features[i].name[1])
            misa |= BIT(features[i].name[0] - 'a');
    }
    return misa;
}

/* sv39 and its kin are said by mmu-type. */
static bool in_isa(unsigned i)
{
    return i < RVF_SV39 || i > RVF_SV57;
}

void riscv_features_isa(uint64_t f, char *buf, size_t size)
{
    size_t n = (size_t)fmt_snprintf(buf, size, "rv64");

    for (unsigned i = 0; i < RVF_COUNT && n < size; i++) {
        if (f >> i & 1 && in_isa(i))
            n += (size_t)fmt_snprintf(buf + n, size - n, "%s%s", features[i].name[1] ? "_" : "",
                                      features[i].name);
    }
}

unsigned riscv_features_names(uint64_t f, const char **names, unsigned max)
{
    unsigned n = 0;

    for (unsigned i = 0; i < RVF_COUNT && n < max; i++) {
        if (f >> i & 1 && in_isa(i))
            names[n++] = features[i].name;
    }
    return n;
}

const char *riscv_features_mmu(uint64_t f)
{
    return f >> RVF_SV57 & 1   ? "riscv,sv57"
           : f >> RVF_SV48 & 1 ? "riscv,sv48"
           : f >> RVF_SV39 & 1 ? "riscv,sv39"
                               : "riscv,none";
}

uint16_t riscv_features_satp_modes(uint64_t f)
{
    return (uint16_t)(BIT(RV_SATP_BARE) | (f >> RVF_SV39 & 1) << RV_SATP_SV39 |
                      (f >> RVF_SV48 & 1) << RV_SATP_SV48 | (f >> RVF_SV57 & 1) << RV_SATP_SV57);
}
