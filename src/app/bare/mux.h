/*
 * The board's one console shared by the hypervisor's shell and the guests' serial ports. One guest is
 * attached at a time and has all of it; what a detached one writes is kept in a ring, and with console=all
 * shown line by line after "NAME| ". Ctrl-a d detaches, Ctrl-a a sends one Ctrl-a.
 *
 * Each guest's serial port is a backend/char_stream.c on a stream of the spec "vm:NAME".
 */
#ifndef CV_APP_BARE_MUX_H
#define CV_APP_BARE_MUX_H

#include "platform/bare/app.h"

struct mux;

/* What the front end does with the console while no guest has it. */
struct mux_shell {
    /* Bytes typed; on the platform's input task. */
    void (*input)(void *opaque, const uint8_t *data, size_t len);
    /* Of that the next byte that is not read yet, on the task that attaches; false: there is none. */
    bool (*unread)(void *opaque, uint8_t *byte);
    /* The last byte that is read: of \r\n the guest does not get the half. */
    char (*last)(void *opaque);
    /* A line is about to be shown, or was: the prompt is taken away, or drawn again. Mux's lock is held. */
    void (*hide)(void *opaque);
    void (*show)(void *opaque);
    void (*detached)(void *opaque); /* a guest gave the console back; no lock */
    void *opaque;
};

/* The one of the image: streams of the platform have no other way to find it. `all`: console=all. */
int mux_start(const struct mux_shell *shell, bool all);
/* Shows what was kept, then hands the console over, with what is typed already. -ENOENT: no such port. */
int mux_attach(const char *name);
bool mux_attached(void);
/* The console's order: held while the shell draws by itself, so that hide() and show() see a whole line. */
void mux_lock(void);
void mux_unlock(void);
/* Shell's output, whole lines so that guests' stand between them. Not while a guest is attached. */
void mux_line(const char *text);
/* Bytes that a port's guest has written, and how many of them the ring still holds. */
bool mux_port_stat(const char *name, uint64_t *written, uint64_t *kept);

#endif
