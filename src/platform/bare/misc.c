/* What is left of core/platform.h: randomness, wishes, and what the bare form does not have. */
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/hash.h"
#include "lib/rng.h"
#include "platform/bare/app.h"
#include "platform/bare/board.h"
#include "platform/bare/sync/spin.h"

static struct {
    struct spin lock;
    bool seeded;
    struct rng rng; /* lock */
    const struct bare_stream_ops *stream;
} misc = {.lock = SPIN_INIT(RANK_USER)};

/* The loader's seed where it gave one (Documentation/devicetree/bindings/chosen), the CPU's, and time. */
static uint64_t seed(void)
{
    const struct board *b = board_get();
    dtb_node chosen = b ? dtb_path(&b->dtb, "/chosen") : DTB_NONE;
    uint64_t s = arch_counter(), more;
    uint32_t size;
    const void *given = chosen != DTB_NONE ? dtb_prop(&b->dtb, chosen, "rng-seed", &size) : NULL;

    if (given)
        s ^= hash_memory(s, given, size);
    if (chosen != DTB_NONE && !dtb_u64(&b->dtb, chosen, "kaslr-seed", &more))
        s ^= more;
    return arch_random(&more) ? s ^ more : s;
}

int plat_random(void *buf, size_t size)
{
    bool on = spin_lock_irq(&misc.lock);
    uint64_t more = 0;

    if (!misc.seeded)
        rng_init(&misc.rng, seed());
    misc.seeded = true;
    misc.rng.s[0] ^= arch_counter(); /* the moment of each call counts, too */
    if (arch_random(&more))
        misc.rng.s[1] ^= more;
    misc.rng.s[2] |= 1; /* never all zero */
    rng_bytes(&misc.rng, buf, size);
    spin_unlock_irq(&misc.lock, on);
    return 0;
}

const char *plat_getenv(const char *name)
{
    (void)name;
    return NULL;
}

int plat_code_map(struct plat_code *code, size_t size)
{
    (void)code;
    (void)size;
    return -ENOTSUP;
}

void plat_code_use(struct plat_code *code, size_t offset, size_t size)
{
    (void)code;
    (void)offset;
    (void)size;
}

void plat_code_unmap(struct plat_code *code)
{
    (void)code;
}

/* ---- streams: the front end's, where it has any ---- */

void bare_stream_hook(const struct bare_stream_ops *ops)
{
    misc.stream = ops;
}

int plat_stream_open(struct plat_stream **s, const char *spec, struct plat_stream_cb cb, char *why,
                     size_t why_size)
{
    if (misc.stream && misc.stream->open)
        return misc.stream->open(s, spec, cb, why, why_size);
    fmt_snprintf(why, why_size, "there are no streams on the bare form");
    return -ENOTSUP;
}

void plat_stream_begin(struct plat_stream *s)
{
    (void)s;
}

size_t plat_stream_write(struct plat_stream *s, const void *data, size_t len)
{
    return misc.stream->write(s, data, len);
}

bool plat_stream_lost(const struct plat_stream *s)
{
    (void)s;
    return false;
}

void plat_stream_pause(struct plat_stream *s, bool paused)
{
    misc.stream->pause(s, paused);
}

/* All streams come from the console, where somebody types. */
bool plat_stream_typed(const struct plat_stream *s)
{
    (void)s;
    return true;
}

bool plat_stream_takes_all(const struct plat_stream *s)
{
    (void)s;
    return true;
}

void plat_stream_close(struct plat_stream *s)
{
    misc.stream->close(s);
}

int plat_netproc_start(struct plat_netproc **p, const char *options, struct plat_stream_cb cb, char *why,
                       size_t why_size)
{
    (void)p;
    (void)options;
    (void)cb;
    fmt_snprintf(why, why_size, "the bare form has no user network; use a switch");
    return -ENOTSUP;
}

int plat_netproc_send(struct plat_netproc *p, const void *frame, size_t len)
{
    (void)p;
    (void)frame;
    (void)len;
    return -ENOTSUP;
}

void plat_netproc_stop(struct plat_netproc *p)
{
    (void)p;
}
