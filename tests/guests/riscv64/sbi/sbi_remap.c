/*
 * Four harts change code, mappings and permissions of pages that all of them use, and tell the others by the
 * SBI's remote fences (SBI 2.0, chapter 8); what a hart sees between two changes is known exactly:
 *
 * - a page's sequence number is odd while a hart changes it. An access with the same even number before and
 *   after it has to see the page's frame, its code and its rights, or trap.
 * - when the fence has returned nobody stores into the frame that was taken away: it is kept for a while, and
 *   looked at before it is used again (Priv. 10.2.1).
 */
#include "sbi.h"

#define HARTS  4UL
#define PAGES  8UL
#define FRAMES 24UL
#define VBASE  (TVA + 0x200000)
#define FRAME  (SCRATCH + 0x100000)

/* In a frame. The instruction at TAIL + 2 goes on at the beginning of the next page. */
#define HEAD 0x000 /* second half of: addi a0, a0, version; then: c.jr ra */
#define BODY 0x004 /* addi a0, zero, version; ret */
#define ID   0x040
#define SLOT 0x080 /* 64 bytes a hart, of which it writes 8 */
#define TAIL 0xffc /* c.li a0, 0; first half of: addi a0, a0, ... */

#define ADDI(rd, rs, n) ((u32)(n) << 20 | (rs) << 15 | (rd) << 7 | 0x13)
#define A0              10

enum { LOAD, STORE, AMO, CALL, CROSS, REMAP, RIGHTS, REWRITE, KINDS };
static const char *const kind_names[] = {"loads",   "stores", "amos",   "calls",
                                         "crosses", "remaps", "rights", "rewrites"};

static struct page {
    volatile u64 seq, frame, rights;
    u64 lock;
    char pad[96];
} pages[PAGES];
static struct frame {
    volatile u64 version, sum;
} frames[FRAMES];
static struct {
    u64 lock;
    u64 free[FRAMES], head, count;
} pool;
static struct {
    u64 seed, rounds, bad;
    u64 what, page, got, want; /* of the first */
    volatile u64 count[KINDS], checked[KINDS], faults;
} all;
static struct {
    u64 seed, n, counter, checked[KINDS], count[KINDS], faults;
    char pad[64];
} own[HART_MAX];

static void fence(void)
{
    asm volatile("fence rw, rw" ::: "memory");
}

static int try_lock(u64 *l)
{
    u64 old;

    asm volatile("amoswap.d.aq %0, %1, (%2)" : "=r"(old) : "r"(1UL), "r"(l) : "memory");
    return !old;
}

static void unlock(u64 *l)
{
    asm volatile("amoswap.d.rl zero, zero, (%0)" ::"r"(l) : "memory");
}

static void add(volatile u64 *p, u64 n)
{
    asm volatile("amoadd.d zero, %0, (%1)" ::"r"(n), "r"(p) : "memory");
}

static void bad(u64 what, u64 page, u64 got, u64 want)
{
    u64 old;

    asm volatile("amoadd.d %0, %1, (%2)" : "=r"(old) : "r"(1UL), "r"(&all.bad) : "memory");
    if (old)
        return;
    all.what = what;
    all.page = page;
    all.got = got;
    all.want = want;
}

/* ---- frames ---- */

static u64 frame_at(u64 f)
{
    return FRAME + f * PAGE;
}

static u64 frame_sum(u64 f)
{
    u64 sum = peek64(frame_at(f) + ID);

    for (u64 h = 0; h < HARTS; h++)
        sum = sum * 31 + peek64(frame_at(f) + SLOT + 64 * h);
    return sum;
}

/* By the frame's own address, whatever its pages' rights are. */
static void frame_code(u64 f, u64 version)
{
    u64 at = frame_at(f);

    poke32(at + BODY, ADDI(A0, 0, version));
    poke32(at + BODY + 4, INSN_RET);
    poke32(at + HEAD, (ADDI(A0, A0, version) >> 16) | 0x80820000u);
    poke32(at + TAIL, 0x4501 | (ADDI(A0, A0, version) & 0xffff) << 16);
    frames[f].version = version;
}

static void frame_new(u64 f)
{
    for (u64 i = 0; i < PAGE; i += 8)
        poke64(frame_at(f) + i, 0);
    poke64(frame_at(f) + ID, f);
    frame_code(f, f);
    frames[f].sum = frame_sum(f);
}

static u64 frame_get(void)
{
    u64 f;

    while (!try_lock(&pool.lock))
        ;
    f = pool.free[pool.head % FRAMES];
    pool.head++;
    pool.count--;
    unlock(&pool.lock);
    return f;
}

