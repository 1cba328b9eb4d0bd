/* What the boards called "virt" have in common. */
#include "machine/virt.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

int virt_check(const struct virt_board *b, const struct vm_desc *d, char *why, size_t why_size)
{
    int err = machine_options_check("virt", d->machine_options, b->options, why, why_size);

    if (err)
        return err;
    if (virtio_slots_check(d, b->slots.count, why, why_size))
        return -EINVAL;
    if (!d->kernel && !d->firmware) {
        fmt_snprintf(why, why_size, "nothing to boot; name a kernel (--kernel) or a firmware (--firmware)");
        return -EINVAL;
    }
    if (d->memory < b->ram_min || d->memory > b->ram_max || d->memory % MEM_PAGE_SIZE) {
        fmt_snprintf(why, why_size,
                     "memory: %llu bytes are not possible; machine virt takes %llu MiB to %llu GiB in whole "
                     "pages of 4 KiB",
                     (unsigned long long)d->memory, (unsigned long long)(b->ram_min >> 20),
                     (unsigned long long)(b->ram_max >> 30));
        return -EINVAL;
    }
    return 0;
}

/* The reason of one that has no memory would advise less RAM, of which there may be the least possible. */
int virt_build_flash(struct vm *vm, const char *id, const struct cfi_config *c, char *why, size_t why_size)
{
    static const char of_file[] = ": the file ";
    size_t n = strlen(id);

    if (cfi_create(vm, id, c, why, why_size))
        return 0;
    if (strlen(why) > n && !strncmp(why + n, of_file, sizeof(of_file) - 1))
        return -EIO;
    fmt_snprintf(why, why_size,
                 "%s: the host gives no %llu MiB of memory; free some, or lift its limit (ulimit -v)", id,
                 (unsigned long long)(c->size >> 20));
    return -ENOMEM;
}

int virt_build_buses(struct vm *vm, const struct virt_board *b, const struct pci_host_config *pci,
                     const struct wiring *w, const struct machine_backends *backends, char *why,
                     size_t why_size)
{
    struct pci_host_config c = *pci;
    int err = virtio_slots_build(vm, &b->slots, w, backends, why, why_size);

    if (err)
        return err;
    for (unsigned i = 0; i < PCI_PINS; i++)
        c.intx[i] = w->line(w->controller, b->pci_irq + i);
    return pci_host_create(vm, "pci", &c, why, why_size) ? 0 : -ENOMEM;
}
