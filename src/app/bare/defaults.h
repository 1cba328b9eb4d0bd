/* What a description that leaves it open gets on this board; one file for each ISA (registry_<isa>.c). */
#ifndef CV_APP_BARE_DEFAULTS_H
#define CV_APP_BARE_DEFAULTS_H

#include "core/vmdesc.h"

/* Options of the machine that suit the board's hardware ("gic=2"); NULL: the machine's own. */
const char *board_machine_options(void);

#endif
