/* Which mode guests get, on harts that have one, some or all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "isa/riscv64/csr.h"
#include "isa/riscv64/pte.h"
#include "platform/bare/boot/riscv64/hgatp.h"

/* WARL: a mode that is not there becomes another one, Bare here; or it stays what it was. */
static struct {
    uint32_t modes; /* BIT(MODE) */
    unsigned vmid_bits;
    bool stays;
    uint64_t hgatp;
} hart;

static uint64_t try(uint64_t hgatp)
{
    uint64_t vmid = rv_field_get(hgatp, RV_HGATP_VMID) & (BIT(hart.vmid_bits) - 1);

    if (hart.modes >> (hgatp >> 60) & 1)
        hart.hgatp = hgatp >> 60 << 60 | rv_field_set(0, RV_HGATP_VMID, vmid);
    else if (!hart.stays)
        hart.hgatp = rv_field_set(0, RV_HGATP_VMID, vmid);
    return hart.hgatp;
}

static void modes(void **state)
{
    static const struct {
        uint32_t there;
        uint8_t widest, narrowest;
    } rows[] = {
        {0, 0, 0},
        {BIT(RV_SATP_SV39), RV_SATP_SV39, RV_SATP_SV39},
        {BIT(RV_SATP_SV48), RV_SATP_SV48, RV_SATP_SV48},
        {BIT(RV_SATP_SV57), RV_SATP_SV57, RV_SATP_SV57},
        {BIT(RV_SATP_SV39) | BIT(RV_SATP_SV48), RV_SATP_SV48, RV_SATP_SV39},
        {BIT(RV_SATP_SV48) | BIT(RV_SATP_SV57), RV_SATP_SV57, RV_SATP_SV48},
        {BIT(RV_SATP_SV39) | BIT(RV_SATP_SV48) | BIT(RV_SATP_SV57), RV_SATP_SV57, RV_SATP_SV39},
    };

    (void)state;
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
        struct hgatp_modes m = {1, 1, 1};

        hart.modes = rows[i / 2].there;
        hart.vmid_bits = i % 15; /* 0 to 14 of them (18.2.10) */
        hart.stays = i % 2;
        hart.hgatp = 0;
        hgatp_find(&m, try);
        assert_int_equal(m.widest, rows[i / 2].widest);
        assert_int_equal(m.narrowest, rows[i / 2].narrowest);
        assert_int_equal(m.vmid_bits, m.widest ? hart.vmid_bits : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes),
    };

    return cmocka_run_group_tests_name("boot/riscv64/hgatp", tests, NULL, NULL);
}
