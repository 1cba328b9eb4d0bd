/*
 * The JIT: units that were entered often enough are compiled to host code. Generated code executes whole
 * instructions on plain RAM; whatever needs more (devices, faults, rare operations) leaves it before the
 * instruction, and the interpreter executes that one exactly (a bail).
 */
#ifndef CV_ENGINE_JIT_JIT_H
#define CV_ENGINE_JIT_JIT_H

#include "core/engine.h"
#include "core/platform.h"
#include "engine/soft/run.h"

extern const struct engine_ops engine_jit;

/* How generated code came back; v->pc is set, the count is exact. */
enum jit_leave {
    JIT_NEXT,   /* go on at v->pc: no code for it is known here, or something else is to be looked at */
    JIT_BUDGET, /* the block at v->pc needs more than is left */
    JIT_BAIL,   /* the instruction at v->pc is the interpreter's */
    JIT_LINK    /* NEXT, and jit_vcpu.link may be made a jump to the unit at v->pc */
};

struct jit_code;

/* A jump out of a unit to another place of the same page: patched to go there directly. */
struct jit_link {
    uint8_t *site;       /* the jump's rel32 in the writable mapping, 4-byte aligned */
    const uint8_t *stub; /* where it goes while it is not linked */
    int32_t offset;      /* of the target from the page base */
    struct jit_code *from, *to;
    struct jit_link *next_in; /* of those that go to `to` */
};

/* A unit's code: unit.jit. */
struct jit_code {
    struct unit *unit;
    uint8_t *rw;
    const uint8_t *rx;
    uint32_t size;       /* bytes taken of the code memory */
    const uint8_t *far;  /* entry with the pc in a register: from jump hash and dispatcher */
    const uint8_t *near; /* entry inside the page */
    struct jit_link *in; /* jit_vm.lock */
    unsigned link_count;
    struct jit_link links[];
};

/* Code memory is given out in granules, by next fit. */
#define JIT_CODE_BYTES (20u << 20)
#define JIT_GRANULE    64u
#define JIT_GRANULES   (JIT_CODE_BYTES / JIT_GRANULE)

/* Slots beyond this offset have no register. */
#define JIT_HOMES 512

/* Branches, by their addresses: which way they mostly go, and whether they went both ways. One may be taken
 * for another. */
#define JIT_LEANS (1u << 18)

/* What running showed: a bloom filter, forgotten when one bit in JIT_MARKS_ROOM is set. */
#define JIT_MARKS      (1u << 19)
#define JIT_MARKS_ROOM 64

struct jit_vm {
    struct vm *vm;
    struct plat_code code;
    struct plat_lock lock; /* code memory, links, counters */
    uint64_t used[JIT_GRANULES / 64];
    uint32_t next, free; /* granules */
    uint32_t sites[2];   /* next site number of reads and writes; races do not matter */
    void *emit;          /* the emitter's own, in the same allocation */
    enum jit_leave (*enter)(struct vcpu *v, const void *code);
    struct soft_form hot; /* how units are compiled */
    void *perf;           /* struct plat_file of the perf map */
    uint64_t perf_at;
    bool wants_flush;               /* code memory is full */
    uint64_t marks[JIT_MARKS / 64]; /* see jit_mark(); atomic, relaxed */
    uint32_t marked;
    uint64_t leans[2][JIT_LEANS / 64]; /* mostly not taken, mostly taken; see jit_lean(); alike */
    uint64_t both[JIT_LEANS / 64];
    struct {
        uint64_t units, insns, bytes, refused, bails, links, full, rebuilt;
    } stat;
};

static inline struct jit_vm *jit_of(const struct vm *vm)
{
    return ((struct soft_vm *)vm->engine_vm)->jit;
}

/* ---- marks: hints only ---- */

/*
 * The memory access of the instruction at `offset` of that page leaves its slot's page all the time: level 0;
 * a pair of slots does not do either: level 1; nor a window: level 2.
 */
#define JIT_LEVELS 3
static inline uint64_t jit_key_access(gpa_t page, int32_t offset, unsigned level)
{
    return (page + (uint64_t)(int64_t)offset) << 2 | (level == 2 ? 3 : level); /* 2: jit_key_hot() */
}

/* The unit there is hot: it was compiled before. */
static inline uint64_t jit_key_hot(gpa_t gpa)
{
    return gpa << 2 | 2;
}

void jit_mark(struct jit_vm *jv, uint64_t key);
bool jit_marked(const struct jit_vm *jv, uint64_t key);

/* A branch goes that way: soft_form.lean of what is compiled. */
void jit_lean_set(struct jit_vm *jv, gpa_t at, bool taken, bool both);
int jit_lean(const struct vm *vm, gpa_t at);

/* ---- code memory: all under jit_vm.lock ---- */

/* Offset in the mapping, or UINT32_MAX when there is no room. */
uint32_t jit_code_alloc(struct jit_vm *jv, uint32_t bytes);
void jit_code_free(struct jit_vm *jv, uint32_t offset, uint32_t bytes);

/* ---- what an emitter supplies ---- */

/* 0, or -ENOTSUP with the reason in words. */
int emit_probe(char *why, size_t why_size);
size_t emit_vm_size(void);
/* Makes the thunks at the start of the code memory. */
int emit_vm_init(struct jit_vm *jv);
int emit_vcpu_init(struct vcpu *v);
void emit_vcpu_fini(struct vcpu *v);
/*
 * Compiles u's IR. *out: a new jit_code, its code in code memory. -E2BIG: a shorter unit may fit; -ENOSPC:
 * code memory is full; -ENOMEM.
 */
int emit_unit(struct vcpu *v, const struct unit *u, const struct ir_unit *ir, struct jit_code **out);
/* Each under jit_vm.lock. close: entering the code leads back to the dispatcher from now on. */
void emit_close(struct jit_vm *jv, struct jit_code *c);
void emit_link(struct jit_link *l, const struct jit_code *to);
/* To a unit that cannot be linked: by the jump hash. */
void emit_link_hash(struct jit_link *l);
void emit_unlink(struct jit_link *l);
/* The link that the vCPU's last JIT_LINK was about. */
struct jit_link *emit_last_link(struct vcpu *v);
/*
 * After JIT_BUDGET: where code can be entered, as by jit_vm.enter, to go on at v->pc; good as long as an
 * entry of the jump hash is. NULL: unknown. take: it is forgotten.
 */
const void *emit_resume(struct vcpu *v, bool take);
/*
 * The unit with a memory access that missed its slot too often, once; NULL: there is none. The access is
 * marked. Call before the next safepoint.
 */
struct jit_code *emit_busy(struct vcpu *v);
/* Text of the code for traces. */
void emit_trace(struct vcpu *v, const struct unit *u, const struct jit_code *c);

#endif
