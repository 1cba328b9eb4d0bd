/*
 * The instruction table against itself, and decoder and disassembler against binutils' objdump: a million
 * random words and a sweep of each row's fields, validity and text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "isa/arm64/decode.h"
#include "isa/arm64/disasm.h"

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* ---- the table against itself ---- */

/*
 * Overlaps on purpose. Row a, which stands first, is a special case of b: its fixed bits are b's and more. Or
 * it is a modified immediate, and b a shift by immediate, which refuses what they share, immh 0 (C4.1).
 */
static bool overlap_intended(unsigned a, unsigned b)
{
    const struct a64_insn_desc *x = &a64_insn_descs[a], *y = &a64_insn_descs[b];

    if (a < b && x->format >= A64_FMT_MODIMM_32 && x->format <= A64_FMT_MODIMM_FPH &&
        y->format >= A64_FMT_VSHIFT_RIGHT && y->format <= A64_FMT_SSHIFT_FIX)
        return true;
    return a < b && (x->mask & y->mask) == y->mask;
}

static void rows_are_sound(void **state)
{
    (void)state;
    for (unsigned a = 1; a < A64_ID_COUNT; a++) {
        const struct a64_insn_desc *x = &a64_insn_descs[a];
        assert_int_equal(x->match & ~x->mask, 0);
        for (unsigned b = a + 1; b < A64_ID_COUNT; b++) {
            const struct a64_insn_desc *y = &a64_insn_descs[b];
            bool overlap = ((x->match ^ y->match) & x->mask & y->mask) == 0;
            if (overlap && !overlap_intended(a, b))
                fail_msg("%u %s and %u %s overlap", a, x->name, b, y->name);
        }
    }
}

static void each_row_decodes_to_itself(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct a64_insn insn;

    for (unsigned id = 1; id < A64_ID_COUNT; id++) {
        const struct a64_insn_desc *row = &a64_insn_descs[id];
        unsigned decoded = 0;
        for (int i = 0; i < 4000; i++) {
            uint32_t raw = row->match | ((uint32_t)random_next(&seed) & ~row->mask);
            bool ok = a64_decode(raw, &insn);
            assert_int_equal(insn.raw, raw);
            assert_int_equal(ok, insn.id != A64_UNDEFINED);
            decoded += insn.id == id;
            if (ok && insn.id != id && !overlap_intended(insn.id, id))
                fail_msg("%s: 0x%08x decodes to %s", row->name, raw, a64_insn_descs[insn.id].name);
        }
        if (!decoded)
            fail_msg("%s (%u): none decoded", row->name, id);
    }
}

static void undefined_is_empty(void **state)
{
    (void)state;
    static const uint32_t words[] = {0, 0xffffffff, 0x1e63418a /* bfcvt */, 0x12464138 /* and w, N = 1 */};
    struct a64_insn insn;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        assert_false(a64_decode(words[i], &insn));
        assert_int_equal(insn.id | insn.rd | insn.rn | insn.rm | insn.ra | insn.sf | insn.size | insn.q, 0);
        assert_int_equal(insn.raw, words[i]);
    }
}

