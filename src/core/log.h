/*
 * Messages and traces. One line each: what failed, on which object, why, what to do. Levels per
 * subsystem at run time; traces are subsystems switched on by --trace.
 */
#ifndef CV_CORE_LOG_H
#define CV_CORE_LOG_H

#include "lib/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_sub {
    LOG_CORE,
    LOG_CPU,
    LOG_MEM,
    LOG_DEV,
    LOG_BLOCK,
    LOG_NET,
    LOG_CHAR,
    LOG_JIT,
    LOG_CONFIG,
    LOG_FIRMWARE,
    LOG_SUBS
};
enum trace_kind {
    TRACE_UNIT = 1,
    TRACE_IR = 2,
    TRACE_ASM = 4,
    TRACE_EXIT = 8,
    TRACE_MMIO = 16,
    TRACE_IRQ = 32,
    TRACE_EXC = 64
};

/* In struct vm: each VM its own. */
struct log {
    uint8_t level[LOG_SUBS];
    uint32_t trace; /* enum trace_kind */
};

extern const char *const log_sub_names[LOG_SUBS];
extern const char *const trace_names[]; /* by bit number, NULL-terminated */

void log_write(const struct log *l, enum log_sub sub, enum log_level level, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Unconditional line "kind: ..." of a trace; callers test l->trace first. */
void trace_write(const struct log *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "jit=debug", "unit,ir": -EINVAL with the nearest known name in why. */
int log_parse(struct log *l, const char *spec, char *why, size_t why_size);
int trace_parse(struct log *l, const char *list, char *why, size_t why_size);

#endif
