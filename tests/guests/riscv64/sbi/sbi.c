/* See sbi.h. */
#include "sbi.h"

static struct {
    u64 boot_hart;
    const char *args;
    volatile u64 done, at[HART_MAX];
} state;
extern char sbi_second[], hart_stacks[];

void sbi_panic(u64 cause, u64 epc, u64 tval)
{
    print("FAIL trap ");
    print_hex(cause);
    print(" epc ");
    print_hex(epc);
    print(" tval ");
    print_hex(tval);
    print("\n");
    poke32(0x100000, 63 << 16 | 0x3333);
    for (;;)
        ;
}

/* The M-mode harness asks for them. */
void test_main(void)
{
}
void smp_main(u64 hart)
{
    (void)hart;
}

u64 sbi_option(const char *name, u64 otherwise)
{
    const char *p = state.args;
    u64 n = 0;

    for (; *p; p++) {
        const char *a = p, *b = name;

        while (*b && *a == *b)
            a++, b++;
        if (*b || *a != '=')
            continue;
        for (a++; *a >= '0' && *a <= '9'; a++)
            n = n * 10 + (u64)(*a - '0');
        return n;
    }
    return otherwise;
}

/* /chosen's bootargs, found by what stands in front of it: FDT_PROP, length, name. Its name is found first.
 */
static const char *find_args(const u8 *dtb)
{
#define BE32(p) ((u32)(p)[0] << 24 | (u32)(p)[1] << 16 | (u32)(p)[2] << 8 | (p)[3])
    static const char name[] = "bootargs";
    u32 size = BE32(dtb + 4), strings = BE32(dtb + 12), at = 0;

    for (u32 i = strings; i + sizeof(name) <= size && !at; i++) {
        u32 k = 0;

        while (k < sizeof(name) && dtb[i + k] == (u8)name[k])
            k++;
        if (k == sizeof(name))
            at = i - strings;
    }
    for (u32 i = BE32(dtb + 8); at && i + 12 < size; i += 4) {
        if (BE32(dtb + i) == 3 && BE32(dtb + i + 4) < 4096 && BE32(dtb + i + 8) == at)
            return (const char *)dtb + i + 12;
    }
    return "";
}

void sbi_main(u64 hart, const u8 *dtb)
{
    state.boot_hart = hart;
    state.args = find_args(dtb);
    sbi_test();
    finish();
}

void sbi_hart(u64 hart)
{
    sbi_job(hart);
    asm volatile("amoadd.d zero, %0, (%1)" ::"r"(1), "r"(&state.done) : "memory");
    for (;;)
        sbi(SBI_HSM, 1, 0, 0, 0, 0, 0);
}

void sbi_run(u64 n)
{
    state.done = 0;
    for (u64 i = 0; i < HART_MAX; i++)
        state.at[i] = 0;
    asm volatile("fence rw, rw" ::: "memory");
    for (u64 i = 0; i < n; i++) {
        if (i == state.boot_hart)
            continue;
        /* the hart may still be on its way to a stop from the run before */
        while (sbi(SBI_HSM, 0, i, (u64)sbi_second, (u64)hart_stacks + (i + 1) * STACK_SIZE, 0, 0).error)
            ;
    }
    sbi_job(state.boot_hart);
    while (state.done + 1 < n)
        ;
    asm volatile("fence rw, rw" ::: "memory");
}

u64 sbi_boot_hart(void)
{
    return state.boot_hart;
}

void sbi_meet(u64 n, u64 hart)
{
    u64 mine = state.at[hart] + 1;

    asm volatile("fence rw, rw" ::: "memory");
    state.at[hart] = mine;
    for (u64 i = 0; i < n; i++)
        while (state.at[i] < mine)
            ;
    asm volatile("fence rw, rw" ::: "memory");
}