static void fields(void **state)
{
    (void)state;
    struct a64_insn i;

    assert_true(a64_decode(0xf8408c41, &i)); /* ldr x1, [x2, #8]! */
    assert_int_equal(i.id, A64_LDR_INDEX);
    assert_true(i.rd == 1 && i.rn == 2 && i.sf == 1 && i.size == 3 && i.opt == A64_PRE && i.imm == 8);
    assert_true(a64_decode(0xb98013e3, &i)); /* ldrsw x3, [sp, #16] */
    assert_true(i.id == A64_LDRS_IMM && i.sf == 1 && i.size == 2 && i.imm == 16);
    assert_true(a64_decode(0xa9bf7bfd, &i)); /* stp x29, x30, [sp, #-16]! */
    assert_true(i.id == A64_STP && i.rd == 29 && i.ra == 30 && i.rn == 31 && i.opt == A64_PRE &&
                i.imm == -16);
    assert_true(a64_decode(0xd5384100, &i)); /* mrs x0, sp_el0 */
    assert_true(i.id == A64_MRS && i.sysreg == 0xc208);
    assert_true(a64_decode(0xd51b4400, &i)); /* msr fpcr, x0 */
    assert_true(i.id == A64_MSR && i.sysreg == 0xda20);
    assert_true(a64_decode(0x6f00e401, &i)); /* movi v1.2d, #0 */
    assert_true(i.id == A64_MOVI_64 && i.imm == 0 && i.q == 1);
    assert_true(a64_decode(0x4f03f600, &i)); /* fmov v0.4s, #1.0 */
    assert_true(i.id == A64_FMOV_IMM_VS && (uint64_t)i.imm == UINT64_C(0x3f8000003f800000));
    assert_true(a64_decode(0x1e6e1000, &i)); /* fmov d0, #1.0 */
    assert_true(i.id == A64_FMOV_IMM && (uint64_t)i.imm == UINT64_C(0x3ff0000000000000));
    assert_true(a64_decode(0x1ee21000, &i)); /* fmov h0, #4.0 */
    assert_int_equal(i.imm, 0x4400);
    assert_true(a64_insn_exts(&i) == (BIT(A64_EXT_FP) | BIT(A64_EXT_FP16)));
    assert_true(a64_decode(0x7ee1bbff, &i)); /* fcvtzu d31, d31 */
    assert_true(i.id == A64_FCVTZU_S && i.size == 3 && i.opt == 3 && i.q == 0);
    assert_true(a64_decode(0x0c9f7000, &i)); /* st1 {v0.8b}, [x0], #8 */
    assert_true(i.id == A64_ST1 && i.amount == 1 && i.opt == A64_POST && i.rm == 31 && i.imm == 8);
}

/* Logical immediates against the definition: each element a rotated run of ones, each value once. */
static void bitmasks(void **state)
{
    (void)state;
    unsigned valid = 0;
    uint64_t mask;

    for (unsigned code = 0; code < 0x2000; code++) {
        unsigned n = code >> 12, immr = code >> 6 & 63, imms = code & 63;
        if (!a64_bitmask_decode(1, n, immr, imms, &mask))
            continue;
        valid++;
        assert_true(mask != 0 && mask != UINT64_MAX);
        uint64_t edges = mask ^ (mask >> 1 | mask << 63); /* a run has two, an element one run */
        unsigned runs = (unsigned)__builtin_popcountll(edges) / 2;
        assert_int_equal(runs & (runs - 1), 0);
        assert_int_equal(mask, mask >> (64 / runs % 64) | mask << ((64 - 64 / runs) % 64));
    }
    assert_int_equal(valid, 64 * 63 + 32 * 31 * 2 + 16 * 15 * 4 + 8 * 7 * 8 + 4 * 3 * 16 + 2 * 1 * 32);
}

static void expect_imm(uint32_t raw, uint64_t imm)
{
    struct a64_insn insn;

    assert_true(a64_decode(raw, &insn));
    if ((uint64_t)insn.imm != imm)
        fail_msg("0x%08x: 0x%llx, not 0x%llx", raw, (unsigned long long)insn.imm, (unsigned long long)imm);
}

static uint64_t replicate(uint64_t value, unsigned bits)
{
    uint64_t all = 0;

    for (unsigned at = 0; at < 64; at += bits)
        all |= value << at;
    return all;
}

/* fmov h, s, d and the vectors of them, against the host's numbers; half by its own fields. */
static void fp_immediates(void **state)
{
    (void)state;
    for (uint32_t imm8 = 0; imm8 < 256; imm8++) {
        int exponent = (imm8 & 0x40 ? -3 : 1) + (int)(imm8 >> 4 & 3);
        double d = (imm8 & 0x80 ? -1.0 : 1.0) * (16 + (imm8 & 15)) / 16;
        for (int e = exponent; e; e += e < 0 ? 1 : -1)
            d = e < 0 ? d / 2 : d * 2;
        float f = (float)d;
        uint64_t d_bits;
        uint32_t f_bits, h_bits = imm8 >> 7 << 15 | (uint32_t)(exponent + 15) << 10 | (imm8 & 15) << 6;
        memcpy(&d_bits, &d, 8);
        memcpy(&f_bits, &f, 4);
        expect_imm(0x1e601000 | imm8 << 13, d_bits);
        expect_imm(0x1e201000 | imm8 << 13, f_bits);
        expect_imm(0x1ee01000 | imm8 << 13, h_bits);
        uint32_t spread = (imm8 >> 5) << 16 | (imm8 & 31) << 5;
        expect_imm(0x6f00f400 | spread, d_bits);
        expect_imm(0x4f00f400 | spread, replicate(f_bits, 32));
        expect_imm(0x4f00fc00 | spread, replicate(h_bits, 16));
    }
}

