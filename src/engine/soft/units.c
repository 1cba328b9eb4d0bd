/* The unit table: see units.h for the protocol. */
#include "engine/soft/units.h"
#include "engine/soft/tlb.h"
#include "lib/err.h"
#include "lib/str.h"

#define HASH_BITS 16
#define HASH_SIZE (1u << HASH_BITS)
#define PAGE_BITS 10
#define PAGES     (1u << PAGE_BITS)
#define LINES     (1u << 16)

/* A guest page with units, or with one being made. Under the lock. */
struct code_page {
    gpa_t gpa;
    struct code_page *next;          /* hash chain */
    struct code_page *older, *newer; /* order of creation, or of being spared: the oldest is evicted first */
    struct unit *units;
    uint64_t version; /* counts writes to code (or possible code) on the page */
    uint64_t lines;   /* of all its units */
    unsigned building;
    bool ready;  /* CODE is set and no vCPU has a write entry */
    bool spared; /* its turn to be evicted came, its compiled units stayed */
};

struct units {
    const struct units_ops *ops;
    struct plat_lock lock;
    struct unit *_Atomic hash[HASH_SIZE];
    struct code_page *pages[PAGES]; /* by the lower bits of the page number */
    _Atomic uint64_t
        lines[LINES]; /* of all pages whose numbers agree in so many lower bits; read without lock */
    struct code_page *oldest, *newest;
    struct unit *dead, **dead_tail; /* by time of death */
    _Atomic uint64_t epoch;         /* counts deaths */
    _Atomic uint64_t jumps_epoch;   /* jump hashes must be emptied when older than this */
    _Atomic uint64_t dead_bytes;    /* changed under the lock, looked at without */
    size_t max_bytes;
    struct units_stat stat;
};

static struct units *units_of(struct vm *vm)
{
    return ((struct soft_vm *)vm->engine_vm)->units;
}

