/*
 * EL2's stage 1: 4 KiB granule, 48 bits. Blocks as large as alignment allows; text RX, rodata R, data RW,
 * devices nGnRE.
 */
#include "lib/err.h"
#include "lib/str.h"
#include "platform/bare/board.h"
#include "platform/bare/boot/arm64/sysreg.h"
#include "platform/bare/sync/spin.h"

/* Descriptors (D8.3). */
#define PTE_VALID    BIT(0)
#define PTE_TABLE    BIT(1) /* levels 0..2: a table; level 3: a page */
#define PTE_ATTR(i)  ((uint64_t)(i) << 2)
#define PTE_AP_EL0   BIT(6) /* one regime with one level: RES1 */
#define PTE_AP_RO    BIT(7)
#define PTE_SH_INNER (UINT64_C(3) << 8)
#define PTE_AF       BIT(10)
#define PTE_PXN      BIT(53)
#define PTE_XN       BIT(54)
#define PTE_ADDRESS  UINT64_C(0x0000fffffffff000)

/* MAIR: 0 normal write-back, 1 device nGnRE. */
#define FINE_RAM    (UINT64_C(8) << 30)
#define RAW_BASE    UINT64_C(0x400000000000) /* RAM once more, never hidden */
#define WINDOW_BASE UINT64_C(0x7f0000000000)
#define WINDOW_SIZE (UINT64_C(1) << 36)

static uint64_t *final_root;
static bool is_final;

static unsigned level_bits(unsigned level)
{
    return 39 - 9 * level;
}

static uint64_t leaf_bits(const struct mapper *m, enum map_kind kind)
{
    uint64_t xn = m->vhe ? PTE_PXN | PTE_XN : PTE_XN;
    uint64_t pte = PTE_VALID | PTE_AF | (m->vhe ? 0 : PTE_AP_EL0);

    if (kind == MAP_DEVICE)
        return pte | PTE_ATTR(1) | xn;
    pte |= PTE_ATTR(0) | PTE_SH_INNER;
    switch (kind) {
    case MAP_TEXT:
        return pte | PTE_AP_RO | (m->vhe ? PTE_XN : 0);
    case MAP_EARLY:
        return pte | (m->vhe ? PTE_XN : 0);
    case MAP_RODATA:
        return pte | PTE_AP_RO | xn;
    default:
        return pte | xn;
    }
}

/* The next table behind an entry, made where there is none; NULL: no memory, or a block is there. */
static uint64_t *table_below(const struct mapper *m, uint64_t *entry)
{
    uint64_t *t;

    if (*entry & PTE_VALID)
        return *entry & PTE_TABLE ? (uint64_t *)(*entry & PTE_ADDRESS) : NULL;
    t = m->page(m->arg);
    if (!t)
        return NULL;
    dsb_ish(); /* its zeros before anybody walks it */
    *entry = ((uint64_t)t - m->delta) | PTE_VALID | PTE_TABLE;
    return (uint64_t *)((uint64_t)t - m->delta); /* tables are reached one to one */
}

static int map_one(const struct mapper *m, uint64_t va, uint64_t pa, uint64_t size, uint64_t leaf,
                   unsigned coarsest, uint64_t *done)
{
    uint64_t *t = m->root, *e;
    unsigned level = 0;

    for (;;) {
        uint64_t span = BIT(level_bits(level));

        e = &t[va >> level_bits(level) & 511];
        if (level == 3 ||
            (level >= coarsest && !((va | pa) & (span - 1)) && size >= span && !(*e & PTE_VALID)))
            break;
        if (level && *e & PTE_VALID && !(*e & PTE_TABLE)) { /* a block has it already */
            *done = span - (va & (span - 1));
            return (*e & PTE_ADDRESS & ~(span - 1)) + (va & (span - 1)) == pa ? 0 : -EEXIST;
        }
        t = table_below(m, e);
        if (!t)
            return -ENOMEM;
        level++;
    }
    *done = BIT(level_bits(level));
    leaf |= pa | (level == 3 ? PTE_TABLE : 0);
    if (*e & PTE_VALID)
        return *e == leaf ? 0 : -EEXIST;
    *e = leaf;
    /* As many of its neighbours as the range and this table have. */
    for (uint64_t span = BIT(level_bits(level)); *done + span <= size && (uint64_t)(e + 1) & 4095;
         *done += span) {
        if (*++e & PTE_VALID)
            break;
        *e = leaf += span;
    }
    return 0;
}

