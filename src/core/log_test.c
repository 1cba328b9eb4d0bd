/* Levels and traces: what is parsed, what is refused with which hint, what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/log.h"

static void levels(void **state)
{
    struct log l = {0};
    char why[160] = "", spec[40];

    (void)state;
    for (unsigned i = 0; i < LOG_SUBS; i++) {
        snprintf(spec, sizeof(spec), "%s=debug", log_sub_names[i]);
        assert_int_equal(log_parse(&l, spec, why, sizeof(why)), 0);
        for (unsigned k = 0; k < LOG_SUBS; k++)
            assert_int_equal(l.level[k], k <= i ? LOG_DEBUG : LOG_ERROR);
    }
    assert_int_equal(log_parse(&l, "all=warn", why, sizeof(why)), 0);
    for (unsigned i = 0; i < LOG_SUBS; i++)
        assert_int_equal(l.level[i], LOG_WARN);
    assert_int_equal(log_parse(&l, "jit=info", why, sizeof(why)), 0);
    assert_int_equal(l.level[LOG_JIT], LOG_INFO);
    assert_int_equal(l.level[LOG_CPU], LOG_WARN);
}

static void levels_refused(void **state)
{
    static const struct {
        const char *spec, *hint;
    } rows[] = {
        {"jit", "SUBSYSTEM=LEVEL"},
        {"", "SUBSYSTEM=LEVEL"},
        {"jot=debug", "'jit'"},
        {"blok=debug", "'block'"},
        {"jit=debugg", "'debug'"},
        {"jit=", "known: error, warn, info, debug"},
        {"=debug", "known: core"},
        {"alle=debug", "unknown"},
        {"jit=debug,cpu=info", "unknown"},
        {"firmwares=warn", "'firmware'"},
    };
    struct log l = {0}, zero = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[160] = "";

        assert_int_equal(log_parse(&l, rows[i].spec, why, sizeof(why)), -EINVAL);
        assert_non_null(strstr(why, rows[i].hint));
        assert_memory_equal(&l, &zero, sizeof(l));
    }
}

static void traces(void **state)
{
    static const struct {
        const char *list;
        uint32_t bits;
    } rows[] = {
        {"", 0},
        {"unit", TRACE_UNIT},
        {"unit,ir,asm", TRACE_UNIT | TRACE_IR | TRACE_ASM},
        {"exit,mmio,irq,exc", TRACE_EXIT | TRACE_MMIO | TRACE_IRQ | TRACE_EXC},
        {"ir,ir", TRACE_IR},
        {"ir,", TRACE_IR},
    };
    static const char *const bad[] = {"units", "unit,x", ",unit", "unit,,ir", "unit ir"};
    char why[160];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct log l = {0};

        assert_int_equal(trace_parse(&l, rows[i].list, why, sizeof(why)), 0);
        assert_int_equal(l.trace, rows[i].bits);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct log l = {0};

        assert_int_equal(trace_parse(&l, bad[i], why, sizeof(why)), -EINVAL);
        assert_int_equal(l.trace, 0);
        assert_non_null(strstr(why, "unknown"));
    }
}

/* What fn writes to stderr. */
static void captured(void (*fn)(const struct log *l), const struct log *l, char *buf, size_t size)
{
    int fd[2], saved = dup(2);
    ssize_t n;

    assert_int_equal(pipe(fd), 0);
    dup2(fd[1], 2);
    fn(l);
    dup2(saved, 2);
    close(fd[1]);
    close(saved);
    n = read(fd[0], buf, size - 1);
    close(fd[0]);
    buf[n > 0 ? n : 0] = 0;
}

static void write_some(const struct log *l)
{
    log_write(l, LOG_NET, LOG_ERROR, "e%d", 1);
    log_write(l, LOG_NET, LOG_WARN, "w%s", "2");
    log_write(l, LOG_NET, LOG_INFO, "i3");
    log_write(l, LOG_NET, LOG_DEBUG, "d4");
    log_write(l, LOG_JIT, LOG_DEBUG, "d5");
    trace_write(l, "irq: %u", 6);
}

static void write_long(const struct log *l)
{
    char text[3000];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    log_write(l, LOG_NET, LOG_ERROR, "%s", text);
}

static void output(void **state)
{
    struct log l = {.level = {[LOG_NET] = LOG_INFO}};
    char buf[4096];

    (void)state;
    captured(write_some, &l, buf, sizeof(buf));
    assert_string_equal(buf, "carbovisor: e1\ncarbovisor: warning: w2\ncarbovisor: i3\nirq: 6\n");
    l.level[LOG_NET] = LOG_ERROR;
    captured(write_some, &l, buf, sizeof(buf));
    assert_string_equal(buf, "carbovisor: e1\nirq: 6\n");
    captured(write_some, NULL, buf, sizeof(buf)); /* before there is a VM: all of it */
    assert_non_null(strstr(buf, "debug: d5\n"));
    captured(write_long, &l, buf, sizeof(buf)); /* cut, and still one line */
    assert_int_equal(strlen(buf), 1024);
    assert_int_equal(buf[1023], '\n');
    assert_null(memchr(buf, '\n', 1023));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(levels_refused),
        cmocka_unit_test(traces),
        cmocka_unit_test(output),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
