/* The soft TLB: what hits, what each flush forgets, what large pages and code pages do. */
#include "engine/interp/interp.h"
#include "engine/soft/toy_test.h"

static void *rd(struct toy_vm *x, gva_t va)
{
    void *p = tlb_read(soft_of(x->v), va, 8);

    return p ? p : tlb_fill_read(x->v, va, 8);
}

static void *wr(struct toy_vm *x, gva_t va)
{
    void *p = tlb_write(soft_of(x->v), va, 8);

    return p ? p : tlb_fill_write(x->v, va, 8);
}

static struct toy_vm paged(void)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    x.t->paging = true;
    x.t->space = 1;
    soft_context_changed(x.v);
    return x;
}

static void hits(void **state)
{
    struct toy_vm x = paged();
    struct soft_vcpu *s = soft_of(x.v);

    (void)state;
    toy_map(&x, 0x4000, TOY_RAM + 0x3000, 0x1000);
    assert_null(tlb_read(s, 0x4000, 8));
    assert_ptr_equal(rd(&x, 0x4008), x.ram + 0x3008);
    assert_ptr_equal(tlb_read(s, 0x4ff8, 8), x.ram + 0x3ff8);
    assert_int_equal(x.t->walks, 1);
    /* Across the end of the page, and as a write: not. */
    assert_null(tlb_read(s, 0x4ff9, 8));
    assert_null(tlb_write(s, 0x4000, 8));
    assert_null(tlb_fill_read(x.v, 0x4ff9, 8));
    assert_null(rd(&x, 0x9000));
    toy_free(&x);
}

/* Pages a power of two apart, and neighbours at each place where the index wraps. */
static void neighbours_differ(void **state)
{
    (void)state;
    for (uint64_t page = 0; page < 1u << 22; page += 7)
        assert_int_not_equal(tlb_set(page << 12), tlb_set((page + 1) << 12));
    for (unsigned bit = TLB_SET_BITS; bit < TLB_SET_BITS * 2; bit++)
        assert_int_not_equal(tlb_set(UINT64_C(5) << 12),
                             tlb_set((UINT64_C(5) << 12) + (UINT64_C(0x1000) << bit)));
}

static void writes_set_dirty(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    soft_context_changed(x.v);
    mem_page_mark(&x.vm->mem, TOY_RAM + 0x5000, 0, MEM_PAGE_DIRTY);
    assert_non_null(rd(&x, TOY_RAM + 0x5000));
    assert_int_equal(mem_page_flags(&x.vm->mem, TOY_RAM + 0x5000), 0);
    assert_non_null(wr(&x, TOY_RAM + 0x5000));
    assert_int_equal(mem_page_flags(&x.vm->mem, TOY_RAM + 0x5000), MEM_PAGE_DIRTY);
    /* After the flags were cleared stores have to come by again. */
    mem_page_mark(&x.vm->mem, TOY_RAM + 0x5000, 0, MEM_PAGE_DIRTY);
    soft_dirty_restart(x.vm);
    assert_null(tlb_write(soft_of(x.v), TOY_RAM + 0x5000, 8));
    assert_non_null(wr(&x, TOY_RAM + 0x5000));
    assert_int_equal(mem_page_flags(&x.vm->mem, TOY_RAM + 0x5000), MEM_PAGE_DIRTY);
    /* ROM: reads only. Devices and nothing: neither. */
    assert_non_null(rd(&x, TOY_ROM));
    assert_null(wr(&x, TOY_ROM));
    assert_null(rd(&x, TOY_DEV));
    assert_null(wr(&x, TOY_DEV));
    assert_null(rd(&x, 0x1000));
    toy_free(&x);
}

static void code_pages(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1);

    (void)state;
    soft_context_changed(x.v);
    assert_non_null(wr(&x, TOY_RAM + 0x2000));
    assert_non_null(wr(&x, TOY_RAM + 0x3000));
    mem_page_mark(&x.vm->mem, TOY_RAM + 0x2000, MEM_PAGE_CODE, 0);
    tlb_drop_write(x.v, x.ram + 0x2000);
    assert_null(tlb_write(soft_of(x.v), TOY_RAM + 0x2000, 8));
    /* Its neighbour is still known. */
    assert_non_null(tlb_write(soft_of(x.v), TOY_RAM + 0x3000, 8));
    tlb_drop_write(x.v, x.ram + 0x3000);
    assert_null(tlb_write(soft_of(x.v), TOY_RAM + 0x3000, 8));
    assert_null(wr(&x, TOY_RAM + 0x2000));
    assert_non_null(rd(&x, TOY_RAM + 0x2000));
    toy_free(&x);
}

