/* What a description that leaves it open gets on this board; one file for each ISA (registry_<isa>.c). */
#ifndef CV_APP_BARE_DEFAULTS_H
#define CV_APP_BARE_DEFAULTS_H

#include "core/vmdesc.h"

/*
 * The machine that suits the board's hardware where the description leaves that open. -ENOTSUP with one line:
 * it asks for one whose interrupt controller this board's CPUs cannot serve.
 */
int board_machine(struct vm_desc *d, char *why, size_t why_size);

#endif
