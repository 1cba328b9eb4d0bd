/*
 * The disassembler: an interpreter of the operand strings of format.def. After %: a letter that says which
 * kind of register, and then which field (d n m a for rd rn rm ra; ^ before it: the next register); or a
 * letter that says all.
 *
 *   r R    general register as wide as sf says: 31 is zero, SP      w x X   W, X, X or SP
 *   f g c  FP register of size, of twice the size, of size `index`  Q S     q, s
 *   v V h  vector of size and q; of twice the size, 128 bits; of twice the size and q
 *   b      vector of bytes                                          B W D   .16b .4s .2d
 *   P      vector of two elements                                   i I 4   element index, amount; .4b[index]
 *   L N    list of `amount` vectors (of bytes if there is no size), of lanes [index]
 *
 *   # $    imm, hex and decimal     u        amount                 j K     index, decimal and hex
 *   8 !    imm8: hex, FP number     l        shift, if there is one o       rotation
 *   T      pc + imm                 +        imm, maybe lsl #12     E G     extended register; its address
 *   A Z M  address by opt; without offset; of structures            k       condition
 *   p & q  prefetch, barrier, PSTATE field                          y Y z   system register, SYS, its
 * register t      rn if not 30             ? 0      imm unless 15, 0
 */
#include "isa/arm64/disasm.h"
#include "isa/arm64/sysreg.h"
#include "lib/fmt.h"

/* Text being built: len counts what did not fit too. */
struct text {
    char *buf;
    size_t size, len;
};

static void put(struct text *t, const char *s)
{
    for (; *s; s++, t->len++) {
        if (t->len + 1 >= t->size)
            continue;
        t->buf[t->len] = *s;
        t->buf[t->len + 1] = 0;
    }
}

static void put_char(struct text *t, char c)
{
    put(t, (const char[]){c, 0});
}

PRINTF_LIKE(2, 3) static void putf(struct text *t, const char *format, ...)
{
    char piece[48];
    va_list args;

    va_start(args, format);
    fmt_vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    put(t, piece);
}

static const char size_letters[] = "bhsdq";

static const char *const cond_names[16] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                           "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};

static const char *const shift_names[4] = {"lsl", "lsr", "asr", "ror"};

static const char *const extend_names[8] = {"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"};

/* ---- registers ---- */

static void put_general(struct text *t, unsigned reg, bool wide, bool sp)
{
    if (reg != 31)
        return putf(t, "%c%u", wide ? 'x' : 'w', reg);
    if (sp)
        return put(t, wide ? "sp" : "wsp");
    put(t, wide ? "xzr" : "wzr");
}

static void put_vector(struct text *t, unsigned reg, unsigned size, unsigned q)
{
    putf(t, "v%u.%u%c", reg, (q ? 16u : 8u) >> size, size_letters[size]);
}

static void put_lane(struct text *t, unsigned reg, unsigned size, unsigned index)
{
    putf(t, "v%u.%c[%u]", reg, size_letters[size], index);
}

/* One vector of a list, with its arrangement or, for a lane, its size alone. */
static void put_list_item(struct text *t, const struct a64_insn *i, unsigned reg, bool lane)
{
    if (lane)
        putf(t, "v%u.%c", reg & 31, size_letters[i->size]);
    else
        put_vector(t, reg & 31, i->size, i->q);
}

/* From three on as a range, unless that would wrap. */
static void put_list(struct text *t, const struct a64_insn *i, unsigned reg, bool lane)
{
    bool range = i->amount > 2 && reg + i->amount <= 32;

    put(t, "{");
    put_list_item(t, i, reg, lane);
    for (unsigned k = range ? i->amount - 1u : 1; k < i->amount; k++) {
        put(t, range ? "-" : ", ");
        put_list_item(t, i, reg + k, lane);
    }
    put(t, "}");
    if (lane)
        putf(t, "[%u]", i->index);
}

/* Tables are of 16 bytes always, and have no size. */
static void put_table(struct text *t, const struct a64_insn *insn, unsigned reg)
{
    struct a64_insn table = *insn;

    table.q = 1;
    put_list(t, &table, reg, false);
}