/* Two pages in one set: the one whose host page gets code goes, in either way. */
static void code_pages_of_a_set(void **state)
{
    enum { ONE = 0x4000, OTHER = (TLB_SETS + 3) << MEM_PAGE_BITS };
    const gva_t va[2] = {ONE, OTHER};

    (void)state;
    assert_int_equal(tlb_set(ONE), tlb_set(OTHER));
    for (unsigned gone = 0; gone < 2; gone++) {
        struct toy_vm x = paged();

        toy_map(&x, ONE, TOY_RAM + 0x2000, 0x1000);
        toy_map(&x, OTHER, TOY_RAM + 0x3000, 0x1000);
        assert_non_null(wr(&x, ONE));
        assert_non_null(wr(&x, OTHER));
        tlb_drop_write(x.v, x.ram + 0x2000 + 0x1000 * gone);
        assert_null(tlb_write(soft_of(x.v), va[gone], 8));
        assert_non_null(tlb_write(soft_of(x.v), va[!gone], 8));
        toy_free(&x);
    }
}

/* One page under two addresses, and others whose numbers agree in the lower bits: each is found. */
static void code_pages_in_several_sets(void **state)
{
    enum { ONE = 0x4000, OTHER = 0x205000, THIRD = 0x309000 };
    struct toy_vm x = paged();

    (void)state;
    toy_map(&x, ONE, TOY_RAM + 0x2000, 0x1000);
    toy_map(&x, OTHER, TOY_RAM + 0x2000, 0x1000);
    toy_map(&x, THIRD, TOY_RAM + 0x3000, 0x1000);
    for (unsigned turn = 0; turn < 3; turn++) {
        assert_non_null(wr(&x, ONE));
        assert_non_null(wr(&x, THIRD));
        if (turn != 1)
            assert_non_null(wr(&x, OTHER));
        tlb_drop_write(x.v, x.ram + 0x2000);
        assert_null(tlb_write(soft_of(x.v), ONE, 8));
        assert_null(tlb_write(soft_of(x.v), OTHER, 8));
        assert_non_null(tlb_write(soft_of(x.v), THIRD, 8));
    }
    tlb_drop_write(x.v, x.ram + 0x3000);
    assert_null(tlb_write(soft_of(x.v), THIRD, 8));
    toy_free(&x);
}

static void flush(struct toy_vm *x, enum flush_kind kind, gva_t va, uint64_t asid)
{
    soft_flush(x->v, &(struct flush_scope){kind, va, asid});
}

/* One store at a time to a page with code, where no unit is made of the bytes. */
static void stores_beside_code(void **state)
{
    struct toy_vm x = toy_new(&engine_interp, 1), two = toy_new(&engine_interp, 2);
    gva_t va = TOY_RAM + 0x2000;

    (void)state;
    soft_context_changed(x.v);
    mem_page_mark(&x.vm->mem, va, MEM_PAGE_CODE, MEM_PAGE_DIRTY);
    assert_null(tlb_store_once(x.v, va, 8));
    assert_null(wr(&x, va));
    assert_int_equal(mem_page_flags(&x.vm->mem, va), MEM_PAGE_CODE | MEM_PAGE_DIRTY);
    assert_ptr_equal(tlb_store_once(x.v, va + 0xff8, 8), x.ram + 0x2ff8);
    assert_null(tlb_store_once(x.v, va + 0xff9, 8));
    assert_int_equal((uintptr_t)tlb_fill_store(x.v, va, 8), (uintptr_t)x.ram + 0x2000 + TLB_ONCE);
    assert_null(tlb_write(soft_of(x.v), va, 8));
    /* Somebody wants to hear of it; nobody any more, not even of code. */
    mem_page_mark(&x.vm->mem, va, MEM_PAGE_WATCH, 0);
    assert_null(tlb_fill_store(x.v, va, 8));
    mem_page_mark(&x.vm->mem, va, 0, MEM_PAGE_WATCH);
    flush(&x, FLUSH_PAGE, va, 0);
    assert_null(tlb_store_once(x.v, va, 8));
    mem_page_mark(&x.vm->mem, va, 0, MEM_PAGE_CODE);
    assert_ptr_equal(tlb_fill_store(x.v, va, 8), x.ram + 0x2000);
    toy_free(&x);
    soft_context_changed(two.v);
    mem_page_mark(&two.vm->mem, va, MEM_PAGE_CODE, 0);
    assert_null(tlb_fill_store(two.v, va, 8));
    toy_free(&two);
}

