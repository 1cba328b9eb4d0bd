/* The command `carbovisor`: verbs, their flags, exit statuses (docs/user.md). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "app/carbovisor/app.h"
#include "lib/fmt.h"

static const struct verb verbs[] = {
    {"run", "[VM.yaml] [flags]", "create, start, attach the console", verb_run},
    {"check", "VM.yaml [flags]", "validate, print the machine and its memory map, start nothing", verb_check},
    {"ctl", "SOCKET COMMAND...", "send one command to a running VM (--monitor unix:SOCKET)", verb_ctl},
    {"bundle", "VM.yaml... -o FILE", "boot bundle of several VMs for the bare form", verb_bundle},
    {"list", "guests|engines|machines|devices [--json]", "what there is", verb_list},
    {"doctor", "[--json]", "what this host can do, and how to fix what it cannot", verb_doctor},
};

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    }
    return NULL;
}

static void print_usage(void)
{
    printf("Carbovisor %s: virtual machines of riscv64 and arm64 on this host\n\nusage:\n", cv_version());
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        printf("  carbovisor %-7s %-41s %s\n", verbs[i].name, verbs[i].args, verbs[i].help);
    printf("  carbovisor --version | --help | COMMAND --help\n\n"
           "`carbovisor --kernel ...` means `carbovisor run --kernel ...`.\n");
}

static int unknown_verb(const char *word)
{
    const char *names[sizeof(verbs) / sizeof(verbs[0])];
    size_t n = 0;
    const char *dot = strrchr(word, '.');
    char hint[160];

    if (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"))) {
        complain("command '%.200s' is unknown; write carbovisor run %.200s, see carbovisor --help", word,
                 word);
        return STATUS_USAGE;
    }
    for (; n < sizeof(verbs) / sizeof(verbs[0]); n++)
        names[n] = verbs[n].name;
    fmt_hint(hint, sizeof(hint), word, names, n);
    complain("command '%.200s' is unknown; %s, see carbovisor --help", word, hint);
    return STATUS_USAGE;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return verb_help(v);
    }
    return v->run(argc, argv);
}

static int dispatch(int argc, char **argv)
{
    const struct verb *v = argc ? verb_find(argv[0]) : NULL;

    if (!argc) {
        complain("say what to do: carbovisor run --kernel FILE, or carbovisor --help");
        return STATUS_USAGE;
    }
    if (!strcmp(argv[0], "--version")) {
        printf("carbovisor %s\n", cv_version());
        return 0;
    }
    if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") || !strcmp(argv[0], "help")) {
        print_usage();
        return 0;
    }
    if (argv[0][0] == '-')
        return run_verb(verb_find("run"), argc, argv);
    return v ? run_verb(v, argc - 1, argv + 1) : unknown_verb(argv[0]);
}

/*
 * What was closed must not become a disk: its number is taken by what takes no output. Standard input that is
 * not there has ended, standard output fails as it should, and of standard error nobody sees anything.
 */
static void keep_standard(void)
{
    static const int mode[] = {O_RDONLY, O_RDONLY, O_WRONLY};

    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode[fd]) < 0)
            _exit(STATUS_HOST);
    }
}

int main(int argc, char **argv)
{
    keep_standard();
    return flush_output(dispatch(argc > 0 ? argc - 1 : 0, argv + 1));
}
