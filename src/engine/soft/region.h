/*
 * Forms a unit: which guest instructions belong to it, and their IR. The region is what direct jumps reach
 * from the entry without leaving its page, less what its branches were never seen to lead to, up to a limit.
 */
#ifndef CV_ENGINE_SOFT_REGION_H
#define CV_ENGINE_SOFT_REGION_H

#include "engine/soft/soft.h"

#define REGION_MAX_INSNS  512
#define REGION_MAX_BLOCKS 96
#define REGION_MAX_OPS    12288
/* A block is cut behind so many instructions, so that small budgets meet small blocks. */
#define REGION_BLOCK_INSNS 64

/* Per-vCPU storage for forming units: soft_vcpu.scratch. */
struct soft_scratch {
    struct ir_op ops[REGION_MAX_OPS];
    struct ir_block blocks[REGION_MAX_BLOCKS];
    struct ir_unit unit;
    const uint8_t *source;            /* the code in guest RAM; NULL: `page` has it all */
    uint64_t copied;                  /* its 64-byte lines that are in `page` already */
    uint8_t page[MEM_PAGE_SIZE + 16]; /* a copy of what was looked at, the next page's head behind it */
    uint64_t lines;                   /* 64-byte lines of the page that the unit was made from... */
    unsigned beyond;                  /* ... and bytes behind the page */
    /* Bitmaps by offset: instructions that were scanned, places where blocks begin. */
    uint64_t scanned[MEM_PAGE_SIZE / 64], leader[MEM_PAGE_SIZE / 64];
    /* Places that are reached from more than one place; those in or behind a line; those that are lifted. */
    uint64_t joined[MEM_PAGE_SIZE / 64], follows[MEM_PAGE_SIZE / 64], lifted[MEM_PAGE_SIZE / 64];
    uint64_t turned[MEM_PAGE_SIZE / 64]; /* places on a loop that a block holds, its head apart */
    uint16_t work[REGION_MAX_BLOCKS];
};

/*
 * What running showed of branches: whether the one at `at` is mostly taken (1) or not (-1), or has been seen
 * to go that way alone (2, -2); 0: unknown.
 */
struct region_hints {
    int (*lean)(const struct vm *vm, gpa_t at);
    const struct vm *vm;
    gpa_t page;
};

struct region_limits {
    unsigned insns, blocks; /* at most REGION_MAX_* */
    /*
     * Blocks go on behind a branch (EXIT is the other way) where nothing else leads to, and a short loop is
     * repeated in its block: fewer looks at the budget, more of a block for the passes to see.
     */
    bool traces;
    const struct region_hints *hints; /* NULL: nothing is known */
};

/*
 * Fills s->unit from s->source and s->page, of which `avail` bytes are there (MEM_PAGE_SIZE, or 16 more when
 * the entry instruction crosses). 0; -E2BIG: the entry instruction needs bytes of the next page; -EOVERFLOW:
 * its IR has no room.
 */
int region_form(struct soft_scratch *s, const struct lift_ops *lift, uint64_t mode, unsigned entry,
                unsigned avail, const struct region_limits *limits);

#endif
