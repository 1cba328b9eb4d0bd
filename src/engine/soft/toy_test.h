/*
 * For tests of the software engines: a guest without an ISA. 32 registers, a page table that the test writes,
 * and some 4-byte instructions {op, d, s, imm8}; they may stand at any even address, so also across pages.
 */
#ifndef CV_ENGINE_SOFT_TOY_TEST_H
#define CV_ENGINE_SOFT_TOY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include "engine/soft/run.h"
#include "engine/soft/tlb.h"
#include "lib/softfloat.h"
#include "lib/str.h"

#define TOY_RAM   0x80000000u
#define TOY_SIZE  0x40000u
#define TOY_ROM   0x70000000u
#define TOY_DEV   0x10000000u
#define TOY_PAGES 64

enum toy_op {
    TOY_ILLEGAL,
    TOY_ADDI,  /* d = s + imm */
    TOY_ADD,   /* d += s */
    TOY_LOAD,  /* d = 8 bytes at s + imm */
    TOY_STORE, /* 8 bytes at s + imm = d */
    TOY_LDP,   /* d, d + 1 = 16 bytes at s + imm, in two loads */
    TOY_BNE,   /* to pc + 4 * imm if d != s */
    TOY_JUMP,  /* to pc + 4 * imm */
    TOY_JR,    /* to s */
    TOY_HALT,
    TOY_REP, /* moves a byte from r[1] to r[2], r[3] times */
    TOY_AMOADD,
    TOY_SPACE, /* address space = s */
    TOY_COUNT  /* d = instructions so far, this one included */
};

struct toy_page {
    gva_t va;
    gpa_t gpa;
    uint64_t size; /* 0: free */
    uint64_t space;
    bool global, read, write, exec;
};

struct toy_vcpu {
    struct vcpu v;
    _Alignas(16) uint64_t r[32];
    uint8_t fpflags;
    uint64_t space, vector, saved_pc, fault_va, cause, pending, exceptions, walks;
    bool paging;
    bool shares; /* data of global pages has a context of its own */
    struct toy_page page[TOY_PAGES];
};
enum toy_cause { TOY_NONE, TOY_FAULT, TOY_BUS, TOY_MISALIGNED, TOY_BAD };

#define TOY_R(n) (unsigned)(offsetof(struct toy_vcpu, r) + 8 * (n))

static inline struct toy_vcpu *toy_of(struct vcpu *v)
{
    return (struct toy_vcpu *)v;
}

/* ---- guest_ops ---- */

static inline int toy_translate(struct vcpu *v, gva_t va, enum access access, struct translation *out)
{
    struct toy_vcpu *t = toy_of(v);

    t->walks++;
    if (!t->paging) {
        *out = (struct translation){
            .gpa = va, .page_bits = 12, .read = true, .write = true, .exec = true, .dirty = true};
        return 0;
    }
    for (unsigned i = 0; i < TOY_PAGES; i++) {
        const struct toy_page *p = &t->page[i];

        if (va - p->va >= p->size || (!p->global && p->space != t->space))
            continue;
        if (access == ACCESS_READ ? !p->read : access == ACCESS_WRITE ? !p->write : !p->exec)
            break;
        *out = (struct translation){.gpa = p->gpa + (va - p->va),
                                    .page_bits = (uint8_t)__builtin_ctzll(p->size),
                                    .read = p->read,
                                    .write = p->write,
                                    .exec = p->exec,
                                    .dirty = true,
                                    .global = p->global};
        return 0;
    }
    t->pending = TOY_FAULT;
    return 1;
}

static inline void toy_except(struct vcpu *v, uint64_t cause, gva_t va)
{
    struct toy_vcpu *t = toy_of(v);

    t->cause = cause;
    t->fault_va = va;
    t->saved_pc = v->pc;
    t->exceptions++;
    v->pc = t->vector;
    v->leave = 1;
}

