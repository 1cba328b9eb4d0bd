/*
 * The arm64 PE: its state, the mode word that lifted code is keyed by, and what the files of this folder
 * offer each other. EL0 and EL1; where EL2 and EL3 would come, levels are numbers and arrays by level.
 */
#ifndef CV_GUEST_ARM64_CPU_H
#define CV_GUEST_ARM64_CPU_H

#include "core/irqchip.h"
#include "core/vm.h"
#include "guest/arm64/features.h"
#include "guest/arm64/guest.h"
#include "isa/arm64/esr.h"
#include "isa/arm64/fp.h"

#define ARM64_BREAKPOINTS         6
#define ARM64_CONTEXT_BREAKPOINTS 2 /* the last ones */
#define ARM64_WATCHPOINTS         4
#define ARM64_EVENT_COUNTERS      6
#define ARM64_DCZVA_BLOCK         64
#define ARM64_WALK_HINTS          64   /* power of two */
#define ARM64_USER_PAGES          64   /* power of two */
#define ARM64_FAULT_TAG           0xff /* no fault: PC has a tag, which it loses */

/*
 * Mode word: all that decides what an instruction lifts to, or what its data access means.
 *
 *   1:0   EL                                16:13 pointer authentication: EnIA, EnIB, EnDA, EnDB
 *   2     SPSel (EL0: 0)                    17    DC ZVA is allowed here
 *   3     unaligned accesses raise (SCTLR.A, or translation off: all is Device memory)
 *   4     SP has to be aligned here (SCTLR.SA, SA0)
 *   5     PAN, at EL1                       18    PSTATE.IL: each instruction raises
 *   6     UAO, at EL1                       19    software step is active
 *   7     FP and SIMD are trapped (CPACR)   20    software step: each instruction raises
 *   9:8   FPCR.RMode                        21    breakpoints to be looked at
 *   10    FPCR.FZ                           22    watchpoints to be looked at
 *   11    FPCR.DN                           23    data translation is on (SCTLR.M)
 *   12    FPCR.AHP                          24    FPCR.FZ16
 *   31:25 0                                 62:32 instruction sets that are absent, by enum a64_ext
 *   63    the engines' own
 */
#define ARM64_MODE_EL        UINT64_C(3)
#define ARM64_MODE_SPSEL     BIT(2)
#define ARM64_MODE_ALIGN     BIT(3)
#define ARM64_MODE_SP_ALIGN  BIT(4)
#define ARM64_MODE_PAN       BIT(5)
#define ARM64_MODE_UAO       BIT(6)
#define ARM64_MODE_FP_TRAP   BIT(7)
#define ARM64_MODE_RMODE     (UINT64_C(3) << 8) /* 0 RN, 1 RP, 2 RM, 3 RZ: not enum ir_round */
#define ARM64_MODE_FZ        BIT(10)
#define ARM64_MODE_DN        BIT(11)
#define ARM64_MODE_AHP       BIT(12)
#define ARM64_MODE_ENIA      BIT(13)
#define ARM64_MODE_ENIB      BIT(14)
#define ARM64_MODE_ENDA      BIT(15)
#define ARM64_MODE_ENDB      BIT(16)
#define ARM64_MODE_DCZVA     BIT(17)
#define ARM64_MODE_IL        BIT(18)
#define ARM64_MODE_STEP      BIT(19)
#define ARM64_MODE_STEP_TRAP BIT(20)
#define ARM64_MODE_BREAK     BIT(21)
#define ARM64_MODE_WATCH     BIT(22)
#define ARM64_MODE_MMU       BIT(23)
#define ARM64_MODE_FZ16      BIT(24)
/*
 * EL1: a bit of TTBR1's address. A kernel that isolates page tables enters and leaves by a second one, two
 * pages away: so the code of its way in has units and page slots apart from the kernel's, and neither empties
 * the other's.
 */
#define ARM64_MODE_TABLE      BIT(25)
#define ARM64_MODE_NO_EXT(id) BIT(32 + (id))

/* SCTLR_EL1 bits that are one where no feature gives them a meaning: also ITD and SED, without AArch32. */
#define ARM64_SCTLR_RES1 (A64_SCTLR_RES1 | A64_SCTLR_ITD | A64_SCTLR_SED)

