/*
 * carbovisor-nat: the user-mode network of one VM, apart from it because it parses what both the guest and
 * the internet send. Socket 3 carries one Ethernet frame a datagram; the first one to the VM is "ok", or the
 * reason why there is no network. It ends when the socket does.
 *
 * carbovisor-nat [-p HOST:GUEST]...     TCP ports of 127.0.0.1 that lead to the guest's
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "app/nat/nat.h"

#define VM_FD     3
#define FRAME     2048
#define BATCH     64 /* frames taken between two looks at the sockets */
#define FD_MAX    1024
#define SEND_WAIT 20 /* ms for the VM to take a frame */

struct timer {
    struct timer *next;
    SlirpTimerCb cb;
    void *opaque;
    int64_t due; /* ms, -1: off */
};

struct nat {
    Slirp *slirp;
    struct timer *timers;
    struct pollfd fds[FD_MAX];
    int count;
    bool ended;
};

static int64_t now_ns(void *opaque)
{
    struct timespec ts;

    (void)opaque;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- what libslirp calls ---- */

static ssize_t send_packet(const void *frame, size_t len, void *opaque)
{
    (void)opaque;
    if (send(VM_FD, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN) {
        poll(&(struct pollfd){VM_FD, POLLOUT, 0}, 1, SEND_WAIT);
        send(VM_FD, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return (ssize_t)len; /* one that is lost is sent again by its TCP */
}

static void guest_error(const char *msg, void *opaque)
{
    (void)msg, (void)opaque; /* a guest may send anything, as often as it likes */
}

static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    struct nat *n = opaque;
    struct timer *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    *t = (struct timer){n->timers, cb, cb_opaque, -1};
    n->timers = t;
    return t;
}

static void timer_free(void *timer, void *opaque)
{
    struct nat *n = opaque;

    for (struct timer **p = &n->timers; *p; p = &(*p)->next) {
        if (*p == timer) {
            *p = (*p)->next;
            break;
        }
    }
    free(timer);
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    (void)opaque;
    ((struct timer *)timer)->due = expire_ms;
}

/* All sockets are asked for before each poll, so there is nothing to keep. */
static void poll_fd(int fd, void *opaque)
{
    (void)fd, (void)opaque;
}

static void notify(void *opaque)
{
    (void)opaque;
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = now_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = poll_fd,
    .unregister_poll_fd = poll_fd,
    .notify = notify,
};

/* ---- poll loop ---- */

static const struct {
    int slirp;
    short host;
} poll_bits[] = {
    {SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
    {SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};

static int add_poll(int fd, int events, void *opaque)
{
    struct nat *n = opaque;
    short host = 0;

    if (n->count == FD_MAX)
        return -1;
    for (size_t i = 0; i < sizeof(poll_bits) / sizeof(poll_bits[0]); i++)
        host = (short)(host | (events & poll_bits[i].slirp ? poll_bits[i].host : 0));
    n->fds[n->count] = (struct pollfd){fd, host, 0};
    return n->count++;
}

static int get_revents(int index, void *opaque)
{
    struct nat *n = opaque;
    int events = 0;

    if (index < 0 || index >= n->count)
        return 0;
    for (size_t i = 0; i < sizeof(poll_bits) / sizeof(poll_bits[0]); i++)
        events |= n->fds[index].revents & poll_bits[i].host ? poll_bits[i].slirp : 0;
    return events;
}

static void run_timers(struct nat *n)
{
    int64_t now = now_ns(NULL) / 1000000;

    for (struct timer *t = n->timers; t; t = t->next) {
        if (t->due >= 0 && t->due <= now) {
            t->due = -1;
            t->cb(t->opaque);
            return; /* the list may have changed; the rest comes in the next round */
        }
    }
}

static uint32_t poll_time(const struct nat *n, uint32_t ms)
{
    int64_t now = now_ns(NULL) / 1000000;

    for (const struct timer *t = n->timers; t; t = t->next) {
        if (t->due >= 0 && t->due - now < (int64_t)ms)
            ms = t->due > now ? (uint32_t)(t->due - now) : 0;
    }
    return ms;
}

static void take_frames(struct nat *n)
{
    uint8_t frame[FRAME];

    for (int i = 0; i < BATCH; i++) {
        ssize_t len = recv(VM_FD, frame, sizeof(frame), MSG_DONTWAIT);

        if (len > 0) {
            slirp_input(n->slirp, frame, (int)len);
            continue;
        }
        n->ended = len == 0 || (errno != EAGAIN && errno != EINTR);
        return;
    }
}

static void loop(struct nat *n)
{
    while (!n->ended) {
        uint32_t ms = 1000;
        int r;

        n->count = 0;
        add_poll(VM_FD, SLIRP_POLL_IN, n);
        slirp_pollfds_fill(n->slirp, &ms, add_poll, n);
        r = poll(n->fds, (nfds_t)n->count, (int)poll_time(n, ms));
        if (r > 0 && n->fds[0].revents)
            take_frames(n);
        slirp_pollfds_poll(n->slirp, r < 0, get_revents, n);
        run_timers(n);
    }
}

/* ---- set-up ---- */

static void tell(const char *text)
{
    send(VM_FD, text, strlen(text), MSG_NOSIGNAL);
}

static int fail(const char *text)
{
    tell(text);
    return 1;
}

static Slirp *stack_new(struct nat *n)
{
    SlirpConfig c = {.version = 1, .in_enabled = true};

    c.vnetwork.s_addr = inet_addr("10.0.2.0");
    c.vnetmask.s_addr = inet_addr("255.255.255.0");
    c.vhost.s_addr = inet_addr("10.0.2.2");
    c.vnameserver.s_addr = inet_addr("10.0.2.3");
    c.vdhcp_start.s_addr = inet_addr("10.0.2.15");
    c.vhostname = "carbovisor";
    return slirp_new(&c, &callbacks, n);
}

static int forward(struct nat *n, const char *spec)
{
    struct in_addr host = {inet_addr("127.0.0.1")}, guest = {inet_addr("10.0.2.15")};
    unsigned from, to;
    char text[160], rest;

    if (sscanf(spec, "%u:%u%c", &from, &to, &rest) != 2 || !from || from > 65535 || !to || to > 65535) {
        snprintf(text, sizeof(text), "publish: '%.20s' is no HOST:GUEST pair of ports", spec);
        return fail(text);
    }
    if (slirp_add_hostfwd(n->slirp, 0, host, (int)from, guest, (int)to)) {
        snprintf(text, sizeof(text),
                 "publish: port %u of this host cannot be used: %s; choose another one with -p", from,
                 strerror(errno));
        return fail(text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct nat n;
    int opt;

    opterr = 0; /* the answer goes through the socket */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* for the VM alone; its end is ours */
    signal(SIGTERM, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (getsockopt(VM_FD, SOL_SOCKET, SO_TYPE, &(int){0}, &(socklen_t){sizeof(int)})) {
        fprintf(stderr, "carbovisor-nat: is started by carbovisor, not by hand: there is no socket %d\n",
                VM_FD);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    n.slirp = stack_new(&n);
    if (!n.slirp)
        return fail("the NAT helper has no network stack; free memory on the host");
    while ((opt = getopt(argc, argv, "p:")) != -1) {
        if (opt != 'p')
            return fail("the NAT helper was given an unknown option");
        if (forward(&n, optarg))
            return 1;
    }
    if (sandbox_enter())
        return fail("the NAT helper cannot lock itself up: this kernel lacks seccomp; use --net-mode none");
    tell("ok");
    loop(&n);
    return 0;
}
