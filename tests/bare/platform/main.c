/*
 * The bare platform on a board, in place of the front end: memory, tasks, locks, timers and calls on all
 * CPUs, the board's disk and network, and faults that stop one task only. One line "ok NAME" or "FAILED NAME"
 * each, "end".
 */
#include "platform/bare/app.h"
#include "lib/str.h"
#include "platform/bare/board.h"
#include "platform/bare/console.h"
#include "platform/bare/irq/irq.h"
#include "platform/bare/mm/frame.h"
#include "platform/bare/mm/heap.h"
#include "platform/bare/panic.h"
#include "platform/bare/sched/sched.h"
#ifdef __riscv
#include "platform/bare/boot/riscv64/sbi.h"
#endif

#define TASKS 8
#define MS    UINT64_C(1000000)
/* For what takes no time on an idle machine: the one that plays the board may have other things to do. */
#define LONG (UINT64_C(60000) * MS)

static void check(const char *name, bool good)
{
    console_printf("%s %s\n", good ? "ok" : "FAILED", name);
}

static void sleep_ns(uint64_t ns)
{
    struct plat_event e;

    plat_event_init(&e);
    plat_event_wait(&e, plat_clock_ns() + ns);
    plat_event_fini(&e);
}

static void run_tasks(void (*fn)(void *))
{
    struct plat_task *t[TASKS];

    for (uintptr_t i = 0; i < TASKS; i++) {
        if (plat_task_start(&t[i], "test", fn, (void *)i))
            check("a task starts", false);
    }
    for (unsigned i = 0; i < TASKS; i++)
        plat_task_join(t[i]);
}

/* arm64's vectors name the engine's; there is no guest here. */
void guest_exit_sync(void);
void guest_exit_irq(void);
void guest_exit_serror(void);
void guest_exit_sync(void)
{
}
void guest_exit_irq(void)
{
}
void guest_exit_serror(void)
{
}

/* ---- locks and events ---- */

static struct plat_lock lock;
static struct plat_event ring[TASKS];
static volatile unsigned counter, inside, wrong;

static void locker(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 2000; i++) {
        plat_lock(&lock);
        wrong += inside++ != 0;
        counter++;
        if (i % 256 == 0)
            sleep_ns(1000);
        inside--;
        plat_unlock(&lock);
    }
}

/* Each wakes the next: a lost wake-up stops all. */
static void in_ring(void *opaque)
{
    uintptr_t me = (uintptr_t)opaque;

    for (unsigned i = 0; i < 500; i++) {
        if (me || i)
            plat_event_wait(&ring[me], PLAT_FOREVER);
        plat_event_wake(&ring[(me + 1) % TASKS]);
    }
}

static void test_locks(void)
{
    plat_lock_init(&lock);
    run_tasks(locker);
    check("locks exclude", !wrong && counter == 2000 * TASKS);
    for (unsigned i = 0; i < TASKS; i++)
        plat_event_init(&ring[i]);
    run_tasks(in_ring);
    check("no wake-up is lost", true);
}

static void test_time(void)
{
    uint64_t begin = plat_clock_ns(), took;

    sleep_ns(20 * MS);
    took = plat_clock_ns() - begin;
    check("a sleep takes its time", took >= 20 * MS && took < LONG);
    check("the wall clock runs", plat_wall_ns() > begin);
}

/* ---- CPUs ---- */

static volatile bool stop;
static _Atomic uint64_t seen;

static void hog(void *unused)
{
    (void)unused;
    while (!stop) {
        bool on = arch_irq_save();

        atomic_fetch_or(&seen, BIT(arch_cpu()->id));
        arch_irq_restore(on);
    }
}

static void note(void *bits)
{
    atomic_fetch_or((_Atomic uint64_t *)bits, BIT(arch_cpu()->id));
}

static _Atomic unsigned calls_made[CPU_MAX], calls_done[CPU_MAX];
static uint64_t calls_end;

static void count_call(void *unused)
{
    (void)unused;
    atomic_fetch_add(&calls_done[arch_cpu()->id], 1);
}

