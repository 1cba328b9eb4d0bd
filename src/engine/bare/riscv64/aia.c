/*
 * The interrupt file of a guest with AIA: a guest file of the host's IMSIC, number 1 of whatever CPU the vCPU
 * is resident on (AIA 1.0, 3.9 and 6.3). Claims and enables of the guest are then the hardware's. Messages
 * still come to the device (device/intc/imsic.c); their pending bits are moved on into the file before each
 * entry. So that each message makes a request, the device's own enables are all ones.
 *
 * Where the host has no guest files VGEIN is 0, and the guest's accesses come as virtual instructions.
 */
#include "core/irqchip.h"
#include "engine/bare/riscv64/bare.h"
#include "lib/fmt.h"

enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP0 = 0x80, EIE0 = 0xc0 };

static uint64_t indirect_read(uint64_t select)
{
    csr_write(RV_CSR_vsiselect, select);
    return csr_read(RV_CSR_vsireg);
}

static void indirect_write(uint64_t select, uint64_t value)
{
    csr_write(RV_CSR_vsiselect, select);
    csr_write(RV_CSR_vsireg, value);
}

/* After a reset, and at first: the file is as hardware's is then, the device passes everything on. */
void bare_aia_begin(struct bare_vcpu *b)
{
    struct msi_file *f = b->r->v.msi[1];
    uint64_t old;

    if (b->aia != BARE_AIA_FILE || !f)
        return;
    b->file = (struct bare_file){0};
    for (unsigned w = 0; w < BARE_FILE_WORDS; w++)
        f->ops->write(f, EIE0 + 2 * w, UINT64_MAX, UINT64_MAX, &old);
    f->ops->write(f, EIDELIVERY, 1, UINT64_MAX, &old);
}

/* Interrupts on: the device's lock may have to be waited for. */
void bare_aia_stage(struct bare_vcpu *b)
{
    struct msi_file *f = b->r->v.msi[1];
    uint64_t old = 0;

    if (!f)
        return;
    for (unsigned w = 0; w < BARE_FILE_WORDS; w++) {
        if (f->ops->write(f, EIP0 + 2 * w, 0, UINT64_MAX, &old))
            b->file.staged[w] |= old;
    }
    b->file.any_staged = true;
}

/* Resident, interrupts off. */
void bare_aia_deliver(struct bare_vcpu *b)
{
    uint64_t select = csr_read(RV_CSR_vsiselect);

    for (unsigned w = 0; w < BARE_FILE_WORDS; w++) {
        if (!b->file.staged[w])
            continue;
        csr_write(RV_CSR_vsiselect, EIP0 + 2 * w);
        csr_set(RV_CSR_vsireg, b->file.staged[w]);
        b->file.staged[w] = 0;
    }
    b->file.any_staged = false;
    csr_write(RV_CSR_vsiselect, select);
}

/* VGEIN decides which file the vs* registers reach. */
void bare_aia_load(struct bare_vcpu *b)
{
    if (b->aia == BARE_AIA_FILE) {
        csr_write(RV_CSR_hstatus, b->hstatus);
        indirect_write(EIDELIVERY, 0);
        for (unsigned w = 0; w < BARE_FILE_WORDS; w++) {
            indirect_write(EIP0 + 2 * w, b->file.pending[w]);
            indirect_write(EIE0 + 2 * w, b->file.enable[w]);
        }
        indirect_write(EITHRESHOLD, b->file.threshold);
        indirect_write(EIDELIVERY, b->file.delivery);
    }
    if (b->aia)
        csr_write(RV_CSR_vsiselect, b->r->siselect);
}

void bare_aia_save(struct bare_vcpu *b)
{
    uint64_t hstatus;

    if (!b->aia)
        return;
    b->r->siselect = csr_read(RV_CSR_vsiselect);
    if (b->aia != BARE_AIA_FILE)
        return;
    hstatus = csr_read(RV_CSR_hstatus);
    csr_write(RV_CSR_hstatus, b->hstatus);
    b->file.delivery = indirect_read(EIDELIVERY);
    b->file.threshold = indirect_read(EITHRESHOLD);
    for (unsigned w = 0; w < BARE_FILE_WORDS; w++) {
        b->file.pending[w] = indirect_read(EIP0 + 2 * w);
        b->file.enable[w] = indirect_read(EIE0 + 2 * w);
    }
    csr_write(RV_CSR_vsiselect, b->r->siselect);
    csr_write(RV_CSR_hstatus, hstatus);
}

/* ---- for people ---- */

static void save_here(void *arg)
{
    struct bare_vcpu *b = arg;

    if (b->cpu == arch_cpu()->engine && b->valid)
        bare_aia_save(b);
}

static void list_ids(const uint64_t *words, char *buf, size_t size)
{
    size_t n = 0;

    buf[0] = 0;
    for (unsigned id = 1; id < 64 * BARE_FILE_WORDS && n + 8 < size; id++) {
        if (words[id / 64] >> id % 64 & 1)
            n += (size_t)fmt_snprintf(buf + n, size - n, " %u", id);
    }
}

void bare_aia_show(struct bare_vcpu *b, void (*emit)(void *opaque, const char *line), void *opaque)
{
    char ids[96], line[160];

    if (b->aia != BARE_AIA_FILE)
        return;
    bare_call_resident(b, save_here);
    list_ids(b->file.enable, ids, sizeof(ids));
    fmt_snprintf(line, sizeof(line), "interrupt file: delivery %u threshold %u enabled%s",
                 (unsigned)b->file.delivery, (unsigned)b->file.threshold, ids);
    emit(opaque, line);
    list_ids(b->file.pending, ids, sizeof(ids));
    fmt_snprintf(line, sizeof(line), "interrupt file: pending%s", ids);
    emit(opaque, line);
}