int map_range(const struct mapper *m, uint64_t va, uint64_t pa, uint64_t size, enum map_kind kind)
{
    uint64_t leaf = leaf_bits(m, kind);

    while (size) {
        uint64_t done;
        int err = map_one(m, va, pa, size, leaf, kind == MAP_RAM ? 2 : 1, &done);

        if (err)
            return err;
        done = MIN(done, size);
        va += done;
        pa += done;
        size -= done;
    }
    dsb_ish();
    isb();
    return 0;
}

/* ---- the final map ---- */

static void *from_platform(void *arg)
{
    uint8_t *p = boot_page();

    (void)arg;
    return p ? arch_ptr(arch_pa(p)) : NULL;
}

static struct mapper final_mapper(void)
{
    return (struct mapper){.root = final_root, .page = from_platform, .vhe = el2_vhe()};
}

struct holes {
    struct board_range r[BOARD_RANGES + 1];
    unsigned count;
};

/* One to one, and the raw mapping. Boards with much RAM have no tables yet for steps of 2 MiB. */
static int map_piece(const struct mapper *m, uint64_t base, uint64_t end, bool fine)
{
    int err = base < end ? map_range(m, base, base, end - base, fine ? MAP_RAM : MAP_DATA) : 0;

    return err || base >= end ? err : map_range(m, RAW_BASE + base, base, end - base, MAP_DATA);
}

/* The hole that begins first at or behind base, or reaches over it. */
static const struct board_range *next_hole(const struct holes *h, uint64_t base, uint64_t end)
{
    const struct board_range *first = NULL;

    for (unsigned i = 0; i < h->count; i++) {
        const struct board_range *r = &h->r[i];

        if (r->base < end && base < r->base + r->size && (!first || r->base < first->base))
            first = r;
    }
    return first;
}

/* RAM but for the holes: pieces between those. */
static int map_ram(const struct mapper *m, const struct holes *h, uint64_t base, uint64_t end, bool fine)
{
    const struct board_range *r;
    int err = 0;

    while (!err && (r = next_hole(h, base, end))) {
        err = map_piece(m, base, r->base, fine);
        base = r->base + r->size;
    }
    return err ? err : map_piece(m, base, end, fine);
}

static int map_image(const struct mapper *m)
{
    static const struct {
        char *from, *to;
        enum map_kind kind;
    } parts[] = {{image_start, image_text_end, MAP_TEXT},
                 {image_text_end, image_rodata_end, MAP_RODATA},
                 {image_rodata_end, image_end, MAP_DATA}};
    int err = 0;

    for (unsigned i = 0; !err && i < ARRAY_SIZE(parts); i++)
        err = map_range(m, (uint64_t)parts[i].from, arch_pa(parts[i].from),
                        (uint64_t)(parts[i].to - parts[i].from), parts[i].kind);
    return err;
}

/* What must not be mapped, and the image's text and constants, which are not to be written by another name.
 */
static void find_holes(const struct board *b, struct holes *h)
{
    memcpy(h->r, b->no_map, sizeof(b->no_map));
    h->count = b->no_map_count;
    h->r[h->count++] = (struct board_range){image_pa, (uint64_t)(image_rodata_end - image_start)};
}

