/* What start.S, vector.S and C of this folder agree on. */
#ifndef CV_PLATFORM_BARE_BOOT_RISCV64_EARLY_H
#define CV_PLATFORM_BARE_BOOT_RISCV64_EARLY_H

#define IMAGE_VA         0xffffffff80000000 /* image.ld; as Sv39, Sv48 or Sv57 the last but one gigabyte */
#define EARLY_IMAGE_SLOT 510
#define EARLY_PTE_RWX    0xcf /* V R W X A D */
#define EARLY_PTE_TABLE  0x01
#define EARLY_SATP_MODE  (8 << 60) /* Sv39, which every hart with an MMU has */

/* struct start_args */
#define START_SATP  0
#define START_CPU   8
#define START_SP    16
#define START_ENTRY 24
#define START_HART  32
#define START_READY 40
#define START_SIZE  48
#define START_COUNT 64

/* boot_state */
#define BOOT_TAKEN   1 /* a hart boots */
#define BOOT_CLEARED 2 /* and what begins as zeros is zero */

/* struct trap_frame */
#define FRAME_SIZE    160
#define FRAME_SEPC    128
#define FRAME_SSTATUS 136
#define FRAME_HSTATUS 144
#define FRAME_SP      152

#endif
