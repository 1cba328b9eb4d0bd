/* Between the table of commands and the commands. */
#ifndef CV_CONTROL_INTERNAL_H
#define CV_CONTROL_INTERNAL_H

#include "control/control.h"

/* One command on its way: its words after the name, without --json and, where it takes one, without the VM.
 */
struct call {
    struct control *c;
    struct control_out *out;
    char **word;
    unsigned count;
    unsigned vm_index; /* where the command takes a VM */
    struct control_vm vm;
    char *why;
    size_t why_size;
};

struct command {
    const char *group, *name; /* name NULL: the group is the whole command */
    /*
     * What it takes, for help, counting and completion: words in capitals, [optional] ones last, one of
     * a|b|c,
     * "..." repeats the last. VM first: may be left out where there is only one.
     */
    const char *args;
    const char *help;
    int (*run)(struct call *k);
};
extern const struct command commands[]; /* group NULL at the end; those of a group stand together */

int refuse(struct call *k, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The form has no such thing. */
int not_here(struct call *k, const char *what);
/* Created, or refused with the remedy. */
int need_vm(struct call *k);
/* Word i as a number below or at max. */
int take_number(struct call *k, unsigned i, const char *what, uint64_t max, uint64_t *out);
/* Word i, where there is one, as a vCPU; else vCPU 0. */
int take_vcpu(struct call *k, unsigned i, struct vcpu **v);
/* Pauses the VM, or refuses. */
int pause_vm(struct call *k);
/* While the VM holds still; it goes on afterwards if it ran before. */
int hold(struct call *k, bool *held);
void let_go(struct call *k, bool held);
const char *vm_state_name(const struct control_vm *vm);

int command_help(struct call *k);
int command_quit(struct call *k);
int command_vm_list(struct call *k);
int command_vm_info(struct call *k);
int command_vm_create(struct call *k);
int command_vm_start(struct call *k);
int command_vm_pause(struct call *k);
int command_vm_resume(struct call *k);
int command_vm_stop(struct call *k);
int command_vm_reset(struct call *k);
int command_vm_destroy(struct call *k);
int command_vm_console(struct call *k);
int command_vcpu_list(struct call *k);
int command_vcpu_regs(struct call *k);
int command_vcpu_affinity(struct call *k);
int command_mem_list(struct call *k);
int command_mem_read(struct call *k);
int command_mem_write(struct call *k);
int command_irq_list(struct call *k);
int command_dev_list(struct call *k);
int command_dev_info(struct call *k);
int command_sched_show(struct call *k);
int command_sched_policy(struct call *k);
int command_sched_weight(struct call *k);
int command_sched_budget(struct call *k);
int command_sched_pin(struct call *k);
int command_trace_start(struct call *k);
int command_trace_stop(struct call *k);
int command_trace_show(struct call *k);
int command_stats(struct call *k);
int command_log(struct call *k);

#endif
