/*
 * Stage 2: 39 bits of guest-physical address, 4 KiB granule, filled at faults with pages as large as
 * core/mem's regions allow; and VMIDs of 8 or 16 bits by generations.
 */
#include "engine/bare/arm64/hw.h"
#include "lib/err.h"
#include "lib/str.h"

/* Descriptors (D8.3, D8.5.5). */
#define S2_VALID    BIT(0)
#define S2_TABLE    BIT(1)
#define S2_NORMAL   (UINT64_C(0xf) << 2)
#define S2_DEVICE   (UINT64_C(1) << 2) /* nGnRE */
#define S2_READ     BIT(6)
#define S2_WRITE    BIT(7)
#define S2_INNER    (UINT64_C(3) << 8)
#define S2_AF       BIT(10)
#define S2_XN       BIT(54)
#define S2_ADDRESS  UINT64_C(0x0000fffffffff000)
#define S2_IPA_BITS 39

/* RAM that comes when it is touched does so in blocks of 2 MiB, so a guest has no larger pages then. */
#ifdef ARCH_RAM_LAZY
enum { LEVEL_MIN = 2 };
#else
enum { LEVEL_MIN = 1 };
#endif

struct hw_page {
    struct hw_page *next;
    void *bytes;
    unsigned level;
};

/* ---- tables ---- */

static uint64_t *table_new(struct hw_vm *hv, unsigned level)
{
    struct hw_page *p = plat_alloc(sizeof(*p));

    if (!p)
        return NULL;
    p->bytes = plat_ram_map(MEM_PAGE_SIZE, "stage 2");
    if (!p->bytes) {
        plat_free(p);
        return NULL;
    }
    p->level = level;
    p->next = hv->pages;
    hv->pages = p;
    return p->bytes;
}

static void tables_free(struct hw_vm *hv)
{
    while (hv->pages) {
        struct hw_page *p = hv->pages;

        hv->pages = p->next;
        plat_ram_unmap(p->bytes, MEM_PAGE_SIZE);
        plat_free(p);
    }
}

int stage2_init(struct vm *vm)
{
    struct hw_vm *hv = hw_vm_of(vm);

    plat_lock_init(&hv->lock);
    hv->root = table_new(hv, 1);
    return hv->root ? 0 : -ENOMEM;
}

void stage2_fini(struct vm *vm)
{
    struct hw_vm *hv = hw_vm_of(vm);

    if (hv->vmid)
        arch_guest_flush((unsigned)(hv->vmid & 0xffff), 0, UINT64_MAX);
    tables_free(hv);
    plat_lock_fini(&hv->lock);
}

/* Level of the root is 1: 1 GiB an entry. */
static unsigned level_bits(unsigned level)
{
    return 39 - 9 * level;
}

/* The entry for gpa at `level`, tables made on the way; NULL: no memory, or a larger page is there. */
static uint64_t *entry_of(struct hw_vm *hv, gpa_t gpa, unsigned level)
{
    uint64_t *t = hv->root;

    for (unsigned l = 1;; l++) {
        uint64_t *e = &t[gpa >> level_bits(l) & 511];

        if (l == level)
            return e;
        if (!(*e & S2_VALID)) {
            uint64_t *below = table_new(hv, l + 1);

            if (!below)
                return NULL;
            dsb_ish();
            *e = arch_pa(below) | S2_VALID | S2_TABLE;
        }
        if (!(*e & S2_TABLE))
            return NULL;
        t = arch_ptr(*e & S2_ADDRESS);
    }
}

static int map_at(struct hw_vm *hv, gpa_t gpa, uint64_t pa, unsigned level, uint64_t bits)
{
    uint64_t span = BIT(level_bits(level)), *e = entry_of(hv, gpa, level);

    if (!e)
        return -ENOMEM;
    *e = ALIGN_DOWN(pa, span) | bits | S2_VALID | S2_AF | (level == 3 ? S2_TABLE : 0);
    dsb_ish();
    return 0;
}

/* The coarsest level at which the page around gpa lies in the region and is aligned in both. */
static unsigned level_for(const struct mem_region *r, gpa_t gpa, uint64_t pa)
{
    for (unsigned level = LEVEL_MIN; level < 3; level++) {
        uint64_t span = BIT(level_bits(level)), at = ALIGN_DOWN(gpa, span);

        if (!((gpa ^ pa) & (span - 1)) && at >= r->base && at + span <= r->base + r->size)
            return level;
    }
    return 3;
}

/*
 * A guest that starts has its caches off and reads memory as it is (D8.6.5): what stands in caches, its
 * images and the zeros of its RAM, goes there, and nothing stays that might be written back later over what
 * the guest wrote. Instruction caches may know what stood there before (D7.5.9).
 */
static void to_memory(void *p, uint64_t size)
{
    arch_cache_invalidate(p, size);
    __asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" ::: "memory");
}

/*
 * A table whose 2 MiB pages are all there, one behind the other and alike, becomes a page of 1 GiB. The
 * search begins behind the page that came last: who touches memory in order ends it at once.
 */
static void widen(struct hw_vm *hv, gpa_t gpa)
{
    uint64_t *e = &hv->root[gpa >> level_bits(1) & 511], step = BIT(level_bits(2));
    unsigned first = gpa >> level_bits(2) & 511, n = 1;
    const uint64_t *t = arch_ptr(*e & S2_ADDRESS);
    uint64_t block = t[first] - first * step;

    while (n < 512 && t[(first + n) % 512] == block + (first + n) % 512 * step)
        n++;
    if (n < 512 || block & (BIT(level_bits(1)) - 1) & S2_ADDRESS)
        return;
    /* Break before make (D8.14.1): who comes in between waits for the lock. */
    *e = 0;
    dsb_ish();
    arch_guest_flush((unsigned)(hv->vmid & 0xffff), 0, UINT64_MAX);
    *e = block;
    dsb_ish();
    hv->gib++;
}

