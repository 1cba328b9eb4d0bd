/* Reading device trees that nobody vouches for. */
#include "lib/fdt.h"
#include "lib/err.h"
#include "lib/str.h"

#define MAGIC 0xd00dfeedu
enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9, HEADER_SIZE = 40, DEPTH_MAX = 32 };

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t token(const struct dtb *d, uint32_t at)
{
    return at + 4 <= d->structs_size ? be32(d->structs + at) : END;
}

/* Bytes up to and with the terminator, or 0 when there is none before `limit`. */
static uint32_t text_size(const uint8_t *p, uint32_t limit)
{
    for (uint32_t i = 0; i < limit; i++) {
        if (!p[i])
            return i + 1;
    }
    return 0;
}

/* Offset behind the token at `at`; END's own offset. A blob that dtb_open() took never fails here. */
static uint32_t next(const struct dtb *d, uint32_t at)
{
    switch (token(d, at)) {
    case BEGIN_NODE:
        return at + 4 + (uint32_t)ALIGN_UP(text_size(d->structs + at + 4, d->structs_size - at - 4), 4);
    case PROP:
        return at + 12 + (uint32_t)ALIGN_UP(be32(d->structs + at + 4), 4);
    case END_NODE:
    case NOP:
        return at + 4;
    default:
        return at;
    }
}

/* Whether the token at `at` and what belongs to it lie inside, and its names are terminated. */
static bool token_ok(const struct dtb *d, uint32_t at)
{
    uint32_t left = d->structs_size - at, size, name;

    switch (token(d, at)) {
    case BEGIN_NODE:
        size = text_size(d->structs + at + 4, left - 4);
        return size && ALIGN_UP(size, 4) <= left - 4;
    case PROP:
        if (left < 12)
            return false;
        size = be32(d->structs + at + 4);
        name = be32(d->structs + at + 8);
        return size <= left - 12 && ALIGN_UP(size, 4) <= left - 12 && name < d->strings_size;
    case END_NODE:
    case NOP:
        return true;
    default:
        return false;
    }
}

static int check_structure(const struct dtb *d)
{
    uint32_t at = 0, t;
    unsigned depth = 0, roots = 0;
    bool props = false; /* may still come: they stand before the node's children (5.4.2) */

    for (; at + 4 <= d->structs_size && (t = be32(d->structs + at)) != END; at = next(d, at)) {
        if (!token_ok(d, at))
            return -EINVAL;
        if (t == BEGIN_NODE && (depth++ == 0 ? roots++ > 0 : depth > DEPTH_MAX))
            return -EINVAL;
        if (t == END_NODE && depth-- == 0)
            return -EINVAL;
        if (t == PROP && !props)
            return -EINVAL;
        if (t != NOP && t != PROP)
            props = t == BEGIN_NODE;
    }
    return at + 4 <= d->structs_size && depth == 0 && roots == 1 ? 0 : -EINVAL;
}

static int check_reserve(const uint8_t *blob, uint32_t at, uint32_t total)
{
    static const uint8_t zeros[16];

    for (; at <= total && total - at >= 16; at += 16) {
        if (!memcmp(blob + at, zeros, 16))
            return 0;
    }
    return -EINVAL;
}

/* Without what follows the last terminator: then every name that starts inside also ends there. */
static uint32_t terminated(const uint8_t *strings, uint32_t size)
{
    while (size && strings[size - 1])
        size--;
    return size;
}

static bool inside(uint32_t offset, uint32_t size, uint32_t total)
{
    return offset <= total && size <= total - offset;
}

int dtb_open(struct dtb *d, const void *blob, size_t size)
{
    const uint8_t *p = blob;
    uint32_t total, structs, strings, reserve;

    if (size < HEADER_SIZE || be32(p) != MAGIC)
        return -EINVAL;
    total = be32(p + 4);
    structs = be32(p + 8);
    strings = be32(p + 12);
    reserve = be32(p + 16);
    *d = (struct dtb){.strings_size = be32(p + 32), .structs_size = be32(p + 36)};
    if (total > size || total > INT32_MAX || be32(p + 20) < 17 || be32(p + 24) > 17 || structs % 4 ||
        reserve % 8)
        return -EINVAL;
    if (!inside(structs, d->structs_size, total) || !inside(strings, d->strings_size, total) ||
        check_reserve(p, reserve, total))
        return -EINVAL;
    d->structs = p + structs;
    d->strings = p + strings;
    d->strings_size = terminated(d->strings, d->strings_size);
    d->reserve = p + reserve;
    return check_structure(d);
}

dtb_node dtb_root(const struct dtb *d)
{
    uint32_t at = 0;

    while (token(d, at) == NOP)
        at += 4;
    return (dtb_node)at;
}

dtb_node dtb_child(const struct dtb *d, dtb_node n)
{
    uint32_t at = next(d, (uint32_t)n);

    while (token(d, at) == PROP || token(d, at) == NOP)
        at = next(d, at);
    return token(d, at) == BEGIN_NODE ? (dtb_node)at : DTB_NONE;
}

dtb_node dtb_sibling(const struct dtb *d, dtb_node n)
{
    uint32_t at = (uint32_t)n;
    unsigned depth = 0;

    do {
        uint32_t t = token(d, at);

        depth += t == BEGIN_NODE;
        depth -= t == END_NODE;
        at = next(d, at);
    } while (depth);
    while (token(d, at) == NOP)
        at += 4;
    return token(d, at) == BEGIN_NODE ? (dtb_node)at : DTB_NONE;
}

const char *dtb_name(const struct dtb *d, dtb_node n)
{
    return (const char *)d->structs + n + 4;
}

