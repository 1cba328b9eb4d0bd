/*
 * The commands of the monitor: one table for the bare form's shell, the hosted --monitor and `carbovisor
 * ctl`.
 *
 * A command is one line of words, quoted where they hold blanks: 'as it is', "with \" and \\". --json
 * anywhere makes each line of output one JSON object. What fails says why in one line and changes nothing.
 */
#ifndef CV_CONTROL_CONTROL_H
#define CV_CONTROL_CONTROL_H

#include "core/vm.h"

#define CONTROL_LINE  1024 /* bytes of a command at most */
#define CONTROL_WORDS 24

struct control_out;

/* A VM as the form knows it. Stays as it is until the command ends. */
struct control_vm {
    const char *name;
    struct vm *vm;              /* NULL: described, not created */
    const struct vm_desc *desc; /* as resolved, where it was created */
};

enum control_act { CONTROL_CREATE, CONTROL_START, CONTROL_DESTROY };

/* What differs between the forms; NULL: that command is not of this one. */
struct control_ops {
    const char *form; /* "bare", "hosted" */
    bool (*vm_at)(void *opaque, unsigned i, struct control_vm *out);
    int (*vm_act)(void *opaque, unsigned i, enum control_act act, char *why, size_t why_size);
    int (*vm_console)(void *opaque, unsigned i, char *why, size_t why_size);
    int (*vcpu_affinity)(void *opaque, unsigned i, unsigned vcpu, uint64_t cpus, char *why, size_t why_size);
    /* A host CPU for one vCPU alone; UINT32_MAX: it shares again. */
    int (*vcpu_pin)(void *opaque, unsigned i, unsigned vcpu, unsigned cpu, char *why, size_t why_size);
    void (*irq_list)(void *opaque, struct control_out *out); /* of the board */
    void (*sched_show)(void *opaque, struct control_out *out);
    int (*sched_policy)(void *opaque, unsigned cpu, const char *policy, char *why, size_t why_size);
    /* of VM i; weight 0 or budget 0: stays */
    int (*sched_set)(void *opaque, unsigned i, unsigned weight, unsigned budget, char *why, size_t why_size);
    void (*stats)(void *opaque, struct control_out *out); /* of the host */
    int (*log_line)(void *opaque, unsigned i, char *buf,
                    size_t size); /* i-th that is kept; -1: past the last */
    void (*quit)(void *opaque);
};

struct control {
    const struct control_ops *ops;
    void *opaque;
    struct plat_lock lock; /* one command at a time */
};

void control_init(struct control *c, const struct control_ops *ops, void *opaque);
void control_fini(struct control *c);
/*
 * Runs one line; each line of output goes to `line`, without its newline. An empty one is no error. 0, or
 * -E... with the reason in why.
 */
int control_run(struct control *c, const char *command, void (*line)(void *opaque, const char *text),
                void *opaque, char *why, size_t why_size);
/*
 * What the last word of an unfinished line may become, one call each. Gives the offset in the line where that
 * word begins.
 */
size_t control_complete(struct control *c, const char *line, void (*word)(void *opaque, const char *text),
                        void *opaque);

/* ---- for commands: rows of named fields ---- */

/* TABLE: a line a row under one line of names. PAIRS: a line a field. */
enum control_form { CONTROL_TABLE, CONTROL_PAIRS };

#define CONTROL_TEXT 1200
struct control_out {
    void (*line)(void *opaque, const char *text);
    void *opaque;
    bool json;
    enum control_form form;
    bool headed, open;
    unsigned fields;
    char text[CONTROL_TEXT], head[400];
    size_t at, head_at;
};

/* A new list: names are shown again. */
void out_list(struct control_out *o, enum control_form form);
void out_begin(struct control_out *o);
/* width: of the column in a table, 0: as it comes. */
void out_str(struct control_out *o, const char *name, unsigned width, const char *value);
void out_u64(struct control_out *o, const char *name, unsigned width, uint64_t value);
void out_hex(struct control_out *o, const char *name, unsigned width, uint64_t value);
void out_bool(struct control_out *o, const char *name, unsigned width, bool value);
void out_end(struct control_out *o);
/* A line of text; JSON: {"line": ...}. */
void out_line(struct control_out *o, const char *text);

#endif