/* RAM includes the image's data, so that its pages of tables are reached as all others are. */
int arch_map_init(const struct board *b)
{
    struct holes holes;
    struct mapper m;
    int err;

    final_root = from_platform(NULL);
    if (!final_root)
        return -ENOMEM;
    m = final_mapper();
    find_holes(b, &holes);
    err = map_image(&m);
    if (!err)
        err = map_range(&m, image_pa, image_pa, (uint64_t)(image_rodata_end - image_start), MAP_RODATA);
    for (unsigned i = 0; !err && i < b->ram_count; i++) {
        uint64_t base = ALIGN_UP(b->ram[i].base, 4096);

        err = map_ram(&m, &holes, base, ALIGN_DOWN(b->ram[i].base + b->ram[i].size, 4096),
                      b->ram_size <= FINE_RAM);
    }
    if (!err)
        err = map_range(&m, ALIGN_DOWN(b->fdt_pa, 4096), ALIGN_DOWN(b->fdt_pa, 4096),
                        ALIGN_UP(b->fdt_size + b->fdt_pa % 4096, 4096), MAP_DATA);
    if (!err && b->bundle.size)
        err = map_range(&m, ALIGN_DOWN(b->bundle.base, 4096), ALIGN_DOWN(b->bundle.base, 4096),
                        ALIGN_UP(b->bundle.size + b->bundle.base % 4096, 4096), MAP_DATA);
    if (err)
        return err;
    sys_write(ttbr0_el2, (uint64_t)final_root);
    isb();
    __asm__ volatile("tlbi alle2\n\tdsb ish\n\tisb" ::: "memory");
    is_final = true;
    return 0;
}

bool mmu_is_final(void)
{
    return is_final;
}

/* ---- RAM that is not there until it is touched ---- */

#define BLOCK UINT64_C(0x200000)

/* Its entry of level 2, or NULL where the map is coarser or finer. */
static uint64_t *block_entry(uint64_t va)
{
    uint64_t *t = final_root;

    for (unsigned level = 0; level < 2; level++) {
        uint64_t e = t[va >> level_bits(level) & 511];

        if ((e & (PTE_VALID | PTE_TABLE)) != (PTE_VALID | PTE_TABLE))
            return NULL;
        t = (uint64_t *)(e & PTE_ADDRESS);
    }
    t += va >> level_bits(2) & 511;
    return (*t & (PTE_VALID | PTE_TABLE)) == (PTE_VALID | PTE_TABLE) ? NULL : t;
}

void *arch_ram_raw(void *p)
{
    return (uint8_t *)p + RAW_BASE;
}

/* What cannot be hidden is zeroed here and now. */
void arch_ram_hide(void *p, uint64_t size)
{
    uint64_t end = (uint64_t)p + size;

    for (uint64_t va = (uint64_t)p; va < end; va += BLOCK) {
        uint64_t *e = block_entry(va);

        if (e)
            *e &= ~PTE_VALID;
        else
            memset(arch_ram_raw((void *)va), 0, BLOCK);
    }
    __asm__ volatile("dsb ishst" ::: "memory");
    for (uint64_t va = (uint64_t)p; va < end; va += BLOCK)
        __asm__ volatile("tlbi vae2is, %0" ::"r"(va >> 12) : "memory");
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

void arch_ram_show(void *p, uint64_t size)
{
    for (uint64_t va = (uint64_t)p; va < (uint64_t)p + size; va += BLOCK) {
        uint64_t *e = block_entry(va);

        if (e)
            *e |= PTE_VALID;
    }
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

static struct spin map_lock = SPIN_INIT(RANK_FRAMES - 1);

void *arch_map_device(uint64_t pa, uint64_t size)
{
    uint64_t base = ALIGN_DOWN(pa, 4096);
    struct mapper m = final_mapper();
    bool on = spin_lock_irq(&map_lock);
    int err = map_range(&m, base, base, ALIGN_UP(pa + size, 4096) - base, MAP_DEVICE);

    spin_unlock_irq(&map_lock, on);
    return err ? NULL : (void *)pa;
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
    struct mapper m = final_mapper();
    bool on = spin_lock_irq(&map_lock);
    int err = map_range(&m, va, pa, 4096, MAP_DATA);

    spin_unlock_irq(&map_lock, on);
    return err;
}
