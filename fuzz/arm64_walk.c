/*
 * Page-table walks over any tables: what a walk says, it says again, without its hints and without the access
 * it was for.
 */
#include "board.h"
#include "guest/arm64/cpu.h"
#include "isa/arm64/pte.h"

#define TABLES 64 /* pages at the beginning of RAM */

/* Descriptors that mostly point to other tables, at places that walks come to: low and high indexes. */
static void fill(struct vm *vm, struct fuzz_in *in)
{
    unsigned n = (unsigned)fuzz_take(in, 1);

    for (unsigned i = 0; i < n && in->left; i++) {
        uint16_t where = (uint16_t)fuzz_take(in, 2), low = (uint16_t)fuzz_take(in, 2);
        uint64_t page = fuzz_take(in, 1), high = fuzz_take(in, 1), d;

        d = (board_ram(vm) + page % TABLES * MEM_PAGE_SIZE) | (low & 0xfff) | high << 51;
        if (low & 0x8000)
            d = fuzz_take(in, 8);
        else if (low & 0x4000)
            d |= 3;
        mem_write(&vm->mem, board_ram(vm) + (where % (TABLES * 512u)) * 8, &d, 8);
        if (where & 0x8000) /* the whole table */
            for (unsigned k = 0; k < 512; k++)
                mem_write(&vm->mem, board_ram(vm) + where / 512 % TABLES * MEM_PAGE_SIZE + k * 8, &d, 8);
    }
}

static void check_walk(struct arm64_vcpu *a, gva_t va, enum access access, unsigned as)
{
    const struct flush_scope all = {.kind = FLUSH_ALL};
    struct translation t, again;
    unsigned probed = arm64_walk(a, va, access, as | ARM64_AS_PROBE, &again);
    unsigned fault = arm64_walk(a, va, access, as, &t);

    FUZZ_CHECK(fault < 128);
    if (fault) {
        FUZZ_CHECK(fault & 64);
        return;
    }
    (void)probed;
    FUZZ_CHECK(t.page_bits >= MEM_PAGE_BITS && t.page_bits < 64);
    FUZZ_CHECK(access == ACCESS_READ ? t.read : access == ACCESS_WRITE ? t.write : t.exec);
    FUZZ_CHECK(!((t.gpa ^ va) & (MEM_PAGE_SIZE - 1)));
    FUZZ_CHECK(!arm64_walk(a, va, access, as, &again) && again.gpa == t.gpa);
    arm64_flush(&a->v, &all);
    FUZZ_CHECK(!arm64_walk(a, va, access, as | ARM64_AS_PROBE, &again) && again.gpa == t.gpa);
    FUZZ_CHECK(again.page_bits == t.page_bits && again.global == t.global);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};
    struct vm *vm = board_new("arm64", NULL);
    struct arm64_vcpu *a = arm64_of(vm->vcpu[0]);

    a->tcr_el1 = fuzz_take(&in, 8);
    a->ttbr0_el1 = board_ram(vm) + fuzz_take(&in, 2) % TABLES * MEM_PAGE_SIZE + fuzz_take(&in, 1);
    a->ttbr1_el1 = board_ram(vm) + fuzz_take(&in, 2) % TABLES * MEM_PAGE_SIZE + (fuzz_take(&in, 2) << 48);
    a->sctlr_el1 = fuzz_take(&in, 4) | A64_SCTLR_M;
    a->changed |= ARM64_CHANGED_MODE | ARM64_CHANGED_CONTEXT | ARM64_CHANGED_TLB;
    arm64_settle(a);
    fill(vm, &in);
    for (unsigned i = 0; in.left && i < 64; i++) {
        uint8_t how = (uint8_t)fuzz_take(&in, 1);
        gva_t va = fuzz_take(&in, how & 0x80 ? 8 : 5);

        check_walk(a, how & 0x40 ? ~va : va, (enum access)(how % 3), how >> 2 & 3);
    }
    board_free(vm);
    return 0;
}
