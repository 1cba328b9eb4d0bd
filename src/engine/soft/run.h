/*
 * What dispatchers of software engines share: from v->pc to a unit, made where there is none.
 */
#ifndef CV_ENGINE_SOFT_RUN_H
#define CV_ENGINE_SOFT_RUN_H

#include "engine/soft/region.h"
#include "engine/soft/units.h"

/*
 * Gives an engine's form to a new unit (u->entry, u->code, u->size); the IR is in
 * ((struct soft_scratch *)soft_of(v)->scratch)->unit. -E2BIG: as it is it has no form; a shorter unit is
 * tried.
 */
typedef int (*soft_fill_fn)(struct vcpu *v, struct unit *u, const struct ir_unit *ir);

struct soft_form {
    soft_fill_fn fill;
    struct region_limits limits;
    unsigned passes;                            /* enum ir_pass, 0 for none */
    uint32_t heat;                              /* of a new unit; 0: never promoted */
    int (*lean)(const struct vm *vm, gpa_t at); /* see struct region_hints; NULL: nothing is known */
};

/*
 * The unit at v->pc in v->mode (single: of that one instruction). NULL: an exception was taken instead and
 * counted as one instruction (v->pc says where to go on), or v->exit holds a fatal exit. The vCPU is
 * between units.
 */
struct unit *soft_unit_at(struct vcpu *v, bool single, const struct soft_form *form);

/* Before execution enters u at v->pc. */
static inline void soft_enter(struct vcpu *v, struct unit *u)
{
    v->pc_page = v->pc & ~(uint64_t)(MEM_PAGE_SIZE - 1);
    soft_of(v)->unit = u;
}

/* Whether u, found by (GPA, mode), is the right one at v->pc: false when its second page is another now. */
bool soft_unit_matches(struct vcpu *v, const struct unit *u);

/* engine_ops entries that are the same for each software engine. */
void soft_kick(struct vcpu *v);
void soft_fetch_barrier(struct vcpu *v);
void soft_code_written(struct vm *vm, gpa_t gpa, uint64_t len);
void soft_dirty_restart(struct vm *vm);
void soft_mem_changed(struct vm *vm);
/* Common counters through emit. */
void soft_counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque);

#endif
