/* Settings by flag and by YAML: every kind, every refusal with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "config/config.h"

static void test_values(void **state)
{
    struct config c;
    char why[300];

    (void)state;
    config_init(&c);
    assert_int_equal(config_set(&c, "memory", "512M", why, sizeof(why)), 0);
    assert_int_equal(c.desc.memory, 512u << 20);
    assert_int_equal(config_set(&c, "smp", "4", why, sizeof(why)), 0);
    assert_int_equal(c.desc.smp, 4);
    assert_int_equal(config_set(&c, "guest-arch", "aarch64", why, sizeof(why)), 0);
    assert_string_equal(c.desc.guest_arch, "arm64");
    assert_int_equal(config_set(&c, "machine", "virt,aia=aplic-imsic", why, sizeof(why)), 0);
    assert_string_equal(c.desc.machine, "virt");
    assert_string_equal(c.desc.machine_options, "aia=aplic-imsic");
    assert_int_equal(config_set(&c, "disk", "a,b.img,ro", why, sizeof(why)), 0);
    assert_int_equal(config_set(&c, "disk", "c.img,format=raw", why, sizeof(why)), 0);
    assert_int_equal(config_set(&c, "iso", "d.iso", why, sizeof(why)), 0);
    assert_int_equal(c.desc.disk_count, 3);
    assert_string_equal(c.desc.disks[0].path, "d.iso");
    assert_true(c.desc.disks[0].read_only);
    assert_string_equal(c.desc.disks[1].path, "a,b.img");
    assert_true(c.desc.disks[1].read_only);
    assert_string_equal(c.desc.disks[2].path, "c.img");
    assert_false(c.desc.disks[2].read_only);
    assert_int_equal(config_set(&c, "publish", "8080:80", why, sizeof(why)), 0);
    assert_int_equal(c.desc.forwards[0].host, 8080);
    assert_int_equal(config_set(&c, "deterministic", NULL, why, sizeof(why)), 0);
    assert_true(c.desc.deterministic);
    assert_int_equal(config_set(&c, "trace", "mmio,irq", why, sizeof(why)), 0);
    assert_int_equal(c.desc.log.trace, TRACE_MMIO | TRACE_IRQ);
    assert_int_equal(config_set(&c, "log", "jit=debug", why, sizeof(why)), 0);
    assert_int_equal(c.desc.log.level[LOG_JIT], LOG_DEBUG);
    config_fini(&c);
}

static void test_bare_values(void **state)
{
    struct config c;
    char why[300];

    (void)state;
    config_init(&c);
    assert_false(c.desc.manual);
    assert_int_equal(c.desc.sched.weight, 100);
    assert_int_equal(config_set(&c, "autostart", "false", why, sizeof(why)), 0);
    assert_true(c.desc.manual);
    assert_int_equal(config_set(&c, "sched.policy", "fifo", why, sizeof(why)), 0);
    assert_int_equal(c.desc.sched.policy, DESC_POLICY_FIFO);
    assert_int_equal(config_set(&c, "sched.priority", "255", why, sizeof(why)), 0);
    assert_int_equal(config_set(&c, "sched.budget", "40", why, sizeof(why)), 0);
    assert_int_equal(c.desc.sched.budget, 40);
    assert_int_equal(config_set(&c, "sched.affinity", "0", why, sizeof(why)), 0);
    assert_int_equal(config_set(&c, "sched.affinity", "3", why, sizeof(why)), 0);
    assert_int_equal(c.desc.sched.affinity, 9);
    assert_int_equal(config_set(&c, "sched.pin", "true", why, sizeof(why)), 0);
    assert_int_equal(config_set(&c, "monitor", "unix:/tmp/m", why, sizeof(why)), 0);
    config_fini(&c);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *key, *value, *says;
    } rows[] = {
        {"memroy", "1G", "nearest is 'memory'"},
        {"memory", "lots", "a size"},
        {"memory", "99999999999999T", "a size"},
        {"name", "a\nb", "a control character"},
        {"name", "\x1b[2J", "a control character"},
        {"name", "b\x7f", "a control character"},
        {"smp", "-1", "a number"},
        {"checkpoint-every", "0", "a number from 1"},
        {"hash-dump", "0", "a number from 1"},
        {"smp", "", "needs a value"},
        {"guest-arch", "riscv32", "riscv64, arm64"},
        {"net-mode", "bridge0", "nat, vswitch or none"},
        {"publish", "80", "HOST:GUEST"},
        {"sched.weight", "0", "from 1 to 1000"},
        {"sched.weight", "1001", "from 1 to 1000"},
        {"sched.priority", "256", "from 0 to 255"},
        {"sched.budget", "6401", "from 1 to 6400"},
        {"sched.affinity", "64", "from 0 to 63"},
        {"sched.policy", "fair", "rr, fifo or priority"},
        {"autostart", "maybe", "true or false"},
        {"monitor", "tcp:1", "stdio or unix:PATH"},
        {"publish", "0:80", "HOST:GUEST"},
        {"publish", "80:99999", "HOST:GUEST"},
        {"serial", "tty", "stdio, pty"},
        {"serial", "file:", "stdio, pty"},
        {"console", "tty", "stdio, pty"},
        {"disk", "a.img,cache=none", "unknown option 'cache=none'"},
        {"disk", "a.qcow2", "convert"},
        {"deterministic", "maybe", "true or false"},
        {"trace", "mmio,units", "nearest is 'unit'"},
        {"log", "jit", "SUBSYSTEM=LEVEL"},
        {"log", "jit=loud", "known: error, warn"},
        {"log", "jti=debug", "nearest is 'jit'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct config c;
        char why[300] = "";

        config_init(&c);
        assert_int_not_equal(config_set(&c, rows[i].key, rows[i].value, why, sizeof(why)), 0);
        if (!strstr(why, rows[i].says))
            fail_msg("%s=%s: '%s' does not say '%s'", rows[i].key, rows[i].value, why, rows[i].says);
        config_fini(&c);
    }
}

/* Writes text to a file and loads it. */
static int load(struct config *c, const char *text, char *why, size_t size)
{
    char path[] = "/tmp/config_test_XXXXXX";
    int fd = mkstemp(path), err;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    err = config_load(c, path, why, size);
    unlink(path);
    return err;
}

