/* Writing device trees: header, reservation map, structure, strings (Devicetree Specification 0.4, 5). */
#include "lib/fdt.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

enum { MAGIC = (int)0xd00dfeed, BEGIN_NODE = 1, END_NODE = 2, PROP = 3, END = 9 };
enum { HEADER_SIZE = 40, RESERVE_SIZE = 16, VERSION = 17, LAST_COMPATIBLE = 16 };

static void be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static void be64(uint8_t *p, uint64_t v)
{
    be32(p, (uint32_t)(v >> 32));
    be32(p + 4, (uint32_t)v);
}

/* The first error stays. */
static void fail(struct dtw *w, int err)
{
    w->err = w->err ? w->err : err;
}

/* Room for n bytes, padded to a word with zeros; NULL once the buffer is full. */
static uint8_t *room(struct dtw *w, size_t n)
{
    size_t padded = ALIGN_UP(n, 4);
    uint8_t *p = w->buf + w->at;

    if (w->err || n > w->size || padded > w->size - w->at) {
        fail(w, -ENOSPC);
        return NULL;
    }
    memset(p, 0, padded);
    w->at += padded;
    return p;
}

static void put_u32(struct dtw *w, uint32_t v)
{
    uint8_t *p = room(w, 4);

    if (p)
        be32(p, v);
}

void dtw_init(struct dtw *w, void *buf, size_t size)
{
    *w = (struct dtw){.buf = buf, .size = size, .structs = HEADER_SIZE + RESERVE_SIZE};
    room(w, HEADER_SIZE + RESERVE_SIZE);
}

/* Over the two zeros that end the map; new ones follow. */
void dtw_reserve(struct dtw *w, uint64_t address, uint64_t size)
{
    uint8_t *p;

    if (w->at != w->structs || !size)
        fail(w, -EINVAL);
    p = room(w, RESERVE_SIZE);
    if (!p)
        return;
    be64(p - RESERVE_SIZE, address);
    be64(p - RESERVE_SIZE + 8, size);
    w->structs = w->at;
}

void dtw_begin_node(struct dtw *w, const char *name)
{
    size_t n = strlen(name) + 1;
    uint8_t *p;

    if (!w->depth && w->at != w->structs)
        fail(w, -EINVAL); /* a second root */
    put_u32(w, BEGIN_NODE);
    p = room(w, n);
    if (p)
        memcpy(p, name, n);
    w->depth++;
    w->props_over = false;
}

void dtw_begin_unit(struct dtw *w, const char *name, uint64_t address)
{
    char full[64];
    int n = fmt_snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);

    if (n >= (int)sizeof(full))
        fail(w, -EINVAL);
    dtw_begin_node(w, full);
}

void dtw_end_node(struct dtw *w)
{
    if (!w->depth)
        fail(w, -EINVAL);
    else
        w->depth--;
    put_u32(w, END_NODE);
    w->props_over = true;
}

/* Offset of a name in the strings block, which holds each once. */
static uint32_t string_offset(struct dtw *w, const char *name)
{
    size_t n = strlen(name) + 1, at = 0;

    while (at < w->strings_size) {
        if (!strcmp(w->strings + at, name))
            return (uint32_t)at;
        at += strlen(w->strings + at) + 1;
    }
    if (n > sizeof(w->strings) - at) {
        fail(w, -ENOSPC);
        return 0;
    }
    memcpy(w->strings + at, name, n);
    w->strings_size = at + n;
    return (uint32_t)at;
}

/* A property of n bytes, to be filled in. Properties stand before the node's children (5.4.2). */
static uint8_t *prop(struct dtw *w, const char *name, size_t n)
{
    if (!w->depth || w->props_over)
        fail(w, -EINVAL);
    put_u32(w, PROP);
    put_u32(w, (uint32_t)n);
    put_u32(w, string_offset(w, name));
    return room(w, n);
}

void dtw_prop_bytes(struct dtw *w, const char *name, const void *data, size_t size)
{
    uint8_t *p = prop(w, name, size);

    if (p && size)
        memcpy(p, data, size);
}

void dtw_prop_empty(struct dtw *w, const char *name)
{
    prop(w, name, 0);
}

void dtw_prop_cells(struct dtw *w, const char *name, const uint32_t *cells, unsigned count)
{
    uint8_t *p = prop(w, name, (size_t)count * 4);

    for (unsigned i = 0; p && i < count; i++)
        be32(p + (size_t)i * 4, cells[i]);
}

void dtw_prop_u32(struct dtw *w, const char *name, uint32_t value)
{
    dtw_prop_cells(w, name, &value, 1);
}

void dtw_prop_u64s(struct dtw *w, const char *name, const uint64_t *values, unsigned count)
{
    uint8_t *p = prop(w, name, (size_t)count * 8);

    for (unsigned i = 0; p && i < count; i++)
        be64(p + (size_t)i * 8, values[i]);
}

void dtw_prop_u64(struct dtw *w, const char *name, uint64_t value)
{
    dtw_prop_u64s(w, name, &value, 1);
}

void dtw_prop_str(struct dtw *w, const char *name, const char *value)
{
    dtw_prop_bytes(w, name, value, strlen(value) + 1);
}

void dtw_prop_strlist(struct dtw *w, const char *name, const char *const *values, unsigned count)
{
    size_t n = 0;
    uint8_t *p;

    for (unsigned i = 0; i < count; i++)
        n += strlen(values[i]) + 1;
    p = prop(w, name, n);
    for (unsigned i = 0; p && i < count; i++) {
        memcpy(p, values[i], strlen(values[i]) + 1);
        p += strlen(values[i]) + 1;
    }
}

int dtw_finish(struct dtw *w, size_t *size)
{
    uint32_t strings;
    uint8_t *p;

    if (w->depth || w->at == w->structs)
        fail(w, -EINVAL);
    put_u32(w, END);
    strings = (uint32_t)w->at;
    p = room(w, w->strings_size);
    if (w->err)
        return w->err;
    memcpy(p, w->strings, w->strings_size);
    const uint32_t header[HEADER_SIZE / 4] = {
        (uint32_t)MAGIC,
        (uint32_t)w->at,
        (uint32_t)w->structs,
        strings,
        HEADER_SIZE,
        VERSION,
        LAST_COMPATIBLE,
        0,
        (uint32_t)w->strings_size,
        strings - (uint32_t)w->structs,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(header); i++)
        be32(w->buf + (size_t)i * 4, header[i]);
    *size = w->at;
    return 0;
}