int units_init(struct vm *vm, const struct units_ops *ops, size_t max_bytes)
{
    struct soft_vm *sv = vm->engine_vm;
    struct units *t = plat_alloc(sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->ops = ops;
    t->max_bytes = max_bytes;
    t->dead_tail = &t->dead;
    plat_lock_init(&t->lock);
    sv->units = t;
    return 0;
}

/* ---- hash ---- */

static unsigned hash_index(gpa_t gpa, uint64_t mode)
{
    return (unsigned)(((gpa ^ (mode << 40) ^ (mode >> 20)) * UINT64_C(0x9e3779b97f4a7c15)) >>
                      (64 - HASH_BITS));
}

struct unit *units_find(struct vm *vm, gpa_t gpa, uint64_t mode)
{
    struct units *t = units_of(vm);
    struct unit *u = atomic_load_explicit(&t->hash[hash_index(gpa, mode)], memory_order_acquire);

    while (u && (u->gpa != gpa || u->mode != mode))
        u = atomic_load_explicit(&u->next, memory_order_acquire);
    return u;
}

/* Its own next stays: a reader may stand on it. */
static void hash_remove(struct units *t, struct unit *u)
{
    struct unit *_Atomic *at = &t->hash[hash_index(u->gpa, u->mode)];
    struct unit *x;

    while ((x = atomic_load_explicit(at, memory_order_relaxed)) != u)
        at = &x->next;
    atomic_store_explicit(at, atomic_load_explicit(&u->next, memory_order_relaxed), memory_order_release);
}

/* ---- pages ---- */

/*
 * Whether p holds u by its second page. Both parts of an instruction may lie on one guest-physical page that
 * is mapped twice; it is on that page's list once then.
 */
static unsigned side_of(const struct unit *u, const struct code_page *p)
{
    return (u->gpa & TLB_PAGE_MASK) != p->gpa;
}

static bool has_second(const struct unit *u)
{
    return u->gpa2 != UNIT_NO_PAGE && u->gpa2 != (u->gpa & TLB_PAGE_MASK);
}

static struct code_page **page_slot(struct units *t, gpa_t gpa)
{
    struct code_page **at = &t->pages[(gpa >> MEM_PAGE_BITS) % PAGES];

    while (*at && (*at)->gpa != gpa)
        at = &(*at)->next;
    return at;
}

static _Atomic uint64_t *lines_at(struct units *t, gpa_t gpa)
{
    return &t->lines[(gpa >> MEM_PAGE_BITS) % LINES];
}

static void lines_update(struct units *t, gpa_t gpa)
{
    uint64_t lines = 0;

    for (struct code_page *p = t->pages[(gpa >> MEM_PAGE_BITS) % PAGES]; p; p = p->next)
        lines |= lines_at(t, p->gpa) == lines_at(t, gpa) ? p->lines : 0;
    atomic_store_explicit(lines_at(t, gpa), lines, memory_order_relaxed);
}

static void order_add(struct units *t, struct code_page *p)
{
    p->newer = NULL;
    p->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = p;
    t->newest = p;
}

static void order_remove(struct units *t, struct code_page *p)
{
    *(p->older ? &p->older->newer : &t->oldest) = p->newer;
    *(p->newer ? &p->newer->older : &t->newest) = p->older;
}

static struct code_page *page_get(struct units *t, gpa_t gpa)
{
    struct code_page **at = page_slot(t, gpa);
    struct code_page *p = *at;

    if (p)
        return p;
    p = plat_alloc(sizeof(*p));
    if (!p)
        return NULL;
    p->gpa = gpa;
    order_add(t, p);
    *at = p;
    return p;
}

/* Without units and builders a page is no CODE page any more. */
static void page_put(struct vm *vm, struct code_page *p)
{
    struct units *t = units_of(vm);

    if (p->units || p->building)
        return;
    mem_page_mark(&vm->mem, p->gpa, 0, MEM_PAGE_CODE);
    *page_slot(t, p->gpa) = p->next;
    order_remove(t, p);
    plat_free(p);
}

static void page_unlink(struct code_page *p, struct unit *u, unsigned side)
{
    struct unit **at = &p->units;

    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the unit is on its page's list
    while (*at != u)
        at = &(*at)->page_next[side_of(*at, p)];
    *at = u->page_next[side];
}

/* When units have left. */
static void page_lines(struct units *t, struct code_page *p)
{
    p->lines = 0;
    for (struct unit *u = p->units; u; u = u->page_next[side_of(u, p)])
        p->lines |= u->lines[side_of(u, p)];
    lines_update(t, p->gpa);
}

static void page_link(struct units *t, struct code_page *p, struct unit *u, unsigned side)
{
    u->page_next[side] = p->units;
    p->units = u;
    p->lines |= u->lines[side];
    lines_update(t, p->gpa);
}

/* ---- death ---- */

/* Unlinks everywhere; `except`: a page that its caller holds, tidies and puts itself. */
static void kill_locked(struct vm *vm, struct unit *u, struct code_page *except)
{
    struct units *t = units_of(vm);
    struct code_page *p[2] = {*page_slot(t, u->gpa & TLB_PAGE_MASK), NULL};

    hash_remove(t, u);
    page_unlink(p[0], u, 0);
    if (has_second(u)) {
        p[1] = *page_slot(t, u->gpa2);
        page_unlink(p[1], u, 1);
    }
    __atomic_store_n(&u->dead, true, __ATOMIC_RELEASE);
    plat_meet();
    t->ops->kill(vm, u);
    for (unsigned i = 0; i < 2 && t->ops->unlink; i++) {
        for (struct unit *x = p[i] ? p[i]->units : NULL; x; x = x->page_next[side_of(x, p[i])])
            t->ops->unlink(vm, x, u);
    }
    u->retired = atomic_fetch_add(&t->epoch, 1) + 1;
    u->dead_next = NULL;
    *t->dead_tail = u;
    t->dead_tail = &u->dead_next;
    atomic_fetch_add(&t->dead_bytes, u->size);
    t->stat.bytes -= u->size;
    t->stat.killed++;
    t->stat.count--;
    for (unsigned i = 0; i < 2; i++) {
        if (!p[i] || p[i] == except)
            continue;
        page_lines(t, p[i]);
        page_put(vm, p[i]);
    }
}

/* Those made of the lines; cold: of these only what was not compiled. */
static void page_kill(struct vm *vm, struct code_page *p, uint64_t lines, bool cold)
{
    struct unit *u = p->units, *next;

    p->building++; /* keeps it */
    for (; u; u = next) {
        unsigned side = side_of(u, p);

        next = u->page_next[side];
        if (u->lines[side] & lines && !(cold && atomic_load(&u->jit)))
            kill_locked(vm, u, p);
    }
    p->building--;
    page_lines(units_of(vm), p);
    page_put(vm, p);
}

void units_kill(struct vm *vm, struct unit *u)
{
    struct units *t = units_of(vm);

    plat_lock(&t->lock);
    if (!u->dead)
        kill_locked(vm, u, NULL);
    plat_unlock(&t->lock);
}

static uint64_t lines_of(gpa_t page, gpa_t gpa, uint64_t len)
{
    uint64_t first = gpa > page ? (gpa - page) / 64 : 0;
    uint64_t last = (MIN(gpa + len, page + MEM_PAGE_SIZE) - 1 - page) / 64;

    return (UINT64_MAX >> (63 - last)) & (UINT64_MAX << first);
}

bool units_beside(struct vm *vm, gpa_t gpa, uint64_t len)
{
    uint64_t lines = atomic_load_explicit(lines_at(units_of(vm), gpa), memory_order_relaxed);

    return !(lines & lines_of(gpa & TLB_PAGE_MASK, gpa, len));
}

void units_written(struct vm *vm, gpa_t gpa, uint64_t len)
{
    struct units *t = units_of(vm);

    plat_lock(&t->lock);
    for (gpa_t page = gpa & TLB_PAGE_MASK; page < gpa + len; page += MEM_PAGE_SIZE) {
        struct code_page *p = *page_slot(t, page);
        uint64_t lines = lines_of(page, gpa, len);

        if (!p)
            continue;
        /* A builder has read bytes that it has not told us of yet. */
        if (p->building)
            p->version++;
        if (p->lines & lines)
            page_kill(vm, p, lines, false);
    }
    plat_unlock(&t->lock);
}

static struct code_page *oldest_with_units(struct units *t)
{
    struct code_page *p = t->oldest;

    while (p && !p->units)
        p = p->newer;
    return p;
}

void units_flush(struct vm *vm)
{
    struct units *t = units_of(vm);
    struct code_page *p;

    plat_lock(&t->lock);
    for (p = t->oldest; p; p = p->newer)
        p->version++;
    while ((p = oldest_with_units(t)))
        page_kill(vm, p, UINT64_MAX, false);
    plat_unlock(&t->lock);
}

static void evict(struct vm *vm, struct units *t, uint64_t room)
{
    struct code_page *p;

    if (t->stat.bytes + room <= t->max_bytes)
        return;
    /*
     * An eighth at a time: the jump hashes have to be emptied for each round. What was compiled was much
     * used: it stays for one more turn, else the oldest, a kernel's, would be made anew all the time.
     */
    while (t->stat.bytes + room > t->max_bytes - t->max_bytes / 8 && (p = oldest_with_units(t))) {
        uint64_t before = t->stat.count;
        bool spare = !p->spared;

        p->spared = true;
        order_remove(t, p);
        order_add(t, p);
        page_kill(vm, p, UINT64_MAX, spare);
        t->stat.evicted += before - t->stat.count;
    }
}

/* ---- making one ---- */

static void drop_write(struct vcpu *v, void *page)
{
    tlb_drop_write(v, page);
}

/* Afterwards every store to the page finds CODE set. */
static int page_protect(struct vcpu *v, gpa_t gpa)
{
    struct vm *vm = v->vm;
    uint8_t *host = mem_ptr(&vm->mem, gpa, MEM_PAGE_SIZE, false);

    if (!host)
        return -EFAULT;
    plat_meet();
    mem_page_mark(&vm->mem, gpa, MEM_PAGE_CODE, 0);
    plat_meet();
    tlb_drop_write(v, host);
    if (vm->vcpu_count > 1)
        vcpu_call_others(v, vm, drop_write, host);
    return 0;
}

static int page_begin(struct vcpu *v, gpa_t gpa, uint64_t *version)
{
    struct units *t = units_of(v->vm);
    struct code_page *p;
    int err = 0;

    plat_lock(&t->lock);
    p = page_get(t, gpa);
    if (p)
        p->building++; /* from here on p stays and CODE is not cleared */
    plat_unlock(&t->lock);
    if (!p)
        return -ENOMEM;
    /* `ready` goes from false to true only: whoever sees it true may rely on another's wait. */
    if (!__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE))
        err = page_protect(v, gpa);
    plat_lock(&t->lock);
    if (!err)
        __atomic_store_n(&p->ready, true, __ATOMIC_RELEASE);
    *version = p->version;
    if (err) {
        p->building--;
        page_put(v->vm, p);
    }
    plat_unlock(&t->lock);
    return err;
}

