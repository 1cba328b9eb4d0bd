/* One setter for every setting, whatever it comes from. */
#include "config/config.h"
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

struct config_string {
    struct config_string *next;
    char text[];
};

/* Kinds that share a word with an option carry a trailing underscore in the enum. */
#define KIND_STRING    CONFIG_STRING
#define KIND_PATH      CONFIG_PATH
#define KIND_SIZE      CONFIG_SIZE
#define KIND_UINT      CONFIG_UINT
#define KIND_U64       CONFIG_U64
#define KIND_BOOL      CONFIG_BOOL
#define KIND_ARCH      CONFIG_ARCH
#define KIND_MACHINE   CONFIG_MACHINE_
#define KIND_DISK      CONFIG_DISK_
#define KIND_ISO       CONFIG_ISO_
#define KIND_NET       CONFIG_NET
#define KIND_FORWARD   CONFIG_FORWARD
#define KIND_SERIAL    CONFIG_SERIAL_
#define KIND_TRACE     CONFIG_TRACE_
#define KIND_LOG       CONFIG_LOG_
#define KIND_MONITOR   CONFIG_MONITOR_
#define KIND_AUTOSTART CONFIG_AUTOSTART_
#define KIND_POLICY    CONFIG_POLICY
#define KIND_SCHED     CONFIG_SCHED
#define KIND_CPUS      CONFIG_CPUS

const char *const desc_policy_names[DESC_POLICIES] = {"rr", "fifo", "priority"};

const struct config_info config_info[CONFIG_OPTIONS] = {
#define OPTION(id, key, kind, field, arg, help)                                                              \
    [CONFIG_##id] = {key, KIND_##kind, offsetof(struct vm_desc, field), arg, help},
#include "config/options.def"
#include "config/keys.def"
#undef OPTION
};

bool config_is_list(enum config_kind kind)
{
    return kind == CONFIG_DISK_ || kind == CONFIG_FORWARD || kind == CONFIG_LOG_ || kind == CONFIG_CPUS;
}

const char *config_group(int i)
{
    static const char *const groups[CONFIG_GROUPS] = {"sched"};

    for (unsigned k = 0; k < CONFIG_GROUPS; k++) {
        size_t n = strlen(groups[k]);

        if (!strncmp(config_info[i].key, groups[k], n) && config_info[i].key[n] == '.')
            return groups[k];
    }
    return NULL;
}

bool config_is_board(const char *path)
{
    return !strncmp(path, "board:", 6);
}

int config_find(const char *key)
{
    for (int i = 0; i < CONFIG_OPTIONS; i++) {
        if (!strcmp(config_info[i].key, key))
            return i;
    }
    return -1;
}

void config_init(struct config *c)
{
    *c = (struct config){
        .desc =
            {
                .name = "vm",
                .accel = "auto",
                .machine = "virt",
                .cpu = "max",
                .memory = UINT64_C(1) << 30,
                .smp = 1,
                .net = DESC_NET_NAT,
                .serial = "stdio",
                .sched = {.weight = 100},
            },
    };
    memset(c->desc.log.level, LOG_INFO, sizeof(c->desc.log.level));
}

void config_fini(struct config *c)
{
    while (c->strings) {
        struct config_string *next = c->strings->next;

        plat_free(c->strings);
        c->strings = next;
    }
}

const char *config_keep(struct config *c, const char *s, size_t len)
{
    struct config_string *k = plat_alloc(sizeof(*k) + len + 1);

    if (!k)
        return NULL;
    memcpy(k->text, s, len);
    k->next = c->strings;
    c->strings = k;
    return k->text;
}

/* ---- one setter a kind ---- */

static int bad_value(const char *key, const char *value, const char *wanted, char *why, size_t why_size)
{
    fmt_snprintf(why, why_size, "%s: '%s' is not %s", key, value, wanted);
    return -EINVAL;
}

static int no_memory(char *why, size_t why_size)
{
    fmt_snprintf(why, why_size, "no memory for the configuration; free some on the host");
    return -ENOMEM;
}

static int set_bool(const char *key, bool *field, const char *value, char *why, size_t why_size)
{
    if (!value || !strcmp(value, "true") || !strcmp(value, "yes"))
        *field = true;
    else if (!strcmp(value, "false") || !strcmp(value, "no"))
        *field = false;
    else
        return bad_value(key, value, "true or false", why, why_size);
    return 0;
}

static int set_arch(struct config *c, const char *value, char *why, size_t why_size)
{
    static const struct {
        const char *alias, *name;
    } names[] = {{"riscv64", "riscv64"},
                 {"arm64", "arm64"},
                 {"aarch64", "arm64"},
                 {"x86_64", "x86_64"},
                 {"amd64", "x86_64"}};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(value, names[i].alias)) {
            c->desc.guest_arch = names[i].name;
            return 0;
        }
    }
    return bad_value("guest-arch", value, "riscv64, arm64 or x86_64", why, why_size);
}

