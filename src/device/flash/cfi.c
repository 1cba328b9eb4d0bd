/*
 * CFI flash. Sources: JEDEC JESD68.01 (query structure), and for commands, status and identifiers the data
 * sheets "Intel StrataFlash Memory (J3)" 290667, here J3, and "Numonyx StrataFlash Embedded Memory
 * (J3-65nm)", here J3-65.
 *
 * Both chips get the same commands at the same time, as the bus wires them: one state machine stands for
 * both, it looks at the lane of the lower chip, and answers appear in both lanes.
 */
#include "device/flash/cfi.h"
#include "core/vm.h"
#include "lib/err.h"
#include "lib/fdt.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define BUFFER_BITS  9                          /* bytes of a chip's write buffer */
#define BUFFER_WORDS ((1u << BUFFER_BITS) / 2)  /* x16 words of it, so 32-bit words of both */
#define BLOCKS_MAX   (CFI_SIZE_MAX / CFI_BLOCK) /* of a bank */
#define SECTOR       512u                       /* unit of the backing file */

/* J3, "Command Definitions". */
enum command {
    CMD_LOCK_SET = 0x01,
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_READ_QUERY = 0x98,
    CMD_SUSPEND = 0xb0,
    CMD_CONFIRM = 0xd0,
    CMD_BUFFER = 0xe8,
    CMD_READ_ARRAY = 0xff
};

/* J3, "Status Register Definitions". SR.4 and SR.5 together: a command sequence that does not exist. */
enum status {
    SR_LOCKED = 0x02,
    SR_NO_VOLTAGE = 0x08,
    SR_PROGRAM = 0x10,
    SR_ERASE = 0x20,
    SR_READY = 0x80,
    SR_SEQUENCE = SR_PROGRAM | SR_ERASE
};

enum { MANUFACTURER_INTEL = 0x89, DEVICE_128M = 0x18, DEVICE_256M = 0x1d }; /* J3, "Read Identifier Codes" */

enum mode { READ_ARRAY, READ_STATUS, READ_ID, READ_QUERY };
enum cycle { CYCLE_FIRST, CYCLE_PROGRAM, CYCLE_ERASE, CYCLE_LOCK, CYCLE_COUNT, CYCLE_DATA, CYCLE_BUFFER };

struct cfi {
    struct device dev;
    uint8_t *bytes; /* what the bank reads as; all zeros while blank */
    struct blockdev *file;
    struct work work; /* writes `from` to `to` to the file */
    uint64_t locked[BLOCKS_MAX / 64];
    uint32_t from, to;          /* to > from: bytes that the file has to get before the operation ends */
    uint32_t block;             /* of a two-cycle command, by its offset */
    uint32_t start, left, used; /* write buffer: offset of its first word; words to come; words in all */
    uint32_t buffer[BUFFER_WORDS];
    uint8_t mode, cycle, status;
    uint8_t blank; /* never programmed: 0xff without host memory behind it */
};

static const struct state_field cfi_state[] = {
    STATE_ARRAY(struct cfi, locked, 0, 0),
    STATE_FIELD(struct cfi, from, 0, 0),
    STATE_FIELD(struct cfi, to, 0, 0),
    STATE_FIELD(struct cfi, block, 0, 0),
    STATE_FIELD(struct cfi, start, 0, 0),
    STATE_FIELD(struct cfi, left, 0, 0),
    STATE_FIELD(struct cfi, used, 0, 0),
    STATE_ARRAY(struct cfi, buffer, 0, 0),
    STATE_FIELD(struct cfi, mode, 0, 0),
    STATE_FIELD(struct cfi, cycle, 0, 0),
    STATE_FIELD(struct cfi, status, 0, 0),
    STATE_FIELD(struct cfi, blank, 0, 0),
    STATE_END,
};

static bool is_locked(const struct cfi *f, uint32_t offset)
{
    unsigned block = offset / CFI_BLOCK;

    return f->locked[block / 64] >> (block % 64) & 1;
}

static bool is_busy(const struct cfi *f)
{
    return f->to > f->from;
}

