/* The engine of the bare form on riscv64: the H extension. */
#ifndef CV_ENGINE_BARE_RISCV64_ENGINE_H
#define CV_ENGINE_BARE_RISCV64_ENGINE_H

#include "core/engine.h"

extern const struct engine_ops engine_bare_riscv64;

#endif