/* NZCV as it stands in slot nzcv: the order of IR_FPACK and IR_FUNPACK, all other bits 0. */
#define ARM64_FLAG_N BIT(0)
#define ARM64_FLAG_Z BIT(1)
#define ARM64_FLAG_C BIT(2)
#define ARM64_FLAG_V BIT(3)

struct arm64_q {
    uint64_t lo, hi;
};

struct arm64_key {
    uint64_t lo, hi;
};

/* Firmware of the machine below, where a guest runs on its CPUs. Any task. */
struct arm64_firmware {
    /* What SMCCC_ARCH_FEATURES says of a workaround (DEN 0028, 7.5 to 7.8). */
    int32_t (*features)(uint32_t workaround);
    /* Carries it out on this CPU. */
    void (*workaround)(uint32_t function, uint32_t arg);
};

/* All fields: vCPU task only, but for those that say otherwise. */
struct arm64_vcpu {
    struct vcpu v;
    /* x[31] is the stack pointer in use; the one not in use is in sp_el0 or sp_el1 (arm64_sp_bank). */
    uint64_t x[32];
    uint64_t nzcv; /* ARM64_FLAG_* */
    /* FPSR.QC: not 0 once a saturation happened. The other flags of FPSR are v.fp_flags (enum sf_flag). */
    uint64_t qc;
    struct arm64_q q[32] __attribute__((aligned(16)));

    /* PSTATE but for NZCV. daif as MRS DAIF shows it: D 9, A 8, I 7, F 6. */
    uint64_t daif;
    uint64_t sp_el0, sp_el1; /* sp_el0 is the truth only when it is not x[31] */
    uint64_t el, spsel, pan, uao, dit, ssbs, ss, il;

    uint64_t tpidr_el0, tpidrro_el0, tpidr_el1;
    uint64_t elr_el1, spsr_el1, esr_el1, far_el1, vbar_el1;
    uint64_t sctlr_el1, cpacr_el1;
    uint64_t ttbr0_el1, ttbr1_el1, tcr_el1, mair_el1, contextidr_el1, par_el1, csselr_el1;
    uint64_t fpcr; /* what is in the mode word too */
    struct arm64_key apia, apib, apda, apdb, apga;

    /* Debug. */
    uint64_t mdscr_el1, oslsr_el1, osdlr_el1, osdtrrx_el1, osdtrtx_el1, dbgclaim, oseccr_el1;
    uint64_t dbgbvr[ARM64_BREAKPOINTS], dbgbcr[ARM64_BREAKPOINTS];
    uint64_t dbgwvr[ARM64_WATCHPOINTS], dbgwcr[ARM64_WATCHPOINTS];

    /* Performance monitors: a counter is base + events so far while it counts, else base. */
    bool pm_filtered;       /* a counter that counts does not do so at each level */
    bool pm_exceptions;     /* a counter of exceptions asks for an interrupt */
    uint64_t pm_cycle_wrap; /* vcpu_icount() at which the cycle counter overflows, or UINT64_MAX */
    uint64_t pm_returns;    /* exception returns so far */
    uint64_t pmcr_el0, pmcntenset_el0, pmintenset_el1, pmovsset_el0, pmuserenr_el0, pmselr_el0;
    uint64_t pmccntr_base, pmccfiltr_el0;
    uint64_t pmevcntr_base[ARM64_EVENT_COUNTERS], pmevtyper[ARM64_EVENT_COUNTERS];

    /* Generic timer. */
    uint64_t cntkctl_el1, cntfrq_el0;
    uint64_t cntv_ctl_el0, cntv_cval_el0, cntp_ctl_el0, cntp_cval_el0;

    /* GICv3 CPU interface (GIC v3/v4 spec, 12.2). Active priorities: one bit a preemption level. */
    uint64_t icc_pmr, icc_bpr0, icc_bpr1, icc_ctlr, icc_igrpen0, icc_igrpen1;
    uint64_t icc_ap0r, icc_ap1r;

    _Atomic uint64_t inputs; /* BIT(enum arm64_input); any task */
    _Atomic uint64_t event;  /* the event register of WFE; any task */

