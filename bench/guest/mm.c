/* Memory-management rows: what processes and files cost the guest kernel. */
#define _GNU_SOURCE
#include "row.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static uint64_t run_fault(unsigned long n)
{
    enum { LEN = 4 << 20 };
    uint64_t sum = 0;

    while (n--) {
        char *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
            die("mmap");
        madvise(p, LEN, MADV_NOHUGEPAGE);
        for (size_t i = 0; i < LEN; i += PAGE)
            p[i] = (char)i + 1, sum += p[i] + p[i + 1];
        munmap(p, LEN);
    }
    return sum;
}

static uint64_t run_mprotect(unsigned long n)
{
    enum { PAGES = 16 };
    char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t sum = 0;

    if (p == MAP_FAILED)
        die("mmap");
    while (n--) {
        size_t at = n % PAGES * PAGE;

        p[at] = (char)n;
        mprotect(p + at, PAGE, PROT_READ);
        sum += (unsigned char)p[at];
        mprotect(p + at, PAGE, PROT_READ | PROT_WRITE);
    }
    return sum;
}

static uint64_t run_mmap(unsigned long n)
{
    uint64_t sum = 0;

    while (n--) {
        char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
            die("mmap");
        p[n % 8 * PAGE] = 1;
        sum += p[n % 8 * PAGE];
        munmap(p, 8 * PAGE);
    }
    return sum;
}

static uint64_t spawn(unsigned long n, const char *program)
{
    uint64_t sum = 0;

    while (n--) {
        int status;
        pid_t pid = fork();

        if (pid < 0)
            die("fork");
        if (pid == 0) {
            if (program)
                execl(program, program, "--nop", (char *)NULL);
            _exit(7);
        }
        waitpid(pid, &status, 0);
        sum += (uint64_t)WEXITSTATUS(status);
    }
    return sum;
}

static uint64_t run_fork(unsigned long n)
{
    return spawn(n, NULL);
}

static uint64_t run_exec(unsigned long n)
{
    return spawn(n, "/proc/self/exe");
}

static char dir[64];

static void setup_vfs(void)
{
    char path[96];

    snprintf(dir, sizeof(dir), "/tmp/cvbench.%d", getpid());
    mkdir("/tmp", 0777);
    if (mkdir(dir, 0700))
        die(dir);
    for (int i = 0; i < 16; i++) {
        int fd;

        snprintf(path, sizeof(path), "%s/file%d", dir, i);
        fd = open(path, O_CREAT | O_WRONLY, 0600);
        if (fd < 0 || write(fd, path, 10) != 10)
            die(path);
        close(fd);
    }
}

static uint64_t run_vfs(unsigned long n)
{
    char paths[16][96], missing[96], buf[16];
    uint64_t sum = 0;

    for (int i = 0; i < 16; i++)
        snprintf(paths[i], sizeof(paths[i]), "%s/file%d", dir, i);
    snprintf(missing, sizeof(missing), "%s/none", dir);
    while (n--) {
        const char *path = paths[n % 16];
        struct stat st;
        int fd;

        sum += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
        sum += stat(missing, &st) != 0;
        fd = open(path, O_RDONLY);
        sum += (uint64_t)read(fd, buf, sizeof(buf));
        close(fd);
    }
    for (int i = 0; i < 16; i++)
        unlink(paths[i]);
    rmdir(dir);
    return sum;
}

const struct row rows_mm[] = {
    {"mm", "fault", run_fault, 11, NULL, 1}, {"mm", "mprotect", run_mprotect, 7400, NULL, 1},
    {"mm", "mmap", run_mmap, 5400, NULL, 1}, {"mm", "fork", run_fork, 580, NULL, 1},
    {"mm", "exec", run_exec, 130, NULL, 1},  {"mm", "vfs", run_vfs, 3200, setup_vfs, 1},
    {NULL, NULL, NULL, 0, NULL, 0},
};
