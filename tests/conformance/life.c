/* A VM's life under an engine: halts, interrupts, pause, stop, reset; several vCPUs, several VMs. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "conformance.h"
#include "lib/err.h"

/* Program 0: vector at RIG_DATA + 0x1000 to `handler`. */
static void begin(struct rig *r, struct code *handler)
{
    struct code *c = &r->code[0];

    c->isa->set(c, 1, RIG_DATA + 0x1000);
    c->isa->vector(c, 1);
    mem_load(&r->vm->mem, RIG_DATA + 0x1000, handler->bytes, handler->at);
}

/* RIG_DATA word 0 = 1: the host sees that the program is there. */
static void say_ready(struct code *c)
{
    c->isa->set(c, 2, RIG_DATA);
    c->isa->set(c, 3, 1);
    c->isa->store(c, 8, 3, 2, 0);
}

static void sleep_us(unsigned us)
{
    nanosleep(&(struct timespec){0, (long)us * 1000}, NULL);
}

/* A halt ends by an interrupt that cannot be taken; none is taken. */
void life_halt_and_wake(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    struct code *c = &r->code[0], handler = {.isa = c->isa};

    rig_end(&handler, 60);
    begin(r, &handler);
    say_ready(c);
    c->isa->halt(c);
    rig_end(c, 5);
    rig_start(r);
    rig_until(r, RIG_DATA, 1);
    sleep_us(2000);
    rig_inject(r, 0);
    assert_int_equal(rig_wait(r).status, 5);
    rig_free(r);
}

/* Injected while it cannot be taken: pending until it can. */
void life_inject_not_lost(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    struct code *c = &r->code[0], handler = {.isa = c->isa};
    size_t top;

    rig_end(&handler, 7);
    begin(r, &handler);
    say_ready(c);
    top = c->at;
    c->isa->load(c, 8, 4, 2, 8);
    c->isa->add(c, 4, 4, -1);
    c->isa->jump_if(c, 4, top); /* until the host's word 1 is 1 */
    c->isa->store(c, 8, 3, 2, 16);
    c->isa->irq_on(c);
    top = c->at;
    c->isa->jump(c, top);
    rig_start(r);
    rig_until(r, RIG_DATA, 1);
    rig_inject(r, 0);
    sleep_us(2000);
    assert_int_equal(rig_word(r, RIG_DATA + 16), 0); /* not taken */
    atomic_store((_Atomic uint64_t *)mem_ptr(&r->vm->mem, RIG_DATA + 8, 8, true), 1);
    assert_int_equal(rig_wait(r).status, 7);
    rig_free(r);
}

/*
 * Handshakes against halting and spinning main programs: inject, the handler takes it back and beats,
 * again. A lost one or a lost wake stops the beat.
 */
static void handshake(const struct rig_pair *pair, bool halting)
{
    enum { ROUNDS = 3000 };
    struct rig *r = rig_new(pair, 1, false);
    struct code *c = &r->code[0], handler = {.isa = c->isa};
    size_t top;

    c->isa->set(&handler, 4, RIG_DEV);
    c->isa->store(&handler, 4, 4, 4, RIG_CLEAR);
    c->isa->store(&handler, 4, 4, 4, RIG_BEAT);
    c->isa->irq_return(&handler);
    begin(r, &handler);
    say_ready(c);
    c->isa->irq_on(c);
    top = c->at;
    if (halting)
        c->isa->halt(c);
    c->isa->add(c, 5, 5, 1);
    c->isa->jump(c, top);
    rig_start(r);
    rig_until(r, RIG_DATA, 1);
    for (unsigned k = 0; k < ROUNDS; k++) {
        rig_inject(r, 0);
        if (k % 64 == 0) {
            rig_until_beats(r, k + 1);
            sleep_us(100);
        } else {
            rig_spin_beats(r, k + 1);
        }
    }
    vm_stop(r->vm, SYSTEM_POWEROFF, 0, "done");
    assert_int_equal(rig_wait(r).what, SYSTEM_POWEROFF);
    assert_int_equal(atomic_load(&r->dev->beats), ROUNDS);
    rig_free(r);
}

void life_inject_handshake(void **state)
{
    handshake(*state, false);
    handshake(*state, true);
}

/* Each vCPU counts in its own word. */
static void count_forever(struct rig *r)
{
    for (unsigned k = 0; k < r->cpus; k++) {
        struct code *c = &r->code[k];
        size_t top;

        c->isa->set(c, 2, RIG_DATA + 64 * k);
        top = c->at;
        c->isa->add(c, 1, 1, 1);
        c->isa->store(c, 8, 1, 2, 0);
        c->isa->jump(c, top);
    }
}

static void all_move(struct rig *r)
{
    for (unsigned k = 0; k < r->cpus; k++)
        rig_until(r, RIG_DATA + 64 * k, rig_word(r, RIG_DATA + 64 * k) + 1000);
}

