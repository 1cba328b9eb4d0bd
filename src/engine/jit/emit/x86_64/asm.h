/*
 * Bytes of x86-64 instructions (Intel SDM volume 2, chapter 2): REX, opcode, ModRM, SIB, displacement.
 */
#ifndef CV_ENGINE_JIT_EMIT_X86_64_ASM_H
#define CV_ENGINE_JIT_EMIT_X86_64_ASM_H

#include "lib/base.h"
#include "lib/str.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

enum {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G
};

/* Group 1 operations by their ModRM number; the opcode of "op r, r/m" is 8 * n + 3. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum { SHIFT_ROL, SHIFT_ROR, SHIFT_SHL = 4, SHIFT_SHR, SHIFT_SAR = 7 };

/* Mandatory prefixes, beside the opcode: PRE_66 | 0x58. Opcodes above 0xff have 0F in front, above 0xffff
 * 0F 38. */
enum {
    OP_0F = 0x100,
    OP_0F38 = 0x10000,
    OP_0F3A = 0x20000,
    PRE_66 = 0x1000000,
    PRE_F2 = 0x2000000,
    PRE_F3 = 0x4000000
};

struct asm_buf {
    uint8_t *p, *end;
    bool full;
};

static inline void asm_byte(struct asm_buf *b, unsigned byte)
{
    if (b->p < b->end)
        *b->p++ = (uint8_t)byte;
    else
        b->full = true;
}

static inline void asm_u32(struct asm_buf *b, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        asm_byte(b, v >> (8 * i) & 0xff);
}

static inline void asm_u64(struct asm_buf *b, uint64_t v)
{
    asm_u32(b, (uint32_t)v);
    asm_u32(b, (uint32_t)(v >> 32));
}

/* Prefixes, REX and opcode; reg, index and rm give the REX bits. byte_reg: spl..dil need a REX. */
static inline void asm_opcode(struct asm_buf *b, bool w, uint32_t op, unsigned reg, unsigned index,
                              unsigned rm, bool byte_reg)
{
    unsigned rex = (w ? 8u : 0) | (reg & 8) >> 1 | (index & 8) >> 2 | (rm & 8) >> 3;

    if (op & PRE_66)
        asm_byte(b, 0x66);
    if (op & PRE_F2)
        asm_byte(b, 0xf2);
    if (op & PRE_F3)
        asm_byte(b, 0xf3);
    if (rex || byte_reg)
        asm_byte(b, 0x40 | rex);
    if (op & (OP_0F | OP_0F38 | OP_0F3A))
        asm_byte(b, 0x0f);
    if (op & OP_0F38)
        asm_byte(b, 0x38);
    if (op & OP_0F3A)
        asm_byte(b, 0x3a);
    asm_byte(b, op & 0xff);
}

