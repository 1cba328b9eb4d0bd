/* The NAT helper as a program: answers ARP and DHCP, forwards a port, is locked up, ends with its socket. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct helper {
    int fd;
    pid_t pid;
    char first[200];
};

/* out/build/MODE/test/app/nat/nat_test: the program stands three folders up. */
static void program_path(char *path, size_t size)
{
    char self[1024];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    assert_true(n > 0);
    self[n] = 0;
    for (int i = 0; i < 4; i++)
        *strrchr(self, '/') = 0;
    snprintf(path, size, "%s/carbovisor-nat", self);
}

static ssize_t hear(struct helper *h, void *buf, size_t size)
{
    if (poll(&(struct pollfd){h->fd, POLLIN, 0}, 1, 60000) != 1)
        return -1;
    return recv(h->fd, buf, size, 0);
}

static void start(struct helper *h, const char *option, const char *value)
{
    char path[1200];
    int pair[2];
    ssize_t n;

    program_path(path, sizeof(path));
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    h->fd = pair[0];
    h->pid = fork();
    if (!h->pid) {
        int high = fcntl(pair[1], F_DUPFD, 10);

        dup2(high, 3);
        close(high);
        execl(path, "carbovisor-nat", option, value, NULL);
        _exit(127);
    }
    close(pair[1]);
    n = hear(h, h->first, sizeof(h->first) - 1);
    h->first[n > 0 ? n : 0] = 0;
}

/* Its status once the socket is closed. */
static int stop(struct helper *h)
{
    int status = -1;

    close(h->fd);
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    return status;
}

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

static size_t ethernet(uint8_t *frame, uint16_t type)
{
    memset(frame, 0xff, 6);
    memcpy(frame + 6, mac, 6);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    return 14;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void arp(void **state)
{
    uint8_t frame[64] = {0}, reply[2048];
    struct helper h;

    (void)state;
    start(&h, NULL, NULL);
    assert_string_equal(h.first, "ok");
    ethernet(frame, 0x0806);
    memcpy(frame + 14, "\0\1\10\0\6\4\0\1", 8);
    memcpy(frame + 22, mac, 6);
    memcpy(frame + 28, "\12\0\2\17", 4);
    memcpy(frame + 38, "\12\0\2\2", 4);
    assert_int_equal(send(h.fd, frame, 42, 0), 42);
    assert_true(hear(&h, reply, sizeof(reply)) >= 42);
    assert_int_equal(reply[21], 2); /* a reply */
    assert_memory_equal(reply + 28, "\12\0\2\2", 4);
    assert_int_equal(stop(&h), 0);
}

static unsigned sum16(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void dhcp(void **state)
{
    uint8_t frame[342] = {0}, reply[2048];
    uint8_t *ip = frame + 14, *udp = ip + 20, *bootp = udp + 8;
    struct helper h;

    (void)state;
    start(&h, NULL, NULL);
    ethernet(frame, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, sizeof(frame) - 14);
    ip[8] = 64;
    ip[9] = 17;
    memset(ip + 16, 0xff, 4);
    put16(ip + 10, sum16(ip, 20));
    put16(udp, 68);
    put16(udp + 2, 67);
    put16(udp + 4, sizeof(frame) - 34);
    memcpy(bootp, "\1\1\6\0abcd", 8);
    memcpy(bootp + 28, mac, 6);
    memcpy(bootp + 236, "\143\202\123\143\065\001\001\377", 8); /* cookie, discover, end */
    assert_int_equal(send(h.fd, frame, sizeof(frame), 0), (ssize_t)sizeof(frame));
    assert_true(hear(&h, reply, sizeof(reply)) > 14 + 28 + 240);
    assert_memory_equal(reply + 14 + 28 + 4, "abcd", 4);
    assert_memory_equal(reply + 14 + 28 + 16, "\12\0\2\17", 4); /* 10.0.2.15 */
    assert_int_equal(stop(&h), 0);
}

static uint16_t listener(int *fd)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &size), 0);
    return ntohs(a.sin_port);
}

