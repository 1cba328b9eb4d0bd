/* The board of the device targets. */
#include "board.h"
#include "core/blockdev.h"
#include "core/chardev.h"
#include "core/irqchip.h"
#include "core/netdev.h"
#include "guest/arm64/guest.h"
#include "guest/riscv64/guest.h"
#include "lib/err.h"
#include "machine/machine.h"

/* ---- no engine ---- */

static int none_vm_init(struct vm *vm)
{
    (void)vm;
    return 0;
}

static void none_vm(struct vm *vm)
{
    (void)vm;
}

static int none_vcpu_init(struct vcpu *v)
{
    (void)v;
    return 0;
}

static void none_vcpu(struct vcpu *v)
{
    (void)v;
}

static void none_flush(struct vcpu *v, const struct flush_scope *scope)
{
    (void)v;
    (void)scope;
}

static const struct engine_ops engine_none = {
    .name = "none",
    .vm_init = none_vm_init,
    .vm_fini = none_vm,
    .vcpu_init = none_vcpu_init,
    .vcpu_fini = none_vcpu,
    .run = none_vcpu,
    .flush = none_flush,
};

/* ---- backends in memory ---- */

static uint8_t disk_bytes[65536];

static int disk_read(struct blockdev *b, uint64_t offset, void *buf, size_t len)
{
    FUZZ_CHECK(offset <= b->size && len <= b->size - offset); /* the device checks, not the backend */
    memcpy(buf, disk_bytes + offset, len);
    return offset == 0x1000 ? -EIO : 0;
}

static int disk_write(struct blockdev *b, uint64_t offset, const void *buf, size_t len)
{
    FUZZ_CHECK(!b->read_only && offset <= b->size && len <= b->size - offset);
    memcpy(disk_bytes + offset, buf, len);
    return offset == 0x2000 ? -ENOSPC : 0;
}

static int disk_flush(struct blockdev *b)
{
    (void)b;
    return 0;
}

static int disk_range(struct blockdev *b, uint64_t offset, uint64_t len)
{
    FUZZ_CHECK(!b->read_only && offset <= b->size && len <= b->size - offset);
    return 0;
}

static const struct blockdev_ops disk_ops = {
    .name = "memory",
    .read = disk_read,
    .write = disk_write,
    .flush = disk_flush,
    .discard = disk_range,
    .zero = disk_range,
};

static void char_write(struct chardev *c, const void *data, size_t len)
{
    uint8_t copy[64]; /* all of it is readable */

    (void)c;
    for (size_t i = 0; i < len; i++)
        memcpy(&copy[i % sizeof(copy)], (const uint8_t *)data + i, 1);
}

static void char_accept(struct chardev *c)
{
    (void)c;
}

static const struct chardev_ops char_ops = {.name = "sink", .write = char_write, .accept = char_accept};

static void net_send(struct netdev *n, const void *frame, size_t len)
{
    FUZZ_CHECK(len <= 65536);
    if (n->receive) /* echoed, as a peer would answer */
        n->receive(n->opaque, frame, len);
}

static void net_resume(struct netdev *n)
{
    (void)n;
}

static const struct netdev_ops net_ops = {.name = "echo", .send = net_send, .resume = net_resume};

/* ---- the board ---- */

static struct chardev serial, console;
static struct blockdev disks[2];
static struct netdev net;

struct vm *board_new(const char *arch, const char *options)
{
    return board_new_on(arch, options, NULL, &engine_none);
}

struct vm *board_new_on(const char *arch, const char *options, const struct lift_ops *lift,
                        const struct engine_ops *engine)
{
    bool arm = !strcmp(arch, "arm64");
    const struct guest_ops *guest = arm ? &guest_arm64 : &guest_riscv64;
    struct vm_desc desc = {.name = "fuzz",
                           .guest_arch = arch,
                           .accel = engine->name,
                           .no_reboot = true,
                           .machine = "virt",
                           .machine_options = options,
                           .cpu = "max",
                           .memory = 4u << 20,
                           .smp = 2,
                           .kernel = arm ? "none" : NULL, /* targets bring their own */
                           .firmware = arm ? NULL : "none",
                           .net = DESC_NET_NAT,
                           .deterministic = true,
                           .serial = "none",
                           .console = "none"};
    const struct machine_ops *machine = machine_find("virt", arch);
    struct machine_backends b = {
        .serial = &serial, .console = &console, .disk = {&disks[0], &disks[1]}, .net = &net};
    struct vm *vm;
    char why[200] = "";

    serial = (struct chardev){.ops = &char_ops};
    console = (struct chardev){.ops = &char_ops};
    disks[0] = (struct blockdev){.ops = &disk_ops, .size = sizeof(disk_bytes)};
    disks[1] = (struct blockdev){.ops = &disk_ops, .size = sizeof(disk_bytes) / 2, .read_only = true};
    net = (struct netdev){.ops = &net_ops};
    if (vm_create(&vm, &desc, guest, lift, engine, why, sizeof(why)) ||
        machine->build(vm, &b, why, sizeof(why))) {
        fprintf(stderr, "board: %s\n", why);
        abort();
    }
    for (struct device *d = vm->devices; d; d = d->next) {
        plat_lock(&d->lock);
        if (d->ops->reset)
            d->ops->reset(d);
        plat_unlock(&d->lock);
    }
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        vm->guest->reset(vm->vcpu[i]);
    return vm;
}

