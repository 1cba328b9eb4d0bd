/*
 * Bytes of x86-64 instructions (Intel SDM volume 2, chapter 2). An opcode constant carries its map, its
 * mandatory prefix and REX.W; the functions add registers and memory operands. Callers see to it that
 * ASM_SLACK bytes are free before each guest operation, so that nothing here has to look.
 */
#ifndef CV_ENGINE_JIT_EMIT_X86_64_ASM_H
#define CV_ENGINE_JIT_EMIT_X86_64_ASM_H

#include "lib/base.h"
#include "lib/str.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REG = 16 };

/* Condition codes (SDM volume 1, appendix B): opcode of jcc is 0F 80 + cc; cc ^ 1 is the opposite. */
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

/* Opcode constants: bits 7:0 opcode, then these. */
enum {
    O_0F = 1 << 8,
    O_0F38 = 2 << 8,
    O_0F3A = 3 << 8,
    O_MAP = 3 << 8,
    O_66 = 1 << 12,
    O_F3 = 2 << 12,
    O_F2 = 3 << 12,
    O_PRE = 3 << 12,
    O_W = 1 << 16,   /* 64-bit operation */
    O_B = 1 << 17,   /* byte registers: spl, bpl, sil, dil need a REX */
    O_NDS = 1 << 18, /* VEX only: three operands */
};

