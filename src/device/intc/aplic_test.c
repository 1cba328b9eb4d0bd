/* APLIC (AIA 1.0, chapter 4): source modes, pending and enable bits, targets, delegation, both deliveries. */
#include "device/intc/aplic.h"
#include "device/intc/imsic.h"
#include "device/intc/intc_test.h"

#define ROOT  UINT64_C(0xc000000)
#define CHILD UINT64_C(0xd000000)
#define FILES UINT64_C(0x24000000) /* of the root; the child's are a page for each of 2 harts behind them */

enum {
    DOMAINCFG = 0,
    SETIP = 0x1c00,
    SETIPNUM = 0x1cdc,
    IN_CLRIP = 0x1d00,
    CLRIPNUM = 0x1ddc,
    SETIE = 0x1e00,
    SETIENUM = 0x1edc,
    CLRIE = 0x1f00,
    CLRIENUM = 0x1fdc,
    SETIPNUM_LE = 0x2000,
    SETIPNUM_BE = 0x2004,
    GENMSI = 0x3000
};
enum { DETACHED = 1, EDGE1 = 4, EDGE0 = 5, LEVEL1 = 6, LEVEL0 = 7, DELEGATED = 0x400 };

/* ---- who takes the messages: the last one, and how many ---- */

static struct sink {
    struct device dev;
    unsigned count;
    uint64_t offset, value;
} * sink;

static void sink_write(struct device *d, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    struct sink *s = container_of(d, struct sink, dev);

    (void)region;
    assert_int_equal(size, 4);
    s->count++;
    s->offset = offset;
    s->value = value;
}

static void sink_destroy(struct device *d)
{
    device_fini(d);
    plat_free(container_of(d, struct sink, dev));
}

static const struct device_ops sink_ops = {.name = "sink", .write = sink_write, .destroy = sink_destroy};

static struct device *create_root(struct device *child, char *why, size_t why_size)
{
    const struct aplic_config c = {
        .base = ROOT, .phandle = 0x102, .msi_phandle = 0x104, .msi_base = FILES, .child = child};

    return aplic_create(vm, "aplic-m", &c, why, why_size);
}

static struct device *create(char *why, size_t why_size)
{
    return create_root(NULL, why, why_size);
}

static struct device *root;

static void begin(bool with_child)
{
    const struct aplic_config c = {
        .base = CHILD, .phandle = 0x103, .msi_phandle = 0x105, .msi_base = FILES + 0x2000};
    struct device *child = NULL;
    char why[160];

    vm = testvm_new(2);
    sink = device_alloc(sizeof(*sink), why, sizeof(why));
    device_init(&sink->dev, &sink_ops, vm, "sink");
    assert_int_equal(device_map(&sink->dev, 0, FILES, 0x4000, why, sizeof(why)), 0);
    device_add(&sink->dev);
    if (with_child) {
        child = aplic_create(vm, "aplic-s", &c, why, sizeof(why));
        assert_non_null(child);
        reset("aplic-s");
    }
    root = create_root(child, why, sizeof(why));
    assert_non_null(root);
    reset("aplic-m");
}

static void wire(unsigned source, bool level)
{
    struct irq_line line = aplic_line(root, source);

    irq_line_set(&line, level);
}

static void source(gpa_t domain, unsigned n, uint32_t mode)
{
    set32(domain + 4 * n, mode);
}

static void target(gpa_t domain, unsigned n, unsigned hart, unsigned identity)
{
    set32(domain + 0x3000 + 4 * n, hart << 18 | identity);
}

static bool bit(gpa_t at, unsigned n)
{
    return get32(at + n / 32 * 4) >> n % 32 & 1;
}

/* The messages since the last look. */
static unsigned messages(void)
{
    unsigned n = sink->count;

    sink->count = 0;
    return n;
}

static void ready(gpa_t domain, unsigned n, uint32_t mode)
{
    source(domain, n, mode);
    target(domain, n, 1, 40 + n);
    set32(domain + SETIENUM, n);
    set32(domain + DOMAINCFG, 0x100);
}

/* 4.5.1: bits 31:24 are 0x80; MSI delivery and little-endian only. */
static void domaincfg(void **state)
{
    (void)state;
    begin(false);
    assert_int_equal(get32(ROOT), 0x80000004);
    set32(ROOT, UINT32_MAX);
    assert_int_equal(get32(ROOT), 0x80000104);
    set32(ROOT, 0);
    assert_int_equal(get32(ROOT), 0x80000004);
    vm_destroy(vm);
}

