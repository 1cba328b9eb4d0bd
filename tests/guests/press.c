/*
 * Runs a bare arm64 program and presses the machine's power button once it says that it waits for that, and
 * then now and then, for on a busy host the guest may miss a key that is down for 0.1 s: press ENGINE IMAGE.
 * What it prints goes to stdout; ends with 0 when the guest powered off. Whoever runs this limits its time.
 */
#include <carbovisor/carbovisor.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The guest's line: it waits for the key. */
#define READY "ok the power key\n"

/* What the guest prints, on its way to stdout. */
struct console {
    int from, to;
    char text[4096]; /* its beginning, ended by NUL */
    size_t size;
};

static int fail(const char *why)
{
    fprintf(stderr, "press: %s\n", why);
    return 1;
}

static int console_open(struct console *c)
{
    int ends[2];

    c->size = 0;
    c->text[0] = 0;
    if (pipe(ends))
        return -1;
    c->from = ends[0];
    c->to = dup(STDOUT_FILENO);
    return c->to < 0 || dup2(ends[1], STDOUT_FILENO) < 0 || close(ends[1]) ? -1 : 0;
}

/* Passes on what comes within that time. */
static void console_pass(struct console *c, int ms)
{
    struct pollfd p = {.fd = c->from, .events = POLLIN};
    char some[512];
    ssize_t n;

    for (; poll(&p, 1, ms) > 0; ms = 0) {
        n = read(c->from, some, sizeof(some));
        if (n <= 0 || write(c->to, some, (size_t)n) != n)
            return;
        if (c->size + (size_t)n < sizeof(c->text)) {
            memcpy(c->text + c->size, some, (size_t)n);
            c->size += (size_t)n;
            c->text[c->size] = 0;
        }
    }
}

static bool is_ready(const struct console *c)
{
    return strstr(c->text, READY) != NULL;
}

static int run(cv_vm *vm, struct console *c)
{
    struct cv_result result;
    char why[200];
    time_t next = 0;

    if (cv_vm_power_button(vm) != -22)
        return fail("a VM that does not run has a power button");
    if (cv_vm_start(vm, why, sizeof(why)))
        return fail(why);
    for (;;) {
        console_pass(c, 100);
        if (!cv_vm_wait(vm, 0, &result))
            break;
        if (!is_ready(c) || time(NULL) < next)
            continue;
        /* The guest may have ended just now. */
        if (cv_vm_power_button(vm) && cv_vm_wait(vm, 1000, &result))
            return fail("no power button");
        next = time(NULL) + 2;
    }
    console_pass(c, 0);
    return result.end == CV_END_POWEROFF ? 0 : fail(result.reason);
}

int main(int argc, char **argv)
{
    cv_config *config = cv_config_create();
    struct console console;
    char why[200];
    cv_vm *vm;
    int status;

    if (argc != 3 || !config)
        return fail("usage: press ENGINE IMAGE");
    if (console_open(&console))
        return fail("no pipe");
    if (cv_config_set(config, "guest-arch", "arm64", why, sizeof(why)) ||
        cv_config_set(config, "accel", argv[1], why, sizeof(why)) ||
        cv_config_set(config, "memory", "256M", why, sizeof(why)) ||
        cv_config_set(config, "net-mode", "none", why, sizeof(why)) ||
        cv_config_set(config, "serial", "stdio", why, sizeof(why)) ||
        cv_config_set(config, "kernel", argv[2], why, sizeof(why)) ||
        cv_vm_create(&vm, config, why, sizeof(why)))
        return fail(why);
    status = run(vm, &console);
    cv_vm_destroy(vm);
    cv_config_destroy(config);
    return status;
}
