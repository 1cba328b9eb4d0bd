/*
 * Each encoder form of asm.h over its registers, displacements and immediates: objdump reads the bytes back,
 * and has to see the instruction that was asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "engine/jit/emit/x86_64/asm.h"

#define CODE_MAX (4u << 20)
#define ROWS_MAX 60000u
#define TEXT_MAX 80

struct row {
    uint32_t at;
    char text[TEXT_MAX];
};

struct listing {
    struct asm_buf b;
    uint8_t *code;
    struct row *row;
    unsigned rows;
};

static const char *const r64[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const r32[16] = {"eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                    "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};
static const char *const r8n[16] = {"al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
                                    "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"};
static const char *const alu[8] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
static const int32_t disps[] = {0, 1, -1, 127, -128, 128, -129, 0x12345678, INT32_MIN, INT32_MAX};

static const char *gpr(bool w, unsigned r)
{
    return w ? r64[r] : r32[r];
}

/* The text for the bytes that are emitted next. */
__attribute__((format(printf, 2, 3))) static void expect(struct listing *l, const char *format, ...)
{
    struct row *row = &l->row[l->rows++];
    va_list args;

    assert_true(l->rows <= ROWS_MAX);
    row->at = (uint32_t)(l->b.p - l->code);
    va_start(args, format);
    vsnprintf(row->text, sizeof(row->text), format, args);
    va_end(args);
}

static int listing_new(void **state)
{
    struct listing *l = calloc(1, sizeof(*l));

    l->code = malloc(CODE_MAX);
    l->row = calloc(ROWS_MAX, sizeof(*l->row));
    l->b = (struct asm_buf){l->code, l->code + CODE_MAX, false};
    *state = l;
    return 0;
}

static int listing_free(void **state)
{
    struct listing *l = *state;

    free(l->code);
    free(l->row);
    free(l);
    return 0;
}

/* One blank for any run of them, none at the end; objdump's comments go. */
static void squeeze(char *s)
{
    char *to = s;

    for (const char *from = s; *from && *from != '#' && *from != '\n'; from++) {
        if (*from != ' ' || (to > s && to[-1] != ' '))
            *to++ = *from;
    }
    while (to > s && to[-1] == ' ')
        to--;
    *to = 0;
}

static void compare(struct listing *l, FILE *dump)
{
    char line[400];
    unsigned n = 0;

    while (fgets(line, sizeof(line), dump)) {
        char *tab = strchr(line, '\t'), *text = tab ? strchr(tab + 1, '\t') : NULL;
        unsigned long at = strtoul(line, NULL, 16);

        if (!text)
            continue;
        squeeze(++text);
        if (!strncmp(text, "rex ", 4)) /* a bare REX is only superfluous with al..bl */
            text += 4;
        if (n == l->rows || at != l->row[n].at || strcmp(text, l->row[n].text))
            fail_msg("at 0x%lx: \"%s\", not \"%s\" at 0x%x", at, text, n < l->rows ? l->row[n].text : "end",
                     n < l->rows ? l->row[n].at : 0);
        n++;
    }
    assert_int_equal(n, l->rows);
}

static void check(struct listing *l)
{
    char path[] = "/tmp/asm_test.XXXXXX", command[200];
    size_t size = (size_t)(l->b.p - l->code);
    FILE *dump;
    int fd;

    assert_false(l->b.full);
    if (system("objdump --version >/dev/null 2>&1"))
        skip();
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, l->code, size), size);
    close(fd);
    snprintf(command, sizeof(command), "objdump -D -w -M intel -b binary -m i386:x86-64 %s", path);
    dump = popen(command, "r");
    assert_non_null(dump);
    compare(l, dump);
    pclose(dump);
    unlink(path);
}

