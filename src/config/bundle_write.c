/* Writing boot bundles: which files, where they go, the tree, the bytes. */
#include "config/bundle.h"
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "lib/sum.h"

#define TREE_MAX   (256u << 10)
#define COPY_CHUNK (1u << 20)
#define NAME_MAX   64
/* All of it is in the board's memory, beside its VMs' own: riscv64 sees so much before it knows its board. */
#define BUNDLE_MAX (256ull << 30)

struct entry {
    const char *path;
    char name[NAME_MAX];
    uint64_t at, size, sum;
};

struct writer {
    struct config *const *vms;
    unsigned count;
    struct bundle_notes notes;
    struct entry file[BUNDLE_FILES];
    unsigned files;
    uint64_t size;
    uint8_t *tree, *chunk;
    size_t tree_size;
    char *why;
    size_t why_size;
};

static int refuse(struct writer *w, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int refuse(struct writer *w, int err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fmt_vsnprintf(w->why, w->why_size, fmt, ap);
    va_end(ap);
    return err;
}

/* ---- files ---- */

static struct entry *find_path(struct writer *w, const char *path)
{
    for (unsigned i = 0; i < w->files; i++) {
        if (!strcmp(w->file[i].path, path))
            return &w->file[i];
    }
    return NULL;
}

static bool name_taken(const struct writer *w, const char *name)
{
    for (unsigned i = 0; i < w->files; i++) {
        if (!strcmp(w->file[i].name, name))
            return true;
    }
    return false;
}

/* The last part of the path, of harmless characters, and with a number where two have the same. */
static void name_file(const struct writer *w, struct entry *e)
{
    const char *base = e->path;
    char plain[NAME_MAX - 8];

    for (const char *s = e->path; *s; s++)
        base = *s == '/' ? s + 1 : base;
    fmt_snprintf(plain, sizeof(plain), "%s", *base ? base : "file");
    for (char *s = plain; *s; s++) {
        if (*s <= ' ' || *s > '~' || *s == ',')
            *s = '_';
    }
    fmt_snprintf(e->name, sizeof(e->name), "%s", plain);
    for (unsigned n = 2; name_taken(w, e->name); n++)
        fmt_snprintf(e->name, sizeof(e->name), "%s-%u", plain, n);
}

static int file_size(const char *path, uint64_t *size)
{
    struct plat_file *f;
    int err = plat_file_open(&f, path, PLAT_READ);

    if (err)
        return err;
    err = plat_file_size(f, size);
    plat_file_close(f);
    return err;
}

static int add_file(struct writer *w, const char *path)
{
    struct entry e = {.path = path};
    int err;

    if (w->files == BUNDLE_FILES)
        return refuse(w, -EINVAL, "%s: one file too many; a bundle has at most %u", path, BUNDLE_FILES);
    err = file_size(path, &e.size);
    if (err)
        return refuse(w, err, "%s: cannot be read (error %d); check the path", path, -err);
    name_file(w, &e);
    w->file[w->files++] = e;
    return 0;
}

static int add(struct writer *w, const char *path)
{
    return !path || config_is_board(path) || find_path(w, path) ? 0 : add_file(w, path);
}

static int add_files(struct writer *w)
{
    int err = 0;

    for (unsigned i = 0; !err && i < w->count; i++) {
        const struct vm_desc *d = &w->vms[i]->desc;
        const char *const paths[] = {d->kernel, d->initrd, d->firmware};

        for (size_t k = 0; !err && k < ARRAY_SIZE(paths); k++)
            err = add(w, paths[k]);
        for (unsigned k = 0; !err && k < d->disk_count; k++)
            err = add(w, d->disks[k].path);
    }
    return err;
}

/* The last page is whole, whatever reads it: the size of all. */
static uint64_t place_files(struct writer *w)
{
    uint64_t at = ALIGN_UP(sizeof(struct bundle_header) + w->tree_size, BUNDLE_ALIGN);

    for (unsigned i = 0; i < w->files; i++) {
        w->file[i].at = at;
        at = ALIGN_UP(at + MIN(w->file[i].size, BUNDLE_MAX), BUNDLE_ALIGN);
    }
    return at;
}

static const struct entry *largest(const struct writer *w)
{
    const struct entry *most = &w->file[0];

    for (unsigned i = 1; i < w->files; i++)
        most = w->file[i].size > most->size ? &w->file[i] : most;
    return most;
}

static int place_all(struct writer *w)
{
    w->size = place_files(w);
    if (w->size <= BUNDLE_MAX)
        return 0;
    return refuse(w, -EFBIG,
                  "%s: its %llu MiB make a bundle of more than the %llu GiB that a board may load; give that "
                  "VM a disk of the board (disk: [board:vda])",
                  largest(w)->path, (unsigned long long)(largest(w)->size >> 20), BUNDLE_MAX >> 30);
}

/* ---- the tree ---- */

/* What a path is called in the bundle. */
static const char *name_of(struct writer *w, const char *path)
{
    return config_is_board(path) ? path : find_path(w, path)->name;
}

static void put_path(struct writer *w, struct dtw *t, const char *key, const char *path)
{
    if (path)
        dtw_prop_str(t, key, name_of(w, path));
}

static void put_number(struct dtw *t, const char *key, uint64_t n)
{
    char text[24];

    fmt_snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    dtw_prop_str(t, key, text);
}

static void put_disks(struct writer *w, struct dtw *t, const struct vm_desc *d)
{
    char text[DESC_DISKS][NAME_MAX + 4];
    const char *list[DESC_DISKS];

    for (unsigned i = 0; i < d->disk_count; i++) {
        fmt_snprintf(text[i], sizeof(text[i]), "%s%s", name_of(w, d->disks[i].path),
                     d->disks[i].read_only ? ",ro" : "");
        list[i] = text[i];
    }
    if (d->disk_count)
        dtw_prop_strlist(t, "disk", list, d->disk_count);
}

/* A file of variables has to be written back, which the bare form cannot. */
static bool is_vars(const char *option, size_t len)
{
    return len >= 5 && !memcmp(option, "vars=", 5);
}

static void put_machine(struct dtw *t, const struct vm_desc *d)
{
    char text[200];
    size_t n = (size_t)fmt_snprintf(text, sizeof(text), "%s", d->machine);

    for (const char *o = d->machine_options; o && *o && n < sizeof(text);) {
        const char *end = strchr(o, ',');
        size_t len = end ? (size_t)(end - o) : strlen(o);

        if (!is_vars(o, len))
            n += (size_t)fmt_snprintf(text + n, sizeof(text) - n, ",%.*s", (int)len, o);
        o = end ? end + 1 : NULL;
    }
    dtw_prop_str(t, "machine", text);
}

static void put_log(struct dtw *t, const struct log *l)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    char text[LOG_SUBS][32], traces[64] = "";
    const char *list[LOG_SUBS];
    unsigned n = 0;

    for (unsigned i = 0; i < LOG_SUBS; i++) {
        if (l->level[i] == LOG_INFO)
            continue;
        fmt_snprintf(text[n], sizeof(text[n]), "%s=%s", log_sub_names[i], levels[l->level[i]]);
        list[n] = text[n];
        n++;
    }
    if (n)
        dtw_prop_strlist(t, "log", list, n);
    for (unsigned i = 0; trace_names[i]; i++) {
        size_t len = strlen(traces);

        if (l->trace >> i & 1)
            fmt_snprintf(traces + len, sizeof(traces) - len, "%s%s", len ? "," : "", trace_names[i]);
    }
    if (traces[0])
        dtw_prop_str(t, "trace", traces);
}

