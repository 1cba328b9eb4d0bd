/*
 * The tohost word of RISC-V test programs: an ELF symbol by which a program ends the VM or prints.
 */
#ifndef CV_MACHINE_TOHOST_H
#define CV_MACHINE_TOHOST_H

#include "core/chardev.h"
#include "core/vm.h"

/* Storage of the watch; lives in vm->machine while the VM does. */
struct tohost {
    gpa_t tohost, fromhost; /* 0: absent */
    struct chardev *console;
};

/* Watches the pages of both symbols from now on. vm->machine must be a struct that begins with t. */
void tohost_watch(struct vm *vm, struct tohost *t);

#endif
