/*
 * A64 instructions as text, in the assembler's syntax, without aliases (`orr x0, xzr, x1`, not `mov x0, x1`),
 * but hints by their names (`nop`).
 */
#ifndef CV_ISA_ARM64_DISASM_H
#define CV_ISA_ARM64_DISASM_H

#include "isa/arm64/decode.h"

/* Longest text with its NUL; a longer n is never needed. */
#define A64_DISASM_MAX 80

/*
 * Writes the instruction at address pc into buf as `mnemonic operand, operand`, always terminated if n > 0.
 * Returns the length of the whole text, as snprintf() does. An undefined one is printed as `.inst 0x...`.
 */
int a64_disasm(char *buf, size_t n, const struct a64_insn *insn, uint64_t pc);

#endif
