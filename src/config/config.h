/*
 * From YAML and flags to one validated description. Both go through config_set(), so they cannot differ.
 *
 * Errors are -EINVAL (or -ENOENT and its like for files) with one line in why: where, what, what to do. A
 * reason about a setting begins with its key and a colon.
 */
#ifndef CV_CONFIG_CONFIG_H
#define CV_CONFIG_CONFIG_H

#include "core/vmdesc.h"

enum config_option {
#define OPTION(id, key, kind, field, arg, help) CONFIG_##id,
#include "config/options.def"
    CONFIG_FLAGS, /* those before it are flags too */
    CONFIG_LAST_FLAG = CONFIG_FLAGS - 1,
#include "config/keys.def"
#undef OPTION
    CONFIG_OPTIONS
};

enum config_kind {
    CONFIG_STRING,
    CONFIG_PATH,
    CONFIG_SIZE,
    CONFIG_UINT,
    CONFIG_U64,
    CONFIG_BOOL,
    CONFIG_ARCH,
    CONFIG_MACHINE_,
    CONFIG_DISK_,
    CONFIG_ISO_,
    CONFIG_NET,
    CONFIG_FORWARD,
    CONFIG_SERIAL_,
    CONFIG_TRACE_,
    CONFIG_LOG_,
    CONFIG_MONITOR_,
    CONFIG_AUTOSTART_,
    CONFIG_POLICY,
    CONFIG_SCHED,
    CONFIG_CPUS
};

struct config_info {
    const char *key;
    enum config_kind kind;
    uint32_t offset; /* of the field in struct vm_desc */
    const char *arg; /* NULL: a switch */
    const char *help;
};
extern const struct config_info config_info[CONFIG_OPTIONS];

/* Letters of any value but the kernel's command line: what is longer is no name of a file, and a reason could
 * not quote it. */
#define CONFIG_VALUE_MAX 4095u

/* Where a setting was made, both from 1; file NULL: not in a file. */
struct config_place {
    const char *file;
    unsigned line, column;
};

/* The description under construction; owns every string in it. */
struct config {
    struct vm_desc desc;
    struct config_place place[CONFIG_OPTIONS]; /* of a list: its first entry in the file */
    struct config_string *strings;
    bool net_given; /* desc.net is what was asked for, not the default */
};

void config_init(struct config *c); /* with the defaults */
void config_fini(struct config *c);
/* value may be NULL for a switch. Unknown keys name the nearest known one. */
int config_set(struct config *c, const char *key, const char *value, char *why, size_t why_size);
/* Paths in the file are relative to its folder. Nothing is set when anything in it is wrong. */
int config_load(struct config *c, const char *path, char *why, size_t why_size);
/* A copy that lives as long as the config; NULL without memory. */
const char *config_keep(struct config *c, const char *s, size_t len);
/* The place of the setting that a reason begins with; NULL where it names none, or one that no file made. */
const struct config_place *config_blame(const struct config *c, const char *why);
/* The mapping that setting i stands in, by one pointer for each mapping; NULL: none. */
#define CONFIG_GROUPS 1
const char *config_group(int i);
/* Index of a key, or -1. */
int config_find(const char *key);
bool config_is_list(enum config_kind kind);
/* A disk of the board that the bare form runs on ("board:vda1"), no file. */
bool config_is_board(const char *path);

#endif
