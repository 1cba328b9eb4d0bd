/*
 * The border between the common platform and boot/<isa>: what each supplies to the other.
 *
 * Rules that both keep:
 * - Hypervisor code runs on the stack of a task, with interrupts on unless it holds a spin lock or said
 *   otherwise. Every spin lock is held with interrupts off, so "interrupts off" also means "stays on this
 *   CPU, is not preempted". arch_cpu() is good only while they are off.
 * - Hypervisor code uses no FP or vector registers: they belong to guests.
 * - RAM and devices of the board are mapped one to one with a constant offset (arch_ptr(), arch_pa()):
 *   RAM is mapped by arch_map_init() from the board description, devices by arch_map_device().
 */
#ifndef CV_PLATFORM_BARE_ARCH_H
#define CV_PLATFORM_BARE_ARCH_H

#include "lib/base.h"
#include "platform/bare/cpu.h"

struct board;

/* ======== what boot/<isa> supplies ======== */

/*
 * Inline, in boot/<isa>/inline.h (host unit tests: platform/bare/sim/inline.h):
 *
 *   struct cpu *arch_cpu(void);              this CPU
 *   void arch_cpu_set(struct cpu *c);
 *   bool arch_irq_save(void);                off; whether they were on
 *   void arch_irq_restore(bool on);
 *   bool arch_irqs_on(void);
 *   void arch_relax(void);                   inside a spin
 *   void arch_wait(void);                    WFI with interrupts off: returns when one is pending
 *   uint64_t arch_counter(void);             ticks since power on, the same on every CPU
 *   void *arch_ptr(uint64_t pa);             where a physical address is mapped
 *   uint64_t arch_pa(const void *p);         of an address of the one-to-one map or of the image
 */
#include "platform/bare/boot/inline.h"

/*
 * Works from the first instruction of C on, polling; "\n" comes as "\r\n" already. Drops where there is no
 * way.
 */
void arch_early_putc(char c);

/*
 * Callee-saved registers stand on the task's own stack. A new context begins in fn(arg) with interrupts
 * off, and fn never returns. arch_switch() is called with interrupts off and comes back when somebody
 * switches to `from` again, perhaps on another CPU.
 */
struct arch_context {
    uint64_t sp;
};
void arch_context_init(struct arch_context *c, void *stack_top, void (*fn)(void *), void *arg);
void arch_switch(struct arch_context *from, const struct arch_context *to);

/*
 * Final page tables: text RX, rodata R, data RW, RAM of the board RW one to one, reserved ranges left out
 * where they say no-map. On the boot CPU, once, with boot_page() for tables. Secondaries use the same.
 */
int arch_map_init(const struct board *b);
/* Device memory (nGnRE), one to one; ranges may repeat. The place, or NULL. */
void *arch_map_device(uint64_t pa, uint64_t size);
/*
 * Pages of the hypervisor in its window for stacks: normal memory, RW, never executable. Both multiples of
 * 4096. No unmap: stacks keep their place and are used again.
 */
uint64_t arch_window_base(void);
uint64_t arch_window_size(void);
int arch_map_page(uint64_t va, uint64_t pa);

/*
 * Boot CPU, heap and tasks work: find and start interrupt controllers, console, RTC; set the counter's
 * frequency. A reason in words where the board has what we cannot use.
 */
int arch_setup(const struct board *b, char *why, size_t why_size);
/* Each CPU, its own: vectors, interrupt controller's CPU side, timer, IPIs. Interrupts are off. */
void arch_cpu_setup(struct cpu *c);
/*
 * Starts a CPU on that stack; it comes to bare_secondary(c) with arch_cpu() == c. 0 or -E...; -ENOTSUP
 * where the board has no way.
 */
int arch_cpu_start(struct cpu *c, void *stack_top);
NORETURN void arch_cpu_park(void);

/*
 * Where boot/<isa>/inline.h defines ARCH_RAM_LAZY: RAM of the one-to-one map, multiples of 2 MiB, out of it
 * and into it again, for all CPUs, without a lock; and a second mapping of all RAM from which nothing is ever
 * taken.
 */
void arch_ram_hide(void *p, uint64_t size);
void arch_ram_show(void *p, uint64_t size);
void *arch_ram_raw(void *p);

uint64_t arch_counter_hz(void);
/* irq_timer() comes on this CPU when arch_counter() >= counter; UINT64_MAX: never. */
void arch_timer_set(uint64_t counter);
/* irq_ipi() comes on that CPU. */
void arch_ipi_send(struct cpu *to);

NORETURN void arch_power_off(void);
NORETURN void arch_reset(void);

/* To the point of coherency, for guests and devices that look past caches; and code written. */
void arch_cache_clean(const void *p, uint64_t size);
void arch_cache_invalidate(void *p, uint64_t size);
void arch_icache_sync(const void *p, uint64_t size);

/*
 * Stage-2 translations of [gpa, gpa + size) of a VMID go from this CPU's TLB (size UINT64_MAX: all of it),
 * or, where arch_guest_flush_all_cpus, from every CPU's by one broadcast.
 */
void arch_guest_flush(unsigned vmid, gpa_t gpa, uint64_t size);
extern const bool arch_guest_flush_all_cpus;

/* True random bits; false where the CPU has none. */
bool arch_random(uint64_t *out);
/*
 * Return addresses of the caller and its callers, out of an exception of the one it came upon; how many.
 * Where frames are not kept one of an earlier call may be among them.
 */
unsigned arch_backtrace(uint64_t *pc, unsigned max);

/* ======== what the platform supplies ======== */

/*
 * From boot's assembly, on the boot CPU: on the boot stack (at least 16 KiB), bss zeroed, the image and the
 * device tree readable at arch_ptr(), traps going to trap_fatal(). Does not return.
 */
NORETURN void bare_main(uint64_t fdt_pa, uint64_t hw_id);
/* From arch_cpu_start()'s landing, final page tables on. */
NORETURN void bare_secondary(struct cpu *c);
/* A zeroed page for page tables: from the image at first, from frames later; NULL when there is none. */
void *boot_page(void);

/*
 * Interrupts. Taken in the hypervisor: vector saves, calls one of these with interrupts off, then
 * irq_exit(), which may switch tasks, then returns. Taken in a guest: the engine's vector calls them the
 * same way and sched_preempt() (sched/sched.h) instead of irq_exit() when arch_cpu()->resched is set.
 * External ones: the controller's driver acknowledges and calls irq_handle() (irq/irq.h).
 */
void irq_timer(void);
void irq_ipi(void);
void irq_exit(void);

/*
 * ARCH_RAM_LAZY: a load or store of the hypervisor faulted here. True: it is there now, do it again.
 * Interrupts are off.
 */
bool ram_fault(uint64_t va);
/*
 * A synchronous fault in hypervisor code, on whatever stack: dumps, then stops the task where it runs a vCPU
 * and had interrupts on, else everything.
 */
NORETURN void trap_fatal(const char *what, uint64_t pc, uint64_t address, uint64_t syndrome,
                         bool irqs_were_on);

#endif
