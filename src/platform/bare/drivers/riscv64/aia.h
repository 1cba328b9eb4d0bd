/* The board's AIA: IMSIC as root, messages to it from an APLIC of S-level (RISC-V AIA 1.0). */
#ifndef CV_PLATFORM_BARE_DRIVERS_RISCV64_AIA_H
#define CV_PLATFORM_BARE_DRIVERS_RISCV64_AIA_H

#include "platform/bare/board.h"

/* The S-level files; -ENODEV where the node is another level's. Interrupts between CPUs go by them then. */
int imsic_init(const struct board *b, dtb_node n);
void imsic_cpu_setup(struct cpu *c);
/* The S-level domain, which sends to the IMSIC above. */
int aplic_init(const struct board *b, dtb_node n);

/* For aplic.c: identities of sources begin here; the domain that external interrupts go to. */
#define IMSIC_IDENTITY_IPI    1
#define IMSIC_IDENTITY_SOURCE 1 /* identity = source + this */
struct irq_domain;
void imsic_domain_set(struct irq_domain *d, void (*end)(struct irq_domain *d, unsigned hwirq));
void imsic_sources_set(unsigned count);
/* The hart index of a CPU in messages. */
unsigned imsic_hart_index(unsigned cpu);
uint32_t imsic_phandle(void);

#endif