/* A finer table may be there from before; then only the page. */
static int map_region(struct hw_vm *hv, const struct mem_region *r, gpa_t gpa, bool writable)
{
    uint64_t pa = arch_pa(r->host) + (gpa - r->base);

    (void)*(volatile uint8_t *)(r->host + (gpa - r->base)); /* it is zeroed by being touched */
    uint64_t bits = S2_NORMAL | S2_INNER | S2_READ | (writable ? S2_WRITE : 0);
    unsigned level = level_for(r, gpa, pa);
    int err;

    if ((hv->root[gpa >> level_bits(1) & 511] & (S2_VALID | S2_TABLE)) == S2_VALID)
        return 0; /* another vCPU was here */
    for (; level <= 3; level++) {
        uint64_t *e = entry_of(hv, gpa, level);

        if (!e)
            return -ENOMEM;
        if (level < 3 && (*e & S2_VALID) && (*e & S2_TABLE))
            continue;
        if (!(*e & S2_VALID))
            to_memory(arch_ptr(ALIGN_DOWN(pa, BIT(level_bits(level)))), BIT(level_bits(level)));
        err = map_at(hv, gpa, pa, level, bits);
        if (!err && level == 2)
            widen(hv, gpa);
        return err;
    }
    return 0;
}

int stage2_map(struct vm *vm, gpa_t gpa, bool write)
{
    const struct mem_region *r = gpa >> S2_IPA_BITS ? NULL : mem_find(&vm->mem, gpa);
    struct hw_vm *hv = hw_vm_of(vm);
    enum mem_kind kind;
    int err;

    if (!r || !r->host)
        return 1;
    kind = atomic_load(&r->kind);
    if (kind == MEM_MMIO || (kind == MEM_ROM && write))
        return 1;
    plat_lock(&hv->lock);
    err = map_region(hv, r, gpa, kind == MEM_RAM);
    plat_unlock(&hv->lock);
    return err;
}

void stage2_map_device(struct vm *vm, gpa_t gpa, uint64_t pa, uint64_t size)
{
    struct hw_vm *hv = hw_vm_of(vm);

    plat_lock(&hv->lock);
    for (uint64_t at = 0; at < size; at += MEM_PAGE_SIZE)
        map_at(hv, gpa + at, pa + at, 3, S2_DEVICE | S2_READ | S2_WRITE | S2_XN);
    plat_unlock(&hv->lock);
}

/* Flash changes between memory and device: rare, so everything goes but the tables, and devices of the host.
 */
static void clear(const struct hw_page *p)
{
    uint64_t *t = p->bytes;

    for (unsigned i = 0; i < 512; i++) {
        if ((p->level == 3 || !(t[i] & S2_TABLE)) && (t[i] & S2_NORMAL) != S2_DEVICE)
            t[i] = 0;
    }
}

void stage2_unmap_all(struct vm *vm)
{
    struct hw_vm *hv = hw_vm_of(vm);

    if (!hv || !hv->root || !hv->pages || !hv->pages->next) /* the root alone: nothing was mapped yet */
        return;
    plat_lock(&hv->lock);
    for (const struct hw_page *p = hv->pages; p; p = p->next)
        clear(p);
    hv->gib = 0;
    plat_unlock(&hv->lock);
    if (hv->vmid)
        arch_guest_flush((unsigned)(hv->vmid & 0xffff), 0, UINT64_MAX);
}

/* ---- registers ---- */

/* VTCR_EL2 (D19.2.156): walks cached and inner shareable, start at level 1. */
uint64_t stage2_vtcr(void)
{
    uint64_t pa = MIN(sys_read(id_aa64mmfr0_el1) & 0xf, UINT64_C(5));
    uint64_t vs = (sys_read(id_aa64mmfr1_el1) >> 4 & 0xf) == 2;

    return BIT(31) | vs << 19 | pa << 16 | 3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 | (64 - S2_IPA_BITS);
}

/* ---- VMIDs ---- */

static struct vmid_cpu *vmid_cpu(unsigned id)
{
    struct hw_cpu *hc = id < cpu_count() ? cpu_at(id)->engine : NULL;

    return hc ? &hc->vmid : NULL;
}

static void drop_all(void)
{
    __asm__ volatile("dsb ishst\n\ttlbi alle1is\n\tdsb ish" ::: "memory");
}

static uint64_t vmid_map[65536 / 64]; /* zeros, so no part of the image */
static struct vmid_space vmids = {
    .lock = {.rank = RANK_USER}, .map = vmid_map, .cpu = vmid_cpu, .drop_all = drop_all};

uint64_t stage2_vttbr(struct hw_cpu *hc, struct vm *vm)
{
    struct hw_vm *hv = hw_vm_of(vm);
    uint64_t vmid = atomic_load_explicit(&hv->vmid, memory_order_relaxed);

    if (UNLIKELY(!vmid_is_here(vmid, &hc->vmid))) {
        if (!vmids.count) /* every CPU writes the same */
            vmids.count = stage2_vtcr() >> 19 & 1 ? 65536 : 256;
        vmid = vmid_take(&vmids, &hv->vmid, &hc->vmid);
    }
    return arch_pa(hv->root) | (vmid & 0xffff) << 48;
}
