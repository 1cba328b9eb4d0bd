/*
 * What the software engines (interp, jit) keep per vCPU and per VM. The per-vCPU part lies directly in front
 * of struct vcpu: soft_of(v). Fields nearest to the vcpu are reached with the shortest displacements, so the
 * hottest come last.
 */
#ifndef CV_ENGINE_SOFT_SOFT_H
#define CV_ENGINE_SOFT_SOFT_H

#include <stdatomic.h>
#include "core/vm.h"
#include "ir/ir.h"

/* ---- soft TLB ---- */

#define TLB_SET_BITS   13
#define TLB_SETS       (1u << TLB_SET_BITS)
#define TLB_FETCH_SETS 128u
/* Of so many sets it is known together which host pages their write entries may lead to. */
#define TLB_GROUP_SETS 8u
/* Host pages whose numbers agree in so many lower bits: in which set their write entries are. */
#define TLB_HOSTS     8192u
#define TLB_HOST_MANY 0xffff
#define TLB_PAGE_MASK (~(uint64_t)(MEM_PAGE_SIZE - 1))

/*
 * One way: tag = page-aligned GVA + context id (1..4095), so one compare checks page, context and right.
 * Tag 0 is never looked for. READ and WRITE: host address = GVA + addend. FETCH: addend is the GPA of the
 * page.
 */
struct tlb_way {
    uint64_t tag, addend;
};

/*
 * Two ways a set; a fill puts the new one first. 16384 pages for reads and as many for writes: a walk of five
 * levels costs more than a hit whose set is not in the host's caches. Set number: see tlb_set(). Two
 * neighbouring pages never share a set, so an access whose first byte picks the set and whose last byte makes
 * the tag cannot hit when it crosses a page.
 */
struct tlb_set {
    struct tlb_way way[2];
};

/*
 * A page that holds code and was stored to beside it: no write entry may serve it, for each store has to be
 * looked at.
 */
struct tlb_code {
    uint64_t tag;
    uint8_t *host;
    gpa_t gpa;
    _Atomic uint8_t *flags;
};
#define TLB_CODE_PAGES 16

/* A large page, or a piece of one: refills 4 KiB entries without a walk. */
struct tlb_large {
    uint64_t va, size; /* size 0: free */
    uint64_t gpa;
    uint64_t mode; /* mode word it was made in; ctx 0 (global) is valid in this mode only */
    uint16_t ctx;  /* context id, 0: global */
    uint8_t access;
    bool device;
};
#define TLB_LARGE         32
#define TLB_LARGE_CLASSES 3

/* Contexts: number of guest_ops.context() values known at a time. */
#define TLB_CONTEXTS 64
struct tlb_context {
    uint64_t value, asid;
    uint16_t id; /* 0: free */
};

/*
 * Data of global pages has contexts of its own where the guest knows them (guest_ops.global_data), so that a
 * kernel's entries outlive a change of process. Entries of other pages that come to be in one are written
 * down, and go when the address space changes.
 */
#define TLB_LOCALS  64
#define TLB_NO_ASID UINT64_MAX /* asid of such a context */

/* Fetch spaces: (fetch context, mode) pairs, part of the key of the jump hash. */
#define SOFT_SPACES 127
struct soft_space {
    uint64_t mode;
    uint16_t ctx; /* 0: free */
};

/* ---- areas that the JIT addresses ---- */

/* A page slot of a memory access site: hit when va - page <= 4096 - size; host = va + addend. */
struct soft_site {
    uint64_t page, addend;
};
#define SOFT_SITE_BITS 10
#define SOFT_SITES     (1u << SOFT_SITE_BITS)
/*
 * Slots come in banks, so that changing between user and kernel empties none: code of a mode has its bank,
 * and a bank is emptied when its mode is entered with other data contexts than before.
 */
#define SOFT_BANKS 8
/* Of these many sites it is known together which pages they may have been filled with. */
#define SOFT_BLOCK_BITS 4
#define SOFT_BLOCKS     (SOFT_SITES >> SOFT_BLOCK_BITS) /* of a bank */
/*
 * A window: pages that follow each other in the guest and stand anywhere in the host, for a site that goes
 * about in a small area: hit when va - base < size; host = va + addend[(va - base) / page]. Its pages were
 * all in the soft TLB. Sites have one by their number, those of reads and writes apart.
 */