enum {
    X_ADD = 0x03,
    X_OR = 0x0b,
    X_ADC = 0x13,
    X_SBB = 0x1b,
    X_AND = 0x23,
    X_SUB = 0x2b,
    X_XOR = 0x33,
    X_CMP = 0x3b,
    X_ADD_MR = 0x01,
    X_OR_MR = 0x09,
    X_AND_MR = 0x21,
    X_SUB_MR = 0x29,
    X_XOR_MR = 0x31,
    X_CMP_MR = 0x39,
    X_TEST = 0x85,
    X_XCHG = 0x87,
    X_LOAD = 0x8b,
    X_STORE = 0x89,
    X_STORE8 = 0x88 | O_B,
    X_STORE16 = 0x89 | O_66,
    X_LEA = 0x8d,
    X_MOVSXD = 0x63 | O_W,
    X_MOVZX8 = 0xb6 | O_0F,
    X_MOVZX16 = 0xb7 | O_0F,
    X_MOVSX8 = 0xbe | O_0F,
    X_MOVSX16 = 0xbf | O_0F,
    X_IMUL = 0xaf | O_0F,
    X_IMUL_I32 = 0x69,
    X_IMUL_I8 = 0x6b,
    X_CMOV = 0x40 | O_0F, /* + cc */
    X_SETCC = 0x90 | O_0F | O_B,
    X_BSWAP = 0xc8 | O_0F,
    X_LZCNT = 0xbd | O_0F | O_F3,
    X_TZCNT = 0xbc | O_0F | O_F3,
    X_POPCNT = 0xb8 | O_0F | O_F3,
    X_XADD = 0xc1 | O_0F,
    X_CMPXCHG = 0xb1 | O_0F,
    X_CMPXCHG16 = 0xc7 | O_0F | O_W, /* reg field 1 */
    X_CMPXCHG8 = 0xb0 | O_0F | O_B,
    X_SHLD_I = 0xa4 | O_0F,
    X_BT = 0xa3 | O_0F,
    X_BTS_MR = 0xab | O_0F,
    X_BT_I = 0xba | O_0F, /* reg field 4 */
    /* group 1 by ModRM.reg, see asm_alu_ri */
    G_ADD = 0,
    G_OR,
    G_ADC,
    G_SBB,
    G_AND,
    G_SUB,
    G_XOR,
    G_CMP,
    /* group 2 */
    G_ROL = 0,
    G_ROR = 1,
    G_SHL = 4,
    G_SHR = 5,
    G_SAR = 7,
    /* group 3 */
    G_NOT = 2,
    G_NEG = 3,
    G_MUL = 4,
    G_IMUL = 5,
    G_DIV = 6,
    G_IDIV = 7,
    /* VEX, general registers */
    V_ANDN = 0xf2 | O_0F38,
    V_SHLX = 0xf7 | O_0F38 | O_66,
    V_SARX = 0xf7 | O_0F38 | O_F3,
    V_SHRX = 0xf7 | O_0F38 | O_F2,
    V_RORX = 0xf0 | O_0F3A | O_F2,
    /* SSE, scalar; the VEX forms have the same numbers */
    S_MOVSD_LD = 0x10 | O_0F | O_F2,
    S_MOVSD_ST = 0x11 | O_0F | O_F2,
    S_MOVSS_LD = 0x10 | O_0F | O_F3,
    S_MOVSS_ST = 0x11 | O_0F | O_F3,
    S_MOVAPS = 0x28 | O_0F,
    S_MOVUPS_LD = 0x10 | O_0F,
    S_MOVUPS_ST = 0x11 | O_0F,
    S_MOVQ_XG = 0x6e | O_0F | O_66, /* xmm <- r; O_W: 64 bits */
    S_MOVQ_GX = 0x7e | O_0F | O_66, /* reg field is the xmm */
    S_MOVQ_LD = 0x7e | O_0F | O_F3,
    S_MOVQ_ST = 0xd6 | O_0F | O_66,
    S_ADD = 0x58 | O_0F, /* with O_F2 double, with O_F3 single */
    S_MUL = 0x59 | O_0F,
    S_SUB = 0x5c | O_0F,
    S_MIN = 0x5d | O_0F,
    S_DIV = 0x5e | O_0F,
    S_MAX = 0x5f | O_0F,
    S_SQRT = 0x51 | O_0F,
    S_UCOMISS = 0x2e | O_0F, /* O_66: double */
    S_COMISS = 0x2f | O_0F,
    S_AND = 0x54 | O_0F,
    S_ANDN = 0x55 | O_0F,
    S_OR = 0x56 | O_0F,
    S_XOR = 0x57 | O_0F,
    S_CMP = 0xc2 | O_0F,
    S_PEXTRD = 0x16 | O_0F3A | O_66,
    S_CVT_SD_SS = 0x5a | O_0F | O_F2,
    S_CVT_SS_SD = 0x5a | O_0F | O_F3,
    S_CVTSI = 0x2a | O_0F, /* xmm <- r; O_F2/O_F3, O_W */
    S_CVTT = 0x2c | O_0F,  /* r <- xmm, truncating */
    S_CVT = 0x2d | O_0F,   /* r <- xmm, by MXCSR */
    S_ROUNDSS = 0x0a | O_0F3A | O_66,
    S_ROUNDSD = 0x0b | O_0F3A | O_66,
    S_PCLMUL = 0x44 | O_0F3A | O_66,
    S_PSRLQ = 0x73 | O_0F | O_66,
    S_PCMPEQD = 0x76 | O_0F | O_66,
    S_PEXTRQ = 0x16 | O_0F3A | O_66 | O_W,
    S_PINSRQ = 0x22 | O_0F3A | O_66 | O_W,
    S_INSERTPS = 0x21 | O_0F3A | O_66,
    S_SHUFPS = 0xc6 | O_0F,
    S_UNPCKLPS = 0x14 | O_0F,
    /* dst = +-(dst2 * rm) +- ..., 213 form: reg = vvvv * reg + rm; O_W double */
    V_FMADD213 = 0xa9 | O_0F38 | O_66,
    V_FMSUB213 = 0xab | O_0F38 | O_66,
    V_FNMADD213 = 0xad | O_0F38 | O_66,
    V_FNMSUB213 = 0xaf | O_0F38 | O_66,
    /* 231 form: reg = vvvv * rm + reg */
    V_FMADD231 = 0xb9 | O_0F38 | O_66,
    V_FMSUB231 = 0xbb | O_0F38 | O_66,
    V_FNMADD231 = 0xbd | O_0F38 | O_66,
    V_FNMSUB231 = 0xbf | O_0F38 | O_66,
};

#define ASM_SLACK 256

struct as {
    uint8_t *p, *end;
};

struct xmem {
    uint8_t base, index; /* NO_REG: none; base NO_REG is not offered */
    uint8_t scale;       /* log2 */
    int32_t disp;
};