/* The one taken away longest ago comes back first. */
static void frame_put(u64 f)
{
    while (!try_lock(&pool.lock))
        ;
    pool.free[(pool.head + pool.count) % FRAMES] = f;
    pool.count++;
    unlock(&pool.lock);
}

/* ---- changes ---- */

static u64 va_of(u64 p)
{
    return VBASE + p * PAGE;
}

/* The harts change between two ASIDs of one table; some pages are global (10.3.1). */
#define ASIDS 2UL

static u64 global(u64 p)
{
    return p & 2 ? PTE_G : 0;
}

static void map(u64 p)
{
    u64 flags = pages[p].rights ? PTE_V | PTE_AD | pages[p].rights | global(p) : 0;

    *vm_pte(va_of(p), 0) = pte_of(frame_at(pages[p].frame), flags);
    fence();
}

/* In one of the ways that there are: harts by mask or all, a page or all; by ASID where the page is not
 * global. */
static void shoot(u64 *seed, u64 p)
{
    u64 r = rnd(seed), mask = (1UL << HARTS) - 1, base = 0, start = va_of(p), size = PAGE;

    if (r & 1) {
        base = ~0UL;
        mask = 0;
    }
    if (!(r & 14)) {
        start = 0;
        size = ~0UL;
    }
    if (r & 16 || global(p)) {
        if (sbi(SBI_RFENCE, 1, mask, base, start, size, 0).error)
            bad(KINDS, p, 1, 0);
    } else {
        for (u64 asid = 1; asid <= ASIDS; asid++) {
            if (sbi(SBI_RFENCE, 2, mask, base, start, size, asid).error)
                bad(KINDS, p, 1, 0);
        }
    }
    fence();
}

static void code_fence(u64 p)
{
    if (sbi(SBI_RFENCE, 0, (1UL << HARTS) - 1, 0, 0, 0, 0).error)
        bad(KINDS, p, 1, 0);
    fence();
}

static void remap(u64 *seed, u64 p)
{
    u64 old = pages[p].frame, f = frame_get();

    if (frame_sum(f) != frames[f].sum)
        bad(REMAP, p, frame_sum(f), frames[f].sum);
    if (rnd(seed) & 1) { /* not valid for a while */
        *vm_pte(va_of(p), 0) = 0;
        fence();
        shoot(seed, p);
    }
    pages[p].frame = f;
    map(p);
    shoot(seed, p);
    frames[old].sum = frame_sum(old);
    frame_put(old);
}

static void rights(u64 *seed, u64 p)
{
    static const u64 some[] = {PTE_RWX, PTE_RWX, PTE_R | PTE_W, PTE_R | PTE_X, PTE_R, PTE_X, 0};

    pages[p].rights = some[rnd(seed) % COUNT(some)];
    map(p);
    shoot(seed, p);
}

static void rewrite(u64 *seed, u64 p)
{
    frame_code(pages[p].frame, rnd(seed) & 2047);
    fence();
    code_fence(p);
}

static void change(u64 hart, u64 p)
{
    static void (*const how[])(u64 * seed, u64 p) = {remap, rights, rewrite};
    u64 *seed = &own[hart].seed, kind = rnd(seed) % COUNT(how);

    if (!try_lock(&pages[p].lock))
        return;
    pages[p].seq++;
    fence();
    how[kind](seed, p);
    fence();
    pages[p].seq++;
    unlock(&pages[p].lock);
    own[hart].count[REMAP + kind]++;
}

/* ---- uses ---- */

struct seen {
    u64 seq, frame, rights, version;
};

static struct seen look(u64 p)
{
    struct seen s = {.seq = pages[p].seq};

    asm volatile("fence r, rw" ::: "memory");
    s.frame = pages[p].frame;
    s.rights = pages[p].rights;
    s.version = frames[s.frame % FRAMES].version;
    return s;
}

/* Nothing changed since: what was seen has to be true. */
static int same(u64 p, const struct seen *s)
{
    fence();
    return !(s->seq & 1) && pages[p].seq == s->seq;
}

static void judge(u64 hart, u64 kind, u64 p, struct result r, u64 right, u64 cause, u64 want)
{
    own[hart].checked[kind]++;
    own[hart].faults += r.fault != 0;
    if (r.fault != (right ? 0 : cause + 1))
        bad(kind, p, r.fault << 32, right ? 0 : (cause + 1) << 32);
    else if (right && r.value != want)
        bad(kind, p, r.value, want);
}

