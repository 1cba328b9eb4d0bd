/*
 * One console, several guests, one shell. What a guest writes goes into a ring of its port, and that is all
 * that the guest waits for; a task of the mux brings it from there to the console.
 */
#include "app/bare/mux.h"
#include <stdatomic.h>
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define ESCAPE    1 /* Ctrl-a */
#define KEEP      (32u << 10)
#define LINE      1024
#define PORT_NAME 64
#define POLL_NS   UINT64_C(1000000) /* while bytes come the task looks that often, and nobody wakes it */

/* What of a port is shown on the console: nothing, whole lines, each byte. */
enum show { SHOW_NOTHING, SHOW_LINES, SHOW_ALL };

/* The serial port of one guest. */
struct plat_stream {
    struct plat_lock lock;    /* of writers */
    _Atomic uint64_t written; /* bytes ever; the last of them are in kept, in the order of writing */
    _Atomic uint64_t shown;   /* of them, on the console; mux.lock to change, and for the next two */
    _Atomic uint64_t
        full_at;          /* when so many are written the console wants to know, without a line's end too */
    _Atomic uint8_t show; /* enum show */
    bool paused;
    uint8_t kept[KEEP];
    struct plat_stream *next;
    struct plat_stream_cb cb;
    char name[PORT_NAME];
};

struct mux {
    struct plat_lock lock;  /* everything but what follows; the console's order of writing */
    struct plat_lock input; /* held over a port's callback: close waits for it. Before lock. */
    struct plat_stream *ports, *attached;
    struct mux_shell shell;
    bool all, escaped;
    bool after_return;       /* no guest has had a byte since a line of the shell ended in \r; input held */
    struct plat_event event; /* the task sleeps on it */
    _Atomic bool awake;      /* it will look without being told */
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

static uint8_t byte_at(const struct plat_stream *s, uint64_t at)
{
    return s->kept[at % KEEP];
}

/* From..to as they stand in the ring, which holds them still. */
static void write_kept(const struct plat_stream *s, uint64_t from, uint64_t to)
{
    size_t at = (size_t)(from % KEEP), n = (size_t)(to - from), first = MIN(n, KEEP - at);

    bare_console_write(s->kept + at, first);
    bare_console_write(s->kept, n - first);
}

/* What is kept of what was written before `to`. */
static void show_kept(const struct plat_stream *s, uint64_t to)
{
    write_kept(s, to - MIN(to, (uint64_t)KEEP), to);
}

/* One line from..to, its end excluded. */
static void write_line(const struct plat_stream *s, uint64_t from, uint64_t to)
{
    mux.shell.hide(mux.shell.opaque);
    bare_console_write(s->name, strlen(s->name));
    bare_console_write("| ", 2);
    for (uint64_t at = from; at < to; at++) {
        if (byte_at(s, at) != '\r')
            continue;
        write_kept(s, from, at);
        from = at + 1;
    }
    write_kept(s, from, to);
    bare_console_write("\r\n", 2);
    mux.shell.show(mux.shell.opaque);
}

/*
 * Lines that have ended, or are too long to wait for that: these go on in the next one, not within a
 * character. Where the next one begins.
 */
static uint64_t show_lines(const struct plat_stream *s, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at++) {
        uint8_t c = byte_at(s, at);
        bool end = c == '\n', inside = (c & 0xc0) == 0x80 && at - from < LINE + 4;

        if (!end && (at - from < LINE || inside))
            continue;
        write_line(s, from, at);
        from = at + end;
    }
    return from;
}

/* Gives where it was before. */
static uint64_t shown_to(struct plat_stream *s, uint64_t at)
{
    static const uint64_t wait[] = {[SHOW_NOTHING] = UINT64_MAX, [SHOW_LINES] = LINE, [SHOW_ALL] = 1};
    uint64_t n = wait[atomic_load(&s->show)];

    atomic_store(&s->full_at, n > UINT64_MAX - at ? UINT64_MAX : at + n);
    return atomic_exchange(&s->shown, at);
}