static inline void toy_raise(struct vcpu *v, gva_t va)
{
    toy_except(v, toy_of(v)->pending, va);
}

static inline void toy_raise_bus(struct vcpu *v, gva_t va, enum access access)
{
    (void)access;
    toy_except(v, TOY_BUS, va);
}

static inline void toy_raise_misaligned(struct vcpu *v, gva_t va, enum access access)
{
    (void)access;
    toy_except(v, TOY_MISALIGNED, va);
}

static inline void toy_raise_illegal(struct vcpu *v)
{
    toy_except(v, TOY_BAD, 0);
}

static inline uint64_t toy_context(struct vcpu *v, enum access access)
{
    (void)access;
    return toy_of(v)->space << 1 | toy_of(v)->paging;
}

static inline uint64_t toy_global_data(struct vcpu *v)
{
    return toy_of(v)->shares ? BIT(40) : 0;
}

static inline uint64_t toy_asid(struct vcpu *v)
{
    return toy_of(v)->space;
}

static inline int toy_vcpu_init(struct vcpu *v, const struct vm_desc *desc)
{
    (void)v;
    (void)desc;
    return 0;
}

static inline void toy_nothing(struct vcpu *v)
{
    (void)v;
}

static inline void toy_set_entry(struct vcpu *v, uint64_t entry, uint64_t a, uint64_t b)
{
    v->pc = entry;
    toy_of(v)->r[10] = a;
    toy_of(v)->r[11] = b;
}

static inline bool toy_irq(struct vcpu *v)
{
    (void)v;
    return false;
}

static inline enum exit_action toy_handle_exit(struct vcpu *v, struct exit *e)
{
    (void)v;
    (void)e;
    return EXIT_HANDLED;
}

static const struct state_field toy_state[] = {STATE_ARRAY(struct toy_vcpu, r, REGS_GENERAL, STATE_REG),
                                               STATE_END};

static const struct guest_ops guest_toy = {
    .name = "toy",
    .vcpu_size = sizeof(struct toy_vcpu),
    .state = toy_state,
    .vcpu_init = toy_vcpu_init,
    .vcpu_fini = toy_nothing,
    .reset = toy_nothing,
    .set_entry = toy_set_entry,
    .translate = toy_translate,
    .raise = toy_raise,
    .raise_bus = toy_raise_bus,
    .raise_misaligned = toy_raise_misaligned,
    .raise_illegal = toy_raise_illegal,
    .context = toy_context,
    .global_data = toy_global_data,
    .asid = toy_asid,
    .irq_ready = toy_irq,
    .irq_wakeup = toy_irq,
    .irq_take = toy_nothing,
    .handle_exit = toy_handle_exit,
};

/* ---- lift_ops ---- */

enum toy_helper { TOY_H_HALT, TOY_H_BAD, TOY_H_SPACE, TOY_H_COUNT, TOY_H_PURE };