#define SOFT_WINDOW_PAGES 64
#define SOFT_WINDOWS      32 /* of a bank */
struct soft_window {
    uint64_t base, size; /* size 0: empty */
};
#define SOFT_SITES_READ (SOFT_SITES * 5 / 8) /* of a bank: the first are those of reads */
static inline unsigned soft_window_of(unsigned site)
{
    unsigned n = site % SOFT_SITES, bank = site / SOFT_SITES;

    return bank * SOFT_WINDOWS + (n < SOFT_SITES_READ ? n % 20 : 20 + n % 12);
}

/*
 * An empty slot has a page too, for the check beside the access is one compare of va - page, which some
 * address passes whatever the page is. It is a page where no guest has anything (not canonical on any ISA,
 * paging on or off), one of 2^47 that each vCPU draws for itself: no guest finds it, and one that did would
 * only spoil scratch memory of its own.
 */
#define SOFT_SITE_EMPTY      UINT64_C(0x4060000000000000)
#define SOFT_SITE_EMPTY_MASK UINT64_C(0x3f1ffffffffff000) /* the bits drawn */

/* Jump hash: key = pc ^ space (see soft_vcpu.space); 0 in `target` never follows a matching key. */
struct soft_jump {
    uint64_t key;
    void *target; /* the engine's own: struct unit in the interpreter, code in the JIT */
};
#define SOFT_JUMP_BITS 15
#define SOFT_JUMPS     (1u << SOFT_JUMP_BITS)
/* Beside it the units that a JIT's dispatcher met: generated code must not find those that are interpreted.
 */
#define SOFT_KNOWN 4096

struct unit;

struct soft_vcpu {
    struct tlb_set read[TLB_SETS];
    struct tlb_set write[TLB_SETS];
    struct tlb_set fetch[TLB_FETCH_SETS];
    uint64_t write_hosts[TLB_SETS / TLB_GROUP_SETS]; /* bits by soft_page_bit() of host addresses */
    uint16_t write_sets[TLB_HOSTS]; /* 0: in none; 1 + its number; TLB_HOST_MANY: in several */
    struct tlb_code code[TLB_CODE_PAGES];
    struct tlb_large large[TLB_LARGE];
    struct tlb_context contexts[TLB_CONTEXTS];
    struct soft_space spaces[SOFT_SPACES];
    /* Which ranges of 2^16, 2^21, 2^30 bytes have 4 KiB entries made from a larger page (bloom). */
    uint64_t large_seen[2][TLB_LARGE_CLASSES][4];
    gva_t locals[TLB_LOCALS];
    unsigned local_count;     /* above TLB_LOCALS: more than were written down */
    uint32_t local_floods;    /* times that these were too many */
    uint64_t local_asid;      /* the address space they are of */
    bool shared[3];           /* by enum access: ctx is a context of global pages */
    bool global_low;          /* there may be entries of global pages in the lower half of the addresses */
    uint64_t jump_seen[1024]; /* which pages have jump hash entries (bloom) */
    uint64_t global_value;    /* guest_ops.global_context()... */
    uint16_t global_id;       /* ... and its context id; 0: none */
    bool space_shared;        /* the present space is that of all address spaces: entries of global pages */
    bool jumps_local;         /* the jump hash has others in such a space */
    uint32_t local_clears;    /* times it was emptied for that */
    bool fetch_local;         /* the last unit was looked up in a page that is not global */
    unsigned next_id, next_context, next_large;
    unsigned generation; /* counts clearings of all contexts */
    unsigned flushes;    /* counts flushes: a translation from before one is void */

    uint64_t epoch;       /* mailbox of units.c: last safepoint; UINT64_MAX outside the engine. atomic */
    uint64_t jumps_epoch; /* jump hash is empty of units that died before; atomic */
    void *scratch;        /* struct soft_scratch of region.h, made by soft_vcpu_init() */
    void *lower;          /* the interpreter's working storage */
    struct {
        uint64_t units_formed, units_run, tlb_fills, tlb_walks, singles, bails, promotions;
        uint64_t insns_interp; /* executed by the interpreter; the rest of the count is compiled code's */
        uint64_t tlb_hits;     /* look-ups: what compiled code finds by itself, in slots and such, is none */
    } stat;

    _Alignas(64) uint8_t jit_tables[768]; /* vector constants of generated code */
    uint64_t site_empty;                  /* page of an empty slot */