/* "[base+index*1+0x10]"; with_zero: a displacement of 0 is there as a byte. */
static const char *address(char *text, unsigned base, int index, int32_t disp, bool with_zero)
{
    char *to = text + sprintf(text, "[%s", r64[base]);
    int64_t size = disp;

    if (index >= 0)
        to += sprintf(to, "+%s*1", r64[index]);
    if (disp || with_zero)
        to += sprintf(to, "%c0x%llx", disp < 0 ? '-' : '+', (unsigned long long)(disp < 0 ? -size : size));
    sprintf(to, "]");
    return text;
}

static bool zero_byte(unsigned base, int32_t disp)
{
    return !disp && (base & 7) == RBP;
}

/* ---- registers ---- */

static void two_registers(void **state)
{
    struct listing *l = *state;

    for (unsigned i = 0; i < 2 * 16 * 16; i++) {
        bool w = i & 1;
        unsigned a = i >> 1 & 15, c = i >> 5;

        for (unsigned op = 0; op < 8; op++) {
            expect(l, "%s %s,%s", alu[op], gpr(w, a), gpr(w, c));
            asm_rr(&l->b, w, 8 * op + 3, a, c);
        }
        expect(l, "imul %s,%s", gpr(w, a), gpr(w, c));
        asm_rr(&l->b, w, OP_0F | 0xaf, a, c);
        expect(l, "popcnt %s,%s", gpr(w, a), gpr(w, c));
        asm_rr(&l->b, w, PRE_F3 | OP_0F | 0xb8, a, c);
        expect(l, "cmovl %s,%s", gpr(w, a), gpr(w, c));
        asm_rr(&l->b, w, OP_0F | 0x40 | CC_L, a, c);
        if (a != c || !w)
            expect(l, "mov %s,%s", gpr(w, a), gpr(w, c));
        asm_mov(&l->b, w, a, c); /* a whole register to itself is nothing */
    }
    check(l);
}

static void byte_registers(void **state)
{
    static const char *const cc[16] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                       "s", "ns", "p", "np", "l", "ge", "le", "g"};
    struct listing *l = *state;

    for (unsigned r = 0; r < 16; r++) {
        for (unsigned c = 0; c < 16; c++) {
            expect(l, "set%s %s", cc[c], r8n[r]);
            asm_rr8(&l->b, OP_0F | 0x90 | c, 0, r);
            expect(l, "movzx %s,%s", r32[c], r8n[r]);
            asm_rr8(&l->b, OP_0F | 0xb6, c, r);
            expect(l, "movsx %s,%s", r32[c], r8n[r]);
            asm_rr8(&l->b, OP_0F | 0xbe, c, r);
        }
    }
    check(l);
}

static void vectors(void **state)
{
    static const struct {
        uint32_t op;
        const char *name;
    } ops[] = {{PRE_F2 | OP_0F | 0x58, "addsd"}, {PRE_F3 | OP_0F | 0x59, "mulss"},
               {PRE_66 | OP_0F | 0xfe, "paddd"}, {PRE_66 | OP_0F | 0x2e, "ucomisd"},
               {OP_0F | 0x57, "xorps"},          {PRE_66 | OP_0F38 | 0x00, "pshufb"}};
    struct listing *l = *state;

    for (unsigned a = 0; a < 16; a++) {
        for (unsigned c = 0; c < 16; c++) {
            for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
                expect(l, "%s xmm%u,xmm%u", ops[i].name, a, c);
                asm_rr(&l->b, false, ops[i].op, a, c);
            }
            expect(l, "movq xmm%u,%s", a, r64[c]);
            asm_rr(&l->b, true, PRE_66 | OP_0F | 0x6e, a, c);
            expect(l, "movd xmm%u,%s", a, r32[c]);
            asm_rr(&l->b, false, PRE_66 | OP_0F | 0x6e, a, c);
            expect(l, "roundsd xmm%u,xmm%u,0x3", a, c);
            asm_rr(&l->b, false, PRE_66 | OP_0F3A | 0x0b, a, c);
            asm_byte(&l->b, 3);
        }
    }
    check(l);
}

