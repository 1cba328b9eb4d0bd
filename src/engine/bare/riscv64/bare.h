/*
 * The riscv64 engine of the bare form: guests run in VS- and VU-mode of the H extension (RISC-V Priv.
 * 20240411, 18). This is what its files share.
 *
 * A vCPU's registers are in struct riscv_vcpu (guest/riscv64/cpu.h), with these exceptions while it is
 * resident on a CPU: CSRs that VS-mode reaches directly are in the hardware's vs* copies until it is evicted
 * or pulled, and so are f registers once it used them. The general registers are in memory whenever
 * hypervisor code runs.
 */
#ifndef CV_ENGINE_BARE_RISCV64_BARE_H
#define CV_ENGINE_BARE_RISCV64_BARE_H

#include "core/vm.h"
#include "engine/bare/riscv64/vmid.h"
#include "guest/riscv64/cpu.h"
#include "platform/bare/boot/riscv64/csr_ops.h"
#include "platform/bare/sched/sched.h"
#include "platform/bare/sched/timer.h"
#include "platform/bare/sync/wait.h"

/* Why guests came out, as counted. */
enum bare_reason {
    BARE_INTERRUPT, /* the hypervisor's own */
    BARE_HYPERCALL,
    BARE_MMIO_READ,
    BARE_MMIO_WRITE,
    BARE_MEMORY, /* a page that stage 2 did not have yet */
    BARE_WFI,
    BARE_CSR,
    BARE_OTHER,
    BARE_REASONS
};

#define BARE_RING      31 /* last exits kept; every so many rounds one is measured: primes, */
#define BARE_ROUNDS    7  /* so that what guests repeat is measured all alike */
#define BARE_HISTOGRAM 40 /* durations of exits, by powers of two of ticks */
#define BARE_FENCE_MAX 16 /* page fences kept for the next entry, more become one of everything */

/* In vcpu.request, none of core's: the exit in hand is measured. What looks at requests on the way back finds
 * it. */
#define BARE_REQ_MEASURE (UINT32_C(1) << 31)

struct bare_trace {
    uint64_t pc, cause, value;
};

/* Which of the interrupt file of a guest is hardware. */
enum bare_aia { BARE_AIA_NONE, BARE_AIA_EMULATED, BARE_AIA_FILE };

#define BARE_FILE_WORDS 4 /* 255 identities */

/* A guest file while its vCPU is not resident; staged: on its way there. */
struct bare_file {
    uint64_t delivery, threshold, pending[BARE_FILE_WORDS], enable[BARE_FILE_WORDS], staged[BARE_FILE_WORDS];
    bool any_staged;
};

/* Of one VM. */
struct bare_vm {
    struct spin lock; /* tables */
    uint64_t *root;   /* 16 KiB, aligned to its size */
    uint8_t mode;     /* hgatp.MODE */
    uint8_t levels;
    uint64_t tables; /* pages below the root */
    unsigned gib;    /* leaves of 1 GiB */
    bool used;       /* there is something in them */
};

#define MMIO_OPS   16 /* decoded ones kept by their bits, power of two */
#define MMIO_PAGES 8  /* power of two */

/* A load or store of one register; 16 bytes. */
struct mmio_op {
    uint32_t insn;            /* as fetched; 0: none */
    uint16_t at;              /* of its register, in struct riscv_vcpu */
    uint8_t len, size, shift; /* shift: 64 - 8 * size */
    bool write, sext, zero;   /* zero: x0 */
    uint8_t back;             /* enum bare_way afterwards */
    bool fp;                  /* of an f register; never a kept one */
};
_Static_assert(sizeof(struct mmio_op) == 16, "found by a shift");

/* Vector state while it is not in the hardware (Unprivileged 20240411, 30.3). */
struct bare_vector {
    uint64_t vstart, vcsr, vl, vtype;
    bool used;     /* as bare_vcpu.fp_used */
    uint8_t reg[]; /* 32 of riscv_host.vlenb */
};

