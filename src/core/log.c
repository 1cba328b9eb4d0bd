/* Messages and traces: levels, parsing of --log and --trace, one line out. */
#include "core/log.h"
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

const char *const log_sub_names[LOG_SUBS] = {"core", "cpu",  "mem", "dev",    "block",
                                             "net",  "char", "jit", "config", "firmware"};
const char *const trace_names[] = {"unit", "ir", "asm", "exit", "mmio", "irq", "exc", NULL};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

#define LINE_MAX_LEN 1024

static void line_out(const char *prefix, const char *fmt, va_list ap)
{
    char line[LINE_MAX_LEN];
    int n = fmt_snprintf(line, sizeof(line), "%s", prefix);

    n += fmt_vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
    plat_log_line(line, fmt_fitted(n, sizeof(line)));
}

void log_write(const struct log *l, enum log_sub sub, enum log_level level, const char *fmt, ...)
{
    static const char *const prefix[] = {"carbovisor: ", "carbovisor: warning: ", "carbovisor: ", "debug: "};
    va_list ap;

    if (l && level > l->level[sub])
        return;
    va_start(ap, fmt);
    line_out(prefix[level], fmt, ap);
    va_end(ap);
}

void trace_write(const struct log *l, const char *fmt, ...)
{
    va_list ap;

    (void)l;
    va_start(ap, fmt);
    line_out("", fmt, ap);
    va_end(ap);
}

/* Index of the word [s, s+len) in names, or -1. */
static int word_index(const char *s, size_t len, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(names[i]) == len && !memcmp(names[i], s, len))
            return (int)i;
    }
    return -1;
}

static int unknown(const char *what, const char *s, size_t len, const char *const *names, size_t n, char *why,
                   size_t why_size)
{
    char word[64], hint[160];

    len = MIN(len, sizeof(word) - 1);
    memcpy(word, s, len);
    word[len] = 0;
    fmt_hint(hint, sizeof(hint), word, names, n);
    fmt_snprintf(why, why_size, "%s '%s' is unknown; %s", what, word, hint);
    return -EINVAL;
}

int log_parse(struct log *l, const char *spec, char *why, size_t why_size)
{
    const char *eq = strchr(spec, '=');
    int sub, level;

    if (!eq) {
        fmt_snprintf(why, why_size, "log: '%s' is not SUBSYSTEM=LEVEL, such as jit=debug", spec);
        return -EINVAL;
    }
    level = word_index(eq + 1, strlen(eq + 1), level_names, ARRAY_SIZE(level_names));
    if (level < 0)
        return unknown("log: level", eq + 1, strlen(eq + 1), level_names, ARRAY_SIZE(level_names), why,
                       why_size);
    if (eq - spec == 3 && !memcmp(spec, "all", 3)) {
        memset(l->level, level, sizeof(l->level));
        return 0;
    }
    sub = word_index(spec, (size_t)(eq - spec), log_sub_names, LOG_SUBS);
    if (sub < 0)
        return unknown("log: subsystem", spec, (size_t)(eq - spec), log_sub_names, LOG_SUBS, why, why_size);
    l->level[sub] = (uint8_t)level;
    return 0;
}

int trace_parse(struct log *l, const char *list, char *why, size_t why_size)
{
    uint32_t bits = 0;
    size_t known = ARRAY_SIZE(trace_names) - 1;

    while (*list) {
        const char *comma = strchr(list, ',');
        size_t len = comma ? (size_t)(comma - list) : strlen(list);
        int i = word_index(list, len, trace_names, known);

        if (i < 0)
            return unknown("trace:", list, len, trace_names, known, why, why_size);
        bits |= 1u << i;
        list += len + (comma ? 1 : 0);
    }
    l->trace |= bits;
    return 0;
}
