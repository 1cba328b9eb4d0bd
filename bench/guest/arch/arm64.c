/* Small functions in arm64 machine code. */
#include "../code.h"

/* add x0, x0, #k */
static uint32_t addi(unsigned k)
{
    return 0x91000000U | k << 10;
}

size_t code_emit_add(void *p, unsigned k, unsigned steps)
{
    uint32_t *w = p;

    for (unsigned i = 0; i < steps; i++)
        *w++ = addi(k);
    *w++ = 0xd65f03c0; /* ret */
    return (size_t)((char *)w - (char *)p);
}

void code_patch_add(void *p, unsigned k, unsigned step)
{
    ((volatile uint32_t *)p)[step] = addi(k);
}

void code_sync_local(void *p, size_t len)
{
    __builtin___clear_cache((char *)p, (char *)p + len);
}
