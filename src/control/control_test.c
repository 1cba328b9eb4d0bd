/* Commands: words and quotes, the table, every command on a VM, refusals in one line, completion, the editor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "control/editor.h"
#include "control/words.h"
#include "engine/minimal/testvm.h"

struct fixture {
    struct control c;
    struct vm *vm[2];
    unsigned count, weight, budget, quits, acts;
    uint64_t mask;
    char out[20000], why[300];
};

static bool vm_at(void *opaque, unsigned i, struct control_vm *out)
{
    static const char *const names[] = {"one", "two"};
    static const struct vm_desc desc = {.name = "two", .guest_arch = "mock", .machine = "virt", .cpu = "max"};
    struct fixture *f = opaque;

    if (i >= f->count)
        return false;
    *out = (struct control_vm){names[i], f->vm[i], &desc};
    return true;
}

static int vm_act(void *opaque, unsigned i, enum control_act act, char *why, size_t why_size)
{
    struct fixture *f = opaque;

    f->acts = f->acts * 10 + i * 3 + act + 1;
    snprintf(why, why_size, "acted");
    return 0;
}

static int sched_set(void *opaque, unsigned i, unsigned weight, unsigned budget, char *why, size_t why_size)
{
    struct fixture *f = opaque;

    (void)i, (void)why, (void)why_size;
    f->weight = weight ? weight : f->weight;
    f->budget = budget ? budget : f->budget;
    return 0;
}

static int affinity(void *opaque, unsigned i, unsigned vcpu, uint64_t cpus, char *why, size_t why_size)
{
    (void)i, (void)vcpu, (void)why, (void)why_size;
    ((struct fixture *)opaque)->mask = cpus;
    return 0;
}

static int log_line(void *opaque, unsigned i, char *buf, size_t size)
{
    (void)opaque;
    return i < 2 ? snprintf(buf, size, "message \"%u\"", i) : -1;
}

static void quit(void *opaque)
{
    ((struct fixture *)opaque)->quits++;
}

static const struct control_ops ops = {.form = "test",
                                       .vm_at = vm_at,
                                       .vm_act = vm_act,
                                       .vcpu_affinity = affinity,
                                       .sched_set = sched_set,
                                       .log_line = log_line,
                                       .quit = quit};

static void add_line(void *opaque, const char *text)
{
    struct fixture *f = opaque;
    size_t n = strlen(f->out);

    assert_null(strchr(text, '\n'));
    snprintf(f->out + n, sizeof(f->out) - n, "%s\n", text);
}

static int run(struct fixture *f, const char *line)
{
    f->out[0] = f->why[0] = 0;
    return control_run(&f->c, line, add_line, f, f->why, sizeof(f->why));
}

static void says(struct fixture *f, const char *line, const char *text)
{
    if (run(f, line))
        fail_msg("%s: %s", line, f->why);
    if (!strstr(f->out, text))
        fail_msg("%s: '%s' does not say '%s'", line, f->out, text);
}

static void refuses(struct fixture *f, const char *line, const char *text)
{
    if (!run(f, line))
        fail_msg("%s: is no error", line);
    if (!strstr(f->why, text) || strchr(f->why, '\n'))
        fail_msg("%s: '%s' does not say '%s'", line, f->why, text);
}

static struct fixture *setup(unsigned count)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->count = count;
    f->vm[0] = testvm_new(2);
    control_init(&f->c, &ops, f);
    return f;
}

static void teardown(struct fixture *f)
{
    vm_destroy(f->vm[0]);
    control_fini(&f->c);
    free(f);
}

static void test_words(void **state)
{
    char why[100], line[CONTROL_LINE + 10];
    struct words w;

    (void)state;
    assert_int_equal(words_split(&w, "  a 'b c'  d\"e \\\" f\"g h\\ i ''\r", false, why, sizeof(why)), 0);
    assert_int_equal(w.count, 5);
    assert_string_equal(w.word[0], "a");
    assert_string_equal(w.word[1], "b c");
    assert_string_equal(w.word[2], "de \" fg");
    assert_string_equal(w.word[3], "h i");
    assert_string_equal(w.word[4], "");
    assert_true(w.ended);
    assert_int_not_equal(words_split(&w, "a 'b", false, why, sizeof(why)), 0);
    assert_int_equal(words_split(&w, "a 'b", true, why, sizeof(why)), 0);
    assert_int_equal(w.at[1], 2);
    assert_false(w.ended);
    memset(line, 'x', sizeof(line));
    line[CONTROL_LINE] = 0;
    assert_int_not_equal(words_split(&w, line, false, why, sizeof(why)), 0);
    line[CONTROL_LINE - 1] = 0;
    assert_int_equal(words_split(&w, line, false, why, sizeof(why)), 0);
    for (size_t i = 0; i < 60; i++)
        line[i] = i & 1 ? ' ' : 'y';
    assert_int_not_equal(words_split(&w, line, false, why, sizeof(why)), 0);
}

static void test_commands(void **state)
{
    struct fixture *f = setup(2);

    (void)state;
    says(f, "", "");
    says(f, "help", "vm list");
    says(f, "help vm info --json", "{\"command\":\"vm info\",\"takes\":\"VM\"");
    says(f, "vm list", "one               created");
    says(f, "vm list", "two               described");
    says(f, "vm list --json", "{\"name\":\"one\",\"state\":\"created\"");
    says(f, "vm info 'one'", "engine           minimal");
    says(f, "vcpu list one", "1    ");
    says(f, "vcpu regs one 1", "cpu1.");
    says(f, "mem list one --json", "\"kind\":\"ram\"");
    says(f, "mem write one 0x80000010 0x41 66", "");
    says(f, "mem read one 0x80000010 2", "41 42");
    says(f, "--json mem read one 0x80000010 2",
         "{\"address\":\"0x80000010\",\"bytes\":\"41 42\",\"text\":\"AB\"}");
    says(f, "dev list one", "0x10000000");
    says(f, "irq list one", "taken");
    says(f, "stats one", "insns");
    says(f, "log", "message \"1\"");
    says(f, "log --json", "{\"line\":\"message \\\"1\\\"\"}");
    says(f, "log one mem=debug", "");
    assert_int_equal(f->vm[0]->log.level[LOG_MEM], LOG_DEBUG);
    says(f, "trace start one mmio,irq", "");
    assert_int_equal(f->vm[0]->log.trace, TRACE_MMIO | TRACE_IRQ);
    says(f, "trace stop one", "");
    assert_int_equal(f->vm[0]->log.trace, 0);
    says(f, "sched weight two 300", "");
    says(f, "sched budget two 150", "");
    assert_int_equal(f->weight, 300);
    assert_int_equal(f->budget, 150);
    says(f, "vcpu affinity one 1 0,3", "");
    assert_int_equal(f->mask, 9);
    says(f, "vm create two", "");
    says(f, "vm start one", "");
    says(f, "vm destroy two", "");
    assert_int_equal(f->acts, 426);
    says(f, "quit", "");
    assert_int_equal(f->quits, 1);
    teardown(f);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"v", "command 'v' is unknown"},
        {"vm", "vm: say what to do; known: list, info"},
        {"vm lsit", "vm: 'lsit' is unknown; the nearest is 'list'"},
        {"vm info", "name a VM; known: one, two"},
        {"vm info tow", "VM 'tow' is unknown; the nearest is 'two'"},
        {"vm info one extra", "usage: vm info VM"},
        {"vm list extra", "usage: vm list"},
        {"vm list --jsno", "flag '--jsno' is unknown"},
        {"vm pause two", "VM 'two' is not created; `vm create two` makes it"},
        {"vm pause one", "VM 'one' is created, it does not run"},
        {"vm resume one", "it does not run"},
        {"vm stop one", "it does not run"},
        {"vm reset one", "it does not run"},
        {"vm console one", "vm console is not possible in the test form"},
        {"vcpu regs one 2", "CPU: 2 is too large, at most 1 is possible"},
        {"vcpu regs one x", "CPU: 'x' is no number"},
        {"vcpu affinity one 0 0,x", "is no CPU of the host"},
        {"vcpu affinity one 0 64", "is no CPU of the host"},
        {"mem read one", "usage: mem read VM ADDRESS [LENGTH]"},
        {"mem read one 0", "not all of 0x0 to 0xf is memory"},
        {"mem read one 0xfffffffffffffff8", "not all of"},
        {"mem read one 0x80000000 4097", "LENGTH: 4097 is too large"},
        {"mem write one 0x80000000 256", "BYTE: 256 is too large, at most 255 is possible"},
        {"mem write one 0x80000000", "usage: mem write"},
        {"mem write one 0 1", "not all of 0x0 to 0x0 is RAM"},
        {"dev info one uart", "DEVICE: 'uart' is unknown"},
        {"sched show", "the host's own scheduler"},
        {"sched policy all rr", "sched policy is not possible"},
        {"sched pin one 0 none", "sched pin is not possible"},
        {"sched pin one 0 64", "HOSTCPU: 64 is too large"},
        {"sched pin one 2 1", "CPU: 2 is too large"},
        {"sched weight two 0", "0 is too small"},
        {"sched weight two 1001", "1001 is too large"},
        {"sched budget two many", "PERCENT: 'many' is no number"},
        {"trace start one mmoi", "nearest is 'mmio'"},
        {"trace show one", "engine minimal keeps no history"},
        {"log one", "usage: log"},
        {"log one jit=loud", "level 'loud' is unknown"},
        {"log three", "VM 'three' is unknown"},
        {"help nothing", "there is no command 'nothing'"},
        {"vm 'list", "a quote has no end"},
    };
    struct fixture *f = setup(2);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        refuses(f, rows[i].line, rows[i].says);
    teardown(f);
    f = setup(0);
    says(f, "vm list", "");
    refuses(f, "vm info", "there are no VMs");
    refuses(f, "stats", "there are no VMs");
    teardown(f);
}

/* Where there is one VM it need not be named. */
static void test_only_vm(void **state)
{
    struct fixture *f = setup(1);

    (void)state;
    says(f, "vm info", "engine");
    says(f, "mem read 0x80000000 4", "00 00 00 00");
    says(f, "mem read 0x80000000", "0x80000030");
    says(f, "vcpu regs 1", "cpu1.");
    says(f, "irq list", "taken");
    says(f, "stats", "insns");
    refuses(f, "vcpu regs tow", "CPU: 'tow' is no number");
    refuses(f, "dev info", "usage: dev info");
    refuses(f, "mem read", "usage: mem read");
    teardown(f);
}

