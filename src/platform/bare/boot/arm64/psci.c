/*
 * Firmware of the board: PSCI 0.2 and later (DEN 0022), SMCCC's workarounds, by SMC. At EL2 HVC would be a
 * call to ourselves.
 */
#include "isa/arm64/psci.h"
#include "lib/err.h"
#include "lib/str.h"
#include "platform/bare/board.h"
#include "platform/bare/boot/arm64/firmware.h"
#include "platform/bare/boot/arm64/smccc.h"
#include "platform/bare/boot/arm64/sysreg.h"

static bool usable;
static struct smccc workarounds;

static int64_t call(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;

    __asm__ volatile("smc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                       "x17", "memory");
    return (int64_t)x0;
}

void psci_init(const struct board *b)
{
    static const char *const names[] = {"arm,psci-1.0", "arm,psci-0.2"};
    uint32_t size;

    for (unsigned i = 0; i < ARRAY_SIZE(names) && !usable; i++) {
        dtb_node n = dtb_compatible(&b->dtb, DTB_NONE, names[i]);
        const char *method = n == DTB_NONE ? NULL : dtb_prop(&b->dtb, n, "method", &size);

        usable = method && size == 4 && !memcmp(method, "smc", 4);
    }
}

int psci_cpu_on(uint64_t hw_id, uint64_t entry_pa, uint64_t arg)
{
    int64_t r;

    if (!usable)
        return -ENOTSUP;
    r = call(PSCI_CPU_ON_64, hw_id, entry_pa, arg);
    return !r ? 0 : r == PSCI_ALREADY_ON || r == PSCI_ON_PENDING ? -EBUSY : -EINVAL;
}

void psci_system(bool reset)
{
    if (usable)
        call(reset ? PSCI_SYSTEM_RESET : PSCI_SYSTEM_OFF, 0, 0, 0);
}

void firmware_cpu_setup(void)
{
    if (usable)
        smccc_ask(&workarounds, call);
}

bool firmware_there(void)
{
    return usable;
}

int32_t firmware_features(uint32_t workaround)
{
    return smccc_answer(&workarounds, workaround);
}

void firmware_workaround(uint32_t function, uint32_t arg)
{
    /* One that no CPU said it has is a call that this firmware may not survive. */
    if (smccc_answer(&workarounds, function) != SMCCC_NOT_SUPPORTED)
        call(function, arg, 0, 0);
}