bool dtb_prop_next(const struct dtb *d, dtb_node n, struct dtb_property *p)
{
    uint32_t at = next(d, p->at ? p->at : (uint32_t)n);

    while (token(d, at) == NOP)
        at += 4;
    if (token(d, at) != PROP)
        return false;
    *p = (struct dtb_property){
        .name = (const char *)d->strings + be32(d->structs + at + 8),
        .value = d->structs + at + 12,
        .size = be32(d->structs + at + 4),
        .at = at,
    };
    return true;
}

const void *dtb_prop(const struct dtb *d, dtb_node n, const char *name, uint32_t *size)
{
    struct dtb_property p = {0};

    while (dtb_prop_next(d, n, &p)) {
        if (!strcmp(p.name, name)) {
            if (size)
                *size = p.size;
            return p.value;
        }
    }
    return NULL;
}

/* A path component [s, s+n) against a node's name, whose @address may be left out. */
static bool name_matches(const char *name, const char *s, size_t n)
{
    return !strncmp(name, s, n) && (name[n] == 0 || name[n] == '@');
}

dtb_node dtb_path(const struct dtb *d, const char *path)
{
    dtb_node n = dtb_root(d);

    while (n != DTB_NONE && *path) {
        size_t len = 0;

        while (*path == '/')
            path++;
        while (path[len] && path[len] != '/')
            len++;
        if (!len)
            break;
        n = dtb_child(d, n);
        while (n != DTB_NONE && !name_matches(dtb_name(d, n), path, len))
            n = dtb_sibling(d, n);
        path += len;
    }
    return n;
}

static bool list_has(const char *list, uint32_t size, const char *word)
{
    uint32_t n;

    for (; size && (n = text_size((const uint8_t *)list, size)); list += n, size -= n) {
        if (!strcmp(list, word))
            return true;
    }
    return false;
}

dtb_node dtb_next(const struct dtb *d, dtb_node from)
{
    uint32_t at = from == DTB_NONE ? 0 : next(d, (uint32_t)from);

    while (token(d, at) != BEGIN_NODE && token(d, at) != END)
        at = next(d, at);
    return token(d, at) == BEGIN_NODE ? (dtb_node)at : DTB_NONE;
}

dtb_node dtb_parent(const struct dtb *d, dtb_node n)
{
    dtb_node open[DEPTH_MAX + 1] = {DTB_NONE};
    unsigned depth = 0;

    for (uint32_t at = 0; at != (uint32_t)n && token(d, at) != END; at = next(d, at)) {
        if (token(d, at) == BEGIN_NODE)
            open[depth++] = (dtb_node)at;
        else if (token(d, at) == END_NODE)
            depth--;
    }
    return depth ? open[depth - 1] : DTB_NONE;
}

dtb_node dtb_compatible(const struct dtb *d, dtb_node from, const char *compatible)
{
    for (dtb_node n = dtb_next(d, from); n != DTB_NONE; n = dtb_next(d, n)) {
        uint32_t size;
        const char *list = dtb_prop(d, n, "compatible", &size);

        if (list && list_has(list, size, compatible))
            return n;
    }
    return DTB_NONE;
}

int dtb_u32(const struct dtb *d, dtb_node n, const char *name, unsigned i, uint32_t *out)
{
    uint32_t size;
    const uint8_t *p = dtb_prop(d, n, name, &size);

    if (!p || i >= size / 4)
        return -ENOENT;
    *out = be32(p + (size_t)i * 4);
    return 0;
}

static uint64_t cells(const uint8_t *p, unsigned count)
{
    return count == 2 ? (uint64_t)be32(p) << 32 | be32(p + 4) : count == 1 ? be32(p) : 0;
}

int dtb_u64(const struct dtb *d, dtb_node n, const char *name, uint64_t *out)
{
    uint32_t size;
    const uint8_t *p = dtb_prop(d, n, name, &size);

    if (!p || (size != 4 && size != 8))
        return -ENOENT;
    *out = cells(p, size / 4);
    return 0;
}

int dtb_reg(const struct dtb *d, dtb_node n, unsigned i, uint64_t *address, uint64_t *size)
{
    dtb_node parent = dtb_parent(d, n);
    uint32_t na = 2, ns = 1, bytes; /* the defaults of 2.3.5 */
    const uint8_t *p = dtb_prop(d, n, "reg", &bytes);

    if (!p || parent == DTB_NONE)
        return -ENOENT;
    dtb_u32(d, parent, "#address-cells", 0, &na);
    dtb_u32(d, parent, "#size-cells", 0, &ns);
    if (na < 1 || na > 2 || ns > 2)
        return -ENOTSUP;
    if (i >= bytes / (4 * (na + ns)))
        return -ENOENT;
    p += (size_t)i * 4 * (na + ns);
    *address = cells(p, na);
    *size = cells(p + 4 * na, ns);
    return 0;
}

bool dtb_reserved(const struct dtb *d, unsigned i, uint64_t *address, uint64_t *size)
{
    const uint8_t *p = d->reserve;

    for (;; p += 16) {
        *address = cells(p, 2);
        *size = cells(p + 8, 2);
        if (!*address && !*size)
            return false;
        if (!i--)
            return true;
    }
}

dtb_node dtb_phandle(const struct dtb *d, uint32_t phandle)
{
    if (phandle == 0 || phandle == UINT32_MAX)
        return DTB_NONE;
    for (dtb_node n = dtb_next(d, DTB_NONE); n != DTB_NONE; n = dtb_next(d, n)) {
        uint32_t value;

        if (!dtb_u32(d, n, "phandle", 0, &value) && value == phandle)
            return n;
    }
    return DTB_NONE;
}

const char *dtb_str(const struct dtb *d, dtb_node n, const char *name)
{
    uint32_t size;
    const char *s = dtb_prop(d, n, name, &size);

    return s && size && text_size((const uint8_t *)s, size) ? s : NULL;
}
