/* Small functions in riscv64 machine code. */
#include "../code.h"

/* addi a0, a0, k (RISC-V Unprivileged 20240411, 2.4.1) */
static uint32_t addi(unsigned k)
{
    return k << 20 | 10 << 15 | 0 << 12 | 10 << 7 | 0x13;
}

size_t code_emit_add(void *p, unsigned k, unsigned steps)
{
    uint32_t *w = p;

    for (unsigned i = 0; i < steps; i++)
        *w++ = addi(k);
    *w++ = 0x00008067; /* ret */
    return (size_t)((char *)w - (char *)p);
}

void code_patch_add(void *p, unsigned k, unsigned step)
{
    ((volatile uint32_t *)p)[step] = addi(k);
}

void code_sync_local(void *p, size_t len)
{
    (void)p, (void)len;
    __asm__ volatile("fence.i" ::: "memory");
}
