/* Stage-2 tables: made from core/mem's map as guests touch it, by the largest pages that both sides allow. */
#include "engine/bare/riscv64/bare.h"
#include "isa/riscv64/pte.h"
#include "lib/err.h"
#include "lib/str.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/mm/frame.h"

/* G-stage translations check as if by U-mode (Priv. 20240411, 18.5.1). */
#define LEAF       (RV_PTE_V | RV_PTE_R | RV_PTE_X | RV_PTE_U | RV_PTE_A)
#define LEAF_WRITE (RV_PTE_W | RV_PTE_D)
#define ROOT_ORDER 2 /* 16 KiB: the root has 2 bits more (18.5.1) */
#define ROOT_SLOTS 2048
/* Guest RAM that is zeroed when it is touched comes in pieces of 2 MiB. */
#ifdef ARCH_RAM_LAZY
#define LEVEL_MAX 1
#else
#define LEVEL_MAX 2
#endif

static unsigned level_shift(unsigned level)
{
    return RV_PAGE_SHIFT + RV_LEVEL_BITS * level;
}

static uint64_t *table_new(unsigned order)
{
    void *t = frame_alloc(order, FRAME_PLAIN);

    if (t)
        memset(t, 0, (size_t)FRAME_BYTES << order);
    return t;
}

int stage2_init(struct bare_vm *s)
{
    s->lock = SPIN_INIT(RANK_USER);
    /* The narrowest that the host has: fewer levels, shorter walks; 41 bits are enough for every machine. */
    s->mode = riscv_host.stage2_narrow;
    s->levels = (uint8_t)(s->mode - RV_SATP_SV39 + 3);
    s->root = table_new(ROOT_ORDER);
    return s->root ? 0 : -ENOMEM;
}

static uint64_t *next_table(uint64_t pte)
{
    return arch_ptr(rv_pte_ppn(pte) << RV_PAGE_SHIFT);
}

/* The tables below one; leaves are the guest's memory, which is core/mem's. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are levels
static void table_free_below(uint64_t *table, unsigned slots, unsigned level)
{
    for (unsigned i = 0; i < slots && level; i++) {
        if (rv_pte_is_table(table[i])) {
            uint64_t *below = next_table(table[i]);

            table_free_below(below, 512, level - 1);
            frame_free(below);
        }
    }
}

void stage2_fini(struct bare_vm *s)
{
    if (!s->root)
        return;
    table_free_below(s->root, ROOT_SLOTS, s->levels - 1u);
    frame_free(s->root);
    s->root = NULL;
}

/* No page of [from, from + size) of the region is one whose stores core wants to see. */
static bool unwatched(const struct mem_region *r, uint64_t from, uint64_t size)
{
    for (uint64_t p = from / MEM_PAGE_SIZE; p < (from + size) / MEM_PAGE_SIZE; p++) {
        if (atomic_load_explicit(&r->flags[p], memory_order_relaxed) & MEM_PAGE_WATCH)
            return false;
    }
    return true;
}

/* The largest page around gpa that lies in the region, alike aligned in both spaces. */
static unsigned fitting_level(const struct mem_region *r, gpa_t gpa, bool watched_apart)
{
    for (unsigned level = LEVEL_MAX; level; level--) {
        uint64_t span = UINT64_C(1) << level_shift(level);
        gpa_t base = ALIGN_DOWN(gpa, span);

        if (base < r->base || base - r->base + span > r->size)
            continue;
        if ((arch_pa(r->host) + (base - r->base)) & (span - 1))
            continue;
        if (!watched_apart || unwatched(r, base - r->base, span))
            return level;
    }
    return 0;
}

static int leaf_put(struct bare_vm *s, gpa_t gpa, unsigned level, uint64_t leaf)
{
    uint64_t *table = s->root;

    for (unsigned l = s->levels - 1u; l > level; l--) {
        uint64_t index = gpa >> level_shift(l) & (l == s->levels - 1u ? ROOT_SLOTS - 1 : 511);

        if (!(table[index] & RV_PTE_V)) {
            uint64_t *below = table_new(0);

            if (!below)
                return -ENOMEM;
            s->tables++;
            atomic_thread_fence(memory_order_release); /* walkers see zeros before they see the table */
            table[index] = arch_pa(below) >> RV_PAGE_SHIFT << 10 | RV_PTE_V;
        } else if (!rv_pte_is_table(table[index])) {
            return 1; /* another vCPU was first */
        }
        table = next_table(table[index]);
    }
    table[gpa >> level_shift(level) & (level == s->levels - 1u ? ROOT_SLOTS - 1 : 511)] = leaf;
    return 1;
}

