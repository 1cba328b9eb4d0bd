/* The verb `bundle`: descriptions and their files for the bare form. */
#include <stdio.h>
#include <string.h>
#include "app/carbovisor/app.h"

#define VMS_MAX 64

struct job {
    const char *out;
    const char *file[VMS_MAX];
    cv_config *config[VMS_MAX];
    unsigned count;
    bool quiet;
};

static int take_word(struct job *j, int argc, char **argv)
{
    if (!strcmp(argv[0], "-o") || !strcmp(argv[0], "--output")) {
        if (argc < 2 || !argv[1][0]) {
            complain("%s: needs a value, FILE", argv[0]);
            return 0;
        }
        j->out = argv[1];
        return 2;
    }
    if (!strcmp(argv[0], "-q") || !strcmp(argv[0], "--quiet")) {
        j->quiet = true;
        return 1;
    }
    if (argv[0][0] == '-' || !argv[0][0]) {
        complain("flag '%.200s' is unknown; bundle takes VM.yaml files and -o FILE", argv[0]);
        return 0;
    }
    if (j->count == VMS_MAX) {
        complain("'%.200s': one VM too many; a bundle has at most %u", argv[0], VMS_MAX);
        return 0;
    }
    j->file[j->count++] = argv[0];
    return 1;
}

/* A VM without a name of its own has that of its file, without folder and ending. */
static int load(struct job *j, unsigned i)
{
    const char *slash = strrchr(j->file[i], '/'), *base = slash ? slash + 1 : j->file[i];
    char name[64], why[WHY_MAX];
    int status, err;

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
    j->config[i] = cv_config_create();
    if (!j->config[i]) {
        complain("no memory; free some on the host");
        return STATUS_HOST;
    }
    if (name[0] && cv_config_set(j->config[i], "name", name, why, sizeof(why))) {
        complain("%s", why);
        return STATUS_CONFIG;
    }
    status = load_config(j->config[i], j->file[i]);
    if (status)
        return status;
    err = cv_config_check(j->config[i], why, sizeof(why));
    if (err)
        complain("%s", why);
    return status_of(err);
}

static void say_left_out(void *opaque, const char *line)
{
    const struct job *j = opaque;

    if (!j->quiet)
        complain("%s", line);
}

static int write_bundle(struct job *j)
{
    char why[WHY_MAX];
    int err = cv_bundle_write(j->out, j->config, j->count, say_left_out, j, why, sizeof(why));

    if (err)
        complain("%s", why);
    return status_of(err);
}

int verb_bundle(int argc, char **argv)
{
    struct job j = {0};
    int status = 0;

    for (int i = 0, used; i < argc; i += used) {
        used = take_word(&j, argc - i, argv + i);
        if (!used)
            return STATUS_USAGE;
    }
    if (!j.count || !j.out) {
        complain("bundle takes one VM.yaml or more, and -o FILE; see carbovisor bundle --help");
        return STATUS_USAGE;
    }
    status = path_fits(j.out) ? 0 : STATUS_CONFIG;
    for (unsigned i = 0; !status && i < j.count; i++)
        status = load(&j, i);
    if (!status)
        status = write_bundle(&j);
    for (unsigned i = 0; i < j.count; i++)
        cv_config_destroy(j.config[i]);
    return status;
}