/* What it leaves below the stack's end: who looks there for a call finds one. */
static __attribute__((noinline)) void litter(void)
{
    volatile uint64_t below[64];

    for (unsigned i = 0; i < ARRAY_SIZE(below); i++)
        below[i] = i % 3 ? UINT64_MAX : (uintptr_t)count_call;
}

/* Calls one CPU after another, and never two, while others look for calls all the time. */
static void caller(void *opaque)
{
    unsigned i = (unsigned)(uintptr_t)opaque;

    do {
        ipi_call(BIT(i % cpu_count()), count_call, NULL);
        litter();
        atomic_fetch_add(&calls_made[i % cpu_count()], 1);
        i++;
    } while (plat_clock_ns() < calls_end);
}

static void test_calls(void)
{
    bool exact = true;

    calls_end = plat_clock_ns() + 2000 * MS;
    run_tasks(caller);
    for (unsigned i = 0; i < cpu_count(); i++)
        exact &= calls_done[i] && calls_done[i] == calls_made[i];
    console_printf("%u calls of CPU 0\n", calls_done[0]);
    check("each call is done once, by who is called", exact);
}

static void test_cpus(void)
{
    _Atomic uint64_t called = 0;
    struct plat_task *t[2 * CPU_MAX];
    uint64_t end = plat_clock_ns() + LONG;
    unsigned n = 2 * cpu_count();
    bool all = true, ran = false;

    console_printf("%u CPUs\n", cpu_count());
    ipi_call(cpu_online_mask(), note, &called);
    check("every CPU is called", called == cpu_online_mask());
    stop = false;
    for (unsigned i = 0; i < n; i++)
        all &= !plat_task_start(&t[i], "hog", hog, NULL);
    while (all && !ran && plat_clock_ns() < end) {
        sleep_ns(100 * MS);
        ran = seen == cpu_online_mask();
        for (unsigned i = 0; i < n; i++)
            ran &= task_time_ns(t[i]) > 0;
    }
    check("tasks that compute take turns", ran);
    check("every CPU runs tasks", seen == cpu_online_mask());
    called = 0;
    ipi_call(cpu_online_mask(), note, &called);
    check("every CPU is called while it computes", called == cpu_online_mask());
    stop = true;
    for (unsigned i = 0; i < n; i++)
        plat_task_join(t[i]);
}

/* ---- memory ---- */

static void test_memory(void)
{
    uint64_t free = frames_free();
    uint8_t *ram = plat_ram_map(UINT64_C(64) << 20, "guest");
    bool zero = true;

    check("RAM of a guest", ram && (uintptr_t)ram % (UINT64_C(2) << 20) == 0);
    for (uint64_t at = 0; ram && at < UINT64_C(64) << 20; at += 4096 * 37) {
        zero &= !ram[at];
        ram[at] = 1;
    }
    plat_ram_unmap(ram, UINT64_C(64) << 20);
    ram = plat_ram_map(UINT64_C(64) << 20, "guest");
    for (uint64_t at = 0; ram && at < UINT64_C(64) << 20; at += 4096)
        zero &= !ram[at];
    plat_ram_unmap(ram, UINT64_C(64) << 20);
    check("it is zeros, again and again", zero);
    heap_shrink();
    check("all of it comes back", free - frames_free() < 1 << 20 && !frames_check());
}

/* ---- faults: each in a task that is said to run a vCPU ---- */

static struct plat_event failed;
static volatile unsigned faults;

static void told(struct vcpu *v, const char *why)
{
    (void)v;
    console_printf("told: %s\n", why);
    faults++;
    plat_event_wake(&failed);
}

static void bug(void *unused)
{
    plat_current_set((struct vcpu *)&failed);
    (void)unused;
    BUG_ON(true);
}

static volatile uintptr_t nowhere = 0x10;

static void wild_store(void *unused)
{
    (void)unused;
    plat_current_set((struct vcpu *)&failed);
    *(volatile uint64_t *)nowhere = 1;
}