/* op reg, rm with both registers. */
static inline void asm_rr(struct asm_buf *b, bool w, uint32_t op, unsigned reg, unsigned rm)
{
    asm_opcode(b, w, op, reg, 0, rm, false);
    asm_byte(b, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void asm_rr8(struct asm_buf *b, uint32_t op, unsigned reg, unsigned rm)
{
    asm_opcode(b, false, op, reg, 0, rm, true);
    asm_byte(b, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void asm_modrm_mem(struct asm_buf *b, unsigned reg, unsigned base, int32_t disp)
{
    unsigned mod = disp == 0 && (base & 7) != RBP ? 0 : disp == (int8_t)disp ? 1 : 2;

    asm_byte(b, mod << 6 | (reg & 7) << 3 | (base & 7));
    if ((base & 7) == RSP)
        asm_byte(b, 0x24);
    if (mod == 1)
        asm_byte(b, (uint8_t)disp);
    else if (mod == 2)
        asm_u32(b, (uint32_t)disp);
}

/* op reg, [base + disp] */
static inline void asm_rm(struct asm_buf *b, bool w, uint32_t op, unsigned reg, unsigned base, int32_t disp)
{
    asm_opcode(b, w, op, reg, 0, base, false);
    asm_modrm_mem(b, reg, base, disp);
}

/* For byte registers as operands. */
static inline void asm_rm8(struct asm_buf *b, uint32_t op, unsigned reg, unsigned base, int32_t disp)
{
    asm_opcode(b, false, op, reg, 0, base, true);
    asm_modrm_mem(b, reg, base, disp);
}

/* op reg, [base + index + disp32] */
static inline void asm_rx(struct asm_buf *b, bool w, uint32_t op, unsigned reg, unsigned base, unsigned index,
                          int32_t disp)
{
    bool small = disp == (int8_t)disp;

    asm_opcode(b, w, op, reg, index, base, false);
    asm_byte(b, (small ? 1 : 2) << 6 | (reg & 7) << 3 | 4);
    asm_byte(b, (index & 7) << 3 | (base & 7));
    small ? asm_byte(b, (uint8_t)disp) : asm_u32(b, (uint32_t)disp);
}

/* Three-operand VEX form (Intel SDM volume 2, 2.3): map 2 is 0F 38; pp 1 is 66. */
static inline void asm_vex(struct asm_buf *b, bool w, unsigned map, unsigned pp, unsigned op, unsigned reg,
                           unsigned v, unsigned rm)
{
    asm_byte(b, 0xc4);
    asm_byte(b, (~reg & 8) << 4 | 0x40 | (~rm & 8) << 2 | map);
    asm_byte(b, (w ? 0x80u : 0) | (~v & 15) << 3 | pp);
    asm_byte(b, op);
    asm_byte(b, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void asm_mov(struct asm_buf *b, bool w, unsigned dst, unsigned src)
{
    if (dst != src || !w)
        asm_rr(b, w, 0x8b, dst, src);
}

static inline void asm_load(struct asm_buf *b, bool w, unsigned dst, unsigned base, int32_t disp)
{
    asm_rm(b, w, 0x8b, dst, base, disp);
}

static inline void asm_store(struct asm_buf *b, bool w, unsigned src, unsigned base, int32_t disp)
{
    asm_rm(b, w, 0x89, src, base, disp);
}

static inline void asm_alu_ri(struct asm_buf *b, bool w, unsigned op, unsigned rm, int32_t imm)
{
    bool small = imm == (int8_t)imm;

    asm_rr(b, w, small ? 0x83 : 0x81, op, rm);
    small ? asm_byte(b, (uint8_t)imm) : asm_u32(b, (uint32_t)imm);
}

static inline void asm_alu_mi(struct asm_buf *b, bool w, unsigned op, unsigned base, int32_t disp,
                              int32_t imm)
{
    bool small = imm == (int8_t)imm;

    asm_rm(b, w, small ? 0x83 : 0x81, op, base, disp);
    small ? asm_byte(b, (uint8_t)imm) : asm_u32(b, (uint32_t)imm);
}

static inline void asm_shift_ri(struct asm_buf *b, bool w, unsigned op, unsigned rm, unsigned n)
{
    asm_rr(b, w, 0xc1, op, rm);
    asm_byte(b, n);
}

/* The shortest way to a constant; flags stay. */
static inline void asm_imm(struct asm_buf *b, unsigned dst, uint64_t v)
{
    if (v <= UINT32_MAX) {
        asm_opcode(b, false, 0xb8 | (dst & 7), 0, 0, dst, false);
        asm_u32(b, (uint32_t)v);
    } else if ((int64_t)v == (int32_t)v) {
        asm_rr(b, true, 0xc7, 0, dst);
        asm_u32(b, (uint32_t)v);
    } else {
        asm_opcode(b, true, 0xb8 | (dst & 7), 0, 0, dst, false);
        asm_u64(b, v);
    }
}

/* Jumps; the place of the rel32 is given back, for asm_patch(). */
static inline uint8_t *asm_jcc(struct asm_buf *b, unsigned cc)
{
    asm_byte(b, 0x0f);
    asm_byte(b, 0x80 | cc);
    asm_u32(b, 0);
    return b->p - 4;
}

static inline uint8_t *asm_jmp(struct asm_buf *b)
{
    asm_byte(b, 0xe9);
    asm_u32(b, 0);
    return b->p - 4;
}

static inline uint8_t *asm_call(struct asm_buf *b)
{
    asm_byte(b, 0xe8);
    asm_u32(b, 0);
    return b->p - 4;
}

static inline void asm_patch(struct asm_buf *b, uint8_t *at, const uint8_t *target)
{
    int32_t rel = (int32_t)(target - (at + 4));

    if (!b->full)
        memcpy(at, &rel, sizeof(rel));
}

#endif
