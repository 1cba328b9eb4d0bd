/*
 * YAML files by libcyaml. Every value is read as text and goes through config_set(), so that file and
 * flags share one parser; libcyaml checks the shape (keys, lists, strings), this file finds the places.
 */
#include <cyaml/cyaml.h>
#include <stdio.h>
#include <string.h>
#include "config/config.h"
#include "core/platform.h"
#include "lib/err.h"

#define FILE_MAX (1u << 20)
#define LIST_MAX 64

struct list {
    char **item;
    unsigned count;
};

/* What libcyaml fills: one of both per option. */
struct raw {
    char *scalar[CONFIG_OPTIONS];
    struct list list[CONFIG_OPTIONS];
};

/* What its messages said: the first error and the first place. */
struct report {
    char text[160];
    unsigned line, column;
};

static const cyaml_schema_value_t item_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

static cyaml_schema_field_t field_schema(int i)
{
    cyaml_schema_field_t f = {.key = config_info[i].key};

    if (config_is_list(config_info[i].kind)) {
        f.data_offset = (uint32_t)(offsetof(struct raw, list) + (size_t)i * sizeof(struct list));
        f.count_offset = (uint32_t)(f.data_offset + offsetof(struct list, count));
        f.count_size = sizeof(unsigned);
        f.value = (cyaml_schema_value_t){
            .type = CYAML_SEQUENCE,
            .flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
            .data_size = sizeof(char *),
            .sequence = {.entry = &item_schema, .min = 0, .max = LIST_MAX},
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

static void take_message(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
    struct report *r = ctx;
    char text[256], *place;

    (void)level;
    vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = 0;
    place = strstr(text, "(line: ");
    if (place && !r->line)
        sscanf(place, "(line: %u, column: %u", &r->line, &r->column);
    else if (!place && !r->text[0])
        snprintf(r->text, sizeof(r->text), "%.150s", strncmp(text, "Load: ", 6) ? text : text + 6);
}

/* Where `key:` stands in the text at or after line `from`: 1-based. */
static void locate(const char *text, const char *key, unsigned from, struct report *r)
{
    size_t n = strlen(key);
    unsigned line = 1;

    for (const char *p = text; *p; line++) {
        const char *s = p + strspn(p, " -{");

        if (line >= from && !strncmp(s, key, n) && s[n + strspn(s + n, " ")] == ':') {
            r->line = line;
            r->column = (unsigned)(s - p) + 1;
            return;
        }
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
}

/* "Unexpected key: x" stands for the key before it in libcyaml's places; say it our way. */
static void explain(const char *text, struct report *r)
{
    static const char unexpected[] = "Unexpected key: ";
    struct config scratch;
    char key[64];

    if (strncmp(r->text, unexpected, sizeof(unexpected) - 1))
        return;
    snprintf(key, sizeof(key), "%s", r->text + sizeof(unexpected) - 1);
    locate(text, key, r->line, r);
    config_init(&scratch);
    config_set(&scratch, key, "", r->text, sizeof(r->text));
    config_fini(&scratch);
}

/* Paths are relative to the file's folder. */
static int set_from_file(struct config *c, const char *file, int option, const char *value, char *why,
                         size_t why_size)
{
    enum config_kind kind = config_info[option].kind;
    const char *slash = strrchr(file, '/');
    char path[4096];

    if (!slash || value[0] == '/' || (kind != CONFIG_PATH && kind != CONFIG_DISK_ && kind != CONFIG_ISO_))
        return config_set(c, config_info[option].key, value, why, why_size);
    if ((size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - file), file, value) >= sizeof(path)) {
        snprintf(why, why_size, "%s: the path is too long", config_info[option].key);
        return -EINVAL;
    }
    return config_set(c, config_info[option].key, path, why, why_size);
}

static int apply(struct config *c, const char *file, const char *text, const struct raw *raw, char *why,
                 size_t why_size)
{
    char reason[200];
    int err = 0, i;

    for (i = 0; i < CONFIG_OPTIONS; i++) {
        if (raw->scalar[i])
            err = set_from_file(c, file, i, raw->scalar[i], reason, sizeof(reason));
        for (unsigned k = 0; !err && k < raw->list[i].count; k++)
            err = set_from_file(c, file, i, raw->list[i].item[k], reason, sizeof(reason));
        if (err)
            break;
    }
    if (err) {
        struct report r = {.line = 1, .column = 1};

        locate(text, config_info[i].key, 1, &r);
        snprintf(why, why_size, "%s:%u:%u: %s", file, r.line, r.column, reason);
    }
    return err;
}

static int load_text(struct config *c, const char *file, const char *text, size_t size, char *why,
                     size_t why_size)
{
    cyaml_schema_field_t fields[CONFIG_OPTIONS + 1] = {{0}};
    const cyaml_schema_value_t top = {
        .type = CYAML_MAPPING,
        .flags = CYAML_FLAG_POINTER,
        .data_size = sizeof(struct raw),
        .mapping = {.fields = fields},
    };
    struct report r = {{0}, 0, 0};
    const cyaml_config_t config = {
        .log_fn = take_message, .log_ctx = &r, .log_level = CYAML_LOG_ERROR, .mem_fn = cyaml_mem};
    struct config fresh = *c;
    struct raw *raw = NULL;
    int err;

    for (int i = 0; i < CONFIG_OPTIONS; i++)
        fields[i] = field_schema(i);
    if (cyaml_load_data((const uint8_t *)text, size, &config, &top, (void **)&raw, NULL) != CYAML_OK) {
        explain(text, &r);
        snprintf(why, why_size, "%s:%u:%u: %s", file, r.line ? r.line : 1, r.column ? r.column : 1,
                 r.text[0] ? r.text : "is no YAML mapping; write one `key: value` a line");
        return -EINVAL;
    }
    if (!raw) {
        snprintf(why, why_size, "%s:1:1: is empty; write one `key: value` a line", file);
        return -EINVAL;
    }
    err = apply(&fresh, file, text, raw, why, why_size);
    c->strings = fresh.strings; /* kept on failure too: config_fini() frees them */
    if (!err)
        *c = fresh;
    cyaml_free(&config, &top, raw, 0);
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

int config_load(struct config *c, const char *path, char *why, size_t why_size)
{
    struct plat_file *f;
    uint64_t size = 0;
    char *text = NULL;
    int err = plat_file_open(&f, path, PLAT_READ);

    if (err) {
        snprintf(why, why_size, "%s: %s; check the path", path, strerror(-err));
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
        snprintf(why, why_size, "%s: cannot be read: %s", path, strerror(-err));
    else
        err = load_text(c, path, text, size, why, why_size);
    plat_free(text);
    if (err)
        one_line(why);
    return err;
}