/* 4.7: what each mode makes of the wire; an edge or a level is forwarded once. */
static void modes(void **state)
{
    static const struct {
        uint32_t mode;
        unsigned rise, fall; /* messages */
    } rows[] = {{0, 0, 0}, {DETACHED, 0, 0}, {EDGE1, 1, 0}, {EDGE0, 0, 1}, {LEVEL1, 1, 0}, {LEVEL0, 0, 1}};

    (void)state;
    begin(false);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        source(ROOT, 10, 0);
        ready(ROOT, 10, rows[i].mode);
        messages(); /* a low wire is an active one for LEVEL0 */
        wire(10, true);
        assert_int_equal(messages(), rows[i].rise);
        wire(10, true);
        assert_int_equal(messages(), 0);
        assert_int_equal(bit(ROOT + IN_CLRIP, 10), rows[i].rise);
        wire(10, false);
        assert_int_equal(messages(), rows[i].fall);
        assert_int_equal(bit(ROOT + IN_CLRIP, 10), rows[i].fall);
        assert_false(bit(ROOT + SETIP, 10)); /* 4.9.2: forwarding ends it */
    }
    assert_int_equal(sink->offset, 0x1000);
    assert_int_equal(sink->value, 50);
    vm_destroy(vm);
}

/* 4.5.2: modes 2 and 3 are reserved; without a child nothing is delegated. An inactive source has no state.
 */
static void sourcecfg(void **state)
{
    (void)state;
    begin(false);
    for (uint32_t m = 0; m < 8; m++) {
        source(ROOT, 95, m | 0xfffffbf8);
        assert_int_equal(get32(ROOT + 4 * 95), m == 2 || m == 3 ? 0 : m);
    }
    source(ROOT, 95, DELEGATED);
    assert_int_equal(get32(ROOT + 4 * 95), 0);
    source(ROOT, 96, EDGE1);
    assert_int_equal(get32(ROOT + 4 * 96), 0);
    source(ROOT, 7, DETACHED);
    target(ROOT, 7, 1, 3);
    set32(ROOT + SETIENUM, 7);
    set32(ROOT + SETIPNUM, 7);
    assert_true(bit(ROOT + SETIE, 7) && bit(ROOT + SETIP, 7));
    source(ROOT, 7, 0);
    assert_false(bit(ROOT + SETIE, 7) || bit(ROOT + SETIP, 7));
    assert_int_equal(get32(ROOT + 0x3000 + 4 * 7), 0);
    target(ROOT, 7, 1, 3);
    set32(ROOT + SETIENUM, 7);
    set32(ROOT + SETIPNUM, 7);
    assert_false(bit(ROOT + SETIE, 7) || bit(ROOT + SETIP, 7));
    assert_int_equal(get32(ROOT + 0x3000 + 4 * 7), 0);
    vm_destroy(vm);
}

/* A pending source waits for its enable bit and for the domain's. */
static void enables(void **state)
{
    (void)state;
    begin(false);
    source(ROOT, 33, EDGE1);
    target(ROOT, 33, 0, 7);
    wire(33, true);
    assert_true(bit(ROOT + SETIP, 33));
    set32(ROOT + SETIE + 4, 2);
    assert_int_equal(messages(), 0);
    set32(ROOT + DOMAINCFG, 0x100);
    assert_int_equal(messages(), 1);
    assert_int_equal(sink->offset, 0);
    assert_int_equal(sink->value, 7);
    assert_true(bit(ROOT + SETIE, 33));
    set32(ROOT + CLRIE + 4, 2);
    assert_false(bit(ROOT + SETIE, 33));
    wire(33, false);
    wire(33, true);
    assert_int_equal(messages(), 0);
    set32(ROOT + SETIENUM, 33);
    assert_int_equal(messages(), 1);
    set32(ROOT + CLRIENUM, 33);
    assert_false(bit(ROOT + SETIE, 33));
    assert_int_equal(get32(ROOT + CLRIE), 0);
    set32(ROOT + SETIENUM, 0);
    set32(ROOT + SETIENUM, 96);
    set32(ROOT + SETIENUM, UINT32_MAX);
    assert_int_equal(get32(ROOT + SETIE), 0);
    vm_destroy(vm);
}

