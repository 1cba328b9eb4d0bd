/*
 * Four CPUs change code, mappings and permissions of pages that all of them use, and tell the others by
 * broadcast TLBI and DSB (D8.13, B2.3.10); what a CPU sees between two changes is known exactly:
 *
 * - a page's sequence number is odd while a CPU changes it. An access with the same even number before and
 * after it has to see the page's frame, its code and its rights, or fault.
 * - when the DSB is done nobody stores into the frame that was taken away: it is kept for a while, and looked
 * at before it is used again.
 */
#include "mmu.h"
#include "smp.h"

#define PAGES  8
#define FRAMES 24
#define FRAME  0x48000000UL /* of RAM that the image does not use */
#define ROUNDS 300
#define PXN    (1UL << 53)

/* In a frame. */
#define BODY 0x000 /* movz x0, version; ret */
#define ID   0x040
#define SLOT 0x080 /* 64 bytes a CPU, of which it writes 8 */
#define TAIL 0xffc /* nop: goes on in the next page */

enum { LOAD, STORE, AMO, CALL, CROSS, REMAP, RIGHTS, REWRITE, KINDS };
static const char *const kind_names[] = {"loads",   "stores", "amos",   "calls",
                                         "crosses", "remaps", "rights", "rewrites"};
/* Rights of a page. */
enum { R = 1, W = 2, X = 4 };

static struct page {
    volatile u64 seq, frame, rights;
    u64 lock;
    u64 pad[12];
} pages[PAGES] __attribute__((aligned(128)));
static volatile u64 version[FRAMES], sums[FRAMES];
static struct {
    u64 lock, free[FRAMES], head, count;
} pool;
static volatile u64 wrong, wrong_kind, wrong_got, wrong_want;
static volatile u64 totals[KINDS], faults;
static struct {
    u64 seed, counter, done[KINDS], faults;
    u64 pad[16];
} own[CPUS];

/* An exception goes on at x16, its syndrome in x17. */
__asm__(".text\n .balign 2048\nremap_vectors:\n .space 0x200\n mrs x17, esr_el1\n msr elr_el1, x16\n eret\n"
        " .balign 2048\n");
extern char remap_vectors[];
extern char vectors[];

#define TRY(insn, out, in, more)                                                                             \
    __asm__ volatile("isb\n adr x16, 1f\n mov x17, #0\n" insn "\n1: mov %1, x17"                             \
                     : "+r"(out), "=&r"(fault)                                                               \
                     : "r"(in)                                                                               \
                     : "x16", "x17", "x30", "memory" more)

static u64 random(u64 *seed)
{
    *seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
    return *seed >> 33;
}

