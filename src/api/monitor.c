/* Lines in, commands run on a task of their own, lines out. */
#include "api/monitor.h"
#include "backend/char_stream.h"
#include "control/editor.h"
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/ring.h"
#include "lib/str.h"

#define TYPED 4096

struct monitor {
    struct control control;
    struct editor editor;     /* on a terminal */
    bool is_terminal, open;   /* open: of the editor, a prompt stands there */
    struct chardev *terminal; /* the guest's port, or own; NULL: at a socket */
    struct chardev *own;      /* where no port of the guest has the terminal */
    struct plat_stream *stream;
    struct plat_task *task;
    struct plat_event event, room; /* room: in typed, and maybe at the client */
    struct ring typed;             /* input task to ours; a zero byte: the client is gone */
    uint8_t typed_bytes[TYPED];
    char line[CONTROL_LINE]; /* at a socket: so far */
    size_t fill;
    bool too_long;
    bool deaf; /* this client has not read for a while */
    _Atomic bool stop;
};

/* ---- output ---- */

#define MOMENT_NS   10000000u
#define PATIENCE_NS UINT64_C(5000000000)

/* A client that reads slowly gets everything, one that does not read is given up. */
static void put_stream(struct monitor *m, const char *text, size_t len)
{
    uint64_t end = 0, now;

    for (size_t n; len && !m->deaf; text += n, len -= n) {
        n = plat_stream_write(m->stream, text, len);
        if (n == len)
            return;
        now = plat_clock_ns();
        end = end && !n ? end : now + PATIENCE_NS;
        m->deaf = now > end || atomic_load(&m->stop);
        plat_event_wait(&m->room, now + MOMENT_NS);
    }
}

static void put(void *opaque, const char *text, size_t len)
{
    struct monitor *m = opaque;

    if (m->terminal)
        m->terminal->ops->write(m->terminal, text, len);
    else if (m->stream)
        put_stream(m, text, len);
}

static void put_line(struct monitor *m, const char *mark, const char *text)
{
    const char *end = m->is_terminal ? "\r\n" : "\n";
    char line[CONTROL_TEXT + 8];
    int n = fmt_snprintf(line, sizeof(line), "%s%s%s", m->is_terminal ? "" : mark, text, end);

    put(m, line, fmt_fitted(n, sizeof(line)));
}

static void show(void *opaque, const char *text)
{
    put_line(opaque, "+", text);
}

static void run_line(struct monitor *m, const char *line)
{
    char why[500] = "";
    int err = control_run(&m->control, line, show, m, why, sizeof(why));

    if (err)
        put_line(m, "-", why[0] ? why : "the VM's state does not allow it");
    else if (!m->is_terminal)
        put_line(m, "", ".");
}

/* ---- input ---- */

void monitor_input(void *monitor, const uint8_t *data, size_t len)
{
    struct monitor *m = monitor;
    static const uint8_t gone = 0;
    size_t n;

    if (!len) {
        data = &gone;
        len = 1;
    }
    for (;;) {
        n = ring_write(&m->typed, data, len);
        data += n;
        len -= n;
        plat_event_wake(&m->event);
        /* On the terminal the guest's input waits behind this. */
        if (!len || m->is_terminal || atomic_load(&m->stop))
            return;
        plat_event_wait(&m->room, plat_clock_ns() + MOMENT_NS);
    }
}

static void take_socket_byte(struct monitor *m, char byte)
{
    if (!byte) { /* what the client left unfinished is not the next one's */
        m->fill = 0;
        m->too_long = m->deaf = false;
        return;
    }
    if (byte != '\n') {
        m->too_long |= m->fill == sizeof(m->line) - 1;
        if (!m->too_long)
            m->line[m->fill++] = byte;
        return;
    }
    m->line[m->fill] = 0;
    if (m->too_long)
        put_line(m, "-", "the command is too long");
    else
        run_line(m, m->line);
    m->fill = 0;
    m->too_long = false;
}

