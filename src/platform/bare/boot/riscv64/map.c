/* The hypervisor's own page tables: Sv39, or wider where the board's addresses need it. */
#include "isa/riscv64/pte.h"
#include "lib/err.h"
#include "lib/str.h"
#include "platform/bare/board.h"
#include "platform/bare/boot/riscv64/private.h"

/* A and D are set from the start: a hart may fault instead of setting them (Priv. 12.3.1). */
#define RIGHTS_R  (RV_PTE_V | RV_PTE_R | RV_PTE_A)
#define RIGHTS_RW (RIGHTS_R | RV_PTE_W | RV_PTE_D)
#define RIGHTS_RX (RIGHTS_R | RV_PTE_X)

#define WINDOW_BASE (IMAGE_VA + (UINT64_C(1) << 30))
#define WINDOW_SIZE UINT64_C(0x3fe00000)

/* image.ld */
extern const char image_start[], image_rodata[], image_data[], image_end[];

static struct {
    uint64_t *root;
    unsigned levels;
} map;

static unsigned level_shift(unsigned level)
{
    return RV_PAGE_SHIFT + RV_LEVEL_BITS * level;
}

static uint64_t *slot(uint64_t *table, uint64_t va, unsigned level)
{
    return &table[va >> level_shift(level) & 511];
}

/* The table below this entry, made when it is missing; NULL: no page left, or a leaf stands there. */
static uint64_t *table_below(uint64_t *pte)
{
    if (!(*pte & RV_PTE_V)) {
        void *page = boot_page();

        if (!page)
            return NULL;
        *pte = arch_pa(page) >> RV_PAGE_SHIFT << 10 | RV_PTE_V;
    }
    return rv_pte_is_table(*pte) ? arch_ptr(rv_pte_ppn(*pte) << RV_PAGE_SHIFT) : NULL;
}

static int map_leaf(uint64_t va, uint64_t pa, unsigned level, uint64_t rights)
{
    uint64_t *table = map.root;

    for (unsigned l = map.levels - 1; l > level; l--) {
        uint64_t *pte = slot(table, va, l);

        table = table_below(pte);
        if (!table) /* a larger leaf that maps it already is as good */
            return *pte & RV_PTE_V ? 0 : -ENOMEM;
    }
    *slot(table, va, level) = pa >> RV_PAGE_SHIFT << 10 | rights;
    return 0;
}

/* By the largest pages that fit. All page aligned. */
static int map_range(uint64_t va, uint64_t pa, uint64_t size, uint64_t rights)
{
    while (size) {
        unsigned level = 2;
        uint64_t span;
        int err;

        while (level && ((va | pa) & ((UINT64_C(1) << level_shift(level)) - 1) ||
                         size < UINT64_C(1) << level_shift(level)))
            level--;
        err = map_leaf(va, pa, level, rights);
        if (err)
            return err;
        span = UINT64_C(1) << level_shift(level);
        va += span;
        pa += span;
        size -= span;
    }
    return 0;
}

static uint64_t raw_base(void);

static int map_raw(uint64_t pa, uint64_t size, uint64_t rights)
{
    int err = map_range(pa, pa, size, rights);

    return err ? err : map_range(raw_base() + pa, pa, size, rights);
}

/* RAM one to one, and again from raw_base() on: without what must not be mapped, and read-only where the
 * image's text and constants are. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are reservations
static int map_ram(const struct board *b, uint64_t from, uint64_t to, unsigned first)
{
    uint64_t text = riscv_image_pa, data = arch_pa(image_data);

    for (unsigned i = first; i < b->no_map_count; i++) {
        uint64_t lo = b->no_map[i].base, hi = lo + b->no_map[i].size;
        int err;

        if (lo >= to || hi <= from)
            continue;
        err = lo > from ? map_ram(b, from, lo, i + 1) : 0;
        return err || hi >= to ? err : map_ram(b, hi, to, i + 1);
    }
    if (from < data && to > text) {
        uint64_t lo = MAX(from, text), hi = MIN(to, data);
        int err = from < lo ? map_raw(from, lo - from, RIGHTS_RW) : 0;

        if (!err)
            err = map_raw(lo, hi - lo, RIGHTS_R);
        return err || hi == to ? err : map_raw(hi, to - hi, RIGHTS_RW);
    }
    return map_raw(from, to - from, RIGHTS_RW);
}

static int map_image(void)
{
    const struct {
        const char *from, *to;
        uint64_t rights;
    } part[] = {
        {image_start, image_rodata, RIGHTS_RX},
        {image_rodata, image_data, RIGHTS_R},
        {image_data, image_end, RIGHTS_RW},
    };
    int err = 0;

    for (unsigned i = 0; !err && i < ARRAY_SIZE(part); i++)
        err = map_range((uint64_t)part[i].from, arch_pa(part[i].from), (uint64_t)(part[i].to - part[i].from),
                        part[i].rights);
    return err;
}

/* The fewest levels whose lower half has all of RAM and, as far as one can know, the devices below it. */
static unsigned levels_for(const struct board *b)
{
    uint64_t top = 0;

    for (unsigned i = 0; i < b->ram_count; i++)
        top = MAX(top, b->ram[i].base + b->ram[i].size);
    top += UINT64_C(1) << 31; /* the upper half's last 2 GiB are the image's and the stacks' */
    return top <= UINT64_C(1) << 38 ? 3 : top <= UINT64_C(1) << 47 ? 4 : 5;
}

