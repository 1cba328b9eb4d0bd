/*
 * The riscv64 hart: its state, the mode word that lifted code is keyed by, and what the files of this
 * folder offer each other.
 */
#ifndef CV_GUEST_RISCV64_CPU_H
#define CV_GUEST_RISCV64_CPU_H

#include "core/vm.h"
#include "guest/riscv64/features.h"
#include "guest/riscv64/guest.h"
#include "isa/riscv64/cause.h"
#include "isa/riscv64/csr.h"
#include "isa/riscv64/dt.h"
#include "isa/riscv64/regs.h"
#include "isa/riscv64/sbi.h"

#define RISCV_PMP_ENTRIES 16
#define RISCV_CBO_BLOCK   64
#define RISCV_WALK_HINTS  64 /* power of two */
#define RISCV_FW_COUNTERS 16

/*
 * Mode word: all that decides what an instruction lifts to, or what its data access means.
 *
 *   1:0   privilege                      11:9  frm
 *   3:2   privilege of data accesses     12    cbo.zero allowed
 *   4     SUM                            13    cbo.clean, cbo.flush allowed
 *   5     MXR                            15:14 cbo.inval: envcfg.CBIE in effect
 *   6     data accesses are translated   62:32 instruction sets that are absent, by enum rv_ext
 *   8:7   FS: enum riscv_mode_fs         63    the engines' own
 */
#define RISCV_MODE_PRIV       UINT64_C(3)
#define RISCV_MODE_DATA_PRIV  (UINT64_C(3) << 2)
#define RISCV_MODE_SUM        BIT(4)
#define RISCV_MODE_MXR        BIT(5)
#define RISCV_MODE_DATA_VM    BIT(6)
#define RISCV_MODE_FS         (UINT64_C(3) << 7)
#define RISCV_MODE_FRM        (UINT64_C(7) << 9)
#define RISCV_MODE_CBZE       BIT(12)
#define RISCV_MODE_CBCFE      BIT(13)
#define RISCV_MODE_CBIE       (UINT64_C(3) << 14)
#define RISCV_MODE_NO_EXT(id) BIT(32 + (id))

enum riscv_mode_fs { RISCV_FS_OFF, RISCV_FS_CLEAN, RISCV_FS_DIRTY };

/* All fields: vCPU task only, but for those that say otherwise. */
struct riscv_vcpu {
    struct vcpu v;
    uint64_t x[32]; /* x[0] is never written */
    uint64_t f[32]; /* NaN-boxed */

    uint64_t mstatus; /* SD, SXL and UXL are kept as they read */
    uint64_t mtvec, mscratch, mepc, mcause, mtval;
    uint64_t stvec, sscratch, sepc, scause, stval;
    uint64_t medeleg, mideleg, mie, menvcfg, senvcfg, satp;
    uint64_t mcounteren, scounteren, mcountinhibit;
    uint64_t stimecmp; /* ticks; Sstc, and SBI's timer */
    uint64_t miselect, siselect;
    uint64_t cycle_base, instret_base; /* counter = base + vcpu_icount(); stopped: the counter itself */
    uint64_t frm;
    /* Of the built-in SBI: how often each of these was, any task; and the counters of them that a kernel has
     * made. A counter that runs shows value + its event. */
    _Atomic uint64_t fw_event[RV_SBI_FW_EVENTS];
    struct riscv_fw_counter {
        uint64_t value;
        uint32_t event; /* enum rv_sbi_fw + 1; 0: none */
        uint32_t running;
    } fw_counter[RISCV_FW_COUNTERS];
    uint64_t pmpaddr[RISCV_PMP_ENTRIES];
    uint8_t pmpcfg[RISCV_PMP_ENTRIES];
    uint64_t seip_soft;   /* SEIP as M-mode software wrote it: mip.SEIP shows it or the input */
    _Atomic uint64_t mip; /* inputs and software bits; any task */
    uint8_t priv;
    uint8_t sbi; /* S-mode's ecall is served here: there is no firmware */

    /* From here on: not architectural. */
    uint64_t features;   /* BIT(enum riscv_feature) */
    uint64_t mode_fixed; /* the mode word's absent instruction sets */
    struct {
        uint64_t lo, hi; /* [lo, hi); empty when off */
    } pmp_range[RISCV_PMP_ENTRIES];
    bool pmp_open; /* entry 0 allows everything to everybody */
    /* Last-level tables that walks found, until any fence or flush; by va >> 21. */
    struct riscv_walk_hint {
        uint64_t va, satp, generation;
        gpa_t table;
        bool global;
    } walk_hint[RISCV_WALK_HINTS];
    uint64_t walk_generation;
    uint8_t changed;     /* enum riscv_changed since the last riscv_settle() */
    uint64_t exc_cause;  /* of the last failed translate */
    struct timer stimer; /* fires at stimecmp */
};

/* The guest folder's own part of a VM. */
struct riscv_vm {
    struct rv_sbi_console console; /* first: what vm->guest_vm promises (isa/riscv64/sbi.h) */
};

static inline struct riscv_vcpu *riscv_of(struct vcpu *v)
{
    return container_of(v, struct riscv_vcpu, v);
}

static inline bool riscv_has(const struct riscv_vcpu *r, enum riscv_feature f)
{
    return r->features >> f & 1;
}

/* ---- trap.c ---- */

/* What a change of system registers asks for. */
enum riscv_changed {
    RISCV_CHANGED_MODE = 1,    /* the mode word may be another */
    RISCV_CHANGED_CONTEXT = 2, /* address space */
    RISCV_CHANGED_IRQ = 4,     /* an interrupt may be takeable now */
    RISCV_CHANGED_TLB = 8      /* translations may be others: flush all */
};

