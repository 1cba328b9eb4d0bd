/*
 * What the files of system registers share: access functions of one row of the table in sysreg.c, called by
 * code (A64_SYSREG_*, A64_SYSOP_*). False: there is no such register now (undefined), or a->trapped says that
 * the function has taken an exception itself.
 */
#ifndef CV_GUEST_ARM64_SYSREG_H
#define CV_GUEST_ARM64_SYSREG_H

#include "guest/arm64/cpu.h"
#include "isa/arm64/sysreg.h"

typedef bool arm64_sys_get(struct arm64_vcpu *a, unsigned code, uint64_t *value);
typedef bool arm64_sys_set(struct arm64_vcpu *a, unsigned code, uint64_t value);

/* True where EL0 may not: the access is trapped to EL1 with its syndrome. */
bool arm64_sys_trap_el0(struct arm64_vcpu *a, bool allowed);

/* Of a row or an instruction, in place of an enum arm64_feature. */
enum { NEEDS_NOTHING = ARM64F_COUNT };

/* pstate.c */
arm64_sys_get arm64_pstate_get;
arm64_sys_set arm64_pstate_set;
/* timer.c */
arm64_sys_get arm64_timer_get;
arm64_sys_set arm64_timer_set;
/* pmu.c */
arm64_sys_get arm64_pmu_get;
arm64_sys_set arm64_pmu_set;
/* gic.c */
arm64_sys_get arm64_gic_get;
arm64_sys_set arm64_gic_set;
/* debug.c */
arm64_sys_get arm64_debug_get;
arm64_sys_set arm64_debug_set;
/* sysop.c */
arm64_sys_set arm64_op_cache, arm64_op_at, arm64_op_tlbi;

#endif