static int set_machine(struct config *c, const char *value, char *why, size_t why_size)
{
    const char *comma = strchr(value, ',');
    const char *name = config_keep(c, value, comma ? (size_t)(comma - value) : strlen(value));
    const char *options = comma ? config_keep(c, comma + 1, strlen(comma + 1)) : NULL;

    if (!name || (comma && !options))
        return no_memory(why, why_size);
    c->desc.machine = name;
    c->desc.machine_options = options;
    return 0;
}

/* "FILE[,format=raw][,ro]": options are taken from the end, so that a comma may stand in the name. */
static int set_disk(struct config *c, const char *value, bool iso, char *why, size_t why_size)
{
    const char *key = iso ? "iso" : "disk";
    struct desc_disk disk = {.read_only = iso};
    size_t len = strlen(value);

    for (;;) {
        size_t at = len;

        while (at && value[at - 1] != ',')
            at--;
        if (!at)
            break;
        if (len - at == 2 && !memcmp(value + at, "ro", 2)) {
            disk.read_only = true;
        } else if (len - at != 10 || memcmp(value + at, "format=raw", 10)) {
            const char *eq = strchr(value + at, '=');

            if (!eq)
                break;
            fmt_snprintf(why, why_size, "%s: '%s': unknown option '%s'; known are format=raw and ro", key,
                         value, value + at);
            return -EINVAL;
        }
        len = at - 1;
    }
    if (!len) {
        fmt_snprintf(why, why_size, "%s: '%s': names no file; write FILE[,format=raw][,ro]", key, value);
        return -EINVAL;
    }
    if (len >= 6 && !memcmp(value + len - 6, ".qcow2", 6)) {
        fmt_snprintf(why, why_size,
                     "%s: '%s': qcow2 images cannot be used; convert it to raw (qemu-img convert -O raw)",
                     key, value);
        return -EINVAL;
    }
    if (c->desc.disk_count == DESC_DISKS) {
        fmt_snprintf(why, why_size, "%s: '%s' is one too many; at most %u are possible", key, value,
                     DESC_DISKS);
        return -EINVAL;
    }
    disk.path = config_keep(c, value, len);
    if (!disk.path)
        return no_memory(why, why_size);
    if (iso)
        memmove(c->desc.disks + 1, c->desc.disks, c->desc.disk_count * sizeof(disk));
    c->desc.disks[iso ? 0 : c->desc.disk_count] = disk;
    c->desc.disk_count++;
    return 0;
}

static int set_net(struct config *c, const char *value, char *why, size_t why_size)
{
    if (!strcmp(value, "nat"))
        c->desc.net = DESC_NET_NAT;
    else if (!strcmp(value, "vswitch"))
        c->desc.net = DESC_NET_VSWITCH;
    else if (!strcmp(value, "none"))
        c->desc.net = DESC_NET_NONE;
    else
        return bad_value("net-mode", value, "nat, vswitch or none", why, why_size);
    c->net_given = true;
    return 0;
}