static int try_lock(u64 *l)
{
    u64 none = 0;

    return __atomic_compare_exchange_n(l, &none, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void unlock(u64 *l)
{
    __atomic_store_n(l, 0, __ATOMIC_RELEASE);
}

static void fence(void)
{
    __asm__ volatile("dmb ish" ::: "memory");
}

static void bad(u64 kind, u64 got, u64 want)
{
    if (__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST))
        return;
    wrong_kind = kind;
    wrong_got = got;
    wrong_want = want;
}

/* ---- frames, by their own address ---- */

static volatile u64 *word(u64 frame, u64 offset)
{
    return (volatile u64 *)(FRAME + frame * 4096 + offset);
}

static u64 sum_of(u64 frame)
{
    u64 sum = *word(frame, ID);

    for (u64 cpu = 0; cpu < CPUS; cpu++)
        sum = sum * 31 + *word(frame, SLOT + 64 * cpu);
    return sum;
}

static void code(u64 frame, u64 v)
{
    *word(frame, BODY) = 0xd2800000 | v << 5 | 0xd65f03c0UL << 32;
    *(volatile u32 *)word(frame, TAIL) = 0xd503201f;
    version[frame] = v;
    __asm__ volatile(
        "dc cvau, %0\n dc cvau, %1\n dsb ish\n ic ialluis\n dsb ish\n isb" ::"r"(word(frame, BODY)),
        "r"(word(frame, TAIL))
        : "memory");
}

static u64 frame_get(void)
{
    u64 f;

    while (!try_lock(&pool.lock))
        ;
    f = pool.free[pool.head++ % FRAMES];
    pool.count--;
    unlock(&pool.lock);
    return f;
}

/* The one taken away longest ago comes back first. */
static void frame_put(u64 f)
{
    while (!try_lock(&pool.lock))
        ;
    pool.free[(pool.head + pool.count++) % FRAMES] = f;
    unlock(&pool.lock);
}

/* ---- changes ---- */

static u64 va_of(u64 p)
{
    return WINDOW + p * 4096;
}

static int local(u64 p)
{
    return p & 2;
}

static void set_entry(u64 p, int valid)
{
    u64 rights = pages[p].rights, flags = PTE_AF | PTE_IS | 3;

    flags |= (local(p) ? PTE_NG : 0) | (rights & W ? 0 : PTE_RO) | (rights & X ? 0 : PXN);
    *(volatile u64 *)page_entry(va_of(p)) = valid && rights ? (FRAME + pages[p].frame * 4096) | flags : 0;
    __asm__ volatile("dsb ishst" ::: "memory");
}

/* In one of the ways that there are; by ASID where the page is not global. */
static void shoot(u64 *seed, u64 p)
{
    u64 page = va_of(p) >> 12, how = random(seed) % 4;

    if (how == 0)
        __asm__ volatile("tlbi vmalle1is" ::: "memory");
    else if (how == 1)
        __asm__ volatile("tlbi vaae1is, %0" ::"r"(page) : "memory");
    else
        for (u64 asid = 1; asid <= 2; asid++)
            __asm__ volatile("tlbi vae1is, %0" ::"r"(page | asid << 48) : "memory");
    __asm__ volatile("dsb ish\n isb" ::: "memory");
}

static void remap(u64 *seed, u64 p)
{
    u64 old = pages[p].frame, f = frame_get();

    if (sum_of(f) != sums[f])
        bad(REMAP, sum_of(f), sums[f]);
    /* Break before make (D8.14.1). */
    set_entry(p, 0);
    shoot(seed, p);
    pages[p].frame = f;
    set_entry(p, 1);
    sums[old] = sum_of(old);
    frame_put(old);
}

static void rights(u64 *seed, u64 p)
{
    static const u8 some[] = {R | W | X, R | W | X, R | X, R | W, R, 0};

    pages[p].rights = some[random(seed) % sizeof(some)];
    set_entry(p, 1);
    shoot(seed, p);
}

static void rewrite(u64 *seed, u64 p)
{
    code(pages[p].frame, random(seed) & 0xffff);
}

static void change(u64 cpu, u64 p)
{
    static void (*const how[])(u64 * seed, u64 p) = {remap, rights, rewrite};
    u64 kind = random(&own[cpu].seed) % 3;

    if (!try_lock(&pages[p].lock))
        return;
    pages[p].seq++;
    fence();
    how[kind](&own[cpu].seed, p);
    fence();
    pages[p].seq++;
    unlock(&pages[p].lock);
    own[cpu].done[REMAP + kind]++;
}

/* ---- uses ---- */

struct seen {
    u64 seq, frame, rights, version;
};

static struct seen look(u64 p)
{
    struct seen s = {.seq = pages[p].seq};

    fence();
    s.frame = pages[p].frame % FRAMES;
    s.rights = pages[p].rights;
    s.version = version[s.frame];
    return s;
}

/* Nothing changed since: what was seen has to be true. */
static int same(u64 p, const struct seen *s)
{
    fence();
    return !(s->seq & 1) && pages[p].seq == s->seq;
}

static void judge(u64 cpu, u64 kind, u64 fault, u64 right, u64 got, u64 want)
{
    own[cpu].done[kind]++;
    own[cpu].faults += fault != 0;
    if (!fault != (right != 0))
        bad(kind, fault, right);
    else if (right && got != want)
        bad(kind, got, want);
}

static void use_data(u64 cpu, u64 p, u64 kind)
{
    u64 at = va_of(p) + SLOT + 64 * cpu, fault, got = ++own[cpu].counter, before, want;
    struct seen s = look(p);

    before = *word(s.frame, SLOT + 64 * cpu);
    if (kind == LOAD) {
        TRY("ldr %0, [%2]", got, va_of(p) + ID, );
        want = s.frame;
    } else if (kind == STORE) {
        want = got;
        TRY("str %0, [%2]", got, at, );
        got = *word(s.frame, SLOT + 64 * cpu);
    } else {
        TRY("ldadd %0, %0, [%2]", got, at, );
        want = before;
    }
    if (same(p, &s))
        judge(cpu, kind, fault, s.rights & (kind == LOAD ? R : W), got, want);
}

static void use_code(u64 cpu, u64 p, u64 kind)
{
    register u64 got __asm__("x0") = 0;
    u64 fault, next = p + (kind == CROSS);
    struct seen s = look(p), t = look(next);

    TRY("blr %2", got, va_of(p) + (kind == CROSS ? TAIL : BODY), );
    if (same(p, &s) && same(next, &t))
        judge(cpu, kind, fault, s.rights & t.rights & X, got, t.version);
}

static void use(u64 cpu, u64 p)
{
    u64 kind = random(&own[cpu].seed) % (CROSS + 1);

    if (kind <= AMO)
        use_data(cpu, p, kind);
    else if (kind == CALL || p + 1 < PAGES)
        use_code(cpu, p, kind);
}

static void job(unsigned cpu)
{
    u64 *seed = &own[cpu].seed, root = READ(ttbr0_el1) & 0xffffffffffff;

    *seed = cpu * 7919 + 1;
    WRITE(vbar_el1, remap_vectors);
    WRITE(ttbr0_el1, root | 1UL << 48);
    barrier();
    for (unsigned i = 0; i < ROUNDS; i++) {
        u64 p = random(seed) % PAGES;

        change(cpu, p);
        if (!(random(seed) & 3))
            WRITE(ttbr0_el1, root | (1 + random(seed) % 2) << 48);
        /* the same page often enough that its code is hot, others now and then */
        for (u64 k = random(seed) % 64; k; k--)
            use(cpu, random(seed) & 3 ? p : random(seed) % PAGES);
    }
    for (unsigned k = 0; k < KINDS; k++)
        __atomic_fetch_add(&totals[k], own[cpu].done[k], __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&faults, own[cpu].faults, __ATOMIC_SEQ_CST);
    WRITE(vbar_el1, vectors);
    barrier();
    WRITE(ttbr0_el1, root);
}

void test_main(void)
{
    section("pages, rights and code change under four CPUs");
    mmu_on();
    for (u64 f = 0; f < FRAMES; f++) {
        for (u64 i = 0; i < 4096; i += 8)
            *word(f, i) = 0;
        *word(f, ID) = f;
        code(f, f);
        sums[f] = sum_of(f);
        if (f >= PAGES)
            frame_put(f);
    }
    for (u64 p = 0; p < PAGES; p++) {
        pages[p].frame = p;
        pages[p].rights = R | W | X;
        set_entry(p, 1);
    }
    tlb_flush();
    on_cpus(CPUS, job);
    check("wrong", wrong, 0);
    if (wrong) {
        check(kind_names[wrong_kind], wrong_got, wrong_want);
        check("kind", wrong_kind, KINDS);
    }
    for (; pool.count; pool.count--, pool.head++) {
        u64 f = pool.free[pool.head % FRAMES];

        check("stored to after the DSB", sum_of(f), sums[f]);
    }
    for (unsigned k = 0; k < KINDS; k++)
        check(kind_names[k], totals[k] > 0, 1);
    check("faults", faults > 0, 1);
}
