/*
 * The guest's CPU interface. By software: its registers are trapped to guest/arm64/gic.c or stand in the
 * device (GICv2), and HCR_EL2.VI and VF signal.
 */
#include "engine/bare/arm64/hw.h"
#include "isa/arm64/dt.h"
#include "platform/bare/drivers/gic.h"

#define ICH_HCR S3_4_C12_C11_0
/* ICH_HCR_EL2 (IHI 0069, 12.4.8): TC 10, TALL0 11, TALL1 12 */
#define ICH_HCR_TRAPS (BIT(10) | BIT(11) | BIT(12))
#define wr_ich_hcr(v) wr_named(ICH_HCR, v)
#define wr_named(name, v) sys_write(name, v)

void vgic_cpu_init(struct hw_cpu *hc)
{
    (void)hc;
    if (gic_get()->version == 3)
        wr_ich_hcr(ICH_HCR_TRAPS);
}

void vgic_vcpu_init(struct hw_vcpu *h)
{
    (void)h;
}

void vgic_load(struct hw_cpu *hc, struct hw_vcpu *h)
{
    (void)hc;
    (void)h;
}

void vgic_unload(struct hw_cpu *hc, struct hw_vcpu *h)
{
    (void)hc;
    (void)h;
}

void vgic_drop(struct hw_vcpu *h)
{
    h->vgic.vtimer_due = false;
}

/*
 * Level of the virtual timer, as its register says: enabled, not masked, due (D12.2.4). While it is up the
 * host's interrupt stays active, so that it does not come again at once.
 */
static bool vtimer_level(struct hw_vcpu *h)
{
    uint64_t ctl = el2_vhe() ? sys_read(S3_5_C14_C3_1) : sys_read(cntv_ctl_el0);

    (void)h;
    return (ctl & 7) == 5;
}

void vgic_fold(struct hw_vcpu *h)
{
    bool on = arch_irq_save(), level;

    hw_here_with(h);
    level = vtimer_level(h);
    if (h->vgic.vtimer_due && !level) {
        h->vgic.vtimer_due = false;
        gic_get()->driver->private_active(gic_get(), gic_get()->vtimer, false);
    }
    arch_irq_restore(on);
    arm64_private_line(h->a, A64_INTID_TIMER_VIRT, level);
}

void vgic_fill(struct hw_vcpu *h)
{
    uint64_t s = arm64_signals(h->a);

    h->hcr &= ~(uint64_t)(HCR_VI | HCR_VF | HCR_VSE);
    h->hcr |= (s & BIT(ARM64_INPUT_IRQ) ? HCR_VI : 0) | (s & BIT(ARM64_INPUT_FIQ) ? HCR_VF : 0) |
              (s & BIT(ARM64_INPUT_SERROR) ? HCR_VSE : 0);
}

void vgic_vtimer(void *arg)
{
    struct hw_cpu *hc = hw_here();

    (void)arg;
    if (!hc->loaded || hc->loaded->home != hc->cpu)
        return;
    hc->loaded->vgic.vtimer_due = true;
    gic_forward();
}
