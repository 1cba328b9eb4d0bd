/*
 * What the front end of the bare form (app/bare) calls, beside core/platform.h, and what it supplies.
 */
#ifndef CV_PLATFORM_BARE_APP_H
#define CV_PLATFORM_BARE_APP_H

#include "core/platform.h"

struct bare_boot {
    const void *dtb;
    size_t dtb_size;
    const char *cmdline;
    const void *bundle; /* page aligned; NULL without */
    uint64_t bundle_size;
};

/* Supplied by app/bare: the first task, when everything is up. A return is a power off. */
void app_main(const struct bare_boot *boot);

/*
 * A name for bytes in memory: plat_file_open(name) reads them, and a file opened for writing keeps what was
 * written in pages of its own until it is closed. sum: lib/sum.h's of the bytes, 0: none. -EEXIST, -ENOMEM.
 */
int memfile_add(const char *name, const void *data, uint64_t size, uint64_t sum);

/*
 * Network devices of the board: whole Ethernet frames. receive comes on a task of the platform's; started
 * once, for good. A frame that finds no room is not sent: -EAGAIN.
 */
unsigned bare_net_count(void);
int bare_net_start(unsigned i, void (*receive)(void *opaque, const void *frame, size_t len), void *opaque,
                   uint8_t mac[6]);
int bare_net_send(unsigned i, const void *frame, size_t len);

/* Raw bytes to the board's console; any task. */
void bare_console_write(const void *data, size_t len);
/* Input goes there, on a task of the platform's. NULL: dropped. */
void bare_console_listen(void (*fn)(void *opaque, const uint8_t *data, size_t len), void *opaque);
/* Who writes log lines (without newline) to the console; NULL: the platform. They stand in the ring anyway.
 */
void bare_log_hook(void (*line)(const char *line, size_t len));
/* The ring of log lines: i-th oldest line that is kept, its length, or -1 past the last. */
int bare_log_line(unsigned i, char *buf, size_t size);
NORETURN void bare_power(bool reset);

/* plat_stream_*() of the bare form; all NULL: -ENOTSUP. */
struct bare_stream_ops {
    int (*open)(struct plat_stream **s, const char *spec, struct plat_stream_cb cb, char *why,
                size_t why_size);
    size_t (*write)(struct plat_stream *s, const void *data, size_t len); /* all of it: len */
    void (*pause)(struct plat_stream *s, bool paused);
    void (*close)(struct plat_stream *s);
};
void bare_stream_hook(const struct bare_stream_ops *ops);

#endif