/* What has come since; true: something. */
static bool show_port(struct plat_stream *s)
{
    uint64_t from = atomic_load(&s->shown), to = atomic_load(&s->written);

    if (from == to || atomic_load(&s->show) == SHOW_NOTHING)
        return false;
    /* A writer waits where it would overrun us; what went by while nothing was shown is gone. */
    from = to - from > KEEP ? to - KEEP : from;
    if (atomic_load(&s->show) == SHOW_LINES) {
        to = show_lines(s, from, to);
    } else {
        write_kept(s, from, to);
    }
    return shown_to(s, to) != to;
}

static bool show_ports(void)
{
    bool some = false;

    for (struct plat_stream *s = mux.ports; s; s = s->next)
        some |= show_port(s);
    return some;
}

/* Of one port, or of all that lines are shown of: from what comes next on. */
static void show_set(struct plat_stream *s)
{
    uint8_t show = mux.attached == s ? SHOW_ALL : mux.all && !mux.attached ? SHOW_LINES : SHOW_NOTHING;

    if (atomic_load(&s->show) == show)
        return;
    atomic_store(&s->show, show);
    shown_to(s, atomic_load(&s->written));
}

static void attach(struct plat_stream *port)
{
    show_ports();
    mux.attached = port;
    for (struct plat_stream *s = mux.ports; s; s = s->next)
        show_set(s);
    plat_event_wake(&mux.event); /* what came meanwhile */
}

static void show_task(void *unused)
{
    (void)unused;
    for (;;) {
        bool some;

        plat_lock(&mux.lock);
        some = show_ports();
        plat_unlock(&mux.lock);
        if (some) {
            atomic_store(&mux.awake, true);
            plat_event_wait(&mux.event, plat_clock_ns() + POLL_NS);
        } else if (atomic_exchange(&mux.awake, false)) {
            continue; /* once more: who wrote since may have seen that we look */
        } else {
            plat_event_wait(&mux.event, PLAT_FOREVER);
            atomic_store(&mux.awake, true);
        }
    }
}

/* ---- what guests write ---- */

/* The console is behind: a writer that fills the ring brings it there itself. */
static void catch_up(struct plat_stream *s)
{
    plat_lock(&mux.lock);
    show_port(s);
    plat_unlock(&mux.lock);
}

/* The fence: either we see that the task has stopped looking, or its last look sees what we wrote. */
static __attribute__((noinline)) void tell(struct plat_stream *s, uint64_t at)
{
    if (atomic_load_explicit(&s->show, memory_order_relaxed) == SHOW_NOTHING)
        return;
    if (at - atomic_load_explicit(&s->shown, memory_order_relaxed) >= KEEP / 2)
        catch_up(s);
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&mux.awake, memory_order_relaxed))
        plat_event_wake(&mux.event);
}

/* s->lock held: what ends at `at` is in the ring. */
static inline void have_written(struct plat_stream *s, uint64_t at, bool line)
{
    atomic_store_explicit(&s->written, at, memory_order_release);
    if (UNLIKELY(line || at >= atomic_load_explicit(&s->full_at, memory_order_relaxed)))
        tell(s, at);
}

static __attribute__((noinline)) void write_bytes(struct plat_stream *s, const uint8_t *data, size_t len)
{
    plat_lock(&s->lock);
    while (len) {
        /* Half of the ring at most, so that what waits is never written over. */
        size_t part = MIN(len, (size_t)KEEP / 2);
        uint64_t at = atomic_load_explicit(&s->written, memory_order_relaxed);
        bool line = false;

        len -= part;
        for (; part; part--, at++, data++) {
            s->kept[at % KEEP] = *data;
            line |= *data == '\n';
        }
        have_written(s, at, line);
    }
    plat_unlock(&s->lock);
}