/* Paused means that nothing moves: memory, counts, the clock. Pauses nest. */
void life_pause(void **state)
{
    struct rig *r = rig_new(*state, 3, false);
    uint64_t words[3], now;

    count_forever(r);
    rig_start(r);
    for (unsigned round = 0; round < 30; round++) {
        all_move(r);
        assert_int_equal(vm_pause(r->vm), 0);
        if (round % 2)
            assert_int_equal(vm_pause(r->vm), 0);
        assert_true(vm_is_still(r->vm));
        now = clock_now_ns(r->vm);
        for (unsigned k = 0; k < 3; k++) {
            words[k] = rig_word(r, RIG_DATA + 64 * k);
            assert_int_equal(atomic_load(&r->vm->vcpu[k]->state), VCPU_READY);
        }
        sleep_us(300);
        if (round % 2)
            assert_int_equal(vm_resume(r->vm), 0);
        sleep_us(300);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(rig_word(r, RIG_DATA + 64 * k), words[k]);
            /* Registers and memory agree but for a count whose store is still to come. */
            assert_true(rig_reg(r, k, 1) - words[k] <= 1);
        }
        assert_int_equal(clock_now_ns(r->vm), now);
        assert_int_equal(vm_resume(r->vm), 0);
        assert_int_equal(vm_resume(r->vm), -EINVAL);
    }
    all_move(r);
    vm_stop(r->vm, SYSTEM_POWEROFF, 0, "done");
    rig_wait(r);
    rig_free(r);
}

/* A halted vCPU pauses too, and an interrupt injected meanwhile wakes it after. */
void life_pause_while_halted(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    struct code *c = &r->code[0], handler = {.isa = c->isa};

    rig_end(&handler, 8);
    begin(r, &handler);
    say_ready(c);
    c->isa->irq_on(c);
    c->isa->halt(c);
    rig_end(c, 9);
    rig_start(r);
    rig_until(r, RIG_DATA, 1);
    for (unsigned k = 0; k < 20; k++) {
        assert_int_equal(vm_pause(r->vm), 0);
        assert_int_equal(vm_resume(r->vm), 0);
    }
    assert_int_equal(vm_pause(r->vm), 0);
    rig_inject(r, 0);
    sleep_us(1000);
    assert_false(r->vm->ended);
    assert_int_equal(vm_resume(r->vm), 0);
    assert_int_equal(rig_wait(r).status, 8);
    rig_free(r);
}

/* Stopping ends spinning, halted and paused vCPUs alike. */
void life_stop(void **state)
{
    for (unsigned k = 0; k < 3; k++) {
        struct rig *r = rig_new(*state, 2, false);
        struct vm_result res;

        if (k == 1)
            r->code[0].isa->halt(&r->code[0]);
        count_forever(r);
        rig_start(r);
        rig_until(r, RIG_DATA + 64, 1000);
        if (k == 2)
            assert_int_equal(vm_pause(r->vm), 0);
        vm_stop(r->vm, SYSTEM_CRASH, 200, "asked for");
        res = rig_wait(r);
        assert_int_equal(res.what, SYSTEM_CRASH);
        assert_int_equal(res.status, 63); /* more counts as 63 */
        assert_string_equal(res.reason, "asked for");
        assert_int_equal(r->vm->state, VM_CRASHED);
        rig_free(r);
    }
}

void life_first_result_stands(void **state)
{
    struct rig *r = rig_new(*state, 1, false);

    count_forever(r);
    rig_start(r);
    vm_stop(r->vm, SYSTEM_STATUS, 4, "first");
    vm_stop(r->vm, SYSTEM_CRASH, 5, "second");
    assert_int_equal(rig_wait(r).status, 4);
    assert_int_equal(rig_wait(r).what, SYSTEM_STATUS); /* asked again, it says the same */
    assert_int_equal(r->vm->state, VM_STOPPED);
    rig_free(r);
}

/* The guest resets itself twice, each time with fresh registers and devices; RAM stays. */
void life_reset(void **state)
{
    struct rig *r = rig_new(*state, 3, false);
    struct code *c = &r->code[0];
    size_t top;

    count_forever(r);
    c->at = 0;
    c->isa->set(c, 2, RIG_DATA + 0x2000);
    c->isa->load(c, 8, 3, 2, 0);
    c->isa->add(c, 3, 3, 1);
    c->isa->store(c, 8, 3, 2, 0);
    c->isa->sum(c, 5, 3); /* r5 was 0: it must be 3 in the end */
    c->isa->store(c, 8, 5, 2, 8);
    c->isa->add(c, 4, 3, -3);
    top = c->at;
    c->isa->jump_if(c, 4, top + 0x400);
    rig_end(c, 11);
    while (c->at < top + 0x400)
        c->isa->add(c, 6, 6, 0);
    c->isa->set(c, 7, RIG_DEV);
    c->isa->store(c, 4, 7, 7, RIG_RESET);
    top = c->at;
    c->isa->jump(c, top);
    assert_int_equal(rig_run(r).status, 11);
    assert_int_equal(rig_word(r, RIG_DATA + 0x2000), 3);
    assert_int_equal(rig_word(r, RIG_DATA + 0x2008), 3);
    assert_int_equal(r->dev->resets, 3); /* at start, and twice */
    rig_free(r);
}

