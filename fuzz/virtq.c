/* Any bytes as a virtqueue: each chain handed out lies in RAM whole, or the driver's mistake is told. */
#include "fuzz.h"
#include "core/mem.h"
#include "device/virtio/virtq.h"

#define RAM   0x80000000u
#define PAGES 16

static void check_chain(const struct virtq_chain *c, const struct mem *m)
{
    uint32_t total = 0;

    FUZZ_CHECK(c->readable <= c->count && c->count <= VIRTQ_SEGS);
    for (unsigned i = 0; i < c->count; i++) {
        FUZZ_CHECK(c->seg[i].len);
        FUZZ_CHECK(mem_ptr(m, c->seg[i].gpa, c->seg[i].len, i >= c->readable) == c->seg[i].host);
        total += c->seg[i].len;
    }
    FUZZ_CHECK(total == c->read_bytes + c->write_bytes);
}

/* Pops, reads, writes and gives back until there is none, or the driver made a mistake. */
static void serve(struct virtq *q, struct mem *m, struct fuzz_in *in)
{
    for (unsigned n = 0; n < 40; n++) {
        static struct virtq_chain c; /* large */
        uint8_t buf[300];
        uint32_t offset = (uint32_t)fuzz_take(in, 2);
        size_t done;

        if (virtq_pop(q, &c) != 1)
            break;
        check_chain(&c, m);
        done = virtq_read(&c, offset, buf, sizeof(buf));
        FUZZ_CHECK(done <= sizeof(buf) && (offset < c.read_bytes || !done));
        done = virtq_write(q, &c, offset, buf, sizeof(buf));
        FUZZ_CHECK(done <= sizeof(buf) && (offset < c.write_bytes || !done));
        if (offset & 1) {
            virtq_unpop(q, 1);
            if (n & 1)
                break;
            continue;
        }
        virtq_push(q, 0, c.head, c.write_bytes);
        virtq_publish(q, 1);
        virtq_interrupt(q);
    }
    virtq_listen(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};
    struct virtq q;
    struct mem m;
    char why[160];
    unsigned flags = (unsigned)fuzz_take(&in, 1);

    FUZZ_CHECK(!mem_init(&m, NULL));
    FUZZ_CHECK(!mem_add_ram(&m, RAM, PAGES * MEM_PAGE_SIZE, MEM_RAM, "ram", why, sizeof(why)));
    virtq_reset(&q, &m);
    q.size = (uint16_t)fuzz_take(&in, flags & 4 ? 2 : 1);
    q.desc = RAM + (flags & 8 ? fuzz_take(&in, 4) : 0);
    q.driver = RAM + (flags & 16 ? fuzz_take(&in, 4) : 0x800);
    q.device = RAM + (flags & 32 ? fuzz_take(&in, 4) : 0xa00);
    mem_write(&m, RAM, in.p, in.left < 0x3000 ? in.left : 0x3000);
    if (!virtq_enable(&q, flags & 1, flags & 2)) {
        serve(&q, &m, &in);
        q.avail = (uint16_t)fuzz_take(&in, 2);
        serve(&q, &m, &in);
    }
    mem_fini(&m);
    return 0;
}