/* AdvSIMDExpandImm, case by case. */
static void modified_immediates(void **state)
{
    (void)state;
    for (uint32_t imm8 = 0; imm8 < 256; imm8++) {
        uint32_t spread = 0x0f000400 | (imm8 >> 5) << 16 | (imm8 & 31) << 5;
        uint64_t bytes = 0;
        for (uint32_t op = 0; op < 2; op++, spread |= 1u << 29) {
            for (uint32_t cmode = 0; cmode < 8; cmode++)
                expect_imm(spread | cmode << 12, replicate((uint64_t)imm8 << (cmode >> 1) * 8, 32));
            for (uint32_t cmode = 8; cmode < 12; cmode++)
                expect_imm(spread | cmode << 12, replicate((uint64_t)imm8 << (cmode >> 1 & 1) * 8, 16));
            expect_imm(spread | 12 << 12, replicate(imm8 << 8 | 0xff, 32));
            expect_imm(spread | 13 << 12, replicate(imm8 << 16 | 0xffff, 32));
        }
        spread &= ~(1u << 29);
        expect_imm(spread | 14 << 12, replicate(imm8, 8));
        for (unsigned i = 0; i < 8; i++)
            bytes |= (uint64_t)(imm8 >> i & 1 ? 0xff : 0) << (8 * i);
        expect_imm(spread | 14 << 12 | 1 << 29, bytes);
    }
}

/* The letter in fcvt?s, fcvt?u is the mode that opt holds, and other vector instructions have none there. */
static void rounding_modes(void **state)
{
    (void)state;
    static const char letters[] = "npmza";
    uint64_t seed = 5;
    struct a64_insn insn;

    for (unsigned id = 1; id < A64_ID_COUNT; id++) {
        const struct a64_insn_desc *row = &a64_insn_descs[id];
        bool converts =
            strlen(row->name) == 6 && strncmp(row->name, "fcvt", 4) == 0 && strchr("su", row->name[5]);
        const char *letter = converts ? strchr(letters, row->name[4]) : NULL;
        for (int i = 0; letter && i < 100; i++) {
            if (!a64_decode(row->match | ((uint32_t)random_next(&seed) & ~row->mask), &insn) || insn.id != id)
                continue;
            assert_int_equal(insn.opt, letter - letters);
        }
    }
    assert_true(a64_decode(0x4e3ce400 & ~0x00400000u, &insn)); /* fcmeq, rm 28 */
    assert_int_equal(insn.opt, 0);
}

/* ---- against objdump ---- */

#define TOOL "aarch64-linux-gnu-objdump"

struct oracle {
    char path[32];
    FILE *objdump;
};

static void oracle_start(struct oracle *o, const void *code, size_t size)
{
    char command[200];

    if (system("which " TOOL " >/dev/null 2>&1") != 0) {
        print_message("needs binutils-aarch64-linux-gnu\n");
        skip();
    }
    strcpy(o->path, "/tmp/cv-oracle-XXXXXX");
    int fd = mkstemp(o->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, code, size), size);
    close(fd);
    snprintf(command, sizeof(command),
             TOOL " -D -z -b binary -m aarch64 -M no-aliases,no-notes %s 2>/dev/null", o->path);
    o->objdump = popen(command, "r");
    assert_non_null(o->objdump);
}

static void oracle_end(struct oracle *o)
{
    assert_int_equal(pclose(o->objdump), 0);
    unlink(o->path);
}

/* "{v1.8b-v3.8b}", which releases write from different numbers of registers on, becomes the list that it is.
 */
static void spell_out_list(char *text, size_t size)
{
    char *open = strchr(text, '{'), *close = open ? strchr(open, '}') : NULL, rest[128], lanes[8];
    unsigned first, last, n;

    if (!close || sscanf(open, "{v%u.%7[^-]-v%u.", &first, lanes, &last) != 3)
        return;
    snprintf(rest, sizeof(rest), "%s", close);
    n = (unsigned)(open + 1 - text);
    for (unsigned reg = first;; reg = (reg + 1) % 32) {
        n += (unsigned)snprintf(text + n, size - n, "%sv%u.%s", reg == first ? "" : ", ", reg, lanes);
        if (reg == last || n >= size)
            break;
    }
    assert_true(n < size);
    snprintf(text + n, size - n, "%s", rest);
}