/* The entry for gpa in the tables of that level; NULL: it has none. */
static uint64_t *entry_at(struct bare_vm *s, gpa_t gpa, unsigned level)
{
    uint64_t *table = s->root;

    for (unsigned l = s->levels - 1u; l > level; l--) {
        uint64_t pte = table[gpa >> level_shift(l) & (l == s->levels - 1u ? ROOT_SLOTS - 1 : 511)];

        if (!(pte & RV_PTE_V) || !rv_pte_is_table(pte))
            return NULL;
        table = next_table(pte);
    }
    return &table[gpa >> level_shift(level) & (level == s->levels - 1u ? ROOT_SLOTS - 1 : 511)];
}

/*
 * A table whose 2 MiB pages are all there, one behind the other and alike, becomes a page of 1 GiB; the
 * table, which nobody uses once TLBs forgot it, or NULL. The search begins behind the page that came last:
 * who touches memory in order ends it at once.
 */
static uint64_t *widen(struct bare_vm *s, gpa_t gpa)
{
    uint64_t *giant = entry_at(s, gpa, 2), step = UINT64_C(1) << level_shift(1) >> RV_PAGE_SHIFT << 10;
    unsigned first = gpa >> level_shift(1) & 511, n = 1;
    uint64_t *table, leaf;

    if (!giant || !(*giant & RV_PTE_V) || !rv_pte_is_table(*giant))
        return NULL;
    table = next_table(*giant);
    leaf = table[first] - first * step;
    while (n < 512 && table[(first + n) % 512] == leaf + (first + n) % 512 * step)
        n++;
    if (n < 512 || rv_pte_ppn(leaf) & ((1u << (level_shift(2) - RV_PAGE_SHIFT)) - 1))
        return NULL;
    *giant = leaf;
    s->tables--;
    s->gib++;
    return table;
}

static void flush_tlbs(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        const struct bare_vcpu *b = vm->vcpu[i] ? bare_of(vm->vcpu[i]) : NULL;

        if (b && b->vmid.generation)
            ipi_guest_flush(cpu_online_mask(), (unsigned)b->vmid.number, 0, UINT64_MAX);
    }
}

int stage2_map(struct vm *vm, gpa_t gpa, bool write)
{
    uint64_t *unused = NULL;
    struct bare_vm *s = vm->engine_vm;
    const struct mem_region *r = mem_find(&vm->mem, gpa);
    bool writable;
    unsigned level;
    uint64_t pa;
    bool on;
    int done;

    if (!r || atomic_load(&r->kind) == MEM_MMIO || !r->host)
        return 0;
    writable = atomic_load(&r->kind) == MEM_RAM &&
               unwatched(r, ALIGN_DOWN(gpa - r->base, MEM_PAGE_SIZE), MEM_PAGE_SIZE);
    if (write && !writable)
        return 0;
    level = fitting_level(r, gpa, true);
    pa = ALIGN_DOWN(arch_pa(r->host) + (gpa - r->base), UINT64_C(1) << level_shift(level));
    (void)*(volatile uint8_t *)(r->host + (gpa - r->base)); /* the guest's walk does not fault it in */
    on = spin_lock_irq(&s->lock);
    s->used = true;
    done = leaf_put(s, gpa, level, pa >> RV_PAGE_SHIFT << 10 | LEAF | (writable ? LEAF_WRITE : 0));
    if (done > 0 && level == 1)
        unused = widen(s, gpa);
    spin_unlock_irq(&s->lock, on);
    if (unused) {
        flush_tlbs(vm);
        frame_free(unused);
    }
    return done;
}

void stage2_clear(struct vm *vm)
{
    struct bare_vm *s = vm->engine_vm;
    uint64_t *old;
    bool on;

    if (!s || !s->root || !s->used) /* regions of a VM that did not run yet */
        return;
    old = table_new(ROOT_ORDER);
    BUG_ON(!old);
    on = spin_lock_irq(&s->lock);
    memcpy(old, s->root, ROOT_SLOTS * sizeof(*old));
    memset(s->root, 0, ROOT_SLOTS * sizeof(*old));
    s->tables = 0;
    s->gib = 0;
    s->used = false;
    spin_unlock_irq(&s->lock, on);
    flush_tlbs(vm);
    table_free_below(old, ROOT_SLOTS, s->levels - 1u);
    frame_free(old);
}