static int set_forward(struct config *c, const char *value, char *why, size_t why_size)
{
    const char *colon = strchr(value, ':');
    uint64_t host = 0, guest = 0;
    char first[16];

    if (colon && (size_t)(colon - value) < sizeof(first)) {
        memcpy(first, value, (size_t)(colon - value));
        first[colon - value] = 0;
    }
    if (!colon || (size_t)(colon - value) >= sizeof(first) || fmt_parse_u64(first, &host) ||
        fmt_parse_u64(colon + 1, &guest) || host < 1 || host > 65535 || guest < 1 || guest > 65535)
        return bad_value("publish", value, "HOST:GUEST, two ports from 1 to 65535", why, why_size);
    if (c->desc.forward_count == DESC_FORWARDS) {
        fmt_snprintf(why, why_size, "publish: '%s' is one too many; at most %u are possible", value,
                     DESC_FORWARDS);
        return -EINVAL;
    }
    c->desc.forwards[c->desc.forward_count++] = (struct desc_forward){(uint16_t)host, (uint16_t)guest};
    return 0;
}

static int set_string(struct config *c, const char **field, const char *value, char *why, size_t why_size)
{
    const char *copy;

    /* It goes into lines, of the monitor's protocol too. */
    for (const char *p = value; field == &c->desc.name && *p; p++) {
        if ((uint8_t)*p < ' ' || *p == 0x7f) {
            fmt_snprintf(why, why_size, "name: has a control character; write plain text");
            return -EINVAL;
        }
    }
    copy = config_keep(c, value, strlen(value));
    if (!copy)
        return no_memory(why, why_size);
    *field = copy;
    return 0;
}

static int set_stream(struct config *c, const struct config_info *o, const char *value, char *why,
                      size_t why_size)
{
    const char **field = (const char **)((char *)&c->desc + o->offset);
    static const char *const words[] = {"stdio", "pty", "none"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(value, words[i]))
            return set_string(c, field, value, why, why_size);
    }
    if ((!strncmp(value, "file:", 5) || !strncmp(value, "unix:", 5)) && value[5])
        return set_string(c, field, value, why, why_size);
    return bad_value(o->key, value, "stdio, pty, file:PATH, unix:PATH or none", why, why_size);
}

static int set_number(const struct config_info *o, void *field, const char *value, char *why, size_t why_size)
{
    uint64_t n;
    int err = o->kind == CONFIG_SIZE ? fmt_parse_size(value, &n) : fmt_parse_u64(value, &n);

    if (err || (o->kind == CONFIG_UINT && n > UINT32_MAX))
        return bad_value(o->key, value, o->kind == CONFIG_SIZE ? "a size such as 512M or 2G" : "a number",
                         why, why_size);
    /* They count from 1: 0 stands for what was not set. */
    if (o->kind == CONFIG_U64 && !n)
        return bad_value(o->key, value, "a number from 1", why, why_size);
    if (o->kind == CONFIG_UINT)
        *(unsigned *)field = (unsigned)n;
    else
        *(uint64_t *)field = n;
    return 0;
}

static int set_monitor(struct config *c, const char *value, char *why, size_t why_size)
{
    if (strcmp(value, "stdio") && (strncmp(value, "unix:", 5) || !value[5]))
        return bad_value("monitor", value, "stdio or unix:PATH", why, why_size);
    return set_string(c, &c->desc.monitor, value, why, why_size);
}

static int set_autostart(struct config *c, const char *value, char *why, size_t why_size)
{
    bool start = true;
    int err = set_bool("autostart", &start, value, why, why_size);

    c->desc.manual = err ? c->desc.manual : !start;
    return err;
}

static int set_policy(struct config *c, const char *value, char *why, size_t why_size)
{
    for (unsigned i = 0; i < DESC_POLICIES; i++) {
        if (!strcmp(value, desc_policy_names[i])) {
            c->desc.sched.policy = (enum desc_policy)i;
            return 0;
        }
    }
    return bad_value("sched.policy", value, "rr, fifo or priority", why, why_size);
}

/* Numbers of the scheduler, each with its range. */
static int set_sched(const struct config_info *o, unsigned *field, const char *value, char *why,
                     size_t why_size)
{
    unsigned min = o == &config_info[CONFIG_SCHED_PRIORITY] ? 0 : 1;
    unsigned max = o == &config_info[CONFIG_SCHED_PRIORITY] ? 255 : 1000;
    char wanted[40];
    uint64_t n;

    if (o == &config_info[CONFIG_SCHED_BUDGET])
        max = 6400;
    fmt_snprintf(wanted, sizeof(wanted), "a number from %u to %u", min, max);
    if (fmt_parse_u64(value, &n) || n < min || n > max)
        return bad_value(o->key, value, wanted, why, why_size);
    *field = (unsigned)n;
    return 0;
}