    /* From here on: not architectural. */
    struct arm64_cpu cpu;
    uint64_t mode_fixed;                   /* the mode word's absent instruction sets */
    uint8_t psci;                          /* HVC and SMC are served here: there is no firmware */
    const struct arm64_firmware *firmware; /* NULL: nothing speculates here */
    uint8_t changed;                       /* enum arm64_changed since the last arm64_settle() */
    bool trapped;                          /* the system register access in hand has taken an exception */
    uint32_t insn;                         /* its bits */
    bool tagged;         /* a translation of a tagged address was given out since the last flush */
    bool step_exclusive; /* the instruction stepped last was a load-exclusive */
    bool stepping;       /* it began; an exception of its own makes it undone */
    struct {
        uint8_t fsc;    /* enum a64_fsc with its level, or ARM64_FAULT_TAG */
        uint8_t access; /* enum access */
    } fault;            /* of the last failed translate */
    uint64_t leaf;      /* descriptor that the last walk ended at, 0: translation was off */
    struct arm64_walk_hint {
        uint64_t va, root, generation;
        gpa_t table;
        uint32_t limits; /* what the tables above left of the rights */
    } walk_hint[ARM64_WALK_HINTS];
    uint64_t walk_generation;
    /* Pages that unprivileged accesses met, until any flush; by page and direction (user.c). */
    struct lift_user_page user_page[ARM64_USER_PAGES];
    uint64_t user_generation;    /* never 0 */
    struct timer vtimer, ptimer; /* fire at cntv_cval_el0, cntp_cval_el0 */
    struct timer etimer;         /* the event stream, armed by a WFE that waits */
    _Atomic bool waits_event;    /* in WFE; vCPU task, read by any */
    uint32_t lines;              /* private inputs of the distributor that are high, as it was told */
};

static inline struct arm64_vcpu *arm64_of(struct vcpu *v)
{
    return container_of(v, struct arm64_vcpu, v);
}

static inline bool arm64_has(const struct arm64_vcpu *a, enum arm64_feature f)
{
    return a->cpu.features >> f & 1;
}

/* ---- exception.c ---- */

/* What a change of system registers asks for. */
enum arm64_changed {
    ARM64_CHANGED_MODE = 1,    /* the mode word may be another */
    ARM64_CHANGED_CONTEXT = 2, /* address space */
    ARM64_CHANGED_IRQ = 4,     /* an interrupt may be takeable now */
    ARM64_CHANGED_TLB = 8      /* translations may be others: flush all */
};

/*
 * Acts on a->changed, pc exact. True: the unit has to be left; v->leave is set, and a request where an
 * interrupt can be taken.
 */
bool arm64_settle(struct arm64_vcpu *a);
/* The mode word that PSTATE and the system registers make. */
uint64_t arm64_mode(const struct arm64_vcpu *a);
/* Synchronous exceptions, taken at v->pc with ELR = v->pc; v->leave is set. esr: EC, IL and ISS complete. */
void arm64_trap(struct arm64_vcpu *a, uint64_t esr);
void arm64_trap_far(struct arm64_vcpu *a, uint64_t esr, uint64_t far);
/* EC 0: an undefined instruction. */
void arm64_undefined(struct arm64_vcpu *a);
/* An abort of the access at va; fsc with its level, iss: WNR, CM. */
void arm64_abort(struct arm64_vcpu *a, gva_t va, enum access access, unsigned fsc, uint64_t iss);
/* PSTATE.IL is set; SP or a branch target are misaligned. */
void arm64_illegal_state(struct arm64_vcpu *a);
void arm64_sp_misaligned(struct arm64_vcpu *a);
void arm64_pc_misaligned(struct arm64_vcpu *a, gva_t target);
/* v->pc is the SVC's own: ELR is behind it. */
void arm64_svc(struct arm64_vcpu *a, uint16_t imm);
/* HVC and SMC with these bits: a PSCI call, going on behind it, or undefined. */
void arm64_hvc(struct arm64_vcpu *a, uint16_t imm);
void arm64_smc(struct arm64_vcpu *a, uint16_t imm);
void arm64_brk(struct arm64_vcpu *a, uint16_t imm);
/* FP and SIMD while CPACR_EL1.FPEN says no. */
void arm64_fp_trap(struct arm64_vcpu *a);
/* ERET; target from ELR_EL1 unless authenticated code gives another. Sets pc. */
void arm64_eret(struct arm64_vcpu *a, uint64_t target);
/* PSTATE as an SPSR holds it. */
uint64_t arm64_spsr(const struct arm64_vcpu *a);
/* Another exception level and stack pointer; x[31] follows. */
void arm64_level_set(struct arm64_vcpu *a, unsigned el, unsigned spsel);

