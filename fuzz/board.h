/*
 * The riscv64 board with all its devices on backends in memory, without an engine: targets write to it as
 * a guest would. Everything runs on the caller's thread (a deterministic VM without tasks).
 */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include "fuzz.h"
#include "core/vm.h"

#define BOARD_RAM 0x80000000u

/* options: "aia=aplic-imsic" or NULL. */
struct vm *board_new(const char *options);
void board_free(struct vm *vm);
/*
 * Plays the input: accesses to the windows of devices whose id begins with one of `only` (NULL: all),
 * stores to RAM, time that passes.
 */
void board_play(struct vm *vm, struct fuzz_in *in, const char *only);

#endif
