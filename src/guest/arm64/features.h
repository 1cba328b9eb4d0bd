/*
 * What a PE has: one table of features that decides what lifts, which system registers exist, and what the
 * ID registers say. A CPU is named "MODEL[,+feature][,-feature]...".
 */
#ifndef CV_GUEST_ARM64_FEATURES_H
#define CV_GUEST_ARM64_FEATURES_H

#include "lib/base.h"

enum arm64_feature {
#define ARM64_FEATURE(id, name, ext, models, needs, reg, lsb, value) ARM64F_##id,
#include "guest/arm64/features.def"
    ARM64F_COUNT
};

/* ID_AA64*_EL1 */
enum arm64_id {
    ARM64_ID_PFR0,
    ARM64_ID_PFR1,
    ARM64_ID_DFR0,
    ARM64_ID_ISAR0,
    ARM64_ID_ISAR1,
    ARM64_ID_MMFR0,
    ARM64_ID_MMFR1,
    ARM64_ID_MMFR2,
    ARM64_IDS
};

/* What a model has besides features. */
struct arm64_model {
    const char *name, *compatible; /* the latter of its device tree node */
    uint64_t midr, ctr;
    uint64_t pmcr;    /* PMCR_EL0: IMP and IDCODE; 0: MIDR_EL1 says what is to be said */
    uint8_t pa_range; /* ID_AA64MMFR0_EL1.PARange */
};

struct arm64_cpu {
    const struct arm64_model *model;
    uint64_t features; /* BIT(enum arm64_feature) */
};

extern const char *const arm64_cpu_models[]; /* NULL-terminated, the default first */

/* 0 and the CPU, or -EINVAL with the reason in words. NULL or "" is the default model. */
int arm64_features_parse(const char *spec, struct arm64_cpu *cpu, char *why, size_t why_size);
int arm64_cpu_check(const char *spec, char *why, size_t why_size);
/* The mode word's bits for instruction sets that are absent. */
uint64_t arm64_features_mode(uint64_t features);
/* gic: the CPU interface is system registers. */
uint64_t arm64_features_id(const struct arm64_cpu *cpu, enum arm64_id id, bool gic);

#endif
