/*
 * What a vCPU gets when it touches it first after a switch, and what is saved only then: FP registers, debug
 * registers, performance monitors. All functions want interrupts off.
 */
#ifndef CV_ENGINE_BARE_ARM64_LENT_H
#define CV_ENGINE_BARE_ARM64_LENT_H

#include "lib/base.h"

struct arm64_vcpu;
struct hw_cpu;
struct hw_vcpu;

/* Bits of hw_cpu.open and hw_vcpu.wanted. */
enum { LENT_FP = 1, LENT_DEBUG = 2, LENT_PMU = 4 };

void lent_cpu_init(struct hw_cpu *hc);
/* There is a PMU of Arm's architecture whose interrupt is private. */
bool lent_has_pmu(void);
/* ID_AA64DFR0_EL1 of a guest by its model's: the breakpoints and watchpoints that the host has. */
uint64_t lent_dfr0(uint64_t model);
/* Of hw_vcpu.wanted, by what is in the struct: what acts without being touched. */
unsigned lent_wanted(const struct arm64_vcpu *a);
/* Which the system register belongs to; 0: none of them. */
unsigned lent_kind(unsigned code);
/* To the vCPU that is loaded; again is harmless. */
void lent_take(struct hw_cpu *hc, struct hw_vcpu *h, unsigned kind);
/* What it has: to the struct, and away. */
void lent_save(struct hw_cpu *hc, struct hw_vcpu *h);
/* The same without looking at what stands there. */
void lent_drop(struct hw_cpu *hc);
/* FP registers are those of the struct from now on. */
void lent_fp_to_struct(struct hw_cpu *hc, struct hw_vcpu *h);
/* The level of its PMU's interrupt. */
bool lent_pmu_level(const struct hw_cpu *hc, const struct hw_vcpu *h);
/* No counter of a guest counts. */
void lent_pmu_stop(void);

#endif
