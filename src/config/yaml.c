/*
 * YAML files by libcyaml. Every value is read as text and goes through config_set(), so that file and
 * flags share one parser; yaml_places.c has checked the shape before and knows where each value stands.
 */
#include <cyaml/cyaml.h>
#include <stdio.h>
#include <string.h>
#include "config/yaml_places.h"
#include "core/platform.h"
#include "lib/err.h"

#define FILE_MAX (1u << 20)
#define MESSAGE  160

struct list {
    char **item;
    unsigned count;
};

/* What libcyaml fills: one of both per option. */
struct raw {
    char *scalar[CONFIG_OPTIONS];
    struct list list[CONFIG_OPTIONS];
};

static const cyaml_schema_value_t item_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

/* Within its mapping, where it is in one. */
static cyaml_schema_field_t field_schema(int i)
{
    const char *dot = strchr(config_info[i].key, '.');
    cyaml_schema_field_t f = {.key = dot ? dot + 1 : config_info[i].key};

    if (config_is_list(config_info[i].kind)) {
        f.data_offset = (uint32_t)(offsetof(struct raw, list) + (size_t)i * sizeof(struct list));
        f.count_offset = (uint32_t)(f.data_offset + offsetof(struct list, count));
        f.count_size = sizeof(unsigned);
        f.value = (cyaml_schema_value_t){
            .type = CYAML_SEQUENCE,
            .flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
            .data_size = sizeof(char *),
            .sequence = {.entry = &item_schema, .min = 0, .max = YAML_LIST_MAX},
        };
    } else {
        f.data_offset = (uint32_t)((size_t)i * sizeof(char *));
        f.value = (cyaml_schema_value_t){
            .type = CYAML_STRING,
            .flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
            .data_size = sizeof(char),
            .string = {.min = 0, .max = CYAML_UNLIMITED},
        };
    }
    return f;
}

/* The first of its messages; the shape was checked, so that there is none but for want of memory. */
static void take_message(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
    char *text = ctx;

    (void)level;
    if (text[0])
        return;
    vsnprintf(text, MESSAGE, fmt, args);
    text[strcspn(text, "\n")] = 0;
}

/* Where in a value a path begins; NULL: there is none of this host. */
static const char *path_in(enum config_kind kind, const char *value)
{
    static const char vars[] = ",vars=";
    const char *at;

    switch (kind) {
    case CONFIG_PATH:
    case CONFIG_DISK_:
    case CONFIG_ISO_:
        return config_is_board(value) ? NULL : value;
    case CONFIG_SERIAL_:
    case CONFIG_MONITOR_:
        return !strncmp(value, "file:", 5) || !strncmp(value, "unix:", 5) ? value + 5 : NULL;
    case CONFIG_MACHINE_:
        at = strstr(value, vars);
        return at ? at + sizeof(vars) - 1 : NULL;
    default:
        return NULL;
    }
}

/* Paths are relative to the file's folder. */
static int set_from_file(struct config *c, const char *file, int option, const char *value, char *why,
                         size_t why_size)
{
    const char *slash = strrchr(file, '/'), *at = path_in(config_info[option].kind, value);
    char path[CONFIG_VALUE_MAX + 1];

    if (!slash || !at || !*at || *at == '/' || *at == ',')
        return config_set(c, config_info[option].key, value, why, why_size);
    if ((size_t)snprintf(path, sizeof(path), "%.*s%.*s/%s", (int)(at - value), value, (int)(slash - file),
                         file, at) >= sizeof(path)) {
        snprintf(why, why_size, "%s: the path is too long", config_info[option].key);
        return -EINVAL;
    }
    return config_set(c, config_info[option].key, path, why, why_size);
}

/* Each value, with its place kept for what turns out about it later; at: the one that failed. */
static int apply(struct config *c, const char *file, const struct yaml_places *places, const struct raw *raw,
                 struct yaml_place *at, char *why, size_t why_size)
{
    for (int i = 0; i < CONFIG_OPTIONS; i++) {
        unsigned n = raw->scalar[i] ? 1 : raw->list[i].count;
        int err = 0;

        for (unsigned k = 0; !err && k < n; k++) {
            *at = places->value[i][k];
            err = set_from_file(c, file, i, raw->scalar[i] ? raw->scalar[i] : raw->list[i].item[k], why,
                                why_size);
        }
        if (err)
            return err;
        if (n)
            c->place[i] = (struct config_place){file, places->value[i][0].line, places->value[i][0].column};
    }
    return 0;
}

/* realloc() of the platform's memory: libcyaml's as any other. */
static void *take_memory(void *ctx, void *old, size_t size)
{
    struct block {
        size_t size;
        _Alignas(16) char data[];
    } *from = old ? container_of(old, struct block, data) : NULL, *to = NULL;

    (void)ctx;
    if (size) {
        to = plat_alloc(sizeof(*to) + size);
        if (!to)
            return NULL;
        to->size = size;
        if (from)
            memcpy(to->data, from->data, MIN(from->size, size));
    }
    plat_free(from);
    return to ? to->data : NULL;
}