/* BIT(enum arm64_input) of what is signalled, masked by PSTATE or not. */
uint64_t arm64_signals(struct arm64_vcpu *a);
bool arm64_irq_ready(struct vcpu *v);
void arm64_irq_take(struct vcpu *v);
void arm64_irq_input(struct vcpu *v, unsigned input, bool level);
int arm64_inject(struct vcpu *v, unsigned kind, uint64_t number);
/* A branch's target without its tag, where the top byte is ignored (D8.8, AArch64.BranchAddr). */
gva_t arm64_branch_address(const struct arm64_vcpu *a, gva_t target);
/* The instruction at v->pc, or 0. */
uint32_t arm64_insn_here(struct arm64_vcpu *a);
/* Engine notices that a mock engine need not have. */
void arm64_flush(struct vcpu *v, const struct flush_scope *scope);
void arm64_fetch_barrier(struct vcpu *v);

/* ---- wait.c ---- */

/* WFI: pc goes behind it, v->exit says HALT where there is nothing to do; traps by SCTLR.nTWI. */
void arm64_wfi(struct arm64_vcpu *a);
/* WFE: alike, by SCTLR.nTWE, but pc stays where it waits. */
void arm64_wfe(struct arm64_vcpu *a);
void arm64_sev(struct arm64_vcpu *a);
bool arm64_irq_wakeup(struct vcpu *v);
void arm64_event_fire(void *opaque);

/* ---- debug.c: breakpoints, watchpoints, software step (D2) ---- */

/* Debug exceptions are enabled for code at this level with this PSTATE.D. */
bool arm64_debug_enabled(const struct arm64_vcpu *a, unsigned el, bool masked);
/* STEP, STEP_TRAP, BREAK and WATCH of the mode word. */
uint64_t arm64_debug_mode(const struct arm64_vcpu *a);
/* PSTATE.SS after a return to `el` with this SPSR. */
bool arm64_debug_return_ss(const struct arm64_vcpu *a, unsigned el, uint64_t spsr);
/* Mode STEP, before an instruction: the next one traps. Changes v->mode without leaving the unit. */
void arm64_step_begin(struct arm64_vcpu *a, bool exclusive);
/* Mode STEP_TRAP: the exception. */
void arm64_step_trap(struct arm64_vcpu *a);
/* Mode BREAK, WATCH: true when the exception was taken. The instruction at v->pc; an access of it. */
bool arm64_breakpoint(struct arm64_vcpu *a);
enum arm64_watch { ARM64_WATCH_STORE = 1, ARM64_WATCH_USER = 2 /* LDTR, STTR: as EL0 */ };
bool arm64_watchpoint(struct arm64_vcpu *a, gva_t va, unsigned size, unsigned how);

/* ---- timer.c, pmu.c; gic.c: the CPU interface of a GICv3 ---- */

#define ARM64_COUNTER_HZ 62500000 /* where no hardware says otherwise */

static inline uint64_t arm64_counter_hz(const struct arm64_vcpu *a)
{
    return clock_counter_hz(a->v.vm, ARM64_COUNTER_HZ);
}

void arm64_vtimer_fire(void *opaque);
void arm64_ptimer_fire(void *opaque);
/* A change of level, while a->pm_filtered. */
void arm64_pmu_level(struct arm64_vcpu *a, unsigned el);
/* Looks for overflows: at v.due, and at each exception while a->pm_exceptions. */
void arm64_pmu_look(struct arm64_vcpu *a);
/* Drives a private input of the distributor (intid), where it changes. */
void arm64_private_line(struct arm64_vcpu *a, unsigned intid, bool level);

/* BIT(enum arm64_input) that the CPU interface signals. */
uint64_t arm64_gic_signals(struct arm64_vcpu *a);