static void set_mode(struct cfi *f, enum mode mode)
{
    f->mode = (uint8_t)mode;
    if (mem_flash_set(&f->dev.vm->mem, f->dev.base, mode == READ_ARRAY && !f->blank))
        f->dev.switched = true;
}

/* ---- reads ---- */

/* 32 bytes from 0x10 of JESD68, "CFI Query Identification String", "System Interface Information". */
static const uint8_t query_head[] = {
    'Q',  'R',  'Y',  0x01, 0x00, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, /* vendor 0001, its table at 0x31 */
    0x27, 0x36, 0x00, 0x00,                                           /* Vcc 2.7 V to 3.6 V, no Vpp */
    0x08, 0x08, 0x0a, 0x00, /* 256 us a word, a buffer; 1 s a block */
    0x0e, 0x0e, 0x04, 0x00, /* at most 4 s, 16 s: the file's disk may have other things to do */
};
/* From 0x31: J3 appendix A, "Primary Vendor-Specific Extended Query". */
static const uint8_t query_vendor[] = {
    'P',  'R',  'I',  '1',  '1', /* version 1.1 */
    0x20, 0x00, 0x00, 0x00,      /* blocks are locked one by one, at once (bit 5); no suspend */
    0x00, 0x01, 0x00,            /* nothing under suspend; the block status has the lock bit */
    0x33, 0x00, 0x00,            /* best at 3.3 V, no Vpp; no protection registers */
};

static unsigned log2_floor(uint64_t x)
{
    unsigned n = 0;

    while (x >>= 1)
        n++;
    return n;
}

/* From 0x27: JESD68, "Device Geometry Definition", of one chip. */
static uint8_t query_geometry(const struct cfi *f, unsigned i)
{
    uint32_t blocks = (uint32_t)(f->dev.size / CFI_BLOCK) - 1, unit = CFI_BLOCK / 2 / 256;
    const uint8_t g[] = {
        (uint8_t)log2_floor(f->dev.size / 2),
        0x01,
        0x00, /* x16 only */
        BUFFER_BITS,
        0x00,
        1, /* all blocks are alike */
        (uint8_t)blocks,
        (uint8_t)(blocks >> 8),
        (uint8_t)unit,
        (uint8_t)(unit >> 8),
    };

    return g[i];
}

static uint8_t query_byte(const struct cfi *f, uint32_t word)
{
    if (word >= 0x10 && word < 0x10 + sizeof(query_head))
        return query_head[word - 0x10];
    if (word >= 0x27 && word < 0x31)
        return query_geometry(f, word - 0x27);
    if (word >= 0x31 && word < 0x31 + sizeof(query_vendor))
        return query_vendor[word - 0x31];
    return 0;
}

/* J3-65, 7.4: manufacturer, device, and the lock bit at word 2 of each block. */
static uint8_t id_byte(const struct cfi *f, uint32_t offset)
{
    uint32_t word = offset % CFI_BLOCK / 4;

    if (word == 0)
        return MANUFACTURER_INTEL;
    if (word == 1)
        return f->dev.size >= CFI_SIZE_MAX ? DEVICE_256M : DEVICE_128M;
    return word == 2 && is_locked(f, offset);
}

/* The 32 bits at offset: what one chip answers, in both lanes; the upper half of a lane is 0. */
static uint32_t word_read(const struct cfi *f, uint32_t offset)
{
    uint32_t x;

    switch (is_busy(f) ? READ_STATUS : (enum mode)f->mode) {
    case READ_STATUS:
        x = is_busy(f) ? 0 : f->status; /* J3-65, 7.3: busy is SR.7 = 0, the rest has no meaning then */
        break;
    case READ_ID:
        x = id_byte(f, offset);
        break;
    case READ_QUERY:
        x = query_byte(f, offset % CFI_BLOCK / 4);
        break;
    default:
        if (f->blank)
            return UINT32_MAX;
        memcpy(&x, f->bytes + offset, sizeof(x));
        return x;
    }
    return x | x << 16;
}

