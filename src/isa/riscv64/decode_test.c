/*
 * The instruction table against itself, and decoder and disassembler against binutils' objdump: each 16-bit
 * encoding and a million 32-bit ones, validity and text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "isa/riscv64/decode.h"
#include "isa/riscv64/disasm.h"

/* ---- the table against itself ---- */

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* Rows that are a special case of a later one, on purpose. */
static bool overlap_intended(unsigned a, unsigned b)
{
    return a == RV_PAUSE && b == RV_FENCE;
}

static void each_row_decodes_to_itself(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rv_insn insn;

    for (unsigned id = 1; id < RV_ID_COUNT; id++) {
        const struct rv_insn_desc *row = &rv_insn_descs[id];
        assert_int_equal(row->match & ~row->mask, 0);
        for (int i = 0; i < 1000; i++) {
            uint32_t raw = row->match | ((uint32_t)random_next(&seed) & ~row->mask);
            assert_true(rv_decode(raw, &insn));
            if (insn.id != id && !overlap_intended(insn.id, id))
                fail_msg("%s: 0x%08x decodes to %s", row->name, raw, rv_insn_descs[insn.id].name);
            assert_int_equal(insn.raw, raw);
            assert_int_equal(insn.len, 4);
        }
    }
}

static void no_rows_overlap(void **state)
{
    (void)state;
    for (unsigned a = 1; a < RV_ID_COUNT; a++)
        for (unsigned b = a + 1; b < RV_ID_COUNT; b++) {
            const struct rv_insn_desc *x = &rv_insn_descs[a], *y = &rv_insn_descs[b];
            bool overlap = ((x->match ^ y->match) & x->mask & y->mask) == 0;
            if (overlap && !overlap_intended(a, b))
                fail_msg("%s and %s overlap", x->name, y->name);
            assert_string_not_equal(x->name, y->name);
        }
}

/* The lookup must find a row wherever a search of all rows would: no encoding is lost to a wrong bucket. */
static void buckets_lose_nothing(void **state)
{
    (void)state;
    uint64_t seed = 2;
    struct rv_insn insn;

    for (int i = 0; i < 200000; i++) {
        uint32_t raw = (uint32_t)random_next(&seed) | 3;
        unsigned id = 1;
        while (id < RV_ID_COUNT && (raw & rv_insn_descs[id].mask) != rv_insn_descs[id].match)
            id++;
        assert_int_equal(rv_decode(raw, &insn), id < RV_ID_COUNT);
        assert_int_equal(insn.id, id < RV_ID_COUNT ? id : RV_ILLEGAL);
    }
}

static void unused_fields_are_zero(void **state)
{
    (void)state;
    struct rv_insn insn;

    assert_true(rv_decode(0x00500513, &insn)); /* addi a0,zero,5: the rs2 bits are immediate */
    assert_int_equal(insn.rd, 10);
    assert_int_equal(insn.rs2 | insn.rs3 | insn.rm | insn.aqrl | insn.csr, 0);
    assert_int_equal(insn.imm, 5);
    assert_false(rv_decode(0xffffffff, &insn));
    assert_int_equal(insn.id | insn.rd | insn.rs1 | insn.rs2 | insn.rs3 | insn.rm | insn.csr, 0);
    assert_int_equal(insn.raw, 0xffffffff);
    assert_false(rv_decode(0xdead0000, &insn)); /* all zeroes is illegal, whatever follows */
    assert_int_equal(insn.len, 2);
    assert_int_equal(insn.raw, 0);
}

static void strictness(void **state)
{
    (void)state;
    static const struct {
        uint32_t raw;
        unsigned id; /* RV_ILLEGAL: must not decode */
    } cases[] = {
        {0x12000073, RV_SFENCE_VMA}, {0x120000f3, RV_ILLEGAL}, /* rd != 0 */
        {0x1005252f, RV_LR_W},       {0x1015252f, RV_ILLEGAL}, /* lr with rs2 != 0 */
        {0x0005052f, RV_ILLEGAL},    {0x0005152f, RV_ILLEGAL}, /* amoadd.b, .h */
        {0x0ff1150f, RV_FENCE_I},    {0x0ff1050f, RV_FENCE},   /* reserved fields are ignored */
        {0x0100000f, RV_PAUSE},      {0x8330000f, RV_FENCE},   /* fence.tso */
        {0x00b55553, RV_FADD_S},                               /* rm 5: the executor's business */
        {0x02b5153b, RV_ILLEGAL},                              /* between sllw and others */
        {0x02051513, RV_SLLI},       {0x0205151b, RV_ILLEGAL}, /* slliw by 32 */
        {0x0e005033, RV_CZERO_EQZ},  {0x0e007033, RV_CZERO_NEZ}, {0x30200073, RV_MRET},
        {0x302000f3, RV_ILLEGAL},    {0x00200073, RV_ILLEGAL}, /* uret */
        {0x0045200f, RV_CBO_ZERO},   {0x0045208f, RV_ILLEGAL},   {0x0035200f, RV_ILLEGAL},
    };
    struct rv_insn insn;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool ok = rv_decode(cases[i].raw, &insn);
        if (ok != (cases[i].id != RV_ILLEGAL) || insn.id != cases[i].id)
            fail_msg("0x%08x: %s", cases[i].raw, rv_insn_descs[insn.id].name);
    }
}

