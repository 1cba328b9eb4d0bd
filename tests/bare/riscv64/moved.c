/* A guest for which somebody else's registers, or old ones of its own, would be noticed. */
#include "guest.h"

static void registers_set(uint64_t n)
{
    csr_write(sscratch, n);
    csr_write(sepc, n << 1);
    __asm__ volatile(".option push\n.option arch, +d\nfmv.d.x f8, %0\n.option pop" ::"r"(n));
}

static bool registers_are(uint64_t n)
{
    uint64_t f;

    __asm__ volatile(".option push\n.option arch, +d\nfmv.x.d %0, f8\n.option pop" : "=r"(f));
    return f == n && csr_read(sscratch) == n && csr_read(sepc) == n << 1;
}

/* needs the two */
#include "../moved.h"

void guest_main(uint64_t hart, uint64_t dtb, uint64_t start)
{
    (void)hart;
    (void)dtb;
    (void)start;
    csr_set(sstatus, 1 << 13); /* FS */
    moved(1000000);
}
