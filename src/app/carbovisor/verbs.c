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
    _Atomic int signal;
    _Atomic bool over; /* set before the signal that ends the thread */
};

static void *watch(void *opaque)
{
    const struct timespec moment = {.tv_nsec = 100000000};
    struct watcher *w = opaque;
    int sig;

    if (sigwait(&w->set, &sig) || w->over)
        return NULL;
    w->signal = sig;
    cv_vm_stop(w->vm);
    for (unsigned i = 0; i < 50 && !w->over; i++)
        sigtimedwait(&w->set, NULL, &moment);
    /* Standard error or a disk takes nothing. The terminal is restored, and no more. */
    if (!w->over)
        quick_exit(STATUS_SIGNAL + sig);
    return NULL;
}

/* All that would end the process and leave the terminal as it is. A file that may not grow is an error. */
static void watcher_start(struct watcher *w)
{
    static const int ends[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,  SIGUSR1,
                               SIGUSR2, SIGALRM, SIGXCPU, SIGVTALRM};

    sigemptyset(&w->set);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaddset(&w->set, ends[i]);
    pthread_sigmask(SIG_BLOCK, &w->set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static void emit_counter(void *opaque, const char *name, uint64_t value)
{
    const struct options *o = opaque;

    if (o->json)
        fprintf(stderr, "{\"counter\":\"%s\",\"value\":%llu}%s", name, (unsigned long long)value, line_end());
    else
        fprintf(stderr, "%-24s %llu%s", name, (unsigned long long)value, line_end());
}

static int end_status(const struct options *o, const struct cv_result *r, int signal)
{
    int good = r->output_lost ? STATUS_INTERNAL : STATUS_OK;

    if (signal)
        return STATUS_SIGNAL + signal;
    switch (r->end) {
    case CV_END_POWEROFF:
        return good;
    case CV_END_STATUS:
        return r->status ? STATUS_CHOSEN + (int)r->status : good;
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
    char why[WHY_MAX];
    int err = cv_vm_start(vm, why, sizeof(why));

    if (err) {
        complain("%s", why);
        return status_of(err);
    }
    w->vm = vm;
    err = pthread_create(&w->thread, NULL, watch, w);
    if (err) {
        complain("no thread for signals: %s; free some on the host", strerror(err));
        return STATUS_HOST;
    }
    cv_vm_wait(vm, -1, &result);
    w->over = true;
    pthread_kill(w->thread, SIGUSR1);
    pthread_join(w->thread, NULL);
    if (o->verbose)
        cv_vm_counters(vm, emit_counter, (void *)o);
    return end_status(o, &result, w->signal);
}

static void print_line(void *opaque, const char *line)
{
    const struct options *o = opaque;

    if (!o->json) {
        puts(line);
        return;
    }
    printf("{\"line\":");
    print_json_string(line);
    puts("}");
}

static int show_vm(const struct options *o)
{
    char why[WHY_MAX];
    cv_vm *vm;
    int err = cv_vm_inspect(&vm, o->config, why, sizeof(why));

    if (err) {
        complain("%s", why);
        return status_of(err);
    }
    cv_vm_describe(vm, print_line, (void *)o);
    cv_vm_destroy(vm);
    return 0;
}

static int create_and_run(const struct options *o, struct watcher *w)
{
    char why[WHY_MAX];
    cv_vm *vm;
    int status, err = cv_vm_create(&vm, o->config, why, sizeof(why));

    if (err) {
        complain("%s", why);
        return status_of(err);
    }
    if (o->verbose) {
        const char *reason, *engine = cv_vm_engine(vm, &reason);

        complain("engine %s: %s", engine, reason);
    }
    status = run_vm(o, vm, w);
    cv_vm_destroy(vm);
    return status;
}

int verb_run(int argc, char **argv)
{
    struct watcher w = {0};
    struct options o;
    int status = options_parse(&o, argc, argv);

    if (!status && o.dry_run) {
        status = show_vm(&o);
    } else if (!status) {
        watcher_start(&w);
        status = create_and_run(&o, &w);
    }
    cv_config_destroy(o.config);
    return status;
}

int verb_check(int argc, char **argv)
{
    struct options o;
    int status = options_parse(&o, argc, argv);

    if (!status)
        status = show_vm(&o);
    cv_config_destroy(o.config);
    return status;
}

/* ---- list, doctor ---- */

/* Whether --json is there; every other word after the first `words` is one too many. */
static int only_json(const char *verb, int argc, char **argv, int words, bool *json)
{
    *json = false;
    for (int i = words; i < argc; i++) {
        if (strcmp(argv[i], "--json")) {
            complain("%s: '%.200s' is one word too many; see carbovisor %s --help", verb, argv[i], verb);
            return STATUS_USAGE;
        }
        *json = true;
    }
    return 0;
}

int verb_list(int argc, char **argv)
{
    static const char *const kinds[] = {[CV_GUESTS] = "guests",
                                        [CV_ENGINES] = "engines",
                                        [CV_MACHINES] = "machines",
                                        [CV_DEVICES] = "devices"};
    const char *name, *summary;
    bool json;

    for (unsigned k = 0; argc > 0 && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (strcmp(argv[0], kinds[k]))
            continue;
        if (only_json("list", argc, argv, 1, &json))
            return STATUS_USAGE;
        for (unsigned i = 0; cv_list((enum cv_kind)k, i, &name, &summary); i++)
            printf(json ? "{\"name\":\"%s\",\"summary\":\"%s\"}\n" : "%-16s %s\n", name, summary);
        return 0;
    }
    if (argc)
        complain("list: '%.200s' is unknown; list takes one of guests, engines, machines, devices", argv[0]);
    else
        complain("list takes one of guests, engines, machines, devices");
    return STATUS_USAGE;
}

static void doctor_line(bool json, const char *what, bool ok, const char *text)
{
    if (!json) {
        printf("%-14s %-4s %s\n", what, ok ? "ok" : "no", text);
        return;
    }
    printf("{\"name\":\"%s\",\"ok\":%s,\"text\":", what, ok ? "true" : "false");
    print_json_string(text);
    puts("}");
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
    bool good, any = false, json, terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    const char *name, *summary;
    char text[4096];

    if (only_json("doctor", argc, argv, 0, &json))
        return STATUS_USAGE;
    for (unsigned i = 0; cv_list(CV_ENGINES, i, &name, &summary); i++) {
        good = !cv_engine_probe(i, text, sizeof(text));
        doctor_line(json, name, good, good ? summary : text);
        any |= good;
    }
    good = nat_helper(text, sizeof(text));
    doctor_line(
        json, "net nat", good,
        good ? text
             : "carbovisor-nat is missing beside the program; build it with make, or use --net-mode none");
    doctor_line(json, "terminal", terminal,
                terminal ? "the guest's console can use it; Ctrl-a x ends a VM"
                         : "input or output is no terminal; the console still works, without raw mode");
    return any ? STATUS_OK : STATUS_HOST;
}