uint64_t riscv_satp(void)
{
    return (uint64_t)(RV_SATP_SV39 + map.levels - 3) << 60 | arch_pa(map.root) >> RV_PAGE_SHIFT;
}

int arch_map_init(const struct board *b)
{
    int err = 0;

    map.levels = levels_for(b);
    map.root = boot_page();
    if (!map.root)
        return -ENOMEM;
    for (unsigned i = 0; !err && i < b->ram_count; i++) {
        uint64_t from = ALIGN_UP(b->ram[i].base, 4096);
        uint64_t to = ALIGN_DOWN(b->ram[i].base + b->ram[i].size, 4096);

        err = from < to ? map_ram(b, from, to, 0) : 0;
    }
    if (!err)
        err = map_image();
    if (err)
        return err;
    csr_write(RV_CSR_satp, riscv_satp());
    __asm__ volatile("sfence.vma" ::: "memory");
    /* WARL: a mode that is not there leaves satp alone (Priv. 12.1.11). */
    return csr_read(RV_CSR_satp) == riscv_satp() ? 0 : -ENOTSUP;
}

void *arch_map_device(uint64_t pa, uint64_t size)
{
    uint64_t from = ALIGN_DOWN(pa, 4096), to = ALIGN_UP(pa + size, 4096);

    if (to > UINT64_C(1) << (level_shift(map.levels) - 1) || to < from ||
        map_range(from, from, to - from, RIGHTS_RW))
        return NULL;
    __asm__ volatile("sfence.vma" ::: "memory");
    return (void *)pa;
}

uint64_t arch_window_base(void)
{
    return WINDOW_BASE;
}

uint64_t arch_window_size(void)
{
    return WINDOW_SIZE;
}

int arch_map_page(uint64_t va, uint64_t pa)
{
    int err = map_range(va, pa, 4096, RIGHTS_RW);

    __asm__ volatile("sfence.vma %0" ::"r"(va) : "memory");
    return err;
}

bool riscv_mapped(uint64_t va, bool write)
{
    uint64_t *table = map.root;

    for (unsigned l = map.levels; l-- > 0 && table;) {
        uint64_t pte = *slot(table, va, l);

        if (!(pte & RV_PTE_V))
            return false;
        if (!rv_pte_is_table(pte))
            return !write || pte & RV_PTE_W;
        table = arch_ptr(rv_pte_ppn(pte) << RV_PAGE_SHIFT);
    }
    return false;
}

/* ---- guest RAM that nobody touched yet ---- */

/* The second mapping of all RAM: the lowest of the upper half, as far as the image. */
static uint64_t raw_base(void)
{
    return -(UINT64_C(1) << (level_shift(map.levels) - 1));
}

void *arch_ram_raw(void *p)
{
    return (void *)(raw_base() + arch_pa(p));
}

/* A gigapage becomes a table of 2 MiB pages that say the same. */
static bool split(uint64_t *pte)
{
    uint64_t *table = boot_page();

    if (!table)
        return false;
    for (uint64_t i = 0; i < 512; i++)
        table[i] = *pte + (i << (level_shift(1) - 2));
    *pte = arch_pa(table) >> RV_PAGE_SHIFT << 10 | RV_PTE_V;
    return true;
}

/* Its 2 MiB entry, leaf or table; NULL: not mapped, or no page to split one. */
static uint64_t *entry_2m(uint64_t va)
{
    uint64_t *table = map.root;

    for (unsigned l = map.levels - 1; l > 1; l--) {
        uint64_t *pte = slot(table, va, l);

        if (!(*pte & RV_PTE_V) || (!rv_pte_is_table(*pte) && !split(pte)))
            return NULL;
        table = arch_ptr(rv_pte_ppn(*pte) << RV_PAGE_SHIFT);
    }
    return slot(table, va, 1);
}

/* An entry that is not valid keeps the rest (Priv. 20240411, 12.3.1: its bits are software's). */
void arch_ram_hide(void *p, uint64_t size)
{
    for (uint64_t va = (uint64_t)p; va < (uint64_t)p + size; va += UINT64_C(1) << level_shift(1)) {
        uint64_t *pte = entry_2m(va);

        BUG_ON(!pte);
        *pte &= ~RV_PTE_V;
    }
    __asm__ volatile("sfence.vma" ::: "memory");
    riscv_remote_sfence();
}

/* Another CPU may fault once more: that is looked at in riscv_exception(). */
void arch_ram_show(void *p, uint64_t size)
{
    for (uint64_t va = (uint64_t)p; va < (uint64_t)p + size; va += UINT64_C(1) << level_shift(1))
        *entry_2m(va) |= RV_PTE_V;
    __asm__ volatile("sfence.vma" ::: "memory");
}
