/* Any values into any system registers and operations of a PE, with time, interrupts and levels that change.
 */
#include "board.h"
#include "guest/arm64/cpu.h"
#include "isa/arm64/sysreg.h"

static const uint16_t codes[] = {
#define A64_SYSREG(name, op0, op1, crn, crm, op2) A64_SYSREG_CODE(op0, op1, crn, crm, op2),
#include "isa/arm64/sysreg.def"
#undef A64_SYSREG
#define A64_SYSOP(kind, name, op1, crn, crm, op2) A64_SYSREG_CODE(1, op1, crn, crm, op2),
#include "isa/arm64/sysop.def"
#undef A64_SYSOP
};

#define CODES (sizeof(codes) / sizeof(codes[0]))

/* MSR or MRS with Xt = x5 as lifted code does it. */
static void access(struct arm64_vcpu *a, unsigned code, bool write, uint64_t value)
{
    uint32_t insn = 0xd5000000u | (uint32_t)!write << 21 | code << 5 | 5;
    struct arm64_sys_info i;

    if (!arm64_sys_lookup(a->v.mode, code, write, &i))
        arm64_undefined(a);
    else if (!write)
        arm64_sys_read(a, i.row, insn, &value);
    else if (arm64_sys_write(a, i.row, insn, value))
        arm64_settle(a);
}

/* One access and nothing else, but for now and then what stands around it. */
static void one(struct vm *vm, struct fuzz_in *in)
{
    uint8_t op = (uint8_t)fuzz_take(in, 1);
    struct vcpu *v = vm->vcpu[op & 1];
    struct arm64_vcpu *a = arm64_of(v);
    unsigned n = (unsigned)fuzz_take(in, 2);
    unsigned code = n & 0x8000 ? n & 0x7fff : codes[n % CODES];
    uint64_t value = fuzz_take(in, op & 2 ? 8 : 1);
    struct translation t;

    plat_current_set(v);
    if (op & 0x80)
        value = ~value;
    v->leave = 0;
    v->exit.kind = EXIT_NONE;
    a->changed = 0;
    switch (op >> 2 & 15) {
    case 0:
        if (!arm64_translate(v, value, (enum access)(n % 3), &t))
            FUZZ_CHECK(t.page_bits >= 12);
        else
            guest_arm64.raise(v, value);
        break;
    case 1:
        arm64_irq_input(v, n % ARM64_INPUTS, value & 1);
        break;
    case 2:
        if (arm64_irq_ready(v))
            arm64_irq_take(v);
        arm64_irq_wakeup(v);
        break;
    case 3:
        arm64_eret(a, a->elr_el1);
        break;
    case 4:
        arm64_msr_imm(a, n & 63, value & 15, 0xd500401f);
        arm64_settle(a);
        break;
    case 5:
        vm->clock.skipped += value & 0xffffffffff;
        timer_run(vm, v->id, clock_now_ns(vm));
        break;
    case 6:
        a->x[0] = n & 1 ? value : 0x84000000 | (n >> 8 & 0x40000000) | (value & 0x3f);
        a->x[1] = n >> 1 & 3;
        guest_arm64.handle_exit(v, &(struct exit){.kind = EXIT_HYPERCALL});
        break;
    default:
        access(a, code, op & 0x40, value);
    }
    if (a->changed)
        arm64_settle(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};
    struct vm *vm = board_new("arm64", size & 7 ? NULL : "gic=2");

    for (unsigned i = 0; in.left && i < 512; i++)
        one(vm, &in);
    vm_hash(vm);
    board_free(vm);
    return 0;
}