/* True if kind is a letter for registers. */
static bool put_register(struct text *t, char kind, unsigned reg, const struct a64_insn *i)
{
    switch (kind) {
    case 'r':
    case 'R':
        put_general(t, reg, i->sf, kind == 'R');
        return true;
    case 'w':
        put_general(t, reg, false, false);
        return true;
    case 'x':
    case 'X':
        put_general(t, reg, true, kind == 'X');
        return true;
    case 'f':
    case 'g':
        putf(t, "%c%u", size_letters[i->size + (kind == 'g')], reg);
        return true;
    case 'c':
        putf(t, "%c%u", size_letters[i->index], reg);
        return true;
    case 'Q':
    case 'S':
        putf(t, "%c%u", kind == 'Q' ? 'q' : 's', reg);
        return true;
    case 'v':
        put_vector(t, reg, i->size, i->q);
        return true;
    case 'V':
        put_vector(t, reg, i->size + 1u, 1);
        return true;
    case 'h':
        put_vector(t, reg, i->size + 1u, i->q);
        return true;
    case 'b':
        put_vector(t, reg, 0, i->q);
        return true;
    case 'B':
        put_vector(t, reg, 0, 1);
        return true;
    case 'W':
        put_vector(t, reg, 2, 1);
        return true;
    case 'D':
        put_vector(t, reg, 3, 1);
        return true;
    case 'P':
        putf(t, "v%u.2%c", reg, size_letters[i->size]);
        return true;
    case 'i':
        put_lane(t, reg, i->size, i->index);
        return true;
    case 'I':
        put_lane(t, reg, i->size, i->amount);
        return true;
    case '4':
        putf(t, "v%u.4b[%u]", reg, i->index);
        return true;
    case 'L':
        if (a64_insn_descs[i->id].format == A64_FMT_TBL)
            put_table(t, i, reg);
        else
            put_list(t, i, reg, false);
        return true;
    case 'N':
        put_list(t, i, reg, true);
        return true;
    default:
        return false;
    }
}

/* ---- addresses ---- */

static void put_base(struct text *t, const struct a64_insn *i)
{
    put(t, "[");
    put_general(t, i->rn, true, true);
}

static void put_address(struct text *t, const struct a64_insn *i)
{
    long long imm = i->imm;

    put_base(t, i);
    if (i->opt == A64_POST)
        putf(t, "], #%lld", imm);
    else if (i->opt == A64_PRE && !imm && a64_insn_descs[i->id].format == A64_FMT_LDRA)
        put(t, "]!");
    else if (i->opt == A64_PRE)
        putf(t, ", #%lld]!", imm);
    else if (imm)
        putf(t, ", #%lld]", imm);
    else
        put(t, "]");
}

/* The structures' post-index: a register, or as many bytes as are accessed. */
static void put_structure_address(struct text *t, const struct a64_insn *i)
{
    put_base(t, i);
    put(t, "]");
    if (i->opt != A64_POST)
        return;
    if (i->rm == 31)
        return putf(t, ", #%lld", (long long)i->imm);
    put(t, ", ");
    put_general(t, i->rm, true, false);
}

/* UXTX is LSL here, and unwritten without a shift; bytes are "shifted" by 0 if S is set. */
static void put_register_address(struct text *t, const struct a64_insn *i)
{
    bool shifted = i->raw >> 12 & 1;

    put_base(t, i);
    put(t, ", ");
    put_general(t, i->rm, i->opt & 1, false);
    if (i->opt != A64_UXTX || shifted)
        putf(t, ", %s", i->opt == A64_UXTX ? "lsl" : extend_names[i->opt & 7]);
    if (shifted)
        putf(t, " #%u", i->amount);
    put(t, "]");
}

/* ---- immediates and names ---- */

static void put_shift(struct text *t, const struct a64_insn *i)
{
    if (i->opt || i->amount)
        putf(t, ", %s #%u", shift_names[i->opt & 3], i->amount);
}

static void put_addsub_imm(struct text *t, const struct a64_insn *i)
{
    bool shifted = i->raw >> 22 & 1;

    putf(t, "#0x%llx", (unsigned long long)i->imm >> (shifted ? 12 : 0));
    if (shifted)
        put(t, ", lsl #12");
}

/* With SP among the registers, the extension as wide as they are is LSL, and unwritten if it shifts nothing.
 */
