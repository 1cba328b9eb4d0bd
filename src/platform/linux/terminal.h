/*
 * The terminal belongs to the process, so its saved settings do too: raw while a guest's console is on
 * it, restored at every way out (exit, signals that end us, our own bugs).
 */
#ifndef CV_PLATFORM_LINUX_TERMINAL_H
#define CV_PLATFORM_LINUX_TERMINAL_H

#include <stdbool.h>

/* Does nothing where standard input is no terminal. */
void terminal_raw(void);
void terminal_restore(void);
bool terminal_is_raw(void);

#endif
