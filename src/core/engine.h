/*
 * All that an engine supplies. An engine executes guest code; it knows no device and no board.
 */
#ifndef CV_CORE_ENGINE_H
#define CV_CORE_ENGINE_H

#include "core/exit.h"
#include "core/mem.h"

struct vm;
struct vcpu;

enum flush_kind { FLUSH_ALL, FLUSH_ASID, FLUSH_PAGE, FLUSH_PAGE_ASID, FLUSH_HALF };

/*
 * What a TLB maintenance instruction names. va for the PAGE kinds; global pages survive the ASID kinds. HALF:
 * many pages of an address space, and global ones, all in that half of the addresses in which va is (bit 63).
 */
struct flush_scope {
    enum flush_kind kind;
    gva_t va;
    uint64_t asid;
};

/* Register groups that may live in the engine instead of the vcpu struct. */
enum reg_group { REGS_GENERAL = 1, REGS_SYSTEM = 2, REGS_FP = 4, REGS_INTERRUPT = 8, REGS_ALL = 15 };

struct engine_ops {
    const char *name;
    const char *summary;
    bool software; /* needs the guest's lift_ops */
    bool hardware; /* guests run on the CPU: it takes their interrupts itself, and looks at no request */
    size_t vcpu_headroom; /* bytes in front of struct vcpu, multiple of 64 */
    /* 0 when this host can; -ENOTSUP with the reason and the remedy in words. */
    int (*probe)(char *why, size_t why_size);
    int (*vm_init)(struct vm *vm);
    void (*vm_fini)(struct vm *vm);
    int (*vcpu_init)(struct vcpu *v);
    void (*vcpu_fini)(struct vcpu *v);
    int (*bind)(struct vcpu *v);
    void (*unbind)(struct vcpu *v);
    /*
     * Runs until an exit, in v->exit. The vCPU's pc, slots and count are exact then. Comes back with
     * EXIT_NONE when the budget is below 1 or a request is set.
     */
    void (*run)(struct vcpu *v);
    /* From any task, after a request bit was set: come out soon. */
    void (*kick)(struct vcpu *v);
    /* vCPU task only: translations, mode or address space changed. */
    void (*flush)(struct vcpu *v, const struct flush_scope *scope);
    void (*context_changed)(struct vcpu *v); /* mode, ASID or root changed; pc is exact */
    void (*fetch_barrier)(struct vcpu *v);   /* FENCE.I, ISB after code writes */
    /* Bytes of a CODE page changed; any task. Units on it must be gone before the writer goes on. */
    void (*code_written)(struct vm *vm, gpa_t gpa, uint64_t len);
    /* DIRTY flags were cleared: write paths must come by mem again. Called with every vCPU stopped. */
    void (*dirty_restart)(struct vm *vm);
    void (*mem_changed)(struct vm *vm);
    void (*pull)(struct vcpu *v, unsigned groups);
    void (*push)(struct vcpu *v, unsigned groups);
    /* Of the counter that guests read without an exit, in Hz; NULL: there is none, the guest ISA chooses. */
    uint64_t (*counter_hz)(void);
    /* "-v" counters, one "name value" line each through emit. */
    void (*counters)(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value),
                     void *opaque);
    /* The vCPU's last exits, oldest first, a line each; NULL: none are kept. Any task, the vCPU may run. */
    void (*history)(struct vcpu *v, void (*emit)(void *opaque, const char *line), void *opaque);
};

#endif
