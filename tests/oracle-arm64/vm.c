/*
 * Runs the program of generate.py bare in a VM and compares its record with the oracle's.
 *
 *   oracle-arm64 ENGINE PROGRAM ENTRY RECORD_END ORACLE LIST [scattered]    (addresses are hexadecimal)
 *
 * ENGINE: interp; jit; jit-at-once, which compiles what it executes from the first time on.
 * scattered: in pages of 4 KiB, each of which is in a frame of its own: no two that follow each other do so
 * there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/engine.h"
#include "core/vm.h"
#include "engine/jit/jit.h"
#include "guest/arm64/cpu.h"
#include "isa/arm64/sysreg.h"

extern const struct engine_ops engine_interp, engine_jit;

#define RAM        UINT64_C(0x40000000)
#define RAM_SIZE   (UINT64_C(256) << 20)
#define PROGRAM    (RAM + 0x10000)
#define RECORD     (RAM + 0x4000000)
#define SCRATCH    (RAM + 0x3000000) /* two pages */
#define VECTORS    (RAM + 0x1000)
#define TABLES     (RAM + 0xc000000)
#define SCATTER    (UINT64_C(1) << 27) /* the first bytes of RAM, in whose frames the pages are */
#define ENTRY_SIZE 1008u
#define STOPPED    (VECTORS + 12)
#define GRANT      40000 /* instructions; those that the harness adds are most of them */
#define AHEAD      7500  /* words: more than a grant gets through, no more than JIT_MARKS / JIT_MARKS_ROOM */
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

static bool scattered;

/* Where the program's page is. */
static gpa_t frame_of(uint64_t va)
{
    uint64_t n = (va - RAM) >> 12, count = SCATTER >> 12;

    if (!scattered || n >= count)
        return va & ~UINT64_C(0xfff);
    return RAM + ((n * 0x2ee5 + 0x1234) % count << 12);
}

/* What the program has at this address; up to the end of the page. */
static void *at(struct vm *vm, uint64_t va)
{
    return mem_ptr(&vm->mem, frame_of(va) | (va & 0xfff), 1, true);
}

static void put64(struct vm *vm, uint64_t va, uint64_t value)
{
    memcpy(at(vm, va), &value, sizeof(value));
}

static void copy(struct vm *vm, uint64_t va, char *bytes, size_t size, bool out)
{
    while (size) {
        size_t n = MIN(size, 4096 - (va & 4095));

        if (out)
            memcpy(bytes, at(vm, va), n);
        else
            memcpy(at(vm, va), bytes, n);
        va += n;
        bytes += n;
        size -= n;
    }
}

/* Level 2 by blocks, or by tables whose pages are anywhere. */
static void map(struct vm *vm)
{
    put64(vm, TABLES + 8, (TABLES + 0x1000) | 3);
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t block = RAM + (i << 21), table = TABLES + 0x2000 + (i << 12),
                 flags = 0x701 | (block == SCRATCH ? 0x40 : 0);

        if (!scattered || block >= RAM + SCATTER) {
            put64(vm, TABLES + 0x1000 + 8 * i, block | flags);
            continue;
        }
        put64(vm, TABLES + 0x1000 + 8 * i, table | 3);
        for (uint64_t k = 0; k < 512; k++)
            put64(vm, table + 8 * k, frame_of(block + (k << 12)) | flags | 2);
    }
}

/* For exceptions from this level, with SP_EL0: an undefined instruction is skipped and counted, others stay
 * at STOPPED. */
static const uint32_t handler[] = {
    0xd51bd040, /* msr tpidr_el0, x0 */
    0xd5385200, /* mrs x0, esr_el1 */
    0xd35afc00, /* lsr x0, x0, #26 */
    0xb5000000, /* cbnz x0, . */
    0xd538d080, /* mrs x0, tpidr_el1 */
    0x91000400, /* add x0, x0, #1 */
    0xd518d080, /* msr tpidr_el1, x0 */
    0xd5384020, /* mrs x0, elr_el1 */
    0x91001000, /* add x0, x0, #4 */
    0xd5184020, /* msr elr_el1, x0 */
    0xd53bd040, /* mrs x0, tpidr_el0 */
    0xd69f03e0, /* eret */
};

/* EL1 with a GiB mapped as normal memory, the scratch pages for EL0 too (LDTR); FP on. */
static void machine_state(struct vm *vm, struct arm64_vcpu *a)
{
    memcpy(at(vm, VECTORS), handler, sizeof(handler));
    map(vm);
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

/* The code that comes next counts as hot, so that the JIT compiles it when it is first entered. */
static void compile_at_once(struct vm *vm, uint64_t pc)
{
    struct jit_vm *jv = jit_of(vm);

    memset(jv->marks, 0, sizeof(jv->marks));
    jv->marked = 0;
    for (uint64_t i = 0; i < AHEAD; i++)
        jit_mark(jv, jit_key_hot(frame_of(pc + 4 * i) | ((pc + 4 * i) & 0xfff)));
}

/* Until SVC. */
static void run(struct vm *vm, bool at_once)
{
    struct vcpu *v = vm->vcpu[0];
    struct arm64_vcpu *a = arm64_of(v);

    while (v->pc != STOPPED || !a64_field_get(a->esr_el1, A64_ESR_EC)) {
        if (at_once) /* the link register tells how far the tests are */
            compile_at_once(vm, a->x[30] ? a->x[30] : v->pc);
        vcpu_grant(v, GRANT);
        vm->engine->run(v);
    }
    if (a64_field_get(a->esr_el1, A64_ESR_EC) != A64_EC_SVC) {
        fprintf(stderr, "oracle-arm64: at %llx: ESR %llx\n", (unsigned long long)a->elr_el1,
                (unsigned long long)a->esr_el1);
        exit(1);
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
        copy(vm, RECORD + i * ENTRY_SIZE, (char *)got, ENTRY_SIZE, true);
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
    bool jit;
    int bad;

    if (argc != 7 && argc != 8) {
        fprintf(stderr, "oracle-arm64: see vm.c for the arguments\n");
        return 2;
    }
    scattered = argc == 8;
    program = read_file(argv[2]);
    oracle = read_file(argv[5]);
    list = read_file(argv[6]);
    jit = !strncmp(argv[1], "jit", 3);
    vm = machine(jit ? &engine_jit : &engine_interp, strtoull(argv[3], NULL, 16));
    vm->vcpu[0]->pc = strtoull(argv[3], NULL, 16);
    machine_state(vm, arm64_of(vm->vcpu[0]));
    copy(vm, PROGRAM, program.bytes, program.size, false);
    run(vm, !strcmp(argv[1], "jit-at-once"));
    bad = compare(vm, strtoull(argv[4], NULL, 16), &oracle, list.bytes);
    printf("undefined instructions: %llu\n", (unsigned long long)arm64_of(vm->vcpu[0])->tpidr_el1);
    if (jit)
        printf("compiled instructions: %llu, executed otherwise: %llu of %llu\n",
               (unsigned long long)jit_of(vm)->stat.insns,
               (unsigned long long)soft_of(vm->vcpu[0])->stat.insns_interp,
               (unsigned long long)vm->vcpu[0]->count);
    vcpu_unbind(vm->vcpu[0]);
    vm_destroy(vm);
    free(program.bytes);
    free(oracle.bytes);
    free(list.bytes);
    return bad;
}