/* Lock held. Whether nothing was written since. */
static bool page_end(struct units *t, gpa_t gpa, uint64_t version)
{
    struct code_page *p = *page_slot(t, gpa);

    p->building--;
    return p->version == version;
}

int units_begin(struct vcpu *v, struct units_build *b, gpa_t gpa, gpa_t gpa2)
{
    int err;

    b->page[0] = gpa & TLB_PAGE_MASK;
    b->page[1] = gpa2 != UNIT_NO_PAGE ? gpa2 : b->page[0];
    err = page_begin(v, b->page[0], &b->version[0]);
    if (err || b->page[0] == b->page[1])
        return err;
    err = page_begin(v, b->page[1], &b->version[1]);
    if (err) {
        b->page[1] = b->page[0];
        units_abort(v, b);
    }
    return err;
}

static bool build_end(struct units *t, struct units_build *b)
{
    bool same = page_end(t, b->page[0], b->version[0]);

    if (b->page[1] != b->page[0])
        same &= page_end(t, b->page[1], b->version[1]);
    return same;
}

static void build_put(struct vm *vm, struct units_build *b)
{
    struct code_page *p;

    for (unsigned i = 0; i < 2; i++) {
        p = *page_slot(units_of(vm), b->page[i]);
        if (p)
            page_put(vm, p);
    }
}

