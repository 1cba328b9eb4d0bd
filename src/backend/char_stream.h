/*
 * A character device on a stream of the platform: terminal, pty, file, socket. On the terminal Ctrl-a is
 * the escape: Ctrl-a x ends the VM, Ctrl-a c turns to the monitor and back, Ctrl-a a sends one Ctrl-a, Ctrl-a
 * h lists these.
 */
#ifndef CV_BACKEND_CHAR_STREAM_H
#define CV_BACKEND_CHAR_STREAM_H

#include "core/chardev.h"

struct vm;

struct char_stream_hooks {
    void (*quit)(void *opaque); /* Ctrl-a x; on the stream's task */
    void *opaque;
    /* What is typed after Ctrl-a c, until the next one; on the stream's task. NULL: there is no monitor. */
    void (*monitor)(void *opaque, const uint8_t *data, size_t len);
    void *monitor_opaque;
    bool no_port; /* no guest is behind it: all that is typed is the monitor's */
};

/*
 * spec as plat_stream_open(); name begins the reason in why ("serial"). 0 or -E...; ended by ops->destroy,
 * before the VM is.
 */
int char_stream_create(struct chardev **out, struct vm *vm, const char *name, const char *spec,
                       struct char_stream_hooks hooks, char *why, size_t why_size);
/* The guest is about to run: a file that its output goes to is emptied now (plat_stream_begin()). */
void char_stream_begin(struct chardev *chr);
/* Whether the guest wrote what could not be written, a full disk for instance; any task while it lives. */
bool char_stream_lost(const struct chardev *chr);
/* Whether what spec names could be opened, as far as that shows without opening it for the guest. */
int char_stream_check(const char *name, const char *spec, char *why, size_t why_size);

#endif
