/*
 * Every error path behind the public API, by failing each request in turn: settings, YAML files, whole VMs
 * with every backend. Nothing crashes, nothing leaks, one line says why, and without the failure it works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <yaml.h>
#include <carbovisor/carbovisor.h>
#include "config/config.h"
#include "lib/err.h"
#include "platform/test/internal.h"
#include "platform/test/test_platform.h"

/* libyaml's own names for its allocations, taken over so that they are requests too. */
void *yaml_malloc(size_t size);
void *yaml_realloc(void *p, size_t size);
void yaml_free(void *p);
yaml_char_t *yaml_strdup(const yaml_char_t *s);

static unsigned yaml_requests;

void *yaml_malloc(size_t size)
{
    yaml_requests++;
    return request_fails() ? NULL : malloc(size ? size : 1);
}

void *yaml_realloc(void *p, size_t size)
{
    yaml_requests++;
    return request_fails() ? NULL : realloc(p, size ? size : 1);
}

void yaml_free(void *p)
{
    free(p);
}

yaml_char_t *yaml_strdup(const yaml_char_t *s)
{
    size_t n = s ? strlen((const char *)s) + 1 : 0;
    yaml_char_t *copy = n ? yaml_malloc(n) : NULL;

    return copy ? memcpy(copy, s, n) : NULL;
}

static void check_failure(uint64_t n, int err, const char *why, uint64_t before)
{
    if (test_failed() && err && (!why[0] || strchr(why, '\n')))
        fail_msg("request %llu: error %d without one line: '%s'", (unsigned long long)n, err, why);
    if (test_live() != before)
        fail_msg("request %llu: %lld not given back", (unsigned long long)n,
                 (long long)(test_live() - before));
}

/* Runs fn with the 1st, 2nd, ... request failing until none fails any more. */
static void each_failure(int (*fn)(char *why, size_t why_size), unsigned at_least)
{
    bool more = true;

    for (uint64_t n = 1; more; n++) {
        uint64_t before = test_live();
        char why[400] = "";
        int err;

        test_fail_at(n);
        err = fn(why, sizeof(why));
        more = test_failed();
        check_failure(n, err, why, before);
        if (!more && err)
            fail_msg("without a failure: %d, %s", err, why);
        if (!more && n <= at_least)
            fail_msg("only %llu requests", (unsigned long long)n - 1);
        assert_true(n < 20000);
    }
    test_fail_at(0);
}

/* ---- settings ---- */

static const struct {
    const char *key, *value;
} settings[] = {
    {"name", "one"},          {"guest-arch", "riscv64"},
    {"memory", "16M"},        {"smp", "2"},
    {"firmware", "firmware"}, {"append", "a b"},
    {"disk", "d.img"},        {"disk", "e.img,ro"},
    {"iso", "f.img"},         {"publish", "1:2"},
    {"serial", "file:out"},   {"console", "unix:socket"},
    {"log", "all=error"},     {"machine", "virt,aia=aplic-imsic"},
};

static cv_config *make_config(unsigned count, char *why, size_t why_size, int *err)
{
    cv_config *c = cv_config_create();

    *err = c ? 0 : -ENOMEM;
    if (!c)
        strcpy(why, "no memory");
    for (unsigned i = 0; !*err && i < count; i++)
        *err = cv_config_set(c, settings[i].key, settings[i].value, why, why_size);
    return c;
}

static int set_all(char *why, size_t why_size)
{
    int err;

    cv_config_destroy(make_config(ARRAY_SIZE(settings), why, why_size, &err));
    return err;
}

static void setting(void **state)
{
    (void)state;
    each_failure(set_all, 10);
}

/* Nothing is set by a file that could not be read to its end. */
static int load_file(char *why, size_t why_size)
{
    struct config c;
    int err;

    config_init(&c);
    err = config_load(&c, "folder/vm.yaml", why, why_size);
    if (err) {
        assert_string_equal(c.desc.name, "vm");
        assert_int_equal(c.desc.disk_count, 0);
        assert_null(c.place[CONFIG_NAME].file);
    } else {
        assert_string_equal(c.desc.name, "two");
        assert_int_equal(c.desc.disk_count, 2);
        assert_int_equal(c.place[CONFIG_DISK].line, 3);
    }
    config_fini(&c);
    return err;
}