/* 4.5.5 to 4.5.9: set and cleared by software. Level modes: set only while the input is active (4.7). */
static void pending_bits(void **state)
{
    (void)state;
    begin(false);
    source(ROOT, 3, EDGE1);
    source(ROOT, 4, LEVEL1);
    source(ROOT, 5, DETACHED);
    set32(ROOT + SETIP, UINT32_MAX);
    assert_int_equal(get32(ROOT + SETIP), BIT(3) | BIT(5));
    set32(ROOT + IN_CLRIP, 1 << 3);
    assert_int_equal(get32(ROOT + SETIP), BIT(5));
    set32(ROOT + CLRIPNUM, 5);
    assert_int_equal(get32(ROOT + SETIP), 0);
    set32(ROOT + SETIPNUM_LE, 3);
    set32(ROOT + SETIPNUM_BE, 0x05000000);
    set32(ROOT + SETIPNUM, 0);
    set32(ROOT + SETIPNUM, 96);
    set32(ROOT + CLRIPNUM, UINT32_MAX);
    assert_int_equal(get32(ROOT + SETIP), BIT(3));
    /* As a driver does after it served a level that may have come back (4.9.2). */
    ready(ROOT, 4, LEVEL1);
    messages();
    wire(4, true);
    assert_int_equal(messages(), 1);
    set32(ROOT + SETIPNUM_LE, 4);
    assert_int_equal(messages(), 1);
    wire(4, false);
    set32(ROOT + SETIPNUM_LE, 4);
    assert_int_equal(messages(), 0);
    /* A level that ends before it is forwarded takes its request with it; an edge stays. */
    set32(ROOT + CLRIENUM, 4);
    wire(4, true);
    assert_true(bit(ROOT + SETIP, 4));
    wire(4, false);
    assert_false(bit(ROOT + SETIP, 4));
    vm_destroy(vm);
}

/* Making a source active notices a level that is there. */
static void configured_late(void **state)
{
    (void)state;
    begin(false);
    wire(6, true);
    ready(ROOT, 6, LEVEL1);
    assert_int_equal(messages(), 1);
    vm_destroy(vm);
}

/* 4.5.16: hart index, no guest, identity; harts that do not exist get nothing. */
static void targets(void **state)
{
    (void)state;
    begin(false);
    ready(ROOT, 1, EDGE1);
    set32(ROOT + 0x3004, UINT32_MAX);
    assert_int_equal(get32(ROOT + 0x3004), 0xfffc07ff);
    set32(ROOT + SETIPNUM, 1);
    assert_int_equal(messages(), 0);
    target(ROOT, 1, 1, 0x7ff);
    set32(ROOT + SETIPNUM, 1);
    assert_int_equal(messages(), 1);
    assert_int_equal(sink->value, 0x7ff);
    /* 4.5.15: a message by software. */
    set32(ROOT + GENMSI, 0 << 18 | 99);
    assert_int_equal(messages(), 1);
    assert_int_equal(sink->offset, 0);
    assert_int_equal(sink->value, 99);
    assert_int_equal(get32(ROOT + GENMSI), 99);
    vm_destroy(vm);
}

/* 4.5.2: a delegated source is the child's alone. */
static void delegation(void **state)
{
    (void)state;
    begin(true);
    ready(CHILD, 20, LEVEL1);
    ready(ROOT, 20, LEVEL1);
    messages();
    wire(20, true);
    assert_int_equal(messages(), 1);
    assert_int_equal(sink->offset, 0x1000);
    assert_false(bit(CHILD + IN_CLRIP, 20));
    assert_int_equal(get32(CHILD + 80), 0); /* what is not delegated is inactive there */
    source(ROOT, 20, DELEGATED);
    assert_int_equal(get32(CHILD + 80), 0);
    assert_int_equal(messages(), 0);
    ready(CHILD, 20, LEVEL1); /* the child sees at once what is there */
    assert_int_equal(get32(ROOT + 80), DELEGATED);
    assert_true(bit(CHILD + IN_CLRIP, 20));
    assert_false(bit(ROOT + IN_CLRIP, 20));
    assert_int_equal(messages(), 1);
    assert_int_equal(sink->offset, 0x3000);
    wire(20, false);
    wire(20, true);
    assert_int_equal(messages(), 1);
    assert_int_equal(sink->offset, 0x3000);
    source(ROOT, 20, LEVEL1);
    assert_int_equal(get32(CHILD + 80), 0);
    assert_false(bit(CHILD + IN_CLRIP, 20));
    assert_true(bit(ROOT + IN_CLRIP, 20));
    assert_true(node_has("aplic-m", "riscv,delegation"));
    assert_false(node_has("aplic-s", "riscv,delegation"));
    vm_destroy(vm);
}