static inline struct xmem mem_at(unsigned base, int32_t disp)
{
    return (struct xmem){.base = (uint8_t)base, .index = NO_REG, .disp = disp};
}

static inline struct xmem mem_sum(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (struct xmem){(uint8_t)base, (uint8_t)index, (uint8_t)scale, disp};
}

static inline void as_u8(struct as *a, unsigned x)
{
    *a->p++ = (uint8_t)x;
}

static inline void as_u16(struct as *a, unsigned x)
{
    uint16_t v = (uint16_t)x;

    memcpy(a->p, &v, 2);
    a->p += 2;
}

static inline void as_u32(struct as *a, uint32_t x)
{
    memcpy(a->p, &x, 4);
    a->p += 4;
}

static inline void as_u64(struct as *a, uint64_t x)
{
    memcpy(a->p, &x, 8);
    a->p += 8;
}

/* Prefix, REX, escape, opcode. r, x, b: registers of the reg field, the index, rm or base. */
static inline void as_opcode(struct as *a, uint32_t op, unsigned r, unsigned x, unsigned b, bool byte_reg)
{
    static const uint8_t prefix[] = {0, 0x66, 0xf3, 0xf2};
    unsigned rex = (op >> 13 & 8) | (r & 8) >> 1 | (x & 8) >> 2 | (b & 8) >> 3;

    if (op & O_PRE)
        as_u8(a, prefix[op >> 12 & 3]);
    if (rex || byte_reg)
        as_u8(a, 0x40 | rex);
    if (op & O_MAP) {
        as_u8(a, 0x0f);
        if ((op & O_MAP) == O_0F38)
            as_u8(a, 0x38);
        else if ((op & O_MAP) == O_0F3A)
            as_u8(a, 0x3a);
    }
    as_u8(a, op & 0xff);
}

/* ModRM, SIB, displacement. rsp as base needs a SIB, rbp and r13 without displacement do not exist. */
static inline void as_modrm(struct as *a, unsigned reg, struct xmem m)
{
    bool sib = m.index != NO_REG || (m.base & 7) == RSP;
    unsigned mod = !m.disp && (m.base & 7) != RBP ? 0 : m.disp == (int8_t)m.disp ? 1 : 2;

    as_u8(a, mod << 6 | (reg & 7) << 3 | (sib ? 4 : (m.base & 7u)));
    if (sib)
        as_u8(a, (unsigned)m.scale << 6 | (m.index == NO_REG ? 4u : (m.index & 7u)) << 3 | (m.base & 7u));
    if (mod == 1)
        as_u8(a, (uint8_t)m.disp);
    else if (mod == 2)
        as_u32(a, (uint32_t)m.disp);
}