static void put_sched(struct dtw *t, const struct desc_sched *s)
{
    char text[64][4];
    const char *cpus[64];
    unsigned n = 0;

    dtw_prop_str(t, "sched.policy", desc_policy_names[s->policy]);
    put_number(t, "sched.priority", s->priority);
    put_number(t, "sched.weight", s->weight);
    if (s->budget)
        put_number(t, "sched.budget", s->budget);
    for (unsigned i = 0; i < 64; i++) {
        if (!(s->affinity >> i & 1))
            continue;
        fmt_snprintf(text[n], sizeof(text[n]), "%u", i);
        cpus[n] = text[n];
        n++;
    }
    if (n)
        dtw_prop_strlist(t, "sched.affinity", cpus, n);
    dtw_prop_str(t, "sched.pin", s->pin ? "true" : "false");
}

static void put_vm(struct writer *w, struct dtw *t, const struct vm_desc *d)
{
    static const char *const nets[] = {
        [DESC_NET_NONE] = "none", [DESC_NET_NAT] = "vswitch", [DESC_NET_VSWITCH] = "vswitch"};

    dtw_prop_str(t, "name", d->name);
    dtw_prop_str(t, "guest-arch", d->guest_arch);
    put_machine(t, d);
    dtw_prop_str(t, "cpu", d->cpu);
    put_number(t, "memory", d->memory);
    put_number(t, "smp", d->smp);
    put_path(w, t, "kernel", d->kernel);
    put_path(w, t, "initrd", d->initrd);
    put_path(w, t, "firmware", d->firmware);
    if (d->append && d->append[0])
        dtw_prop_str(t, "append", d->append);
    put_disks(w, t, d);
    dtw_prop_str(t, "net-mode", nets[d->net]);
    if (!strcmp(d->serial, "none"))
        dtw_prop_str(t, "serial", "none");
    if (d->console && !strcmp(d->console, "stdio"))
        dtw_prop_str(t, "console", "stdio");
    dtw_prop_str(t, "no-reboot", d->no_reboot ? "true" : "false");
    put_log(t, &d->log);
    dtw_prop_str(t, "autostart", d->manual ? "false" : "true");
    put_sched(t, &d->sched);
}

