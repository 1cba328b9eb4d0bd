/*
 * The monitor of a hosted VM: the commands of control/ at a socket, or on the terminal.
 *
 * At a socket one client at a time sends lines; to each the answer is its output, every line after a +, then
 * a line that is a single dot, or - and the reason why it failed. On the terminal there is a prompt.
 */
#ifndef CV_API_MONITOR_H
#define CV_API_MONITOR_H

#include "control/control.h"
#include "core/chardev.h"

struct monitor;

/* vm_at() and its kin are asked from monitor_start() on. NULL without memory. */
struct monitor *monitor_create(const struct control_ops *ops, void *opaque);
/*
 * spec: "unix:PATH", or "stdio", where `terminal` is the guest's port that has it: what is typed for the
 * monitor comes by monitor_input() then. NULL: the monitor has the terminal for itself, escape and all.
 */
int monitor_start(struct monitor *m, const char *spec, struct chardev *terminal, char *why, size_t why_size);
/* From any task. */
void monitor_input(void *monitor, const uint8_t *data, size_t len);
/* Ends its task, before the VM goes; input is still taken, and dropped. NULL is fine, here and below. */
void monitor_stop(struct monitor *m);
/* When nobody calls monitor_input() any more. */
void monitor_destroy(struct monitor *m);

#endif
