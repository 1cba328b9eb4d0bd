/* Programs in S-mode over an SBI (2.0): calls, harts, accesses that may trap. They supply sbi_test() and
 * sbi_job(). */
#ifndef GUEST_SBI_H
#define GUEST_SBI_H
#include "vm.h"

#define SBI_HSM    0x48534dUL
#define SBI_RFENCE 0x52464e43UL

struct result {
    u64 value, fault; /* fault: scause + 1 */
};
struct result acc_ld(u64 va);
struct result acc_sd(u64 va, u64 value);
struct result acc_amo(u64 va, u64 add);
struct result acc_call(u64 va);

struct sbiret {
    s64 error;
    u64 value;
};
static inline struct sbiret sbi(u64 ext, u64 fid, u64 x0, u64 x1, u64 x2, u64 x3, u64 x4)
{
    register u64 a0 asm("a0") = x0;
    register u64 a1 asm("a1") = x1;
    register u64 a2 asm("a2") = x2;
    register u64 a3 asm("a3") = x3;
    register u64 a4 asm("a4") = x4;
    register u64 a6 asm("a6") = fid;
    register u64 a7 asm("a7") = ext;

    asm volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
    return (struct sbiret){(s64)a0, a1};
}

/* On the hart that booted; then finish() is called. */
void sbi_test(void);
/* On each hart 0 to n - 1, by sbi_run(n), which returns when all are done. */
void sbi_job(u64 hart);
void sbi_run(u64 n);
u64 sbi_boot_hart(void);
/* All of n harts meet; only inside sbi_job(). */
void sbi_meet(u64 n, u64 hart);
/* A number that the kernel command line gives as name=N, or otherwise. */
u64 sbi_option(const char *name, u64 otherwise);
#endif