static void use_load(u64 hart, u64 p)
{
    struct seen s = look(p);
    struct result r = acc_ld(va_of(p) + ID);

    if (same(p, &s))
        judge(hart, LOAD, p, r, s.rights & PTE_R, C_LOAD_PAGE, s.frame);
}

static void use_store(u64 hart, u64 p)
{
    u64 n = ++own[hart].counter;
    struct seen s = look(p);
    struct result r = acc_sd(va_of(p) + SLOT + 64 * hart, n);

    r.value = peek64(frame_at(s.frame % FRAMES) + SLOT + 64 * hart);
    if (same(p, &s))
        judge(hart, STORE, p, r, s.rights & PTE_W, C_STORE_PAGE, n);
}

static void use_amo(u64 hart, u64 p)
{
    struct seen s = look(p);
    u64 before = peek64(frame_at(s.frame % FRAMES) + SLOT + 64 * hart);
    struct result r = acc_amo(va_of(p) + SLOT + 64 * hart, 1);

    if (same(p, &s))
        judge(hart, AMO, p, r, s.rights & PTE_W, C_STORE_PAGE, before);
}

static void use_call(u64 hart, u64 p)
{
    struct seen s = look(p);
    struct result r = acc_call(va_of(p) + BODY);

    if (same(p, &s))
        judge(hart, CALL, p, r, s.rights & PTE_X, C_FETCH_PAGE, s.version);
}

static void use_cross(u64 hart, u64 p)
{
    struct seen s = look(p), t = look(p + 1);
    struct result r = acc_call(va_of(p) + TAIL);

    if (same(p, &s) && same(p + 1, &t))
        judge(hart, CROSS, p, r, s.rights & t.rights & PTE_X, C_FETCH_PAGE, t.version);
}

static void use(u64 hart, u64 p)
{
    switch (rnd(&own[hart].seed) % 5) {
    case 0:
        use_load(hart, p);
        return;
    case 1:
        use_store(hart, p);
        return;
    case 2:
        use_amo(hart, p);
        return;
    case 3:
        use_call(hart, p);
        return;
    default:
        if (p + 1 < PAGES)
            use_cross(hart, p);
    }
}

void sbi_job(u64 hart)
{
    u64 *seed = &own[hart].seed;

    csr_write("satp", vm_satp(1));
    asm volatile("sfence.vma" ::: "memory");
    *seed = all.seed * 1000003 + hart * 7919 + 1;
    for (u64 i = 0; i < 8; i++)
        rnd(seed);
    sbi_meet(HARTS, hart);
    for (u64 i = 0; i < all.rounds; i++) {
        u64 p = rnd(seed) % PAGES;

        change(hart, p);
        if (!(rnd(seed) & 3))
            csr_write("satp", vm_satp(1 + rnd(seed) % ASIDS));
        /* the same page often enough that its code is hot, its neighbour and others now and then */
        for (u64 k = rnd(seed) % 64; k; k--)
            use(hart, rnd(seed) & 3 ? p : rnd(seed) % PAGES);
    }
    for (u64 k = 0; k < KINDS; k++) {
        add(&all.checked[k], own[hart].checked[k]);
        add(&all.count[k], own[hart].count[k]);
    }
    add(&all.faults, own[hart].faults);
    sbi_meet(HARTS, hart);
}

void sbi_test(void)
{
    all.seed = sbi_option("seed", 1);
    all.rounds = sbi_option("rounds", 400);
    section("pages, rights and code change under four harts");
    note("seed", all.seed);
    vm_new(3);
    for (u64 f = 0; f < FRAMES; f++) {
        frame_new(f);
        if (f >= PAGES)
            frame_put(f);
    }
    for (u64 p = 0; p < PAGES; p++) {
        pages[p].frame = p;
        pages[p].rights = PTE_RWX;
        map(p);
    }
    fence_i();
    sbi_run(HARTS);
    csr_write("satp", 0);
    check("wrong", all.bad, 0);
    if (all.bad) {
        note("first: kind", all.what);
        note("first: page", all.page);
        check("first", all.got, all.want);
    }
    for (u64 f = 0; pool.count; pool.count--, pool.head++) {
        f = pool.free[pool.head % FRAMES];
        check("stored to after the fence", frame_sum(f), frames[f].sum);
    }
    for (u64 k = 0; k < KINDS; k++) {
        check_true(kind_names[k], all.count[k] + all.checked[k] > 0);
        note(kind_names[k], all.count[k] + all.checked[k]);
    }
    check_true("faults", all.faults > 0);
    note("faults", all.faults);
}
