/*
 * Runs bench rows inside the guest. Each row is a child process, so that no row sees another's heap or signal
 * state. The driver reads the monitor's CPU clock at each marker line:
 *     @row NAME start CLASS
 *     @row NAME end CHECKSUM
 */
#define _GNU_SOURCE
#include "row.h"
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const struct row *const tables[] = {rows_integer, rows_calls, rows_fp, rows_memory,
                                           rows_code,    rows_traps, rows_mm, rows_threads};

struct options {
    const char *rows;    /* comma list of row or class names, NULL: all */
    unsigned long scale; /* per mille of each row's own n */
    int cpus;            /* only rows that want so many */
    int list;
};

void die(const char *what)
{
    perror(what);
    exit(1);
}

void *pages(size_t len, int huge)
{
    size_t align = 2UL << 20;
    char *p = mmap(NULL, len + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        die("mmap");
    p = (char *)(((uintptr_t)p + align - 1) & ~(align - 1));
    if (huge >= 0)
        madvise(p, len, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    return p;
}

static void say(const char *line)
{
    size_t len = strlen(line);

    if (write(1, line, len) != (ssize_t)len)
        exit(1);
    /* The marker must be out before the work goes on: the driver's clock reading hangs on it. */
    tcdrain(1);
}

static int listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = list; (p = strstr(p, name)); p += len) {
        int begins = p == list || p[-1] == ',';

        if (begins && (p[len] == ',' || p[len] == 0))
            return 1;
    }
    return 0;
}

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(0, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static void row_child(const struct row *r, unsigned long n)
{
    char line[128];
    uint64_t sum;

    if (r->cpus == 1)
        pin();
    if (r->setup)
        r->setup();
    snprintf(line, sizeof(line), "@row %s start %s\n", r->name, r->cls);
    say(line);
    sum = r->run(n);
    snprintf(line, sizeof(line), "@row %s end %016llx\n", r->name, (unsigned long long)sum);
    say(line);
    _exit(0);
}

static void row_run(const struct row *r, const struct options *o)
{
    unsigned long n = r->n * o->scale / 1000;
    char line[128];
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0)
        row_child(r, n ? n : 1);
    if (waitpid(pid, &status, 0) < 0)
        die("waitpid");
    if (status) {
        snprintf(line, sizeof(line), "@row %s failed status 0x%x\n", r->name, status);
        say(line);
    }
}

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--list"))
            o->list = 1;
        else if (!strcmp(argv[i], "--rows") && i + 1 < argc)
            o->rows = argv[++i];
        else if (!strcmp(argv[i], "--scale") && i + 1 < argc)
            o->scale = strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--cpus") && i + 1 < argc)
            o->cpus = atoi(argv[++i]);
        else
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {.scale = 1000};

    /* The exec row starts this program with this argument: nothing but the cost of starting. */
    if (argc == 2 && !strcmp(argv[1], "--nop"))
        return 7;
    if (parse(argc, argv, &o)) {
        fprintf(stderr, "usage: cvbench [--list] [--rows A,B] [--scale PERMILLE] [--cpus N]\n");
        return 2;
    }
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct row *r = tables[t]; r->name; r++) {
            if (o.rows && !listed(o.rows, r->name) && !listed(o.rows, r->cls))
                continue;
            if (o.cpus && o.cpus != r->cpus)
                continue;
            if (o.list)
                printf("%s %s %d\n", r->cls, r->name, r->cpus);
            else
                row_run(r, &o);
        }
    }
    if (!o.list)
        say("@bench done\n");
    return 0;
}