void units_abort(struct vcpu *v, struct units_build *b)
{
    struct units *t = units_of(v->vm);

    plat_lock(&t->lock);
    build_end(t, b);
    build_put(v->vm, b);
    plat_unlock(&t->lock);
}

static void insert_locked(struct vm *vm, struct unit *u)
{
    struct units *t = units_of(vm);
    struct unit *_Atomic *at = &t->hash[hash_index(u->gpa, u->mode)];

    page_link(t, *page_slot(t, u->gpa & TLB_PAGE_MASK), u, 0);
    if (has_second(u))
        page_link(t, *page_slot(t, u->gpa2), u, 1);
    atomic_store_explicit(&u->next, atomic_load_explicit(at, memory_order_relaxed), memory_order_relaxed);
    atomic_store_explicit(at, u, memory_order_release);
    t->stat.made++;
    t->stat.count++;
    t->stat.bytes += u->size;
}

int units_insert(struct vcpu *v, struct units_build *b, struct unit **u)
{
    struct vm *vm = v->vm;
    struct units *t = units_of(vm);
    struct unit *other;

    plat_lock(&t->lock);
    evict(vm, t, (*u)->size);
    if (!build_end(t, b)) {
        build_put(vm, b);
        plat_unlock(&t->lock);
        return -EAGAIN;
    }
    other = units_find(vm, (*u)->gpa, (*u)->mode);
    if (other && other->gpa2 == (*u)->gpa2) {
        plat_unlock(&t->lock);
        units_free(vm, *u);
        *u = other;
        return 0;
    }
    insert_locked(vm, *u);
    if (other) /* crosses into another page now */
        kill_locked(vm, other, NULL);
    plat_unlock(&t->lock);
    return 0;
}

