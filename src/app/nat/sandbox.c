/* What a taken-over NAT helper could still do: use sockets, and read the resolver's configuration. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "app/nat/nat.h"

#define NOBODY   65534
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- user, resources ---- */

static int drop_user(void)
{
    if (geteuid() != 0)
        return 0;
    return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY);
}

static int set_limits(void)
{
    static const struct {
        int resource;
        rlim_t max;
    } limits[] = {
        {RLIMIT_CORE, 0},      {RLIMIT_FSIZE, 0},
        {RLIMIT_NPROC, 0}, /* no further process or thread */
        {RLIMIT_NOFILE, 1024}, {RLIMIT_DATA, 256u << 20},
    };

    for (size_t i = 0; i < COUNT(limits); i++) {
        struct rlimit now, l = {limits[i].max, limits[i].max};

        if (getrlimit(limits[i].resource, &now))
            return -1;
        if (now.rlim_max < l.rlim_max)
            l.rlim_cur = l.rlim_max = now.rlim_max;
        if (setrlimit(limits[i].resource, &l))
            return -1;
    }
    return 0;
}

/* ---- files: landlock, where the kernel has it; system calls allow only reading in any case ---- */

static void allow_path(int ruleset, const char *path)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    char real[4096];

    if (!realpath(path, real))
        return;
    rule.parent_fd = open(real, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

static void restrict_files(void)
{
    const struct landlock_ruleset_attr attr = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

    if (ruleset < 0)
        return;
    allow_path(ruleset, "/etc/resolv.conf");
    allow_path(ruleset, "/run/systemd/resolve");
    allow_path(ruleset, "/run/resolvconf");
    syscall(SYS_landlock_restrict_self, ruleset, 0);
    close(ruleset);
}

/* ---- system calls ---- */

static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(recv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(send),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(ppoll_time64),
    SCMP_SYS(bind),
    SCMP_SYS(connect),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(shutdown),
    SCMP_SYS(close),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(fcntl),
    SCMP_SYS(fcntl64),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(stat),
    SCMP_SYS(stat64),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fstatat64),
    SCMP_SYS(statx),
    SCMP_SYS(lseek),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Sockets of the internet only: no packet sockets, no netlink, no way to other programs of this host. */
static int allow_sockets(scmp_filter_ctx f)
{
    static const int families[] = {AF_INET, AF_INET6};
    int err = 0;

    for (size_t i = 0; !err && i < COUNT(families); i++)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                               SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
                               SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf & ~SOCK_STREAM & ~SOCK_DGRAM, 0));
    return err;
}

static int allow_arguments(scmp_filter_ctx f)
{
    const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));

    /* No memory is made executable any more. */
    if (!err)
        err =
            seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    /* FIONREAD, FIONBIO: what a socket holds, and not to wait for it. */
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, 0x541b));
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, 0x5421));
    return err ? err : allow_sockets(f);
}

/* What is forbidden fails with EPERM: a library's harmless extra call shall not end the guest's network. */
static int restrict_calls(void)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int err = f ? allow_arguments(f) : -ENOMEM;

    for (size_t i = 0; !err && i < COUNT(allowed); i++) {
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
        if (err == -EDOM || err == -EFAULT)
            err = 0; /* no such call on this host */
    }
    if (!err)
        err = seccomp_load(f);
    if (f)
        seccomp_release(f);
    errno = -err;
    return err;
}

int sandbox_enter(void)
{
    signal(SIGXFSZ, SIG_IGN); /* messages into a file are lost, no more */
    if (drop_user() || prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -1;
    /* A change of user clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || set_limits())
        return -1;
    restrict_files();
    return restrict_calls();
}
