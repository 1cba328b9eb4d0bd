/* Which instructions a unit takes in, and what its blocks look like. */
#include "engine/interp/interp.h"
#include "engine/soft/toy_test.h"
#include "lib/err.h"

static const struct region_limits wide = {REGION_MAX_INSNS, REGION_MAX_BLOCKS, .traces = false};

struct page {
    struct soft_scratch s;
};

static struct page *page_new(void)
{
    return calloc(1, sizeof(struct page));
}

static void code(struct page *p, unsigned at, uint8_t op, uint8_t d, uint8_t s, int imm)
{
    uint8_t bytes[4] = {op, d, s, (uint8_t)(int8_t)imm};

    memcpy(p->s.page + at, bytes, 4);
}

static void verified(struct page *p)
{
    char why[160] = "";

    if (ir_verify(&p->s.unit, why, sizeof(why)))
        fail_msg("%s", why);
}

static const struct ir_op *last_of(const struct ir_unit *u, unsigned block)
{
    return &u->ops[u->blocks[block].end - 1];
}

static void straight(void **state)
{
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;

    (void)state;
    code(p, 16, TOY_ADDI, 1, 1, 1);
    code(p, 20, TOY_ADDI, 2, 2, 2);
    code(p, 24, TOY_HALT, 0, 0, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 16, MEM_PAGE_SIZE, &wide), 0);
    verified(p);
    assert_int_equal(u->block_count, 1);
    assert_int_equal(u->blocks[0].offset, 16);
    assert_int_equal(u->blocks[0].insns, 3);
    assert_int_equal(last_of(u, 0)->op, IR_DISPATCH);
    free(p);
}

/* A loop entered in its middle: entry first, then by address; the fall-through is a jump. */
static void loop_from_its_middle(void **state)
{
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;

    (void)state;
    code(p, 0, TOY_ADDI, 1, 1, 1);
    code(p, 4, TOY_ADDI, 2, 2, 2);
    code(p, 8, TOY_BNE, 1, 3, -2);
    code(p, 12, TOY_JR, 0, 5, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 4, MEM_PAGE_SIZE, &wide), 0);
    verified(p);
    assert_int_equal(u->block_count, 3);
    assert_int_equal(u->blocks[0].offset, 4);
    assert_int_equal(u->blocks[1].offset, 0);
    assert_int_equal(u->blocks[2].offset, 12);
    assert_int_equal(last_of(u, 1)->op, IR_JUMP);
    assert_int_equal(last_of(u, 1)->imm, 4);
    free(p);
}

static void limits(void **state)
{
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        code(p, 4 * i, TOY_ADDI, 1, 1, 1);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &(struct region_limits){10, 8}), 0);
    verified(p);
    assert_int_equal(u->block_count, 1);
    assert_int_equal(u->blocks[0].insns, 10);
    assert_int_equal(last_of(u, 0)->imm, 40);
    /* Long blocks are cut, so that a small budget meets a small block. */
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &(struct region_limits){150, 8}), 0);
    verified(p);
    assert_int_equal(u->block_count, 3);
    assert_int_equal(u->blocks[0].insns, REGION_BLOCK_INSNS);
    /* Not in the middle of a loop that a long line leads into. */
    code(p, 4 * 90, TOY_BNE, 1, 2, -40);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &(struct region_limits){100, 8}), 0);
    verified(p);
    assert_int_equal(u->block_count, 3);
    assert_int_equal(u->blocks[0].insns, 50);
    assert_int_equal(u->blocks[1].offset, 4 * 50);
    assert_int_equal(u->blocks[1].insns, 41);
    /* One instruction that branches: no block but its own. */
    code(p, 0, TOY_BNE, 1, 2, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &(struct region_limits){1, 1}), 0);
    verified(p);
    assert_int_equal(u->block_count, 1);
    assert_int_equal(u->blocks[0].insns, 1);
    free(p);
}

static unsigned count_of(const struct ir_unit *u, const struct ir_block *b, unsigned op)
{
    unsigned n = 0;

    for (unsigned i = b->first; i < b->end; i++)
        n += u->ops[i].op == op;
    return n;
}

