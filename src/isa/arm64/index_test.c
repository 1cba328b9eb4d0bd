/*
 * The decoder's index against the instruction table. `index_test --print` writes what index.def has to say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "isa/arm64/decode.h"

static const struct {
    uint8_t class, shift0, bits0, shift1, bits1;
} classes[] = {
#define A64_CLASS(class, shift0, bits0, shift1, bits1) {class, shift0, bits0, shift1, bits1},
#include "isa/arm64/index.def"
};

static uint32_t field_mask(unsigned shift, unsigned bits)
{
    return (uint32_t)((BIT(bits) - 1) << shift);
}

static const struct bucket {
    uint8_t class;
    uint16_t key;
    const uint16_t *ids;
} buckets[] = {
#define A64_BUCKET(class, key, ...) {class, key, (const uint16_t[]){__VA_ARGS__, A64_UNDEFINED}},
#include "isa/arm64/index.def"
    {0xff, 0, NULL},
};

/* The rows that can match a word of these fixed bits, in their order; how many. */
static unsigned rows_possible(uint32_t mask, uint32_t match, uint16_t *ids)
{
    unsigned n = 0;

    for (unsigned id = 1; id < A64_ID_COUNT; id++)
        if (!((a64_insn_descs[id].match ^ match) & a64_insn_descs[id].mask & mask))
            ids[n++] = (uint16_t)id;
    ids[n] = A64_UNDEFINED;
    return n;
}

/* Calls back with each bucket that is not empty. */
static void buckets_visit(void (*visit)(unsigned class, unsigned key, const uint16_t *ids, void *context),
                          void *context)
{
    for (size_t c = 0; c < ARRAY_SIZE(classes); c++) {
        uint32_t mask = 0x1f000000 | field_mask(classes[c].shift0, classes[c].bits0) |
                        field_mask(classes[c].shift1, classes[c].bits1);
        for (uint32_t key = 0; key < 1u << (classes[c].bits0 + classes[c].bits1); key++) {
            uint16_t ids[A64_ID_COUNT];
            uint32_t low = key & ((1u << classes[c].bits0) - 1), high = key >> classes[c].bits0;
            uint32_t match =
                (uint32_t)classes[c].class << 24 | low << classes[c].shift0 | high << classes[c].shift1;
            if (rows_possible(mask, match, ids))
                visit(classes[c].class, key, ids, context);
        }
    }
}

static const char *const id_names[] = {
    "",
#define A64_INSN(id, name, mask, match, format, ext) "A64_" #id,
#include "isa/arm64/insn.def"
};

static void bucket_print(unsigned class, unsigned key, const uint16_t *ids, void *context)
{
    (void)context;
    unsigned column = (unsigned)printf("A64_BUCKET(0x%02x, %u", class, key);

    for (; *ids; ids++) {
        bool wrap = column + strlen(id_names[*ids]) > 104;
        column = (unsigned)printf(wrap ? ",\n    %s" : ", %s", id_names[*ids]) + (wrap ? 0 : column);
    }
    printf(")\n");
}

static void bucket_check(unsigned class, unsigned key, const uint16_t *ids, void *context)
{
    const struct bucket **next = context;
    const uint16_t *have = (*next)->ids;

    if ((*next)->class != class || (*next)->key != key)
        fail_msg("index.def lacks bucket 0x%02x, %u", class, key);
    while (*ids && *have == *ids)
        have++, ids++;
    if (*have != *ids)
        fail_msg("index.def, bucket 0x%02x, %u: %s for %s", class, key, id_names[*have], id_names[*ids]);
    ++*next;
}

static void index_is_current(void **state)
{
    (void)state;
    const struct bucket *next = buckets;
    uint16_t ids[A64_ID_COUNT];

    buckets_visit(bucket_check, &next);
    assert_int_equal(next->class, 0xff);
    for (unsigned class = 0; class < 32; class ++) {
        size_t c = 0;
        while (c < ARRAY_SIZE(classes) && classes[c].class != class)
            c++;
        if (c == ARRAY_SIZE(classes))
            assert_int_equal(rows_possible(0x1f000000, class << 24, ids), 0);
    }
}

/* `index_test --print`: what belongs after the A64_CLASS lines of index.def. */
static int index_print(void)
{
    buckets_visit(bucket_print, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_is_current),
    };

    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return index_print();
    return cmocka_run_group_tests_name("isa arm64 index", tests, NULL, NULL);
}
