/* Byte streams: the terminal, a pty, a file, a listening unix socket; one task each for input. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "core/platform.h"
#include "platform/linux/terminal.h"

struct plat_stream {
    const struct stream_kind *kind;
    int in, out;    /* -1: none; a socket's change under lock */
    int listener;   /* unix: */
    int wake;       /* eventfd: stop or resume */
    char path[108]; /* unix: what bind() made there, with its identity */
    dev_t dev;
    ino_t ino;
    char *name;       /* where output ought to go; NULL: nobody is missed there. Ours */
    bool lost;        /* lock */
    bool made, begun; /* a file: by us, and for good */
    struct plat_stream_cb cb;
    struct plat_task *task;
    pthread_mutex_t lock; /* out */
    _Atomic bool stop, paused;
};

/* What a spec's first word means. */
struct stream_kind {
    const char *prefix;
    int (*open)(struct plat_stream *s, const char *arg, char *why, size_t why_size);
    void (*close)(struct plat_stream *s);
    void (*begin)(struct plat_stream *s); /* or NULL */
};

static int fail(char *why, size_t why_size, const char *arg)
{
    static const struct {
        int err;
        const char *remedy;
    } remedies[] = {
        {ENOENT, "create its folder first"},
        {ENOTDIR, "name a folder that exists"},
        {EACCES, "change the permissions, or name another place"},
        {EPERM, "change the permissions, or name another place"},
        {EROFS, "name a place that can be written"},
        {EISDIR, "name a file in it"},
        {ENOSPC, "free some space"},
        {EBUSY, "another VM listens there; stop it, or name another place"},
        {EADDRINUSE, "remove that file, or name another"},
        {EPIPE, "start what reads that pipe first"},
        {ENAMETOOLONG, "name a shorter path"},
        {EMFILE, "raise the limit of open files (ulimit -n)"},
        {ENFILE, "close some files on the host"},
    };
    const char *remedy = "name another place";
    int err = errno;

    for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
        if (remedies[i].err == err)
            remedy = remedies[i].remedy;
    }
    snprintf(why, why_size, "%s: cannot be opened: %s; %s", arg, strerror(err), remedy);
    return -err;
}

/* Once; nobody is missed at a pty or socket. */
static void lose(struct plat_stream *s, int err)
{
    char line[300];
    int n;

    if (!s->name || s->lost)
        return;
    s->lost = true;
    n = snprintf(line, sizeof(line),
                 "carbovisor: %.150s cannot be written: %s; what the guest prints is lost", s->name,
                 strerror(err));
    plat_log_line(line, (size_t)n);
}

/* ---- kinds ---- */

static int stdio_open(struct plat_stream *s, const char *arg, char *why, size_t why_size)
{
    (void)arg, (void)why, (void)why_size;
    s->in = STDIN_FILENO;
    s->out = STDOUT_FILENO;
    s->name = strdup("standard output");
    terminal_raw();
    return 0;
}

static void stdio_close(struct plat_stream *s)
{
    s->in = s->out = -1;
    terminal_restore();
}

static int pty_open(struct plat_stream *s, const char *arg, char *why, size_t why_size)
{
    char line[160];
    int n;

    (void)arg;
    s->in = s->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s->in < 0 || grantpt(s->in) || unlockpt(s->in))
        return fail(why, why_size, "/dev/ptmx");
    n = snprintf(line, sizeof(line), "carbovisor: pty: the other side is %s", ptsname(s->in));
    plat_log_line(line, (size_t)n);
    return 0;
}

/* By the lock that disks have, so that neither a disk nor the output of another VM is lost. */
static bool lock_file(int fd)
{
    struct stat st;

    if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
        return true;
    return !flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK; /* else that kind of folder has no locks */
}

/* What is there stays as it is until file_begin(): the VM may be refused yet. */
static int file_open(struct plat_stream *s, const char *arg, char *why, size_t why_size)
{
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

    s->out = open(arg, flags);
    if (s->out < 0 && errno == ENOENT) {
        s->out = open(arg, flags | O_CREAT | O_EXCL, 0666);
        s->made = s->out >= 0;
    }
    if (s->out < 0 && errno == EEXIST)
        s->out = open(arg, flags | O_CREAT, 0666); /* a link to nothing */
    if (s->out < 0 && errno == ENXIO)
        errno = EPIPE; /* a named pipe that nobody reads */
    s->name = strdup(arg);
    if (s->out < 0)
        return fail(why, why_size, arg);
    if (lock_file(s->out))
        return 0;
    s->made = false; /* whoever has the lock has the file */
    snprintf(why, why_size, "%s: in use by another VM; stop that one, or name another file", arg);
    return -EBUSY;
}

