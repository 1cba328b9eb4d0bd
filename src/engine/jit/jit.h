/*
 * The JIT: units that the interpreter entered often are compiled to host code. Whatever is no plain access
 * to RAM, or has no inline form, leaves the unit before the instruction, and the interpreter executes that
 * one (bail). So generated code has no faults, no devices and no exceptions in it.
 */
#ifndef CV_ENGINE_JIT_JIT_H
#define CV_ENGINE_JIT_JIT_H

#include "core/engine.h"
#include "core/platform.h"
#include "engine/soft/run.h"

extern const struct engine_ops engine_jit;

/* How generated code came back; the same meaning as enum interp_leave. */
enum jit_leave { JIT_NEXT, JIT_BUDGET, JIT_BAIL };

/* Code memory: one half is filled while the other's units may still be running out. */
#define JIT_HALVES     2
#define JIT_HALF_BYTES (10u << 20)

#define JIT_SLOTS 512 /* slots beyond 8 times this offset have no register */

struct jit_half {
    uint32_t used;
    uint32_t live; /* units not yet released; jit_vm.lock */
};

#define JIT_HELPERS 64

/* What an emitter of a host ISA makes once per VM. Addresses are of the executable mapping. */
struct jit_entry {
    /* enter(v, code): runs from code, gives enum jit_leave. */
    enum jit_leave (*enter)(struct vcpu *v, const void *code);
    const uint8_t *leave_next, *leave_budget, *leave_bail; /* their arguments: see thunks.c */
    const uint8_t *leave_dispatch;                         /* go on at v->pc by the dispatcher */
    const uint8_t *helper[JIT_HELPERS];                    /* by number in lift_ops.helpers */
    const uint8_t *probe[2][4];                            /* by write, log2 of the size */
};

struct jit_vm {
    struct plat_code code;
    struct plat_lock lock; /* emission, halves */
    struct jit_half half[JIT_HALVES];
    unsigned current;
    uint32_t thunk_bytes; /* at the start of code */
    /* Where slots live in generated code, by offset / 8: 0 memory, else the emitter's number. */
    uint8_t home[JIT_SLOTS];
    struct jit_entry entry;
    void *emit;    /* the emitter's own */
    unsigned site; /* next site slot */
    struct {
        uint64_t units, insns, bytes, refused, flushes;
    } stat;
};

static inline struct jit_vm *jit_of(const struct vm *vm)
{
    return ((struct soft_vm *)vm->engine_vm)->jit;
}

/* ---- what emit/<host>/ supplies ---- */

/* 0, or -ENOTSUP with the reason: this host has no emitter, or lacks an instruction. */
int emit_probe(char *why, size_t why_size);
/* Thunks at the start of jv->code; sets jv->entry and thunk_bytes. */
int emit_thunks(struct jit_vm *jv, const struct lift_ops *lift);
void emit_fini(struct jit_vm *jv);
/*
 * The unit's code into rw, at most `room` bytes; rx is the same place in the executable mapping. Gives the
 * bytes used, -E2BIG when it does not fit, -ENOTSUP when it has no form. jit_vm.lock is held.
 */
int emit_unit(struct jit_vm *jv, const struct vm *vm, const struct ir_unit *ir, uint8_t *rw,
              const uint8_t *rx, size_t room);
/* Makes the code at rw, which threads may be running, lead to the dispatcher when it is entered. */
void emit_close(struct jit_vm *jv, uint8_t *rw, const uint8_t *rx);
/* IEEE flags gathered by generated code since the last call, as enum sf_flag. */
unsigned emit_fp_flags(struct vcpu *v);
/* Forgets them: the guest wrote its own. */
void emit_fp_clear(struct vcpu *v);

/* ---- what emitted code calls ---- */

/* Fills site for an access of 1 << size bytes at va; 0 when it is no plain RAM. */
uint64_t jit_fill_site(struct vcpu *v, uint64_t va, uint64_t size_write, struct soft_site *site);

#endif
