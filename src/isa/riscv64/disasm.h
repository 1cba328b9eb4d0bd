/*
 * RISC-V instructions as text, in the assembler's syntax, without aliases (`addi a0,zero,1`, not `li a0,1`).
 */
#ifndef CV_ISA_RISCV64_DISASM_H
#define CV_ISA_RISCV64_DISASM_H

#include "isa/riscv64/decode.h"

/* Longest text with its NUL; a longer n is never needed. */
#define RV_DISASM_MAX 64

/*
 * Writes the instruction at address pc into buf as `mnemonic operand,operand`, always terminated if n > 0.
 * Returns the length of the whole text, as snprintf() does. A 16-bit instruction is printed as the 32-bit one
 * it stands for; an illegal one as `.4byte 0x...` or `.2byte 0x...`.
 */
int rv_disasm(char *buf, size_t n, const struct rv_insn *insn, uint64_t pc);

/* The same, but 16-bit instructions by their own names: `c.addi a0,1`. */
int rv_disasm_encoded(char *buf, size_t n, const struct rv_insn *insn, uint64_t pc);

#endif
