/* Flags of `run` and `check`: the library's settings, and the few that are the command's own. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "app/carbovisor/app.h"

/* Flags that are no setting of the VM. */
static const struct {
    const char *flag, *short_flag, *help;
    size_t offset; /* of a bool in struct options */
} own_flags[] = {
    {"verbose", "-v", "say which engine and why, print counters at the end",
     offsetof(struct options, verbose)},
    {"quiet", "-q", "say nothing but errors", offsetof(struct options, quiet)},
    {"json", NULL, "machine-readable output: one object a line", offsetof(struct options, json)},
    {"dry-run", NULL, "check everything, start nothing", offsetof(struct options, dry_run)},
};
#define OWN_FLAGS (sizeof(own_flags) / sizeof(own_flags[0]))

void complain(const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    fprintf(stderr, "carbovisor: %s\n", line);
}

int status_of(int err)
{
    switch (err) {
    case 0:
        return STATUS_OK;
    case -ENOMEM:
    case -ENOTSUP:
    case -EAGAIN:
        return STATUS_HOST;
    default:
        return STATUS_CONFIG;
    }
}

unsigned word_distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    unsigned row[MAX + 1], n = (unsigned)strnlen(b, MAX);

    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 0; a[i] && i < MAX; i++) {
        unsigned diagonal = row[0];

        row[0] = i + 1;
        for (unsigned j = 0; j < n; j++) {
            unsigned best = diagonal + (a[i] != b[j]);

            diagonal = row[j + 1];
            best = best < diagonal + 1 ? best : diagonal + 1;
            row[j + 1] = best < row[j] + 1 ? best : row[j] + 1;
        }
    }
    return row[n];
}

int verb_help(const struct verb *v)
{
    const char *key, *arg, *help;
    char left[80];

    printf("usage: carbovisor %s %s\n%s\n", v->name, v->args, v->help);
    if (v->run != verb_run && v->run != verb_check)
        return 0;
    printf("\nflags (each but the last four is also a key of VM.yaml; a flag overrides the file):\n");
    for (unsigned i = 0; cv_config_option(i, &key, &arg, &help); i++) {
        snprintf(left, sizeof(left), "--%s%s%s%s", key, arg ? " " : "", arg ? arg : "",
                 !strcmp(key, "publish") ? ", -p" : "");
        printf("  %-46s %s\n", left, help);
    }
    for (size_t i = 0; i < OWN_FLAGS; i++) {
        snprintf(left, sizeof(left), "--%s%s%s", own_flags[i].flag, own_flags[i].short_flag ? ", " : "",
                 own_flags[i].short_flag ? own_flags[i].short_flag : "");
        printf("  %-46s %s\n", left, own_flags[i].help);
    }
    return 0;
}

static bool own_flag(struct options *o, const char *word)
{
    for (size_t i = 0; i < OWN_FLAGS; i++) {
        if ((word[0] == '-' && word[1] == '-' && !strcmp(word + 2, own_flags[i].flag)) ||
            (own_flags[i].short_flag && !strcmp(word, own_flags[i].short_flag))) {
            *(bool *)((char *)o + own_flags[i].offset) = true;
            return true;
        }
    }
    return false;
}

/* The setting of that name; unknown ones name the nearest of all flags. */
static int find_flag(const char *name, const char **key, const char **arg)
{
    const char *k, *a, *help, *best = own_flags[0].flag;

    for (unsigned i = 0; cv_config_option(i, &k, &a, &help); i++) {
        if (!strcmp(k, name)) {
            *key = k;
            *arg = a;
            return 0;
        }
        if (word_distance(name, k) < word_distance(name, best))
            best = k;
    }
    for (size_t i = 0; i < OWN_FLAGS; i++) {
        if (word_distance(name, own_flags[i].flag) < word_distance(name, best))
            best = own_flags[i].flag;
    }
    complain("unknown flag '--%s'; the nearest is '--%s', see carbovisor run --help", name, best);
    return -EINVAL;
}

/* --key value, --key=value, -p value; gives how many words it took, 0 after an error that it explained. */
static int take_flag(struct options *o, int argc, char **argv)
{
    const char *name = argv[0] + 2, *key = NULL, *arg = NULL, *value = strchr(argv[0], '=');
    char word[64], why[300];
    int used = 1;

    if (!strcmp(argv[0], "-p")) {
        name = "publish";
        value = NULL;
    } else if (argv[0][1] != '-') {
        complain("unknown flag '%s'; see carbovisor run --help", argv[0]);
        return 0;
    }
    if (value && (size_t)(value - name) < sizeof(word)) {
        snprintf(word, sizeof(word), "%.*s", (int)(value - name), name);
        name = word;
        value++;
    }
    if (find_flag(name, &key, &arg))
        return 0;
    if (arg && !value) {
        if (argc < 2) {
            complain("--%s needs a value, %s", key, arg);
            return 0;
        }
        value = argv[1];
        used = 2;
    }
    if (cv_config_set(o->config, key, value, why, sizeof(why))) {
        complain("--%s", why);
        return 0;
    }
    return used;
}

static int load_file(struct options *o, const char *path)
{
    char why[400];

    if (cv_config_load(o->config, path, why, sizeof(why))) {
        complain("%s", why);
        return STATUS_CONFIG;
    }
    return 0;
}

/* --key or --key=value that is none of ours; explained. */
static bool unknown_flag(struct options *o, const char *word)
{
    const char *key, *arg;
    char name[64];

    if (strncmp(word, "--", 2) || own_flag(o, word))
        return false;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    return find_flag(name, &key, &arg) != 0;
}

/* The file first, wherever it stands, since flags override it. */
static int take_file(struct options *o, int argc, char **argv)
{
    const char *file = NULL;

    for (int i = 0; i < argc; i++) {
        const char *key, *arg, *help;

        if (argv[i][0] != '-') {
            if (file) {
                complain("'%s': one VM.yaml is enough, '%s' was given before", argv[i], file);
                return STATUS_USAGE;
            }
            file = argv[i];
            continue;
        }
        if (!strcmp(argv[i], "-p"))
            i++;
        else if (unknown_flag(o, argv[i]))
            return STATUS_USAGE; /* its value would pass for the file */
        for (unsigned k = 0; argv[i] && cv_config_option(k, &key, &arg, &help); k++) {
            if (arg && argv[i][0] == '-' && !strcmp(argv[i] + 2, key)) {
                i++;
                break;
            }
        }
    }
    return file ? load_file(o, file) : 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
    int status;

    *o = (struct options){.config = cv_config_create()};
    if (!o->config) {
        complain("no memory; free some on the host");
        return STATUS_HOST;
    }
    status = take_file(o, argc, argv);
    for (int i = 0; !status && i < argc;) {
        int used = 1;

        if (argv[i][0] == '-' && !own_flag(o, argv[i]))
            used = take_flag(o, argc - i, argv + i);
        if (!used)
            status = STATUS_USAGE;
        i += used;
    }
    return status;
}
