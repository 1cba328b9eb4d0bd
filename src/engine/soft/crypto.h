/*
 * Cryptographic operations of the IR in plain C: how the interpreter executes them, and generated code on
 * hosts without instructions for them.
 */
#ifndef CV_ENGINE_SOFT_CRYPTO_H
#define CV_ENGINE_SOFT_CRYPTO_H

#include "ir/ir.h"

/* VAES to CRC32 (op) of a kind on the operands x; the result replaces x[0]. */
void soft_crypto(unsigned op, unsigned kind, uint64_t x[3][2]);

#endif
