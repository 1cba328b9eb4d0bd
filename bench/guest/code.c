/* Code rows: functions written, rewritten and patched at run time, as JIT compilers and loaders inside a
 * guest do. */
#include "row.h"
#include "code.h"
#include <sys/mman.h>

typedef uint64_t (*fn_t)(uint64_t);

enum { REGION = 1 << 20 };

static char *region;

static void setup_region(void)
{
    region = mmap(NULL, REGION, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        die("mmap");
    for (size_t i = 0; i < REGION; i += 4096)
        region[i] = 0;
}

static uint64_t call(void *p, uint64_t x)
{
    return ((fn_t)p)(x);
}

/* A new function each time, side by side in the region, called a few times. */
static uint64_t generate(unsigned long n)
{
    uint64_t sum = 0;
    size_t at = 0;

    while (n--) {
        char *p = region + at;
        size_t len = code_emit_add(p, n & 1023, 8 + (n & 31));

        __builtin___clear_cache(p, p + len);
        for (int i = 0; i < 4; i++)
            sum += call(p, sum);
        at = (at + CODE_BODY_MAX) % REGION;
    }
    return sum;
}

/* One function rewritten in place and called once. */
static uint64_t rewrite(unsigned long n)
{
    uint64_t sum = 0;

    while (n--) {
        size_t len = code_emit_add(region, n & 1023, 4 + (n & 7));

        __builtin___clear_cache(region, region + len);
        sum += call(region, sum);
    }
    return sum;
}

/* One instruction patched, the function called ten times. */
static uint64_t patch(unsigned long n)
{
    size_t len = code_emit_add(region, 1, 40);
    uint64_t sum = 0;

    __builtin___clear_cache(region, region + len);
    while (n--) {
        code_patch_add(region, n & 1023, n % 40);
        code_sync_local(region, len);
        for (int i = 0; i < 10; i++)
            sum += call(region, sum);
    }
    return sum;
}

/* Data written beside code on the same page, the code unchanged: what a page-wise invalidation pays for. */
static uint64_t mixed(unsigned long n)
{
    volatile uint64_t *data = (uint64_t *)(region + 2048);
    size_t len = code_emit_add(region, 5, 20);
    uint64_t sum = 0;

    __builtin___clear_cache(region, region + len);
    while (n--) {
        data[n & 127] = n;
        sum += call(region, data[n * 7 & 127]);
    }
    return sum;
}

/* 256 functions, each run but once before the next set: the price of translating. */
static uint64_t cold(unsigned long n)
{
    uint64_t sum = 0;

    while (n--) {
        for (size_t at = 0; at < REGION / 8; at += CODE_BODY_MAX)
            code_emit_add(region + at, (at / 512 + n) & 1023, 80);
        __builtin___clear_cache(region, region + REGION / 8);
        for (size_t at = 0; at < REGION / 8; at += CODE_BODY_MAX)
            sum += call(region + at, sum);
    }
    return sum;
}

const struct row rows_code[] = {
    {"code", "generate", generate, 46000, setup_region, 1},
    {"code", "rewrite", rewrite, 70000, setup_region, 1},
    {"code", "patch", patch, 46000, setup_region, 1},
    {"code", "code-and-data", mixed, 3000000, setup_region, 1},
    {"code", "cold", cold, 94, setup_region, 1},
    {NULL, NULL, NULL, 0, NULL, 0},
};