static void put_file(struct dtw *t, const struct entry *e)
{
    const uint64_t reg[2] = {e->at, e->size};

    dtw_prop_str(t, "name", e->name);
    dtw_prop_u64s(t, "reg", reg, 2);
    dtw_prop_u64(t, "sum", e->sum);
}

/* The same size whatever the places and the sums are. */
static int build_tree(struct writer *w)
{
    struct dtw t;

    dtw_init(&t, w->tree, TREE_MAX);
    dtw_begin_node(&t, "");
    dtw_begin_node(&t, "files");
    for (unsigned i = 0; i < w->files; i++) {
        dtw_begin_unit(&t, "file", i);
        put_file(&t, &w->file[i]);
        dtw_end_node(&t);
    }
    dtw_end_node(&t);
    dtw_begin_node(&t, "vms");
    for (unsigned i = 0; i < w->count; i++) {
        dtw_begin_unit(&t, "vm", i);
        put_vm(w, &t, &w->vms[i]->desc);
        dtw_end_node(&t);
    }
    dtw_end_node(&t);
    dtw_end_node(&t);
    if (dtw_finish(&t, &w->tree_size))
        return refuse(w, -EINVAL, "the descriptions are too long for a bundle; put fewer VMs into it");
    return 0;
}

/* ---- what is left out ---- */

static void note(struct writer *w, const struct vm_desc *d, const char *key, const char *what)
{
    char line[300];

    fmt_snprintf(line, sizeof(line), "%s: %s: %s", d->name, key, what);
    if (w->notes.note)
        w->notes.note(w->notes.opaque, line);
}

static bool has_vars(const char *options)
{
    while (options && *options) {
        const char *end = strchr(options, ',');

        if (is_vars(options, strlen(options)))
            return true;
        options = end ? end + 1 : NULL;
    }
    return false;
}

static void note_left_out(struct writer *w, const struct vm_desc *d)
{
    static const char left[] = "means something to the hosted form only; left out";
    const struct {
        const char *key;
        bool given;
    } keys[] = {
        {"accel", strcmp(d->accel, "auto")},
        {"publish", d->forward_count},
        {"serial", strcmp(d->serial, "stdio") && strcmp(d->serial, "none")},
        {"console", d->console && strcmp(d->console, "stdio") && strcmp(d->console, "none")},
        {"monitor", d->monitor},
        {"deterministic", d->deterministic},
        {"checkpoint-every", d->checkpoint_every},
        {"hash-dump", d->hash_dump},
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].given)
            note(w, d, keys[i].key, left);
    }
    if (has_vars(d->machine_options))
        note(w, d, "machine", "vars=FILE cannot be written back from the bare form; left out");
}

/* ---- checks across VMs ---- */

static int check(struct writer *w)
{
    if (!w->count || w->count > BUNDLE_VMS)
        return refuse(w, -EINVAL, "bundle: %u VMs were given; 1 to %u are possible", w->count, BUNDLE_VMS);
    for (unsigned i = 0; i < w->count; i++) {
        const struct vm_desc *d = &w->vms[i]->desc;

        if (strcmp(d->guest_arch, w->vms[0]->desc.guest_arch))
            return refuse(w, -EINVAL, "%s: is for %s, '%s' for %s; a bundle is for one board, make two",
                          d->name, d->guest_arch, w->vms[0]->desc.name, w->vms[0]->desc.guest_arch);
        for (unsigned k = 0; k < i; k++) {
            if (!strcmp(d->name, w->vms[k]->desc.name))
                return refuse(w, -EINVAL, "name: two VMs are called '%s'; give one another name", d->name);
        }
    }
    return 0;
}

/* ---- the bytes ---- */

static int refuse_write(struct writer *w, int err)
{
    unsigned long long mib = (w->size >> 20) + 1;

    if (err == -ENOSPC)
        return refuse(w, err, "bundle: its %llu MiB do not fit on the disk; free some space, or name another",
                      mib);
    if (err == -EFBIG)
        return refuse(
            w, err,
            "bundle: its %llu MiB are more than a file may have there; raise that limit (ulimit -f), "
            "or name a place on another file system",
            mib);
    return refuse(w, err, "bundle: cannot be written (error %d); check its disk", -err);
}