static void put_extended(struct text *t, const struct a64_insn *i)
{
    bool sets_flags = i->raw >> 29 & 1;
    bool sp = i->rn == 31 || (i->rd == 31 && !sets_flags);
    bool lsl = sp && i->opt == (i->sf ? A64_UXTX : A64_UXTW);

    put_general(t, i->rm, i->sf && (i->opt & 3) == 3, false);
    if (lsl && !i->amount)
        return;
    putf(t, ", %s", lsl ? "lsl" : extend_names[i->opt & 7]);
    if (i->amount)
        putf(t, " #%u", i->amount);
}

/*
 * The numbers of imm8 are n/16 * 2^e, n 16..31, e -3..4: exact in decimal. Printed as %.18e would.
 */
static void put_fp_imm(struct text *t, unsigned imm8)
{
    unsigned number = 16 + (imm8 & 15), low = imm8 >> 4 & 3;
    unsigned places = imm8 & 0x40 ? 7 - low : 3 - low; /* value = number / 2^places */
    char digits[24];
    unsigned n = 0;

    for (unsigned k = 0; k < places; k++)
        number *= 5;
    fmt_snprintf(digits, sizeof(digits), "%u", number);
    while (digits[n])
        n++;
    int exponent = (int)(n - 1 - places);
    putf(t, "#%s%c.%s", imm8 & 0x80 ? "-" : "", digits[0], digits + 1);
    for (unsigned k = n - 1; k < 18; k++)
        put(t, "0");
    putf(t, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

static unsigned modimm_imm8(const struct a64_insn *i)
{
    return (i->raw >> 16 & 7) << 5 | (i->raw >> 5 & 31);
}

static void put_prefetch(struct text *t, unsigned op)
{
    static const char *const kinds[4] = {"pld", "pli", "pst", NULL};
    unsigned level = op >> 1 & 3;

    if (!kinds[op >> 3] || level == 3)
        putf(t, "#0x%02x", op);
    else
        putf(t, "%sl%u%s", kinds[op >> 3], level + 1, op & 1 ? "strm" : "keep");
}

static void put_barrier(struct text *t, unsigned crm)
{
    static const char *const names[16] = {
        [1] = "oshld", [2] = "oshst",  [3] = "osh",  [5] = "nshld", [6] = "nshst", [7] = "nsh",
        [9] = "ishld", [10] = "ishst", [11] = "ish", [13] = "ld",   [14] = "st",   [15] = "sy",
    };

    if (names[crm & 15])
        put(t, names[crm & 15]);
    else
        putf(t, "#0x%02x", crm);
}

static void put_pstate(struct text *t, const struct a64_insn *i)
{
    static const struct {
        uint16_t id;
        const char *name;
    } names[] = {
        {A64_MSR_UAO, "uao"},         {A64_MSR_PAN, "pan"}, {A64_MSR_SPSEL, "spsel"},
        {A64_MSR_SSBS, "ssbs"},       {A64_MSR_DIT, "dit"}, {A64_MSR_DAIFSET, "daifset"},
        {A64_MSR_DAIFCLR, "daifclr"},
    };

    for (size_t k = 0; k < ARRAY_SIZE(names); k++)
        if (names[k].id == i->id)
            put(t, names[k].name);
}

static void put_sysreg(struct text *t, const struct a64_insn *i)
{
    unsigned code = i->sysreg;
    const char *name = a64_sysreg_name(code);

    if (code == A64_SYSREG_dbgdtrtx_el0 && i->id == A64_MSR)
        put(t, "dbgdtrtx_el0");
    else if (name)
        put(t, name);
    else
        putf(t, "s%u_%u_c%u_c%u_%u", a64_sysreg_op0(code), a64_sysreg_op1(code), a64_sysreg_crn(code),
             a64_sysreg_crm(code), a64_sysreg_op2(code));
}

static void put_sys(struct text *t, unsigned code)
{
    putf(t, "#%u, C%u, C%u, #%u", a64_sysreg_op1(code), a64_sysreg_crn(code), a64_sysreg_crm(code),
         a64_sysreg_op2(code));
}

/* ---- all together ---- */

static void put_other(struct text *t, char letter, const struct a64_insn *i, uint64_t pc)
{
    switch (letter) {
    case '#':
        return putf(t, "#0x%llx", (unsigned long long)i->imm);
    case '$':
        return putf(t, "#%lld", (long long)i->imm);
    case 'u':
        return putf(t, "#%u", i->amount);
    case 'j':
        return putf(t, "#%u", i->index);
    case 'K':
        return putf(t, "#0x%x", i->index);
    case '8':
        return putf(t, "#0x%x", modimm_imm8(i));
    case '!':
        return put_fp_imm(t, i->index);
    case 'l':
        return put_shift(t, i);
    case 'o':
        return putf(t, "#%u", i->opt * 90u);
    case 'T':
        if (i->id == A64_ADRP)
            pc = ALIGN_DOWN(pc, 4096);
        return putf(t, "0x%llx", (unsigned long long)(pc + (uint64_t)i->imm));
    case '+':
        return put_addsub_imm(t, i);
    case 'E':
        return put_extended(t, i);
    case 'G':
        return put_register_address(t, i);
    case 'A':
        return put_address(t, i);
    case 'Z':
        put_base(t, i);
        return put(t, "]");
    case 'M':
        return put_structure_address(t, i);
    case 'k':
        return put(t, cond_names[i->cond & 15]);
    case 'p':
        return put_prefetch(t, i->rd);
    case '&':
        return put_barrier(t, (unsigned)i->imm);
    case 'q':
        return put_pstate(t, i);
    case 'y':
        return put_sysreg(t, i);
    case 'Y':
        return put_sys(t, i->sysreg);
    case 'z':
        return i->rd == 31 ? (void)0 : putf(t, ", x%u", i->rd);
    case 't':
        return i->rn == 30 ? (void)0 : put_general(t, i->rn, true, false);
    case '?':
        return i->imm == 15 ? (void)0 : putf(t, "#0x%llx", (unsigned long long)i->imm);
    case '0':
        return i->imm == 0 ? (void)0 : putf(t, "#0x%llx", (unsigned long long)i->imm);
    default:
        return put_char(t, letter);
    }
}

static unsigned field_get(char letter, const struct a64_insn *i)
{
    return letter == 'd' ? i->rd : letter == 'n' ? i->rn : letter == 'm' ? i->rm : i->ra;
}

static void put_operands(struct text *t, const char *s, const struct a64_insn *i, uint64_t pc)
{
    for (; *s; s++) {
        if (*s != '%') {
            put_char(t, *s);
            continue;
        }
        char kind = *++s;
        bool next = s[1] == '^';
        if (put_register(t, kind, field_get(s[1 + next], i) + next, i))
            s += 1 + next;
        else
            put_other(t, kind, i, pc);
    }
}

/* insn.def: `*` is the suffix of the access size, `@` that of the order, `~` a 2 for the upper half. */
static void put_mnemonic(struct text *t, const struct a64_insn *i)
{
    static const char *const sizes[4] = {"b", "h", "", ""}, *const orders[4] = {"", "a", "l", "al"};
    const char *name = a64_insn_descs[i->id].name;

    for (const char *s = name; *s; s++) {
        if (*s == '*')
            put(t, i->size == 2 && s[-1] == 's' ? "w" : sizes[i->size & 3]);
        else if (*s == '@')
            put(t, orders[i->opt & 3]);
        else if (*s == '~')
            put(t, i->q ? "2" : "");
        else
            put_char(t, *s);
    }
    if (i->id == A64_B_COND)
        put(t, cond_names[i->cond & 15]);
}

int a64_disasm(char *buf, size_t n, const struct a64_insn *insn, uint64_t pc)
{
    struct text t = {buf, n, 0};

    if (n)
        buf[0] = 0;
    if (insn->id == A64_UNDEFINED || insn->id >= A64_ID_COUNT) {
        putf(&t, ".inst 0x%08x", insn->raw);
        return (int)t.len;
    }
    put_mnemonic(&t, insn);
    size_t mnemonic = t.len;
    put(&t, " ");
    put_operands(&t, a64_format_descs[a64_insn_descs[insn->id].format].operands, insn, pc);
    if (t.len == mnemonic + 1) { /* nothing came after the space */
        t.len = mnemonic;
        if (mnemonic < n)
            buf[mnemonic] = 0;
    }
    return (int)t.len;
}