static void test_yaml(void **state)
{
    struct config c;
    char why[300] = "";

    (void)state;
    config_init(&c);
    assert_int_equal(
        load(&c,
             "name: one\nmemory: 2G\nsmp: 2\nkernel: k/Image\ninitrd: /abs\n"
             "disk:\n  - d.img\n  - e.img,ro\npublish: ['80:8080']\ndeterministic: true\n"
             "machine: virt,aia=none,vars=v\nserial: file:s\nconsole: unix:c\nmonitor: unix:/m\n",
             why, sizeof(why)),
        0);
    assert_string_equal(c.desc.name, "one");
    assert_int_equal(c.desc.memory, UINT64_C(2) << 30);
    assert_string_equal(c.desc.kernel, "/tmp/k/Image");
    assert_string_equal(c.desc.initrd, "/abs");
    assert_int_equal(c.desc.disk_count, 2);
    assert_string_equal(c.desc.disks[1].path, "/tmp/e.img");
    assert_true(c.desc.disks[1].read_only);
    assert_true(c.desc.deterministic);
    assert_string_equal(c.desc.machine_options, "aia=none,vars=/tmp/v");
    assert_string_equal(c.desc.serial, "file:/tmp/s");
    assert_string_equal(c.desc.console, "unix:/tmp/c");
    assert_string_equal(c.desc.monitor, "unix:/m");
    config_fini(&c);
    config_init(&c);
    assert_int_equal(
        load(&c, "machine: virt,vars=/v\nserial: pty\nconsole: file:/c\nmonitor: stdio\n", why, sizeof(why)),
        0);
    assert_string_equal(c.desc.machine_options, "vars=/v");
    assert_string_equal(c.desc.serial, "pty");
    assert_string_equal(c.desc.console, "file:/c");
    assert_string_equal(c.desc.monitor, "stdio");
    config_fini(&c);
}

