/* What the parts of the lowering share: its state, and where values are. lower.c has the idea. */
#ifndef CV_ENGINE_INTERP_LOWER_H
#define CV_ENGINE_INTERP_LOWER_H

#include "engine/interp/code.h"
#include "engine/soft/region.h"

enum place { P_NONE, P_CELL, P_CONST };

#define MAX_ALIASES 64
#define NO_FUSE     INT16_MIN

struct value {
    uint8_t place;
    int16_t cell;
    uint16_t last; /* operation that uses it last; 0: none */
    int16_t fuse;  /* slot that its producer writes at once */
    bool full;     /* flags of which somebody wants A or P */
    int64_t imm;
};

/* A branch operation whose (not) taken half is to lead to a block. */
struct fixup {
    uint32_t op;
    uint16_t block;
    bool taken;
};

struct lower {
    struct vcpu *v;
    const struct ir_unit *ir;
    const void *const *labels;
    struct iop *ops; /* output */
    unsigned count, max;
    struct insn_mark *marks;
    unsigned mark_count, mark_max;
    struct value *values;           /* by ref */
    uint16_t temp_last[SOFT_TEMPS]; /* last use of what is in it */
    ir_ref alias[MAX_ALIASES];      /* values that live in guest slots */
    unsigned alias_count;
    uint32_t block_start[REGION_MAX_BLOCKS];
    struct fixup fixups[2 * REGION_MAX_BLOCKS];
    unsigned fixup_count;
    const struct ir_block *block;
    unsigned begun; /* instructions of the block, the present one included */
    bool synced, single, failed;
};

#define TEMP_CELL(i) ((int)offsetof(struct soft_vcpu, temps) + 16 * (int)(i) - (int)sizeof(struct soft_vcpu))
#define ZERO_CELL    ((int)offsetof(struct soft_vcpu, zero) - (int)sizeof(struct soft_vcpu))
_Static_assert(TEMP_CELL(0) >= INT16_MIN, "temporaries are in reach of 16-bit displacements");

static inline enum ir_type value_type(const struct lower *l, ir_ref r)
{
    return ir_result_type(&l->ir->ops[r]);
}

static inline bool overlap(int a, unsigned a_size, int b, unsigned b_size)
{
    return a < b + (int)b_size && b < a + (int)a_size;
}

static inline struct value *val(struct lower *l, ir_ref r)
{
    return &l->values[r];
}

static inline bool is_const(struct lower *l, ir_ref r, int64_t *imm)
{
    if (val(l, r)->place != P_CONST)
        return false;
    *imm = val(l, r)->imm;
    return true;
}

/* ---- cells: lower_cell.c ---- */

/* A temporary from operation `at` to operation `last`. */
int16_t cell_new(struct lower *l, unsigned at, unsigned last);
/* What is in the cell is needed up to operation `at`. */
void cell_hold(struct lower *l, int16_t cell, unsigned at);
/* The value is needed up to operation `at`, later than its own last use. */
void cell_keep(struct lower *l, ir_ref r, unsigned at);
/* The value lives in a guest slot. */
void cell_alias(struct lower *l, ir_ref r);
/*
 * Before slot bytes change at operation `at`: values that live there and are used later move away. size 0:
 * all slots may change.
 */
void cell_slots_change(struct lower *l, unsigned at, int slot, unsigned size);
/* A cell holding r; a constant is put into one for this operation. */
int16_t cell_of(struct lower *l, unsigned at, ir_ref r);
int16_t cell_or(struct lower *l, unsigned at, ir_ref r, int16_t otherwise);
/* The cell for the result of operation `at`. */
int16_t cell_result(struct lower *l, unsigned at);
/* Same bytes seen as another value. */
void cell_share(struct lower *l, unsigned at, ir_ref from, int offset);
struct iop *lower_out(struct lower *l, enum iop_code code, int d, int a, int b, unsigned aux, int64_t imm);
enum iop_code lower_move_code(enum ir_type type);

/* ---- memory: lower_memory.c ---- */

void lower_load(struct lower *l, unsigned at, const struct ir_op *op);
void lower_store(struct lower *l, unsigned at, const struct ir_op *op);
void lower_store2(struct lower *l, unsigned at, const struct ir_op *op);
void lower_atomic(struct lower *l, unsigned at, const struct ir_op *op);
/* CONCAT; the pair right before a plain store of it is none. */
void lower_pair(struct lower *l, unsigned at, const struct ir_op *op);

/* ---- ends of blocks: lower_flow.c ---- */

/* Instructions of the block that are not begun yet. */
unsigned lower_refund(const struct lower *l);
/* Takes back what SYNC gave. */
void lower_unsync(struct lower *l);
/* Operation `op` goes to operation `to` when taken, or when not. */
void lower_target_set(struct lower *l, uint32_t op, bool taken, uint32_t to);
void lower_branch(struct lower *l, unsigned at, const struct ir_op *op);
void lower_jump(struct lower *l, const struct ir_op *op);
void lower_exit(struct lower *l, unsigned at, const struct ir_op *op);

#endif
