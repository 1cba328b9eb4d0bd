/*
 * The instruction set of the minimal engine: 8 bytes an instruction, 16 registers of 64 bits. It belongs
 * to no real CPU; it has one instruction for each kind of work that core and engine share.
 */
#ifndef CV_ENGINE_MINIMAL_SCRIPT_H
#define CV_ENGINE_MINIMAL_SCRIPT_H

#include "lib/base.h"

#define SCRIPT_REGS 16

enum script_op {
    SCRIPT_ILLEGAL, /* so that zeroed memory runs into an exception */
    SCRIPT_LI,      /* r[rd] = imm */
    SCRIPT_LUI,     /* r[rd] = imm << 32 | low half of r[rd] */
    SCRIPT_ADD,     /* r[rd] = r[rs] + imm */
    SCRIPT_SUM,     /* r[rd] += r[rs] */
    SCRIPT_LOAD,    /* r[rd] = size bytes at r[rs] + imm, zero extended */
    SCRIPT_STORE,   /* size bytes at r[rs] + imm = r[rd] */
    SCRIPT_JUMP,    /* pc += imm */
    SCRIPT_JNZ,     /* if (r[rs]) pc += imm */
    SCRIPT_HALT,    /* EXIT_HALT */
    SCRIPT_FENCE,   /* instruction fetch barrier */
    SCRIPT_ISA,     /* EXIT_ISA: syndrome imm, info r[rs]; the guest folder gives it its meaning */
    SCRIPT_SYSTEM,  /* EXIT_SYSTEM: what imm, status r[rs] */
    SCRIPT_OFF,     /* EXIT_CPU_OFF */
    SCRIPT_ON,      /* EXIT_CPU_ON: cpu imm, entry r[rd], argument r[rs] */
    SCRIPT_FATAL,   /* EXIT_FATAL */
    SCRIPT_OPS
};

struct script {
    uint8_t op; /* enum script_op */
    uint8_t rd, rs;
    uint8_t size; /* LOAD, STORE: 1 2 4 8 */
    int32_t imm;  /* JUMP, JNZ: bytes from this instruction */
};
_Static_assert(sizeof(struct script) == 8, "the format in guest memory");

#endif
