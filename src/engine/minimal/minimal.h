/*
 * The smallest whole engine: one function per line of core/engine.h, no translation, no TLB. It is the
 * pattern that docs/porting.md builds on and the engine of tests that need no ISA. It runs the programs
 * of script.h; the guest's state table must have an array "r" of SCRIPT_REGS 64-bit registers.
 */
#ifndef CV_ENGINE_MINIMAL_MINIMAL_H
#define CV_ENGINE_MINIMAL_MINIMAL_H

#include "core/engine.h"
#include "core/vm.h"

extern const struct engine_ops engine_minimal;

/* What the engine was told so far, for tests; whole VM. */
struct minimal_told {
    _Atomic uint64_t flushes, contexts, barriers, code_writes, dirty_restarts, mem_changes, kicks, pulls,
        pushes, binds, unbinds;
    struct flush_scope last_flush; /* that vCPU's task only */
};
struct minimal_told *minimal_told(struct vm *vm);

#endif
