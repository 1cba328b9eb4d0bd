/* Page tables and access functions; see vm.h. */
#include "vm.h"

#define POOL     (SCRATCH + 0x800000)
#define POOL_END (SCRATCH + SCRATCH_SIZE)

static u64 pool_next = POOL, root;
static int depth = 3;

u64 vm_page(void)
{
    u64 p = pool_next;

    pool_next += PAGE;
    if (pool_next >= POOL_END)
        pool_next = POOL + 64 * PAGE; /* long past use */
    for (u64 i = 0; i < PAGE; i += 8)
        poke64(p + i, 0);
    return p;
}

u64 vm_root(void)
{
    return root;
}

void vm_use(u64 r, int levels)
{
    root = r;
    depth = levels;
}

volatile u64 *vm_pte(u64 va, int level)
{
    u64 t = root;

    for (int l = depth - 1;; l--) {
        volatile u64 *e = (u64 *)(t + (va >> (12 + 9 * l) & 511) * 8);
        if (l == level)
            return e;
        if (!(*e & PTE_V))
            *e = pte_of(vm_page(), PTE_V);
        t = *e >> 10 << 12;
    }
}

void vm_map(u64 va, u64 pa, int level, u64 flags)
{
    *vm_pte(va, level) = pte_of(pa, flags);
}

void vm_new(int levels)
{
    depth = levels;
    root = vm_page();
    vm_map(0x80000000, 0x80000000, 2, PTE_V | PTE_RWX | PTE_AD);
    vm_map(0, 0, 2, PTE_V | PTE_R | PTE_W | PTE_AD);
    vm_map(WINDOW + 0x80000000, 0x80000000, 2, PTE_V | PTE_RWX | PTE_AD | PTE_U);
}

u64 vm_satp(u64 asid)
{
    return (u64)(depth + 5) << 60 | asid << 44 | root >> 12;
}

void vm_flush(void)
{
    asm volatile("sfence.vma" ::: "memory");
}

int vm_on(void)
{
    csr_write("satp", vm_satp(0));
    vm_flush();
    return csr_read("satp") == vm_satp(0);
}

void vm_off(void)
{
    csr_write("satp", 0);
    vm_flush();
}

static u32 one_code[4] __attribute__((aligned(4096)));

void *code_one(u32 insn)
{
    one_code[0] = insn;
    one_code[1] = INSN_RET;
    fence_i();
    return one_code;
}

#define FUNCTION(name, body)                                                                                 \
    asm(".pushsection .text\n .option push\n .option arch, +f, +d\n .option norvc\n .balign 4\n "            \
        ".globl " #name "\n" #name ":\n" body "\n ret\n .option pop\n .popsection")

FUNCTION(f_ld, "ld a0, 0(a0)");
FUNCTION(f_lw, "lw a0, 0(a0)");
FUNCTION(f_lh, "lh a0, 0(a0)");
FUNCTION(f_lb, "lb a0, 0(a0)");
FUNCTION(f_sd, "sd a1, 0(a0)");
FUNCTION(f_sw, "sw a1, 0(a0)");
FUNCTION(f_sh, "sh a1, 0(a0)");
FUNCTION(f_sb, "sb a1, 0(a0)");
FUNCTION(f_amo, "amoadd.d a0, a1, (a0)");
FUNCTION(f_lr, "lr.d a0, (a0)");
FUNCTION(f_sc, "lr.d t0, (a1)\n sc.d a0, t0, (a0)");
FUNCTION(f_fld, "fld fa0, 0(a0)\n fmv.x.d a0, fa0");
FUNCTION(f_fsd, "fsd fa0, 0(a0)");
FUNCTION(f_jump, "jr a0");
FUNCTION(f_ecall, "ecall");
FUNCTION(f_ebreak, "ebreak");
FUNCTION(f_wfi, "wfi");
FUNCTION(f_mret, "mret");
FUNCTION(f_sret, "sret");
FUNCTION(f_sfence, "sfence.vma");
FUNCTION(f_read_satp, "csrr a0, satp");
FUNCTION(f_write_satp, "csrw satp, a0");
FUNCTION(f_nop, "nop");
FUNCTION(f_spin, "addi a0, a0, -1\n bnez a0, f_spin");
