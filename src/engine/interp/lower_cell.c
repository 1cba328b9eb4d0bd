/* Where values are while a block is lowered: temporaries, guest slots, constants. */
#include "engine/interp/lower.h"

int16_t cell_new(struct lower *l, unsigned at, unsigned last)
{
    for (unsigned i = 0; i < SOFT_TEMPS; i++) {
        if (l->temp_last[i] < at || !l->temp_last[i]) {
            l->temp_last[i] = (uint16_t)MAX(last, at);
            return (int16_t)TEMP_CELL(i);
        }
    }
    l->failed = true;
    return (int16_t)TEMP_CELL(0);
}

static bool is_temp(int16_t cell)
{
    return cell >= TEMP_CELL(0) && cell < TEMP_CELL(SOFT_TEMPS);
}

static unsigned temp_index(int16_t cell)
{
    return (unsigned)(cell - TEMP_CELL(0)) / 16;
}

void cell_hold(struct lower *l, int16_t cell, unsigned at)
{
    if (is_temp(cell))
        l->temp_last[temp_index(cell)] = (uint16_t)MAX(l->temp_last[temp_index(cell)], at);
}

struct iop *lower_out(struct lower *l, enum iop_code code, int d, int a, int b, unsigned aux, int64_t imm)
{
    struct iop *o = &l->ops[l->count];

    if (l->count + 1 >= l->max) {
        l->failed = true;
        return o;
    }
    l->count++;
    *o = (struct iop){.fn = l->labels[code],
                      .d = (int16_t)d,
                      .a = (int16_t)a,
                      .b = (int16_t)b,
                      .aux = (uint16_t)aux,
                      .imm = imm};
    return o;
}

enum iop_code lower_move_code(enum ir_type type)
{
    switch (ir_type_size(type)) {
    case 2:
        return IOP_MOV16;
    case 4:
        return IOP_MOV32;
    case 8:
        return IOP_MOV64;
    default:
        return IOP_MOV128;
    }
}

/* ---- values in guest slots ---- */

void cell_alias(struct lower *l, ir_ref r)
{
    unsigned keep = 0;

    for (unsigned i = 0; l->alias_count == MAX_ALIASES && i < MAX_ALIASES; i++) {
        if (l->values[l->alias[i]].last > r)
            l->alias[keep++] = l->alias[i];
        if (i == MAX_ALIASES - 1)
            l->alias_count = keep;
    }
    if (l->alias_count == MAX_ALIASES) {
        l->failed = true; /* the unit is tried again with fewer instructions */
        return;
    }
    l->alias[l->alias_count++] = r;
}

void cell_slots_change(struct lower *l, unsigned at, int slot, unsigned size)
{
    unsigned keep = 0;

    for (unsigned i = 0; i < l->alias_count; i++) {
        struct value *x = &l->values[l->alias[i]];
        enum ir_type type = value_type(l, l->alias[i]);

        if (x->last <= at)
            continue;
        if (size && !overlap(x->cell, ir_type_size(type), slot, size)) {
            l->alias[keep++] = l->alias[i];
            continue;
        }
        int16_t t = cell_new(l, at, x->last);

        lower_out(l, lower_move_code(type), t, x->cell, 0, 0, 0);
        x->cell = t;
    }
    l->alias_count = keep;
}

/* ---- operands ---- */

int16_t cell_of(struct lower *l, unsigned at, ir_ref r)
{
    struct value *x = val(l, r);
    unsigned size = ir_type_size(value_type(l, r));

    if (x->place == P_CELL)
        return x->cell;
    if (x->imm == 0 && size <= 8)
        return (int16_t)ZERO_CELL;
    x->place = P_CELL;
    x->cell = cell_new(l, at, x->last);
    lower_out(l, IOP_MOVI64, x->cell, 0, 0, 0, x->imm);
    if (size > 8)
        lower_out(l, IOP_MOVI64, x->cell + 8, 0, 0, 0, 0);
    return x->cell;
}

int16_t cell_or(struct lower *l, unsigned at, ir_ref r, int16_t otherwise)
{
    if (r == IR_REF_NONE)
        return otherwise;
    return cell_of(l, at, r);
}

int16_t cell_result(struct lower *l, unsigned at)
{
    struct value *x = val(l, (ir_ref)at);

    x->place = P_CELL;
    if (x->fuse == NO_FUSE) {
        x->cell = cell_new(l, at, x->last);
        return x->cell;
    }
    cell_slots_change(l, at, x->fuse, ir_type_size(value_type(l, (ir_ref)at)));
    x->cell = x->fuse;
    cell_alias(l, (ir_ref)at);
    return x->cell;
}

void cell_share(struct lower *l, unsigned at, ir_ref from, int offset)
{
    struct value *x = val(l, (ir_ref)at), *src = val(l, from);

    if (src->place == P_CONST) {
        x->place = P_CONST;
        x->imm = offset ? 0 : src->imm;
        return;
    }
    x->place = P_CELL;
    x->cell = (int16_t)(src->cell + offset);
    if (is_temp(x->cell))
        cell_hold(l, x->cell, x->last);
    else
        cell_alias(l, (ir_ref)at);
}

void cell_keep(struct lower *l, ir_ref r, unsigned at)
{
    struct value *x = val(l, r);

    x->last = (uint16_t)MAX(x->last, at);
    if (x->place == P_CELL)
        cell_hold(l, x->cell, at);
}