/* ---- against objdump ---- */

#define TOOL  "riscv64-linux-gnu-"
#define MARCH "rv64gc_zba_zbb_zbc_zbs_zicbom_zicboz_zfh_svinval_zawrs_zihintpause"

/* A directory with an ELF file whose .text is the given bytes and whose attributes name the extensions. */
struct oracle {
    char dir[32];
    FILE *objdump;
};

static int run(const struct oracle *o, const char *format)
{
    char command[600];

    snprintf(command, sizeof(command), format, o->dir, o->dir, o->dir);
    return system(command);
}

/* objdump over code, its output to be read from o->objdump; options select aliases or not. */
static void oracle_start(struct oracle *o, const void *code, size_t size, const char *options)
{
    char path[64], command[200];

    if (system("which " TOOL "objdump " TOOL "as >/dev/null 2>&1") != 0) {
        print_message("needs binutils-riscv64-linux-gnu\n");
        skip();
    }
    strcpy(o->dir, "/tmp/cv-oracle-XXXXXX");
    assert_non_null(mkdtemp(o->dir));
    snprintf(path, sizeof(path), "%s/code", o->dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(code, 1, size, file), size);
    fclose(file);
    assert_int_equal(run(o, "cd %s && : | " TOOL "as -march=" MARCH " -o empty.o -"), 0);
    assert_int_equal(run(o, "cd %s && " TOOL "objcopy --update-section .text=code empty.o code.o"), 0);
    snprintf(command, sizeof(command), TOOL "objdump -D -j .text -M %s %s/code.o", options, o->dir);
    o->objdump = popen(command, "r");
    assert_non_null(o->objdump);
}

static void oracle_end(struct oracle *o)
{
    assert_int_equal(pclose(o->objdump), 0);
    assert_int_equal(run(o, "rm -r %s"), 0);
}

/*
 * The next instruction's text as `mnemonic operands`, without comment and symbol; false at the end. A line is
 * "   0:<tab>00b50533          <tab>add<tab>a0,a0,a1 # comment".
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
    end = p + strcspn(p, "#<\n");
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = 0;
    if ((end = strchr(p, '\t')))
        *end = ' ';
    snprintf(text, size, "%s", p);
    return true;
}

static bool oracle_unknown(const char *text)
{
    return text[0] == '.' || strncmp(text, "c.unimp", 7) == 0 || strncmp(text, "unimp", 5) == 0;
}

struct comparison {
    unsigned compared, excused, wrong;
};

static void mismatch(struct comparison *c, uint32_t raw, const char *ours, const char *theirs)
{
    if (c->wrong++ < 60)
        print_message("0x%08x: ours \"%s\", objdump \"%s\"\n", raw, ours, theirs);
}

/*
 * What we take and binutils 2.40 does not, by intent:
 * - Zicond came with 2.41;
 * - fence and fence.i with reserved fields set: "implementations shall ignore these fields"
 * (Unprivileged 2.7, 6);
 * - a rounding mode in a conversion that is always exact: legal ("F" extension, conversions), printed so by
 * later binutils.
 */
static bool oracle_too_old(const struct rv_insn *insn)
{
    unsigned format = rv_insn_descs[insn->id].format;

    switch (insn->id) {
    case RV_CZERO_EQZ:
    case RV_CZERO_NEZ:
        return true;
    case RV_FENCE:
        return insn->raw & 0xf00fff80;
    case RV_FENCE_I:
        return insn->raw & 0xffff8f80;
    default:
        return (format == RV_FMT_F1_EXACT || format == RV_FMT_XTOF_EXACT) && insn->rm != 0;
    }
}

