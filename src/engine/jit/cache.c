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

static unsigned mark_bit(uint64_t key)
{
    return (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % JIT_MARKS;
}

void jit_mark(struct jit_vm *jv, uint64_t key)
{
    unsigned bit = mark_bit(key);

    if (__atomic_fetch_add(&jv->marked, 1, __ATOMIC_RELAXED) > JIT_MARKS / JIT_MARKS_ROOM) {
        for (unsigned i = 0; i < ARRAY_SIZE(jv->marks); i++)
            __atomic_store_n(&jv->marks[i], 0, __ATOMIC_RELAXED);
        __atomic_store_n(&jv->marked, 0, __ATOMIC_RELAXED);
    }
    __atomic_fetch_or(&jv->marks[bit / 64], BIT(bit % 64), __ATOMIC_RELAXED);
}

bool jit_marked(const struct jit_vm *jv, uint64_t key)
{
    unsigned bit = mark_bit(key);

    return __atomic_load_n(&jv->marks[bit / 64], __ATOMIC_RELAXED) >> (bit % 64) & 1;
}

static unsigned lean_bit(gpa_t at)
{
    return (unsigned)((at * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % JIT_LEANS;
}

void jit_lean_set(struct jit_vm *jv, gpa_t at, bool taken)
{
    unsigned bit = lean_bit(at);

    __atomic_fetch_and(&jv->leans[!taken][bit / 64], ~BIT(bit % 64), __ATOMIC_RELAXED);
    __atomic_fetch_or(&jv->leans[taken][bit / 64], BIT(bit % 64), __ATOMIC_RELAXED);
}

static int lean_known(const struct jit_vm *jv, unsigned bit, bool taken)
{
    return (__atomic_load_n(&jv->leans[taken][bit / 64], __ATOMIC_RELAXED) & BIT(bit % 64)) != 0;
}

int jit_lean(const struct vm *vm, gpa_t at)
{
    unsigned bit = lean_bit(at);

    return lean_known(jit_of(vm), bit, true) - lean_known(jit_of(vm), bit, false);
}