static int copy_file(struct writer *w, struct plat_file *out, struct entry *e)
{
    uint64_t sum = sum64_begin(e->size);
    struct plat_file *in;
    int err = plat_file_open(&in, e->path, PLAT_READ);

    if (err)
        return refuse(w, err, "%s: cannot be read (error %d); check the path", e->path, -err);
    for (uint64_t at = 0; !err && at < e->size; at += COPY_CHUNK) {
        size_t n = (size_t)MIN(e->size - at, (uint64_t)COPY_CHUNK);

        err = plat_file_read(in, at, w->chunk, n);
        if (err) {
            refuse(w, err, "%s: cannot be read (error %d); try again", e->path, -err);
            break;
        }
        sum = sum64_add(sum, w->chunk, n);
        err = plat_file_write(out, e->at + at, w->chunk, n);
        if (err)
            refuse_write(w, err);
    }
    plat_file_close(in);
    e->sum = sum64_end(sum);
    return err;
}

static int write_head(struct writer *w, struct plat_file *out)
{
    struct bundle_header h = {
        .magic = BUNDLE_MAGIC,
        .version = BUNDLE_VERSION,
        .isa = bundle_isa(w->vms[0]->desc.guest_arch),
        .size = w->size,
        .tree = sizeof(h),
        .tree_size = w->tree_size,
        .tree_sum = sum64(w->tree, w->tree_size),
    };
    int err;

    h.sum = sum64(&h, offsetof(struct bundle_header, sum));
    err = plat_file_write(out, h.size - 1, "", 1);
    if (!err)
        err = plat_file_write(out, 0, &h, sizeof(h));
    if (!err)
        err = plat_file_write(out, h.tree, w->tree, w->tree_size);
    if (err)
        refuse_write(w, err);
    return err;
}

static int write_all(struct writer *w, const char *path)
{
    struct plat_file *out;
    int err = plat_file_open(&out, path, PLAT_WRITE | PLAT_CREATE | PLAT_REPLACE);

    if (err)
        return refuse(w, err, "%s: cannot be written (error %d); check the path", path, -err);
    err = plat_file_reserve(out, w->size);
    if (err)
        refuse_write(w, err);
    for (unsigned i = 0; !err && i < w->files; i++)
        err = copy_file(w, out, &w->file[i]);
    if (!err)
        err = build_tree(w);
    if (!err)
        err = write_head(w, out);
    if (!err && (err = plat_file_commit(out)))
        refuse(w, err, "%s: cannot be written (error %d); check the path", path, -err);
    plat_file_close(out);
    return err;
}

static bool same_file(const char *path, const uint64_t id[2])
{
    uint64_t other[2];
    struct plat_file *f;
    bool same;

    if (plat_file_open(&f, path, PLAT_READ))
        return false;
    same = !plat_file_identity(f, other) && other[0] == id[0] && other[1] == id[1];
    plat_file_close(f);
    return same;
}

/* Whether the bundle is made from it: a file of it, or one of the descriptions. */
static bool is_source(const struct writer *w, const char *path)
{
    struct plat_file *f;
    uint64_t id[2];
    bool is = false;

    if (plat_file_open(&f, path, PLAT_READ))
        return false;
    if (!plat_file_identity(f, id)) {
        for (unsigned i = 0; i < w->files; i++)
            is |= same_file(w->file[i].path, id);
        for (unsigned i = 0; i < w->count * CONFIG_OPTIONS && !is; i++) {
            const char *file = w->vms[i / CONFIG_OPTIONS]->place[i % CONFIG_OPTIONS].file;

            is = file && same_file(file, id);
        }
    }
    plat_file_close(f);
    return is;
}

static int make(struct writer *w, const char *path)
{
    int err = check(w);

    if (!err)
        err = add_files(w);
    if (!err)
        err = build_tree(w);
    if (!err)
        err = place_all(w);
    if (err)
        return err;
    if (is_source(w, path))
        return refuse(w, -EINVAL, "%s: is a file of the bundle too; write it to another place", path);
    for (unsigned i = 0; i < w->count; i++)
        note_left_out(w, &w->vms[i]->desc);
    return write_all(w, path);
}

int bundle_write(const char *path, struct config *const *vms, unsigned count, struct bundle_notes notes,
                 char *why, size_t why_size)
{
    struct writer *w = plat_alloc(sizeof(*w));
    int err = -ENOMEM;

    if (w) {
        *w = (struct writer){.vms = vms, .count = count, .notes = notes, .why = why, .why_size = why_size};
        w->tree = plat_alloc(TREE_MAX);
        w->chunk = plat_alloc(COPY_CHUNK);
    }
    if (w && w->tree && w->chunk)
        err = make(w, path);
    else
        fmt_snprintf(why, why_size, "no memory for the bundle; free some on the host");
    if (w) {
        plat_free(w->chunk);
        plat_free(w->tree);
    }
    plat_free(w);
    return err;
}