void board_free(struct vm *vm)
{
    plat_current_set(NULL);
    work_drain(vm);
    vm_destroy(vm);
}

uint64_t board_ram(struct vm *vm)
{
    return vm->guest == &guest_arm64 ? 0x40000000 : 0x80000000;
}

/* The i-th (in a circle) window of the devices that count, or NULL. */
static const struct mem_region *window(struct vm *vm, const char *only, unsigned i)
{
    const struct mem_region *found[64], *r;
    unsigned n = 0;

    for (unsigned k = 0; (r = mem_region_at(&vm->mem, k)) && n < 64; k++) {
        if (r->dev && (!only || !strncmp(r->dev->id, only, strlen(only))))
            found[n++] = r;
    }
    return n ? found[i % n] : NULL;
}

static void reg(struct vm *vm, const struct mem_region *r, uint64_t offset, uint64_t value)
{
    bus_access(vm, r->base + offset, 4, true, &value);
}

/*
 * The driver's handshake (VIRTIO 1.2, 3.1.1), with those features that the device offers, and with rings at
 * fixed places, so that the input can fill them.
 */
static void virtio_up(struct vm *vm, const struct mem_region *r, uint64_t features)
{
    uint64_t offered = 0;

    reg(vm, r, 0x70, 0);
    reg(vm, r, 0x70, 1 | 2);
    reg(vm, r, 0x14, 0);
    bus_access(vm, r->base + 0x10, 4, false, &offered);
    reg(vm, r, 0x24, 0);
    reg(vm, r, 0x20, features & offered);
    reg(vm, r, 0x24, 1);
    reg(vm, r, 0x20, 1);
    reg(vm, r, 0x70, 1 | 2 | 8);
    for (unsigned q = 0; q < 2; q++) {
        uint64_t at = board_ram(vm) + q * 0x1000;

        reg(vm, r, 0x30, q);
        reg(vm, r, 0x38, 8);
        reg(vm, r, 0x80, at);
        reg(vm, r, 0x84, 0);
        reg(vm, r, 0x90, at + 0x80);
        reg(vm, r, 0x94, 0);
        reg(vm, r, 0xa0, at + 0x100);
        reg(vm, r, 0xa4, 0);
        reg(vm, r, 0x44, 1);
    }
    reg(vm, r, 0x70, 1 | 2 | 8 | 4);
}

/* A descriptor whose buffer is plausible, as part of ring q, and the head made available. */
static void virtio_offer(struct vm *vm, struct fuzz_in *in, unsigned q)
{
    struct {
        uint64_t addr;
        uint32_t len;
        uint16_t flags, next;
    } d;
    gpa_t ring = board_ram(vm) + (q & 1) * 0x1000;
    uint16_t head = (uint16_t)(fuzz_take(in, 1) & 7), index = 0;

    d.addr = board_ram(vm) + 0x4000 + (fuzz_take(in, 2) & 0xfff);
    d.len = (uint32_t)fuzz_take(in, 2) % 1600;
    d.flags = (uint16_t)(fuzz_take(in, 1) & 7);
    d.next = (uint16_t)(fuzz_take(in, 1) & 9);
    mem_write(&vm->mem, ring + 16 * head, &d, sizeof(d));
    mem_read(&vm->mem, ring + 0x82, &index, 2);
    mem_write(&vm->mem, ring + 0x84 + 2 * (index & 7), &head, 2);
    index++;
    mem_write(&vm->mem, ring + 0x82, &index, 2);
}

