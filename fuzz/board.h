/*
 * A board with all its devices on backends in memory. Without an engine targets write to it as a guest would,
 * and everything runs on the caller's thread (a deterministic VM without tasks).
 */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include "fuzz.h"
#include "core/vm.h"

/* arch: "riscv64" or "arm64"; options: "aia=aplic-imsic", "gic=2" or NULL. */
struct vm *board_new(const char *arch, const char *options);
/* One that can be started; a reset ends its run. */
struct vm *board_new_on(const char *arch, const char *options, const struct lift_ops *lift,
                        const struct engine_ops *engine);
uint64_t board_ram(struct vm *vm); /* where its 4 MiB begin */
void board_free(struct vm *vm);
/*
 * Plays the input: accesses to the windows of devices whose id begins with one of `only` (NULL: all),
 * stores to RAM, time that passes.
 */
void board_play(struct vm *vm, struct fuzz_in *in, const char *only);

#endif
