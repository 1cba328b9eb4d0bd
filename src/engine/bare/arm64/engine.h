/* The arm64 hardware engine, as registries name it. */
#ifndef CV_ENGINE_BARE_ARM64_ENGINE_H
#define CV_ENGINE_BARE_ARM64_ENGINE_H

#include "core/engine.h"

extern const struct engine_ops engine_bare_arm64;

#endif