/* Of one vCPU; fields without a word on it: its own task only. What each exit needs comes first. */
struct bare_vcpu {
    struct riscv_vcpu *r;
    uint64_t host_sp, host_tp; /* while the guest runs */
    uint64_t host_vector;      /* stvec of the hypervisor */
    uint64_t sstatus;          /* SPP: the guest's privilege; FS, VS: whether its registers changed */
    uint64_t hstatus;
    uint64_t hvip; /* level inputs as the hardware has them; VSSIP is the guest's alone */
    struct vmid vmid;
    struct bare_cpu *cpu; /* where it is resident, or NULL; written with interrupts off there */
    bool valid;           /* resident, and the hardware's copies are the truth */
    bool fp_used;         /* its f registers were saved; until then all are zero */
    struct {
        bool all;
        unsigned count;
        struct {
            gva_t va;
            uint64_t asid;
            bool by_asid;
        } page[BARE_FENCE_MAX];
    } fence; /* hfence.vvma before the next entry */
    bool fence_code;
    uint8_t aia; /* enum bare_aia */
    struct bare_file file;
    uint64_t clock_offset, timedelta; /* htimedelta belongs to this offset of the VM's clock */
    bool clock_known;
    uint64_t status_mask; /* what the guest has of sstatus */
    struct waitq sleep;   /* in WFI */
    _Atomic bool asleep;  /* or about to be: sleep.lock to change, any task reads */
    struct mmio_page {    /* devices it met last, by page */
        uint64_t page;
        const struct mem_region *region;
    } mmio[MMIO_PAGES];
    struct mmio_op op[MMIO_OPS];
    struct ktimer alarm; /* core timers at home here */
    uint64_t alarm_ns;
    struct {
        uint64_t cause, gpa, insn, va;
        enum bare_reason reason;
    } exit; /* what bare_exit() left for bare_exit_slow() */
    uint64_t exits[BARE_REASONS];
    uint64_t switches;
    struct bare_trace *ring_next; /* the oldest */
    struct bare_trace ring[BARE_RING];
    struct {
        uint32_t round;
        uint64_t start, memory; /* counter, and b->exits[BARE_MEMORY] then */
        uint32_t histogram[BARE_REASONS][BARE_HISTOGRAM];
    } measure;
    struct bare_vector *vector; /* NULL: the guest has none */
};

/* Of one CPU: cpu->engine. Interrupts off. */
struct bare_cpu {
    struct cpu *cpu;
    struct bare_vcpu *resident;
    struct vmid_cpu vmid;
    bool fp_zero, vector_zero; /* what these registers held when a guest was loaded last: zeros */
};

static inline struct bare_vcpu *bare_of(struct vcpu *v)
{
    return v->engine;
}

/* ---- world.c ---- */

/*
 * Runs the guest until bare_exit() says that it comes out. Interrupts off, all loaded, sstatus and hstatus
 * written. Comes back on the CPU where the task is then, interrupts off.
 */
void bare_enter(struct riscv_vcpu *r);

/* ---- engine.c ---- */

/* Runs it where the vCPU is resident, interrupts off; it may not be by then. Any task, interrupts on or off.
 */
void bare_call_resident(struct bare_vcpu *b, void (*fn)(void *bare_vcpu));
/* All that has to be before the guest runs; interrupts off. False: core has to look at a request first. */
bool bare_prepare(struct bare_vcpu *b);

/* ---- exit.c ---- */

/* From the vector, on the task's stack, interrupts off. */
enum bare_way { BARE_LEAVE, BARE_BACK, BARE_BACK_ALL /* s registers were written, too */ };
uint64_t bare_exit(struct riscv_vcpu *r, struct bare_vcpu *b);
/* What bare_exit() left for code that may block: EXIT_HANDLED, or what core has to hear (v->exit). */
enum exit_action bare_exit_slow(struct riscv_vcpu *r);
/* The exit that was measured is over. */
void bare_measured(struct bare_vcpu *b);
void bare_history(struct vcpu *v, void (*emit)(void *opaque, const char *line), void *opaque);

/* ---- regs.c: interrupts off ---- */

void bare_load(struct bare_vcpu *b);
void bare_save(struct bare_vcpu *b); /* hardware to struct riscv_vcpu; stays loaded */
void bare_drop(struct bare_vcpu *b); /* saves what is valid; nobody is resident then */
/* Registers of this field of sstatus (FS, VS), which are loaded, are not what memory has. */
bool bare_dirty(const struct bare_vcpu *b, uint64_t field);
/* To the struct, if they changed since; stay loaded. */
void bare_fp_save(struct bare_vcpu *b);
/* hvip by the inputs that devices drive. */
void bare_inputs(struct bare_vcpu *b);
/* The software interrupt that is pending in hardware, back to mip, for who looks there. */
void bare_inputs_fold(struct bare_vcpu *b);
/* An exception into VS-mode as its hardware would; valid. */
void bare_inject(struct bare_vcpu *b, uint64_t cause, uint64_t tval);