/* A short loop is repeated in its block; its ways out are exits. */
static void traces(void **state)
{
    const struct region_limits limits = {REGION_MAX_INSNS, REGION_MAX_BLOCKS, .traces = true};
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;

    (void)state;
    code(p, 0, TOY_ADDI, 1, 1, 1);
    code(p, 4, TOY_BNE, 1, 2, 4); /* to 20 */
    code(p, 8, TOY_ADDI, 2, 2, 1);
    code(p, 12, TOY_BNE, 1, 3, -3);
    code(p, 16, TOY_JUMP, 0, 0, 2); /* to 24, which 20 falls into: a block of its own */
    code(p, 20, TOY_ADDI, 1, 1, 1);
    code(p, 24, TOY_HALT, 0, 0, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    assert_int_equal(u->block_count, 4);
    assert_int_equal(u->blocks[0].insns, 16);
    assert_int_equal(count_of(u, &u->blocks[0], IR_EXIT), 7);
    assert_int_equal(last_of(u, 0)->op, IR_BRANCH);
    assert_int_equal(last_of(u, 0)->imm, 16);
    assert_int_equal(u->blocks[1].offset, 16);
    assert_int_equal(u->blocks[1].insns, 1);
    /* One turn only where it is long. */
    for (unsigned i = 0; i < 30; i++)
        code(p, 4 * i, TOY_ADDI, 1, 1, 1);
    code(p, 120, TOY_BNE, 1, 3, -30);
    code(p, 124, TOY_HALT, 0, 0, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    assert_int_equal(u->block_count, 2);
    assert_int_equal(u->blocks[0].insns, 31);
    /* A jump that is the only way there takes its target in; a branch back is mostly taken, and alike. */
    code(p, 0, TOY_JUMP, 0, 0, 4);
    code(p, 16, TOY_BNE, 1, 2, -2); /* back to 8 */
    code(p, 20, TOY_HALT, 0, 0, 0);
    code(p, 8, TOY_HALT, 0, 0, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    assert_int_equal(u->block_count, 2);
    assert_int_equal(u->blocks[0].insns, 3);
    assert_int_equal(count_of(u, &u->blocks[0], IR_EXIT), 1);
    free(p);
}

static int lean_of(const struct vm *vm, gpa_t at)
{
    (void)vm;
    return at == TOY_RAM + 4 ? 1 : at == TOY_RAM + 16 ? -1 : 0;
}

/* A block goes on where running showed that a branch leads, whatever it looks like. */
static void traces_where_branches_lead(void **state)
{
    const struct region_hints hints = {.lean = lean_of, .page = TOY_RAM};
    struct region_limits limits = {REGION_MAX_INSNS, REGION_MAX_BLOCKS, .traces = true};
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;

    (void)state;
    code(p, 0, TOY_ADDI, 1, 1, 1);
    code(p, 4, TOY_BNE, 1, 2, 3);  /* to 16 */
    code(p, 8, TOY_ADDI, 3, 3, 1); /* seldom */
    code(p, 12, TOY_HALT, 0, 0, 0);
    code(p, 16, TOY_BNE, 1, 3, -2); /* seldom back to 8 */
    code(p, 20, TOY_BNE, 1, 4, -5); /* the loop */
    code(p, 24, TOY_HALT, 0, 0, 0);
    limits.hints = &hints;
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    assert_int_equal(u->blocks[0].insns, 16); /* four turns of 0, 4, 16, 20 */
    assert_int_equal(count_of(u, &u->blocks[0], IR_EXIT), 11);
    assert_int_equal(last_of(u, 0)->imm, INT64_C(0) << 32 | 24);
    /* Unasked it goes by 8 and ends there. */
    limits.hints = NULL;
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    assert_int_equal(u->blocks[0].insns, 2);
    free(p);
}

static int never_of(const struct vm *vm, gpa_t at)
{
    (void)vm;
    return at == TOY_RAM + 4 || at == TOY_RAM + 28 ? 2 : at == TOY_RAM + 24 ? -2 : 0;
}

/* What a branch was never seen to lead to is left to a unit of its own; not so the end of a loop. */
static void ways_never_taken(void **state)
{
    const struct region_hints hints = {.lean = never_of, .page = TOY_RAM};
    const struct region_limits limits = {REGION_MAX_INSNS, REGION_MAX_BLOCKS, .hints = &hints};
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;

    (void)state;
    code(p, 0, TOY_ADDI, 1, 1, 1);
    code(p, 4, TOY_BNE, 1, 2, 3); /* always, to 16 */
    code(p, 8, TOY_ADDI, 3, 3, 1);
    code(p, 12, TOY_HALT, 0, 0, 0);
    code(p, 16, TOY_BNE, 1, 4, 2); /* to 24, or not */
    code(p, 20, TOY_ADDI, 3, 3, 1);
    code(p, 24, TOY_BNE, 1, 3, 3);  /* never, to 36 */
    code(p, 28, TOY_BNE, 1, 5, -3); /* always, back to 16 */
    code(p, 32, TOY_HALT, 0, 0, 0);
    code(p, 36, TOY_HALT, 0, 0, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    assert_int_equal(u->block_count, 6);
    assert_int_equal(u->blocks[0].insns, 2);
    assert_int_equal(last_of(u, 0)->imm, INT64_C(16) << 32 | 8);
    assert_int_equal(u->blocks[1].offset, 16);
    assert_int_equal(u->blocks[2].offset, 20);
    assert_int_equal(u->blocks[3].offset, 24);
    assert_int_equal(last_of(u, 3)->imm, INT64_C(36) << 32 | 28);
    assert_int_equal(u->blocks[4].offset, 28);
    assert_int_equal(u->blocks[5].offset, 32);
    free(p);
}

static unsigned fickle_calls;

static int fickle_of(const struct vm *vm, gpa_t at)
{
    (void)vm;
    return at == TOY_RAM + 8 ? 1 : fickle_calls++ < 2 ? -2 : 2;
}

/* Another vCPU's notes change while a loop is repeated: what was not scanned is not lifted. */
static void ways_that_change(void **state)
{
    static uint8_t ram[MEM_PAGE_SIZE];
    const struct region_hints hints = {.lean = fickle_of, .page = TOY_RAM};
    const struct region_limits limits = {REGION_MAX_INSNS, REGION_MAX_BLOCKS, .traces = true,
                                         .hints = &hints};

    (void)state;
    for (int to = 99; to <= 120; to += 21) { /* to a line that is not copied, or out of the page */
        struct page *p = page_new();
        unsigned entry = to == 99 ? 0 : MEM_PAGE_SIZE - 64;

        for (unsigned i = 0; i < MEM_PAGE_SIZE; i += 4)
            code(p, i, TOY_ADDI, 5, 5, 1);
        memcpy(ram + entry, (uint8_t[]){TOY_ADDI, 1, 1, 1}, 4);
        memcpy(ram + entry + 4, (uint8_t[]){TOY_BNE, 1, 2, (uint8_t)(to - 1)}, 4);
        memcpy(ram + entry + 8, (uint8_t[]){TOY_BNE, 1, 3, (uint8_t)-2}, 4);
        p->s.source = ram;
        fickle_calls = 0;
        assert_int_equal(region_form(&p->s, &lift_toy, 0, entry, MEM_PAGE_SIZE, &limits), 0);
        verified(p);
        for (unsigned i = 0; i < p->s.unit.op_count; i++) {
            if (p->s.unit.ops[i].op == IR_INSN)
                assert_true(p->s.unit.ops[i].imm < entry + 16);
        }
        assert_true(fickle_calls > 2);
        free(p);
    }
}

static void fill(struct page *p, uint8_t *ram, unsigned at, uint8_t op)
{
    memcpy(ram + at, (uint8_t[]){op, 1, 1, 1}, 4);
    p->s.source = ram;
}

/* Only what is looked at is read from guest RAM, and once. */
static void source_is_read_once(void **state)
{
    static uint8_t ram[MEM_PAGE_SIZE];
    struct page *p = page_new();

    (void)state;
    fill(p, ram, 60, TOY_ADDI);
    fill(p, ram, 64, TOY_ADDI);
    fill(p, ram, 68, TOY_HALT);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 60, MEM_PAGE_SIZE, &wide), 0);
    assert_int_equal(p->s.unit.blocks[0].insns, 3);
    assert_int_equal(p->s.copied, 3);
    assert_int_equal(p->s.lines, 3);
    fill(p, ram, 62, TOY_HALT); /* in both */
    p->s.copied = 0;
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 62, MEM_PAGE_SIZE, &wide), 0);
    assert_int_equal(p->s.unit.blocks[0].insns, 1);
    assert_int_equal(p->s.copied, 3);
    assert_int_equal(p->s.lines, 3);
    fill(p, ram, 60, TOY_ADDI);
    fill(p, ram, 64, TOY_ADDI);
    p->s.copied = 0;
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 60, MEM_PAGE_SIZE, &wide), 0);
    fill(p, ram, 64, TOY_HALT);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 60, MEM_PAGE_SIZE, &wide), 0);
    assert_int_equal(p->s.unit.blocks[0].insns, 3);
    p->s.copied = 0;
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 60, MEM_PAGE_SIZE, &wide), 0);
    assert_int_equal(p->s.unit.blocks[0].insns, 2);
    free(p);
}

