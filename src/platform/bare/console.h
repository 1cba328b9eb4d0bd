/*
 * The board's console as its driver sees it, and the log behind plat_log_line().
 */
#ifndef CV_PLATFORM_BARE_CONSOLE_H
#define CV_PLATFORM_BARE_CONSOLE_H

#include "lib/base.h"

/* write: all bytes, polling; console lock held, interrupts off. */
struct console_ops {
    const char *name;
    void (*write)(void *opaque, const uint8_t *data, size_t len);
};

/* By the UART's driver in arch_setup(); until then arch_early_putc() is used. */
void console_set(const struct console_ops *ops, void *opaque);
/* From the driver's interrupt handler. */
void console_input(const uint8_t *data, size_t len);
/* Text to the console, "\n" as "\r\n". */
void console_text(const char *text, size_t len);
void console_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* After a panic: no lock, for who is left. */
void console_break_lock(void);
/* Starts the input task. */
int console_start(void);

#endif
