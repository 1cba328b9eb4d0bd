/*
 * Our own bugs and faults: what is said, and what stops. Where a task runs a vCPU, that task stops for good,
 * its VM with it, and everything else goes on; elsewhere the hypervisor stops.
 */
#ifndef CV_PLATFORM_BARE_PANIC_H
#define CV_PLATFORM_BARE_PANIC_H

#include "lib/base.h"

struct vcpu;

/*
 * The front end's: told when the task of a vCPU had to be stopped, on that task, which sleeps for good
 * afterwards. It stops the VM (vm_stop()) and prints the vCPU's last exits. Locks that the task held stay
 * held.
 */
void panic_vcpu_hook(void (*fn)(struct vcpu *v, const char *why));
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Another CPU has panicked: this one holds still. */
NORETURN void panic_stopped(void);

#endif