/* ---- a VM that runs ---- */

/* Long values are cut, but what comes is an object, and a line a field. */
static void test_long_values(void **state)
{
    struct fixture *f = setup(1);
    const char *append = f->vm[0]->desc.append;
    char text[3001];

    (void)state;
    memset(text, '"', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    f->vm[0]->desc.append = text;
    says(f, "vm info --json", "\\\"...\",");
    says(f, "vm info --json", "\"budget\":0}\n");
    f->vm[0]->desc.append = "x\n.\ny\033[";
    says(f, "vm info", "append           x . y [\n");
    f->vm[0]->desc.append = append;
    teardown(f);
}

static void test_running(void **state)
{
    struct fixture *f = setup(1);
    struct vm_result r;

    (void)state;
    if (vm_start(f->vm[0], f->why, sizeof(f->why)))
        fail_msg("%s", f->why);
    says(f, "vm list", "running");
    says(f, "vcpu regs 0", "cpu0.");
    says(f, "vm list", "running"); /* it was held for the registers only */
    says(f, "vm pause", "");
    refuses(f, "vm pause", "is paused already");
    says(f, "vm list", "paused");
    says(f, "vm resume", "");
    refuses(f, "vm resume", "is not paused");
    says(f, "vm pause", "");
    says(f, "vm stop", ""); /* ends a paused one too */
    assert_int_equal(vm_wait(f->vm[0], PLAT_FOREVER, &r), 0);
    says(f, "vm list", "stopped");
    says(f, "vm info", "ended-by         power off");
    refuses(f, "vm stop", "is stopped, it does not run");
    teardown(f);
}

/* ---- completion ---- */

static void offers(struct fixture *f, const char *line, size_t at, const char *want)
{
    f->out[0] = 0;
    assert_int_equal(control_complete(&f->c, line, add_line, f), at);
    assert_string_equal(f->out, want);
}

static void test_completion(void **state)
{
    struct fixture *f = setup(2);

    (void)state;
    offers(f, "v", 0, "vm\nvcpu\n");
    offers(f, "mem ", 4, "list\nread\nwrite\n");
    offers(f, "vm re", 3, "resume\nreset\n");
    offers(f, "vm info ", 8, "one\ntwo\n");
    offers(f, "vm info t", 8, "two\n");
    offers(f, "vm list --", 8, "--json\n");
    offers(f, "sched policy all ", 17, "rr\nfifo\npriority\n");
    offers(f, "sched policy a", 13, "all\n");
    offers(f, "stats o", 6, "one\n");
    offers(f, "zz ", 3, "");
    offers(f, "vm list x y ", 12, "");
    teardown(f);
}

/* ---- the editor ---- */

struct screen {
    char shown[4000];
    struct fixture *f;
};

static void put(void *opaque, const char *text, size_t len)
{
    struct screen *s = opaque;
    size_t n = strlen(s->shown);

    snprintf(s->shown + n, sizeof(s->shown) - n, "%.*s", (int)len, text);
}

static size_t complete(void *opaque, const char *line, void (*word)(void *opaque, const char *text),
                       void *arg)
{
    return control_complete(&((struct screen *)opaque)->f->c, line, word, arg);
}

/* Types text; gives whether the last byte ended a line. */
static bool type(struct editor *e, const char *text)
{
    bool whole = false;

    for (; *text; text++) {
        if (e->ready)
            editor_next(e);
        whole = editor_byte(e, *text);
    }
    return whole;
}

static void typed(struct editor *e, const char *text, const char *line)
{
    editor_next(e);
    assert_true(type(e, text));
    assert_string_equal(e->line, line);
}

static void test_editor(void **state)
{
    struct screen s = {.f = setup(2)};
    struct editor_ops eops = {put, complete, &s};
    static struct editor e;
    char longest[2 * EDITOR_LINE];

    (void)state;
    editor_init(&e, &eops, "> ");
    typed(&e, "vm list\r", "vm list");
    typed(&e, "ab\033[D\033[DX\r", "Xab");
    typed(&e, "abc\001\004\005d\r", "bcd");
    typed(&e, "abc def\027x\r", "abc x");
    typed(&e, "abc\177\177\r", "a");
    typed(&e, "abc\001\013d\r", "d");
    typed(&e, "abc\025d\r", "d");
    typed(&e, "abc\003d\r", "d");
    typed(&e, "\020\020\020\r", "abc x"); /* equal lines once: d, a, abc x */
    typed(&e, "new\033[A\033[B\r", "new");
    typed(&e, "\033[3~\033[1~\033[99999999999~a\033Ob\r", "a");
    typed(&e, "vm li\t\r", "vm list ");
    s.shown[0] = 0;
    typed(&e, "vm re\t\r", "vm res"); /* resume and reset */
    typed(&e, "vm res\t\r", "vm res");
    assert_non_null(strstr(s.shown, "resume  reset"));
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 2] = '\r';
    longest[sizeof(longest) - 1] = 0;
    editor_next(&e);
    type(&e, longest);
    assert_int_equal(strlen(e.line), EDITOR_LINE - 1);
    assert_false(editor_byte(&e, '\n')); /* of \r\n */
    for (unsigned i = 0; i < 3 * EDITOR_HISTORY; i++) {
        char line[16];

        snprintf(line, sizeof(line), "%u\r", i);
        editor_next(&e);
        type(&e, line);
    }
    editor_next(&e);
    for (unsigned i = 0; i < 2 * EDITOR_HISTORY; i++)
        editor_byte(&e, 16);
    assert_string_equal(e.line, "64"); /* the oldest that is kept */
    teardown(s.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),       cmocka_unit_test(test_commands),
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_only_vm),
        cmocka_unit_test(test_long_values), cmocka_unit_test(test_running),
        cmocka_unit_test(test_completion),  cmocka_unit_test(test_editor),
    };

    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