/* ---- vector.c: interrupts off but for init ---- */

/* Room for what riscv_host says; -ENOMEM. */
int bare_vector_init(struct bare_vcpu *b);
void bare_vector_load(struct bare_vcpu *b, struct bare_cpu *c);
/* To memory, if it changed since; stays loaded. */
void bare_vector_save(struct bare_vcpu *b);

/* ---- vmid.c: interrupts off ---- */

/* Whether bare_vmid_check() has something to do although it is resident. */
bool bare_vmid_stale(const struct bare_vcpu *b);
void bare_vmid_check(struct bare_vcpu *b);
void bare_fences(struct bare_vcpu *b);

/* hgatp with its VMID. */
void bare_hgatp_write(const struct bare_vcpu *b);

/* ---- stage2.c ---- */

int stage2_init(struct bare_vm *s);
void stage2_fini(struct bare_vm *s);
/*
 * Maps what core/mem has at gpa, the largest page that fits. 1: it is there now; 0: it is not memory (for
 * this access), -ENOMEM.
 */
int stage2_map(struct vm *vm, gpa_t gpa, bool write);
/* All of it goes; the VM's vCPUs fault it in again. TLBs of all CPUs too. */
void stage2_clear(struct vm *vm);

/* ---- aia.c ---- */

void bare_aia_begin(struct bare_vcpu *b);
void bare_aia_stage(struct bare_vcpu *b);
void bare_aia_deliver(struct bare_vcpu *b);
void bare_aia_load(struct bare_vcpu *b);
void bare_aia_save(struct bare_vcpu *b);
/* The guest file as it is, wherever that is, in lines. Interrupts on. */
void bare_aia_show(struct bare_vcpu *b, void (*emit)(void *opaque, const char *line), void *opaque);

static inline struct mmio_page *bare_mmio_page(struct bare_vcpu *b, gpa_t gpa)
{
    uint64_t page = gpa >> MEM_PAGE_BITS;

    return &b->mmio[(page ^ page >> 9) % MMIO_PAGES];
}

/* No page has such a number. */
static inline void bare_mmio_forget(struct bare_vcpu *b)
{
    for (unsigned i = 0; i < MMIO_PAGES; i++)
        b->mmio[i].page = UINT64_MAX;
}

/* ---- mmio.c ---- */

static inline struct mmio_op *mmio_op_of(struct bare_vcpu *b, uint32_t insn)
{
    return &b->op[insn >> 7 & (MMIO_OPS - 1)];
}

/* The guest's instruction at pc, by its own tables; 0: it may not be fetched. */
uint32_t mmio_fetch(uint64_t pc);
const struct mmio_op *mmio_decode_new(struct bare_vcpu *b, uint32_t word, uint64_t htinst);
/* mmio_decode(), and f registers, too: then it is *fp. Those are to be in the struct (bare_fp_save()).
 */
const struct mmio_op *mmio_decode_any(struct bare_vcpu *b, uint64_t htinst, struct mmio_op *fp);

/*
 * By htinst, or by the guest's bytes at pc (HLVX.WU, Priv. 20240411, 18.4.1; 0 where it traps); stays good
 * until the next call. NULL: none that can be done here. Interrupts off.
 */
static inline const struct mmio_op *mmio_decode(struct bare_vcpu *b, uint64_t pc, uint64_t htinst)
{
    uint64_t word = htinst;
    const struct mmio_op *op;

    if (!word) {
        __asm__ volatile(RISCV_MAY_TRAP(".insn r 0x73, 4, 0x34, %0, %1, x3") "2:\n"
                         : "+r"(word)
                         : "r"(pc)
                         : "memory");
    }
    op = mmio_op_of(b, (uint32_t)word);
    __asm__("" : "+r"(op)); /* computed once */
    if (LIKELY(word && op->insn == (uint32_t)word))
        return op;
    return mmio_decode_new(b, (uint32_t)word, htinst);
}

#endif
