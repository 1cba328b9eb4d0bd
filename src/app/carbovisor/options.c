/* Flags of `run` and `check`: the library's settings, and the few that are the command's own. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "app/carbovisor/app.h"
#include "lib/fmt.h"

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

const char *line_end(void)
{
    struct termios t;

    return !tcgetattr(STDERR_FILENO, &t) && !(t.c_oflag & OPOST) ? "\r\n" : "\n";
}

/* Whatever a name or a value holds, it stays one line and does nothing to the terminal. */
void complain(const char *fmt, ...)
{
    char line[WHY_MAX + 200];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof(line))
        memcpy(line + sizeof(line) - 4, "...", 4);
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    }
    fprintf(stderr, "carbovisor: %s%s", line, line_end());
}

int flush_output(int status)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    complain("standard output cannot be written: %s; give it another place", strerror(errno ? errno : EIO));
    return STATUS_INTERNAL;
}

void print_json_string(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < ' ')
            printf("\\u%04x", *s);
        else
            putchar(*s);
    }
    putchar('"');
}

int status_of(int err)
{
    switch (err) {
    case 0:
        return STATUS_OK;
    case -ENOMEM:
    case -ENOTSUP:
    case -EAGAIN:
    case -EMFILE:
    case -ENFILE:
    case -ENOSPC:
        return STATUS_HOST;
    default:
        return STATUS_CONFIG;
    }
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

struct setting {
    unsigned index; /* of cv_config_option() */
    const char *key, *arg;
};

static bool find_setting(const char *name, size_t len, struct setting *s)
{
    const char *help;

    for (unsigned i = 0; cv_config_option(i, &s->key, &s->arg, &help); i++) {
        s->index = i;
        if (strlen(s->key) == len && !memcmp(s->key, name, len))
            return true;
    }
    return false;
}

/* What a flag says of itself: -p or --key, and a value where = gives one. */
static bool split_flag(const char *word, struct setting *s, const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] ? word + len + 1 : NULL;
    if (len == 2 && !memcmp(word, "-p", 2))
        return find_setting("publish", strlen("publish"), s);
    return !strncmp(word, "--", 2) && find_setting(word + 2, len - 2, s);
}

static void explain_unknown(const char *word)
{
    const char *names[SETTINGS_MAX + OWN_FLAGS], *arg, *help, *near = NULL;
    size_t n = 0;
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
    for (size_t i = 0; i < OWN_FLAGS; i++) {
        names[n++] = own_flags[i].flag;
        if ((!strncmp(name, "--", 2) && !strcmp(name + 2, own_flags[i].flag)) ||
            (own_flags[i].short_flag && !strcmp(name, own_flags[i].short_flag))) {
            complain("%s takes no value; write %s", name, name);
            return;
        }
    }
    while (n < SETTINGS_MAX && cv_config_option((unsigned)(n - OWN_FLAGS), &names[n], &arg, &help))
        n++;
    if (!strncmp(name, "--", 2))
        near = fmt_nearest(name + 2, names, n);
    if (near)
        complain("flag '%s' is unknown; the nearest is '--%s', see carbovisor run --help", name, near);
    else
        complain("flag '%s' is unknown; see carbovisor run --help", name);
}

/* A reason that begins with the key of a setting that a flag made names what was typed. */
static bool blame_flag(const struct options *o, const char *why)
{
    struct setting s;

    if (!find_setting(why, strcspn(why, ":"), &s) || !o->typed[s.index])
        return false;
    complain("%.*s%s", (int)strcspn(o->typed[s.index], "="), o->typed[s.index], why + strlen(s.key));
    return true;
}

/* --key value, --key=value, -p value; gives how many words it took, 0 after an error that it explained. */
static int take_flag(struct options *o, int argc, char **argv)
{
    struct setting s;
    const char *value;
    char why[WHY_MAX];
    int used = 1;

    if (!split_flag(argv[0], &s, &value)) {
        explain_unknown(argv[0]);
        return 0;
    }
    if (s.arg && !value) {
        if (argc < 2 || !strncmp(argv[1], "--", 2)) {
            complain("%s: needs a value, %s", argv[0], s.arg);
            return 0;
        }
        value = argv[1];
        used = 2;
    }
    o->typed[s.index] = argv[0];
    if (cv_config_set(o->config, s.key, value, why, sizeof(why))) {
        if (!blame_flag(o, why))
            complain("%s: %s", argv[0], why);
        return 0;
    }
    return used;
}

bool path_fits(const char *path)
{
    if (strlen(path) <= PATH_LENGTH)
        return true;
    complain("%.40s...: the name has %zu characters; at most %d are possible", path, strlen(path),
             PATH_LENGTH);
    return false;
}

int load_config(cv_config *c, const char *path)
{
    char why[WHY_MAX];

    if (!path_fits(path))
        return STATUS_CONFIG;
    if (cv_config_load(c, path, why, sizeof(why))) {
        complain("%s", why);
        return STATUS_CONFIG;
    }
    return 0;
}

static int load_file(struct options *o, const char *path)
{
    return load_config(o->config, path);
}

/* The file first, wherever it stands, since flags override it. */
static int take_file(struct options *o, int argc, char **argv)
{
    const char *file = NULL, *value;
    struct setting s;

    for (int i = 0; i < argc; i++) {
        if (!argv[i][0]) {
            complain("an empty word is no file; leave it out");
            return STATUS_USAGE;
        }
        if (argv[i][0] == '-' && own_flag(o, argv[i]))
            continue;
        if (argv[i][0] == '-') {
            if (!split_flag(argv[i], &s, &value)) {
                explain_unknown(argv[i]); /* its value would pass for the file */
                return STATUS_USAGE;
            }
            i += s.arg && !value && argv[i + 1] && strncmp(argv[i + 1], "--", 2);
            continue;
        }
        if (file) {
            complain("'%.200s': one VM.yaml is enough, '%.200s' was given before", argv[i], file);
            return STATUS_USAGE;
        }
        file = argv[i];
    }
    return file ? load_file(o, file) : 0;
}

static int check(const struct options *o)
{
    char why[WHY_MAX];
    int err = cv_config_check(o->config, why, sizeof(why));

    if (!err)
        return 0;
    if (blame_flag(o, why))
        return err == -EINVAL ? STATUS_USAGE : status_of(err);
    complain("%s", why);
    return status_of(err);
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
    return status ? status : check(o);
}