static uint64_t cfi_read(struct device *d, unsigned region, uint64_t offset, unsigned size)
{
    const struct cfi *f = container_of(d, struct cfi, dev);
    uint64_t value = 0;

    (void)region;
    for (unsigned i = 0; i < size; i++) {
        uint32_t at = (uint32_t)offset + i;

        value |= (uint64_t)(word_read(f, at & ~3u) >> (at % 4 * 8) & 0xff) << (8 * i);
    }
    return value;
}

/* ---- programming and erasing ---- */

static void fill(struct cfi *f)
{
    if (!f->blank)
        return;
    memset(f->bytes, 0xff, f->dev.size);
    mem_dirty(&f->dev.vm->mem, f->dev.base, f->dev.size);
    f->blank = false;
}

/* The operation is over when the file has the bytes. */
static void changed(struct cfi *f, uint32_t offset, uint32_t len)
{
    mem_dirty(&f->dev.vm->mem, f->dev.base + offset, len);
    if (!f->file)
        return;
    f->from = offset;
    f->to = offset + len;
    work_queue(&f->work);
}

/*
 * Whole sectors of the file. Nothing changes the bytes meanwhile: a busy chip takes no command. An operation
 * that failed on real flash leaves cells half programmed; here it leaves the memory changed and the file not.
 */
static void write_through(void *opaque)
{
    struct cfi *f = opaque;
    uint32_t from, to;
    int err;

    plat_lock(&f->dev.lock);
    from = ALIGN_DOWN(f->from, SECTOR);
    to = (uint32_t)ALIGN_UP(f->to, SECTOR);
    plat_unlock(&f->dev.lock);
    if (to <= from)
        return;
    err = f->file->ops->write(f->file, from, f->bytes + from, to - from);
    plat_lock(&f->dev.lock);
    f->from = f->to = 0;
    if (err)
        f->status |= f->cycle == CYCLE_ERASE ? SR_ERASE : SR_PROGRAM;
    f->cycle = CYCLE_FIRST;
    plat_unlock(&f->dev.lock);
}

/* May the block of offset change? If not, the status says why. */
static bool may_change(struct cfi *f, uint32_t offset, enum status failed)
{
    if (is_locked(f, offset))
        f->status |= (uint8_t)(SR_LOCKED | failed);
    else if (f->file && f->file->read_only)
        f->status |= (uint8_t)(SR_NO_VOLTAGE | failed); /* as with VPEN tied low: writes are off */
    else
        return true;
    return false;
}

/* Programming turns ones into zeros only (J3, "Word/Byte Program"). */
static void program(struct cfi *f, uint32_t offset, const void *data, uint32_t len)
{
    const uint8_t *bytes = data;

    fill(f);
    for (uint32_t i = 0; i < len; i++)
        f->bytes[offset + i] &= bytes[i];
    changed(f, offset, len);
}

static void erase(struct cfi *f)
{
    fill(f);
    memset(f->bytes + f->block, 0xff, CFI_BLOCK);
    changed(f, f->block, CFI_BLOCK);
}

/* ---- write buffer (J3, "Write to Buffer") ---- */

static void buffer_count(struct cfi *f, uint32_t offset, uint32_t count)
{
    f->used = f->left = count + 1;
    f->cycle = CYCLE_DATA;
    if (count >= BUFFER_WORDS || ALIGN_DOWN(offset, CFI_BLOCK) != f->block) {
        f->status |= SR_SEQUENCE;
        f->cycle = CYCLE_FIRST;
    }
    memset(f->buffer, 0xff, sizeof(f->buffer));
}

/* Each address lies within the words asked for, counted from the first one, and within the block. */
static void buffer_data(struct cfi *f, uint32_t offset, unsigned size, uint64_t value)
{
    uint32_t words = MAX(size / 4, 1u), at;

    if (f->left == f->used)
        f->start = ALIGN_DOWN(offset, 4);
    at = offset - f->start;
    if (offset < f->start || at + size > f->used * 4 || f->start < f->block ||
        f->start + f->used * 4 > f->block + CFI_BLOCK || words > f->left) {
        f->status |= SR_SEQUENCE;
        f->cycle = CYCLE_FIRST;
        return;
    }
    memcpy((uint8_t *)f->buffer + at, &value, size);
    f->left -= words;
    if (!f->left)
        f->cycle = CYCLE_BUFFER;
}