static bool cached(struct toy_vm *x, gva_t va)
{
    return tlb_read(soft_of(x->v), va, 1) != NULL;
}

static void space(struct toy_vm *x, uint64_t n)
{
    x->t->space = n;
    soft_context_changed(x->v);
}

static void flush_scopes(void **state)
{
    struct toy_vm x = paged();

    (void)state;
    toy_map(&x, 0x4000, TOY_RAM, 0x1000);
    toy_map(&x, 0x5000, TOY_RAM + 0x1000, 0x1000);
    space(&x, 2);
    toy_map(&x, 0x4000, TOY_RAM + 0x2000, 0x1000);
    assert_ptr_equal(rd(&x, 0x4000), x.ram + 0x2000);
    space(&x, 1);
    assert_false(cached(&x, 0x4000)); /* the other space's */
    assert_ptr_equal(rd(&x, 0x4000), x.ram);
    rd(&x, 0x5000);
    space(&x, 2);
    assert_true(cached(&x, 0x4000)); /* it lived through the switches */
    flush(&x, FLUSH_ASID, 0, 2);
    assert_false(cached(&x, 0x4000));
    space(&x, 1);
    assert_true(cached(&x, 0x4000));
    flush(&x, FLUSH_PAGE, 0x4abc, 0);
    assert_false(cached(&x, 0x4000));
    assert_true(cached(&x, 0x5000));
    rd(&x, 0x4000);
    flush(&x, FLUSH_PAGE_ASID, 0x5000, 1);
    assert_false(cached(&x, 0x5000));
    assert_true(cached(&x, 0x4000));
    flush(&x, FLUSH_ALL, 0, 0);
    assert_false(cached(&x, 0x4000));
    toy_free(&x);
}

/* A large page fills without walks; naming any address of it forgets every piece. */
static void large_pages(void **state)
{
    struct toy_vm x = paged();
    struct toy_page *p = toy_map(&x, 0x200000, TOY_RAM, 0x40000 > TOY_SIZE ? TOY_SIZE : 0x40000);

    (void)state;
    p->size = 0x200000; /* 2 MiB; only the first 256 KiB are RAM */
    assert_ptr_equal(rd(&x, 0x203000), x.ram + 0x3000);
    assert_ptr_equal(rd(&x, 0x207000), x.ram + 0x7000);
    assert_ptr_equal(rd(&x, 0x204000), x.ram + 0x4000);
    assert_int_equal(x.t->walks, 1);
    flush(&x, FLUSH_PAGE, 0x210000, 0);
    assert_false(cached(&x, 0x203000));
    p->size = 0;
    assert_null(rd(&x, 0x203000));
    toy_free(&x);
}

/* Global: a walk in one space serves the others, and an ASID flush leaves it. */
static void global_pages(void **state)
{
    struct toy_vm x = paged();
    struct toy_page *p = toy_map(&x, 0x200000, TOY_RAM, 0x1000);

    (void)state;
    p->size = 0x200000;
    p->global = true;
    rd(&x, 0x200000);
    space(&x, 9);
    assert_ptr_equal(rd(&x, 0x201000), x.ram + 0x1000);
    flush(&x, FLUSH_ASID, 0, 9);
    assert_ptr_equal(rd(&x, 0x202000), x.ram + 0x2000);
    assert_int_equal(x.t->walks, 1);
    flush(&x, FLUSH_ALL, 0, 0);
    rd(&x, 0x202000);
    assert_int_equal(x.t->walks, 2);
    toy_free(&x);
}