/* One CPU more. */
static int set_cpus(const struct config_info *o, uint64_t *mask, const char *value, char *why,
                    size_t why_size)
{
    uint64_t n;

    if (fmt_parse_u64(value, &n) || n > 63)
        return bad_value(o->key, value, "a CPU from 0 to 63", why, why_size);
    *mask |= BIT(n);
    return 0;
}

static int unknown_key(const char *key, char *why, size_t why_size)
{
    const char *keys[CONFIG_OPTIONS], *near;

    for (unsigned i = 0; i < CONFIG_OPTIONS; i++)
        keys[i] = config_info[i].key;
    near = fmt_nearest(key, keys, CONFIG_OPTIONS);
    fmt_snprintf(why, why_size,
                 near ? "unknown setting '%s'; the nearest is '%s'"
                      : "unknown setting '%s'; see carbovisor run --help",
                 key, near);
    return -EINVAL;
}

static int set_option(struct config *c, const struct config_info *o, const char *value, char *why,
                      size_t why_size)
{
    void *field = (char *)&c->desc + o->offset;

    if (o->kind != CONFIG_BOOL && (!value || !*value)) {
        fmt_snprintf(why, why_size, "%s: needs a value, %s", o->key, o->arg);
        return -EINVAL;
    }
    if (value && strlen(value) > CONFIG_VALUE_MAX && o != &config_info[CONFIG_APPEND]) {
        fmt_snprintf(why, why_size, "%s: has %llu characters; at most %u are possible", o->key,
                     (unsigned long long)strlen(value), CONFIG_VALUE_MAX);
        return -EINVAL;
    }
    switch (o->kind) {
    case CONFIG_STRING:
    case CONFIG_PATH:
        return set_string(c, field, value, why, why_size);
    case CONFIG_SIZE:
    case CONFIG_UINT:
    case CONFIG_U64:
        return set_number(o, field, value, why, why_size);
    case CONFIG_BOOL:
        return set_bool(o->key, field, value, why, why_size);
    case CONFIG_ARCH:
        return set_arch(c, value, why, why_size);
    case CONFIG_MACHINE_:
        return set_machine(c, value, why, why_size);
    case CONFIG_DISK_:
    case CONFIG_ISO_:
        return set_disk(c, value, o->kind == CONFIG_ISO_, why, why_size);
    case CONFIG_NET:
        return set_net(c, value, why, why_size);
    case CONFIG_FORWARD:
        return set_forward(c, value, why, why_size);
    case CONFIG_SERIAL_:
        return set_stream(c, o, value, why, why_size);
    case CONFIG_TRACE_:
        return trace_parse(&c->desc.log, value, why, why_size);
    case CONFIG_LOG_:
        return log_parse(&c->desc.log, value, why, why_size);
    case CONFIG_MONITOR_:
        return set_monitor(c, value, why, why_size);
    case CONFIG_AUTOSTART_:
        return set_autostart(c, value, why, why_size);
    case CONFIG_POLICY:
        return set_policy(c, value, why, why_size);
    case CONFIG_SCHED:
        return set_sched(o, field, value, why, why_size);
    case CONFIG_CPUS:
        return set_cpus(o, field, value, why, why_size);
    }
    return -EINVAL;
}

int config_set(struct config *c, const char *key, const char *value, char *why, size_t why_size)
{
    int i = config_find(key);

    if (i < 0)
        return unknown_key(key, why, why_size);
    c->place[i] = (struct config_place){0};
    return set_option(c, &config_info[i], value, why, why_size);
}

const struct config_place *config_blame(const struct config *c, const char *why)
{
    for (int i = 0; i < CONFIG_OPTIONS; i++) {
        size_t n = strlen(config_info[i].key);

        if (!strncmp(why, config_info[i].key, n) && why[n] == ':')
            return c->place[i].file ? &c->place[i] : NULL;
    }
    return NULL;
}
