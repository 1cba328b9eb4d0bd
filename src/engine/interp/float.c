/* FP and cryptographic operations of the IR: cells to values and back. */
#include "engine/interp/code.h"
#include "engine/soft/crypto.h"
#include "engine/soft/float.h"
#include "lib/str.h"

static unsigned bytes_of(unsigned type)
{
    return type == IRT_F16 ? 2 : type == IRT_F32 ? 4 : 8;
}

/* FCMP, FCMPF, FCLASS, FTOI and BOX give 64 bits. */
static bool gives_64(unsigned op)
{
    return op == IR_FCMP || op == IR_FCMPF || op == IR_FCLASS || op == IR_FTOI || op == IR_BOX;
}

void interp_float(struct vcpu *v, const struct iop *op)
{
    uint64_t imm = (uint64_t)op->imm, r;
    unsigned o = imm & 0xff, type = imm >> 8 & 0xff, from = (unsigned)(imm >> 48);
    unsigned of = o == IR_FTOF || o == IR_BOX ? from : type;

    r = soft_float(v, soft_float_what(o, type, from, imm >> 16 & 0xffff),
                   cell_get(v, op->a, o == IR_ITOF || o == IR_UNBOX ? 8 : bytes_of(of)),
                   cell_get(v, op->b, bytes_of(type)), cell_get(v, (int16_t)(imm >> 32), bytes_of(type)));
    memcpy(&CELL(v, op->d, uint8_t), &r, gives_64(o) ? 8 : bytes_of(type));
}

static void operands(struct vcpu *v, const struct iop *op, uint64_t x[3][2])
{
    const int16_t cell[3] = {op->a, op->b, (int16_t)((uint64_t)op->imm >> 32)};

    for (unsigned i = 0; i < 3; i++)
        memcpy(x[i], &CELL(v, cell[i], uint8_t), 16);
}

void interp_crypto(struct vcpu *v, const struct iop *op)
{
    uint64_t imm = (uint64_t)op->imm, x[3][2];

    operands(v, op, x);
    soft_crypto(imm & 0xff, imm >> 16 & 0xffff, x);
    memcpy(&CELL(v, op->d, uint8_t), x[0], (imm & 0xff) == IR_CRC32 ? 8 : 16);
}

void interp_vector_float(struct vcpu *v, const struct iop *op)
{
    uint64_t imm = (uint64_t)op->imm, x[3][2];

    operands(v, op, x);
    soft_vector_float(v, soft_float_what(imm & 0xff, imm >> 8 & 0xff, 0, imm >> 16 & 0xffff), x);
    memcpy(&CELL(v, op->d, uint8_t), x[0], 16);
}