static void loading(void **state)
{
    static const char text[] =
        "name: two\ndisk:\n  - a.img\n  - b.img,ro\nappend: 'a  b'\nmachine: virt,aia=none\n";

    (void)state;
    test_file("folder/vm.yaml", text, sizeof(text) - 1, true);
    yaml_requests = 0;
    each_failure(load_file, 60);
    assert_true(yaml_requests > 100); /* they did come here */
    test_reset();
}

/* ---- whole VMs ---- */

static void make_files(void)
{
    static const char program[] = "\x73\0\x50\x10"; /* wfi */

    static const char header[64] = {[56] = 'R', 'S', 'C', 5};

    test_file("firmware", program, 4, true);
    test_file("Image", header, sizeof(header), true);
    test_file("d.img", NULL, 4096, false);
    test_file("e.img", NULL, 4096, true);
    test_file("f.img", NULL, 4096, true);
}

static int with_config(int (*fn)(cv_config *c, char *why, size_t why_size), const char *accel, char *why,
                       size_t why_size)
{
    int err;
    cv_config *c = make_config(ARRAY_SIZE(settings), why, why_size, &err);

    if (!err)
        err = cv_config_set(c, "accel", accel, why, why_size);
    if (!err)
        err = fn(c, why, why_size);
    cv_config_destroy(c);
    return err;
}

static int check(cv_config *c, char *why, size_t why_size)
{
    return cv_config_check(c, why, why_size);
}

static int create(cv_config *c, char *why, size_t why_size)
{
    cv_vm *vm;
    int err = cv_vm_create(&vm, c, why, why_size);

    assert_true(!err == !!vm);
    cv_vm_destroy(vm);
    return err;
}

static int inspect(cv_config *c, char *why, size_t why_size)
{
    cv_vm *vm;
    int err = cv_vm_inspect(&vm, c, why, why_size);

    assert_true(!err == !!vm);
    if (!err) {
        char refused[160];

        assert_int_equal(cv_vm_start(vm, refused, sizeof(refused)), -EINVAL);
    }
    cv_vm_destroy(vm);
    return err;
}

static int check_it(char *why, size_t why_size)
{
    return with_config(check, "interp", why, why_size);
}

/* The ISA is in the kernel's header. */
static int probe_it(char *why, size_t why_size)
{
    cv_config *c = cv_config_create();
    int err = c ? cv_config_set(c, "kernel", "Image", why, why_size) : -ENOMEM;

    if (!c)
        strcpy(why, "no memory");
    if (!err)
        err = cv_config_check(c, why, why_size);
    cv_config_destroy(c);
    return err;
}

static int create_interp(char *why, size_t why_size)
{
    return with_config(create, "interp", why, why_size);
}

static int create_auto(char *why, size_t why_size)
{
    return with_config(create, "auto", why, why_size);
}

/* Without firmware: two banks of flash to be filled each time would take long. */
static int create_arm64(const char *machine, char *why, size_t why_size)
{
    const char *const words[][2] = {{"guest-arch", "arm64"}, {"accel", "interp"}, {"machine", machine},
                                    {"kernel", "firmware"},  {"memory", "16M"},   {"smp", "2"},
                                    {"disk", "d.img"},       {"publish", "1:2"},  {"serial", "file:out"}};
    cv_config *c = cv_config_create();
    int err = c ? 0 : -ENOMEM;

    if (!c)
        strcpy(why, "no memory");
    for (unsigned i = 0; !err && i < ARRAY_SIZE(words); i++)
        err = cv_config_set(c, words[i][0], words[i][1], why, why_size);
    if (!err)
        err = create(c, why, why_size);
    cv_config_destroy(c);
    return err;
}

static int create_gic2(char *why, size_t why_size)
{
    return create_arm64("virt,gic=2", why, why_size);
}

static int create_gic3(char *why, size_t why_size)
{
    return create_arm64("virt,gic=3", why, why_size);
}

static int inspect_it(char *why, size_t why_size)
{
    return with_config(inspect, "interp", why, why_size);
}

static void creating(void **state)
{
    (void)state;
    make_files();
    each_failure(check_it, 11);
    each_failure(probe_it, 5);
    each_failure(create_interp, 60);
    each_failure(create_auto, 60);
    each_failure(create_gic2, 60);
    each_failure(create_gic3, 60);
    each_failure(inspect_it, 60);
    test_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting),
        cmocka_unit_test(loading),
        cmocka_unit_test(creating),
    };

    return cmocka_run_group_tests_name("api-fail", tests, NULL, NULL);
}
