/* CPU models and features: parsing, and what follows for the mode word and the ID registers. */
#include "guest/arm64/features.h"
#include "guest/arm64/cpu.h"
#include "isa/arm64/decode.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

enum { M_MAX = 1, M_A57 = 2, M_A72 = 4, M_ALL = 7 };
#define F(id) BIT(ARM64F_##id)

enum { EXT_NONE = -1 };
#define A64_EXT_NONE EXT_NONE

static const struct feature {
    const char *name;
    int8_t ext;     /* enum a64_ext */
    uint8_t models; /* M_* */
    uint8_t id;     /* enum arm64_id */
    uint8_t lsb, value;
    uint64_t needs;
} features[ARM64F_COUNT] = {
#define ARM64_FEATURE(fid, fname, fext, fmodels, fneeds, reg, flsb, fvalue)                                  \
    [ARM64F_##fid] = {.name = fname,                                                                         \
                      .ext = A64_EXT_##fext,                                                                 \
                      .models = fmodels,                                                                     \
                      .id = ARM64_ID_##reg,                                                                  \
                      .lsb = flsb,                                                                           \
                      .value = fvalue,                                                                       \
                      .needs = fneeds},
#include "guest/arm64/features.def"
};

/*
 * MIDR_EL1: max has the implementer code for software. CTR_EL0: lines of 64 bytes, PIPT; max has IDC and
 * DIC: code that was written is seen without cache maintenance.
 */
static const struct arm64_model models[] = {
    {"max", "arm,armv8", 0x000f0430, UINT64_C(0xb444c004), 0, 5},
    {"cortex-a57", "arm,cortex-a57", 0x411fd070, UINT64_C(0x8444c004), 0x41010000, 4},
    {"cortex-a72", "arm,cortex-a72", 0x410fd083, UINT64_C(0x8444c004), 0x41020000, 4},
};
const char *const arm64_cpu_models[] = {"max", "cortex-a57", "cortex-a72", NULL};
static const uint8_t model_bits[] = {M_MAX, M_A57, M_A72};

_Static_assert(A64_EXT_COUNT <= 31, "bits 32..62 of the mode word are for absent instruction sets");
_Static_assert(ARM64F_COUNT <= 64, "features are one word");

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
    for (int i = 0; i < ARM64F_COUNT; i++) {
        if (!strcmp(features[i].name, name))
            return i;
    }
    return -1;
}

static int find_model(const char *name, struct arm64_cpu *cpu, char *why, size_t why_size)
{
    char hint[160];

    for (unsigned m = 0; m < ARRAY_SIZE(models); m++) {
        if (strcmp(models[m].name, name))
            continue;
        cpu->model = &models[m];
        cpu->features = 0;
        for (unsigned i = 0; i < ARM64F_COUNT; i++)
            cpu->features |= features[i].models & model_bits[m] ? BIT(i) : 0;
        return 0;
    }
    fmt_hint(hint, sizeof(hint), name, arm64_cpu_models, ARRAY_SIZE(models));
    fmt_snprintf(why, why_size, "cpu: '%s' is no arm64 model; %s", name, hint);
    return -EINVAL;
}

/* Adding brings along what it needs, and what that needs. */
static uint64_t with_needs(uint64_t f, unsigned i)
{
    uint64_t before;

    f |= BIT(i);
    do {
        before = f;
        for (unsigned k = 0; k < ARM64F_COUNT; k++)
            f |= f >> k & 1 ? features[k].needs : 0;
    } while (f != before);
    return f;
}