/* Data of a kernel: global pages outlive a change of the address space, others do not, nor an ASID flush. */
static void global_data(void **state)
{
    struct toy_vm x = paged();
    struct soft_vcpu *s = soft_of(x.v);
    unsigned n = soft_bank(x.v->mode) * SOFT_SITES + 3;

    (void)state;
    x.t->shares = true;
    space(&x, 1);
    toy_map(&x, 0x4000, TOY_RAM, 0x1000)->global = true;
    toy_map(&x, 0x5000, TOY_RAM + 0x1000, 0x1000);
    rd(&x, 0x4000);
    rd(&x, 0x5000);
    wr(&x, 0x5000);
    s->sites[n].page = 0x5000;
    s->sites_pages[n >> SOFT_BLOCK_BITS] = soft_page_bit(0x5000);
    space(&x, 2);
    assert_true(cached(&x, 0x4000));
    assert_false(cached(&x, 0x5000));
    assert_null(tlb_write(s, 0x5000, 8));
    assert_int_equal(s->sites[n].page, s->site_empty);
    space(&x, 1);
    rd(&x, 0x5000);
    assert_true(cached(&x, 0x5000));
    flush(&x, FLUSH_ASID, 0, 1);
    assert_true(cached(&x, 0x4000));
    assert_false(cached(&x, 0x5000));
    flush(&x, FLUSH_ALL, 0, 0);
    assert_false(cached(&x, 0x4000));
    toy_free(&x);
}

/* More of the others than are written down: all goes; too often, and nothing is shared any more. */
static void local_floods(void **state)
{
    struct toy_vm x = paged();
    struct soft_vcpu *s = soft_of(x.v);

    (void)state;
    x.t->shares = true;
    toy_map(&x, 0x400000, TOY_RAM, 0x1000)->size = TLB_LOCALS * 0x1000;
    for (uint64_t n = 0; s->shared[ACCESS_READ] || !n; n++) {
        space(&x, 2 * n + 1);
        x.t->page[0].space = x.t->space;
        for (uint64_t i = 0; i < TLB_LOCALS / 2 + 1; i++) {
            rd(&x, 0x400000 + (i << 12));
            wr(&x, 0x400000 + (i << 12));
        }
        space(&x, 2 * n + 2);
        for (uint64_t i = 0; i < TLB_LOCALS / 2 + 1; i++)
            assert_false(cached(&x, 0x400000 + (i << 12)));
        assert_in_range(n, 0, 1000);
    }
    toy_free(&x);
}

/* Half the addresses: all there is of them, unless it is known that the address space's pages are all. */
static void halves(void **state)
{
    struct toy_vm x = paged();
    gva_t high = UINT64_C(0xffff000000004000);

    (void)state;
    toy_map(&x, 0x4000, TOY_RAM, 0x1000);
    toy_map(&x, high, TOY_RAM + 0x1000, 0x1000)->global = true;
    x.t->shares = true;
    space(&x, 1);
    rd(&x, 0x4000);
    rd(&x, high);
    flush(&x, FLUSH_HALF, 0x9000, 1);
    assert_false(cached(&x, 0x4000));
    assert_true(cached(&x, high));
    flush(&x, FLUSH_HALF, high + 0x1000, 1);
    assert_false(cached(&x, high));
    toy_map(&x, 0x6000, TOY_RAM, 0x1000)->global = true;
    rd(&x, 0x6000);
    rd(&x, high);
    flush(&x, FLUSH_HALF, 0x9000, 1);
    assert_false(cached(&x, 0x6000));
    assert_false(cached(&x, high));
    toy_free(&x);
}

/* More contexts than there are ids: nothing stale comes back. */
static void contexts_run_out(void **state)
{
    struct toy_vm x = paged();
    struct toy_page *p = toy_map(&x, 0x4000, TOY_RAM, 0x1000);

    (void)state;
    for (uint64_t n = 1; n < 12000; n++) {
        p->space = n;
        p->gpa = TOY_RAM + n % 16 * 0x1000;
        space(&x, n);
        assert_ptr_equal(rd(&x, 0x4000), x.ram + n % 16 * 0x1000);
    }
    p->space = 1;
    p->gpa = TOY_RAM + 0x8000;
    space(&x, 1);
    flush(&x, FLUSH_ASID, 0, 1);
    assert_ptr_equal(rd(&x, 0x4000), x.ram + 0x8000);
    toy_free(&x);
}