    _Alignas(64) struct soft_site sites[SOFT_BANKS * SOFT_SITES];
    struct soft_window windows[SOFT_BANKS * SOFT_WINDOWS];
    uint64_t window_addend[SOFT_BANKS * SOFT_WINDOWS][SOFT_WINDOW_PAGES];
    uint8_t windows_filled[SOFT_BANKS];
    uint64_t site_ctx[SOFT_BANKS]; /* data contexts that a bank was filled in */
    /* Of each block: the bits of the pages in its slots, see soft_page_bit(). The JIT sets them. */
    uint64_t sites_pages[SOFT_BANKS * SOFT_BLOCKS];
    /* The JIT's, by what each miss weighs there, since its last slice of instructions began. */
    uint16_t site_misses[SOFT_BANKS * SOFT_SITES];

    _Alignas(64) struct soft_jump jumps[SOFT_JUMPS];
    struct soft_jump known[SOFT_KNOWN];

    _Alignas(16) u128 jit_wide[24]; /* the JIT's: constants of 16 bytes, operands of calls */

    /* Temporaries of the unit that the interpreter runs: operands are int16 displacements from the vcpu. */
#define SOFT_TEMPS 256
    _Alignas(64) u128 temps[SOFT_TEMPS];

    /* ---- hot: displacement -256..-1 ---- */
    uint64_t jit_own[23]; /* the JIT's: saved host stack pointer, spill cells, ... */
    uint64_t host_fpcr;
    bool exact; /* interpreter: the one instruction that runs may fault and touch devices */
    uint8_t spare[7];
    uint64_t ctx[3];   /* context id by enum access: data reads, data writes, fetches */
    uint64_t space;    /* space number << 57: key of the jump hash = pc ^ space */
    uint64_t gpa_page; /* GPA of the page that the running unit stands in */
    struct unit *unit; /* the running unit (interpreter) */
    uint64_t zero;     /* always 0: an operand of the interpreter */
};
_Static_assert(sizeof(struct soft_vcpu) % 64 == 0, "headroom keeps the alignment of struct vcpu");

static inline struct soft_vcpu *soft_of(struct vcpu *v)
{
    return (struct soft_vcpu *)v - 1;
}

static inline struct vcpu *soft_to_vcpu(struct soft_vcpu *s)
{
    return (struct vcpu *)(s + 1);
}

/* Bytes for engine_ops.vcpu_headroom. */
#define SOFT_HEADROOM sizeof(struct soft_vcpu)

static inline unsigned soft_jump_index(uint64_t pc)
{
    /* Instructions are 2- or 4-aligned on most guests: bit 0 says little. Generated code looks at 32 bits. */
    return ((uint32_t)pc >> 1 ^ (uint32_t)pc >> (1 + SOFT_JUMP_BITS)) & (SOFT_JUMPS - 1);
}

static inline uint64_t soft_page_bit(uint64_t page)
{
    return BIT(page >> MEM_PAGE_BITS & 63);
}

/* The bank of code of a mode. The factor keeps the modes that take turns on today's guests apart. */
static inline unsigned soft_bank(uint64_t mode)
{
    return (unsigned)((mode * UINT64_C(0x9e3779b97f4a7c15)) >> 61);
}

/* 0 or -ENOMEM. Called by engine vcpu_init after guest vcpu_init. */
int soft_vcpu_init(struct vcpu *v);
void soft_vcpu_fini(struct vcpu *v);
/* engine_ops.context_changed: recomputes ctx[] and space; empties the mode's sites when its data contexts
 * differ. */
void soft_context_changed(struct vcpu *v);
/* engine_ops.flush; vCPU task only. */
void soft_flush(struct vcpu *v, const struct flush_scope *scope);
void soft_sites_clear(struct soft_vcpu *s);
/* Those of writes, and those of a page. */
void soft_sites_clear_writes(struct soft_vcpu *s);
void soft_sites_drop(struct soft_vcpu *s, gva_t page);
void soft_jumps_clear(struct soft_vcpu *s);
/* Remembers that a target at virtual pc (and, for one that crosses, at the next page) is in the jump hash. */
void soft_jump_set(struct soft_vcpu *s, uint64_t pc, void *target, bool crosses);
void soft_known_set(struct soft_vcpu *s, uint64_t pc, struct unit *u);
/* A live unit, or NULL: soft_unit_at() has it. */
struct unit *soft_known(const struct soft_vcpu *s, uint64_t pc);

#endif