static void test_sched_mapping(void **state)
{
    struct config c;
    char why[300] = "";

    (void)state;
    config_init(&c);
    assert_int_equal(load(&c,
                          "name: one\nautostart: false\nsched:\n  policy: priority\n  priority: 7\n"
                          "  weight: 300\n  affinity: [1, 2]\n  pin: true\n",
                          why, sizeof(why)),
                     0);
    assert_true(c.desc.manual);
    assert_int_equal(c.desc.sched.policy, DESC_POLICY_PRIORITY);
    assert_int_equal(c.desc.sched.priority, 7);
    assert_int_equal(c.desc.sched.weight, 300);
    assert_int_equal(c.desc.sched.affinity, 6);
    assert_true(c.desc.sched.pin);
    config_fini(&c);
    config_init(&c);
    assert_int_equal(load(&c, "sched: {budget: 25}\n", why, sizeof(why)), 0);
    assert_int_equal(c.desc.sched.budget, 25);
    config_fini(&c);
}

static void test_yaml_refusals(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"name: x\nmemroy: 1G\n", ":2:1: unknown setting 'memroy'; the nearest is 'memory'"},
        {"name: x\nsmp: many\n", ":2:6: smp: 'many'"},
        {"name: [x]\n", ":1:"},
        {"name: x\n# c\n\n\"name\": y\n", ":4:1: name: was set in line 1 already"},
        {"smp: 2\ndisk: a.img\n", ":2:7: disk: needs a list"},
        {"disk:\n  - a\n  - [b]\n", ":3:5: disk: needs plain entries"},
        {"disk:\n  - a\n  - b,x=y\n", ":3:5: disk: '"},
        {"name: {a: b}\n", ":1:7: name: needs one plain value"},
        {"name: &a x\nappend: *a\n", ":2:9: append: an alias (*name)"},
        {"? [a]\n: b\n", ":1:3: a setting's name must be plain text"},
        {"name: x\n---\nname: y\n", ":2:1: begins a second document"},
        {"name: x\ndisk:\n  - a\n - b\n",
         ":4:2: is no YAML here (did not find expected key); check the indentation"},
        {"name: x\n  smp: 1\n", ":2:6: is no YAML here (mapping values"},
        {"name: x\nmemory 1G\nsmp: 1\n", ":2:1: is no YAML here (could not find expected ':')"},
        {"name: x\nappend: \"a\n\nb: c\n", ":2:9: is no YAML here (found unexpected end"},
        {"name: x\n\tsmp: 1\n", ":2:"},
        {"name: x\nsmp:\t\t\t@\n", ":2:"},
        {"name: x\ncpu: a\001b\n", ":2:7: is no text here"},
        {"zebra: 1\n", ":1:1: unknown setting 'zebra'; see carbovisor run --help"},
        {"smp:\n", ":1:5: smp: needs a value"},
        {"sched: rr\n", ":1:8: sched: needs a mapping"},
        {"sched: {wieght: 3}\n", ":1:9: unknown setting 'sched.wieght'; the nearest is 'sched.weight'"},
        {"sched: {weight: 3}\nsched: {pin: true}\n", ":2:1: sched: was set in line 1 already"},
        {"sched: {weight: 3, weight: 4}\n", ":1:20: sched.weight: was set in line 1 already"},
        {"sched:\n  weight: 0\n", ":2:11: sched.weight: '0' is not a number from 1 to 1000"},
        {"sched: {sched: {pin: true}}\n", ":1:9: unknown setting 'sched.sched'"},
        {"sched.weight: 3\n", ":1:1: sched.weight: is a field of a mapping"},
        {"sched: {affinity: 1}\n", ":1:19: sched.affinity: needs a list"},
        {"guest-arch: a\n\n  b\n", "'a b' is not"},
        {"- a\n- b\n", ":1:1:"},
        {"", ":1:1: is empty"},
        {"# nothing\n", ":1:1: is empty"},
        {"\t\t: :::\n", ":1:1: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct config c;
        char why[300] = "";

        config_init(&c);
        assert_int_not_equal(load(&c, rows[i].text, why, sizeof(why)), 0);
        if (!strstr(why, rows[i].says))
            fail_msg("%s: '%s' does not say '%s'", rows[i].text, why, rows[i].says);
        assert_string_equal(c.desc.name, "vm"); /* nothing was set */
        config_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),        cmocka_unit_test(test_bare_values),
        cmocka_unit_test(test_sched_mapping), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_yaml),          cmocka_unit_test(test_yaml_refusals),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