/* ---- direct delivery ---- */

static struct device *create_direct(struct device *child, char *why, size_t why_size)
{
    const struct aplic_config c = {.base = child ? ROOT : CHILD,
                                   .phandle = child ? 0x102 : 0x103,
                                   .input = child ? INPUT_MEI : INPUT_SEI,
                                   .cpu_phandle = cpu_phandle,
                                   .child = child};

    return aplic_create(vm, child ? "aplic-m" : "aplic-s", &c, why, why_size);
}

/* One domain at CHILD, or two. */
static void begin_direct(bool two)
{
    char why[160];

    vm = testvm_new(2);
    root = create_direct(NULL, why, sizeof(why));
    assert_non_null(root);
    if (two)
        root = create_direct(root, why, sizeof(why));
    assert_non_null(root);
    reset("aplic-s");
    if (two)
        reset("aplic-m");
}

enum {
    IDELIVERY = 0x4000,
    IFORCE = 0x4004,
    ITHRESHOLD = 0x4008,
    TOPI = 0x4018,
    CLAIMI = 0x401c,
    HART1 = 0x20
};

static void ready_direct(gpa_t domain, unsigned n, uint32_t mode, unsigned hart, unsigned priority)
{
    source(domain, n, mode);
    target(domain, n, hart, priority);
    set32(domain + SETIENUM, n);
    set32(domain + DOMAINCFG, 0x100);
    set32(domain + IDELIVERY + hart * HART1, 1);
}

/* 4.5.1, 4.5.3, 4.5.4, 4.5.15: what is of MSIs is not there; 4.5.16.1: priorities 1 to 255. */
static void direct_registers(void **state)
{
    (void)state;
    begin_direct(false);
    set32(CHILD + DOMAINCFG, UINT32_MAX);
    assert_int_equal(get32(CHILD + DOMAINCFG), 0x80000100);
    for (gpa_t o = 0x1bc0; o <= 0x1bcc; o += 4) {
        set32(CHILD + o, UINT32_MAX);
        assert_int_equal(get32(CHILD + o), 0);
    }
    set32(CHILD + GENMSI, 5);
    assert_int_equal(get32(CHILD + GENMSI), 0);
    target(CHILD, 3, 1, 9);
    assert_int_equal(get32(CHILD + 0x300c), 0);
    source(CHILD, 3, EDGE1);
    assert_int_equal(get32(CHILD + 0x300c), 1);
    set32(CHILD + 0x300c, UINT32_MAX);
    assert_int_equal(get32(CHILD + 0x300c), 0xfffc00ff);
    set32(CHILD + 0x300c, 1 << 18);
    assert_int_equal(get32(CHILD + 0x300c), 1 << 18 | 1);
    source(CHILD, 3, 0);
    assert_int_equal(get32(CHILD + 0x300c), 0);
    for (unsigned h = 0; h < 3; h++) {
        for (gpa_t o = IDELIVERY; o < IDELIVERY + HART1; o += 4)
            set32(CHILD + h * HART1 + o, UINT32_MAX);
        assert_int_equal(get32(CHILD + h * HART1 + IDELIVERY), h < 2);
        assert_int_equal(get32(CHILD + h * HART1 + IFORCE), h < 2);
        assert_int_equal(get32(CHILD + h * HART1 + ITHRESHOLD), h < 2 ? 255 : 0);
        assert_int_equal(get32(CHILD + h * HART1 + TOPI), 0);
    }
    assert_true(node_has("aplic-s", "interrupts-extended"));
    assert_false(node_has("aplic-s", "msi-parent"));
    vm_destroy(vm);
}

/* 4.7: the pending bit of a level is the level, whatever software writes or claims. */
static void direct_level(void **state)
{
    (void)state;
    begin_direct(false);
    ready_direct(CHILD, 10, LEVEL1, 0, 4);
    set32(CHILD + SETIPNUM, 10);
    assert_false(bit(CHILD + SETIP, 10) || input(0, INPUT_SEI));
    wire(10, true);
    assert_true(input(0, INPUT_SEI));
    assert_false(input(1, INPUT_SEI));
    set32(CHILD + CLRIPNUM, 10);
    set32(CHILD + IN_CLRIP, 1 << 10);
    assert_true(bit(CHILD + SETIP, 10) && input(0, INPUT_SEI));
    assert_int_equal(get32(CHILD + CLAIMI), 10 << 16 | 4);
    assert_int_equal(get32(CHILD + CLAIMI), 10 << 16 | 4);
    assert_true(input(0, INPUT_SEI));
    wire(10, false);
    assert_int_equal(get32(CHILD + CLAIMI), 0);
    assert_false(bit(CHILD + SETIP, 10) || input(0, INPUT_SEI));
    wire(10, true);
    source(CHILD, 10, LEVEL0);
    assert_false(bit(CHILD + SETIP, 10) || input(0, INPUT_SEI));
    wire(10, false);
    assert_true(bit(CHILD + SETIP, 10) && input(0, INPUT_SEI));
    source(CHILD, 10, 0);
    assert_false(bit(CHILD + SETIP, 10) || input(0, INPUT_SEI));
    vm_destroy(vm);
}

