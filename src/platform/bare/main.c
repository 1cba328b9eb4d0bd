/* The boot: from boot's assembly to the front end's task, on the boot CPU and the others. */
#include "core/platform.h"
#include "lib/str.h"
#include "platform/bare/app.h"
#include "platform/bare/board.h"
#include "platform/bare/console.h"
#include "platform/bare/disk.h"
#include "platform/bare/drivers/virtio.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/mm/heap.h"
#include "platform/bare/panic.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sched/timer.h"

#define EARLY_PAGES  24
#define START_WAIT_S 10 /* for another CPU to come up */

/* boot's linker script */
extern const char image_start[], image_end[];

static struct {
    struct board board;
    bool board_known, frames;
    struct cpu boot_cpu;
    unsigned early_used;
} bare;

static uint8_t early[EARLY_PAGES][FRAME_BYTES] __attribute__((aligned(FRAME_BYTES)));

const struct board *board_get(void)
{
    return bare.board_known ? &bare.board : NULL;
}

void *boot_page(void)
{
    void *p = NULL;

    if (bare.frames)
        p = frame_alloc(0, FRAME_PLAIN);
    else if (bare.early_used < EARLY_PAGES)
        p = early[bare.early_used++];
    return p ? memset(p, 0, FRAME_BYTES) : NULL;
}

NORETURN static void refuse(const char *why)
{
    console_printf("Carbovisor: %s. Stopped.\n", why);
    arch_cpu_park();
}

static void cpu_online(struct cpu *c)
{
    atomic_fetch_or(&cpu_set.online, BIT(c->id));
    atomic_store(&c->online, true);
}

/* ---- the other CPUs ---- */

void bare_secondary(struct cpu *c)
{
    arch_cpu_setup(c);
    cpu_online(c);
    sched_idle();
}

/* Whether it came in time. One that is started and late keeps its number: it joins when it comes. */
static bool cpu_start(unsigned i)
{
    struct cpu *c = plat_alloc(sizeof(*c));
    void *stack = stack_alloc();
    uint64_t until = plat_clock_ns() + START_WAIT_S * UINT64_C(1000000000);

    if (!c || !stack)
        return false;
    c->self = c;
    c->id = cpu_set.count;
    c->hw_id = bare.board.cpu[i].hw_id;
    c->node = (uint64_t)bare.board.cpu[i].node;
    c->stack_top = (uint64_t)(uintptr_t)stack;
    if (sched_cpu_add(c))
        return false;
    cpu_set.cpu[c->id] = c;
    cpu_set.count++;
    if (arch_cpu_start(c, stack)) {
        cpu_set.count--;
        return false;
    }
    while (!atomic_load(&c->online) && plat_clock_ns() < until)
        arch_relax();
    return atomic_load(&c->online);
}

static void cpus_start(void)
{
    char buf[16];
    unsigned missing = bare.board.cpu_left_out;

    for (unsigned i = 1; i < bare.board.cpu_count && !board_arg(&bare.board, "nosmp", buf, sizeof(buf)); i++)
        missing += !cpu_start(i);
    if (missing)
        console_printf("Carbovisor: %u CPUs did not start\n", missing);
}

/* ---- the first ---- */

static void disks_start(void)
{
    vio_need(VIRTIO_BLK);
}

static void first_task(void *unused)
{
    const struct board *b = &bare.board;
    struct bare_boot boot = {
        .dtb = arch_ptr(b->fdt_pa),
        .dtb_size = b->fdt_size,
        .cmdline = b->bootargs,
        .bundle = b->bundle.size ? arch_ptr(b->bundle.base) : NULL,
        .bundle_size = b->bundle.size,
    };

    (void)unused;
    cpus_start();
    vio_init();
    diskfile_start_hook(disks_start);
    app_main(&boot);
    arch_power_off();
}

static void memory_start(const struct board *b)
{
    if (arch_map_init(b))
        refuse("the page tables of the hypervisor could not be made");
    frames_init(b->free, b->free_count);
    bare.frames = true;
    heap_init();
    tasks_forget();
}

void bare_main(uint64_t fdt_pa, uint64_t hw_id)
{
    struct cpu *c = &bare.boot_cpu;
    struct plat_task *first;
    char why[160];

    c->self = c;
    c->hw_id = hw_id;
    arch_cpu_set(c);
    cpu_set.cpu[0] = c;
    cpu_set.count = 1;
    if (!fdt_pa || board_read(&bare.board, arch_ptr(fdt_pa), fdt_pa, arch_pa(image_start), arch_pa(image_end),
                              hw_id, why, sizeof(why)))
        refuse(fdt_pa ? why : "the loader gave no device tree");
    bare.board_known = true;
    c->node = (uint64_t)bare.board.cpu[0].node;
    memory_start(&bare.board);
    if (arch_setup(&bare.board, why, sizeof(why)))
        refuse(why);
    clock_init();
    if (sched_cpu_add(c))
        refuse("no memory for a run queue");
    arch_cpu_setup(c);
    cpu_online(c);
    if (console_start() || plat_task_start(&first, "main", first_task, NULL))
        refuse("no memory for the first task");
    sched_idle();
}

void bare_power(bool reset)
{
    if (reset)
        arch_reset();
    arch_power_off();
}
