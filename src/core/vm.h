/*
 * One virtual machine: its vCPUs, memory, devices, clock. No global state: any number in one process.
 */
#ifndef CV_CORE_VM_H
#define CV_CORE_VM_H

#include "core/device.h"
#include "core/engine.h"
#include "core/guest.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/timer.h"
#include "core/vcpu.h"
#include "core/vmdesc.h"
#include "core/work.h"

#define VM_MAX_VCPUS 64

enum vm_state { VM_CREATED, VM_RUNNING, VM_PAUSED, VM_STOPPED, VM_CRASHED, VM_STATES };

/* How a run ended. */
struct vm_result {
    enum exit_system what; /* POWEROFF, RESET (under no_reboot), CRASH, STATUS */
    unsigned status;
    char reason[400];
};

/* Timers at home with one vCPU, by deadline. */
struct timer_heap {
    struct plat_lock lock; /* heap */
    struct plat_lock run;  /* held over callbacks; taken first */
    struct timer **heap;
    uint32_t count, max, owned;
    _Atomic uint64_t next; /* earliest deadline */
};

struct vm {
    const struct guest_ops *guest;
    const struct lift_ops *lift; /* NULL without a software engine */
    const struct engine_ops *engine;
    struct vm_desc desc;
    struct log log;
    struct mem mem;
    struct device *devices; /* in order of adding */
    struct vcpu *vcpu[VM_MAX_VCPUS];
    unsigned vcpu_count;
    void *engine_vm; /* engine's own */
    void *guest_vm;  /* guest folder's own */

    struct plat_lock lock; /* state, pause, result, power changes; before the lock of work */
    enum vm_state state;
    _Atomic unsigned pause; /* count */
    unsigned parked;        /* tasks that hold still for it */
    struct plat_event parked_event;
    _Atomic bool stopping; /* tasks are to end: for good, or for a reset */
    bool ended, reset_wanted;
    struct plat_task *det_task; /* deterministic: the one task of all vCPUs */
    struct vm_result result;
    struct plat_event event;    /* for vm_wait(): something ended */
    struct plat_lock call_lock; /* vcpu_call_mask() from tasks that run no vCPU */
    struct plat_event call_event;
    bool engine_ready, loaded;

    struct timer_heap timers[VM_MAX_VCPUS];
    struct {
        uint64_t offset;  /* host clock minus virtual clock */
        uint64_t stopped; /* virtual ns while stopped */
        _Atomic bool running;
        /* Deterministic: instructions before the current turn, and the ns that halts skipped. */
        uint64_t insns, skipped;
        struct vcpu *turn;   /* the vCPU whose instructions count now */
        uint64_t turn_start; /* its vcpu_icount() at the start of the turn */
    } clock;
    struct {
        struct plat_lock lock;
        struct work *head, **tail;    /* lock; so are worker, stop, held, running */
        struct plat_event wake, idle; /* of the worker task; an item ended */
        struct plat_task *task;       /* the VM's owner only; NULL under --deterministic */
        bool worker;                  /* a worker task looks after the list, or is about to */
        bool stop, held;
        unsigned running; /* items */
        _Atomic bool pending;
    } work;
    struct {
        uint64_t number, next;
    } checkpoint;
    /* How the machine loads kernel or firmware and sets entries; called at start and at each reset. */
    int (*boot)(struct vm *vm, char *why, size_t why_size);
    /* Told of stores to pages marked MEM_PAGE_WATCH, after the store. */
    void (*watch)(struct vm *vm, gpa_t gpa, uint64_t len);
    /* Presses the machine's power button, which asks the guest to shut down; NULL: it has none. Any task. */
    void (*power_button)(struct vm *vm);
    /* Told when the vCPUs' tasks are there, at start and after each reset, by the task that started them. */
    void (*started)(struct vm *vm, void *opaque);
    void *started_opaque;
    void *machine; /* machine's own */
    void (*machine_destroy)(struct vm *vm);
};

/* Takes copies of desc and the ops; vCPUs are made (Created), no memory, no devices yet. */
int vm_create(struct vm **vm, const struct vm_desc *desc, const struct guest_ops *guest,
              const struct lift_ops *lift, const struct engine_ops *engine, char *why, size_t why_size);
void vm_destroy(struct vm *vm);
/* Resets devices and vCPUs and loads the images; runs nothing. vm_start() does it unless it was done. */
int vm_load(struct vm *vm, char *why, size_t why_size);
/* No vCPU runs: not started, paused, or ended. */
bool vm_is_still(const struct vm *vm);
/* Ends all tasks and destroys the devices, so that backends can go before vm_destroy(). */
void vm_shutdown(struct vm *vm);
/* Boots and starts all tasks. */
int vm_start(struct vm *vm, char *why, size_t why_size);
/*
 * Waits for the end of the run (deadline as plat_event_wait); -ETIMEDOUT. The caller's task does what
 * needs every vCPU task gone: resets, and the end.
 */
int vm_wait(struct vm *vm, uint64_t deadline_ns, struct vm_result *result);
/*
 * -EBUSY: a vCPU does not come to rest, since a device waits for the host (its output is not read, say); the
 * VM goes on then. -EINVAL: it does not run.
 */
int vm_pause(struct vm *vm);
int vm_resume(struct vm *vm);
/* From any task: end the run, the first caller's result stands. */
void vm_stop(struct vm *vm, enum exit_system what, unsigned status, const char *reason);
/* A device or firmware asks for power off or reset; any task. */
void vm_system(struct vm *vm, enum exit_system what, unsigned status, const char *reason);
struct device *vm_device(struct vm *vm, const char *id);
/* Work items of a deterministic VM run here, on the vCPU's task. */
void work_drain(struct vm *vm);
/* "-v" counters: one call a line. */
void vm_counters(struct vm *vm, void (*emit)(void *opaque, const char *name, uint64_t value), void *opaque);
/* The task of one vCPU, and the one task of all vCPUs of a deterministic VM (run.c). */
void run_vcpu_task(void *vcpu);
void run_det_task(void *vm);
/* All registers, devices and RAM; every vCPU stopped. */
uint64_t vm_hash(struct vm *vm);
/* The state behind vm_hash(), a text line a field and a RAM page. */
void vm_dump(struct vm *vm, void (*emit)(void *opaque, const char *line), void *opaque);

#endif
