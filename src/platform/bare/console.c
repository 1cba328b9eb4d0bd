/* The board's console, both ways, and the ring of log lines. */
#include "platform/bare/console.h"
#include <stdarg.h>
#include "lib/fmt.h"
#include "lib/ring.h"
#include "lib/str.h"
#include "platform/bare/app.h"
#include "platform/bare/sync/spin.h"

#define LOG_BYTES   32768u
#define INPUT_BYTES 1024u

static struct {
    struct spin lock; /* output */
    const struct console_ops *ops;
    void *opaque;
    bool broken; /* panic: no locks any more */

    /* Input: the driver's interrupt is the producer, the input task the consumer. */
    struct ring input;
    uint8_t input_buf[INPUT_BYTES];
    struct plat_event event;
    bool started;
    void (*_Atomic listen)(void *opaque, const uint8_t *data, size_t len);
    void *listen_opaque;

    /* Log: lines, each ended by a newline; positions run freely. */
    struct spin log_lock;
    uint64_t log_start, log_end; /* log_lock; of log_bytes */
    void (*_Atomic log_hook)(const char *line, size_t len);
} con = {.lock = SPIN_INIT(RANK_CONSOLE), .log_lock = SPIN_INIT(RANK_CONSOLE)};
static char log_bytes[LOG_BYTES]; /* not of the struct: what begins as zeros is no part of the image */

void console_set(const struct console_ops *ops, void *opaque)
{
    con.opaque = opaque;
    con.ops = ops;
}

static bool output_lock(void)
{
    return con.broken ? arch_irq_save() : spin_lock_irq(&con.lock);
}

static void output_unlock(bool on)
{
    if (con.broken)
        arch_irq_restore(on);
    else
        spin_unlock_irq(&con.lock, on);
}

static void put(const char *s, size_t len)
{
    if (con.ops) {
        con.ops->write(con.opaque, (const uint8_t *)s, len);
        return;
    }
    while (len--)
        arch_early_putc(*s++);
}

void console_text(const char *text, size_t len)
{
    bool on = output_lock();

    while (len) {
        size_t part = 0;

        while (part < len && text[part] != '\n')
            part++;
        put(text, part);
        if (part < len) {
            put("\r\n", 2);
            part++;
        }
        text += part;
        len -= part;
    }
    output_unlock(on);
}

void console_printf(const char *fmt, ...)
{
    char buf[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vsnprintf(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    console_text(buf, fmt_fitted(n, sizeof(buf)));
}

void console_break_lock(void)
{
    con.broken = true;
}

void bare_console_write(const void *data, size_t len)
{
    bool on = output_lock();

    put(data, len);
    output_unlock(on);
}

/* ---- input ---- */

void console_input(const uint8_t *data, size_t len)
{
    if (!con.started)
        return;
    ring_write(&con.input, data, len);
    plat_event_wake(&con.event);
}

static void input_task(void *unused)
{
    uint8_t buf[64];
    size_t n;

    (void)unused;
    for (;;) {
        plat_event_wait(&con.event, PLAT_FOREVER);
        while ((n = ring_read(&con.input, buf, sizeof(buf)))) {
            void (*fn)(void *, const uint8_t *, size_t) = atomic_load(&con.listen);

            if (fn)
                fn(con.listen_opaque, buf, n);
        }
    }
}

int console_start(void)
{
    struct plat_task *task;

    ring_init(&con.input, con.input_buf, INPUT_BYTES);
    plat_event_init(&con.event);
    con.started = true;
    return plat_task_start(&task, "console", input_task, NULL);
}

void bare_console_listen(void (*fn)(void *opaque, const uint8_t *data, size_t len), void *opaque)
{
    con.listen_opaque = opaque;
    atomic_store(&con.listen, fn);
}

/* ---- log ---- */

static void log_put(char c)
{
    log_bytes[con.log_end++ % LOG_BYTES] = c;
    if (con.log_end - con.log_start <= LOG_BYTES)
        return;
    while (log_bytes[con.log_start++ % LOG_BYTES] != '\n') /* the oldest line goes */
        ;
}

void plat_log_line(const char *line, size_t len)
{
    void (*hook)(const char *, size_t) = atomic_load(&con.log_hook);
    bool on = spin_lock_irq(&con.log_lock);

    len = MIN(len, (size_t)LOG_BYTES / 4);
    for (size_t i = 0; i < len; i++)
        log_put(line[i] == '\n' ? ' ' : line[i]);
    log_put('\n');
    spin_unlock_irq(&con.log_lock, on);
    if (hook) {
        hook(line, len);
        return;
    }
    console_printf("%.*s\n", (int)len, line);
}

void bare_log_hook(void (*line)(const char *line, size_t len))
{
    atomic_store(&con.log_hook, line);
}

int bare_log_line(unsigned i, char *buf, size_t size)
{
    bool on = spin_lock_irq(&con.log_lock);
    uint64_t at = con.log_start;
    int n = 0;

    while (i && at != con.log_end)
        i -= log_bytes[at++ % LOG_BYTES] == '\n';
    if (at == con.log_end)
        n = -1;
    for (; n >= 0 && log_bytes[at % LOG_BYTES] != '\n'; at++, n++) {
        if ((size_t)n + 1 < size)
            buf[n] = log_bytes[at % LOG_BYTES];
    }
    if (n >= 0 && size)
        buf[MIN((size_t)n, size - 1)] = 0;
    spin_unlock_irq(&con.log_lock, on);
    return n;
}