static void vex(void **state)
{
    struct listing *l = *state;

    for (unsigned i = 0; i < 16 * 16 * 16; i++) {
        unsigned d = i & 15, v = i >> 4 & 15, m = i >> 8;

        expect(l, "vfmadd213s%c xmm%u,xmm%u,xmm%u", i & 1 ? 'd' : 's', d, v, m);
        asm_vex(&l->b, i & 1, 2, 1, 0xa9, d, v, m);
    }
    check(l);
}

/* ---- memory ---- */

static void base_and_displacement(void **state)
{
    struct listing *l = *state;
    char m[64];

    for (unsigned i = 0; i < 16 * 16 * ARRAY_SIZE(disps); i++) {
        unsigned r = i & 15, base = i >> 4 & 15;
        int32_t d = disps[i >> 8];

        address(m, base, -1, d, zero_byte(base, d));
        expect(l, "mov %s,QWORD PTR %s", r64[r], m);
        asm_load(&l->b, true, r, base, d);
        expect(l, "mov %s,DWORD PTR %s", r32[r], m);
        asm_load(&l->b, false, r, base, d);
        expect(l, "mov QWORD PTR %s,%s", m, r64[r]);
        asm_store(&l->b, true, r, base, d);
        expect(l, "mov DWORD PTR %s,%s", m, r32[r]);
        asm_store(&l->b, false, r, base, d);
        expect(l, "mov BYTE PTR %s,%s", m, r8n[r]);
        asm_rm8(&l->b, 0x88, r, base, d);
        expect(l, "lea %s,%s", r64[r], m);
        asm_rm(&l->b, true, 0x8d, r, base, d);
        expect(l, "movsd xmm%u,QWORD PTR %s", r, m);
        asm_rm(&l->b, false, PRE_F2 | OP_0F | 0x10, r, base, d);
    }
    check(l);
}

/* rsp as an index means none (Intel SDM volume 2, table 2-3), r12 is one. */
static void base_and_index(void **state)
{
    struct listing *l = *state;
    char m[64];

    for (unsigned i = 0; i < 16 * 16 * ARRAY_SIZE(disps); i++) {
        unsigned index = i & 15, base = i >> 4 & 15, r = (index + 5 * base) & 15;
        int32_t d = disps[i >> 8];

        if (index == RSP)
            continue;
        address(m, base, (int)index, d, !d);
        expect(l, "lea %s,%s", r64[r], m);
        asm_rx(&l->b, true, 0x8d, r, base, index, d);
        expect(l, "mov %s,DWORD PTR %s", r32[r], m);
        asm_rx(&l->b, false, 0x8b, r, base, index, d);
    }
    check(l);
}

/* ---- immediates ---- */

/* As objdump writes an immediate: sign-extended to the operand's size. */
static unsigned long long immediate(bool w, int32_t imm)
{
    return w ? (unsigned long long)(int64_t)imm : (uint32_t)imm;
}

static void group_one(void **state)
{
    struct listing *l = *state;
    char m[64];

    for (unsigned i = 0; i < 2 * 8 * 16; i++) {
        bool w = i & 1;
        unsigned op = i >> 1 & 7, r = i >> 4;

        for (unsigned k = 0; k < ARRAY_SIZE(disps); k++) {
            int32_t imm = disps[k];

            /* The short form of the accumulator is not used, but reads the same. */
            expect(l, "%s %s,0x%llx", alu[op], gpr(w, r), immediate(w, imm));
            asm_alu_ri(&l->b, w, op, r, imm);
            for (unsigned j = 0; j < ARRAY_SIZE(disps); j += 3) {
                address(m, r, -1, disps[j], zero_byte(r, disps[j]));
                expect(l, "%s %s PTR %s,0x%llx", alu[op], w ? "QWORD" : "DWORD", m, immediate(w, imm));
                asm_alu_mi(&l->b, w, op, r, disps[j], imm);
            }
        }
    }
    check(l);
}