static void store_to_text(void *unused)
{
    (void)unused;
    plat_current_set((struct vcpu *)&failed);
    *(volatile uint32_t *)(uintptr_t)store_to_text = 0;
}

static int deep(volatile uint64_t *below)
{
    volatile uint64_t here[64];

    here[0] = below ? below[0] + 1 : 0;
    return here[0] > 1000000 ? 0 : deep(here) + (int)here[0];
}

static void overflow(void *unused)
{
    (void)unused;
    plat_current_set((struct vcpu *)&failed);
    deep(NULL);
}

static void test_faults(void)
{
    static void (*const fn[])(void *) = {bug, wild_store, store_to_text, overflow};
    struct plat_task *t;

    plat_event_init(&failed);
    panic_vcpu_hook(told);
    for (unsigned i = 0; i < ARRAY_SIZE(fn); i++) {
        plat_task_start(&t, "broken", fn[i], NULL);
        plat_event_wait(&failed, plat_clock_ns() + LONG);
    }
    check("faults stop one task each", faults == ARRAY_SIZE(fn));
    counter = wrong = 0;
    run_tasks(locker);
    check("the others go on", !wrong && counter == 2000 * TASKS);
}

/* ---- the board's disk and network, where there are any ---- */

static volatile unsigned frames;

static void got(void *opaque, const void *frame, size_t len)
{
    (void)opaque;
    (void)frame;
    frames += len > 13;
}

static void test_disk(void)
{
    struct plat_file *f, *other;
    static uint8_t data[100000], back[100000];
    bool same;

    if (plat_file_open(&f, "board:vda1", PLAT_READ | PLAT_WRITE | PLAT_LOCK))
        return;
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    same = !plat_file_write(f, 12345, data, sizeof(data)) && !plat_file_read(f, 12345, back, sizeof(back)) &&
           !memcmp(data, back, sizeof(data)) && !plat_file_sync(f);
    check("a partition keeps what is written", same);
    check("it is taken", plat_file_open(&other, "board:vda", PLAT_READ | PLAT_LOCK) == -16);
    plat_file_close(f);
}

static void test_net(void)
{
    /* Who has 10.0.2.2? Tell 10.0.2.15. */
    static const uint8_t arp[42] = {
        255, 255,  255,  255, 255,  255,  0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,   0x52, 0x54, 0,   0x12, 0x34, 0x56, 10,   0, 2,    15,   0,    0, 0, 0, 0, 0, 10, 0, 2, 2};
    uint64_t end = plat_clock_ns() + LONG;
    uint8_t mac[6];

    if (!bare_net_count())
        return;
    check("the network starts", !bare_net_start(0, got, NULL, mac) && bare_net_start(0, got, NULL, mac));
    while (frames < 50 && plat_clock_ns() < end) {
        bare_net_send(0, arp, sizeof(arp));
        sleep_ns(MS);
    }
    check("frames go and come", frames >= 50);
}

/* ---- a hart where it should not be ---- */

#ifdef __riscv
extern const char image_start[];

/* OpenSBI before 1.2 lets a hart that comes just while it is started go where the first one began. */
static void test_stray(void)
{
    const struct board *b = board_get();
    struct sbi_result r;

    counter = 42;
    r = sbi_call3(RV_SBI_HSM, 0, b->cpu[1].hw_id, arch_pa((void *)image_start), b->fdt_pa);
    sleep_ns(500 * MS);
    check("a hart that comes by the way of the first one waits", !r.error && counter == 42);
}
#else
static void test_stray(void)
{
}
#endif

void app_main(const struct bare_boot *boot)
{
    const struct board *b = board_get();
    char buf[8];

    console_printf("%s, %llu MiB, %s\n", b->model, (unsigned long long)b->ram_size >> 20, boot->cmdline);
    check("the frames are in order", !frames_check());
    test_memory();
    test_locks();
    test_time();
    test_cpus();
    test_calls();
    test_disk();
    test_net();
    test_faults();
    if (board_arg(b, "stray", buf, sizeof(buf)))
        test_stray();
    check("the frames are still in order", !frames_check());
    console_printf("end\n");
}
