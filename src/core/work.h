/*
 * Work items: what a device may not do in a register access (it never blocks) it does here. Hosted they
 * run on the VM's worker task; under --deterministic on the vCPU's task, right after the access.
 */
#ifndef CV_CORE_WORK_H
#define CV_CORE_WORK_H

#include "lib/base.h"

struct vm;

/* Owner's storage; fn runs once for any number of work_queue calls before it starts. */
struct work {
    struct vm *vm;
    void (*fn)(void *opaque);
    void *opaque;
    bool queued, running; /* vm->work lock */
    struct work *next;
};

void work_init(struct work *w, struct vm *vm, void (*fn)(void *), void *opaque);
void work_queue(struct work *w);
/* Returns when it is neither queued nor running. */
void work_flush(struct work *w);

#endif
