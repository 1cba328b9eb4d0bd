/*
 * The part of a vCPU that all ISAs share; struct riscv_vcpu and its kin begin with it.
 *
 * An engine may ask for headroom: bytes in front of the struct, so that generated code reaches the
 * engine's own hot state by negative displacements from the same base register.
 */
#ifndef CV_CORE_VCPU_H
#define CV_CORE_VCPU_H

#include <stdatomic.h>
#include "core/exit.h"
#include "core/platform.h"

struct vm;

/* See vcpu_transitions[] in vcpu.c. */
enum vcpu_state {
    VCPU_CREATED,
    VCPU_FREE,
    VCPU_READY,
    VCPU_RUNNING,
    VCPU_BLOCKED,
    VCPU_INVALID,
    VCPU_STATES
};

enum vcpu_event {
    VCPU_EV_SETUP,
    VCPU_EV_BIND,
    VCPU_EV_RUN,
    VCPU_EV_EXIT,
    VCPU_EV_HALT,
    VCPU_EV_WAKE,
    VCPU_EV_UNBIND,
    VCPU_EV_FAIL,
    VCPU_EVENTS
};

/* Requests to a vCPU, set by any task, taken by the vCPU at its next safepoint. */
enum vcpu_request {
    VCPU_REQ_KICK = 1,  /* leave the engine once */
    VCPU_REQ_IRQ = 2,   /* interrupt inputs changed: ask the guest folder */
    VCPU_REQ_CALL = 4,  /* mailbox has work: vcpu_serve_calls() */
    VCPU_REQ_PAUSE = 8, /* pause count is above 0, or the VM stops */
    VCPU_REQ_POWER = 16 /* power state changed (on-pending, reset) */
};

/* Power state as the guest's firmware interface sees it (SBI HSM, PSCI). */
enum vcpu_power { VCPU_OFF, VCPU_ON_PENDING, VCPU_ON, VCPU_SUSPENDED };

/* Work sent into another vCPU's context; see vcpu_call(). */
struct vcpu_call {
    void (*fn)(struct vcpu *v, void *arg);
    void *arg;
    struct vcpu_call *next;
    struct plat_event *waiter; /* woken after done was set */
    _Atomic bool done;
};

struct vcpu {
    /* Hot, written by the vCPU's own task only. */
    int64_t budget;      /* instructions left until the next look at requests; negative: look now */
    uint64_t pc;         /* exact at every exit; within a unit only after SYNC */
    uint64_t pc_page;    /* guest-virtual base of the page that the running unit stands in */
    uint64_t mode;       /* bits that decide how code is lifted: units are keyed by it */
    uint64_t count;      /* instructions executed = count - budget; vcpu_icount() */
    uint8_t leave;       /* a helper delivered an exception or changed pc: leave the unit */
    uint64_t resv_addr;  /* load-reserved: GVA, or UINT64_MAX */
    uint64_t resv_value; /* the bytes loaded: the low 8, and in resv_high those of a 16-byte one */
    uint64_t resv_high;
    uint64_t resv_size;
    uint64_t fp_flags;        /* accrued FP exceptions (enum sf_flag); FP operations set them */
    _Atomic uint32_t request; /* enum vcpu_request; any task */

    struct vm *vm;
    unsigned id;
    _Atomic uint32_t state; /* enum vcpu_state; core only */
    _Atomic uint32_t power; /* enum vcpu_power */
    bool entry_set, set_up;

    struct exit exit; /* the last one */
    struct plat_event wake;
    struct plat_task *task; /* vm->lock, but for its own; NULL between two lives */
    struct plat_lock lock;  /* calls list */
    struct vcpu_call *calls;
    bool attached;               /* lock; a task looks after calls, else the caller runs them itself */
    struct plat_lock call_lock;  /* held over a call that its caller runs itself; taken before lock */
    void *base;                  /* the allocation, engine headroom in front */
    uint64_t off_entry, off_arg; /* of a pending CPU_ON; written before power becomes ON_PENDING */

    void *engine;            /* engine's own per-vCPU state */
    struct msi_file *msi[2]; /* AIA: interrupt files of M and S level, NULL without (core/irqchip.h) */
    struct dist *dist;       /* distributor of private and software interrupts, NULL without */
    uint64_t due;            /* vcpu_icount() at which guest->irq_ready() has to be asked; 0: no such */
    uint64_t exits[EXIT_KINDS];
    struct {
        uint64_t helper_calls, irqs, exceptions;
    } stat;
};

static inline uint64_t vcpu_icount(const struct vcpu *v)
{
    return v->count - (uint64_t)v->budget;
}

/* Allocates (engine headroom included), state Created. NULL without memory. */
struct vcpu *vcpu_create(struct vm *vm, unsigned id);
void vcpu_destroy(struct vcpu *v);
/* Each returns -EINVAL and changes nothing where the state does not allow it. */
int vcpu_setup(struct vcpu *v);
int vcpu_set_entry(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1);
int vcpu_bind(struct vcpu *v);
int vcpu_unbind(struct vcpu *v);
/* Runs until an exit that exit_handle() does not resolve by itself, or a request to stop. */
int vcpu_run(struct vcpu *v, enum exit_action *action);
/*
 * A task takes the vCPU on or lets go of it: in between it serves the calls. Attached before the task starts,
 * a vCPU's calls wait for the task.
 */
void vcpu_attach(struct vcpu *v);
void vcpu_detach(struct vcpu *v);
/* Requests, power and interrupts: what is looked at before each run; false: off, or the VM stops. */
bool vcpu_prepare(struct vcpu *v);
/* Hands out n more instructions, or what is left until `due`. */
void vcpu_grant(struct vcpu *v, uint64_t n);
/* Nothing wakes it: a halted vCPU without a pending interrupt, or one that is off. */
bool vcpu_idle(struct vcpu *v);
/* The table behind vcpu_setup() and its kin; -EINVAL leaves the state alone. */
int vcpu_transition(struct vcpu *v, enum vcpu_event ev);
/* Whether the transition stands in the table; the table itself is the specification. */
bool vcpu_allowed(enum vcpu_state from, enum vcpu_event ev, enum vcpu_state *to);

/* From any task: set request bits, then wake the vCPU or make its engine come out. */
void vcpu_request(struct vcpu *v, uint32_t bits);
/* Runs fn in every other vCPU's context at a safepoint and waits for all, serving own calls meanwhile. */
void vcpu_call_others(struct vcpu *self, struct vm *vm, void (*fn)(struct vcpu *v, void *arg), void *arg);
/* The same for the vCPUs whose bit is set in mask (bit = id; may include self, run at once). */
void vcpu_call_mask(struct vcpu *self, struct vm *vm, uint64_t mask, void (*fn)(struct vcpu *v, void *arg),
                    void *arg);
void vcpu_serve_calls(struct vcpu *v);

/* By name through the guest's state table: 0, -ENOENT; wide registers take size bytes, little endian. */
int vcpu_reg_get(struct vcpu *v, const char *name, void *buf, size_t size);
int vcpu_reg_set(struct vcpu *v, const char *name, const void *buf, size_t size);

#endif
