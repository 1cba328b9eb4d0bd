/*
 * Harness of the riscv64 guest tests: checks, a console, runs of code in a chosen mode that end at the first
 * trap, page tables. Bare machine `virt`, M-mode; section numbers are of "The RISC-V Instruction Set Manual"
 * 20240411.
 */
#ifndef GUEST_HARNESS_H
#define GUEST_HARNESS_H

#define HART_MAX   8
#define AREA_SIZE  8192 /* per hart: frame, run context, trap stack */
#define STACK_SIZE 16384

/* Offsets in struct area, for start.S. */
#define AREA_EPC    256
#define AREA_CAUSE  264
#define AREA_TVAL   272
#define AREA_STATUS 280
#define AREA_CTX    288
#define SREC_VALID  0
#define SREC_CAUSE  8
#define SREC_TVAL   16
#define SREC_EPC    24
#define SREC_STATUS 32

/* RAM nobody else uses: past the image. */
#define SCRATCH      0x83000000UL
#define SCRATCH_SIZE 0xe00000UL
/* The runner writes 1 here under a reference that lacks features; such a gap is reported, not failed. */
#define REFERENCE_FLAG 0x83f00000UL

#ifndef __ASSEMBLER__
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;
typedef int s32;

enum mode { MODE_U = 0, MODE_S = 1, MODE_M = 3 };

enum cause {
    C_FETCH_MISALIGNED = 0,
    C_FETCH_ACCESS = 1,
    C_ILLEGAL = 2,
    C_BREAK = 3,
    C_LOAD_MISALIGNED = 4,
    C_LOAD_ACCESS = 5,
    C_STORE_MISALIGNED = 6,
    C_STORE_ACCESS = 7,
    C_ECALL_U = 8,
    C_ECALL_S = 9,
    C_ECALL_M = 11,
    C_FETCH_PAGE = 12,
    C_LOAD_PAGE = 13,
    C_STORE_PAGE = 15,
};
#define C_IRQ   (1UL << 63)
#define IRQ_SSI 1
#define IRQ_MSI 3
#define IRQ_STI 5
#define IRQ_MTI 7
#define IRQ_SEI 9
#define IRQ_MEI 11

#define MS_SIE  (1UL << 1)
#define MS_MIE  (1UL << 3)
#define MS_SPIE (1UL << 5)
#define MS_MPIE (1UL << 7)
#define MS_SPP  (1UL << 8)
#define MS_MPP  (3UL << 11)
#define MS_FS   (3UL << 13)
#define MS_MPRV (1UL << 17)
#define MS_SUM  (1UL << 18)
#define MS_MXR  (1UL << 19)
#define MS_TVM  (1UL << 20)
#define MS_TW   (1UL << 21)
#define MS_TSR  (1UL << 22)

/* How a run ended. by: 0 the function returned (a0), MODE_M or MODE_S: a trap taken in that mode. */
struct trap {
    u64 by, cause, tval, epc, status, a0;
};

/* Registers at a trap into M-mode; x[0] is unused. */
struct area {
    u64 x[32];
    u64 epc, cause, tval, status;
    u64 ctx[16];
    u64 active, in_trap;
    struct trap out;
};

/* Returns nonzero when it has dealt with the trap: execution resumes at a->epc. M-mode traps only. */
typedef int (*trap_hook)(struct area *a);

/* What the S-mode handler saw last; valid is cleared by run(). Per hart index 0 only. */
struct srec {
    u64 valid, cause, tval, epc, status;
};
extern volatile struct srec srec;
extern trap_hook hook;

extern char s_entry[], m_entry[], run_exit[], image_end[];

/* Each program supplies these. */
void test_main(void);
void smp_main(u64 hart);

void console_putc(char c);
void print(const char *s);
void print_hex(u64 v);
void print_dec(u64 v);

/* A group of checks: one line of the report. */
void section(const char *name);
int check(const char *what, u64 got, u64 want);
int check_true(const char *what, int ok);
/* Known to differ in the reference (why names section and version): under it a mismatch is a "gap" line. */
int check_gap(const char *what, u64 got, u64 want, const char *why);
/* From here on every mismatch is such a gap; 0 ends it. */
void gap_begin(const char *why);
void gap_end(void);
/* True when the thing exists (have); else reports a gap under the reference, a failure elsewhere. */
int need(const char *what, int have);
void note(const char *what, u64 value);
int under_reference(void);
void finish(void) __attribute__((noreturn));

/* Runs fn(a0, a1) in a mode with mstatus as set by the caller (MPP apart) on a stack of its own until it
 * returns or traps. */
struct trap run(enum mode m, void *fn, u64 a0, u64 a1);
/* The same at the addresses of the U-mode window (vm_start). */
struct trap run_user(void *fn, u64 a0, u64 a1);
/* Checks cause, tval and epc of a trap taken in mode by. */
int check_trap(const char *what, struct trap t, u64 by, u64 cause, u64 tval, u64 epc);
int check_return(const char *what, struct trap t, u64 a0);

/* What hart 0 does before test_main: PMP open to all, S-mode traps to s_entry. Other harts call it in
 * smp_main. */
void hart_init(void);
/* Harts 1 and up enter smp_main(hart) after this. */
void smp_start(void);

#define csr_read(c)                                                                                          \
    ({                                                                                                       \
        u64 v_;                                                                                              \
        asm volatile("csrr %0, " c : "=r"(v_)::"memory");                                                    \
        v_;                                                                                                  \
    })
#define csr_write(c, v) ({ asm volatile("csrw " c ", %0" ::"r"((u64)(v)) : "memory"); })
#define csr_set(c, v)   asm volatile("csrs " c ", %0" ::"r"((u64)(v)) : "memory")
#define csr_clear(c, v) ({ asm volatile("csrc " c ", %0" ::"r"((u64)(v)) : "memory"); })
#define csr_swap(c, v)                                                                                       \
    ({                                                                                                       \
        u64 v_;                                                                                              \
        asm volatile("csrrw %0, " c ", %1" : "=r"(v_) : "r"((u64)(v)) : "memory");                           \
        v_;                                                                                                  \
    })
#define fence_i() asm volatile("fence.i" ::: "memory")
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static inline void poke8(u64 a, u8 v)
{
    *(volatile u8 *)a = v;
}
static inline void poke16(u64 a, u16 v)
{
    *(volatile u16 *)a = v;
}
static inline void poke32(u64 a, u32 v)
{
    *(volatile u32 *)a = v;
}
static inline void poke64(u64 a, u64 v)
{
    *(volatile u64 *)a = v;
}
static inline u8 peek8(u64 a)
{
    return *(volatile u8 *)a;
}
static inline u32 peek32(u64 a)
{
    return *(volatile u32 *)a;
}
static inline u64 peek64(u64 a)
{
    return *(volatile u64 *)a;
}

/* Small deterministic generator. */
static inline u64 rnd(u64 *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}
#endif
#endif
