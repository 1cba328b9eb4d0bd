/*
 * Runs the program of generate.py bare in a VM and compares its record with the oracle's.
 *
 *   oracle-arm64 ENGINE PROGRAM ENTRY RECORD_END ORACLE LIST    (program: flat; addresses: hexadecimal)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/engine.h"
#include "core/vm.h"
#include "guest/arm64/cpu.h"
#include "isa/arm64/sysreg.h"

extern const struct engine_ops engine_interp, engine_jit;

#define RAM        UINT64_C(0x40000000)
#define RAM_SIZE   (UINT64_C(256) << 20)
#define PROGRAM    (RAM + 0x10000)
#define RECORD     (RAM + 0x4000000)
#define SCRATCH    (RAM + 0x3000000)
#define VECTORS    (RAM + 0x1000)
#define TABLES     (RAM + 0x2000)
#define ENTRY_SIZE 1008u
#define HLT_1      0xd4400020u
#define SHOWN      20
#define WORDS      6 /* of each */

struct file {
    char *bytes;
    size_t size;
};

static struct file read_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    struct file r = {0};

    if (!f || fseek(f, 0, SEEK_END)) {
        perror(name);
        exit(1);
    }
    r.size = (size_t)ftell(f);
    rewind(f);
    r.bytes = malloc(r.size + 1);
    if (!r.bytes || fread(r.bytes, 1, r.size, f) != r.size)
        exit(1);
    r.bytes[r.size] = 0;
    fclose(f);
    return r;
}

static void *at(struct vm *vm, gpa_t gpa)
{
    return mem_ptr(&vm->mem, gpa, 8, true);
}

static void put64(struct vm *vm, gpa_t gpa, uint64_t value)
{
    memcpy(at(vm, gpa), &value, sizeof(value));
}

/* EL1 with the first 4 GiB mapped flat as normal memory, the scratch pages for EL0 too (LDTR); FP on. */
static void machine_state(struct vm *vm, struct arm64_vcpu *a)
{
    for (unsigned i = 0; i < 0x800; i += 8)
        put64(vm, VECTORS + i, UINT64_C(0x1400000014000000)); /* b . */
    put64(vm, TABLES + 8, (TABLES + 0x1000) | 3);
    for (uint64_t i = 0; i < 512; i++) {
        gpa_t block = RAM + (i << 21);

        put64(vm, TABLES + 0x1000 + 8 * i, block | 0x701 | (block == SCRATCH ? 0x40 : 0));
    }
    a->ttbr0_el1 = TABLES;
    a->mair_el1 = 0xff;
    a->tcr_el1 = 25 | 0x3500 | A64_TCR_EPD1 | UINT64_C(2) << 32;
    a->sctlr_el1 |= A64_SCTLR_M;
    a->cpacr_el1 = A64_CPACR_FPEN;
    a->vbar_el1 = VECTORS;
    a->changed |= ARM64_CHANGED_MODE | ARM64_CHANGED_CONTEXT;
    arm64_settle(a);
    a->v.leave = 0;
}

static struct vm *machine(const struct engine_ops *engine, uint64_t entry)
{
    const struct vm_desc desc = {
        .smp = 1, .cpu = "max", .memory = RAM_SIZE, .firmware = "none", .deterministic = true};
    char why[160] = "";
    struct vm *vm;

    if (vm_create(&vm, &desc, &guest_arm64, &lift_arm64, engine, why, sizeof(why)) ||
        mem_add_ram(&vm->mem, RAM, RAM_SIZE, MEM_RAM, "ram", why, sizeof(why)) ||
        vcpu_set_entry(vm->vcpu[0], entry, 0, 0) || vcpu_bind(vm->vcpu[0])) {
        fprintf(stderr, "oracle-arm64: %s\n", why);
        exit(1);
    }
    return vm;
}

/* An exception: the end, or an instruction that is undefined, which is skipped. */
static bool exception(struct vm *vm, struct arm64_vcpu *a)
{
    uint32_t insn;

    memcpy(&insn, at(vm, a->elr_el1 & ~UINT64_C(3)), 4);
    if (a64_field_get(a->esr_el1, A64_ESR_EC) != A64_EC_UNKNOWN) {
        fprintf(stderr, "oracle-arm64: %08x at %llx: ESR %llx\n", insn, (unsigned long long)a->elr_el1,
                (unsigned long long)a->esr_el1);
        exit(1);
    }
    if (insn == HLT_1)
        return false;
    arm64_eret(a, a->elr_el1 + 4);
    a->v.leave = 0;
    return true;
}

static void run(struct vm *vm)
{
    struct vcpu *v = vm->vcpu[0];

    for (;;) {
        vcpu_grant(v, 100000);
        vm->engine->run(v);
        if (v->pc >= VECTORS && v->pc < VECTORS + 0x800 && !exception(vm, arm64_of(v)))
            return;
    }
}

static void show(const char *line, const uint64_t *got, const uint64_t *want)
{
    printf("%.*s:", (int)strcspn(line, "\n"), line);
    for (unsigned i = 0, n = 0; i < ENTRY_SIZE / 8; i++) {
        if (got[i] != want[i] && n++ < WORDS)
            printf(" %s%u%s %llx, not %llx;",
                   i < 64   ? "q"
                   : i < 92 ? "x"
                            : "word ",
                   i < 64   ? i / 2
                   : i < 92 ? i - 64
                            : i,
                   i < 64 ? (i & 1 ? ".hi" : ".lo") : "", (unsigned long long)got[i],
                   (unsigned long long)want[i]);
    }
    printf("\n");
}

static int compare(struct vm *vm, uint64_t record_end, const struct file *oracle, const char *line)
{
    size_t passed = 0, failed = 0;
    uint64_t end, got[ENTRY_SIZE / 8], want[ENTRY_SIZE / 8];

    memcpy(&end, at(vm, record_end), 8);
    if (!oracle->size || end - RECORD != oracle->size) {
        printf("the record has %llu bytes, the oracle's %zu\n", (unsigned long long)(end - RECORD),
               oracle->size);
        return 1;
    }
    for (size_t i = 0; i < oracle->size / ENTRY_SIZE; i++) {
        memcpy(got, mem_ptr(&vm->mem, RECORD + i * ENTRY_SIZE, ENTRY_SIZE, false), ENTRY_SIZE);
        memcpy(want, oracle->bytes + i * ENTRY_SIZE, ENTRY_SIZE);
        if (!memcmp(got, want, ENTRY_SIZE))
            passed++;
        else if (failed++ < SHOWN)
            show(line, got, want);
        line = strchr(line, '\n') + 1;
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed != 0;
}

int main(int argc, char **argv)
{
    struct file program, oracle, list;
    struct vm *vm;
    int bad;

    if (argc != 7) {
        fprintf(stderr, "oracle-arm64: see vm.c for the arguments\n");
        return 2;
    }
    program = read_file(argv[2]);
    oracle = read_file(argv[5]);
    list = read_file(argv[6]);
    vm = machine(strcmp(argv[1], "jit") ? &engine_interp : &engine_jit, strtoull(argv[3], NULL, 16));
    vm->vcpu[0]->pc = strtoull(argv[3], NULL, 16);
    machine_state(vm, arm64_of(vm->vcpu[0]));
    memcpy(mem_ptr(&vm->mem, PROGRAM, program.size, true), program.bytes, program.size);
    run(vm);
    bad = compare(vm, strtoull(argv[4], NULL, 16), &oracle, list.bytes);
    vcpu_unbind(vm->vcpu[0]);
    vm_destroy(vm);
    free(program.bytes);
    free(oracle.bytes);
    free(list.bytes);
    return bad;
}
