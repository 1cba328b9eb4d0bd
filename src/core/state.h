/*
 * Field tables: one row a field gives save, load, hash, and registers by name, for vCPUs and devices.
 */
#ifndef CV_CORE_STATE_H
#define CV_CORE_STATE_H

#include "lib/base.h"

enum state_flags {
    STATE_REG = 1,   /* offered by name to gdb, monitor and the public API */
    STATE_NOHASH = 2 /* saved, but no part of the deterministic hash (host-dependent) */
};

/* `count` elements of `size` bytes at offset; name NULL ends a table. */
struct state_field {
    const char *name;
    uint32_t offset;
    uint16_t size;
    uint16_t count;
    uint8_t group; /* enum reg_group, 0 for devices */
    uint8_t flags;
};

#define STATE_FIELD(type, field, grp, flg)                                                                   \
    {                                                                                                        \
#field, offsetof(type, field), sizeof(((type *)0)->field), 1, grp, flg                               \
    }
#define STATE_ARRAY(type, field, grp, flg)                                                                   \
    {                                                                                                        \
#field, offsetof(type, field), sizeof(((type *)0)->field[0]), ARRAY_SIZE(((type *)0)->field), grp,   \
            flg                                                                                              \
    }
#define STATE_END                                                                                            \
    {                                                                                                        \
        NULL, 0, 0, 0, 0, 0                                                                                  \
    }

struct hash;
void state_hash(const struct state_field *fields, const void *object, struct hash *h);
/* One text line a field, "name = hex", through emit. */
void state_dump(const struct state_field *fields, const void *object, const char *prefix,
                void (*emit)(void *opaque, const char *line), void *opaque);

#endif