static void forwards(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t frame[2048];
    struct helper h;
    char spec[32];
    uint16_t port;
    int fd;

    (void)state;
    port = listener(&fd);
    snprintf(spec, sizeof(spec), "%u:80", port);
    start(&h, "-p", spec); /* taken */
    assert_non_null(strstr(h.first, "cannot be used"));
    assert_int_equal(WEXITSTATUS(stop(&h)), 1);
    close(fd);
    start(&h, "-p", spec);
    assert_string_equal(h.first, "ok");
    a.sin_port = htons(port);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    /* It asks for the guest's address. */
    assert_true(hear(&h, frame, sizeof(frame)) >= 42);
    assert_int_equal(frame[12] << 8 | frame[13], 0x0806);
    assert_memory_equal(frame + 38, "\12\0\2\17", 4);
    close(fd);
    assert_int_equal(stop(&h), 0);
}

static void bad_options(void **state)
{
    static const char *const bad[] = {"80", "0:80", "80:0", "65536:1", "1:65536", "a:b", "1:2:3", ""};
    struct helper h;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        start(&h, "-p", bad[i]);
        assert_non_null(strstr(h.first, "no HOST:GUEST pair"));
        assert_int_equal(WEXITSTATUS(stop(&h)), 1);
    }
    start(&h, "-x", NULL);
    assert_string_not_equal(h.first, "ok");
    assert_int_equal(WEXITSTATUS(stop(&h)), 1);
}

static bool status_has(pid_t pid, const char *line)
{
    char path[64], text[128];
    bool found = false;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(text, sizeof(text), f))
        found |= !strcmp(text, line);
    fclose(f);
    return found;
}

static void locked_up(void **state)
{
    struct helper h;

    (void)state;
    start(&h, NULL, NULL);
    assert_true(status_has(h.pid, "NoNewPrivs:\t1\n"));
    assert_true(status_has(h.pid, "Seccomp:\t2\n"));
    assert_true(status_has(h.pid, "CapEff:\t0000000000000000\n"));
    assert_true(status_has(h.pid, "CapPrm:\t0000000000000000\n"));
    if (!geteuid())
        assert_true(status_has(h.pid, "Uid:\t65534\t65534\t65534\t65534\n"));
    assert_int_equal(stop(&h), 0);
}

/*
 * Random bytes behind headers that get them to ARP, ICMP, DHCP, TFTP and TCP of the helper itself: no
 * datagram to another port and no SYN, which would go on to programs of this host.
 */
static void make_garbage(uint8_t *frame, size_t len, unsigned i, unsigned *seed)
{
    static const uint8_t protocols[] = {1, 6, 17};

    for (size_t k = 0; k < len; k++)
        frame[k] = (uint8_t)(rand_r(seed) >> 8);
    if (len < 14 + 20 + 14 || i % 4 == 0) {
        frame[len > 12 ? 12 : len - 1] = 0x99; /* no protocol at all */
        return;
    }
    ethernet(frame, i % 3 ? 0x0800 : 0x0806);
    frame[14] = 0x45;
    put16(frame + 16, (unsigned)len - 14);
    put16(frame + 20, 0);
    frame[23] = protocols[rand_r(seed) % 3];
    memcpy(frame + 26, "\12\0\2\17\12\0\2\2", 8);
    if (frame[23] == 17)
        put16(frame + 36, rand_r(seed) % 2 ? 67 : 69);
    frame[47] &= (uint8_t)~2;
    put16(frame + 24, 0);
    put16(frame + 24, sum16(frame + 14, 20));
}

static void garbage(void **state)
{
    uint8_t frame[1514];
    struct helper h;
    unsigned seed = 1;

    (void)state;
    start(&h, NULL, NULL);
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = 1 + (size_t)rand_r(&seed) % sizeof(frame);

        make_garbage(frame, len, i, &seed);
        assert_int_equal(send(h.fd, frame, len, 0), (ssize_t)len);
        while (poll(&(struct pollfd){h.fd, POLLIN, 0}, 1, 0) == 1 && recv(h.fd, frame, sizeof(frame), 0) > 0)
            ;
    }
    assert_int_equal(waitpid(h.pid, NULL, WNOHANG), 0);
    assert_int_equal(stop(&h), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arp),         cmocka_unit_test(dhcp),      cmocka_unit_test(forwards),
        cmocka_unit_test(bad_options), cmocka_unit_test(locked_up), cmocka_unit_test(garbage),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