static void file_begin(struct plat_stream *s)
{
    struct stat st;

    s->begun = true;
    if (!fstat(s->out, &st) && S_ISREG(st.st_mode) && ftruncate(s->out, 0))
        lose(s, errno);
}

/* Another program may have put something else there meanwhile. */
static void remove_socket(const struct plat_stream *s)
{
    struct stat st;

    if (s->path[0] && !lstat(s->path, &st) && st.st_dev == s->dev && st.st_ino == s->ino)
        unlink(s->path);
}

static void fd_close(struct plat_stream *s)
{
    remove_socket(s); /* first: while it is open, no other file has its number */
    if (s->in >= 0)
        close(s->in);
    if (s->out >= 0 && s->out != s->in)
        close(s->out);
    if (s->listener >= 0)
        close(s->listener);
}

static void file_close(struct plat_stream *s)
{
    if (s->made && !s->begun && s->name)
        unlink(s->name); /* while it is locked: it is nobody else's yet */
    fd_close(s);
}

/* 0, or why nobody can be reached there. */
static int connect_error(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
        err = errno;
    if (fd >= 0)
        close(fd);
    return err;
}

/* Removes the socket that an earlier run left behind, and nothing else; for the rest bind() has a reason. */
static int make_room(const struct sockaddr_un *addr, char *why, size_t why_size)
{
    const char *path = addr->sun_path;
    struct stat st;
    int err;

    if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
        return 0;
    err = connect_error(addr);
    switch (err) {
    case ECONNREFUSED:
        return unlink(path) && errno != ENOENT ? fail(why, why_size, path) : 0;
    case 0:
    case EAGAIN: /* as many wait there as it takes */
        errno = EBUSY;
        return fail(why, why_size, path);
    case ENOENT: /* just gone */
        return 0;
    case EMFILE:
    case ENFILE:
        errno = err;
        return fail(why, why_size, path);
    default: /* not our kind of socket, or not for us */
        snprintf(why, why_size, "%s: cannot be opened: %s; in use by another program, name another place",
                 path, strerror(err));
        return -EBUSY;
    }
}

#define BACKLOG 16 /* who comes while another one is served waits */

static int unix_open(struct plat_stream *s, const char *arg, char *why, size_t why_size)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct stat st;
    int err;

    if (strlen(arg) >= sizeof(addr.sun_path)) {
        errno = ENAMETOOLONG;
        return fail(why, why_size, arg);
    }
    memcpy(addr.sun_path, arg, strlen(arg));
    err = make_room(&addr, why, why_size);
    if (err)
        return err;
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)) || lstat(arg, &st))
        return fail(why, why_size, arg);
    memcpy(s->path, arg, strlen(arg) + 1);
    s->dev = st.st_dev;
    s->ino = st.st_ino;
    return listen(s->listener, BACKLOG) ? fail(why, why_size, arg) : 0;
}

static int none_open(struct plat_stream *s, const char *arg, char *why, size_t why_size)
{
    (void)s, (void)arg, (void)why, (void)why_size;
    return 0;
}

static const struct stream_kind stream_kinds[] = {
    {"stdio", stdio_open, stdio_close, NULL},     {"pty", pty_open, fd_close, NULL},
    {"file:", file_open, file_close, file_begin}, {"unix:", unix_open, fd_close, NULL},
    {"none", none_open, fd_close, NULL},
};

static const struct stream_kind *kind_find(const char *spec, const char **arg)
{
    for (size_t i = 0; i < ARRAY_SIZE(stream_kinds); i++) {
        const char *prefix = stream_kinds[i].prefix;
        size_t n = strlen(prefix);

        if (prefix[n - 1] == ':' ? !strncmp(spec, prefix, n) && spec[n] : !strcmp(spec, prefix)) {
            *arg = spec + n;
            return &stream_kinds[i];
        }
    }
    return NULL;
}

/* ---- input ---- */

static void peer_gone(struct plat_stream *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->listener >= 0) {
        close(s->in);
        s->out = -1;
    }
    s->in = -1;
    pthread_mutex_unlock(&s->lock);
}

static void accept_peer(struct plat_stream *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    pthread_mutex_lock(&s->lock);
    s->in = s->out = fd;
    pthread_mutex_unlock(&s->lock);
}

