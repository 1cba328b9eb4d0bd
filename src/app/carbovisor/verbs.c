/* run, check, list, doctor. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/carbovisor/app.h"

/* ---- run ---- */

/* Waits for a signal that shall end us, in a thread of its own, and ends the VM in an orderly way. */
struct watcher {
    cv_vm *vm;
    sigset_t set;
    pthread_t thread;
    volatile int signal;
};

static void *watch(void *opaque)
{
    struct watcher *w = opaque;
    int sig;

    while (!sigwait(&w->set, &sig)) {
        if (sig == SIGUSR1)
            break; /* the run is over */
        w->signal = sig;
        cv_vm_stop(w->vm);
    }
    return NULL;
}

static void watcher_start(struct watcher *w)
{
    sigemptyset(&w->set);
    sigaddset(&w->set, SIGINT);
    sigaddset(&w->set, SIGTERM);
    sigaddset(&w->set, SIGHUP);
    sigaddset(&w->set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &w->set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void emit_counter(void *opaque, const char *name, uint64_t value)
{
    const struct options *o = opaque;

    if (o->json)
        fprintf(stderr, "{\"counter\":\"%s\",\"value\":%llu}\n", name, (unsigned long long)value);
    else
        fprintf(stderr, "%-24s %llu\n", name, (unsigned long long)value);
}

static int end_status(const struct options *o, const struct cv_result *r, int signal)
{
    if (signal)
        return STATUS_SIGNAL + signal;
    switch (r->end) {
    case CV_END_POWEROFF:
        return STATUS_OK;
    case CV_END_STATUS:
        return r->status ? STATUS_CHOSEN + (int)r->status : STATUS_OK;
    case CV_END_RESET:
        if (!o->quiet)
            complain("the guest reset itself (%s); --no-reboot ended the run", r->reason);
        return STATUS_GUEST;
    default:
        complain("the guest crashed: %s", r->reason);
        return STATUS_GUEST;
    }
}

static int run_vm(const struct options *o, cv_vm *vm, struct watcher *w)
{
    struct cv_result result;
    char why[400];
    int err = cv_vm_start(vm, why, sizeof(why));

    if (err) {
        complain("%s", why);
        return status_of(err);
    }
    w->vm = vm;
    pthread_create(&w->thread, NULL, watch, w);
    cv_vm_wait(vm, -1, &result);
    pthread_kill(w->thread, SIGUSR1);
    pthread_join(w->thread, NULL);
    if (o->verbose)
        cv_vm_counters(vm, emit_counter, (void *)o);
    return end_status(o, &result, w->signal);
}

static void print_line(void *opaque, const char *line)
{
    const struct options *o = opaque;

    if (o->json)
        printf("{\"line\":\"%s\"}\n", line);
    else
        printf("%s\n", line);
}

static int create(struct options *o, int argc, char **argv, cv_vm **vm)
{
    char why[400];
    int status = options_parse(o, argc, argv), err;

    *vm = NULL;
    if (status)
        return status;
    err = cv_vm_create(vm, o->config, why, sizeof(why));
    if (err)
        complain("%s", why);
    return status_of(err);
}

int verb_run(int argc, char **argv)
{
    struct watcher w = {0};
    struct options o;
    cv_vm *vm;
    int status;

    watcher_start(&w);
    status = create(&o, argc, argv, &vm);
    if (!status && o.verbose) {
        const char *reason, *engine = cv_vm_engine(vm, &reason);

        complain("engine %s: %s", engine, reason);
    }
    if (!status && o.dry_run)
        cv_vm_describe(vm, print_line, &o);
    else if (!status)
        status = run_vm(&o, vm, &w);
    cv_vm_destroy(vm);
    cv_config_destroy(o.config);
    return status;
}

int verb_check(int argc, char **argv)
{
    struct options o;
    cv_vm *vm;
    int status = create(&o, argc, argv, &vm);

    if (!status)
        cv_vm_describe(vm, print_line, &o);
    cv_vm_destroy(vm);
    cv_config_destroy(o.config);
    return status;
}

/* ---- list, doctor ---- */

int verb_list(int argc, char **argv)
{
    static const char *const kinds[] = {[CV_GUESTS] = "guests",
                                        [CV_ENGINES] = "engines",
                                        [CV_MACHINES] = "machines",
                                        [CV_DEVICES] = "devices"};
    bool json = argc > 1 && !strcmp(argv[1], "--json");
    const char *name, *summary;

    for (unsigned k = 0; argc > 0 && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (strcmp(argv[0], kinds[k]))
            continue;
        for (unsigned i = 0; cv_list((enum cv_kind)k, i, &name, &summary); i++)
            printf(json ? "{\"name\":\"%s\",\"summary\":\"%s\"}\n" : "%-16s %s\n", name, summary);
        return 0;
    }
    complain("list takes one of guests, engines, machines, devices");
    return STATUS_USAGE;
}

static void doctor_line(const char *what, bool ok, const char *text)
{
    printf("%-14s %-4s %s\n", what, ok ? "ok" : "no", text);
}

static bool nat_helper(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);
    char *slash;

    if (n < 0)
        return false;
    path[n] = 0;
    slash = strrchr(path, '/');
    snprintf(slash, size - (size_t)(slash - path), "/carbovisor-nat");
    if (!access(path, X_OK))
        return true;
    snprintf(slash, size - (size_t)(slash - path), "/../libexec/carbovisor/carbovisor-nat");
    return !access(path, X_OK);
}

int verb_doctor(int argc, char **argv)
{
    const char *name, *summary;
    char why[300];
    bool good = true;

    (void)argv;
    if (argc) {
        complain("doctor takes no arguments");
        return STATUS_USAGE;
    }
    for (unsigned i = 0; cv_list(CV_ENGINES, i, &name, &summary); i++) {
        bool ok = !cv_engine_probe(i, why, sizeof(why));

        doctor_line(name, ok, ok ? summary : why);
        good |= ok;
    }
    good = nat_helper(why, sizeof(why));
    doctor_line(
        "net nat", good,
        good ? why
             : "carbovisor-nat is missing beside the program; build it with make, or use --net-mode none");
    doctor_line("terminal", isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
                isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)
                    ? "the guest's console can use it; Ctrl-a x ends a VM"
                    : "input or output is no terminal; the console still works, without raw mode");
    return 0;
}