/* 4.8.1.5: a claim ends the pending state of an edge; a request without a wire works as well. */
static void direct_edge(void **state)
{
    (void)state;
    begin_direct(false);
    ready_direct(CHILD, 11, EDGE1, 1, 4);
    wire(11, true);
    wire(11, false);
    assert_true(input(1, INPUT_SEI));
    assert_int_equal(get32(CHILD + HART1 + TOPI), 11 << 16 | 4);
    assert_int_equal(get32(CHILD + HART1 + CLAIMI), 11 << 16 | 4);
    assert_int_equal(get32(CHILD + HART1 + CLAIMI), 0);
    assert_false(bit(CHILD + SETIP, 11) || input(1, INPUT_SEI));
    ready_direct(CHILD, 12, DETACHED, 1, 4);
    set32(CHILD + SETIPNUM, 12);
    assert_true(input(1, INPUT_SEI));
    set32(CHILD + CLRIPNUM, 12);
    assert_false(input(1, INPUT_SEI));
    vm_destroy(vm);
}

/* 4.8.1.1, 4.8.1.3, 4.8.1.4: the lowest number is the highest priority, then the lowest identity. */
static void direct_order(void **state)
{
    (void)state;
    begin_direct(false);
    ready_direct(CHILD, 40, DETACHED, 0, 7);
    ready_direct(CHILD, 41, DETACHED, 0, 3);
    ready_direct(CHILD, 20, DETACHED, 0, 7);
    ready_direct(CHILD, 5, DETACHED, 1, 1);
    for (unsigned i = 0; i < 2; i++)
        set32(CHILD + SETIP + 4 * i, UINT32_MAX);
    assert_int_equal(get32(CHILD + TOPI), 41 << 16 | 3);
    set32(CHILD + ITHRESHOLD, 3);
    assert_int_equal(get32(CHILD + TOPI), 0);
    assert_false(input(0, INPUT_SEI));
    set32(CHILD + ITHRESHOLD, 4);
    assert_int_equal(get32(CHILD + TOPI), 41 << 16 | 3);
    assert_true(input(0, INPUT_SEI));
    set32(CHILD + ITHRESHOLD, 0);
    assert_int_equal(get32(CHILD + CLAIMI), 41 << 16 | 3);
    assert_int_equal(get32(CHILD + CLAIMI), 20 << 16 | 7);
    set32(CHILD + CLRIENUM, 40);
    assert_int_equal(get32(CHILD + TOPI), 0);
    assert_false(input(0, INPUT_SEI));
    set32(CHILD + SETIENUM, 40);
    assert_true(input(0, INPUT_SEI));
    set32(CHILD + IDELIVERY, 0);
    assert_int_equal(get32(CHILD + TOPI), 40 << 16 | 7);
    assert_false(input(0, INPUT_SEI));
    set32(CHILD + IDELIVERY, 1);
    set32(CHILD + DOMAINCFG, 0);
    assert_false(input(0, INPUT_SEI) || input(1, INPUT_SEI));
    set32(CHILD + DOMAINCFG, 0x100);
    assert_true(input(0, INPUT_SEI) && input(1, INPUT_SEI));
    target(CHILD, 40, 1, 7);
    assert_false(input(0, INPUT_SEI));
    assert_int_equal(get32(CHILD + HART1 + CLAIMI), 5 << 16 | 1);
    assert_int_equal(get32(CHILD + HART1 + CLAIMI), 40 << 16 | 7);
    target(CHILD, 40, 2, 7); /* no such hart */
    set32(CHILD + SETIPNUM, 40);
    assert_false(input(0, INPUT_SEI) || input(1, INPUT_SEI));
    vm_destroy(vm);
}