static void shifts(void **state)
{
    static const struct {
        unsigned op;
        const char *name;
    } ops[] = {
        {SHIFT_ROL, "rol"}, {SHIFT_ROR, "ror"}, {SHIFT_SHL, "shl"}, {SHIFT_SHR, "shr"}, {SHIFT_SAR, "sar"}};
    struct listing *l = *state;

    for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
        for (unsigned r = 0; r < 16; r++) {
            for (unsigned n = 0; n < 64; n++) {
                expect(l, "%s %s,0x%x", ops[i].name, gpr(n & 1, r), n);
                asm_shift_ri(&l->b, n & 1, ops[i].op, r, n);
            }
        }
    }
    check(l);
}

static void constants(void **state)
{
    static const struct {
        uint64_t v;
        unsigned bytes; /* without a REX that only r8..r15 need */
        const char *name;
    } rows[] = {
        {0, 5, "mov"},
        {1, 5, "mov"},
        {INT32_MAX, 5, "mov"},
        {UINT32_MAX, 5, "mov"},
        {UINT64_C(1) << 32, 10, "movabs"},
        {UINT64_MAX, 7, "mov"},
        {UINT64_C(0xffffffff80000000), 7, "mov"},
        {UINT64_C(0xffffffff7fffffff), 10, "movabs"},
        {UINT64_C(0x123456789abcdef0), 10, "movabs"},
    };
    struct listing *l = *state;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned r = 0; r < 16; r++) {
            bool w = rows[i].bytes != 5;
            const uint8_t *was = l->b.p;

            expect(l, "%s %s,0x%llx", rows[i].name, gpr(w, r), (unsigned long long)rows[i].v);
            asm_imm(&l->b, r, rows[i].v);
            assert_int_equal(l->b.p - was, rows[i].bytes + (!w && r >= 8));
        }
    }
    check(l);
}

/* ---- jumps, ends ---- */

static void jumps(void **state)
{
    static const char *const jcc[16] = {"jo", "jno", "jb", "jae", "je", "jne", "jbe", "ja",
                                        "js", "jns", "jp", "jnp", "jl", "jge", "jle", "jg"};
    struct listing *l = *state;
    uint8_t *at[18];

    for (unsigned c = 0; c < 16; c++) {
        expect(l, "%s 0x%x", jcc[c], 16 * c); /* 6 bytes each: back and forth */
        at[c] = asm_jcc(&l->b, c);
    }
    expect(l, "jmp 0x0");
    at[16] = asm_jmp(&l->b);
    expect(l, "call 0x1000");
    at[17] = asm_call(&l->b);
    for (unsigned c = 0; c < 16; c++)
        asm_patch(&l->b, at[c], l->code + (size_t)16 * c);
    asm_patch(&l->b, at[16], l->code);
    asm_patch(&l->b, at[17], l->code + 0x1000);
    check(l);
}

/* A full buffer remembers that, writes nothing behind its end, and is not patched. */
static void full_buffer(void **state)
{
    uint8_t code[12];
    struct asm_buf b = {code, code + 8, false};
    uint8_t *at;

    (void)state;
    memset(code, 0xee, sizeof(code));
    at = asm_jmp(&b);
    asm_imm(&b, RAX, UINT64_C(0x123456789abcdef0));
    assert_true(b.full);
    assert_ptr_equal(b.p, b.end);
    asm_patch(&b, at, code);
    assert_memory_equal(code, "\xe9\0\0\0\0\x48\xb8\xf0\xee\xee\xee\xee", 12);
}

#define LISTED(f) cmocka_unit_test_setup_teardown(f, listing_new, listing_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTED(two_registers),
        LISTED(byte_registers),
        LISTED(vectors),
        LISTED(vex),
        LISTED(base_and_displacement),
        LISTED(base_and_index),
        LISTED(group_one),
        LISTED(shifts),
        LISTED(constants),
        LISTED(jumps),
        cmocka_unit_test(full_buffer),
    };

    return cmocka_run_group_tests_name("asm", tests, NULL, NULL);
}
