/*
 * The exact path of a guest memory access: any size up to 16, any alignment, devices, faults, code pages.
 * v->pc must be that of the instruction. Each gives 0, or 1 when an exception was taken (v->pc is then the
 * handler's and nothing of the access happened).
 */
#ifndef CV_ENGINE_SOFT_ACCESS_H
#define CV_ENGINE_SOFT_ACCESS_H

#include "engine/soft/tlb.h"

/* aux: enum ir_memaux; bytes in memory order at out / in. */
int access_load(struct vcpu *v, gva_t va, unsigned aux, void *out);
int access_store(struct vcpu *v, gva_t va, unsigned aux, const void *in);
/* *old is zero-extended from the access size. */
int access_amo(struct vcpu *v, gva_t va, unsigned aux, uint64_t operand, uint64_t *old);
int access_cas(struct vcpu *v, gva_t va, unsigned aux, const void *expect, const void *desired, void *old);
/* *out: zero-extended to 16 bytes. */
int access_lr(struct vcpu *v, gva_t va, unsigned aux, uint64_t out[2]);
/*
 * *fail: 0 done, 1 not. Without a matching reservation it fails without an access. The reservation ends
 * either way. A compare-and-swap on the loaded value: A-B-A between LR and SC goes unseen.
 */
int access_sc(struct vcpu *v, gva_t va, unsigned aux, const void *value, uint64_t *fail);

/*
 * One host atomic on plain RAM, naturally aligned or inside a page: shared by the fast and the exact path.
 * Old value, zero-extended.
 */
uint64_t access_amo_host(void *p, unsigned aux, uint64_t operand);
/* size 1..16; old value to `old`. */
void access_cas_host(void *p, unsigned size, const void *expect, const void *desired, void *old);

/* FENCE: aux as in ir.def. */
void access_fence(unsigned aux);

#endif
