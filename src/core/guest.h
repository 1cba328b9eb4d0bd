/*
 * What one guest ISA supplies: guest_ops for every engine, lift_ops for the software engines.
 */
#ifndef CV_CORE_GUEST_H
#define CV_CORE_GUEST_H

#include "core/exit.h"
#include "core/state.h"

struct vm;
struct vcpu;
struct vm_desc;
struct engine_ops;
struct dtw;

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

/* A finished page-table walk. Rights hold for the vCPU's present data (or fetch) context. */
struct translation {
    gpa_t gpa;
    uint8_t page_bits; /* 12, 16, 21, 30, ...: the largest range that maps alike, PMP included */
    bool read, write, exec;
    bool global;
    bool dirty;  /* false: a store has to come again through translate (D bit not yet set) */
    bool device; /* each access needs device_allows(), whatever is there */
};

struct guest_ops {
    const char *name; /* "riscv64" */
    const char *summary;
    const char *const *aliases; /* NULL-terminated */
    size_t vcpu_size;
    const struct state_field *state; /* the whole architectural state, ends with a NULL name */
    /* Model names, NULL-terminated, first is the default. */
    const char *const *cpu_models;
    int (*cpu_check)(const char *spec, char *why, size_t why_size);
    /* Of a good spec: -ENOTSUP with the reason where this engine cannot give that. NULL: each can. */
    int (*cpu_given)(const char *spec, const struct engine_ops *engine, char *why, size_t why_size);

    int (*vcpu_init)(struct vcpu *v, const struct vm_desc *desc);
    void (*vcpu_fini)(struct vcpu *v);
    void (*reset)(struct vcpu *v);
    void (*set_entry)(struct vcpu *v, uint64_t entry, uint64_t arg0, uint64_t arg1);
    /*
     * Walks the tables for an access of `len` bytes within one page. 0, or 1 when the access raises: the
     * exception is then recorded in the vCPU (not yet taken); raise() takes it.
     */
    int (*translate)(struct vcpu *v, gva_t va, enum access access, struct translation *out);
    void (*raise)(struct vcpu *v, gva_t va); /* takes the exception of the last translate, at v->pc */
    void (*raise_bus)(struct vcpu *v, gva_t va, enum access access); /* access fault: nothing answers there */
    void (*raise_misaligned)(struct vcpu *v, gva_t va, enum access access);
    /* Of a page that translate calls a device: may v->pc access `size` bytes there? Else it is misaligned.
     * NULL where no page is called so. */
    bool (*device_allows)(struct vcpu *v, gva_t va, unsigned size);
    void (*raise_illegal)(struct vcpu *v);
    /* TLB context of data accesses (ASID, privilege, SUM...): equal numbers share translations. */
    uint64_t (*context)(struct vcpu *v, enum access access);
    /* The same of fetches of global pages, whatever the address space; 0, or NULL: they are not told apart.
     */
    uint64_t (*global_context)(struct vcpu *v);
    /* As global_context, of data accesses. */
    uint64_t (*global_data)(struct vcpu *v);
    uint64_t (*asid)(struct vcpu *v);

    /* An interrupt can be taken now? take() does so. wakeup: does one end a halt (even if masked)? */
    bool (*irq_ready)(struct vcpu *v);
    void (*irq_take)(struct vcpu *v);
    bool (*irq_wakeup)(struct vcpu *v);
    /* Inputs by the ISA's own numbers (isa/<isa>); any task, atomic. The core sets the request bit. */
    void (*irq_input)(struct vcpu *v, unsigned input, bool level);
    /* (kind, number) by the ISA's meaning; -EINVAL unknown. Pending until it can be taken. */
    int (*inject)(struct vcpu *v, unsigned kind, uint64_t number);
    /* HYPERCALL, ISA exits, CPU_ON... */
    enum exit_action (*handle_exit)(struct vcpu *v, struct exit *e);
    /* Boot information registers and firmware (SBI, PSCI) of direct kernel boot. */
    void (*firmware_reset)(struct vm *vm);
    /* /cpus node and ISA-owned nodes into the device tree. */
    int (*describe)(struct vm *vm, struct dtw *w);
};

/* ---- software engines ---- */

struct ir_unit;
struct ir_helper;
struct sf_rules;

enum insn_kind { INSN_PLAIN, INSN_BRANCH, INSN_JUMP, INSN_END };

/* What region forming needs to know of one instruction. */
struct insn_shape {
    uint8_t len;    /* 0: more bytes are needed than there are */
    uint8_t kind;   /* enum insn_kind; BRANCH may fall through, JUMP and END do not */
    int32_t target; /* BRANCH, JUMP: displacement from this instruction */
};

/* A slot that the JIT may keep in a host register: hottest first. */
struct slot_desc {
    uint16_t offset;
    uint8_t type; /* enum ir_type */
    const char *name;
};

/*
 * A page that unprivileged accesses of a kernel met, with the rights of its programs: valid while generation
 * is the vCPU's and map the VM's. A write goes without a word where the page's flags are DIRTY alone.
 */
struct lift_user_page {
    gva_t va;
    uint64_t asid, generation;
    const struct mem_map *map;
    gpa_t gpa;
    uint8_t *host;
    _Atomic uint8_t *flags; /* enum mem_page_flag */
    uint64_t spare;
};
_Static_assert(sizeof(struct lift_user_page) == 64, "generated code indexes them by shifts");

/* The helpers of such accesses: (address, bytes) -> value, (address, bytes, value). */
struct lift_user {
    uint16_t load, store; /* numbers of helpers */
    uint16_t count;       /* of pages, a power of two; 0: there are no such accesses */
    uint32_t pages;       /* slot of the first; index: page number << 1 | write, modulo count */
    uint32_t generation;  /* slot */
};

struct lift_ops {
    const struct ir_helper *helpers;
    unsigned helper_count;
    const struct slot_desc *slots; /* all slots lift uses for registers, hottest first in each class */
    unsigned slot_count;
    const struct sf_rules *fp_rules; /* lib/softfloat.h */
    /* Byte in the vcpu where FP operations gather IEEE flags, enum sf_flag. The guest maps it when read. */
    uint16_t fpflags_slot;
    /*
     * Slot (i64) of the packed condition flags, N Z C V, or 0: that of no guest register. An engine may keep
     * what they follow from instead, while its code runs and no helper does.
     */
    uint16_t flags_slot;
    struct lift_user user;
    uint8_t insn_max; /* longest instruction in bytes */
    uint8_t insn_align;
    void (*shape)(uint64_t mode, const uint8_t *bytes, unsigned avail, struct insn_shape *out);
    /*
     * Lifts one instruction at `offset` from the page base into u (its INSN included, and the END
     * operation where shape said BRANCH, JUMP or END). An illegal one lifts to its exception, and may do so
     * where shape, which need not decode all, said PLAIN.
     */
    void (*lift)(struct ir_unit *u, uint64_t mode, int32_t offset, const uint8_t *bytes, unsigned avail);
    /* One instruction as text, for traces. */
    int (*disasm)(char *buf, size_t size, uint64_t mode, uint64_t pc, const uint8_t *bytes, unsigned avail);
};

#endif
