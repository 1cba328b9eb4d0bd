/*
 * The table of translated units of a VM: (GPA, mode) to unit; what a write to code does; when memory of a
 * dead unit may be used again. Generic over what a unit holds: the interpreter's code, the JIT's, or both.
 *
 * Reading the table takes no lock. A vCPU is at a safepoint when it holds no pointer to a unit, its jump
 * hash apart: units_safepoint(). A unit killed is first made unreachable and its entries are turned into ways
 * back to the dispatcher; its memory is released when each vCPU has passed a safepoint and emptied its jump
 * hash.
 */
#ifndef CV_ENGINE_SOFT_UNITS_H
#define CV_ENGINE_SOFT_UNITS_H

#include "engine/soft/soft.h"

/* In unit.mode beside the guest's bits: executes exactly one instruction, exactly. */
#define UNIT_SINGLE BIT(63)

/* gpa2 of a unit without a second page. */
#define UNIT_NO_PAGE UINT64_MAX

struct unit {
    gpa_t gpa;
    uint64_t mode;
    gpa_t gpa2;                /* page of the second part of an instruction that crosses; 0: none */
    struct unit *_Atomic next; /* hash chain */
    struct unit *page_next[2]; /* of the page (and second page); lock */
    uint64_t lines[2]; /* which 64-byte lines of the page (second page) it was made from; both in [0] when the
                          pages are the same */
    /* Where execution enters: engine's own code. Replaced when the unit dies or is promoted. */
    _Atomic(const void *) entry;
    void *code;          /* interpreter's code, freed with the unit */
    _Atomic(void *) jit; /* JIT's own */
    uint32_t heat;       /* entries from the dispatcher until promotion; racy by design, atomic relaxed */
    uint32_t size;       /* bytes it counts for the bound */
    uint64_t retired;    /* epoch of its death */
    struct unit *dead_next;
    uint16_t insns, blocks;
    bool dead, no_jit;
};

static inline bool unit_dead(const struct unit *u)
{
    return __atomic_load_n(&u->dead, __ATOMIC_ACQUIRE);
}

/* What the engine does with its part of a unit. */
struct units_ops {
    /* The unit died: make its entries lead to the dispatcher. All three: under the table's lock. */
    void (*kill)(struct vm *vm, struct unit *u);
    /* `u` of the same page lives on: its links to `dead` go. NULL where there are no links. */
    void (*unlink)(struct vm *vm, struct unit *u, struct unit *dead);
    /* Nobody can be in it any more. */
    void (*release)(struct vm *vm, struct unit *u);
};

struct units;

/* The table hangs in vm->engine_vm by way of struct soft_vm. */
struct soft_vm {
    struct units *units;
    void *jit; /* the JIT's own */
};

int units_init(struct vm *vm, const struct units_ops *ops, size_t max_bytes);
void units_fini(struct vm *vm);

/* NULL when there is none. Any vCPU between safepoints. */
struct unit *units_find(struct vm *vm, gpa_t gpa, uint64_t mode);

/*
 * Making one: begin marks the page (and second page) CODE and waits until no vCPU can write there unseen,
 * then the bytes may be read; insert fails (-EAGAIN) when code on the page was written meanwhile: begin
 * again. Call outside all locks. begin serves the own mailbox while waiting: no other unit may be held.
 */
struct units_build {
    gpa_t page[2]; /* page[1] == page[0]: none */
    uint64_t version[2];
};
int units_begin(struct vcpu *v, struct units_build *b, gpa_t gpa, gpa_t gpa2);
/* The table takes u. When another vCPU was faster *u becomes its unit and ours is freed. */
int units_insert(struct vcpu *v, struct units_build *b, struct unit **u);
void units_abort(struct vcpu *v, struct units_build *b);

/* A struct unit, zeroed; NULL without memory (everything was evicted then: try once more). */
struct unit *units_alloc(struct vm *vm);
/* Frees one that was never inserted. */
void units_free(struct vm *vm, struct unit *u);
/* More (or fewer) bytes belong to an inserted unit now (the JIT attached code). */
void units_charge(struct vm *vm, struct unit *u, int64_t bytes);
/* A unit alone, e.g. to be formed anew at a higher tier. */
void units_kill(struct vm *vm, struct unit *u);

/*
 * Bytes [gpa, gpa+len) were stored to a CODE page: kills the units made of them. Call after the store and
 * before the next safepoint. Any task. CODE is cleared when no unit is left on the page.
 */
void units_written(struct vm *vm, gpa_t gpa, uint64_t len);
/*
 * Whether no unit is made of these bytes: true only if so. They lie in one page. On a VM's only vCPU a store
 * there needs no announcement then: no other is making units.
 */
bool units_beside(struct vm *vm, gpa_t gpa, uint64_t len);
/* Kills all. */
void units_flush(struct vm *vm);

/* v holds no unit now. Empties the jump hash when units died since, and releases memory now and then. */
void units_safepoint(struct vcpu *v);
/* v is outside the engine: nobody waits for it. */
void units_leave(struct vcpu *v);

struct units_stat {
    uint64_t made, killed, evicted, count, bytes;
};
void units_stat(struct vm *vm, struct units_stat *out);

#endif
