/*
 * An engine for unit tests of guests that only counts what it is told. struct test_engine comes before, with
 * flushes, contexts, barriers and the scope of the last flush.
 */
#ifndef CV_CORE_ENGINE_TEST_H
#define CV_CORE_ENGINE_TEST_H

#include "core/vm.h"

/* In vm->engine_vm. */
static inline struct test_engine *test_engine(struct vm *vm)
{
    return vm->engine_vm;
}

static int test_vm_init(struct vm *vm)
{
    vm->engine_vm = plat_alloc(sizeof(struct test_engine));
    return vm->engine_vm ? 0 : -12;
}

static void test_vm_fini(struct vm *vm)
{
    plat_free(vm->engine_vm);
}

static int test_vcpu_init(struct vcpu *v)
{
    (void)v;
    return 0;
}

static void test_vcpu_fini(struct vcpu *v)
{
    (void)v;
}

static void test_run(struct vcpu *v)
{
    v->exit.kind = EXIT_NONE;
}

static void test_flush(struct vcpu *v, const struct flush_scope *scope)
{
    test_engine(v->vm)->flushes++;
    test_engine(v->vm)->scope = *scope;
}

static void test_context_changed(struct vcpu *v)
{
    test_engine(v->vm)->contexts++;
}

static void test_fetch_barrier(struct vcpu *v)
{
    test_engine(v->vm)->barriers++;
}

static const struct engine_ops test_engine_ops = {
    .name = "test",
    .vm_init = test_vm_init,
    .vm_fini = test_vm_fini,
    .vcpu_init = test_vcpu_init,
    .vcpu_fini = test_vcpu_fini,
    .run = test_run,
    .flush = test_flush,
    .context_changed = test_context_changed,
    .fetch_barrier = test_fetch_barrier,
};

#endif
