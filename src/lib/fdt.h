/*
 * Flattened device trees (Devicetree Specification 0.4, 5): a writer on the caller's buffer and a reader
 * for untrusted blobs. Symbols are dtw_ and dtb_, so that libfdt can be linked beside them in tests.
 */
#ifndef CV_LIB_FDT_H
#define CV_LIB_FDT_H

#include "lib/base.h"

/* ---- writer: sequential; errors stick and are told by dtw_finish() ---- */

#define DTW_STRINGS 4096 /* bytes of property names */

struct dtw {
    uint8_t *buf;
    size_t size, at; /* bytes in all, and written */
    size_t structs;  /* where the structure block begins */
    unsigned depth;
    bool props_over; /* the open node has a child: no more properties */
    int err;         /* the first one */
    char strings[DTW_STRINGS];
    size_t strings_size;
};

void dtw_init(struct dtw *w, void *buf, size_t size);
/* An entry of the memory reservation map; before the root. */
void dtw_reserve(struct dtw *w, uint64_t address, uint64_t size);
void dtw_begin_node(struct dtw *w, const char *name);                   /* the root's is "" */
void dtw_begin_unit(struct dtw *w, const char *name, uint64_t address); /* name@address */
void dtw_end_node(struct dtw *w);
void dtw_prop_bytes(struct dtw *w, const char *name, const void *data, size_t size);
void dtw_prop_empty(struct dtw *w, const char *name);
void dtw_prop_u32(struct dtw *w, const char *name, uint32_t value);
void dtw_prop_u64(struct dtw *w, const char *name, uint64_t value);
void dtw_prop_cells(struct dtw *w, const char *name, const uint32_t *cells, unsigned count);
void dtw_prop_u64s(struct dtw *w, const char *name, const uint64_t *values, unsigned count);
void dtw_prop_str(struct dtw *w, const char *name, const char *value);
void dtw_prop_strlist(struct dtw *w, const char *name, const char *const *values, unsigned count);
/*
 * 0 and the blob's size; -ENOSPC when it did not fit, -EINVAL when the calls made no tree: unbalanced
 * nodes, none or several roots, a property behind a child or outside.
 */
int dtw_finish(struct dtw *w, size_t *size);

/* ---- reader ---- */

struct dtb {
    const uint8_t *structs, *strings;
    uint32_t structs_size, strings_size;
    const uint8_t *reserve; /* pairs of address and size, ends with two zeros */
};

/* A node is the offset of its FDT_BEGIN_NODE; -1: none. */
typedef int32_t dtb_node;
#define DTB_NONE ((dtb_node)-1)

/* Checks header and the whole structure once; after it no other call can leave the blob. -EINVAL. */
int dtb_open(struct dtb *d, const void *blob, size_t size);
dtb_node dtb_root(const struct dtb *d);
dtb_node dtb_child(const struct dtb *d, dtb_node n);   /* first */
dtb_node dtb_sibling(const struct dtb *d, dtb_node n); /* next */
dtb_node dtb_parent(const struct dtb *d, dtb_node n);
/* Next node in blob order, of any depth; DTB_NONE gives the root. */
dtb_node dtb_next(const struct dtb *d, dtb_node from);
const char *dtb_name(const struct dtb *d, dtb_node n);
/* Properties in order; all zero asks for the first. False: no more. */
struct dtb_property {
    const char *name;
    const void *value;
    uint32_t size;
    uint32_t at; /* private */
};
bool dtb_prop_next(const struct dtb *d, dtb_node n, struct dtb_property *p);
/* Value of a property and its size (size may be NULL), or NULL. */
const void *dtb_prop(const struct dtb *d, dtb_node n, const char *name, uint32_t *size);
/* "/soc/serial@10000000"; a component without @ matches the first node of that name. */
dtb_node dtb_path(const struct dtb *d, const char *path);
/* Next node after `from` (DTB_NONE: from the start), in blob order, that is compatible. */
dtb_node dtb_compatible(const struct dtb *d, dtb_node from, const char *compatible);
dtb_node dtb_phandle(const struct dtb *d, uint32_t phandle); /* neither 0 nor -1 is one */
/* Cell i of a property, or -ENOENT. */
int dtb_u32(const struct dtb *d, dtb_node n, const char *name, unsigned i, uint32_t *out);
/* A property of one or two cells, or -ENOENT. */
int dtb_u64(const struct dtb *d, dtb_node n, const char *name, uint64_t *out);
/* Entry i of "reg", by the parent's cell counts; -ENOENT, -ENOTSUP for counts above 2. */
int dtb_reg(const struct dtb *d, dtb_node n, unsigned i, uint64_t *address, uint64_t *size);
/* Entry i of the memory reservation map, if there is one. */
bool dtb_reserved(const struct dtb *d, unsigned i, uint64_t *address, uint64_t *size);
/* The string property, or NULL when absent or not terminated. */
const char *dtb_str(const struct dtb *d, dtb_node n, const char *name);

#endif
