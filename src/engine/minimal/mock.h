/*
 * A guest without an ISA: guest_ops over the smallest state that core's interface can be tested with.
 * Virtual is physical, except for pages made faulty on purpose; one interrupt line, one exception.
 */
#ifndef CV_ENGINE_MINIMAL_MOCK_H
#define CV_ENGINE_MINIMAL_MOCK_H

#include "core/guest.h"
#include "core/vcpu.h"
#include "engine/minimal/script.h"

/* Meanings of SCRIPT_ISA; info is the instruction's r[rs]. */
enum mock_isa {
    MOCK_IRQ_ON,     /* interrupts can be taken */
    MOCK_IRQ_OFF,    /* they cannot; they stay pending */
    MOCK_VECTOR,     /* info: where interrupts and exceptions go */
    MOCK_RETURN,     /* from the handler: pc = saved, interrupts on */
    MOCK_FLUSH,      /* TLB maintenance: all */
    MOCK_FLUSH_PAGE, /* info: address */
    MOCK_CONTEXT,    /* address space = info */
    MOCK_FORBID,     /* the page of info faults from now on; 0: none does */
    MOCK_ACK,        /* drops pending interrupt number info */
    MOCK_SYNC        /* runs mock_sync() in all other vCPUs and waits, as a shootdown does */
};

enum mock_cause { MOCK_NONE, MOCK_FAULT, MOCK_BUS, MOCK_MISALIGNED, MOCK_ILLEGAL, MOCK_IRQ };

#define MOCK_INJECT 1 /* the one kind of inject(): number 0..63 */

struct mock_vcpu {
    struct vcpu v;
    uint64_t r[SCRIPT_REGS];
    uint64_t vector, saved_pc, cause, fault_va;
    uint64_t space, forbidden;
    uint8_t irq_on;
    uint16_t halves[4];       /* an array of narrow registers */
    _Atomic uint64_t pending; /* bit = number; any task */
    uint64_t syncs;           /* mock_sync() calls, this vCPU's task */
};

static inline struct mock_vcpu *mock_of(struct vcpu *v)
{
    return (struct mock_vcpu *)v;
}

extern const struct guest_ops guest_mock;

#endif