/* A well-formed disk request (VIRTIO 1.2, 5.2.6) with any type, place and length, on queue 0. */
static void disk_request(struct vm *vm, struct fuzz_in *in, const struct mem_region *r)
{
    struct {
        uint64_t addr;
        uint32_t len;
        uint16_t flags, next;
    } d[3];
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } head = {.type = (uint32_t)(fuzz_take(in, 1) & 15)};
    struct {
        uint64_t sector;
        uint32_t count, flags;
    } range = {.sector = fuzz_take(in, 1), .count = (uint32_t)fuzz_take(in, 1)};
    uint8_t shape = (uint8_t)fuzz_take(in, 1);
    bool to_guest = head.type == 0 || head.type == 8;
    uint16_t first = 0, index = 0;

    head.sector = range.sector | (shape & 0x80 ? UINT64_MAX << 8 : 0);
    range.flags = shape >> 6 & 1;
    d[0].addr = board_ram(vm) + 0x6000;
    d[0].len = sizeof(head);
    d[1].addr = board_ram(vm) + 0x6100;
    d[1].len = (shape & 15) * 512 + (shape >> 4 & 3) * 16;
    d[2].addr = board_ram(vm) + 0x8ff0;
    d[2].len = 1;
    d[0].flags = 1;
    d[0].next = d[1].len ? 1 : 2;
    d[1].flags = (uint16_t)(1 | (to_guest ? 2 : 0));
    d[1].next = 2;
    d[2].flags = 2;
    d[2].next = 0;
    mem_write(&vm->mem, board_ram(vm), d, sizeof(d));
    mem_write(&vm->mem, d[0].addr, &head, sizeof(head));
    mem_write(&vm->mem, d[1].addr, &range, sizeof(range));
    mem_read(&vm->mem, board_ram(vm) + 0x82, &index, 2);
    mem_write(&vm->mem, board_ram(vm) + 0x84 + 2 * (index & 7), &first, 2);
    index++;
    mem_write(&vm->mem, board_ram(vm) + 0x82, &index, 2);
    reg(vm, r, 0x50, 0);
}

/*
 * A plausible ITS command (IHI 0069, 5.3) behind those before it, in a queue of one page with the device
 * table behind it, and what enables it all.
 */
static void its_command(struct vm *vm, struct fuzz_in *in, const struct mem_region *r)
{
    const uint64_t valid = UINT64_C(1) << 63, redist = 0x080a0000;
    uint64_t queue = board_ram(vm) + 0x10000, table = queue + 0x1000, at = 0, writer, value, c[4];
    uint8_t shape = (uint8_t)fuzz_take(in, 1);

    if (shape & 1) { /* LPIs: PROPBASER, PENDBASER, CTLR.EnableLPIs */
        for (unsigned cpu = 0; cpu < 2; cpu++) {
            value = (board_ram(vm) + 0x20000) | 15;
            bus_access(vm, redist + cpu * 0x20000 + 0x70, 8, true, &value);
            value = board_ram(vm) + 0x40000 + cpu * 0x10000;
            bus_access(vm, redist + cpu * 0x20000 + 0x78, 8, true, &value);
            value = 1;
            bus_access(vm, redist + cpu * 0x20000, 4, true, &value);
        }
    }
    if (shape & 2) {
        value = queue | valid;
        bus_access(vm, r->base + 0x80, 8, true, &value);
        value = table | valid | (shape >> 2 & 3) << 8;
        bus_access(vm, r->base + 0x100, 8, true, &value);
        reg(vm, r, 0, 1);
    }
    c[0] = (fuzz_take(in, 1) & 15) | (fuzz_take(in, 1) & 7) << 32;
    c[1] = (fuzz_take(in, 1) & 31) | (8192 + fuzz_take(in, 1)) << 32;
    c[2] = (fuzz_take(in, 1) & 3) | (fuzz_take(in, 1) & 3) << 16 | (uint64_t)(shape >> 4 & 1) << 63;
    c[3] = (fuzz_take(in, 1) & 3) << 16;
    if ((c[0] & 15) == 8) /* MAPD's table of events */
        c[2] = (c[2] & valid) | (table + 0x2000 + (c[2] & 3) * 0x100);
    if (shape & 0x20) /* and one that is not plausible */
        c[fuzz_take(in, 1) & 3] ^= fuzz_take(in, 8);
    bus_access(vm, r->base + 0x88, 8, false, &at);
    writer = at & 0xfe0;
    mem_write(&vm->mem, queue + writer, c, sizeof(c));
    writer = (writer + sizeof(c)) & 0xfff;
    bus_access(vm, r->base + 0x88, 8, true, &writer);
    if (shape & 0x40)
        msi_send_from(vm, (uint32_t)fuzz_take(in, 1) & 7, r->base + 0x10040, (uint32_t)fuzz_take(in, 1) & 31);
}