/* 4.8.1.2: an interrupt by force, until it is claimed while there is nothing to claim. */
static void direct_force(void **state)
{
    (void)state;
    begin_direct(false);
    set32(CHILD + HART1 + IFORCE, 1);
    assert_false(input(1, INPUT_SEI));
    ready_direct(CHILD, 8, EDGE1, 1, 2);
    assert_true(input(1, INPUT_SEI));
    assert_int_equal(get32(CHILD + HART1 + TOPI), 0);
    wire(8, true);
    assert_int_equal(get32(CHILD + HART1 + CLAIMI), 8 << 16 | 2);
    assert_int_equal(get32(CHILD + HART1 + IFORCE), 1);
    assert_true(input(1, INPUT_SEI));
    assert_int_equal(get32(CHILD + HART1 + CLAIMI), 0);
    assert_int_equal(get32(CHILD + HART1 + IFORCE), 0);
    assert_false(input(1, INPUT_SEI));
    reset("aplic-s");
    assert_int_equal(get32(CHILD + HART1 + IDELIVERY), 0);
    vm_destroy(vm);
}

static void direct_delegation(void **state)
{
    (void)state;
    begin_direct(true);
    ready_direct(ROOT, 20, LEVEL1, 0, 1);
    wire(20, true);
    assert_true(input(0, INPUT_MEI));
    source(ROOT, 20, DELEGATED);
    assert_false(input(0, INPUT_MEI) || input(0, INPUT_SEI));
    ready_direct(CHILD, 20, LEVEL1, 0, 1);
    assert_true(input(0, INPUT_SEI));
    source(ROOT, 20, 0);
    assert_false(input(0, INPUT_MEI) || input(0, INPUT_SEI));
    reset("aplic-s");
    reset("aplic-m");
    assert_false(input(0, INPUT_MEI) || input(0, INPUT_SEI));
    vm_destroy(vm);
}

/* A reset takes back what it drove. */
static void direct_reset(void **state)
{
    (void)state;
    begin_direct(false);
    ready_direct(CHILD, 20, LEVEL1, 0, 1);
    wire(20, true);
    assert_true(input(0, INPUT_SEI));
    reset("aplic-s");
    assert_false(input(0, INPUT_SEI));
    ready_direct(CHILD, 20, LEVEL1, 0, 1);
    assert_true(input(0, INPUT_SEI)); /* the wire is still up */
    vm_destroy(vm);
}

static void resets(void **state)
{
    (void)state;
    begin(false);
    ready(ROOT, 2, EDGE1);
    set32(ROOT + 0x1bc0, 5);
    assert_int_equal(get32(ROOT + 0x1bc0), 5);
    reset("aplic-m");
    assert_int_equal(get32(ROOT), 0x80000004);
    assert_int_equal(get32(ROOT + 8) + get32(ROOT + SETIE) + get32(ROOT + 0x3008) + get32(ROOT + 0x1bc0), 0);
    wire(2, true);
    assert_int_equal(messages(), 0);
    set(ROOT, 8, UINT64_MAX);
    set(ROOT + 1, 1, UINT64_MAX);
    assert_int_equal(get32(ROOT), 0x80000004);
    wire(0, true);
    wire(96, true);
    vm_destroy(vm);
}

static void hostile(void **state)
{
    (void)state;
    begin(true);
    hostile_registers("aplic-m", ROOT, 0x8000, 100000);
    hostile_registers("aplic-s", CHILD, 0x8000, 100000);
    vm_destroy(vm);
    begin_direct(true);
    hostile_registers("aplic-m", ROOT, 0x8000, 100000);
    hostile_registers("aplic-s", CHILD, 0x8000, 100000);
    vm_destroy(vm);
}

static void no_memory(void **state)
{
    (void)state;
    each_allocation(create, ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domaincfg),
        cmocka_unit_test(modes),
        cmocka_unit_test(sourcecfg),
        cmocka_unit_test(enables),
        cmocka_unit_test(pending_bits),
        cmocka_unit_test(configured_late),
        cmocka_unit_test(targets),
        cmocka_unit_test(delegation),
        cmocka_unit_test(resets),
        cmocka_unit_test(hostile),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(direct_registers),
        cmocka_unit_test(direct_level),
        cmocka_unit_test(direct_edge),
        cmocka_unit_test(direct_order),
        cmocka_unit_test(direct_force),
        cmocka_unit_test(direct_delegation),
        cmocka_unit_test(direct_reset),
    };

    return cmocka_run_group_tests_name("aplic", tests, NULL, NULL);
}
