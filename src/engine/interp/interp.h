/*
 * The interpreter's entries for other software engines: one unit, one instruction, and making a unit's code.
 * A unit's IR is lowered to threaded code: operations of 24 bytes whose operands are displacements from the
 * vcpu (guest slots above it, temporaries below).
 */
#ifndef CV_ENGINE_INTERP_INTERP_H
#define CV_ENGINE_INTERP_INTERP_H

#include "core/engine.h"
#include "engine/soft/run.h"

extern const struct engine_ops engine_interp;

/* How a stay in interp_exec() ended. pc, slots and count are exact in each case. */
enum interp_leave {
    INTERP_NEXT,   /* go on at v->pc in the vCPU's mode; look at v->exit.kind, request, budget first */
    INTERP_BUDGET, /* the block at v->pc needs more than the budget has left */
    INTERP_BAIL,   /* the instruction at v->pc has to be executed by interp_step() */
    INTERP_HOT     /* the unit at v->pc (soft_of(v)->unit) has been entered heat times */
};

/*
 * Runs from the entry of u, on through other units found in the jump hash, until it has to leave. v->pc,
 * pc_page and soft_of(v)->unit are set by soft_enter() before. Targets in the jump hash must be struct unit.
 */
enum interp_leave interp_exec(struct vcpu *v, struct unit *u);
/*
 * The same for engines whose jump hash holds something else: leaves at the end of the unit.
 */
enum interp_leave interp_exec_alone(struct vcpu *v, struct unit *u);
/* Executes exactly one instruction at v->pc: faults are taken, devices answer. Needs a budget of 1. */
void interp_step(struct vcpu *v);
/* Makes u->code and u->entry of the IR; for soft_unit_at(). -E2BIG: too large, -ENOMEM. */
int interp_lower(struct vcpu *v, struct unit *u, const struct ir_unit *ir);
/*
 * Of each branch of u that interp_exec_alone() met: where it stands, how much oftener it was taken than not
 * (see LEAN_MAX), and whether it went both ways.
 */
void interp_leans(const struct unit *u, void (*emit)(void *opaque, gpa_t at, int lean, bool both),
                  void *opaque);
/* units_ops.kill: entry leads back to the dispatcher. Also what a promoted unit's entry becomes. */
void interp_unit_close(struct unit *u);

#endif
