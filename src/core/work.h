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
/* Returns when it is neither queued nor running. Where items are held it runs on the caller's task. */
void work_flush(struct work *w);

/* The worker task; the VM's owner only. Without one, items run in work_drain(). */
int work_start(struct vm *vm);
void work_stop(struct vm *vm);
/* Held: no item begins, though any may be queued, so that a paused VM's devices do not change. */
void work_hold(struct vm *vm, bool held);
/* Waits until none runs any more; where they are held. */
void work_settle(struct vm *vm);

#endif
