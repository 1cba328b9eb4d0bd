/* A disk that is a plain file, byte for byte. */
#ifndef CV_BACKEND_BLOCK_RAW_H
#define CV_BACKEND_BLOCK_RAW_H

#include "core/blockdev.h"

/*
 * Opens and locks the file: one writer or several readers. 0, or with one line in why that names file,
 * reason and remedy: -EBUSY (another VM has it), -EINVAL (size), -ENOENT and its like. Ended by
 * ops->destroy.
 */
int block_raw_create(struct blockdev **out, const char *path, bool read_only, char *why, size_t why_size);
/* The same without the lock, for looking at: another VM may have it. */
int block_raw_inspect(struct blockdev **out, const char *path, bool read_only, char *why, size_t why_size);
/* Whether two paths lead to one file; false where that cannot be said. */
bool block_raw_same(const char *a, const char *b);

#endif