/* What binutils takes and we do not: withdrawn drafts, and the hypervisor extension, which guests do not
 * have. */
static bool oracle_takes_more(const char *theirs)
{
    static const char *const names[] = {"uret", "hret", "dret", "sfence.vm", "hinval.", "hfence."};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strncmp(theirs, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* CSRs that binutils names and csr.def does not: ours are numbers, all else of the text is equal. */
static bool csr_is_unnamed(const struct rv_insn *insn, const char *ours, const char *theirs)
{
    const char *a = strchr(ours, ','), *b = strchr(theirs, ',');

    if (insn->csr == 0 || !a || !b || strncmp(a, ",0x", 3) != 0 || a - ours != b - theirs)
        return false;
    return strncmp(ours, theirs, (size_t)(a - ours)) == 0 && strcmp(strrchr(a, ','), strrchr(b, ',')) == 0;
}

#define WORDS 1000000

/* Half uniformly random, half a row's own bits with the rest random and sometimes one bit wrong. */
static uint32_t random_word(uint64_t *seed)
{
    uint32_t raw = (uint32_t)random_next(seed);
    uint64_t choice = random_next(seed);

    if (choice & 1) {
        const struct rv_insn_desc *row = &rv_insn_descs[1 + (choice >> 8) % (RV_ID_COUNT - 1)];
        raw = (raw & ~row->mask) | row->match;
        if ((choice & 6) == 0)
            raw ^= UINT32_C(1) << (choice >> 3 & 31);
    }
    raw |= 3;
    return (raw & 0x1c) == 0x1c ? raw & ~UINT32_C(0x10) : raw; /* not the prefix of longer instructions */
}

static void compare_words(void **state)
{
    (void)state;
    uint32_t *words = malloc(WORDS * sizeof(*words));
    uint64_t seed = 3;
    struct comparison c = {0};
    struct oracle oracle;
    struct rv_insn insn;
    char ours[RV_DISASM_MAX], theirs[128];

    for (unsigned i = 0; i < WORDS; i++)
        words[i] = i < 4096 ? i << 20 | 0x2573 : random_word(&seed); /* first csrrs a0, each CSR, zero */
    oracle_start(&oracle, words, WORDS * sizeof(*words), "no-aliases,priv-spec=1.12");
    for (unsigned i = 0; i < WORDS; i++) {
        assert_true(oracle_next(&oracle, theirs, sizeof(theirs)));
        bool ok = rv_decode(words[i], &insn);
        assert_in_range(rv_disasm(ours, sizeof(ours), &insn, i * 4), 1, sizeof(ours) - 1);
        c.compared++;
        if (ok == !oracle_unknown(theirs) && (!ok || strcmp(ours, theirs) == 0))
            continue;
        if (ok && ((oracle_unknown(theirs) && oracle_too_old(&insn)) || csr_is_unnamed(&insn, ours, theirs)))
            c.excused++;
        else if (!ok && oracle_takes_more(theirs))
            c.excused++;
        else
            mismatch(&c, words[i], ours, theirs);
    }
    oracle_end(&oracle);
    free(words);
    print_message("%u words compared, %u excused\n", c.compared, c.excused);
    assert_int_equal(c.wrong, 0);
}

/* binutils has names of its own for shifts by 0, from the draft of RV128. */
static void shift64_rename(char *text, size_t size)
{
    char op[8], reg[8];

    if (sscanf(text, "c.%4[a-z]64 %7s", op, reg) == 2)
        snprintf(text, size, "c.%s %s,0x0", op, reg);
}

static unsigned compressed_fill(uint16_t *codes)
{
    unsigned n = 0;

    for (unsigned raw = 0; raw < 0x10000; raw++)
        if ((raw & 3) != 3)
            codes[n++] = (uint16_t)raw;
    return n;
}

/* By their own names: which encodings are legal, and their operands. */
static void compare_compressed(void **state)
{
    (void)state;
    static uint16_t codes[0x10000];
    unsigned n = compressed_fill(codes);
    struct comparison c = {0};
    struct oracle oracle;
    struct rv_insn insn;
    char ours[RV_DISASM_MAX], theirs[128];

    oracle_start(&oracle, codes, n * sizeof(*codes), "no-aliases");
    for (unsigned i = 0; i < n; i++) {
        assert_true(oracle_next(&oracle, theirs, sizeof(theirs)));
        bool ok = rv_decode(codes[i], &insn);
        shift64_rename(theirs, sizeof(theirs));
        rv_disasm_encoded(ours, sizeof(ours), &insn, i * 2);
        c.compared++;
        if (ok == !oracle_unknown(theirs) && (!ok || strcmp(ours, theirs) == 0))
            continue;
        if (codes[i] == 0x6101 &&
            !ok) /* c.addi16sp with 0 is reserved ("C" extension), which binutils overlooks */
            continue;
        mismatch(&c, codes[i], ours, theirs);
    }
    oracle_end(&oracle);
    print_message("%u encodings compared\n", c.compared);
    assert_int_equal(c.wrong, 0);
}

/*
 * objdump's aliases, as far as 16-bit instructions reach them, rewritten to what they stand for. HINTs it
 * prints as c.* even then.
 */
static void alias_expand(char *text, size_t size)
{
    static const struct {
        const char *alias, *format; /* format: its arguments are the alias's operands */
    } aliases[] = {
        {"nop", "addi zero,zero,0"},
        {"ret", "jalr zero,0(ra)"},
        {"li", "addi %s,zero,%s"},
        {"c.li", "addi %s,zero,%s"},
        {"mv", "add %s,zero,%s"},
        {"c.mv", "add %s,zero,%s"},
        {"jr", "jalr zero,0(%s)"},
        {"jalr", "jalr ra,0(%s)"},
        {"j", "jal zero,%s"},
        {"beqz", "beq %s,zero,%s"},
        {"bnez", "bne %s,zero,%s"},
        {"sext.w", "addiw %s,%s,0"},
        {"c.nop", "addi zero,zero,%s"},
        {"c.lui", "lui %s,%s"},
        {"c.add", "add %1$s,%1$s,%2$s"},
        {"c.addi", "addi %1$s,%1$s,%2$s"},
        {"c.slli", "slli %1$s,%1$s,%2$s"},
        {"c.slli64", "slli %1$s,%1$s,0x0"},
        {"c.srli64", "srli %1$s,%1$s,0x0"},
        {"c.srai64", "srai %1$s,%1$s,0x0"},
        /* with a number as their last operand */
        {"add", "addi %s,%s"},
        {"addw", "addiw %s,%s"},
        {"and", "andi %s,%s"},
        {"sll", "slli %s,%s"},
        {"srl", "srli %s,%s"},
        {"sra", "srai %s,%s"},
    };
    char word[24], a[40], b[40];

    a[0] = b[0] = 0;
    if (sscanf(text, "%23s %39[^,],%39s", word, a, b) < 1)
        return;
    const char *last = strrchr(text, ',');
    bool three = strchr(b, ','), number = last && strspn(last + 1, "-0123456789");
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        if (strcmp(word, aliases[i].alias) == 0 && (!three || number)) {
            snprintf(text, size, aliases[i].format, a, b);
            return;
        }
}

/* By what they stand for: with aliases on, objdump prints 16-bit instructions as 32-bit ones. */
static void compare_expansions(void **state)
{
    (void)state;
    static uint16_t codes[0x10000];
    unsigned n = compressed_fill(codes);
    struct comparison c = {0};
    struct oracle oracle;
    struct rv_insn insn;
    char ours[RV_DISASM_MAX], theirs[128];

    oracle_start(&oracle, codes, n * sizeof(*codes), "priv-spec=1.12");
    for (unsigned i = 0; i < n; i++) {
        assert_true(oracle_next(&oracle, theirs, sizeof(theirs)));
        if (!rv_decode(codes[i], &insn))
            continue;
        rv_disasm(ours, sizeof(ours), &insn, i * 2);
        alias_expand(theirs, sizeof(theirs));
        c.compared++;
        if (strcmp(ours, theirs) != 0)
            mismatch(&c, codes[i], ours, theirs);
    }
    oracle_end(&oracle);
    print_message("%u expansions compared\n", c.compared);
    assert_int_equal(c.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_decodes_to_itself),
        cmocka_unit_test(no_rows_overlap),
        cmocka_unit_test(buckets_lose_nothing),
        cmocka_unit_test(unused_fields_are_zero),
        cmocka_unit_test(strictness),
        cmocka_unit_test(compare_words),
        cmocka_unit_test(compare_compressed),
        cmocka_unit_test(compare_expansions),
    };

    return cmocka_run_group_tests_name("isa riscv64 decode", tests, NULL, NULL);
}
