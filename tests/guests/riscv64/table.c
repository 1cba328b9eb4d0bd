/* Runs the stubs and rows that gen.py wrote. */
#include "harness.h"

struct op {
    const char *name;
    void (*stub)(void);
    const u64 *rows;
    u64 count, form;
};
extern const struct op op_table[];
extern const char group_name[];

/* What the stubs read and write: operands from 0, results from 16, registers they save from 128. */
u64 frame[64] __attribute__((aligned(64)));
u64 scratch[128] __attribute__((aligned(64)));

/* Where a reference is known to be wrong: mnemonic and why. The specification decides. */
static const struct {
    const char *name, *why;
} gaps[] = {
    {"ctzw", "Zbb, 28.4: the count is of the low word alone; QEMU 7.2 counts beyond it"},
};

static char title[96];
static const u64 columns[] = {3, 5, 4};

static void title_set(const char *a, const char *b)
{
    char *o = title;

    for (; *a && o < title + sizeof(title) - 2; a++)
        *o++ = *a;
    *o++ = ' ';
    for (; *b && *b != ' ' && o < title + sizeof(title) - 1; b++)
        *o++ = *b;
    *o = 0;
}

/* The byte that gen.py's pattern() expects at SCRATCH + i. */
static void pattern_fill(void)
{
    for (u64 i = 0; i < 12288; i++)
        poke8(SCRATCH + i, (u8)(i * 167 + 13 + (i >> 8) * 7));
}

static void show_row(const u64 *r, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        print(" ");
        print_hex(r[i]);
    }
    print("\n");
}

static int same(const char *a, const char *b)
{
    while (*a && *a != ' ' && *a == *b)
        a++, b++;
    return (!*a || *a == ' ') && (!*b || *b == ' ');
}

static int result_check(const char *name, u64 got, u64 want)
{
    for (u64 i = 0; got != want && i < COUNT(gaps); i++)
        if (same(name, gaps[i].name))
            return check_gap(name, got, want, gaps[i].why) || under_reference();
    return check(name, got, want);
}

static void row_run(const struct op *op, const u64 *r, int *bad)
{
    int ok;

    frame[0] = r[0];
    frame[1] = r[1];
    switch (op->form) {
    case 0:
        frame[2] = ~r[2];
        op->stub();
        ok = result_check(op->name, frame[2], r[2]);
        break;
    case 1:
        frame[2] = r[2];
        frame[3] = (r[4] & 7) << 5;
        frame[4] = ~0UL;
        op->stub();
        ok = check(op->name, frame[2], r[3]);
        ok &= check("fcsr", (u32)frame[4], (r[4] & 7) << 5 | r[4] >> 8);
        break;
    default:
        frame[2] = ~r[2];
        op->stub();
        ok = check(op->name, frame[2], r[2]);
        ok &= check("memory", frame[0], r[3]);
    }
    if (!ok && (*bad)++ < 8) {
        print("    row");
        show_row(r, columns[op->form]);
    }
}

static void call_stub(u64 stub)
{
    ((void (*)(void))stub)();
}

/* One section per mnemonic. Short tables are repeated, so that each stub also runs where hot code is
 * compiled. */
void test_main(void)
{
    const char *last = "";
    int bad = 0, have = 1;

    pattern_fill();
    for (const struct op *op = op_table; op->name; op++) {
        if (!same(op->name, last)) {
            title_set(group_name, op->name);
            section(title);
            bad = 0;
            frame[0] = op->rows[0];
            have = need(op->name, run(MODE_M, call_stub, (u64)op->stub, 0).by == 0);
        }
        last = op->name;
        if (!have)
            continue;
        u64 reps = op->count > 200 ? 1 : 200 / op->count + 1;
        for (u64 k = 0; k < reps; k++)
            for (u64 i = 0; i < op->count; i++)
                row_run(op, op->rows + i * columns[op->form], &bad);
    }
}
