/* The command `carbovisor`: verbs, their flags, exit statuses (docs/user.md). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "app/carbovisor/app.h"

static const struct verb verbs[] = {
    {"run", "[VM.yaml] [flags]", "create, start, attach the console", verb_run},
    {"check", "VM.yaml [flags]", "validate, print the machine and its memory map, start nothing", verb_check},
    {"list", "guests|engines|machines|devices", "what there is", verb_list},
    {"doctor", "", "what this host can do, and how to fix what it cannot", verb_doctor},
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
    printf("Carbovisor %s: virtual machines of riscv64 on this host\n\nusage:\n", cv_version());
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        printf("  carbovisor %-7s %-32s %s\n", verbs[i].name, verbs[i].args, verbs[i].help);
    printf("  carbovisor --version | --help | COMMAND --help\n\n"
           "`carbovisor --kernel ...` means `carbovisor run --kernel ...`.\n");
}

static int unknown_verb(const char *word)
{
    const char *best = verbs[0].name;

    for (size_t i = 1; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (word_distance(word, verbs[i].name) < word_distance(word, best))
            best = verbs[i].name;
    }
    complain("unknown command '%s'; the nearest is '%s', see carbovisor --help", word, best);
    return STATUS_USAGE;
}

int main(int argc, char **argv)
{
    const struct verb *v;

    if (argc < 2) {
        print_usage();
        return STATUS_USAGE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("carbovisor %s\n", cv_version());
        return 0;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_usage();
        return 0;
    }
    if (argv[1][0] == '-')
        return verb_run(argc - 1, argv + 1);
    v = verb_find(argv[1]);
    if (!v)
        return unknown_verb(argv[1]);
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return verb_help(v);
    }
    return v->run(argc - 2, argv + 2);
}