/* Mostly a byte from a UART, at each exit of a guest that prints. */
static size_t port_write(struct plat_stream *s, const void *data, size_t len)
{
    uint64_t at;
    uint8_t byte;

    if (len != 1) {
        write_bytes(s, data, len);
        return len;
    }
    byte = *(const uint8_t *)data;
    plat_lock(&s->lock);
    at = atomic_load_explicit(&s->written, memory_order_relaxed);
    s->kept[at % KEEP] = byte;
    have_written(s, at + 1, byte == '\n');
    plat_unlock(&s->lock);
    return 1;
}

/* ---- what the hypervisor writes ---- */

void mux_lock(void)
{
    plat_lock(&mux.lock);
}

void mux_unlock(void)
{
    plat_unlock(&mux.lock);
}

void mux_line(const char *text)
{
    plat_lock(&mux.lock);
    show_ports();
    if (!mux.attached) {
        put(text, strlen(text));
        put("\n", 1);
    }
    plat_unlock(&mux.lock);
}

/* Lines of the log stand in the platform's ring too, so none is lost while a guest has the console. */
static void log_line(const char *line, size_t len)
{
    plat_lock(&mux.lock);
    show_ports();
    if (!mux.attached)
        put_line("", line, len);
    plat_unlock(&mux.lock);
}

/* ---- input ---- */

static void detach(void)
{
    plat_lock(&mux.lock);
    attach(NULL);
    plat_unlock(&mux.lock);
    mux.shell.detached(mux.shell.opaque);
}

/* Bytes for the attached guest up to an escape; gives how many were used. Input lock held. */
static size_t guest_input(struct plat_stream *s, const uint8_t *data, size_t len)
{
    size_t n = 0;

    if (mux.after_return) {
        mux.after_return = false;
        if (data[0] == '\n')
            return 1;
    }
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

/* What was typed behind the command is for the guest, in front of what comes from now on. Input lock held. */
static void hand_over(struct plat_stream *s)
{
    uint8_t byte;

    mux.after_return = mux.shell.last(mux.shell.opaque) == '\r';
    while (mux_attached() && mux.shell.unread(mux.shell.opaque, &byte))
        guest_input(s, &byte, 1);
}

int mux_attach(const char *name)
{
    struct plat_stream *s;

    plat_lock(&mux.input);
    plat_lock(&mux.lock);
    s = find(name);
    if (s) {
        static const char hint[] = "(console of the VM; Ctrl-a d comes back)\n";

        attach(s);
        put(hint, sizeof(hint) - 1);
        show_kept(s, atomic_load(&s->shown));
    }
    plat_unlock(&mux.lock);
    if (s)
        hand_over(s);
    plat_unlock(&mux.input);
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
        *written = atomic_load(&s->written);
        *kept = MIN(*written, (uint64_t)KEEP);
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
    plat_lock_init(&s->lock);
    fmt_snprintf(s->name, sizeof(s->name), "%s", spec + 3);
    plat_lock(&mux.lock);
    s->next = mux.ports;
    mux.ports = s;
    show_set(s);
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
    show_ports();
    for (struct plat_stream **p = &mux.ports; *p; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            break;
        }
    }
    was = mux.attached == s;
    if (was)
        attach(NULL);
    plat_unlock(&mux.lock);
    plat_unlock(&mux.input);
    if (was)
        mux.shell.detached(mux.shell.opaque);
    plat_lock_fini(&s->lock);
    plat_free(s);
}

int mux_start(const struct mux_shell *shell, bool all)
{
    static const struct bare_stream_ops ops = {port_open, port_write, port_pause, port_close};
    struct plat_task *task;

    plat_lock_init(&mux.lock);
    plat_lock_init(&mux.input);
    mux.shell = *shell;
    mux.all = all;
    plat_event_init(&mux.event);
    atomic_store(&mux.awake, true);
    bare_stream_hook(&ops);
    bare_log_hook(log_line);
    bare_console_listen(input, NULL);
    return plat_task_start(&task, "mux", show_task, NULL);
}
