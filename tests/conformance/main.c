/* The conformance suite: every test over every (guest, engine) pair. Argument: a word of the pairs to run. */
#include "conformance.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T(name)                                                                                              \
    {                                                                                                        \
#name, name                                                                                          \
    }

static const struct {
    const char *name;
    void (*fn)(void **state);
} tests[] = {
    T(exec_registers),
    T(exec_mmio),
    T(exec_bus_error),
    T(exec_illegal),
    T(exec_budget),
    T(exec_code_rewritten_by_guest),
    T(exec_code_rewritten_by_host),
    T(exec_dirty_again),
    T(exec_watch),
    T(exec_flush_keeps_state),
    T(exec_random_code),
    T(exec_deterministic),
    T(exec_checkpointed),
    T(life_halt_and_wake),
    T(life_inject_not_lost),
    T(life_inject_handshake),
    T(life_pause),
    T(life_pause_while_halted),
    T(life_stop),
    T(life_first_result_stands),
    T(life_reset),
    T(life_reset_refused),
    T(life_states),
    T(life_calls),
    T(life_two_vms),
    T(life_destroy_running),
};

static int run_pair(struct rig_pair *pair, const char *only)
{
    struct CMUnitTest t[ARRAY_SIZE(tests)];
    char group[64], names[ARRAY_SIZE(tests)][96];
    size_t n = 0;

    snprintf(group, sizeof(group), "%s on %s", pair->isa->guest->name, pair->engine->name);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        snprintf(names[n], sizeof(names[n]), "%s on %s: %s", pair->isa->guest->name, pair->engine->name,
                 tests[i].name);
        if (only && !strstr(names[n], only))
            continue;
        t[n] = (struct CMUnitTest){names[n], tests[i].fn, NULL, NULL, pair};
        n++;
    }
    return n ? _cmocka_run_group_tests(group, t, n, NULL, NULL) : 0;
}

int main(int argc, char **argv)
{
    struct rig_pair pairs[16];
    unsigned n = rig_pairs(pairs, ARRAY_SIZE(pairs));
    int failed = 0;

    for (unsigned i = 0; i < n; i++)
        failed += run_pair(&pairs[i], argc > 1 ? argv[1] : NULL);
    return failed != 0;
}