/* Nobody calls the monitor where it has the terminal for itself, else the first byte does. */
static void show_prompt(struct monitor *m)
{
    if (!m->open)
        editor_next(&m->editor);
    m->open = true;
}

static void take_terminal_byte(struct monitor *m, char byte)
{
    show_prompt(m);
    if (!editor_byte(&m->editor, byte))
        return;
    run_line(m, m->editor.line);
    editor_next(&m->editor);
}

static void monitor_task(void *opaque)
{
    struct monitor *m = opaque;
    uint8_t byte;

    if (m->own)
        show_prompt(m);
    while (!atomic_load(&m->stop)) {
        while (!atomic_load(&m->stop) && ring_read(&m->typed, &byte, 1)) {
            if (m->is_terminal)
                take_terminal_byte(m, (char)byte);
            else
                take_socket_byte(m, (char)byte);
        }
        plat_event_wake(&m->room);
        if (!atomic_load(&m->stop))
            plat_event_wait(&m->event, PLAT_FOREVER);
    }
}

static size_t complete(void *opaque, const char *line, void (*word)(void *opaque, const char *text),
                       void *arg)
{
    struct monitor *m = opaque;

    return control_complete(&m->control, line, word, arg);
}

/* ---- life ---- */

struct monitor *monitor_create(const struct control_ops *ops, void *opaque)
{
    struct monitor *m = plat_alloc(sizeof(*m));

    if (!m)
        return NULL;
    control_init(&m->control, ops, opaque);
    ring_init(&m->typed, m->typed_bytes, TYPED);
    plat_event_init(&m->event);
    plat_event_init(&m->room);
    return m;
}

static void quit(void *opaque)
{
    struct monitor *m = opaque;

    m->control.ops->quit(m->control.opaque);
}

/* As a port of the guest has it, so that the escape means the same; but there is no guest behind it. */
static int own_terminal(struct monitor *m, char *why, size_t why_size)
{
    const struct char_stream_hooks hooks = {
        .quit = quit, .opaque = m, .monitor = monitor_input, .monitor_opaque = m, .no_port = true};
    struct control_vm vm;
    int err;

    m->control.ops->vm_at(m->control.opaque, 0, &vm);
    err = char_stream_create(&m->own, vm.vm, "monitor", "stdio", hooks, why, why_size);
    m->terminal = m->own;
    return err;
}

static int own_socket(struct monitor *m, const char *spec, char *why, size_t why_size)
{
    size_t n = fmt_fitted(fmt_snprintf(why, why_size, "monitor: "), why_size);

    return plat_stream_open(&m->stream, spec, (struct plat_stream_cb){monitor_input, m}, why + n,
                            why_size - n);
}

int monitor_start(struct monitor *m, const char *spec, struct chardev *terminal, char *why, size_t why_size)
{
    struct editor_ops ops = {put, complete, m};
    int err = 0;

    m->is_terminal = !strcmp(spec, "stdio");
    m->terminal = m->is_terminal ? terminal : NULL;
    editor_init(&m->editor, &ops, "carbovisor> ");
    if (!m->is_terminal)
        err = own_socket(m, spec, why, why_size);
    else if (!terminal)
        err = own_terminal(m, why, why_size);
    if (err)
        return err;
    err = plat_task_start(&m->task, "monitor", monitor_task, m);
    if (err)
        fmt_snprintf(why, why_size, "monitor: no thread for it; free some on the host");
    return err;
}

void monitor_stop(struct monitor *m)
{
    if (!m)
        return;
    atomic_store(&m->stop, true);
    plat_event_wake(&m->event);
    plat_event_wake(&m->room);
    if (m->task)
        plat_task_join(m->task);
    m->task = NULL;
    if (m->stream)
        plat_stream_close(m->stream);
    m->stream = NULL;
    if (m->own)
        m->own->ops->destroy(m->own);
    m->own = NULL;
}

void monitor_destroy(struct monitor *m)
{
    if (!m)
        return;
    monitor_stop(m);
    plat_event_fini(&m->event);
    plat_event_fini(&m->room);
    control_fini(&m->control);
    plat_free(m);
}