/* ---- sysreg.c ---- */

enum arm64_sys_how {
    ARM64_SYS_HELPER, /* by arm64_sys_read() and arm64_sys_write() */
    ARM64_SYS_DIRECT  /* plain storage: 64-bit slot and masks say all, both ways */
};

/* What lift needs to know of a system register or SYS operation. */
struct arm64_sys_info {
    uint32_t row;
    uint8_t how; /* enum arm64_sys_how */
    uint32_t slot;
    uint64_t read_mask, write_mask;
};

/*
 * False: undefined in this mode (no such register, too high a level, or the wrong direction). Only what the
 * mode word has may decide. SYS operations are writes, with Xt's value.
 */
bool arm64_sys_lookup(uint64_t mode, unsigned sys, bool write, struct arm64_sys_info *out);
/*
 * insn: the instruction's bits, for the syndrome of a trap. False: an exception was taken. A write may add
 * to a->changed: settle then, with pc behind the instruction.
 */
bool arm64_sys_read(struct arm64_vcpu *a, uint32_t row, uint32_t insn, uint64_t *value);
bool arm64_sys_write(struct arm64_vcpu *a, uint32_t row, uint32_t insn, uint64_t value);
/* MSR (immediate); field = op1:op2. False: an exception was taken (undefined, or EL0's DAIF trap). */
bool arm64_msr_imm(struct arm64_vcpu *a, unsigned field, unsigned imm, uint32_t insn);
/* FPSR as it reads. */
uint64_t arm64_fpsr(struct arm64_vcpu *a);
void arm64_fpsr_set(struct arm64_vcpu *a, uint64_t value);

/* ---- boot.c, describe.c ---- */

int arm64_vcpu_init(struct vcpu *v, const struct vm_desc *desc);
void arm64_vcpu_fini(struct vcpu *v);
void arm64_reset(struct vcpu *v);
void arm64_set_entry(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1);
int arm64_describe(struct vm *vm, struct dtw *w);
extern const struct state_field arm64_state[];

/* MPIDR_EL1 of a vCPU: sixteen share Aff1, as ICC_SGI1R_EL1 reaches them with one list. */
uint64_t arm64_mpidr(unsigned id);
/* Random bytes; under --deterministic they follow from the vCPU and its count. */
void arm64_random(struct arm64_vcpu *a, void *buf, size_t size);

/* ---- psci.c ---- */

/* Serves the call in x0..x3; may set v->exit. pc is not changed but by a CPU_SUSPEND that loses it. */
void arm64_psci_call(struct arm64_vcpu *a);

/* ---- mmu.c ---- */

/* How an access asks for its rights; or'ed with PROBE the tables stay as they are (AT, DC). */
enum arm64_as { ARM64_AS_SELF, ARM64_AS_EL0, ARM64_AS_EL1, ARM64_AS_EL1_PAN, ARM64_AS_PROBE = 4 };

int arm64_translate(struct vcpu *v, gva_t va, enum access access, struct translation *out);
/*
 * Walks for an access with the rights of `as`. 0, or the fault status code (ESR.DFSC, IFSC) | BIT(6) to
 * tell code 0 (address size, level 0) from success.
 */
unsigned arm64_walk(struct arm64_vcpu *a, gva_t va, enum access access, unsigned as, struct translation *out);
uint64_t arm64_context(struct vcpu *v, enum access access);
uint64_t arm64_global_context(struct vcpu *v);
uint64_t arm64_global_data(struct vcpu *v);
uint64_t arm64_asid(struct vcpu *v);
/* ---- user.c ---- */

/*
 * An unprivileged access (LDTR, STTR) at EL1 without UAO, of 1 to 8 bytes, or the exception. Loads: *value
 * zero-extended.
 */
bool arm64_user_access(struct arm64_vcpu *a, gva_t va, unsigned size, bool write, uint64_t *value);
/* The access of structures at v->pc is not aligned to their elements. */
void arm64_elements_misaligned(struct arm64_vcpu *a);
bool arm64_device_allows(struct vcpu *v, gva_t va, unsigned size);
unsigned arm64_leaf_attr(const struct arm64_vcpu *a, uint64_t leaf);

#endif
