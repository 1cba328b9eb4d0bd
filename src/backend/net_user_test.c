/* The NAT backend: frames both ways, waiting for the device, a full ring, the helper's end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "backend/net_user.h"
#include "engine/minimal/testvm.h"
#include "lib/err.h"
#include "platform/test/test_platform.h"

struct card {
    _Atomic unsigned room, frames;
    uint8_t last[2048];
    size_t len;
};

static bool card_receive(void *opaque, const void *frame, size_t len)
{
    struct card *c = opaque;

    if (!c->room)
        return false;
    c->room--;
    c->frames++;
    memcpy(c->last, frame, len);
    c->len = len;
    return true;
}

static struct netdev *net_new(struct vm *vm)
{
    const struct desc_forward f[] = {{8080, 80}, {2222, 22}};
    struct netdev *n = NULL;
    char why[200];

    assert_int_equal(net_user_create(&n, vm, f, 2, why, sizeof(why)), 0);
    return n;
}

static void both_ways(void **state)
{
    struct vm *vm = testvm_new(1);
    struct netdev *n = net_new(vm);
    struct card card = {.room = 1};
    uint8_t buf[64];

    (void)state;
    assert_string_equal(test_netproc_options(), "8080:80,2222:22");
    n->ops->send(n, "to the host", 11);
    assert_int_equal(test_netproc_output(buf, sizeof(buf)), 11);
    assert_memory_equal(buf, "to the host", 11);
    /* Without a device frames are lost. */
    test_netproc_input("nobody", 6);
    work_drain(vm);
    n->opaque = &card;
    n->receive = card_receive;
    test_netproc_input("to the guest", 12);
    assert_int_equal(card.frames, 0); /* by a work item only */
    work_drain(vm);
    assert_int_equal(card.frames, 1);
    assert_memory_equal(card.last, "to the guest", 12);
    n->ops->destroy(n);
    vm_destroy(vm);
}

static void waits_for_room(void **state)
{
    struct vm *vm = testvm_new(1);
    struct netdev *n = net_new(vm);
    struct card card = {0};
    uint8_t frame[1523] = {0};

    (void)state;
    n->opaque = &card;
    n->receive = card_receive;
    for (uint8_t i = 0; i < 10; i++) {
        frame[0] = i;
        test_netproc_input(frame, 60);
    }
    test_netproc_input(frame, 1523); /* longer than any frame */
    work_drain(vm);
    assert_int_equal(card.frames, 0);
    for (unsigned i = 0; i < 10; i++) {
        card.room = 1;
        n->ops->resume(n);
        work_drain(vm);
        assert_int_equal(card.frames, i + 1);
        assert_int_equal(card.last[0], i);
    }
    card.room = 1;
    n->ops->resume(n);
    work_drain(vm);
    assert_int_equal(card.frames, 10);
    n->ops->destroy(n);
    vm_destroy(vm);
}

static void feed_many(void *opaque)
{
    (void)opaque;
    for (unsigned i = 0; i < 1000; i++)
        test_netproc_input("frame", 5);
}

/* The helper's task waits while the ring is full, and is let go at the end. */
static void full_ring(void **state)
{
    struct vm *vm = testvm_new(1);
    struct netdev *n = net_new(vm);
    struct card card = {.room = 500};
    struct plat_task *task;

    (void)state;
    n->opaque = &card;
    n->receive = card_receive;
    assert_int_equal(work_start(vm), 0);
    assert_int_equal(plat_task_start(&task, "helper", feed_many, NULL), 0);
    for (unsigned i = 0; i < 60000 && card.frames < 500; i++) {
        struct plat_event e;

        plat_event_init(&e);
        plat_event_wait(&e, plat_clock_ns() + 1000000);
        plat_event_fini(&e);
    }
    assert_int_equal(card.frames, 500);
    card.room = 500;
    n->ops->resume(n);
    plat_task_join(task);
    vm_shutdown(vm);
    assert_int_equal(card.frames, 1000);
    n->ops->destroy(n);
    vm_destroy(vm);
}

static void helper_gone(void **state)
{
    struct vm *vm = testvm_new(1);
    struct netdev *n = net_new(vm);
    unsigned before, after;

    (void)state;
    test_log(&before);
    vm->log.level[LOG_NET] = LOG_ERROR;
    test_netproc_input(NULL, 0);
    assert_non_null(strstr(test_log(&after), "NAT helper has ended"));
    assert_int_equal(after, before + 1);
    n->ops->send(n, "x", 1);
    n->ops->destroy(n);
    vm_destroy(vm);
}

static void each_failure(void **state)
{
    struct vm *vm = testvm_new(1);

    (void)state;
    for (unsigned n = 1;; n++) {
        uint64_t live = test_live();
        struct netdev *net = NULL;
        char why[200] = "";
        int err;

        test_fail_at(n);
        err = net_user_create(&net, vm, NULL, 0, why, sizeof(why));
        if (!err)
            net->ops->destroy(net);
        else
            assert_true(why[0]);
        assert_int_equal(test_live(), live);
        if (!test_failed()) {
            assert_int_equal(err, 0);
            break;
        }
    }
    test_fail_at(0);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),   cmocka_unit_test(waits_for_room), cmocka_unit_test(full_ring),
        cmocka_unit_test(helper_gone), cmocka_unit_test(each_failure),
    };

    return cmocka_run_group_tests_name("net_user", tests, NULL, NULL);
}
