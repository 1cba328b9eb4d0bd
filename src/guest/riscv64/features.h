/*
 * What a hart has: one table of extensions that decides what lifts, which CSRs exist, and what the device
 * tree says. A CPU is named "MODEL[,+feature][,-feature]...".
 */
#ifndef CV_GUEST_RISCV64_FEATURES_H
#define CV_GUEST_RISCV64_FEATURES_H

#include "lib/base.h"

enum riscv_feature {
#define RISCV_FEATURE(id, name, ext, models, needs) RVF_##id,
#include "guest/riscv64/features.def"
    RVF_COUNT
};

extern const char *const riscv_cpu_models[]; /* NULL-terminated, the default first */

/* 0 and the features, or -EINVAL with the reason in words. NULL or "" is the default model. */
int riscv_features_parse(const char *spec, uint64_t *features, char *why, size_t why_size);
int riscv_cpu_check(const char *spec, char *why, size_t why_size);
/* -ENOTSUP with the reason: this engine cannot give what the spec asks for. */
struct engine_ops;
int riscv_cpu_given(const char *spec, const struct engine_ops *engine, char *why, size_t why_size);
/* The mode word's bits for instruction sets that are absent. */
uint64_t riscv_features_mode(uint64_t features);
/* misa, "rv64imafdc_zicsr...", and the names of riscv,isa-extensions (how many). */
uint64_t riscv_features_misa(uint64_t features);
void riscv_features_isa(uint64_t features, char *buf, size_t size);
unsigned riscv_features_names(uint64_t features, const char **names, unsigned max);
/* "sv57"... of the largest mode that there is; satp.MODE numbers as a bit mask. */
const char *riscv_features_mmu(uint64_t features);
uint16_t riscv_features_satp_modes(uint64_t features);

#endif