static void sites(void **state)
{
    struct toy_vm x = paged();
    struct soft_vcpu *s = soft_of(x.v);
    unsigned bank = soft_bank(x.v->mode), n = bank * SOFT_SITES + 3;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(s->sites); i++)
        assert_int_equal(s->sites[i].page, s->site_empty);
    s->sites[n].page = 0x4000;
    s->sites_pages[n >> SOFT_BLOCK_BITS] = soft_page_bit(0x4000);
    space(&x, 5);
    assert_int_equal(s->sites[n].page, s->site_empty);
    s->sites[n].page = 0x4000;
    s->sites_pages[n >> SOFT_BLOCK_BITS] = soft_page_bit(0x4000);
    s->sites[n + 1].page = 0x8000;
    s->sites_pages[n >> SOFT_BLOCK_BITS] |= soft_page_bit(0x8000);
    flush(&x, FLUSH_PAGE, 0x8000, 0);
    assert_int_equal(s->sites[n].page, 0x4000);
    assert_int_equal(s->sites[n + 1].page, s->site_empty);
    assert_int_equal(s->sites_pages[n >> SOFT_BLOCK_BITS], soft_page_bit(0x4000));
    flush(&x, FLUSH_PAGE, 0x4000, 0);
    assert_int_equal(s->sites[n].page, s->site_empty);
    s->sites[n].page = 0x4000;
    s->sites_pages[n >> SOFT_BLOCK_BITS] = soft_page_bit(0x4000);
    flush(&x, FLUSH_ALL, 0, 0);
    assert_int_equal(s->sites[n].page, s->site_empty);
    toy_free(&x);
}

