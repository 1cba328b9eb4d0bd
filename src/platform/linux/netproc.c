/* The NAT helper: carbovisor-nat in a process of its own, one datagram a frame over a pair of sockets. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/platform.h"

#define PROGRAM     "carbovisor-nat"
#define CHILD_FD    3  /* where the helper finds its socket */
#define SEND_WAIT   20 /* ms for the helper to take a frame */
#define FRAME       2048
#define FORWARDS    64
#define SOCKET_ROOM (1 << 20)

struct plat_netproc {
    int fd, wake;
    pid_t pid;
    struct plat_stream_cb cb;
    struct plat_task *task;
    struct plat_event started;
    char path[PATH_MAX];
    const char *options;
    char *why;
    size_t why_size;
    int err;      /* of the start */
    bool greeted; /* its first datagram came; own task */
    _Atomic bool stop;
};

/* ---- start; on the helper's own task, since a parent's death signal is bound to the thread that forked ----
 */

/* Beside `base`, the path of a program or library, or where `make install` puts it. */
static bool find_beside(struct plat_netproc *p, const char *base)
{
    static const char *const places[] = {PROGRAM, "../libexec/carbovisor/" PROGRAM};
    const char *slash = strrchr(base, '/');

    for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++) {
        int n = snprintf(p->path, sizeof(p->path), "%.*s/%s", (int)(slash - base), base, places[i]);

        if (n < (int)sizeof(p->path) && !access(p->path, X_OK))
            return true;
    }
    return false;
}

/* This program's folder, else that of the library that this is a part of. */
static int find_program(struct plat_netproc *p)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    Dl_info library;

    self[MAX(n, 0)] = 0;
    if (find_beside(p, self))
        return 0;
    if (dladdr((void *)plat_netproc_start, &library) && library.dli_fname &&
        find_beside(p, library.dli_fname))
        return 0;
    snprintf(p->why, p->why_size,
             "net: " PROGRAM " is missing beside %.150s; build it with make, or use "
             "--net-mode none",
             self);
    return -ENOTSUP;
}

/* "8080:80,..." as -p 8080:80 ...; text is cut into pieces. */
static int make_args(char *text, char *argv[], size_t max)
{
    size_t n = 0;
    char *save = NULL;

    argv[n++] = (char *)PROGRAM;
    for (char *word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (n + 3 > max)
            return -EINVAL;
        argv[n++] = (char *)"-p";
        argv[n++] = word;
    }
    argv[n] = NULL;
    return 0;
}

/* Its signals are the default ones and it sees no terminal; messages go where ours do. */
static int spawn(struct plat_netproc *p, int child, char *argv[])
{
    char *env[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int err;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, child, CHILD_FD);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    err = posix_spawn(&p->pid, p->path, &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    if (err)
        snprintf(p->why, p->why_size, "net: %s cannot be started: %s", p->path, strerror(err));
    return -err;
}

/* A pair; dup2 onto itself would keep close-on-exec, so the child's end must not be CHILD_FD already. */
static int make_sockets(int pair[2])
{
    static const int room = SOCKET_ROOM;
    int high;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    high = fcntl(pair[1], F_DUPFD_CLOEXEC, CHILD_FD + 1);
    close(pair[1]);
    pair[1] = high;
    if (high < 0) {
        close(pair[0]);
        return -errno;
    }
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    return 0;
}

/* Its start takes milliseconds. */
#define ANSWER_MS 10000

/* The first datagram: "ok", or the reason why there is no network. */
static int greeting(struct plat_netproc *p, const char *text, ssize_t n, char *why, size_t why_size)
{
    p->greeted = true;
    if (n == 2 && !memcmp(text, "ok", 2))
        return 0;
    snprintf(why, why_size, "net: %.*s", n > 0 ? (int)n : 48,
             n > 0 ? text : "the NAT helper ended at its start; see above");
    return -EAGAIN;
}

static int hear_first(struct plat_netproc *p)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    char text[200];
    ssize_t n;
    int ready;

    do
        ready = poll(&fd, 1, ANSWER_MS);
    while (ready < 0 && errno == EINTR);
    if (!ready) {
        snprintf(p->why, p->why_size,
                 "net: the NAT helper does not answer; try again, or use --net-mode none");
        return -EAGAIN;
    }
    do
        n = recv(p->fd, text, sizeof(text), 0);
    while (n < 0 && errno == EINTR);
    return greeting(p, text, n, p->why, p->why_size);
}