static int apply_word(const char *word, uint64_t *f, char *why, size_t why_size)
{
    const char *names[ARM64F_COUNT];
    char hint[512];
    int i = word[0] == '+' || word[0] == '-' ? find_feature(word + 1) : -1;

    if (i >= 0) {
        *f = word[0] == '+' ? with_needs(*f, (unsigned)i) : *f & ~BIT(i);
        return 0;
    }
    for (unsigned k = 0; k < ARM64F_COUNT; k++)
        names[k] = features[k].name;
    if (!word[0] || (!word[1] && word[0] < 'a')) {
        fmt_snprintf(why, why_size, "cpu: a feature is missing after a comma; write +FEATURE or -FEATURE");
    } else if (word[0] != '+' && word[0] != '-') {
        fmt_snprintf(why, why_size, "cpu: '%s' follows the model; write +%s or -%s", word, word, word);
    } else {
        fmt_hint(hint, sizeof(hint), word + 1, names, ARM64F_COUNT);
        fmt_snprintf(why, why_size, "cpu: feature '%s' is unknown; %s", word + 1, hint);
    }
    return -EINVAL;
}

static int check_needs(uint64_t f, char *why, size_t why_size)
{
    for (unsigned i = 0; i < ARM64F_COUNT; i++) {
        uint64_t missing = f >> i & 1 ? features[i].needs & ~f : 0;
        const char *needed;

        if (!missing)
            continue;
        needed = features[__builtin_ctzll(missing)].name;
        fmt_snprintf(why, why_size, "cpu: %s needs %s; add +%s or -%s", features[i].name, needed, needed,
                     features[i].name);
        return -EINVAL;
    }
    return 0;
}

int arm64_features_parse(const char *spec, struct arm64_cpu *cpu, char *why, size_t why_size)
{
    char word[32];
    int err;

    if (!spec || !*spec)
        spec = arm64_cpu_models[0];
    next_word(&spec, word, sizeof(word));
    err = find_model(word, cpu, why, why_size);
    if (err)
        return err;
    while (!err && next_word(&spec, word, sizeof(word)))
        err = apply_word(word, &cpu->features, why, why_size);
    /* Generic authentication has no name of its own for users: it comes with the rest. */
    if (cpu->features & F(PAUTH))
        cpu->features |= F(PACGA);
    else
        cpu->features &= ~F(PACGA);
    return err ? err : check_needs(cpu->features, why, why_size);
}

int arm64_cpu_check(const char *spec, char *why, size_t why_size)
{
    struct arm64_cpu cpu;

    return arm64_features_parse(spec, &cpu, why, why_size);
}

uint64_t arm64_features_mode(uint64_t f)
{
    uint64_t mode = 0;

    for (unsigned i = 0; i < ARM64F_COUNT; i++) {
        if (!(f >> i & 1) && features[i].ext != EXT_NONE)
            mode |= ARM64_MODE_NO_EXT((unsigned)features[i].ext);
    }
    return mode;
}

/* What does not depend on features: EL0 and EL1 in AArch64, ASIDs of 16 bits, all granules but 16K. */
static uint64_t id_base(const struct arm64_cpu *cpu, enum arm64_id id, bool gic)
{
    switch (id) {
    case ARM64_ID_PFR0:
        return 0x11 | (uint64_t)gic << 24 | (cpu->features & F(FP) ? 0 : UINT64_C(0xf) << 16) |
               (cpu->features & F(ASIMD) ? 0 : UINT64_C(0xf) << 20);
    case ARM64_ID_DFR0:
        return 6 | (ARM64_BREAKPOINTS - 1) << 12 | (ARM64_WATCHPOINTS - 1) << 20 |
               (ARM64_CONTEXT_BREAKPOINTS - 1) << 28;
    case ARM64_ID_MMFR0:
        return cpu->model->pa_range | 2 << 4;
    default:
        return 0;
    }
}

uint64_t arm64_features_id(const struct arm64_cpu *cpu, enum arm64_id id, bool gic)
{
    uint64_t value = id_base(cpu, id, gic);

    for (unsigned i = 0; i < ARM64F_COUNT; i++) {
        const struct feature *f = &features[i];

        if (f->id == id && cpu->features >> i & 1 && (value >> f->lsb & 0xf) < f->value)
            value = (value & ~(UINT64_C(0xf) << f->lsb)) | (uint64_t)f->value << f->lsb;
    }
    /* AdvSIMD has the half precision of FP. */
    if (id == ARM64_ID_PFR0 && cpu->features & F(FP16))
        value |= UINT64_C(1) << 20;
    return value;
}
