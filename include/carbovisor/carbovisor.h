/*
 * libcarbovisor: virtual machines as a library. Everything the command `carbovisor` does goes through
 * this header.
 *
 * Functions give 0, or a negative errno value; the reason in words is then in `why` where one is passed
 * (one line, always terminated). Handles are opaque and owned by the caller until destroyed. A VM's
 * functions may be called from any thread unless said otherwise; any number of VMs can live in a process.
 */
#ifndef CARBOVISOR_CARBOVISOR_H
#define CARBOVISOR_CARBOVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CV_VERSION "0.1.0"

/* Version of the library in use; differs from CV_VERSION only where header and library do not match. */
const char *cv_version(void);

/* ---- configuration: the settings of docs/user.md by their names ---- */

typedef struct cv_config cv_config;

cv_config *cv_config_create(void); /* defaults; NULL without memory */
void cv_config_destroy(cv_config *config);
/* "memory", "512M". A switch takes NULL, "true" or "false". Lists ("disk") grow by each call. */
int cv_config_set(cv_config *config, const char *key, const char *value, char *why, size_t why_size);
/* A YAML file; nothing of it is set when anything in it is wrong. */
int cv_config_load(cv_config *config, const char *path, char *why, size_t why_size);
/*
 * Whether a VM could be as the settings say: the values beside each other, the machine, the engine on this
 * host. Reads no more than the first bytes of kernel and firmware. A reason about one setting begins with its
 * key and a colon, or where a YAML file made it with FILE:LINE:COLUMN before that.
 */
int cv_config_check(const cv_config *config, char *why, size_t why_size);
/*
 * A boot bundle for the bare form: the settings of several VMs of one ISA, and the files they name, each VM
 * checked as cv_config_check() does, its files as cv_vm_inspect() does. note is told of each setting that the
 * bare form has no use for.
 */
int cv_bundle_write(const char *path, cv_config *const *configs, unsigned count,
                    void (*note)(void *opaque, const char *line), void *opaque, char *why, size_t why_size);
/* i-th setting for help texts; arg NULL: a switch. False past the last. */
bool cv_config_option(unsigned i, const char **key, const char **arg, const char **help);

/* ---- a virtual machine ---- */

typedef struct cv_vm cv_vm;

/* How a run ended. */
enum cv_end { CV_END_POWEROFF, CV_END_RESET, CV_END_CRASH, CV_END_STATUS };

struct cv_result {
    enum cv_end end;
    unsigned status; /* CV_END_STATUS: what the guest chose, 0 to 63 */
    char reason[400];
    bool output_lost; /* a serial port or console wrote what its file, or standard output, did not take */
};

/* Checks everything, opens files, builds the machine, loads the images; runs nothing. The config may be
 * destroyed or changed afterwards. */
int cv_vm_create(cv_vm **vm, cv_config *config, char *why, size_t why_size);
/*
 * The same for looking at: images are read and the machine is built, but no terminal opened, no process
 * started, no file locked or written. It cannot be started.
 */
int cv_vm_inspect(cv_vm **vm, cv_config *config, char *why, size_t why_size);
/* Ends a run first where there is one. */
void cv_vm_destroy(cv_vm *vm);
int cv_vm_start(cv_vm *vm, char *why, size_t why_size);
/* Waits for the end; resets of the guest happen in here, so one thread has to be in it. ms < 0: forever.
 * -ETIMEDOUT. */
int cv_vm_wait(cv_vm *vm, int64_t ms, struct cv_result *result);
/* Ends the run as if the guest had powered off. */
void cv_vm_stop(cv_vm *vm);
/*
 * Presses the machine's power button: the guest is asked to power off, what it does is its own. -ENOTSUP: the
 * machine has none (riscv64); -EINVAL: the VM was not started.
 */
int cv_vm_power_button(cv_vm *vm);
/* -EBUSY: what the guest does waits for the host (output that nobody reads); -EINVAL: it does not run. */
int cv_vm_pause(cv_vm *vm);
int cv_vm_resume(cv_vm *vm);
/* Registers by name ("pc", "x10"); the VM must be paused or not started. size is the register's, in bytes. */
int cv_vm_reg_get(cv_vm *vm, unsigned vcpu, const char *name, void *value, size_t size);
int cv_vm_reg_set(cv_vm *vm, unsigned vcpu, const char *name, const void *value, size_t size);
/* Guest-physical memory; -EFAULT where it is not RAM or ROM, nothing is copied then. */
int cv_vm_mem_read(cv_vm *vm, uint64_t gpa, void *buf, size_t size);
int cv_vm_mem_write(cv_vm *vm, uint64_t gpa, const void *buf, size_t size);
/* Makes an interrupt pending, by the ISA's kind and number; never lost. */
int cv_vm_inject(cv_vm *vm, unsigned vcpu, unsigned kind, uint64_t number);
/* Hash of all architectural state and RAM; paused or not started. */
uint64_t cv_vm_hash(cv_vm *vm);
/* Which engine runs it, and why that one (reason may be NULL). */
const char *cv_vm_engine(const cv_vm *vm, const char **reason);
/* Counters, one call each. */
void cv_vm_counters(cv_vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque);
/* The resolved machine and its memory map, one text line each. */
void cv_vm_describe(cv_vm *vm, void (*emit)(void *opaque, const char *line), void *opaque);

/* ---- what there is ---- */

enum cv_kind { CV_GUESTS, CV_ENGINES, CV_MACHINES, CV_DEVICES };

/* i-th of a kind; false past the last. */
bool cv_list(enum cv_kind kind, unsigned i, const char **name, const char **summary);
/* Whether engine i works on this host; why says what is missing and the remedy. */
int cv_engine_probe(unsigned i, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif

#endif
