/* Trap rows: the way into the guest kernel and back, signals, and switches between tasks. */
#define _GNU_SOURCE
#include "row.h"
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t run_syscall(unsigned long n)
{
    uint64_t sum = 0;

    for (unsigned long i = 0; i < n; i++)
        sum += syscall(SYS_getppid) > 0;
    return sum;
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    signals += number == SIGUSR1;
}

static uint64_t run_signal(unsigned long n)
{
    struct sigaction sa = {.sa_handler = on_signal};
    pid_t self = getpid();

    sigaction(SIGUSR1, &sa, NULL);
    for (unsigned long i = 0; i < n; i++)
        kill(self, SIGUSR1);
    return (uint64_t)signals;
}

static sigjmp_buf back;

static void on_segv(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static uint64_t run_segv(unsigned long n)
{
    struct sigaction sa = {.sa_handler = on_segv, .sa_flags = SA_NODEFER};
    volatile char *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile uint64_t caught = 0;
    volatile unsigned long left = n;

    sigaction(SIGSEGV, &sa, NULL);
    while (left--) {
        if (sigsetjmp(back, 0))
            caught++;
        else
            bad[left & 4095] = 1;
    }
    return caught;
}

/* Two processes on one CPU hand a byte to and fro: two system calls and a switch each way. */
static uint64_t run_pipe(unsigned long n)
{
    int there[2], back_again[2];
    unsigned char c = 0;
    uint64_t sum = 0;

    if (pipe(there) || pipe(back_again))
        die("pipe");
    pid_t pid = fork();

    if (pid == 0) {
        close(there[1]);
        while (read(there[0], &c, 1) == 1) {
            c += 3;
            if (write(back_again[1], &c, 1) != 1)
                break;
        }
        _exit(0);
    }
    while (n--) {
        if (write(there[1], &c, 1) != 1 || read(back_again[0], &c, 1) != 1)
            die("pipe");
        sum += c;
    }
    close(there[1]);
    waitpid(pid, NULL, 0);
    return sum;
}

/* Two threads of one process take turns by futex: a switch without a change of address space. */
static _Atomic unsigned turn;
static unsigned long turns;

static void wait_turn(unsigned want)
{
    unsigned seen;

    while ((seen = atomic_load(&turn)) % 2 != want)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void pass_turn(void)
{
    atomic_fetch_add(&turn, 1);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_other(void *arg)
{
    (void)arg;
    for (unsigned long i = 0; i < turns; i++) {
        wait_turn(1);
        pass_turn();
    }
    return NULL;
}

static uint64_t run_futex(unsigned long n)
{
    pthread_t other;

    turns = n;
    if (pthread_create(&other, NULL, futex_other, NULL))
        die("pthread_create");
    while (n--) {
        wait_turn(0);
        pass_turn();
    }
    pthread_join(other, NULL);
    return atomic_load(&turn);
}

const struct row rows_traps[] = {
    {"traps", "syscall", run_syscall, 570000, NULL, 1}, {"traps", "signal", run_signal, 6500, NULL, 1},
    {"traps", "segv", run_segv, 7900, NULL, 1},         {"traps", "pipe", run_pipe, 4300, NULL, 1},
    {"traps", "futex", run_futex, 13000, NULL, 1},      {NULL, NULL, NULL, 0, NULL, 0},
};
