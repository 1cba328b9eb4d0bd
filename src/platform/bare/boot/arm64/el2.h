/* Bits of EL2's own registers (DDI 0487, D19), for C and assembly of boot and engine. */
#ifndef CV_PLATFORM_BARE_BOOT_ARM64_EL2_H
#define CV_PLATFORM_BARE_BOOT_ARM64_EL2_H

#ifdef __ASSEMBLER__
/* struct cpu (platform/bare/cpu.h), which checks these. */
#define CPU_ENGINE  32
#define CPU_SCRATCH 48
#endif

/* HCR_EL2, D19.2.48 */
#define HCR_VM     (1 << 0)
#define HCR_SWIO   (1 << 1)
#define HCR_FMO    (1 << 3)
#define HCR_IMO    (1 << 4)
#define HCR_AMO    (1 << 5)
#define HCR_VF     (1 << 6)
#define HCR_VI     (1 << 7)
#define HCR_VSE    (1 << 8)
#define HCR_FB     (1 << 9)
#define HCR_BSU_IS (1 << 10)
#define HCR_TWI    (1 << 13)
#define HCR_TWE    (1 << 14)
#define HCR_TID3   (1 << 18)
#define HCR_TSC    (1 << 19)
#define HCR_TIDCP  (1 << 20)
#define HCR_TACR   (1 << 21)
#define HCR_RW     (1 << 31)
#define HCR_E2H    (1 << 34)
#define HCR_TLOR   (1 << 35)
#define HCR_APK    (1 << 40)
#define HCR_API    (1 << 41)

/* struct el2_config, fields by offset. */
#define EL2_TTBR  0
#define EL2_TCR   8
#define EL2_MAIR  16
#define EL2_SCTLR 24
#define EL2_HCR   32

/* cpu->scratch */
#define SCRATCH_GUEST_X   0  /* engine: x0..x30 of the vCPU that runs here */
#define SCRATCH_EMERGENCY 8  /* boot: stack top for faults of the hypervisor itself */
#define SCRATCH_TIMER     16 /* boot: what EL2's timer is set to */

#endif
