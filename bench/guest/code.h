/*
 * What the code rows need to know of an ISA: machine code for small functions, one file per ISA in arch/.
 */
#ifndef CV_BENCH_CODE_H
#define CV_BENCH_CODE_H

#include <stdint.h>
#include <stddef.h>

enum { CODE_BODY_MAX = 512 }; /* bytes that one function may take */

/*
 * Writes at p a function uint64_t f(uint64_t x) that adds k (0 to 1023) to x, steps times over, and returns
 * it. Returns its size in bytes, at most CODE_BODY_MAX for up to 80 steps.
 */
size_t code_emit_add(void *p, unsigned k, unsigned steps);

/* Changes the constant of step number `step` of a function written by code_emit_add. */
void code_patch_add(void *p, unsigned k, unsigned step);

/* The cheapest way by which this hart alone sees its own writes as code. */
void code_sync_local(void *p, size_t len);

#endif