/* Prefetches into a system-level cache have names in newer releases; ours are numbers. */
static void number_prefetch(char *text, size_t size)
{
    static const char *const kinds[] = {"pld", "pli", "pst"};
    char *slc = strstr(text, "slc"), rest[128];

    if (strncmp(text, "prf", 3) != 0 || !slc)
        return;
    for (unsigned kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        if (strncmp(slc - 3, kinds[kind], 3) != 0)
            continue;
        snprintf(rest, sizeof(rest), "#0x%02x%s", kind << 3 | 6 | (slc[3] == 's'), slc + strlen("slckeep"));
        snprintf(slc - 3, size - (size_t)(slc - 3 - text), "%s", rest);
        return;
    }
}

/*
 * The next instruction's text as `mnemonic operands`, without comment; false at the end. A line is
 * "   0:<tab>9ac20820 <tab>udiv<tab>x0, x1, x2  // comment".
 */
static bool oracle_next(struct oracle *o, char *text, size_t size)
{
    char line[300], *p, *end;

    do {
        if (!fgets(line, sizeof(line), o->objdump))
            return false;
        p = strchr(line, ':');
    } while (!p || p[1] != '\t');
    p = strchr(p + 2, '\t');
    assert_non_null(p);
    p++;
    if ((end = strstr(p, "//")))
        *end = 0;
    end = p + strcspn(p, ";<\n");
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = 0;
    if ((end = strchr(p, '\t')))
        *end = ' ';
    snprintf(text, size, "%s", p);
    spell_out_list(text, size);
    number_prefetch(text, size);
    return true;
}

static bool starts_with_any(const char *text, const char *const *names, size_t count)
{
    size_t length = strcspn(text, " ");

    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && strncmp(text, names[i], length) == 0)
            return true;
    return false;
}

/* Of later years, which binutils 2.44 knows; of FCVTN the form of 8-bit floating point. */
static bool is_of_later_years(const char *theirs)
{
    static const char *const begin[] = {
        /* THE, LSE128, LRCPC3 */ "rcw",
        "swpp",
        "ldclrp",
        "ldsetp",
        "ldiapp",
        "stilp",
        "ldap1",
        "stl1",
        "stlur b",
        "stlur h",
        "stlur s",
        "stlur d",
        "stlur q",
        "ldapur b",
        "ldapur h",
        "ldapur s",
        "ldapur d",
        "ldapur q",
        /* CPA */ "addpt ",
        "subpt ",
        "maddpt ",
        "msubpt ",
        /* SYSREG128, SYSINSTR128, GCS */ "mrrs ",
        "msrr ",
        "sysp ",
        "gcs",
        /* FP8, FAMINMAX, LUT */ "fdot ",
        "fmlall",
        "fmlalb ",
        "fmlalt ",
        "fscale ",
        "f1cvtl",
        "f2cvtl",
        "bf1cvtl",
        "bf2cvtl",
        "famax ",
        "famin ",
        "luti",
    };

    for (size_t i = 0; i < ARRAY_SIZE(begin); i++) {
        if (strncmp(theirs, begin[i], strlen(begin[i])) == 0)
            return true;
    }
    return strncmp(theirs, "fcvtn", 5) == 0 && (strstr(theirs, ".8b, v") || strstr(theirs, ".16b, v"));
}