void life_reset_refused(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    struct code *c = &r->code[0];

    r->vm->desc.no_reboot = true;
    c->isa->set(c, 7, RIG_DEV);
    c->isa->store(c, 4, 7, 7, RIG_RESET);
    count_forever(r);
    assert_int_equal(rig_run(r).what, SYSTEM_RESET);
    rig_free(r);
}

/* Calls that the VM's state does not allow are refused and change nothing. */
void life_states(void **state)
{
    struct rig *r = rig_new(*state, 1, false);
    struct vm_result res;
    char why[160];

    count_forever(r);
    assert_true(vm_is_still(r->vm));
    assert_int_equal(vm_pause(r->vm), -EINVAL);
    assert_int_equal(vm_resume(r->vm), -EINVAL);
    rig_start(r);
    assert_false(vm_is_still(r->vm));
    assert_int_equal(vm_start(r->vm, why, sizeof(why)), -EINVAL);
    assert_int_equal(vm_load(r->vm, why, sizeof(why)), -EINVAL);
    assert_int_equal(vm_resume(r->vm), -EINVAL);
    assert_int_equal(vm_wait(r->vm, plat_clock_ns() + 1000000, &res), -ETIMEDOUT);
    all_move(r);
    vm_stop(r->vm, SYSTEM_POWEROFF, 0, "done");
    rig_wait(r);
    assert_int_equal(vm_start(r->vm, why, sizeof(why)), -EINVAL);
    assert_int_equal(vm_pause(r->vm), -EINVAL);
    assert_int_equal(vm_resume(r->vm), -EINVAL);
    assert_int_equal(r->vm->state, VM_STOPPED);
    rig_free(r);
}

static void bump(struct vcpu *v, void *arg)
{
    atomic_fetch_add((_Atomic unsigned *)arg + v->id, 1);
}

/* Work sent into running, halted and paused vCPUs gets there, and they go on. */
void life_calls(void **state)
{
    struct rig *r = rig_new(*state, 3, false);
    _Atomic unsigned seen[3] = {0};

    r->code[2].isa->halt(&r->code[2]);
    count_forever(r);
    rig_start(r);
    rig_until(r, RIG_DATA + 64, 1000);
    for (unsigned k = 0; k < 500; k++)
        vcpu_call_mask(NULL, r->vm, 7, bump, seen);
    assert_int_equal(vm_pause(r->vm), 0);
    vcpu_call_mask(NULL, r->vm, 7, bump, seen);
    assert_int_equal(vm_resume(r->vm), 0);
    for (unsigned k = 0; k < 3; k++)
        assert_int_equal(seen[k], 501);
    vm_stop(r->vm, SYSTEM_POWEROFF, 0, "done");
    rig_wait(r);
    vcpu_call_mask(NULL, r->vm, 7, bump, seen); /* no tasks any more: run by the caller */
    assert_int_equal(seen[0], 502);
    rig_free(r);
}

/* Two VMs at once, this pair's and each other pair's: neither notices. */
void life_two_vms(void **state)
{
    struct rig_pair pairs[16];
    unsigned n = rig_pairs(pairs, ARRAY_SIZE(pairs));

    for (unsigned k = 0; k < n; k++) {
        struct rig *a = rig_new(*state, 2, false), *b = rig_new(&pairs[k], 2, false);

        count_forever(a);
        count_forever(b);
        rig_start(a);
        rig_start(b);
        all_move(a);
        assert_int_equal(vm_pause(a->vm), 0);
        all_move(b);
        vm_stop(b->vm, SYSTEM_STATUS, 3, "b");
        assert_int_equal(rig_wait(b).status, 3);
        rig_free(b);
        assert_int_equal(vm_resume(a->vm), 0);
        all_move(a);
        vm_stop(a->vm, SYSTEM_STATUS, 2, "a");
        assert_int_equal(rig_wait(a).status, 2);
        rig_free(a);
    }
}

/* Destroyed in the middle of a run, or without one. */
void life_destroy_running(void **state)
{
    for (unsigned k = 0; k < 10; k++) {
        struct rig *r = rig_new(*state, 1 + k % 3, k == 9);

        count_forever(r);
        if (k)
            rig_start(r);
        if (k > 3)
            rig_until(r, RIG_DATA, 1000);
        if (k == 7)
            assert_int_equal(vm_pause(r->vm), 0);
        rig_free(r);
    }
}
