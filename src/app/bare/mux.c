/* One console, several guests, one shell. */
#include "app/bare/mux.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define ESCAPE    1 /* Ctrl-a */
#define KEEP      (32u << 10)
#define LINE      256
#define PORT_NAME 64

/* The serial port of one guest. */
struct plat_stream {
    struct plat_stream *next;
    char name[PORT_NAME];
    struct plat_stream_cb cb;
    uint8_t kept[KEEP]; /* what was written last, from kept_at on in the order of writing */
    uint64_t written;
    char line[LINE]; /* console=all: the line so far */
    unsigned fill;
    bool paused;
};

struct mux {
    struct plat_lock lock;  /* everything but what follows; the console's order of writing */
    struct plat_lock input; /* held over a port's callback: close waits for it. Before lock. */
    struct plat_stream *ports, *attached;
    struct mux_shell shell;
    bool all, escaped;
};

/* Streams are opened by name from anywhere, so the image has one. */
static struct mux mux;

static struct plat_stream *find(const char *name)
{
    struct plat_stream *s = mux.ports;

    while (s && strcmp(s->name, name))
        s = s->next;
    return s;
}

/* ---- output; lock held ---- */

static void put(const char *text, size_t len)
{
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n')
            continue;
        bare_console_write(text + from, i - from);
        bare_console_write("\r\n", 2);
        from = i + 1;
    }
    bare_console_write(text + from, len - from);
}

/* Between two lines of whatever stands there. */
static void put_line(const char *prefix, const char *line, size_t len)
{
    mux.shell.hide(mux.shell.opaque);
    put(prefix, strlen(prefix));
    put(line, len);
    put("\n", 1);
    mux.shell.show(mux.shell.opaque);
}

static void flush_line(struct plat_stream *s)
{
    char prefix[PORT_NAME + 4];

    fmt_snprintf(prefix, sizeof(prefix), "%s| ", s->name);
    put_line(prefix, s->line, s->fill);
    s->fill = 0;
}

static void show_lines(struct plat_stream *s, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            flush_line(s);
            continue;
        }
        if (s->fill == sizeof(s->line))
            flush_line(s);
        if (data[i] != '\r')
            s->line[s->fill++] = (char)data[i];
    }
}

static void keep(struct plat_stream *s, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s->kept[s->written++ % KEEP] = data[i];
}

static void show_kept(const struct plat_stream *s)
{
    uint64_t n = MIN(s->written, (uint64_t)KEEP);
    size_t at = (size_t)((s->written - n) % KEEP), first = MIN((size_t)n, KEEP - at);

    bare_console_write(s->kept + at, first);
    bare_console_write(s->kept, (size_t)n - first);
}

static void port_write(struct plat_stream *s, const void *data, size_t len)
{
    plat_lock(&mux.lock);
    keep(s, data, len);
    if (mux.attached == s)
        bare_console_write(data, len);
    else if (mux.all && !mux.attached)
        show_lines(s, data, len);
    plat_unlock(&mux.lock);
}

void mux_lock(void)
{
    plat_lock(&mux.lock);
}

void mux_unlock(void)
{
    plat_unlock(&mux.lock);
}

void mux_write(const char *text, size_t len)
{
    plat_lock(&mux.lock);
    if (!mux.attached)
        put(text, len);
    plat_unlock(&mux.lock);
}

/* Lines of the log stand in the platform's ring too, so none is lost while a guest has the console. */
static void log_line(const char *line, size_t len)
{
    plat_lock(&mux.lock);
    if (!mux.attached)
        put_line("", line, len);
    plat_unlock(&mux.lock);
}

/* ---- input ---- */

static void detach(void)
{
    plat_lock(&mux.lock);
    mux.attached = NULL;
    plat_unlock(&mux.lock);
    mux.shell.detached(mux.shell.opaque);
}