/* Extensions that this binutils knows and that are not offered: undefined here (DDI 0487, A2). */
static bool oracle_takes_more(const char *theirs)
{
    static const char *const names[] = {
        /* MTE */ "addg",
        "subg",
        "irg",
        "gmi",
        "subp",
        "subps",
        "stg",
        "stzg",
        "st2g",
        "stz2g",
        "stgp",
        "ldg",
        "ldgm",
        "stgm",
        "stzgm",
        /* BF16, I8MM, FHM */ "bfcvt",
        "bfcvtn",
        "bfcvtn2",
        "bfdot",
        "bfmlalb",
        "bfmlalt",
        "bfmmla",
        "smmla",
        "ummla",
        "usmmla",
        "usdot",
        "sudot",
        "fmlal",
        "fmlal2",
        "fmlsl",
        "fmlsl2",
        /* LS64, TME, WFxT, XS */ "ld64b",
        "st64b",
        "st64bv",
        "st64bv0",
        "tstart",
        "ttest",
        "tcommit",
        "tcancel",
        "wfet",
        "wfit",
        "dsb",
        /* CSSC */ "abs",
        "cnt",
        "ctz",
        "smax",
        "smin",
        "umax",
        "umin",
        /* PSTATE.SM, ZA */ "smstart",
        "smstop",
    };

    if (strncmp(theirs, "cpy", 3) == 0 || strncmp(theirs, "set", 3) == 0 || strncmp(theirs, "bc.", 3) == 0)
        return true; /* MOPS, HBC */
    if (strncmp(theirs, "msr s0_", 7) == 0 || (strncmp(theirs, "mrs ", 4) == 0 && strstr(theirs, ", s0_")))
        return true; /* op0 0: no system register, and PSTATE fields are rows of their own */
    if (strncmp(theirs, "msr ", 4) == 0 && strchr(theirs, '#'))
        return true; /* PSTATE fields of MTE, NMI, SME */
    return starts_with_any(theirs, names, ARRAY_SIZE(names)) || is_of_later_years(theirs);
}

/* Hints of later years, ours by their numbers: CHKFEAT, and among the prefetches RPRFM. */
static bool hint_is_unnamed(const struct a64_insn *insn, const char *ours, const char *theirs)
{
    if (insn->id == A64_PRFM_REG)
        return strncmp(theirs, "rprfm ", 6) == 0;
    return strcmp(ours, "hint #0x28") == 0 && strcmp(theirs, "chkfeat x16") == 0;
}

/*
 * What we take and this binutils does not: bits that should be one, and are ignored, in LDAR (elsewhere
 * binutils ignores them too); LDPSW with unpredictable registers (as above); MSR of one bit of PSTATE, of
 * whose immediate only bit 0 counts.
 */
static bool oracle_takes_less(const struct a64_insn *insn, const char *theirs)
{
    switch (insn->id) {
    case A64_LDAR:
        return (insn->raw & 0x1f7c00) != 0x1f7c00;
    case A64_LDPSW:
        return insn->rd == insn->ra ||
               (insn->opt != A64_OFFSET && (insn->rd == insn->rn || insn->ra == insn->rn));
    case A64_MSR_UAO:
    case A64_MSR_PAN:
    case A64_MSR_SPSEL:
    case A64_MSR_SSBS:
    case A64_MSR_DIT:
        return insn->imm > 1 && strncmp(theirs, "msr s0_", 7) == 0;
    default:
        return false;
    }
}

/* System registers that binutils names and sysreg.def does not: ours are numbers. */
static bool sysreg_is_unnamed(const struct a64_insn *insn, const char *ours, const char *theirs)
{
    const char *a = ours, *b = theirs;

    if (insn->id != A64_MRS && insn->id != A64_MSR)
        return false;
    while (*a && *a == *b)
        a++, b++;
    if (a[0] != 's' && (a == ours || a[-1] != 's'))
        return false;
    return insn->id == A64_MRS || strcmp(strchr(a, ','), strchr(b, ',')) == 0;
}

struct comparison {
    unsigned compared, excused, wrong;
};

static void compare_one(struct comparison *c, uint32_t raw, uint64_t pc, const char *theirs)
{
    struct a64_insn insn;
    char ours[A64_DISASM_MAX];
    bool ok = a64_decode(raw, &insn);
    bool known = theirs[0] != '.' && strncmp(theirs, "udf ", 4) != 0;

    assert_in_range(a64_disasm(ours, sizeof(ours), &insn, pc), 1, sizeof(ours) - 1);
    c->compared++;
    if (ok && (raw & 0xfffff01f) == 0xd503201f) /* hints: ours have names */
        snprintf(ours, sizeof(ours), "hint #0x%x", raw >> 5 & 0x7f);
    spell_out_list(ours, sizeof(ours));
    if (ok == known && (!ok || strcmp(ours, theirs) == 0))
        return;
    if (ok ? oracle_takes_less(&insn, theirs) || sysreg_is_unnamed(&insn, ours, theirs) ||
                 hint_is_unnamed(&insn, ours, theirs)
           : oracle_takes_more(theirs))
        c->excused++;
    else if (c->wrong++ < 60)
        print_message("0x%08x: ours \"%s\", objdump \"%s\"\n", raw, ours, theirs);
}