/* reg op= rm, or as the opcode says. */
static inline void as_rr(struct as *a, uint32_t op, unsigned reg, unsigned rm)
{
    as_opcode(a, op, reg, 0, rm, (op & O_B) && (reg | rm) >= RSP);
    as_u8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void as_rm(struct as *a, uint32_t op, unsigned reg, struct xmem m)
{
    as_opcode(a, op, reg, m.index == NO_REG ? 0 : m.index, m.base, (op & O_B) && reg >= RSP);
    as_modrm(a, reg, m);
}

static inline void as_vex_head(struct as *a, uint32_t op, unsigned r, unsigned x, unsigned b, unsigned v)
{
    static const uint8_t pp[] = {0, 1, 2, 3};
    unsigned low = (~v & 15) << 3 | pp[op >> 12 & 3];

    if ((op & O_MAP) == O_0F && !(op & O_W) && !((x | b) & 8)) {
        as_u8(a, 0xc5);
        as_u8(a, (~r & 8) << 4 | low);
    } else {
        as_u8(a, 0xc4);
        as_u8(a, (~r & 8) << 4 | (~x & 8) << 3 | (~b & 8) << 2 | (op >> 8 & 3));
        as_u8(a, (op & O_W ? 0x80u : 0) | low);
    }
    as_u8(a, op & 0xff);
}

/* VEX: reg = v op rm. */
static inline void as_vrr(struct as *a, uint32_t op, unsigned reg, unsigned v, unsigned rm)
{
    as_vex_head(a, op, reg, 0, rm, v);
    as_u8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void as_vrm(struct as *a, uint32_t op, unsigned reg, unsigned v, struct xmem m)
{
    as_vex_head(a, op, reg, m.index == NO_REG ? 0 : m.index, m.base, v);
    as_modrm(a, reg, m);
}

/* ---- moves and constants ---- */

static inline void as_mov(struct as *a, unsigned dst, unsigned src)
{
    if (dst != src)
        as_rr(a, X_LOAD | O_W, dst, src);
}

/* 32-bit move: clears the upper half, so it is never nothing. */
static inline void as_mov32(struct as *a, unsigned dst, unsigned src)
{
    as_rr(a, X_LOAD, dst, src);
}

/* Flags stay. */
static inline void as_imm(struct as *a, unsigned dst, uint64_t v)
{
    if (v <= UINT32_MAX) {
        as_opcode(a, 0xb8 | (dst & 7), 0, 0, dst, false);
        as_u32(a, (uint32_t)v);
    } else if ((int64_t)v == (int32_t)v) {
        as_rr(a, 0xc7 | O_W, 0, dst);
        as_u32(a, (uint32_t)v);
    } else {
        as_opcode(a, 0xb8 | (dst & 7) | O_W, 0, 0, dst, false);
        as_u64(a, v);
    }
}

/* The same where flags do not matter. */
static inline void as_imm_f(struct as *a, unsigned dst, uint64_t v)
{
    if (v)
        as_imm(a, dst, v);
    else
        as_rr(a, X_XOR, dst, dst);
}

static inline void as_ld(struct as *a, unsigned dst, unsigned base, int32_t disp)
{
    as_rm(a, X_LOAD | O_W, dst, mem_at(base, disp));
}

static inline void as_st(struct as *a, unsigned src, unsigned base, int32_t disp)
{
    as_rm(a, X_STORE | O_W, src, mem_at(base, disp));
}

/* ---- immediates: w is O_W or 0 ---- */

static inline void as_alu_ri(struct as *a, uint32_t w, unsigned g, unsigned reg, int32_t imm)
{
    if (imm == (int8_t)imm) {
        as_rr(a, 0x83 | w, g, reg);
        as_u8(a, (uint8_t)imm);
    } else if (reg == RAX) {
        as_opcode(a, (g << 3 | 5) | w, 0, 0, 0, false);
        as_u32(a, (uint32_t)imm);
    } else {
        as_rr(a, 0x81 | w, g, reg);
        as_u32(a, (uint32_t)imm);
    }
}

static inline void as_alu_mi(struct as *a, uint32_t w, unsigned g, struct xmem m, int32_t imm)
{
    if (imm == (int8_t)imm) {
        as_rm(a, 0x83 | w, g, m);
        as_u8(a, (uint8_t)imm);
    } else {
        as_rm(a, 0x81 | w, g, m);
        as_u32(a, (uint32_t)imm);
    }
}

static inline void as_cmp8_mi(struct as *a, struct xmem m, unsigned imm)
{
    as_rm(a, 0x80, G_CMP, m);
    as_u8(a, imm);
}

static inline void as_add8_mi(struct as *a, struct xmem m, unsigned imm)
{
    as_rm(a, 0x80, G_ADD, m);
    as_u8(a, imm);
}

static inline void as_mov_mi(struct as *a, uint32_t w, struct xmem m, int32_t imm)
{
    as_rm(a, 0xc7 | w, 0, m);
    as_u32(a, (uint32_t)imm);
}

static inline void as_mov8_mi(struct as *a, struct xmem m, unsigned imm)
{
    as_rm(a, 0xc6, 0, m);
    as_u8(a, imm);
}

static inline void as_shift_ri(struct as *a, uint32_t w, unsigned g, unsigned reg, unsigned n)
{
    if (n == 1) {
        as_rr(a, 0xd1 | w, g, reg);
    } else {
        as_rr(a, 0xc1 | w, g, reg);
        as_u8(a, n);
    }
}

static inline void as_shift_cl(struct as *a, uint32_t w, unsigned g, unsigned reg)
{
    as_rr(a, 0xd3 | w, g, reg);
}

static inline void as_grp3(struct as *a, uint32_t w, unsigned g, unsigned reg)
{
    as_rr(a, 0xf7 | w, g, reg);
}

static inline void as_test8_ri(struct as *a, unsigned reg, unsigned imm)
{
    as_rr(a, 0xf6 | O_B, 0, reg);
    as_u8(a, imm);
}

static inline void as_test_ri(struct as *a, uint32_t w, unsigned reg, int32_t imm)
{
    as_rr(a, 0xf7 | w, 0, reg);
    as_u32(a, (uint32_t)imm);
}

static inline void as_push(struct as *a, unsigned reg)
{
    as_opcode(a, 0x50 | (reg & 7), 0, 0, reg, false);
}

static inline void as_pop(struct as *a, unsigned reg)
{
    as_opcode(a, 0x58 | (reg & 7), 0, 0, reg, false);
}

static inline void as_ret(struct as *a)
{
    as_u8(a, 0xc3);
}

/* ---- control flow: rel32 forms; what is given back is the place of the rel32 ---- */

static inline uint8_t *as_jcc(struct as *a, unsigned cc)
{
    as_u8(a, 0x0f);
    as_u8(a, 0x80 | cc);
    as_u32(a, 0);
    return a->p - 4;
}

static inline uint8_t *as_jmp(struct as *a)
{
    as_u8(a, 0xe9);
    as_u32(a, 0);
    return a->p - 4;
}

static inline uint8_t *as_call(struct as *a)
{
    as_u8(a, 0xe8);
    as_u32(a, 0);
    return a->p - 4;
}

static inline void as_patch(uint8_t *at, const uint8_t *target)
{
    int32_t rel = (int32_t)(target - (at + 4));

    memcpy(at, &rel, 4);
}

/* Short forms, within 127 bytes. */
static inline uint8_t *as_jcc8(struct as *a, unsigned cc)
{
    as_u8(a, 0x70 | cc);
    as_u8(a, 0);
    return a->p - 1;
}

static inline uint8_t *as_jmp8(struct as *a)
{
    as_u8(a, 0xeb);
    as_u8(a, 0);
    return a->p - 1;
}

static inline void as_patch8(uint8_t *at, const uint8_t *target)
{
    *at = (uint8_t)(target - (at + 1));
}

/* Backwards, in the shortest form. */
static inline void as_jcc_to(struct as *a, unsigned cc, const uint8_t *target)
{
    ptrdiff_t rel = target - (a->p + 2);

    if (rel >= -128)
        as_patch8(as_jcc8(a, cc), target);
    else
        as_patch(as_jcc(a, cc), target);
}

static inline void as_jmp_to(struct as *a, const uint8_t *target)
{
    ptrdiff_t rel = target - (a->p + 2);

    if (rel >= -128)
        as_patch8(as_jmp8(a), target);
    else
        as_patch(as_jmp(a), target);
}

/* The address of a place in the code. Flags stay. */
static inline void as_lea_rip(struct as *a, unsigned dst, const uint8_t *target)
{
    as_opcode(a, X_LEA | O_W, dst, 0, 0, false);
    as_u8(a, (dst & 7) << 3 | 5);
    as_u32(a, (uint32_t)(target - (a->p + 4)));
}

static inline void as_jmp_reg(struct as *a, unsigned reg)
{
    as_rr(a, 0xff, 4, reg);
}

static inline void as_jmp_mem(struct as *a, struct xmem m)
{
    as_rm(a, 0xff, 4, m);
}

static inline void as_call_reg(struct as *a, unsigned reg)
{
    as_rr(a, 0xff, 2, reg);
}

/* Fills with NOPs of up to 9 bytes (SDM volume 2, NOP). */
void as_nop(struct as *a, unsigned bytes);

static inline void as_align(struct as *a, unsigned align)
{
    as_nop(a, (unsigned)(-(uintptr_t)a->p & (align - 1)));
}

#endif