static int start(struct plat_netproc *p)
{
    char *argv[2 * FORWARDS + 2], *text = strdup(p->options);
    int pair[2], err = find_program(p);

    if (!text)
        err = -ENOMEM;
    if (!err)
        err = make_args(text, argv, ARRAY_SIZE(argv));
    if (!err)
        err = make_sockets(pair);
    if (!err) {
        p->fd = pair[0];
        err = spawn(p, pair[1], argv);
        close(pair[1]);
    }
    /* Only a port can be wrong: without any, the guest starts while the helper does. */
    if (!err && *p->options)
        err = hear_first(p);
    free(text);
    return err;
}

/* ---- frames ---- */

static bool take_frame(struct plat_netproc *p)
{
    uint8_t frame[FRAME];
    ssize_t n = recv(p->fd, frame, sizeof(frame), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (!p->greeted) {
        char line[260];

        if (!greeting(p, (const char *)frame, n, line, sizeof(line)))
            return true;
        plat_log_line(line, strlen(line));
        n = 0;
    }
    p->cb.input(p->cb.opaque, frame, n > 0 ? (size_t)n : 0);
    return n > 0;
}

static void netproc_task(void *opaque)
{
    struct plat_netproc *p = opaque;
    bool alive = true;

    p->err = start(p);
    alive = !p->err;
    plat_event_wake(&p->started);
    while (!atomic_load(&p->stop)) {
        struct pollfd f[2] = {{p->wake, POLLIN, 0}, {alive ? p->fd : -1, POLLIN, 0}};

        if (poll(f, 2, -1) < 0)
            continue;
        if (f[1].revents && !atomic_load(&p->stop))
            alive = take_frame(p);
    }
}

int plat_netproc_send(struct plat_netproc *p, const void *frame, size_t len)
{
    for (int tries = 0; tries < 2; tries++) {
        if (send(p->fd, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        poll(&(struct pollfd){p->fd, POLLOUT, 0}, 1, SEND_WAIT);
    }
    return -EAGAIN;
}

/* ---- end ---- */

/* It ends when its socket does; one that does not is ended. */
static void reap(pid_t pid)
{
    for (int ms = 0; ms < 1000; ms += 10) {
        if (waitpid(pid, NULL, WNOHANG))
            return;
        poll(NULL, 0, ms ? 10 : 1);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void plat_netproc_stop(struct plat_netproc *p)
{
    uint64_t one = 1;

    atomic_store(&p->stop, true);
    if (p->task) {
        if (write(p->wake, &one, sizeof(one)) < 0)
            return; /* cannot be: an eventfd takes it */
        plat_task_join(p->task);
    }
    if (p->fd >= 0)
        close(p->fd);
    if (p->wake >= 0)
        close(p->wake);
    if (p->pid > 0)
        reap(p->pid);
    plat_event_fini(&p->started);
    free(p);
}

int plat_netproc_start(struct plat_netproc **out, const char *options, struct plat_stream_cb cb, char *why,
                       size_t why_size)
{
    struct plat_netproc *p = calloc(1, sizeof(*p));
    int err;

    snprintf(why, why_size, "net: no memory or thread for the NAT helper; free some on the host");
    if (!p)
        return -ENOMEM;
    p->fd = p->wake = -1;
    p->cb = cb;
    p->options = options;
    p->why = why;
    p->why_size = why_size;
    plat_event_init(&p->started);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = p->wake < 0 ? -errno : plat_task_start(&p->task, "nat", netproc_task, p);
    if (!err) {
        plat_event_wait(&p->started, PLAT_FOREVER);
        err = p->err;
    }
    if (err == -EMFILE || err == -ENFILE)
        snprintf(why, why_size, "net: too many open files for the NAT helper; raise the limit (ulimit -n)");
    if (err) {
        plat_netproc_stop(p);
        return err;
    }
    *out = p;
    return 0;
}