/* A window goes as far as the soft TLB does, reads and writes apart, and goes with the slots. */
static void windows(void **state)
{
    struct toy_vm x = paged();
    struct soft_vcpu *s = soft_of(x.v);
    unsigned bank = soft_bank(x.v->mode), read = bank * SOFT_SITES + 3, write = read + SOFT_SITES_READ;
    const struct soft_window *r = &s->windows[soft_window_of(read)], *w = &s->windows[soft_window_of(write)];

    (void)state;
    assert_ptr_not_equal(r, w);
    for (unsigned i = 0; i < 3; i++) {
        toy_map(&x, 0x4000 + i * 0x1000, TOY_RAM + (8 - 3 * i) * 0x1000, 0x1000);
        assert_non_null(rd(&x, 0x4000 + i * 0x1000));
    }
    s->sites[read].page = s->sites[write].page = 0x5000;
    tlb_fill_window(x.v, read);
    tlb_fill_window(x.v, write); /* not in the soft TLB for writes */
    assert_int_equal(r->base, 0x4000);
    assert_int_equal(r->size, 0x3000);
    assert_int_equal(w->size, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_ptr_equal(0x4000 + i * 0x1000 + s->window_addend[soft_window_of(read)][i],
                         x.ram + (8 - 3 * i) * 0x1000);
    assert_non_null(wr(&x, 0x5000));
    tlb_fill_window(x.v, write);
    assert_int_equal(w->base, 0x5000);
    assert_int_equal(w->size, 0x1000);
    flush(&x, FLUSH_PAGE, 0x7000, 0);
    assert_int_equal(r->size, 0x3000);
    flush(&x, FLUSH_PAGE, 0x5000, 0);
    assert_int_equal(r->size, 0);
    assert_int_equal(w->size, 0);
    toy_free(&x);
}

/* The jump hash forgets a page that is flushed, by its first or its second part, and keeps the rest. */
static void jump_hash(void **state)
{
    struct toy_vm x = paged();
    struct soft_vcpu *s = soft_of(x.v);
    int a;

    (void)state;
    soft_jump_set(s, 0x4ffe, &a, true);
    assert_int_equal(s->jumps[soft_jump_index(0x4ffe)].key, 0x4ffe ^ s->space);
    flush(&x, FLUSH_PAGE, 0x5000, 0);
    assert_int_not_equal(s->jumps[soft_jump_index(0x4ffe)].key, 0x4ffe ^ s->space);
    soft_jump_set(s, 0x4ffe, &a, false);
    flush(&x, FLUSH_PAGE, 0x99000, 0);
    assert_int_equal(s->jumps[soft_jump_index(0x4ffe)].key, 0x4ffe ^ s->space);
    /* Another space, another mode: other keys. */
    space(&x, 2);
    assert_int_not_equal(s->jumps[soft_jump_index(0x4ffe)].key, 0x4ffe ^ s->space);
    space(&x, 1);
    assert_int_equal(s->jumps[soft_jump_index(0x4ffe)].key, 0x4ffe ^ s->space);
    x.v->mode = 3;
    soft_context_changed(x.v);
    assert_int_not_equal(s->jumps[soft_jump_index(0x4ffe)].key, 0x4ffe ^ s->space);
    x.v->mode = 0;
    soft_context_changed(x.v);
    flush(&x, FLUSH_ASID, 0, 1);
    assert_int_not_equal(s->jumps[soft_jump_index(0x4ffe)].key, 0x4ffe ^ s->space);
    for (uint64_t m = 0; m < 1000; m++) { /* more modes than space numbers */
        x.v->mode = m;
        soft_context_changed(x.v);
        for (unsigned i = 0; i < SOFT_JUMPS; i++)
            assert_int_not_equal(s->jumps[i].key, (i << 1) ^ s->space);
        soft_jump_set(s, 0x4000, &a, false);
        s->jumps[soft_jump_index(0x4000)].key ^= 1;
    }
    toy_free(&x);
}

/* What a dispatcher knows is forgotten with the jump hash, and when the unit dies. */
static void known_units(void **state)
{
    struct toy_vm x = paged();
    struct soft_vcpu *s = soft_of(x.v);
    struct unit u = {.gpa = 0x1ffe, .gpa2 = 0x2000}, other = {.gpa2 = UNIT_NO_PAGE};

    (void)state;
    assert_null(soft_known(s, 0));
    soft_known_set(s, 0x4ffe, &u);
    assert_ptr_equal(soft_known(s, 0x4ffe), &u);
    assert_null(soft_known(s, 0x4ffc));
    assert_null(soft_known(s, 0x4ffe + 2 * SOFT_KNOWN));
    flush(&x, FLUSH_PAGE, 0x99000, 0);
    assert_ptr_equal(soft_known(s, 0x4ffe), &u);
    flush(&x, FLUSH_PAGE, 0x5000, 0); /* its second part */
    assert_null(soft_known(s, 0x4ffe));
    for (uint64_t pc = 0x7000; pc < 0x8000; pc += 2)
        soft_known_set(s, pc, &other);
    space(&x, 2);
    assert_null(soft_known(s, 0x7000));
    space(&x, 1);
    assert_ptr_equal(soft_known(s, 0x7ffe), &other);
    flush(&x, FLUSH_PAGE, 0x7000, 0);
    for (uint64_t pc = 0x7000; pc < 0x8000; pc += 2)
        assert_null(soft_known(s, pc));
    soft_known_set(s, 0x7000, &other);
    other.dead = true;
    assert_null(soft_known(s, 0x7000));
    other.dead = false;
    soft_jumps_clear(s);
    assert_null(soft_known(s, 0x7000));
    toy_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits),
        cmocka_unit_test(neighbours_differ),
        cmocka_unit_test(writes_set_dirty),
        cmocka_unit_test(code_pages),
        cmocka_unit_test(code_pages_of_a_set),
        cmocka_unit_test(code_pages_in_several_sets),
        cmocka_unit_test(stores_beside_code),
        cmocka_unit_test(flush_scopes),
        cmocka_unit_test(large_pages),
        cmocka_unit_test(global_pages),
        cmocka_unit_test(global_data),
        cmocka_unit_test(local_floods),
        cmocka_unit_test(halves),
        cmocka_unit_test(contexts_run_out),
        cmocka_unit_test(sites),
        cmocka_unit_test(windows),
        cmocka_unit_test(jump_hash),
        cmocka_unit_test(known_units),
    };

    return cmocka_run_group_tests_name("tlb", tests, NULL, NULL);
}