static void take_input(struct plat_stream *s)
{
    uint8_t buf[512];
    ssize_t n = read(s->in, buf, sizeof(buf));

    if (n > 0) {
        s->cb.input(s->cb.opaque, buf, (size_t)n);
    } else if (n < 0 && errno == EIO && !strcmp(s->kind->prefix, "pty")) {
        poll(NULL, 0, 100); /* nobody has the other side open yet */
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        peer_gone(s);
        s->cb.input(s->cb.opaque, buf, 0);
    }
}

static void stream_task(void *opaque)
{
    struct plat_stream *s = opaque;

    while (!atomic_load(&s->stop)) {
        bool wait_peer = s->in < 0 && s->listener >= 0;
        struct pollfd p[2] = {{s->wake, POLLIN, 0}, {wait_peer ? s->listener : s->in, POLLIN, 0}};
        uint64_t n;

        if (atomic_load(&s->paused))
            p[1].fd = -1;
        if (poll(p, 2, -1) < 0)
            continue;
        if (p[0].revents && read(s->wake, &n, sizeof(n)) < 0)
            continue;
        if (p[1].revents && !atomic_load(&s->stop))
            wait_peer ? accept_peer(s) : take_input(s);
    }
}

static void wake(struct plat_stream *s)
{
    uint64_t one = 1;

    if (write(s->wake, &one, sizeof(one)) < 0)
        return; /* its counter is full: awake already */
}

/* ---- interface ---- */

static int start(struct plat_stream *s, char *why, size_t why_size)
{
    int err;

    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake < 0)
        return fail(why, why_size, "eventfd");
    if (!s->cb.input || (s->in < 0 && s->listener < 0))
        return 0;
    err = plat_task_start(&s->task, "stream", stream_task, s);
    if (err)
        snprintf(why, why_size, "no thread for its input: %s; free some on the host", strerror(-err));
    return err;
}

int plat_stream_open(struct plat_stream **out, const char *spec, struct plat_stream_cb cb, char *why,
                     size_t why_size)
{
    const char *arg = NULL;
    const struct stream_kind *kind = kind_find(spec, &arg);
    struct plat_stream *s;
    int err;

    if (!kind) {
        snprintf(why, why_size, "'%s' is none of stdio, pty, file:PATH, unix:PATH, none", spec);
        return -EINVAL;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(why, why_size, "no memory for it; free some on the host");
        return -ENOMEM;
    }
    s->kind = kind;
    s->cb = cb;
    s->in = s->out = s->listener = s->wake = -1;
    pthread_mutex_init(&s->lock, NULL);
    err = kind->open(s, arg, why, why_size);
    if (!err)
        err = start(s, why, why_size);
    if (err) {
        plat_stream_close(s);
        return err;
    }
    *out = s;
    return 0;
}

void plat_stream_begin(struct plat_stream *s)
{
    if (s->kind->begin)
        s->kind->begin(s);
}

/* A pipe that has room takes this much at once (pipe(7)): so much does not block. */
#define AT_ONCE 4096u

/* 0: not now. Who listens at a socket is not waited for. */
static ssize_t write_some(struct plat_stream *s, const void *data, size_t len)
{
    ssize_t n;

    if (s->listener >= 0) {
        n = send(s->out, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
    }
    if (poll(&(struct pollfd){s->out, POLLOUT, 0}, 1, 100) == 0)
        return 0;
    do
        n = write(s->out, data, MIN(len, AT_ONCE));
    while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

size_t plat_stream_write(struct plat_stream *s, const void *data, size_t len)
{
    const char *p = data;
    size_t left = len;
    ssize_t n = 1;

    pthread_mutex_lock(&s->lock);
    while (left && s->out >= 0 && n > 0) {
        n = write_some(s, p, left);
        if (n < 0)
            lose(s, errno);
        p += n > 0 ? n : 0;
        left -= n > 0 ? (size_t)n : 0;
    }
    /* Only who may take it yet leaves something. */
    if (n < 0 || s->out < 0)
        left = 0;
    pthread_mutex_unlock(&s->lock);
    return len - left;
}

bool plat_stream_lost(const struct plat_stream *s)
{
    return s->lost;
}

void plat_stream_pause(struct plat_stream *s, bool paused)
{
    if (atomic_exchange(&s->paused, paused) && !paused)
        wake(s);
}

bool plat_stream_typed(const struct plat_stream *s)
{
    return s->in >= 0 && isatty(s->in);
}

bool plat_stream_takes_all(const struct plat_stream *s)
{
    (void)s;
    return false;
}

void plat_stream_close(struct plat_stream *s)
{
    atomic_store(&s->stop, true);
    if (s->task) {
        wake(s);
        plat_task_join(s->task);
    }
    s->kind->close(s);
    if (s->wake >= 0)
        close(s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s->name);
    free(s);
}
