/* The workarounds of the board's firmware, as its CPUs were told. */
#include "platform/bare/boot/arm64/smccc.h"
#include "isa/arm64/psci.h"

#define SMCCC_1_1 0x10001

static const uint32_t functions[SMCCC_WORKAROUNDS] = {SMCCC_ARCH_WORKAROUND_1, SMCCC_ARCH_WORKAROUND_2,
                                                      SMCCC_ARCH_WORKAROUND_3};

/*
 * The safest first: to call what one CPU needs does no harm on another; a guest that is told nothing looks at
 * the CPU itself. -2 is ARCH_WORKAROUND_2's "not needed on any CPU", 1 "not on this one".
 */
static const int32_t answers[] = {0, SMCCC_NOT_SUPPORTED, 1, -2};
enum { ANSWER_UNKNOWN = 1 };

/* Earlier firmware need not survive a call it does not know; PSCI's own tell (DEN 0028, 2.11 and appendix B).
 */
static bool has_1_1(smccc_call *call)
{
    return (uint32_t)call(PSCI_VERSION, 0, 0, 0) >= 0x10000 &&
           (int32_t)call(PSCI_FEATURES, SMCCC_VERSION, 0, 0) >= 0 &&
           (int32_t)call(SMCCC_VERSION, 0, 0, 0) >= SMCCC_1_1;
}

void smccc_ask(struct smccc *s, smccc_call *call)
{
    bool there = has_1_1(call);

    for (unsigned i = 0; i < SMCCC_WORKAROUNDS; i++) {
        int32_t says = there ? (int32_t)call(SMCCC_ARCH_FEATURES, functions[i], 0, 0) : SMCCC_NOT_SUPPORTED;
        unsigned k = 0;

        while (k < ARRAY_SIZE(answers) && answers[k] != says)
            k++;
        atomic_fetch_or(&s->said[i], BIT(k < ARRAY_SIZE(answers) ? k : ANSWER_UNKNOWN));
    }
}

int32_t smccc_answer(struct smccc *s, uint32_t workaround)
{
    for (unsigned i = 0; i < SMCCC_WORKAROUNDS; i++) {
        uint32_t said = functions[i] == workaround ? atomic_load(&s->said[i]) : 0;

        if (said)
            return answers[__builtin_ctz(said)];
    }
    return SMCCC_NOT_SUPPORTED;
}
