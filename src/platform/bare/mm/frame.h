/*
 * Page frames: a buddy allocator over all free RAM, blocks of 4 KiB to 1 GiB. Small requests take from blocks
 * that are split already, so that 2 MiB and 1 GiB stay whole as long as possible.
 */
#ifndef CV_PLATFORM_BARE_MM_FRAME_H
#define CV_PLATFORM_BARE_MM_FRAME_H

#include "platform/bare/board.h"

#define FRAME_BITS  12
#define FRAME_BYTES 4096u
#define FRAME_ORDER 18 /* 2^18 pages: 1 GiB */

/* Who looks after a block in use. */
enum frame_use { FRAME_PLAIN, FRAME_SLAB };

/* Manages these ranges (page aligned, mapped) from now on; each gives up one byte a page. Once. */
void frames_init(const struct board_range *ranges, unsigned count);
/* 2^order pages, aligned to their size, not zeroed; NULL when there are none. Interrupt handlers may, too. */
void *frame_alloc(unsigned order, enum frame_use use);
/*
 * size bytes (rounded up to pages) in one piece, not zeroed, aligned to 1 GiB or 2 MiB as far as the size
 * goes and free memory allows.
 */
void *frame_alloc_range(uint64_t size);
/* What either of them gave. */
void frame_free(void *p);
/* The block in use that begins at p, and by whom; false: none does. */
bool frame_block(const void *p, enum frame_use *use, uint64_t *size);
uint64_t frames_total(void); /* bytes managed, and free now */
uint64_t frames_free(void);
/* Blocks of that order on the free list. */
uint64_t frames_free_blocks(unsigned order);
/*
 * Every invariant, for tests and the shell: no block twice, no two buddies free, counts right. What is wrong,
 * or NULL.
 */
const char *frames_check(void);

#endif
