/* Streams as character devices: what the guest has no room for yet waits here, and the stream with it. */
#include "backend/char_stream.h"
#include "core/platform.h"
#include "core/vm.h"
#include "core/work.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define ESCAPE 1 /* Ctrl-a */
/*
 * How much waits for the guest. On the terminal much, since the escape has to be seen behind what a guest
 * that reads nothing was sent before.
 */
#define WAITING  1024
#define TERMINAL 65536

static const struct chardev_ops char_stream_ops;

struct char_stream {
    struct chardev chr;
    struct vm *vm;
    struct plat_stream *stream;
    struct work work; /* deliver() */
    struct char_stream_hooks hooks;
    struct plat_lock lock; /* stream, head, fill */
    size_t head, fill, room;
    bool terminal, socket;
    bool escaped, to_monitor; /* stream's task only */
    uint8_t waiting[];
};

/* The bytes are waiting[head..fill - 1]; they move to the beginning when the end is reached. */
static void put(struct char_stream *c, uint8_t byte)
{
    if (c->fill == c->room && c->head) {
        memmove(c->waiting, c->waiting + c->head, c->fill - c->head);
        c->fill -= c->head;
        c->head = 0;
    }
    if (c->fill < c->room)
        c->waiting[c->fill++] = byte;
}

/*
 * Lock held. What is typed is read on, for the escape's sake, and lost where it finds no room, as a terminal
 * without a reader loses it; anything else waits in the host.
 */
static void pause_if_full(struct char_stream *c)
{
    if (c->stream)
        plat_stream_pause(c->stream,
                          c->fill - c->head > c->room / 2 && !(c->terminal && plat_stream_typed(c->stream)));
}

static void deliver(void *opaque)
{
    struct char_stream *c = opaque;
    size_t n = 0;

    plat_lock(&c->lock);
    if (c->fill > c->head && c->chr.receive)
        n = c->chr.receive(c->chr.opaque, c->waiting + c->head, c->fill - c->head);
    c->head += n;
    pause_if_full(c);
    plat_unlock(&c->lock);
}

static void help(const struct char_stream *c)
{
    static const char text[] = "Ctrl-a x  end the VM\r\nCtrl-a a  send Ctrl-a\r\nCtrl-a h  this list\r";
    static const char monitor[] = "Ctrl-a c  to the monitor, and back to the console\r";

    if (c->hooks.monitor && !c->hooks.no_port)
        plat_log_line(monitor, sizeof(monitor) - 1);
    plat_log_line(text, sizeof(text) - 1);
}

/* The monitor shows its prompt for the end of an empty line. */
static void turn_to_monitor(struct char_stream *c)
{
    if (!c->hooks.monitor || c->hooks.no_port)
        return;
    c->to_monitor = !c->to_monitor;
    if (c->to_monitor)
        c->hooks.monitor(c->hooks.monitor_opaque, (const uint8_t *)"\r", 1);
}

/* What one byte typed means: the byte for the guest, or -1. */
static int unescape(struct char_stream *c, uint8_t byte)
{
    bool escaped = c->escaped;

    if (!c->terminal)
        return byte;
    c->escaped = !escaped && byte == ESCAPE;
    if (!escaped)
        return c->escaped ? -1 : byte;
    switch (byte) {
    case 'x':
    case 'x' - 'a' + 1:
        c->hooks.quit(c->hooks.opaque);
        return -1;
    case 'h':
    case '?':
        help(c);
        return -1;
    case 'c':
    case 'c' - 'a' + 1:
        turn_to_monitor(c);
        return -1;
    case 'a':
    case ESCAPE:
        return ESCAPE;
    default:
        return -1;
    }
}

static void input(void *opaque, const uint8_t *data, size_t len)
{
    struct char_stream *c = opaque;

    plat_lock(&c->lock);
    for (size_t i = 0; i < len; i++) {
        int byte = unescape(c, data[i]);

        if (byte >= 0 && c->to_monitor)
            c->hooks.monitor(c->hooks.monitor_opaque, &(uint8_t){(uint8_t)byte}, 1);
        else if (byte >= 0)
            put(c, (uint8_t)byte);
    }
    /* Not left to deliver(): the stream may read again before that runs, and what finds no room is lost. */
    pause_if_full(c);
    plat_unlock(&c->lock);
    work_queue(&c->work);
}

/* Whoever does not read keeps the guest waiting, but not the end of the VM; at a socket output is lost then.
 */
static void char_write(struct chardev *chr, const void *data, size_t len)
{
    struct char_stream *c = container_of(chr, struct char_stream, chr);
    const char *p = data;

    for (size_t n; len; p += n, len -= n) {
        n = plat_stream_write(c->stream, p, len);
        if (n < len && (c->socket || atomic_load(&c->vm->stopping)))
            return;
    }
}

/* What a guest writes to a UART comes a byte at a time. */
static void char_write_all(struct chardev *chr, const void *data, size_t len)
{
    (void)plat_stream_write(container_of(chr, struct char_stream, chr)->stream, data, len);
}

void char_stream_begin(struct chardev *chr)
{
    struct char_stream *c = container_of(chr, struct char_stream, chr);

    if (chr->ops == &char_stream_ops && c->stream)
        plat_stream_begin(c->stream);
}

bool char_stream_lost(const struct chardev *chr)
{
    const struct char_stream *c = container_of(chr, struct char_stream, chr);

    return chr->ops == &char_stream_ops && c->stream && plat_stream_lost(c->stream);
}