/* ---- commands ---- */

static const struct {
    uint8_t command, mode, cycle;
} commands[] = {
    {CMD_READ_ID, READ_ID, CYCLE_FIRST},           {CMD_READ_QUERY, READ_QUERY, CYCLE_FIRST},
    {CMD_READ_STATUS, READ_STATUS, CYCLE_FIRST},   {CMD_PROGRAM, READ_STATUS, CYCLE_PROGRAM},
    {CMD_PROGRAM_ALT, READ_STATUS, CYCLE_PROGRAM}, {CMD_ERASE, READ_STATUS, CYCLE_ERASE},
    {CMD_LOCK, READ_STATUS, CYCLE_LOCK},           {CMD_BUFFER, READ_STATUS, CYCLE_COUNT},
    {CMD_SUSPEND, READ_STATUS, CYCLE_FIRST}, /* nothing runs: the chip stays ready */
};

/* What is none, AMD's reset 0xf0 of those who probe among it, leads to the array like CMD_READ_ARRAY. */
static void first_cycle(struct cfi *f, uint32_t offset, uint8_t command)
{
    f->block = ALIGN_DOWN(offset, CFI_BLOCK);
    if (command == CMD_CLEAR_STATUS) {
        f->status = SR_READY;
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].command == command) {
            f->cycle = commands[i].cycle;
            set_mode(f, (enum mode)commands[i].mode);
            return;
        }
    }
    set_mode(f, READ_ARRAY);
}

/* The second cycle of lock (J3-65, "Block Locking"); each block has its bit. */
static void lock_cycle(struct cfi *f, uint8_t command)
{
    unsigned block = f->block / CFI_BLOCK;

    if (command == CMD_LOCK_SET)
        f->locked[block / 64] |= BIT(block % 64);
    else if (command == CMD_CONFIRM)
        f->locked[block / 64] &= ~BIT(block % 64);
    else
        f->status |= SR_SEQUENCE;
}

static void erase_cycle(struct cfi *f, uint8_t command)
{
    if (command != CMD_CONFIRM)
        f->status |= SR_SEQUENCE;
    else if (may_change(f, f->block, SR_ERASE))
        erase(f);
}

static void buffer_cycle(struct cfi *f, uint8_t command)
{
    if (command != CMD_CONFIRM)
        f->status |= SR_SEQUENCE;
    else if (may_change(f, f->block, SR_PROGRAM))
        program(f, f->start, f->buffer, f->used * 4);
}

/* The last cycle of a command; an operation that a file has to follow keeps its cycle until it has. */
static void last_cycle(struct cfi *f, uint32_t offset, unsigned size, uint64_t value)
{
    switch ((enum cycle)f->cycle) {
    case CYCLE_PROGRAM:
        if (may_change(f, offset, SR_PROGRAM))
            program(f, offset, &value, size);
        break;
    case CYCLE_ERASE:
        erase_cycle(f, (uint8_t)value);
        break;
    case CYCLE_LOCK:
        lock_cycle(f, (uint8_t)value);
        break;
    default:
        buffer_cycle(f, (uint8_t)value);
    }
    if (!is_busy(f))
        f->cycle = CYCLE_FIRST;
}

/* Commands count by the low byte of the low lane, whatever the width; data by all bytes written. */
static void cfi_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct cfi *f = container_of(d, struct cfi, dev);
    uint32_t at = (uint32_t)offset;

    (void)region;
    if (is_busy(f))
        return;
    switch ((enum cycle)f->cycle) {
    case CYCLE_FIRST:
        first_cycle(f, at, (uint8_t)value);
        break;
    case CYCLE_COUNT:
        buffer_count(f, at, (uint16_t)value);
        break;
    case CYCLE_DATA:
        buffer_data(f, at, size, value);
        break;
    default:
        last_cycle(f, at, size, value);
    }
}