/* A loop whose test others jump to holds the test all the same, and what jumps there has it again. */
static void loops_with_a_joined_test(void **state)
{
    const struct region_limits limits = {REGION_MAX_INSNS, REGION_MAX_BLOCKS, .traces = true};
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;
    const struct ir_block *b = u->blocks;

    (void)state;
    code(p, 0, TOY_JUMP, 0, 0, 3);  /* to 12, the test */
    code(p, 4, TOY_ADDI, 1, 1, 1);  /* the loop */
    code(p, 8, TOY_BNE, 1, 2, 3);   /* out, to 20 */
    code(p, 12, TOY_ADDI, 3, 3, 1); /* the test */
    code(p, 16, TOY_BNE, 1, 3, -3); /* to 4 */
    code(p, 20, TOY_HALT, 0, 0, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    assert_int_equal(u->block_count, 4);
    b = &u->blocks[1];
    assert_int_equal(b->offset, 4);
    assert_int_equal(b->insns, 16); /* four turns */
    assert_int_equal(last_of(u, 1)->op, IR_BRANCH);
    assert_int_equal(last_of(u, 1)->aux, IR_NE);
    assert_int_equal(last_of(u, 1)->imm, INT64_C(4) << 32 | 20);
    assert_int_equal(u->blocks[2].offset, 12);
    assert_int_equal(u->blocks[2].insns, 2); /* on a loop that a block holds: no second one */
    /* Closed by falling into its head: the last branch leads back by being taken. */
    code(p, 0, TOY_JUMP, 0, 0, 1);
    code(p, 4, TOY_ADDI, 1, 1, 1);
    code(p, 8, TOY_BNE, 1, 2, 3); /* out, to 20 */
    code(p, 12, TOY_ADDI, 1, 1, 1);
    code(p, 16, TOY_JUMP, 0, 0, -3);
    code(p, 20, TOY_BNE, 1, 2, -2); /* to 12 */
    code(p, 24, TOY_HALT, 0, 0, 0);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 12, MEM_PAGE_SIZE, &limits), 0);
    verified(p);
    b = &u->blocks[0];
    assert_int_equal(b->offset, 12);
    assert_int_equal(b->insns, 16);
    assert_int_equal(last_of(u, 0)->op, IR_BRANCH);
    assert_int_equal(last_of(u, 0)->aux, IR_EQ);
    assert_int_equal(last_of(u, 0)->imm, INT64_C(12) << 32 | 20);
    free(p);
}