/* Bytes for the attached guest up to an escape; gives how many were used. Input lock held. */
static size_t guest_input(struct plat_stream *s, const uint8_t *data, size_t len)
{
    size_t n = 0;

    if (mux.escaped) {
        mux.escaped = false;
        if (data[0] == 'd' || data[0] == 'd' - 'a' + 1)
            detach();
        else if (data[0] == 'a' || data[0] == ESCAPE)
            s->cb.input(s->cb.opaque, &(uint8_t){ESCAPE}, 1);
        return 1;
    }
    while (n < len && data[n] != ESCAPE)
        n++;
    if (n)
        s->cb.input(s->cb.opaque, data, n);
    if (n == len)
        return n;
    mux.escaped = true;
    return n + 1;
}

static void input(void *opaque, const uint8_t *data, size_t len)
{
    (void)opaque;
    plat_lock(&mux.input);
    while (len) {
        struct plat_stream *s;
        size_t n = len;

        plat_lock(&mux.lock);
        s = mux.attached;
        plat_unlock(&mux.lock);
        if (s)
            n = guest_input(s, data, len);
        else
            mux.shell.input(mux.shell.opaque, data, len);
        data += n;
        len -= n;
    }
    plat_unlock(&mux.input);
}

/* ---- attaching ---- */

int mux_attach(const char *name)
{
    struct plat_stream *s;

    plat_lock(&mux.lock);
    s = find(name);
    if (s) {
        static const char hint[] = "(console of the VM; Ctrl-a d comes back)\n";

        put(hint, sizeof(hint) - 1);
        show_kept(s);
        mux.attached = s;
    }
    plat_unlock(&mux.lock);
    return s ? 0 : -ENOENT;
}

bool mux_attached(void)
{
    bool attached;

    plat_lock(&mux.lock);
    attached = mux.attached;
    plat_unlock(&mux.lock);
    return attached;
}

bool mux_port_stat(const char *name, uint64_t *written, uint64_t *kept)
{
    struct plat_stream *s;

    plat_lock(&mux.lock);
    s = find(name);
    if (s) {
        *written = s->written;
        *kept = MIN(s->written, (uint64_t)KEEP);
    }
    plat_unlock(&mux.lock);
    return s;
}

/* ---- ports as streams of the platform ---- */

static int port_open(struct plat_stream **out, const char *spec, struct plat_stream_cb cb, char *why,
                     size_t why_size)
{
    struct plat_stream *s;

    if (strncmp(spec, "vm:", 3)) {
        fmt_snprintf(why, why_size, "'%s' is a place of the hosted form; the console is the hypervisor's",
                     spec);
        return -ENOTSUP;
    }
    s = plat_alloc(sizeof(*s));
    if (!s) {
        fmt_snprintf(why, why_size, "no memory for a console; stop another VM");
        return -ENOMEM;
    }
    s->cb = cb;
    fmt_snprintf(s->name, sizeof(s->name), "%s", spec + 3);
    plat_lock(&mux.lock);
    s->next = mux.ports;
    mux.ports = s;
    plat_unlock(&mux.lock);
    *out = s;
    return 0;
}

/* A guest that is full loses what is typed further: char_stream.c keeps a buffer in front of it. */
static void port_pause(struct plat_stream *s, bool paused)
{
    s->paused = paused;
}

static void port_close(struct plat_stream *s)
{
    bool was;

    plat_lock(&mux.input); /* no callback runs */
    plat_lock(&mux.lock);
    for (struct plat_stream **p = &mux.ports; *p; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            break;
        }
    }
    was = mux.attached == s;
    mux.attached = was ? NULL : mux.attached;
    plat_unlock(&mux.lock);
    plat_unlock(&mux.input);
    if (was)
        mux.shell.detached(mux.shell.opaque);
    plat_free(s);
}

int mux_start(const struct mux_shell *shell, bool all)
{
    static const struct bare_stream_ops ops = {port_open, port_write, port_pause, port_close};

    plat_lock_init(&mux.lock);
    plat_lock_init(&mux.input);
    mux.shell = *shell;
    mux.all = all;
    bare_stream_hook(&ops);
    bare_log_hook(log_line);
    bare_console_listen(input, NULL);
    return 0;
}