static void compare_words(const uint32_t *words, unsigned count)
{
    struct comparison c = {0};
    struct oracle oracle;
    char theirs[128];

    oracle_start(&oracle, words, count * sizeof(*words));
    for (unsigned i = 0; i < count; i++) {
        assert_true(oracle_next(&oracle, theirs, sizeof(theirs)));
        compare_one(&c, words[i], i * 4, theirs);
    }
    oracle_end(&oracle);
    print_message("%u words compared, %u excused\n", c.compared, c.excused);
    assert_int_equal(c.wrong, 0);
}

/* Bits [28:25] of 0 to 3: SME, SVE, unallocated; we have no row there, which each_row and this know. */
static bool is_scalable(uint32_t raw)
{
    return (raw >> 27 & 3) == 0;
}

#define WORDS 1000000

/* Half uniformly random, half a row's own bits with the rest random and sometimes one bit wrong. */
static uint32_t random_word(uint64_t *seed)
{
    uint32_t raw = (uint32_t)random_next(seed);
    uint64_t choice = random_next(seed);

    if (choice & 1) {
        const struct a64_insn_desc *row = &a64_insn_descs[1 + (choice >> 8) % (A64_ID_COUNT - 1)];
        raw = (raw & ~row->mask) | row->match;
        if ((choice & 6) == 0)
            raw ^= UINT32_C(1) << (choice >> 3 & 31);
    }
    return raw;
}

static void random_words(void **state)
{
    (void)state;
    uint32_t *words = malloc(WORDS * sizeof(*words));
    uint64_t seed = 3;
    struct a64_insn insn;
    unsigned n = 0;

    while (n < WORDS) {
        uint32_t raw = random_word(&seed);
        if (is_scalable(raw))
            assert_false(a64_decode(raw, &insn));
        else
            words[n++] = raw;
    }
    compare_words(words, WORDS);
    free(words);
}

/* Where the fields of A64 begin, as far as they do so in common. */
static const uint8_t edges[] = {0, 5, 10, 12, 16, 21, 22, 24, 29, 30, 31, 32};

/* All values of each field that a row leaves open, the other open bits zero, one, random. */
static unsigned sweep_row(const struct a64_insn_desc *row, uint32_t *words, uint64_t *seed)
{
    unsigned n = 0;

    for (int base = 0; base < 4; base++) {
        uint32_t rest = base == 0 ? 0 : base == 1 ? UINT32_MAX : (uint32_t)random_next(seed);
        for (size_t e = 0; e + 1 < ARRAY_SIZE(edges); e++) {
            uint32_t field = ((UINT32_MAX >> (32 - (edges[e + 1] - edges[e]))) << edges[e]) & ~row->mask;
            uint32_t value = 0;
            do { /* each subset of the field's bits */
                words[n++] = row->match | (rest & ~row->mask & ~field) | value;
                value = (value - field) & field;
            } while (value);
        }
    }
    return n;
}

static void sweep(void **state)
{
    (void)state;
    enum { ROW_MAX = 4 * 11 * 64 };
    uint32_t *words = malloc((size_t)A64_ID_COUNT * ROW_MAX * sizeof(*words));
    uint64_t seed = 4;
    unsigned n = 0;

    for (unsigned id = 1; id < A64_ID_COUNT; id++)
        n += sweep_row(&a64_insn_descs[id], words + n, &seed);
    compare_words(words, n);
    free(words);
}

/* Each system register and operation: the names. */
static void system_words(void **state)
{
    (void)state;
    uint32_t *words = malloc(0x20000 * sizeof(*words));
    unsigned n = 0;

    for (uint32_t code = 0x8000; code < 0x10000; code++) {
        words[n++] = 0xd5200000 | code << 5 | 3;
        words[n++] = 0xd5000000 | code << 5 | 3;
    }
    compare_words(words, n);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(each_row_decodes_to_itself),
        cmocka_unit_test(undefined_is_empty),
        cmocka_unit_test(fields),
        cmocka_unit_test(bitmasks),
        cmocka_unit_test(fp_immediates),
        cmocka_unit_test(modified_immediates),
        cmocka_unit_test(rounding_modes),
        cmocka_unit_test(random_words),
        cmocka_unit_test(sweep),
        cmocka_unit_test(system_words),
    };

    return cmocka_run_group_tests_name("isa arm64 decode", tests, NULL, NULL);
}
