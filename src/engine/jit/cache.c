/* Code memory: granules by next fit, so that room just given back is used last; and what running showed. */
#include "engine/jit/jit.h"

static bool taken(const struct jit_vm *jv, uint32_t g)
{
    return jv->used[g / 64] >> (g % 64) & 1;
}

static void mark(struct jit_vm *jv, uint32_t first, uint32_t n, bool used)
{
    for (uint32_t g = first; g < first + n; g++) {
        if (used)
            jv->used[g / 64] |= BIT(g % 64);
        else
            jv->used[g / 64] &= ~BIT(g % 64);
    }
    jv->free += used ? -n : n;
}

/* A run of n free granules in [from, to); `to` when there is none. */
static uint32_t find_run(const struct jit_vm *jv, uint32_t from, uint32_t to, uint32_t n)
{
    uint32_t run = 0;

    for (uint32_t g = from; g < to; g++) {
        if (!(g % 64) && jv->used[g / 64] == UINT64_MAX) {
            g += 63;
            run = 0;
            continue;
        }
        run = taken(jv, g) ? 0 : run + 1;
        if (run == n)
            return g + 1 - n;
    }
    return to;
}

uint32_t jit_code_alloc(struct jit_vm *jv, uint32_t bytes)
{
    uint32_t n = (bytes + JIT_GRANULE - 1) / JIT_GRANULE, g;

    if (n > jv->free)
        return UINT32_MAX;
    g = find_run(jv, jv->next, JIT_GRANULES, n);
    if (g == JIT_GRANULES) {
        g = find_run(jv, 0, JIT_GRANULES, n);
        if (g == JIT_GRANULES)
            return UINT32_MAX;
    }
    mark(jv, g, n, true);
    jv->next = g + n;
    plat_code_use(&jv->code, (size_t)g * JIT_GRANULE, (size_t)n * JIT_GRANULE);
    return g * JIT_GRANULE;
}

void jit_code_free(struct jit_vm *jv, uint32_t offset, uint32_t bytes)
{
    mark(jv, offset / JIT_GRANULE, (bytes + JIT_GRANULE - 1) / JIT_GRANULE, false);
}

/* ---- what running showed: bits by a hash, atomic and relaxed ---- */

static unsigned bit_of(uint64_t key, unsigned bits)
{
    return (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % bits;
}

static bool is_set(const uint64_t *map, unsigned bit)
{
    return __atomic_load_n(&map[bit / 64], __ATOMIC_RELAXED) >> (bit % 64) & 1;
}

static void set(uint64_t *map, unsigned bit)
{
    __atomic_fetch_or(&map[bit / 64], BIT(bit % 64), __ATOMIC_RELAXED);
}

void jit_mark(struct jit_vm *jv, uint64_t key)
{
    unsigned bit = bit_of(key, JIT_MARKS);

    if (__atomic_fetch_add(&jv->marked, 1, __ATOMIC_RELAXED) > JIT_MARKS / JIT_MARKS_ROOM) {
        for (unsigned i = 0; i < ARRAY_SIZE(jv->marks); i++)
            __atomic_store_n(&jv->marks[i], 0, __ATOMIC_RELAXED);
        __atomic_store_n(&jv->marked, 0, __ATOMIC_RELAXED);
    }
    set(jv->marks, bit);
}

bool jit_marked(const struct jit_vm *jv, uint64_t key)
{
    return is_set(jv->marks, bit_of(key, JIT_MARKS));
}

static void put(uint64_t *map, unsigned bit, bool on)
{
    if (on)
        set(map, bit);
    else
        __atomic_fetch_and(&map[bit / 64], ~BIT(bit % 64), __ATOMIC_RELAXED);
}

void jit_lean_set(struct jit_vm *jv, gpa_t at, bool taken, bool both)
{
    unsigned bit = bit_of(at, JIT_LEANS);

    put(jv->both, bit, both || is_set(jv->leans[!taken], bit));
    put(jv->leans[!taken], bit, false);
    put(jv->leans[taken], bit, true);
}

int jit_lean(const struct vm *vm, gpa_t at)
{
    const struct jit_vm *jv = jit_of(vm);
    unsigned bit = bit_of(at, JIT_LEANS);
    int lean = is_set(jv->leans[true], bit) - is_set(jv->leans[false], bit);

    return is_set(jv->both, bit) ? lean : 2 * lean;
}
