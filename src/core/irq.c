/* Interrupt lines, message interrupts, and the CPU inputs behind them. */
#include "core/irqchip.h"
#include "core/vm.h"

void irq_line_set(const struct irq_line *line, bool level)
{
    if (line->controller)
        line->controller->ops->line(line->controller, line->input, level);
}

void irq_line_pulse(const struct irq_line *line)
{
    irq_line_set(line, true);
    irq_line_set(line, false);
}

void irqchip_cpu_input(struct vcpu *v, unsigned input, bool level)
{
    if (UNLIKELY(v->vm->log.trace & TRACE_IRQ))
        trace_write(&v->vm->log, "irq: cpu%u input %u = %d", v->id, input, level);
    v->vm->guest->irq_input(v, input, level);
    if (level)
        vcpu_request(v, VCPU_REQ_IRQ);
}

void msi_send(struct vm *vm, uint64_t address, uint32_t data)
{
    uint64_t value = data;

    if (!bus_forward(vm, address, 4, true, &value))
        log_write(&vm->log, LOG_DEV, LOG_DEBUG, "msi: nothing at 0x%llx takes 0x%x",
                  (unsigned long long)address, data);
}

void msi_send_from(struct vm *vm, uint32_t source, uint64_t address, uint32_t data)
{
    const struct mem_region *r = mem_find(&vm->mem, address);
    struct device *d = r && r->kind == MEM_MMIO ? r->dev : NULL;
    bool ok;

    if (!d || !d->ops->msi) {
        msi_send(vm, address, data);
        return;
    }
    plat_lock(&d->lock);
    ok = d->ops->msi(d, r->dev_region, address - r->base, source, data);
    plat_unlock(&d->lock);
    if (!ok)
        log_write(&vm->log, LOG_DEV, LOG_DEBUG, "msi: 0x%x from 0x%x to 0x%llx leads nowhere", data, source,
                  (unsigned long long)address);
}
