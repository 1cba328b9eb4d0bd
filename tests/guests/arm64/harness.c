/* Console on the PL011, results, and the record of exceptions. */
#include "harness.h"

#define UART       ((volatile u32 *)0x09000000)
#define SYSTEM_OFF 0x84000008u /* PSCI (DEN 0022), 5.9 */

volatile struct record last;
void (*volatile interrupt)(u64 vector);
static u64 resume_at;
static const char *current;
static int failures;

static void print(const char *s)
{
    while (*s)
        UART[0] = (u8)*s++;
}

static void print_hex(u64 v)
{
    print("0x");
    for (int i = 60; i >= 0; i -= 4)
        UART[0] = (u8) "0123456789abcdef"[v >> i & 15];
}

static void report(void)
{
    if (current) {
        print(failures ? "FAIL " : "ok ");
        print(current);
        print("\n");
    }
    failures = 0;
}

void section(const char *name)
{
    report();
    current = name;
}

void check(const char *what, u64 got, u64 want)
{
    if (got == want)
        return;
    failures++;
    print("# ");
    print(what);
    print(": ");
    print_hex(got);
    print(" instead of ");
    print_hex(want);
    print("\n");
}

void finish(void)
{
    register u64 x0 __asm__("x0");

    section(0);
    x0 = SYSTEM_OFF;
    __asm__ volatile("hvc #0" : "+r"(x0)::"memory");
    for (;;)
        ;
}

void try_begin(u64 resume)
{
    last.vector = 0xffff;
    resume_at = resume;
    __asm__ volatile("" ::: "memory");
}

struct frame {
    u64 x[20], elr, spsr;
};

void trapped(u64 vector, struct frame *f);
void trapped(u64 vector, struct frame *f)
{
    if (interrupt && ((vector & 0x180) == 0x080 || (vector & 0x180) == 0x100)) {
        interrupt(vector);
        return;
    }
    last.vector = vector;
    last.esr = READ(esr_el1);
    last.far = READ(far_el1);
    last.elr = f->elr;
    last.spsr = f->spsr;
    if (resume_at || vector >= 0x400) {
        f->elr = resume_at ? resume_at : (u64)run_exit;
        f->spsr = SPSR_EL1H;
    } else {
        f->elr += 4;
    }
}