/* What libcyaml wants to know, and its first message. */
struct schema {
    cyaml_schema_field_t fields[CONFIG_OPTIONS + 1];
    cyaml_schema_field_t inner[CONFIG_OPTIONS + CONFIG_GROUPS]; /* of the mappings, each list with an end */
    cyaml_schema_value_t top;
    cyaml_config_t config;
    char message[MESSAGE];
};

/* Settings with a dot in their names are fields of a mapping; all of one follow each other. */
static void schema_fields(struct schema *s)
{
    unsigned out = 0, in = 0;

    for (int i = 0; i < CONFIG_OPTIONS; i++) {
        const char *group = config_group(i);

        if (!group) {
            s->fields[out++] = field_schema(i);
            continue;
        }
        s->fields[out++] = (cyaml_schema_field_t){
            .key = group,
            .value = {.type = CYAML_MAPPING,
                      .flags = CYAML_FLAG_OPTIONAL,
                      .data_size = sizeof(struct raw),
                      .mapping = {.fields = &s->inner[in]}},
        };
        for (; i < CONFIG_OPTIONS && config_group(i) == group; i++)
            s->inner[in++] = field_schema(i);
        in++;
        i--;
    }
}

static void schema_init(struct schema *s)
{
    *s = (struct schema){
        .top =
            {
                .type = CYAML_MAPPING,
                .flags = CYAML_FLAG_POINTER,
                .data_size = sizeof(struct raw),
                .mapping = {.fields = s->fields},
            },
        .config = {.log_fn = take_message,
                   .log_ctx = s->message,
                   .log_level = CYAML_LOG_ERROR,
                   .mem_fn = take_memory},
    };
    schema_fields(s);
}

static int load_text(struct config *c, const char *file, const char *text, size_t size, char *why,
                     size_t why_size)
{
    struct config fresh = *c;
    struct yaml_places places;
    struct schema schema;
    struct raw *raw = NULL;
    char reason[4500]; /* may quote a path whole */
    const char *kept = config_keep(&fresh, file, strlen(file));
    int err = kept ? yaml_places_find(&places, text, size, reason, sizeof(reason)) : -ENOMEM;

    if (!kept) {
        places.wrong = (struct yaml_place){1, 1};
        snprintf(reason, sizeof(reason), "no memory for the configuration; free some on the host");
    }
    schema_init(&schema);
    if (!err && cyaml_load_data((const uint8_t *)text, size, &schema.config, &schema.top, (void **)&raw,
                                NULL) != CYAML_OK) {
        snprintf(reason, sizeof(reason), "%s; write one `key: value` a line", schema.message);
        err = -EINVAL;
    }
    if (!err)
        err = apply(&fresh, kept, &places, raw, &places.wrong, reason, sizeof(reason));
    cyaml_free(&schema.config, &schema.top, raw, 0);
    c->strings = fresh.strings; /* kept on failure too: config_fini() frees them */
    if (err)
        snprintf(why, why_size, "%s:%u:%u: %s", file, places.wrong.line, places.wrong.column, reason);
    else
        *c = fresh;
    return err;
}

/* A reason is one line, whatever the value that it quotes. */
static void one_line(char *why)
{
    for (; *why; why++) {
        if ((unsigned char)*why < ' ')
            *why = ' ';
    }
}

static void refuse(char *why, size_t why_size, const char *path, int err)
{
    static const struct {
        int err;
        const char *remedy;
    } remedies[] = {
        {-EACCES, "change its permissions"},
        {-EISDIR, "name the YAML file in it"},
        {-EFBIG, "a VM takes less than 1 MiB of YAML; name another file"},
        {-ENODEV, "it is no regular file; name one"},
        {-ENOMEM, "free some memory on the host"},
        {-ENODATA, "it became shorter meanwhile; try again"},
    };
    const char *remedy = "check the path";

    for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
        if (remedies[i].err == err)
            remedy = remedies[i].remedy;
    }
    snprintf(why, why_size, "%s: cannot be read: %s; %s", path, strerror(-err), remedy);
}

int config_load(struct config *c, const char *path, char *why, size_t why_size)
{
    struct plat_file *f;
    uint64_t size = 0;
    char *text = NULL;
    int err = plat_file_open(&f, path, PLAT_READ);

    if (err) {
        refuse(why, why_size, path, err);
        one_line(why);
        return err;
    }
    err = plat_file_size(f, &size);
    if (!err && size > FILE_MAX)
        err = -EFBIG;
    if (!err && !(text = plat_alloc(size + 1)))
        err = -ENOMEM;
    if (!err)
        err = plat_file_read(f, 0, text, size);
    plat_file_close(f);
    if (err)
        refuse(why, why_size, path, err);
    else
        err = load_text(c, path, text, size, why, why_size);
    plat_free(text);
    if (err)
        one_line(why);
    return err;
}