static inline uint64_t toy_halt(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
{
    (void)a;
    (void)b;
    (void)c;
    v->exit.kind = EXIT_HALT;
    v->pc += 4;
    v->leave = 1;
    return 0;
}

static inline uint64_t toy_bad(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
{
    (void)a;
    (void)b;
    (void)c;
    toy_raise_illegal(v);
    return 0;
}

static inline uint64_t toy_set_space(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
{
    (void)b;
    (void)c;
    toy_of(v)->space = a;
    v->vm->engine->context_changed(v);
    v->pc += 4;
    v->leave = 1;
    return 0;
}

static inline uint64_t toy_count(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
{
    (void)a;
    (void)b;
    (void)c;
    return vcpu_icount(v);
}

static inline uint64_t toy_pure(struct vcpu *v, uint64_t a, uint64_t b, uint64_t c)
{
    (void)v;
    return a * 3 + b * 5 + c * 7;
}

static const struct ir_helper toy_helpers[] = {
    [TOY_H_HALT] = {"halt", toy_halt, 0, IR_H_MAY_LEAVE},
    [TOY_H_BAD] = {"bad", toy_bad, 0, IR_H_MAY_LEAVE},
    [TOY_H_SPACE] = {"space", toy_set_space, 1, IR_H_MAY_LEAVE},
    [TOY_H_COUNT] = {"count", toy_count, 0, 0},
    [TOY_H_PURE] = {"pure", toy_pure, 3, IR_H_PURE},
};

static inline void toy_shape(uint64_t mode, const uint8_t *bytes, unsigned avail, struct insn_shape *out)
{
    (void)mode;
    if (avail < 4)
        return;
    out->len = 4;
    out->kind = INSN_PLAIN;
    out->target = 4 * (int8_t)bytes[3];
    switch (bytes[0]) {
    case TOY_BNE:
        out->kind = INSN_BRANCH;
        break;
    case TOY_REP:
        out->kind = INSN_BRANCH;
        out->target = 0;
        break;
    case TOY_JUMP:
        out->kind = INSN_JUMP;
        break;
    case TOY_ADDI:
    case TOY_ADD:
    case TOY_LOAD:
    case TOY_STORE:
    case TOY_LDP:
    case TOY_AMOADD:
    case TOY_COUNT:
        break;
    default:
        out->kind = INSN_END;
        break;
    }
}

#define TOY_NO IR_REF_NONE

static inline void toy_call_end(struct ir_unit *u, unsigned helper, ir_ref a)
{
    ir_emit(u, IR_SYNC, IRT_NONE, 0, TOY_NO, TOY_NO, TOY_NO, 0);
    ir_call(u, helper, IRT_I64, a, TOY_NO, TOY_NO);
    ir_emit(u, IR_DISPATCH, IRT_NONE, 0, TOY_NO, TOY_NO, TOY_NO, 0);
}

static inline void toy_step(struct ir_unit *u, unsigned reg, int64_t by)
{
    ir_put(u, IRT_I64, TOY_R(reg),
           ir_bin(u, IR_ADD, IRT_I64, ir_get(u, IRT_I64, TOY_R(reg)), ir_const(u, IRT_I64, by)));
}

static inline void toy_rep(struct ir_unit *u, int32_t at)
{
    ir_ref byte = ir_load(u, IRT_I64, 0, ir_get(u, IRT_I64, TOY_R(1)), 0);

    ir_store(u, IRT_I64, 0, ir_get(u, IRT_I64, TOY_R(2)), 0, byte);
    toy_step(u, 1, 1);
    toy_step(u, 2, 1);
    toy_step(u, 3, -1);
    ir_emit(u, IR_BRANCH, IRT_I64, IR_NE, ir_get(u, IRT_I64, TOY_R(3)), ir_const(u, IRT_I64, 0), TOY_NO,
            (int64_t)((uint64_t)(uint32_t)at << 32 | (uint32_t)(at + 4)));
}

static inline void toy_ldp(struct ir_unit *u, ir_ref base, unsigned d, int64_t imm)
{
    ir_ref lo = ir_load(u, IRT_I64, 3, base, imm), hi = ir_load(u, IRT_I64, 3, base, imm + 8);

    ir_put(u, IRT_I64, TOY_R(d), lo);
    ir_put(u, IRT_I64, TOY_R(d + 1), hi);
}

static inline void toy_lift(struct ir_unit *u, uint64_t mode, int32_t at, const uint8_t *bytes,
                            unsigned avail)
{
    unsigned d = bytes[1] & 31, s = bytes[2] & 31;
    int64_t imm = (int8_t)bytes[3];
    ir_ref r;

    (void)mode;
    (void)avail;
    ir_insn(u, at, 4);
    switch (bytes[0]) {
    case TOY_ADDI:
        r = ir_get(u, IRT_I64, TOY_R(s));
        ir_put(u, IRT_I64, TOY_R(d), ir_bin(u, IR_ADD, IRT_I64, r, ir_const(u, IRT_I64, imm)));
        break;
    case TOY_ADD:
        r = ir_get(u, IRT_I64, TOY_R(s));
        ir_put(u, IRT_I64, TOY_R(d), ir_bin(u, IR_ADD, IRT_I64, ir_get(u, IRT_I64, TOY_R(d)), r));
        break;
    case TOY_LOAD:
        ir_put(u, IRT_I64, TOY_R(d), ir_load(u, IRT_I64, 3, ir_get(u, IRT_I64, TOY_R(s)), imm));
        break;
    case TOY_STORE:
        r = ir_get(u, IRT_I64, TOY_R(s));
        ir_store(u, IRT_I64, 3, r, imm, ir_get(u, IRT_I64, TOY_R(d)));
        break;
    case TOY_LDP:
        toy_ldp(u, ir_get(u, IRT_I64, TOY_R(s)), d, imm);
        break;
    case TOY_BNE:
        r = ir_get(u, IRT_I64, TOY_R(d));
        ir_emit(u, IR_BRANCH, IRT_I64, IR_NE, r, ir_get(u, IRT_I64, TOY_R(s)), TOY_NO,
                (int64_t)((uint64_t)(uint32_t)(at + 4 * (int32_t)imm) << 32 | (uint32_t)(at + 4)));
        break;
    case TOY_JUMP:
        ir_emit(u, IR_JUMP, IRT_NONE, 0, TOY_NO, TOY_NO, TOY_NO, at + 4 * imm);
        break;
    case TOY_JR:
        ir_emit(u, IR_JUMPI, IRT_NONE, 0, ir_get(u, IRT_I64, TOY_R(s)), TOY_NO, TOY_NO, 0);
        break;
    case TOY_HALT:
        toy_call_end(u, TOY_H_HALT, TOY_NO);
        break;
    case TOY_REP:
        toy_rep(u, at);
        break;
    case TOY_AMOADD:
        r = ir_get(u, IRT_I64, TOY_R(s));
        ir_put(u, IRT_I64, TOY_R(d),
               ir_emit(u, IR_AMO, IRT_I64, 3 | IR_MEM_ALIGNED | IR_AMO_ADD << IR_MEM_AMO_SHIFT, r,
                       ir_get(u, IRT_I64, TOY_R(d)), TOY_NO, 0));
        break;
    case TOY_SPACE:
        toy_call_end(u, TOY_H_SPACE, ir_get(u, IRT_I64, TOY_R(s)));
        break;
    case TOY_COUNT:
        ir_emit(u, IR_SYNC, IRT_NONE, 0, TOY_NO, TOY_NO, TOY_NO, 0);
        ir_put(u, IRT_I64, TOY_R(d), ir_call(u, TOY_H_COUNT, IRT_I64, TOY_NO, TOY_NO, TOY_NO));
        break;
    default:
        toy_call_end(u, TOY_H_BAD, TOY_NO);
        break;
    }
}

static const struct lift_ops lift_toy = {
    .helpers = toy_helpers,
    .helper_count = ARRAY_SIZE(toy_helpers),
    .insn_max = 4,
    .insn_align = 2,
    .shape = toy_shape,
    .lift = toy_lift,
    .fp_rules = &sf_rules_riscv,
    .fpflags_slot = offsetof(struct toy_vcpu, fpflags),
};

/* ---- a device that remembers ---- */

struct toy_device {
    struct device dev;
    uint64_t reads, writes, value, offset, count_seen;
    unsigned size;
};

static inline uint64_t toy_device_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    struct toy_device *t = (struct toy_device *)d;

    (void)region;
    t->reads++;
    t->offset = offset;
    t->size = size;
    t->count_seen = vcpu_icount(d->vm->vcpu[0]);
    return UINT64_C(0x1122334455667788) + offset;
}

static inline void toy_device_write(struct device *d, unsigned region, uint64_t offset, unsigned size,
                                    uint64_t value)
{
    struct toy_device *t = (struct toy_device *)d;

    (void)region;
    t->writes++;
    t->offset = offset;
    t->size = size;
    t->value = value;
    if (value == 77) /* something that the vCPU has to look at right after this instruction */
        atomic_fetch_or(&d->vm->vcpu[0]->request, VCPU_REQ_KICK);
}

static inline void toy_device_destroy(struct device *d)
{
    device_fini(d);
    plat_free(d);
}

static const struct device_ops toy_device_ops = {
    .name = "toy", .read = toy_device_read, .write = toy_device_write, .destroy = toy_device_destroy};

/* ---- a VM ---- */

struct toy_vm {
    struct vm *vm;
    struct vcpu *v;
    struct toy_vcpu *t;
    struct toy_device *dev;
    uint8_t *ram;
};

static inline struct toy_vm toy_new_lifted(const struct engine_ops *engine, const struct lift_ops *lift,
                                           unsigned smp)
{
    struct vm_desc desc = {.smp = smp, .deterministic = true};
    struct toy_vm x = {0};
    char why[160] = "";

    if (vm_create(&x.vm, &desc, &guest_toy, lift, engine, why, sizeof(why)) ||
        mem_add_ram(&x.vm->mem, TOY_RAM, TOY_SIZE, MEM_RAM, "ram", why, sizeof(why)) ||
        mem_add_ram(&x.vm->mem, TOY_ROM, 0x1000, MEM_ROM, "rom", why, sizeof(why)))
        fail_msg("%s", why);
    x.dev = device_alloc(sizeof(*x.dev), why, sizeof(why));
    device_init(&x.dev->dev, &toy_device_ops, x.vm, "toy0");
    device_add(&x.dev->dev);
    assert_int_equal(device_map(&x.dev->dev, 0, TOY_DEV, 0x1000, why, sizeof(why)), 0);
    x.v = x.vm->vcpu[0];
    x.t = toy_of(x.v);
    x.ram = mem_ptr(&x.vm->mem, TOY_RAM, TOY_SIZE, true);
    for (unsigned i = 0; i < smp; i++) {
        vcpu_set_entry(x.vm->vcpu[i], TOY_RAM, 0, 0);
        toy_of(x.vm->vcpu[i])->vector = TOY_RAM + 0x3f000;
        assert_int_equal(vcpu_bind(x.vm->vcpu[i]), 0);
    }
    return x;
}

static inline struct toy_vm toy_new(const struct engine_ops *engine, unsigned smp)
{
    return toy_new_lifted(engine, &lift_toy, smp);
}

static inline void toy_free(struct toy_vm *x)
{
    vm_destroy(x->vm);
}

/* Writes an instruction as a device or loader does. */
static inline void toy_code(struct toy_vm *x, gpa_t at, uint8_t op, uint8_t d, uint8_t s, int8_t imm)
{
    uint8_t bytes[4] = {op, d, s, (uint8_t)imm};

    assert_int_equal(mem_load(&x->vm->mem, at, bytes, 4), 0);
}

static inline struct toy_page *toy_map(struct toy_vm *x, gva_t va, gpa_t gpa, uint64_t size)
{
    for (unsigned i = 0; i < TOY_PAGES; i++) {
        struct toy_page *p = &x->t->page[i];

        if (p->size)
            continue;
        *p = (struct toy_page){va, gpa, size, x->t->space, false, true, true, true};
        return p;
    }
    fail_msg("no page left");
    return NULL;
}

/* Up to n instructions; the exit kind. */
static inline enum exit_kind toy_run(struct toy_vm *x, struct vcpu *v, uint64_t n)
{
    enum exit_action action;

    vcpu_grant(v, n);
    assert_int_equal(vcpu_run(v, &action), 0);
    if (action == EXIT_BLOCK)
        vcpu_transition(v, VCPU_EV_WAKE);
    (void)x;
    return v->exit.kind;
}

#endif