/* ---- life ---- */

/* The lock bits begin clear: firmware and systems for such boards do not all unlock first. */
static void cfi_reset(struct device *d)
{
    struct cfi *f = container_of(d, struct cfi, dev);

    f->status = SR_READY;
    f->cycle = CYCLE_FIRST;
    f->block = f->start = f->left = f->used = 0;
    memset(f->locked, 0, sizeof(f->locked));
    memset(f->buffer, 0, sizeof(f->buffer));
    set_mode(f, READ_ARRAY);
}

static void cfi_quiesce(struct device *d)
{
    work_flush(&container_of(d, struct cfi, dev)->work);
}

static void cfi_destroy(struct device *d)
{
    struct cfi *f = container_of(d, struct cfi, dev);

    work_flush(&f->work);
    device_fini(d);
    plat_free(f);
}

static int cfi_describe(struct device *d, struct dtw *w)
{
    device_node_begin(d, w, "flash");
    dtw_prop_str(w, "compatible", "cfi-flash");
    dtw_prop_u32(w, "bank-width", 4);
    dtw_end_node(w);
    return 0;
}

static const struct device_ops cfi_ops = {
    .name = "cfi-flash",
    .summary = "parallel NOR flash, CFI, Intel command set",
    .state = cfi_state,
    .read = cfi_read,
    .write = cfi_write,
    .reset = cfi_reset,
    .quiesce = cfi_quiesce,
    .destroy = cfi_destroy,
    .describe = cfi_describe,
};

static int check(const char *id, const struct cfi_config *c, char *why, size_t why_size)
{
    if (c->size < 2 * CFI_BLOCK || c->size > CFI_SIZE_MAX || (c->size & (c->size - 1)))
        fmt_snprintf(why, why_size, "%s: no flash has 0x%llx bytes; a power of two from 512 KiB to 64 MiB",
                     id, (unsigned long long)c->size);
    else if (c->file && c->file->size != c->size)
        fmt_snprintf(why, why_size, "%s: the file has %llu bytes; make it %llu (truncate -s)", id,
                     (unsigned long long)c->file->size, (unsigned long long)c->size);
    else if (c->image_size > c->size)
        fmt_snprintf(why, why_size, "%s: the image has %llu bytes and the flash only %llu", id,
                     (unsigned long long)c->image_size, (unsigned long long)c->size);
    else
        return 0;
    return -EINVAL;
}

/* Mapped already, not added. */
static int load(struct cfi *f, const struct cfi_config *c, char *why, size_t why_size)
{
    int err = 0;

    f->blank = true;
    if (!c->file && !c->image_size)
        return 0;
    fill(f);
    if (c->image_size)
        memcpy(f->bytes, c->image, c->image_size);
    if (c->file)
        err = c->file->ops->read(c->file, 0, f->bytes, c->size);
    if (err)
        fmt_snprintf(why, why_size, "%s: the file cannot be read; check the disk it is on", f->dev.id);
    return err;
}

struct device *cfi_create(struct vm *vm, const char *id, const struct cfi_config *config, char *why,
                          size_t why_size)
{
    struct cfi *f;

    if (check(id, config, why, why_size))
        return NULL;
    f = device_alloc(sizeof(*f), why, why_size);
    if (!f)
        return NULL;
    device_init(&f->dev, &cfi_ops, vm, id);
    f->file = config->file;
    work_init(&f->work, vm, write_through, f);
    if (mem_add_flash(&vm->mem, config->base, config->size, &f->dev, 0, id, why, why_size)) {
        cfi_destroy(&f->dev);
        return NULL;
    }
    f->bytes = mem_find(&vm->mem, config->base)->host;
    f->dev.base = config->base;
    f->dev.size = config->size;
    if (load(f, config, why, why_size)) {
        /* Without the region: what it points to is gone. */
        mem_remove(&vm->mem, config->base);
        cfi_destroy(&f->dev);
        return NULL;
    }
    cfi_reset(&f->dev);
    device_add(&f->dev);
    return &f->dev;
}