/* Called with the device's lock held, which deliver() will want: so by a work item. */
static void char_accept(struct chardev *chr)
{
    work_queue(&container_of(chr, struct char_stream, chr)->work);
}

static void char_destroy(struct chardev *chr)
{
    struct char_stream *c = container_of(chr, struct char_stream, chr);
    struct plat_stream *stream;

    /* deliver() may run until the input task is gone: it finds no stream from here on. */
    plat_lock(&c->lock);
    stream = c->stream;
    c->stream = NULL;
    plat_unlock(&c->lock);
    if (stream)
        plat_stream_close(stream);
    work_flush(&c->work);
    plat_lock_fini(&c->lock);
    plat_free(c);
}

static const struct chardev_ops char_stream_ops = {
    .name = "stream", .write = char_write, .accept = char_accept, .destroy = char_destroy};
/* The stream takes all there is. */
static const struct chardev_ops char_stream_all_ops = {
    .name = "stream", .write = char_write_all, .accept = char_accept, .destroy = char_destroy};

int char_stream_create(struct chardev **out, struct vm *vm, const char *name, const char *spec,
                       struct char_stream_hooks hooks, char *why, size_t why_size)
{
    bool terminal = !strcmp(spec, "stdio");
    size_t room = terminal ? TERMINAL : WAITING;
    struct char_stream *c = plat_alloc(sizeof(*c) + room);
    struct plat_stream *stream = NULL;
    size_t n;
    int err;

    if (!c) {
        fmt_snprintf(why, why_size, "%s: no memory for it; free some on the host", name);
        return -ENOMEM;
    }
    c->chr.ops = &char_stream_ops;
    c->vm = vm;
    c->hooks = hooks;
    c->to_monitor = hooks.no_port;
    c->terminal = terminal;
    c->socket = !strncmp(spec, "unix:", 5);
    c->room = room;
    plat_lock_init(&c->lock);
    work_init(&c->work, vm, deliver, c);
    n = fmt_fitted(fmt_snprintf(why, why_size, "%s: ", name), why_size);
    err = plat_stream_open(&stream, spec, (struct plat_stream_cb){input, c}, why + n, why_size - n);
    plat_lock(&c->lock); /* input() may run by now */
    c->stream = err ? NULL : stream;
    plat_unlock(&c->lock);
    if (!err && plat_stream_takes_all(stream))
        c->chr.ops = &char_stream_all_ops;
    if (err) {
        char_destroy(&c->chr);
        return err;
    }
    *out = &c->chr;
    return 0;
}

/* ---- looking, without opening ---- */

#define SOCKET_PATH 108 /* what struct sockaddr_un has room for, with its end */

/* 0, or why it cannot be opened for reading, or then for writing. Neither changes anything there. */
static int file_error(const char *path, bool write)
{
    struct plat_file *f;
    int err = plat_file_open(&f, path, PLAT_READ);

    if (err == -EACCES)
        return 0; /* who may not read it may still be allowed to write */
    if (err)
        return err;
    plat_file_close(f);
    err = write ? plat_file_open(&f, path, PLAT_READ | PLAT_WRITE) : 0;
    if (write && !err)
        plat_file_close(f);
    return err;
}

/* Of what is not there: -ENOTDIR where its folder is not there either. */
static int folder_error(const char *path)
{
    size_t len = strlen(path);
    struct plat_file *f;
    char *folder;
    int err;

    while (len && path[len - 1] != '/')
        len--;
    folder = len ? plat_alloc(len + 1) : NULL;
    if (!folder)
        return 0;
    fmt_snprintf(folder, len + 1, "%.*s", (int)len, path);
    err = plat_file_open(&f, folder, PLAT_READ);
    if (!err)
        plat_file_close(f);
    plat_free(folder);
    return err == -ENOENT || err == -ENOTDIR ? -ENOTDIR : 0;
}

/* What stands at the path of a socket and is none is not removed. */
static int socket_error(const char *path)
{
    int err = strlen(path) < SOCKET_PATH ? file_error(path, false) : -ENAMETOOLONG;

    return !err || err == -EISDIR || err == -ENODEV ? -EEXIST : err;
}

int char_stream_check(const char *name, const char *spec, char *why, size_t why_size)
{
    static const struct {
        int err;
        const char *text;
    } refusals[] = {
        {-ENOTDIR, "there is no such folder; create it first"},
        {-EISDIR, "it is a directory; name a file in it"},
        {-ENAMETOOLONG, "its name is too long; name a shorter path"},
        {-EEXIST, "something else is there; remove that file, or name another"},
        {-EACCES, "permission denied; change the permissions, or name another place"},
        {-EPERM, "permission denied; change the permissions, or name another place"},
        {-EROFS, "nothing can be written there; name a place that can be written"},
        {-ELOOP, "links lead in a circle; name another place"},
    };
    bool file = !strncmp(spec, "file:", 5);
    int err;

    if (!file && strncmp(spec, "unix:", 5))
        return 0;
    err = file ? file_error(spec + 5, true) : socket_error(spec + 5);
    if (err == -ENOENT)
        err = folder_error(spec + 5);
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        if (err == refusals[i].err) {
            fmt_snprintf(why, why_size, "%s: %s: cannot be opened: %s", name, spec + 5, refusals[i].text);
            return err;
        }
    }
    return 0; /* for the opening itself to say */
}
