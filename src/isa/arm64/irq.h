/* Interrupts as a PE and its controllers have to agree on them: inputs, and the numbers of the PEs
 * themselves. */
#ifndef CV_ISA_ARM64_IRQ_H
#define CV_ISA_ARM64_IRQ_H

#include <stdint.h>

/* Inputs of a PE, as core/irqchip.h drives them. */
enum a64_input { A64_INPUT_IRQ, A64_INPUT_FIQ, A64_INPUT_SERROR, A64_INPUTS };

/*
 * Affinity fields of MPIDR_EL1 of the PE numbered `id`: sixteen share Aff1, since one list of ICC_SGI1R_EL1
 * reaches as many (IHI 0069, 12.2.20).
 */
static inline uint64_t a64_affinity(unsigned id)
{
    return (id & 15) | (uint64_t)(id >> 4) << 8;
}

#endif
