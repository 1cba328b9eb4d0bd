/* Field tables: hash and dump. */
#include "core/state.h"
#include "lib/fmt.h"
#include "lib/hash.h"
#include "lib/str.h"

void state_hash(const struct state_field *fields, const void *object, struct hash *h)
{
    for (const struct state_field *f = fields; f && f->name; f++) {
        if (!(f->flags & STATE_NOHASH))
            hash_bytes(h, (const char *)object + f->offset, (size_t)f->size * f->count);
    }
}

static void element_hex(char *out, const uint8_t *p, unsigned size)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = size; i-- > 0;) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = 0;
}

void state_dump(const struct state_field *fields, const void *object, const char *prefix,
                void (*emit)(void *opaque, const char *line), void *opaque)
{
    char line[256], hex[2 * 32 + 1];

    for (const struct state_field *f = fields; f && f->name; f++) {
        const uint8_t *p = (const uint8_t *)object + f->offset;

        for (unsigned i = 0; i < f->count; i++, p += f->size) {
            element_hex(hex, p, MIN(f->size, 32u));
            if (f->count > 1)
                fmt_snprintf(line, sizeof(line), "%s.%s[%u] = %s", prefix, f->name, i, hex);
            else
                fmt_snprintf(line, sizeof(line), "%s.%s = %s", prefix, f->name, hex);
            emit(opaque, line);
        }
    }
}