static void ends_of_the_page(void **state)
{
    struct page *p = page_new();
    const struct ir_unit *u = &p->s.unit;

    (void)state;
    /* Up to the end: on to the next page. */
    code(p, 4088, TOY_ADDI, 1, 1, 1);
    code(p, 4092, TOY_ADDI, 1, 1, 1);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 4088, MEM_PAGE_SIZE, &wide), 0);
    verified(p);
    assert_int_equal(last_of(u, 0)->imm, 4096);
    assert_int_equal(p->s.lines, BIT(63));
    assert_int_equal(p->s.beyond, 0);
    /* One that crosses is not taken in, unless it is the entry. */
    code(p, 4090, TOY_ADDI, 1, 1, 1);
    code(p, 4094, TOY_ADDI, 2, 2, 2);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 4090, MEM_PAGE_SIZE, &wide), 0);
    verified(p);
    assert_int_equal(u->blocks[0].insns, 1);
    assert_int_equal(last_of(u, 0)->imm, 4094);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 4094, MEM_PAGE_SIZE, &wide), -E2BIG);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 4094, MEM_PAGE_SIZE + 16, &wide), 0);
    verified(p);
    assert_int_equal(u->blocks[0].insns, 1);
    assert_int_equal(last_of(u, 0)->imm, 4098);
    assert_int_equal(p->s.lines, BIT(63));
    assert_int_equal(p->s.beyond, 2);
    /* Jumps to other pages lead nowhere inside. */
    code(p, 0, TOY_JUMP, 0, 0, -1);
    assert_int_equal(region_form(&p->s, &lift_toy, 0, 0, MEM_PAGE_SIZE, &wide), 0);
    verified(p);
    assert_int_equal(last_of(u, 0)->imm, -4);
    assert_int_equal(p->s.lines, 1);
    assert_int_equal(p->s.beyond, 0);
    free(p);
}

/* Any bytes from any entry give a unit that verifies. */
static void random_bytes(void **state)
{
    struct page *p = page_new();

    (void)state;
    srandom(3);
    for (unsigned n = 0; n < 3000; n++) {
        unsigned entry = (unsigned)random() % 2047 * 2;
        int err;

        for (unsigned i = 0; i < sizeof(p->s.page); i++)
            p->s.page[i] = i % 2 ? (uint8_t)random() : (uint8_t)(random() % 14);
        err = region_form(&p->s, &lift_toy, 0, entry, MEM_PAGE_SIZE,
                          &(struct region_limits){REGION_MAX_INSNS, REGION_MAX_BLOCKS, .traces = n % 2});
        if (err == -E2BIG) {
            assert_true(entry > 4092);
            continue;
        }
        assert_int_equal(err, 0);
        verified(p);
        assert_int_equal(p->s.unit.blocks[0].offset, entry);
    }
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(straight),
        cmocka_unit_test(loop_from_its_middle),
        cmocka_unit_test(limits),
        cmocka_unit_test(ends_of_the_page),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(traces),
        cmocka_unit_test(traces_where_branches_lead),
        cmocka_unit_test(ways_never_taken),
        cmocka_unit_test(ways_that_change),
        cmocka_unit_test(source_is_read_once),
        cmocka_unit_test(loops_with_a_joined_test),
    };

    return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
