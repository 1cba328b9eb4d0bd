/*
 * Guest RAM: whole frames. Zeroed when it is first touched, 2 MiB at a time, where the ISA can hide them from
 * the hypervisor until then (ARCH_RAM_LAZY): an empty guest costs no time, however much RAM it has.
 */
#include "core/platform.h"
#include "lib/str.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/sync/spin.h"

#ifdef ARCH_RAM_LAZY

#define BLOCK UINT64_C(0x200000)

static struct {
    struct spin lock;
    uint64_t *hidden; /* lock; a bit for each BLOCK of physical memory from base on; made once */
    uint64_t base, end;
    uint64_t again[CPU_MAX]; /* of each CPU: where it was told to try again */
} ram = {.lock = SPIN_INIT(RANK_RAM)};

static void init_hidden(void)
{
    const struct board *b = board_get();
    uint64_t base = ALIGN_DOWN(b->ram[0].base, BLOCK);
    uint64_t end = b->ram[b->ram_count - 1].base + b->ram[b->ram_count - 1].size;
    uint64_t *bits = plat_alloc(((end - base) / BLOCK + 64) / 8 + 8);
    bool on = spin_lock_irq(&ram.lock);

    if (!ram.hidden && bits) {
        ram.base = base;
        ram.end = end;
        ram.hidden = bits;
        bits = NULL;
    }
    spin_unlock_irq(&ram.lock, on);
    plat_free(bits);
}

static bool is_hidden(uint64_t n)
{
    return ram.hidden[n / 64] >> n % 64 & 1;
}

/* Whole blocks of [p, end) go out of sight, what is left over is zeroed now. */
static void zero_later(uint8_t *p, uint64_t size)
{
    uint8_t *first = (uint8_t *)ALIGN_UP((uintptr_t)p, BLOCK),
            *last = (uint8_t *)ALIGN_DOWN((uintptr_t)p + size, BLOCK);
    bool on;

    if (!ram.hidden)
        init_hidden();
    if (!ram.hidden || first >= last) {
        memset(p, 0, size);
        return;
    }
    memset(p, 0, (size_t)(first - p));
    memset(last, 0, (size_t)(p + size - last));
    on = spin_lock_irq(&ram.lock);
    for (uint64_t n = (arch_pa(first) - ram.base) / BLOCK; n < (arch_pa(last) - ram.base) / BLOCK; n++)
        ram.hidden[n / 64] |= BIT(n % 64);
    arch_ram_hide(first, (uint64_t)(last - first));
    spin_unlock_irq(&ram.lock, on);
}

/* Frees show themselves as they are: whoever gets them next zeroes what it needs. */
static void show_all(uint8_t *p, uint64_t size)
{
    bool on;

    if (!ram.hidden)
        return;
    on = spin_lock_irq(&ram.lock);
    for (uint64_t pa = ALIGN_UP(arch_pa(p), BLOCK); pa + BLOCK <= arch_pa(p) + size; pa += BLOCK) {
        uint64_t n = (pa - ram.base) / BLOCK;

        if (is_hidden(n)) {
            ram.hidden[n / 64] &= ~BIT(n % 64);
            arch_ram_show(arch_ptr(pa), BLOCK);
        }
    }
    spin_unlock_irq(&ram.lock, on);
}

static void block_zero(void *p)
{
#ifdef ARCH_ZERO
    arch_zero(p, BLOCK);
#else
    memset(p, 0, BLOCK);
#endif
}

/* Zeroed behind everybody's back, then shown: nobody sees what was there, no write of another CPU is lost. */
bool ram_fault(uint64_t va)
{
    uint64_t pa = ALIGN_DOWN(va, BLOCK), n;
    bool on, mine;

    if (!ram.hidden || pa < ram.base || pa >= ram.end)
        return false;
    n = (pa - ram.base) / BLOCK;
    on = spin_lock_irq(&ram.lock);
    mine = is_hidden(n);
    if (mine) {
        block_zero(arch_ram_raw(arch_ptr(pa)));
        ram.hidden[n / 64] &= ~BIT(n % 64);
        arch_ram_show(arch_ptr(pa), BLOCK);
    }
    spin_unlock_irq(&ram.lock, on);
    if (!mine && ram.again[arch_cpu()->id] == va) /* twice the same: a fault of another kind */
        return false;
    ram.again[arch_cpu()->id] = mine ? 0 : va; /* another CPU was first, perhaps */
    return true;
}

#else

static void zero_later(uint8_t *p, uint64_t size)
{
    memset(p, 0, size);
}

static void show_all(uint8_t *p, uint64_t size)
{
    (void)p;
    (void)size;
}

#endif

void *plat_ram_map(uint64_t size, const char *name)
{
    void *p = frame_alloc_range(size);

    (void)name;
    if (p)
        zero_later(p, ALIGN_UP(size, FRAME_BYTES));
    return p;
}

void plat_ram_unmap(void *p, uint64_t size)
{
    if (!p)
        return;
    show_all(p, ALIGN_UP(size, FRAME_BYTES));
    frame_free(p);
}

void plat_ram_discard(void *p, uint64_t size)
{
    memset(p, 0, size);
}
