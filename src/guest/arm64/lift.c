/* lift_ops of arm64: from bytes to rows of the lift tables; what stands before an instruction; slots. */
#include "guest/arm64/lift.h"
#include "guest/arm64/simd.h"
#include "isa/arm64/disasm.h"
#include "isa/arm64/sysreg.h"
#include "lib/softfloat.h"

/* ---- decoding ---- */

static uint32_t fetch(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Hints of features that are absent do nothing (C4.1.87). */
static bool is_hint(const struct a64_insn *i)
{
    return (i->raw & 0xfffff01f) == 0xd503201f;
}

/* The row of an instruction that exists in this mode, or NULL. */
static const struct lift_row *row_of(uint64_t mode, const struct a64_insn *i)
{
    static const struct lift_row *const parts[] = {arm64_lift_int,    arm64_lift_mem,     arm64_lift_branch,
                                                   arm64_lift_system, arm64_lift_fp,      arm64_lift_simd,
                                                   arm64_lift_vector, arm64_lift_simd_fp, arm64_lift_step,
                                                   arm64_lift_crypto, arm64_lift_saturate};

    if (i->id == A64_UNDEFINED)
        return NULL;
    if (mode & a64_insn_exts(i) << 32)
        return is_hint(i) ? &arm64_lift_system[A64_NOP] : NULL;
    for (unsigned p = 0; p < ARRAY_SIZE(parts); p++) {
        if (parts[p][i->id].fn)
            return &parts[p][i->id];
    }
    return arm64_simd_has(i->id) ? &arm64_lift_by_helper : NULL;
}

/* What happens instead of the instruction. */
enum gate { GATE_OPEN, GATE_UNDEFINED, GATE_FP, GATE_ILLEGAL, GATE_STEP };

/* Whether the mode lets the instruction be; decided once for shape() and lift(). */
static enum gate gate_of(uint64_t mode, const struct lift_row *row, const struct a64_insn *i)
{
    struct arm64_sys_info info;
    unsigned needs = row ? row->needs : 0;

    if (mode & ARM64_MODE_STEP_TRAP)
        return GATE_STEP;
    if (mode & ARM64_MODE_IL)
        return GATE_ILLEGAL;
    if (!row || (needs & NEEDS_EL1 && !(mode & ARM64_MODE_EL)))
        return GATE_UNDEFINED;
    if (needs & NEEDS_FP && mode & ARM64_MODE_FP_TRAP)
        return GATE_FP;
    return needs & NEEDS_SYS && !alift_sys_lookup(mode, i, &info) ? GATE_UNDEFINED : GATE_OPEN;
}

/* Software step ends the block at each instruction. */
static enum insn_kind kind_of(uint64_t mode, const struct lift_row *row)
{
    if (mode & ARM64_MODE_STEP)
        return INSN_END;
    return (enum insn_kind)row->kind;
}

/*
 * By the groups of C4.1: neither a branch, exception or system instruction, nor one that the mode holds up,
 * so that it needs no decoding here. (Those of them that are undefined end their block when they are lifted.)
 */
static bool surely_plain(uint64_t mode, uint32_t word)
{
    unsigned group = word >> 25 & 15;
    bool immediate = (group & 14) == 8, vector = (group & 6) == 6;

    if (mode & (ARM64_MODE_STEP | ARM64_MODE_STEP_TRAP | ARM64_MODE_IL))
        return false;
    return (immediate || group & 4) && !(vector && mode & ARM64_MODE_FP_TRAP);
}

static void shape(uint64_t mode, const uint8_t *bytes, unsigned avail, struct insn_shape *out)
{
    const struct lift_row *row;
    struct a64_insn i;

    *out = (struct insn_shape){.kind = INSN_END, .len = 4};
    if (avail < 4) {
        out->len = (uint8_t)avail; /* misaligned: raises before it is fetched */
        return;
    }
    if (surely_plain(mode, fetch(bytes))) {
        out->kind = INSN_PLAIN;
        return;
    }
    a64_decode(fetch(bytes), &i);
    row = row_of(mode, &i);
    if (gate_of(mode, row, &i) != GATE_OPEN)
        return;
    out->kind = kind_of(mode, row);
    if (out->kind == INSN_BRANCH || out->kind == INSN_JUMP)
        out->target = (int32_t)i.imm;
}

/* ---- lifting ---- */

static bool ended(const struct ir_unit *u)
{
    return ir_opinfo[u->ops[u->op_count - 1].op].effects & IR_E_END;
}

/* Loads-exclusive are told to the software step's syndrome (D2.11.5). */
static bool is_load_exclusive(const struct a64_insn *i)
{
    return i->id == A64_LDXR || i->id == A64_LDAXR || i->id == A64_LDXP || i->id == A64_LDAXP;
}

/*
 * Structures are accessed as whole registers, but where alignment is checked it is that of their elements
 * (B2.5.2.1); single ones are checked by their access.
 */
static void check_elements(struct lift *l)
{
    bool multiple = (l->i.id >= A64_ST1 && l->i.id <= A64_ST4) || (l->i.id >= A64_LD1 && l->i.id <= A64_LD4);

    if (multiple && l->mode & ARM64_MODE_ALIGN && l->i.size)
        ir_emit(l->u, IR_GUARD, IRT_NONE, 0,
                alift_bini(l, IR_AND, alift_get_sp(l, l->i.rn), (1 << l->i.size) - 1), IR_REF_NONE,
                IR_REF_NONE, A64H_ELEMENTS);
}

static void step_begin(struct lift *l)
{
    alift_sync(l);
    alift_call(l, A64H_STEP_BEGIN, alift_imm(l, is_load_exclusive(&l->i)), IR_REF_NONE, IR_REF_NONE);
}

/*
 * Those that go elsewhere by themselves count as stepped before they act. All others do when they are done:
 * one that has to access memory again, or faults, was not stepped.
 */
static bool steps_first(const struct lift *l, const struct lift_row *row)
{
    bool zva = l->i.id == A64_SYS && l->i.sysreg == A64_SYSOP_dc_zva && l->mode & ARM64_MODE_DCZVA;

    return !zva && (row == &arm64_lift_system[l->i.id] || row == &arm64_lift_branch[l->i.id]);
}

static void lift_open(struct lift *l, const struct lift_row *row)
{
    bool step = l->mode & ARM64_MODE_STEP, first = step && steps_first(l, row);

    if (l->mode & ARM64_MODE_BREAK) {
        alift_sync(l);
        alift_call(l, A64H_BREAKPOINT, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
    }
    if (first)
        step_begin(l);
    check_elements(l);
    row->fn(l, row);
    if (!step || ended(l->u))
        return;
    if (!first)
        step_begin(l);
    alift_jump(l, 4);
}

static void lift(struct ir_unit *u, uint64_t mode, int32_t offset, const uint8_t *bytes, unsigned avail)
{
    static const uint8_t instead[] = {[GATE_UNDEFINED] = A64H_UNDEFINED,
                                      [GATE_FP] = A64H_FP_TRAP,
                                      [GATE_ILLEGAL] = A64H_ILLEGAL_STATE,
                                      [GATE_STEP] = A64H_STEP_TRAP};
    struct lift l = {.u = u, .mode = mode, .offset = offset};
    const struct lift_row *row;
    enum gate gate;

    ir_insn(u, offset, MIN(avail, 4));
    if (offset & 3) {
        alift_end_call(&l, A64H_PC_MISALIGNED, IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
        return;
    }
    a64_decode(fetch(bytes), &l.i);
    row = row_of(mode, &l.i);
    gate = gate_of(mode, row, &l.i);
    if (gate == GATE_OPEN)
        lift_open(&l, row);
    else
        alift_end_call(&l, (enum arm64_helper)instead[gate], IR_REF_NONE, IR_REF_NONE, IR_REF_NONE);
}

static int disasm(char *buf, size_t size, uint64_t mode, uint64_t pc, const uint8_t *bytes, unsigned avail)
{
    struct a64_insn i;

    (void)mode;
    if (avail < 4)
        return 0;
    a64_decode(fetch(bytes), &i);
    return a64_disasm(buf, size, &i, pc);
}

/* ---- slots: hottest first, as counted in code of gcc -O2 ---- */

#define X(n, name)                                                                                           \
    {                                                                                                        \
        SLOT_X(n), IRT_I64, name                                                                             \
    }

#define V(n)                                                                                                 \
    {                                                                                                        \
        SLOT_Q(n), IRT_V128, "v" #n                                                                          \
    }

static const struct slot_desc slots[] = {
    X(0, "x0"),   X(1, "x1"),   X(31, "sp"),  X(2, "x2"),   X(19, "x19"), X(3, "x3"),   X(29, "x29"),
    X(30, "x30"), X(20, "x20"), X(4, "x4"),   X(21, "x21"), X(5, "x5"),   X(22, "x22"), X(6, "x6"),
    X(23, "x23"), X(7, "x7"),   X(8, "x8"),   X(24, "x24"), X(9, "x9"),   X(10, "x10"), X(25, "x25"),
    X(11, "x11"), X(12, "x12"), X(26, "x26"), X(13, "x13"), X(14, "x14"), X(27, "x27"), X(15, "x15"),
    X(16, "x16"), X(17, "x17"), X(28, "x28"), X(18, "x18"), V(0),         V(1),         V(2),
    V(3),         V(4),         V(5),         V(6),         V(7),         V(16),        V(17),
    V(18),        V(19),        V(20),        V(21),        V(22),        V(23),        V(24),
    V(25),        V(26),        V(27),        V(28),        V(29),        V(30),        V(31),
    V(8),         V(9),         V(10),        V(11),        V(12),        V(13),        V(14),
    V(15),
};

const struct lift_ops lift_arm64 = {
    .helpers = arm64_helpers,
    .helper_count = A64H_COUNT,
    .slots = slots,
    .slot_count = ARRAY_SIZE(slots),
    .fp_rules = &sf_rules_arm,
    .fpflags_slot = offsetof(struct vcpu, fp_flags),
    .flags_slot = SLOT(nzcv),
    .user = {A64H_USER_LOAD, A64H_USER_STORE, ARM64_USER_PAGES, SLOT(user_page), SLOT(user_generation)},
    .insn_max = 4,
    .insn_align = 4,
    .shape = shape,
    .lift = lift,
    .disasm = disasm,
};
