/*
 * One VM of one guest under one engine, with a device that plays the tests' other side. Offsets of the
 * device: 0x80 ends the VM with the status written, 0x88 resets it, 0x90 takes the interrupt back,
 * 0x98 counts up `beats`; all others are recorded, reads give `answer` + offset.
 */
#ifndef CONFORMANCE_RIG_H
#define CONFORMANCE_RIG_H

#include "code.h"
#include "core/vm.h"

#define RIG_RAM  0x80000000u
#define RIG_SIZE 0x400000u
#define RIG_DATA 0x80100000u
#define RIG_DEV  0x10000000u

enum { RIG_END = 0x80, RIG_RESET = 0x88, RIG_CLEAR = 0x90, RIG_BEAT = 0x98 };

struct rig_pair {
    const struct code_isa *isa;
    const struct lift_ops *lift;
    const struct engine_ops *engine;
};

struct rig_access {
    uint64_t offset, value;
    unsigned size;
    bool write;
};

struct rig_device {
    struct device dev;
    const struct code_isa *isa;
    uint64_t answer;
    struct rig_access log[64];
    unsigned count; /* past 64 only counted */
    _Atomic unsigned beats;
    unsigned resets;
};

struct rig {
    const struct rig_pair *pair;
    struct vm *vm;
    struct rig_device *dev;
    struct code code[8]; /* by vCPU; entry: rig_entry() */
    unsigned cpus;       /* that vm->boot switches on */
    uint64_t arg[8];     /* set_entry's arg0 by vCPU; on RISC-V it is also register 0 */
};

/* The pairs to test: mock guest on the minimal engine, then the registry's guests by its engines. */
unsigned rig_pairs(struct rig_pair *out, unsigned max);
/* An empty program for every vCPU; asserts on failure. */
struct rig *rig_new(const struct rig_pair *pair, unsigned smp, bool deterministic);
void rig_free(struct rig *r);
uint64_t rig_entry(unsigned cpu);
/* Starts the programs; the result of the run. Fails the test after 20 s. */
void rig_start(struct rig *r);
struct vm_result rig_wait(struct rig *r);
struct vm_result rig_run(struct rig *r);
void rig_inject(struct rig *r, unsigned cpu);
/* Waits until *word (or the device's beats) is at least n, asleep or spinning; fails the test after a minute.
 */
void rig_until(struct rig *r, gpa_t word, uint64_t n);
void rig_until_beats(struct rig *r, unsigned n);
void rig_spin_beats(struct rig *r, unsigned n);
uint64_t rig_word(struct rig *r, gpa_t at);
uint64_t rig_reg(struct rig *r, unsigned cpu, unsigned reg);

/* Pieces of programs: end with the status in reg (7 is clobbered), or with a constant. */
void rig_end_reg(struct code *c, unsigned reg);
void rig_end(struct code *c, unsigned status);

#endif
