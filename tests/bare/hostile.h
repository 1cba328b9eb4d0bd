/*
 * What the hostile guests of both ISAs share: chance, and queues of virtio devices that are none. guest.h,
 * RAM, VIRTIO, VIRTIO_STEP, r32() and w32() come before.
 */
#ifndef CV_TESTS_BARE_HOSTILE_H
#define CV_TESTS_BARE_HOSTILE_H

static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* A device of virtio set up as its specification says (VIRTIO 1.2, 4.2.3), but with rings anywhere and of
 * anything. */
static void any_queue(void)
{
    static uint64_t ring[512];
    uint64_t at = VIRTIO + VIRTIO_STEP * (any() % 8), queue = any() % 3;
    const uint64_t where[] = {(uint64_t)ring,
                              (uint64_t)ring + 2048,
                              RAM + (32 << 20) - 8,
                              RAM - 4096,
                              VIRTIO,
                              any(),
                              ~0ul - 100,
                              1ul << 40,
                              RAM + 1};

    for (unsigned i = 0; i < 512; i += 2) { /* descriptors: address; length, flags, next */
        ring[i] = any() % 2 ? where[any() % 9] : any();
        ring[i + 1] =
            (any() % 2 ? any() % 4096 : any() & 0xffffffff) | (any() & 7) << 32 | (any() % 300) << 48;
    }
    ring[256] = any() % 2 ? 0x100000000 : any(); /* available ring: flags, index, heads */
    static const uint8_t steps[] = {0, 1, 3};
    for (unsigned i = 0; i < 3; i++)
        w32(at + 0x70, steps[i]);
    w32(at + 0x24, 1);
    w32(at + 0x20, 1);
    w32(at + 0x70, 11);
    w32(at + 0x30, (uint32_t)queue);
    w32(at + 0x38, any() % 4 ? 1u << any() % 9 : (uint32_t)any());
    for (unsigned i = 0x80; i <= 0xa0; i += 16) {
        uint64_t p = i == 0x80 && any() % 2   ? (uint64_t)ring
                     : i == 0x90 && any() % 2 ? (uint64_t)ring + 2048
                                              : where[any() % 9];

        w32(at + i, (uint32_t)p);
        w32(at + i + 4, (uint32_t)(p >> 32));
    }
    w32(at + 0x44, 1);
    w32(at + 0x70, 15);
    w32(at + 0x50, (uint32_t)queue);
    (void)r32(at + 0x70);
}

#endif
