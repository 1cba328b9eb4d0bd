/* Streams as character devices: order, waiting, the escape on the terminal, whoever reads nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "backend/char_stream.h"
#include "engine/minimal/testvm.h"
#include "lib/err.h"
#include "platform/test/test_platform.h"

struct port {
    size_t room, len;
    uint8_t data[1 << 18];
};
static struct port port;
static unsigned quits;

static size_t port_receive(void *opaque, const uint8_t *data, size_t len)
{
    struct port *p = opaque;
    size_t n = MIN(len, p->room);

    memcpy(p->data + p->len, data, n);
    p->len += n;
    p->room -= n;
    return n;
}

static void quit(void *opaque)
{
    (void)opaque;
    quits++;
}

static struct chardev *open_on(struct vm *vm, const char *spec, size_t room)
{
    struct chardev *c = NULL;
    char why[200];

    assert_int_equal(char_stream_create(&c, vm, "serial", spec, (struct char_stream_hooks){.quit = quit}, why,
                                        sizeof(why)),
                     0);
    quits = 0;
    port.len = 0;
    port.room = room;
    c->receive = port_receive;
    c->opaque = &port;
    return c;
}

static void type(const char *text)
{
    test_stream_input(test_stream(), text, strlen(text));
}

/* The guest reads `room` bytes more. */
static void reads(struct vm *vm, struct chardev *c, size_t room)
{
    port.room = room;
    c->ops->accept(c);
    work_drain(vm);
}

static void escapes(void **state)
{
    struct vm *vm = testvm_new(1);
    struct chardev *c = open_on(vm, "stdio", 100);
    unsigned lines;

    (void)state;
    type("ab\001acd\001\001\001z");
    work_drain(vm);
    assert_int_equal(port.len, 6);
    assert_memory_equal(port.data, "ab\001cd\001", 6);
    test_log(&lines);
    type("\001h");
    test_log(&lines);
    assert_int_not_equal(lines, 0);
    assert_int_equal(quits, 0);
    type("\001");
    type("x");
    assert_int_equal(quits, 1);
    c->ops->destroy(c);
    vm_destroy(vm);
}

static char commands[64];

static void command(void *opaque, const uint8_t *data, size_t len)
{
    (void)opaque;
    strncat(commands, (const char *)data, len);
}

/* Without a guest behind it all is the monitor's, but for the escape; and there is nobody to turn to. */
static void no_port(void **state)
{
    const struct char_stream_hooks hooks = {.quit = quit, .monitor = command, .no_port = true};
    struct vm *vm = testvm_new(1);
    struct chardev *c = NULL;
    char why[200];

    (void)state;
    quits = 0;
    assert_int_equal(char_stream_create(&c, vm, "monitor", "stdio", hooks, why, sizeof(why)), 0);
    type("vm\001c list\001a\r");
    assert_string_equal(commands, "vm list\001\r");
    assert_int_equal(quits, 0);
    type("\001x");
    assert_int_equal(quits, 1);
    c->ops->destroy(c);
    vm_destroy(vm);
}

/* Elsewhere Ctrl-a is a byte like others. */
static void no_escape(void **state)
{
    struct vm *vm = testvm_new(1);
    struct chardev *c = open_on(vm, "pty", 100);

    (void)state;
    type("\001x");
    work_drain(vm);
    assert_int_equal(port.len, 2);
    assert_int_equal(quits, 0);
    c->ops->destroy(c);
    vm_destroy(vm);
}

/* A guest that reads nothing, and someone who types on: what was first is kept, the escape is seen. */
static void escape_behind_much(void **state)
{
    struct vm *vm = testvm_new(1);
    struct chardev *c = open_on(vm, "stdio", 0);
    char line[64];

    (void)state;
    test_stream_type(test_stream(), true);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(line, sizeof(line), "%08u\n", i);
        type(line);
        work_drain(vm);
    }
    assert_false(test_stream_paused(test_stream()));
    type("\001x");
    assert_int_equal(quits, 1);
    reads(vm, c, sizeof(port.data));
    assert_true(port.len >= 4096);
    for (unsigned i = 0; i < port.len / 9; i++) {
        snprintf(line, sizeof(line), "%08u\n", i);
        assert_memory_equal(port.data + i * 9, line, 9);
    }
    c->ops->destroy(c);
    vm_destroy(vm);
}

/* A pipe waits: nothing of it is lost, however much and however slow the guest. */
static void nothing_lost(void **state)
{
    static const char *const specs[] = {"stdio", "unix:x"};
    unsigned sent, total = 9 * 20000;
    char line[64];

    (void)state;
    for (unsigned k = 0; k < ARRAY_SIZE(specs); k++) {
        struct vm *vm = testvm_new(1);
        struct chardev *c = open_on(vm, specs[k], 0);

        for (sent = 0; port.len < total;) {
            while (sent < 20000 && !test_stream_paused(test_stream())) {
                snprintf(line, sizeof(line), "%08u\n", sent++);
                type(line);
            }
            reads(vm, c, 1 + port.len % 4001);
        }
        assert_int_equal(port.len, total);
        for (unsigned i = 0; i < 20000; i++) {
            snprintf(line, sizeof(line), "%08u\n", i);
            assert_memory_equal(port.data + i * 9, line, 9);
        }
        c->ops->destroy(c);
        vm_destroy(vm);
    }
}

static void failures(void **state)
{
    struct vm *vm = testvm_new(1);
    struct chardev *c = NULL;
    char why[200];
    uint64_t live = test_live();

    (void)state;
    for (unsigned n = 1;; n++) {
        test_fail_at(n);
        if (!char_stream_create(&c, vm, "serial", "stdio", (struct char_stream_hooks){.quit = quit}, why,
                                sizeof(why)))
            break;
        assert_int_equal(strncmp(why, "serial: ", 8), 0);
        assert_int_equal(test_live(), live);
    }
    test_fail_at(0);
    c->ops->destroy(c);
    assert_int_equal(test_live(), live);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),      cmocka_unit_test(no_escape), cmocka_unit_test(escape_behind_much),
        cmocka_unit_test(nothing_lost), cmocka_unit_test(failures),  cmocka_unit_test(no_port),
    };

    return cmocka_run_group_tests_name("backend/char_stream", tests, NULL, NULL);
}
