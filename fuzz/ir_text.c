/* Any text parses or is refused with a reason; what parses prints to text that parses to the same. */
#include "fuzz.h"
#include "ir/ir.h"

#define OPS    512
#define BLOCKS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ir_op ops[2][OPS];
    static struct ir_block blocks[2][BLOCKS];
    static char text[2][65536];
    struct ir_unit u[2];
    char why[200] = "", *input = malloc(size + 1);

    memcpy(input, data, size);
    input[size] = 0;
    for (unsigned i = 0; i < 2; i++)
        u[i] = (struct ir_unit){.ops = ops[i], .op_max = OPS, .blocks = blocks[i], .block_max = BLOCKS};
    if (ir_parse(&u[0], input, why, sizeof(why))) {
        FUZZ_CHECK(why[0]);
    } else if (!ir_verify(&u[0], why, sizeof(why))) {
        int n = ir_print(&u[0], text[0], sizeof(text[0]));

        if (n < (int)sizeof(text[0])) {
            FUZZ_CHECK(!ir_parse(&u[1], text[0], why, sizeof(why)));
            ir_print(&u[1], text[1], sizeof(text[1]));
            FUZZ_CHECK(!strcmp(text[0], text[1]));
        }
        ir_optimise(&u[0], IR_PASS_ALL, NULL);
        FUZZ_CHECK(!ir_verify(&u[0], why, sizeof(why)));
    }
    free(input);
    return 0;
}
