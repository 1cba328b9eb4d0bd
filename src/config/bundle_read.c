/* Reading boot bundles: everything is checked once, in bundle_open(). */
#include "config/bundle.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "lib/sum.h"

/* e_machine of the ELF specification's registry. */
static const struct {
    const char *arch;
    uint32_t isa;
} isas[] = {{"riscv64", 243}, {"arm64", 183}, {"x86_64", 62}};

uint32_t bundle_isa(const char *arch)
{
    for (size_t i = 0; i < ARRAY_SIZE(isas); i++) {
        if (!strcmp(isas[i].arch, arch))
            return isas[i].isa;
    }
    return 0;
}

static const char *isa_arch(uint32_t isa)
{
    for (size_t i = 0; i < ARRAY_SIZE(isas); i++) {
        if (isas[i].isa == isa)
            return isas[i].arch;
    }
    return NULL;
}

static int refuse(char *why, size_t why_size, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int refuse(char *why, size_t why_size, const char *fmt, ...)
{
    int n = fmt_snprintf(why, why_size, "bundle: ");
    va_list ap;

    va_start(ap, fmt);
    if ((size_t)n < why_size)
        fmt_vsnprintf(why + n, why_size - (size_t)n, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

static bool inside(uint64_t at, uint64_t size, uint64_t whole)
{
    return at <= whole && size <= whole - at;
}

/* ---- header ---- */

static int check_header(const struct bundle_header *h, uint64_t size, const char *arch, char *why,
                        size_t why_size)
{
    const char *is = isa_arch(h->isa);

    if (memcmp(h->magic, BUNDLE_MAGIC, sizeof(h->magic)))
        return refuse(why, why_size, "is none; make one with carbovisor bundle");
    if (sum64(h, offsetof(struct bundle_header, sum)) != h->sum)
        return refuse(why, why_size, "its header is damaged; copy it again");
    if (h->version != BUNDLE_VERSION)
        return refuse(why, why_size, "is of version %u, this carbovisor reads %u; make it again", h->version,
                      BUNDLE_VERSION);
    if (!is)
        return refuse(why, why_size, "is for an unknown ISA (%u); make it again", h->isa);
    if (arch && strcmp(is, arch))
        return refuse(why, why_size, "is for %s, this is %s; make one of VMs of that ISA", is, arch);
    if (h->size > size)
        return refuse(why, why_size, "ends after %llu of %llu bytes; copy it again", (unsigned long long)size,
                      (unsigned long long)h->size);
    if (!inside(h->tree, h->tree_size, h->size) || h->tree < sizeof(*h))
        return refuse(why, why_size, "its descriptions are outside of it; make it again");
    return 0;
}

/* ---- files ---- */

static dtb_node nth_child(const struct bundle *b, const char *path, unsigned i)
{
    dtb_node parent = dtb_path(&b->tree, path),
             n = parent == DTB_NONE ? DTB_NONE : dtb_child(&b->tree, parent);

    while (n != DTB_NONE && i--)
        n = dtb_sibling(&b->tree, n);
    return n;
}

static unsigned count_children(const struct bundle *b, const char *path)
{
    dtb_node n = nth_child(b, path, 0);
    unsigned count = 0;

    for (; n != DTB_NONE; n = dtb_sibling(&b->tree, n))
        count++;
    return count;
}

/* Number i of a property of 64-bit numbers. */
static bool prop_u64(const struct bundle *b, dtb_node n, const char *name, unsigned i, uint64_t *out)
{
    uint32_t hi, lo;

    if (dtb_u32(&b->tree, n, name, 2 * i, &hi) || dtb_u32(&b->tree, n, name, 2 * i + 1, &lo))
        return false;
    *out = (uint64_t)hi << 32 | lo;
    return true;
}

static bool read_file(const struct bundle *b, dtb_node n, struct bundle_file *f)
{
    uint64_t at;

    f->name = dtb_str(&b->tree, n, "name");
    if (!f->name || !f->name[0] || !prop_u64(b, n, "reg", 0, &at) || !prop_u64(b, n, "reg", 1, &f->size) ||
        !prop_u64(b, n, "sum", 0, &f->sum))
        return false;
    f->data = b->data + at;
    return !(at % BUNDLE_ALIGN) && inside(at, f->size, b->size);
}

static bool has_file(const struct bundle *b, const char *name, size_t len, dtb_node before)
{
    dtb_node n = nth_child(b, "/files", 0);

    for (; n != DTB_NONE && n != before; n = dtb_sibling(&b->tree, n)) {
        const char *is = dtb_str(&b->tree, n, "name");

        if (is && strlen(is) == len && !memcmp(is, name, len))
            return true;
    }
    return false;
}

static int check_files(const struct bundle *b, char *why, size_t why_size)
{
    dtb_node n = nth_child(b, "/files", 0);
    struct bundle_file f;

    if (b->file_count > BUNDLE_FILES)
        return refuse(why, why_size, "has %u files, at most %u are possible", b->file_count, BUNDLE_FILES);
    for (unsigned i = 0; n != DTB_NONE; n = dtb_sibling(&b->tree, n), i++) {
        if (!read_file(b, n, &f))
            return refuse(why, why_size, "its file %u is outside of it or not described; make it again", i);
        if (has_file(b, f.name, strlen(f.name), n))
            return refuse(why, why_size, "two files are called '%s'; make it again", f.name);
    }
    return 0;
}

void bundle_file(const struct bundle *b, unsigned i, struct bundle_file *f)
{
    BUG_ON(!read_file(b, nth_child(b, "/files", i), f));
}

/* ---- VMs ---- */

/* A path has to be a file of the bundle; of a disk what is before its options. */
static bool leads_to_file(const struct bundle *b, int option, const char *value)
{
    enum config_kind kind = config_info[option].kind;
    const char *comma = kind == CONFIG_DISK_ || kind == CONFIG_ISO_ ? strchr(value, ',') : NULL;

    if ((kind != CONFIG_PATH && kind != CONFIG_DISK_ && kind != CONFIG_ISO_) || config_is_board(value))
        return true;
    return has_file(b, value, comma ? (size_t)(comma - value) : strlen(value), DTB_NONE);
}

/* One setting, which may be a list of texts. */
static int set_property(const struct bundle *b, struct config *c, const struct dtb_property *p, char *why,
                        size_t why_size)
{
    const char *text = p->value, *end = text + p->size;
    int option = config_find(p->name);
    char reason[300];

    if (option < 0)
        return refuse(why, why_size, "setting '%s' is unknown; it is of another carbovisor, make it again",
                      p->name);
    if (!p->size || end[-1])
        return refuse(why, why_size, "setting '%s' is no text; make it again", p->name);
    for (; text < end; text += strlen(text) + 1) {
        if (!leads_to_file(b, option, text))
            return refuse(why, why_size, "%s: it has no file '%s'; make it again", p->name, text);
        if (config_set(c, p->name, text, reason, sizeof(reason)))
            return refuse(why, why_size, "%s", reason);
        if (!config_is_list(config_info[option].kind) && text + strlen(text) + 1 != end)
            return refuse(why, why_size, "setting '%s' has two values; make it again", p->name);
    }
    return 0;
}

int bundle_vm(const struct bundle *b, unsigned i, struct config *c, char *why, size_t why_size)
{
    dtb_node n = nth_child(b, "/vms", i);
    struct dtb_property p = {0};
    int err = 0;

    while (!err && dtb_prop_next(&b->tree, n, &p))
        err = set_property(b, c, &p, why, why_size);
    if (!err && (!c->desc.guest_arch || strcmp(c->desc.guest_arch, b->arch)))
        err = refuse(why, why_size, "VM '%s' is not of its ISA, %s; make it again", c->desc.name, b->arch);
    c->desc.number = i;
    return err;
}

/* Each VM's settings hold, and no two have one name. */
static int check_vms(const struct bundle *b, char *why, size_t why_size)
{
    struct config c;
    int err = 0;

    if (!b->vm_count || b->vm_count > BUNDLE_VMS)
        return refuse(why, why_size, "has %u VMs, 1 to %u are possible", b->vm_count, BUNDLE_VMS);
    for (unsigned i = 0; !err && i < b->vm_count; i++) {
        config_init(&c);
        err = bundle_vm(b, i, &c, why, why_size);
        for (unsigned k = 0; !err && k < i; k++) {
            const char *other = dtb_str(&b->tree, nth_child(b, "/vms", k), "name");

            if (!strcmp(other ? other : "vm", c.desc.name))
                err = refuse(why, why_size, "two VMs are called '%s'; make it again", c.desc.name);
        }
        config_fini(&c);
    }
    return err;
}

int bundle_open(struct bundle *b, const void *data, uint64_t size, const char *arch, char *why,
                size_t why_size)
{
    struct bundle_header h;
    int err;

    if (size < sizeof(h))
        return refuse(why, why_size, "is none, it has %llu bytes; make one with carbovisor bundle",
                      (unsigned long long)size);
    memcpy(&h, data, sizeof(h));
    err = check_header(&h, size, arch, why, why_size);
    if (err)
        return err;
    *b = (struct bundle){.data = data, .size = h.size, .arch = isa_arch(h.isa)};
    if (sum64(b->data + h.tree, h.tree_size) != h.tree_sum)
        return refuse(why, why_size, "its descriptions are damaged; copy it again");
    if (dtb_open(&b->tree, b->data + h.tree, h.tree_size))
        return refuse(why, why_size, "its descriptions are no device tree; make it again");
    b->file_count = count_children(b, "/files");
    b->vm_count = count_children(b, "/vms");
    err = check_files(b, why, why_size);
    return err ? err : check_vms(b, why, why_size);
}
