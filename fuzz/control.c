/* Any text as a command of the monitor, and as the beginning of one: refused or run, and every line of output
 * whole. */
#include "control/control.h"
#include "fuzz.h"

static bool vm_at(void *opaque, unsigned i, struct control_vm *out)
{
    static const struct vm_desc desc = {
        .name = "one", .guest_arch = "riscv64", .machine = "virt", .cpu = "max"};

    if (i >= *(unsigned *)opaque)
        return false;
    *out = (struct control_vm){i ? "two" : "one", NULL, &desc};
    return true;
}

static int vm_act(void *opaque, unsigned i, enum control_act act, char *why, size_t why_size)
{
    (void)opaque, (void)i, (void)act;
    snprintf(why, why_size, "no");
    return -1;
}

static int sched_set(void *opaque, unsigned i, unsigned weight, unsigned budget, char *why, size_t why_size)
{
    (void)opaque, (void)i, (void)why, (void)why_size;
    FUZZ_CHECK(weight <= 1000 && budget <= 6400 && (weight || budget));
    return 0;
}

static int sched_policy(void *opaque, unsigned cpu, const char *policy, char *why, size_t why_size)
{
    (void)opaque, (void)why, (void)why_size;
    FUZZ_CHECK(cpu <= 63 || cpu == UINT32_MAX);
    return strlen(policy) == 3;
}

static void line(void *opaque, const char *text)
{
    (void)opaque;
    FUZZ_CHECK(!strchr(text, '\n') || strlen(text) < CONTROL_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct control_ops ops = {.form = "fuzz",
                                           .vm_at = vm_at,
                                           .vm_act = vm_act,
                                           .sched_set = sched_set,
                                           .sched_policy = sched_policy};
    unsigned vms = size ? data[0] % 3 : 0;
    char *text = malloc(size + 1), why[200] = "";
    struct control c;

    memcpy(text, data, size);
    text[size] = 0;
    control_init(&c, &ops, &vms);
    control_run(&c, size ? text + 1 : text, line, NULL, why, sizeof(why));
    FUZZ_CHECK(strlen(why) < sizeof(why));
    FUZZ_CHECK(control_complete(&c, text, line, NULL) <= size);
    control_fini(&c);
    free(text);
    return 0;
}