/* A transfer of the firmware configuration device, most often one that can be. */
static void fw_cfg_transfer(struct vm *vm, struct fuzz_in *in, const struct mem_region *r)
{
    unsigned shape = (unsigned)fuzz_take(in, 1);
    uint32_t control = (uint32_t)fuzz_take(in, 1) << 16 | (shape & 31);
    uint32_t length = (uint32_t)fuzz_take(in, shape & 0x20 ? 4 : 2);
    uint64_t to = shape & 0x40 ? fuzz_take(in, 8) : board_ram(vm) + fuzz_take(in, 2);
    uint64_t at = shape & 0x80 ? board_ram(vm) + (fuzz_take(in, 4) & 0x3fffff) : board_ram(vm) + 0x100;
    struct {
        uint32_t control, length;
        uint64_t address;
    } c = {__builtin_bswap32(control), __builtin_bswap32(length), __builtin_bswap64(to)};

    mem_write(&vm->mem, at, &c, sizeof(c));
    at = __builtin_bswap64(at);
    bus_access(vm, r->base + 16, 8, true, &at);
}

/* What the CPU interface in system registers asks of the distributor. */
static void cpu_interface(struct vm *vm, struct fuzz_in *in)
{
    struct vcpu *v = plat_current();
    struct dist *d = v ? v->dist : NULL;
    unsigned what = (unsigned)fuzz_take(in, 1), id = (unsigned)fuzz_take(in, 2);
    uint64_t top;

    (void)vm;
    if (!d)
        return;
    if (what & 1)
        d->ops->private_input(d, v, id & 15, id >> 4 & 1);
    if (!d->ops->top)
        return;
    if (what & 2)
        d->ops->software(d, v, id & 15, id >> 4 & 1, id >> 5 & 3);
    top = d->ops->top(d, v);
    if (what & 4)
        d->ops->activate(d, v, what & 8 ? top : DIST_TOP(id, what, what >> 4 & 1));
    if (what & 0x10)
        d->ops->deactivate(d, v, what & 0x20 ? DIST_TOP_ID(top) : id);
}

static void input_arrives(struct fuzz_in *in)
{
    uint8_t bytes[64];
    size_t n = fuzz_take(in, 1) % sizeof(bytes);

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)fuzz_take(in, 1);
    if (serial.receive)
        serial.receive(serial.opaque, bytes, n);
    if (console.receive)
        console.receive(console.opaque, bytes, n);
    if (net.receive)
        net.receive(net.opaque, bytes, n);
}

static void time_passes(struct vm *vm, uint64_t ns)
{
    vm->clock.skipped += ns;
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        timer_run(vm, i, clock_now_ns(vm));
}

static void one(struct vm *vm, struct fuzz_in *in, const char *only)
{
    uint8_t op = (uint8_t)fuzz_take(in, 1);
    const struct mem_region *r = window(vm, only, (unsigned)fuzz_take(in, 1));
    uint64_t value, offset;
    unsigned size = 1u << (op >> 4 & 3);

    if (!r)
        return;
    if (vm->guest == &guest_arm64) /* whose banked registers and interface */
        plat_current_set(vm->vcpu[op >> 3 & 1]);
    switch (op & 7) {
    case 0:
    case 1:
    case 2:
        offset = fuzz_take(in, r->size > 65536 ? 4 : 2) % r->size;
        value = fuzz_take(in, op & 0x80 ? 8 : 2);
        bus_access(vm, r->base + (op & 0x40 ? offset : offset & ~UINT64_C(3)), op & 0x40 ? size : 4,
                   op & 2 ? false : true, &value);
        break;
    case 3:
        if (!strcmp(r->dev->id, "its")) {
            its_command(vm, in, r);
            break;
        }
        if (!strcmp(r->dev->id, "gic")) {
            cpu_interface(vm, in);
            break;
        }
        if (!strcmp(r->dev->id, "fw-cfg")) {
            fw_cfg_transfer(vm, in, r);
            break;
        }
        virtio_up(vm, r, op & 8 ? ~UINT64_C(0) : fuzz_take(in, 4));
        break;
    case 4:
        virtio_offer(vm, in, op >> 3);
        if (op & 0x80)
            reg(vm, r, 0x50, op >> 3 & 1);
        break;
    case 5:
        if (op & 8) {
            disk_request(vm, in, r);
            break;
        }
        value = fuzz_take(in, 8);
        mem_write(&vm->mem, board_ram(vm) + (fuzz_take(in, 2) & 0x7ff8), &value, 8);
        break;
    case 6:
        time_passes(vm, fuzz_take(in, 4));
        break;
    default:
        input_arrives(in);
    }
}

void board_play(struct vm *vm, struct fuzz_in *in, const char *only)
{
    for (unsigned i = 0; in->left && i < 256; i++) {
        one(vm, in, only);
        work_drain(vm);
    }
    /* Whatever the guest did: the state can be read, hashed and reset. */
    vm_hash(vm);
    for (struct device *d = vm->devices; d; d = d->next) {
        if (d->ops->quiesce)
            d->ops->quiesce(d);
        plat_lock(&d->lock);
        if (d->ops->reset)
            d->ops->reset(d);
        plat_unlock(&d->lock);
    }
}
