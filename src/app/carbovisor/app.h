/* What the verbs of the command share. */
#ifndef CV_APP_CARBOVISOR_APP_H
#define CV_APP_CARBOVISOR_APP_H

#include <carbovisor/carbovisor.h>

/* Exit statuses; a guest's own status n is 64 + n. */
enum status {
    STATUS_OK = 0,
    STATUS_INTERNAL = 1,
    STATUS_USAGE = 2,
    STATUS_CONFIG = 3,
    STATUS_HOST = 4,
    STATUS_GUEST = 5,
    STATUS_DIVERGED = 6,
    STATUS_CHOSEN = 64,
    STATUS_SIGNAL = 128
};

struct verb {
    const char *name, *args, *help;
    /* argv without program and verb; gives the exit status. */
    int (*run)(int argc, char **argv);
};

int verb_run(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_bundle(int argc, char **argv);
int verb_ctl(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_help(const struct verb *v);
const struct verb *verb_find(const char *name);

#define SETTINGS_MAX 64
#define WHY_MAX      5000 /* a reason may quote a path whole */
#define PATH_LENGTH  4095 /* of the longest name of a file; what is longer no reason could quote */

/* What the command line says beside the VM's description. */
struct options {
    cv_config *config;
    bool verbose, quiet, json, dry_run;
    const char
        *typed[SETTINGS_MAX]; /* the word that made the setting of cv_config_option()'s number; NULL: none */
};
/*
 * Parses file and flags into a new config and checks them against each other; a status other than 0 was
 * explained already: STATUS_USAGE for a bad flag, STATUS_CONFIG for a bad file.
 */
int options_parse(struct options *o, int argc, char **argv);

/* 0 or an exit status; the error is told. */
int load_config(cv_config *c, const char *path);
bool path_fits(const char *path);

/* One line on stderr, "carbovisor: ...". */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What ends a line on standard error: while a VM has the terminal that does not go back to its left side by
 * itself. */
const char *line_end(void);
/* Exit status of a failed library call. */
int status_of(int err);
/* status, or STATUS_INTERNAL with one line said when standard output did not take everything. */
int flush_output(int status);
/* A JSON string with its quotes. */
void print_json_string(const char *s);

#endif