/*
 * Acts on r->changed, pc exact. True: the unit has to be left; v->leave is set, and a request where an
 * interrupt can be taken.
 */
bool riscv_settle(struct riscv_vcpu *r);
/* The mode word that the CSRs make. */
uint64_t riscv_mode(const struct riscv_vcpu *r);
/* Takes an exception at v->pc; v->leave is set. */
void riscv_trap(struct riscv_vcpu *r, uint64_t cause, uint64_t tval);
/* Privilege was checked; they set pc. */
void riscv_mret(struct riscv_vcpu *r);
void riscv_sret(struct riscv_vcpu *r);
/* The interrupt of highest priority among these pending bits (Privileged, 3.1.9), -1: none. */
int riscv_irq_top(uint64_t pending);
bool riscv_irq_ready(struct vcpu *v);
void riscv_irq_take(struct vcpu *v);
bool riscv_irq_wakeup(struct vcpu *v);
void riscv_irq_input(struct vcpu *v, unsigned input, bool level);
int riscv_inject(struct vcpu *v, unsigned kind, uint64_t number);
/* mip as M-mode reads it. */
uint64_t riscv_mip(const struct riscv_vcpu *r);
/* Writes stimecmp and sets the timer behind STIP, which is a level. */
void riscv_stimecmp_write(struct riscv_vcpu *r, uint64_t ticks);
void riscv_stimer_fire(void *opaque);
/* Engine notices that a mock engine need not have. */
void riscv_flush(struct vcpu *v, const struct flush_scope *scope);
void riscv_fetch_barrier(struct vcpu *v);

/* ---- csr.c ---- */

enum riscv_csr_how {
    RISCV_CSR_HELPER, /* by riscv_csr_get() and riscv_csr_set() */
    RISCV_CSR_DIRECT, /* plain storage: slot and masks say all */
    RISCV_CSR_STATUS, /* mstatus, sstatus: slot AND mask for reads; clearing SIE or MIE is a plain write */
    RISCV_CSR_CLAIM   /* mtopei, stopei: a write takes what the same instruction's read gives */
};

/* What lift needs to know of a CSR; row: argument of the functions below. */
struct riscv_csr_info {
    uint32_t row;
    uint8_t how; /* enum riscv_csr_how */
    uint32_t slot;
    uint64_t read_mask, write_mask;
};

/* False: no such CSR, or none for this privilege level, or written and read-only. */
bool riscv_csr_lookup(unsigned number, unsigned priv, bool write, struct riscv_csr_info *out);
/* False: not there (feature, TVM, counter enables): illegal instruction. */
bool riscv_csr_get(struct riscv_vcpu *r, uint32_t row, uint64_t *value);
/* Bits under mask become those of value, by WARL rules; adds to r->changed. */
bool riscv_csr_set(struct riscv_vcpu *r, uint32_t row, uint64_t value, uint64_t mask);
/* The highest pending identity of the interrupt file behind mtopei or stopei, which is claimed. */
bool riscv_csr_claim(struct riscv_vcpu *r, uint32_t row, uint64_t *value);
/* mcycle (0) and minstret (2): whether they run, as bits of mcountinhibit, and a new value. */
void riscv_counters_inhibit(struct riscv_vcpu *r, uint64_t inhibit);
void riscv_counter_put(struct riscv_vcpu *r, unsigned n, uint64_t value);

/* ---- mmu.c, pmp.c ---- */

int riscv_translate(struct vcpu *v, gva_t va, enum access access, struct translation *out);
/* Walks as privilege `priv`; the exception's cause, or 0. */
uint64_t riscv_walk(struct riscv_vcpu *r, gva_t va, enum access access, unsigned priv,
                    struct translation *out);
uint64_t riscv_context(struct vcpu *v, enum access access);
uint64_t riscv_global_context(struct vcpu *v);
uint64_t riscv_asid(struct vcpu *v);

enum { RISCV_PMP_PAGE_BITS = 12 }; /* granularity of protection */
/* Recomputes pmp_range and pmp_open. */
void riscv_pmp_update(struct riscv_vcpu *r);
/* Rights (RV_PMP_R W X) of a physical address; *bits: in, out: largest aligned range that has the same. */
unsigned riscv_pmp_rights(const struct riscv_vcpu *r, gpa_t pa, unsigned priv, uint8_t *bits);
uint64_t riscv_pmpcfg_read(const struct riscv_vcpu *r, unsigned reg);
void riscv_pmpcfg_write(struct riscv_vcpu *r, unsigned reg, uint64_t value);
uint64_t riscv_pmpaddr_read(const struct riscv_vcpu *r, unsigned i);
void riscv_pmpaddr_write(struct riscv_vcpu *r, unsigned i, uint64_t value);

/* ---- sbi.c ---- */

static inline void riscv_fw_event(struct riscv_vcpu *r, enum rv_sbi_fw event)
{
    atomic_fetch_add_explicit(&r->fw_event[event], 1, memory_order_relaxed);
}

/* Serves the call in a7, a6, a0..a5; may set v->exit. pc is not changed. */
void riscv_sbi_call(struct riscv_vcpu *r);

/* ---- boot.c, describe.c, state.c ---- */

int riscv_vcpu_init(struct vcpu *v, const struct vm_desc *desc);
void riscv_vcpu_fini(struct vcpu *v);
void riscv_reset(struct vcpu *v);
void riscv_set_entry(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1);
int riscv_describe(struct vm *vm, struct dtw *w);
extern const struct state_field riscv_state[];

#endif
