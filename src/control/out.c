/* Rows as text columns or as JSON objects. */
#include "control/control.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* A field of a JSON object takes up to so many characters beside its name, when its value is cut to the
 * shortest. */
#define JSON_FIELD 48

static void add(char *buf, size_t size, size_t *at, const char *text, size_t len)
{
    len = MIN(len, size - 1 - *at);
    memcpy(buf + *at, text, len);
    *at += len;
    buf[*at] = 0;
}

static void put(struct control_out *o, const char *text)
{
    add(o->text, sizeof(o->text), &o->at, text, strlen(text));
}

/* What is longer than a quarter of the room that is left is cut: what follows has to fit too. */
static void put_json(struct control_out *o, const char *s)
{
    size_t end = o->at + MAX((sizeof(o->text) - o->at) / 4, (size_t)24);
    char code[8];

    put(o, "\"");
    for (; *s; s++) {
        if (o->at >= end) {
            put(o, "...");
            break;
        }
        if (*s == '"' || *s == '\\')
            fmt_snprintf(code, sizeof(code), "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            fmt_snprintf(code, sizeof(code), "\\u%04x", (unsigned char)*s);
        else
            fmt_snprintf(code, sizeof(code), "%c", *s);
        put(o, code);
    }
    put(o, "\"");
}

static void flush(struct control_out *o)
{
    /* A name or path may have any. */
    for (char *c = o->text; !o->json && *c; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    while (!o->json && o->at && o->text[o->at - 1] == ' ')
        o->text[--o->at] = 0;
    o->line(o->opaque, o->text);
    o->at = 0;
    o->text[0] = 0;
}

void out_list(struct control_out *o, enum control_form form)
{
    o->form = form;
    o->headed = false;
}

void out_begin(struct control_out *o)
{
    o->at = o->head_at = 0;
    o->fields = 0;
    o->text[0] = o->head[0] = 0;
    if (o->json)
        put(o, "{");
}

/* One of a table's columns, with its name above. */
static void column(struct control_out *o, const char *name, unsigned width, const char *value)
{
    char cell[CONTROL_TEXT];

    width = MAX(width, (unsigned)strlen(name));
    fmt_snprintf(cell, sizeof(cell), "%-*s  ", (int)width, value);
    put(o, cell);
    fmt_snprintf(cell, sizeof(cell), "%-*s  ", (int)width, name);
    add(o->head, sizeof(o->head), &o->head_at, cell, strlen(cell));
}

static void field(struct control_out *o, const char *name, unsigned width, const char *value, bool quoted)
{
    if (o->json) {
        if (sizeof(o->text) - o->at < strlen(name) + JSON_FIELD)
            return; /* left out rather than cut */
        if (o->fields++)
            put(o, ",");
        put_json(o, name);
        put(o, ":");
        if (quoted)
            put_json(o, value);
        else
            put(o, value);
        return;
    }
    if (o->form == CONTROL_TABLE) {
        column(o, name, width, value);
        return;
    }
    fmt_snprintf(o->text, sizeof(o->text), "%-16s %s", name, value);
    o->at = strlen(o->text);
    flush(o);
}

void out_str(struct control_out *o, const char *name, unsigned width, const char *value)
{
    field(o, name, width, value ? value : "", true);
}

void out_u64(struct control_out *o, const char *name, unsigned width, uint64_t value)
{
    char text[24];

    fmt_snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    field(o, name, width, text, false);
}

/* JSON has no hexadecimal numbers, so there it is a string. */
void out_hex(struct control_out *o, const char *name, unsigned width, uint64_t value)
{
    char text[24];

    fmt_snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
    field(o, name, width, text, true);
}

void out_bool(struct control_out *o, const char *name, unsigned width, bool value)
{
    if (o->json)
        field(o, name, width, value ? "true" : "false", false);
    else
        field(o, name, width, value ? "yes" : "no", false);
}

void out_end(struct control_out *o)
{
    if (o->json) {
        put(o, "}");
        flush(o);
        return;
    }
    if (o->form == CONTROL_PAIRS)
        return;
    if (!o->headed) {
        while (o->head_at && o->head[o->head_at - 1] == ' ')
            o->head[--o->head_at] = 0;
        o->line(o->opaque, o->head);
    }
    o->headed = true;
    flush(o);
}

void out_line(struct control_out *o, const char *text)
{
    if (!o->json) {
        o->line(o->opaque, text);
        return;
    }
    out_begin(o);
    out_str(o, "line", 0, text);
    out_end(o);
}