struct unit *units_alloc(struct vm *vm)
{
    struct unit *u = plat_alloc(sizeof(*u));

    if (u)
        u->gpa2 = UNIT_NO_PAGE;
    else
        units_flush(vm);
    return u;
}

void units_free(struct vm *vm, struct unit *u)
{
    units_of(vm)->ops->release(vm, u);
    plat_free(u->code);
    plat_free(u);
}

void units_charge(struct vm *vm, struct unit *u, int64_t bytes)
{
    struct units *t = units_of(vm);

    plat_lock(&t->lock);
    u->size = (uint32_t)(u->size + bytes);
    if (u->dead)
        atomic_fetch_add(&t->dead_bytes, (uint64_t)bytes);
    else
        t->stat.bytes += (uint64_t)bytes;
    plat_unlock(&t->lock);
}

/* ---- safepoints and release ---- */

/* All vCPUs have emptied their jump hash since `epoch`, or will before they look at it. */
static bool all_past(struct vm *vm, uint64_t epoch)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct soft_vcpu *s = soft_of(vm->vcpu[i]);

        if (__atomic_load_n(&s->epoch, __ATOMIC_SEQ_CST) != UINT64_MAX &&
            __atomic_load_n(&s->jumps_epoch, __ATOMIC_SEQ_CST) < epoch)
            return false;
    }
    return true;
}

static void release_until(struct vm *vm, uint64_t epoch)
{
    struct units *t = units_of(vm);

    while (t->dead && t->dead->retired <= epoch) {
        struct unit *u = t->dead;

        t->dead = u->dead_next;
        if (!t->dead)
            t->dead_tail = &t->dead;
        atomic_fetch_sub(&t->dead_bytes, u->size);
        units_free(vm, u);
    }
}

/* Dead units are let gather, since releasing them costs every vCPU its jump hash. */
static bool release_due(struct units *t)
{
    return atomic_load_explicit(&t->dead_bytes, memory_order_relaxed) > t->max_bytes / 16;
}

static void release(struct vm *vm)
{
    struct units *t = units_of(vm);

    plat_lock(&t->lock);
    if (all_past(vm, atomic_load(&t->jumps_epoch))) {
        release_until(vm, atomic_load(&t->jumps_epoch));
        if (release_due(t))
            atomic_store(&t->jumps_epoch, atomic_load(&t->epoch));
    }
    plat_unlock(&t->lock);
}

void units_safepoint(struct vcpu *v)
{
    struct units *t = units_of(v->vm);
    struct soft_vcpu *s = soft_of(v);
    uint64_t jumps;

    plat_meet();
    /* Pairs with all_past(): either it sees us inside, or we see its epoch. */
    if (UNLIKELY(s->epoch == UINT64_MAX))
        __atomic_store_n(&s->epoch, 0, __ATOMIC_SEQ_CST);
    plat_meet();
    jumps = atomic_load(&t->jumps_epoch);
    if (UNLIKELY(s->jumps_epoch != jumps)) {
        soft_jumps_clear(s);
        __atomic_store_n(&s->jumps_epoch, jumps, __ATOMIC_SEQ_CST);
    }
    if (UNLIKELY(release_due(t)))
        release(v->vm);
}

void units_leave(struct vcpu *v)
{
    plat_meet();
    __atomic_store_n(&soft_of(v)->epoch, UINT64_MAX, __ATOMIC_SEQ_CST);
}

void units_fini(struct vm *vm)
{
    struct soft_vm *sv = vm->engine_vm;
    struct units *t = sv->units;

    if (!t)
        return;
    units_flush(vm);
    release_until(vm, UINT64_MAX);
    plat_lock_fini(&t->lock);
    plat_free(t);
    sv->units = NULL;
}

void units_stat(struct vm *vm, struct units_stat *out)
{
    struct units *t = units_of(vm);

    plat_lock(&t->lock);
    *out = t->stat;
    plat_unlock(&t->lock);
}
