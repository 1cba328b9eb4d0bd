/* Access to system registers by name, barriers, and what boot's files offer each other. */
#ifndef CV_PLATFORM_BARE_BOOT_ARM64_SYSREG_H
#define CV_PLATFORM_BARE_BOOT_ARM64_SYSREG_H

#include "lib/base.h"

/* name: as the assembler knows it, or S<op0>_<op1>_C<n>_C<m>_<op2>. */
#define sys_read(name)                                                                                       \
    ({                                                                                                       \
        uint64_t sys_value_;                                                                                 \
        __asm__ volatile("mrs %0, " #name : "=r"(sys_value_)::"memory");                                     \
        sys_value_;                                                                                          \
    })
#define sys_write(name, value)                                                                               \
    do {                                                                                                     \
        uint64_t sys_value_ = (value);                                                                       \
        __asm__ volatile("msr " #name ", %x0" ::"rZ"(sys_value_) : "memory");                                \
    } while (0)

static inline void isb(void)
{
    __asm__ volatile("isb" ::: "memory");
}

static inline void dsb_ish(void)
{
    __asm__ volatile("dsb ish" ::: "memory");
}

static inline void dsb_sy(void)
{
    __asm__ volatile("dsb sy" ::: "memory");
}

/* HCR_EL2.E2H is set: EL2 has the registers of EL1's shape (D8.1.5 "Virtualization Host Extensions"). */
static inline bool el2_vhe(void)
{
    return sys_read(hcr_el2) >> 34 & 1;
}

/* What every CPU sets before its MMU goes on; entry.S knows the offsets. */
struct el2_config {
    uint64_t ttbr, tcr, mair, sctlr, hcr;
};
extern struct el2_config el2_config;

/* mmu.c: one mapper, before and after the MMU is on. */
enum map_kind {
    MAP_TEXT,
    MAP_RODATA,
    MAP_DATA,
    MAP_RAM /* data in steps of 2 MiB at most */,
    MAP_DEVICE,
    MAP_EARLY /* all rights */
};
struct mapper {
    uint64_t *root;
    void *(*page)(void *arg); /* a zeroed one, or NULL */
    void *arg;
    bool vhe;
    uint64_t delta; /* what to subtract from a pointer of page() for the address tables hold */
};
/* Multiples of 4096; -ENOMEM. What is mapped there already stays where it is the same, -EEXIST otherwise. */
int map_range(const struct mapper *m, uint64_t va, uint64_t pa, uint64_t size, enum map_kind kind);

/* The tables of arch_map_init() are in use. */
bool mmu_is_final(void);

/* psci.c: the board's firmware by its device tree; -ENOTSUP. */
struct board;
void psci_init(const struct board *b);
int psci_cpu_on(uint64_t hw_id, uint64_t entry_pa, uint64_t arg);
void psci_system(bool reset);

/* From vectors.S, on the emergency stack. 0: synchronous, 1: SError. Comes back where it can go on. */
void trap_hyp(unsigned kind);

void secondary_entry(void);
void context_begin(void);
extern char el2_vectors[];
extern char image_start[], image_text_end[], image_rodata_end[], image_data_end[], image_end[];

#endif
