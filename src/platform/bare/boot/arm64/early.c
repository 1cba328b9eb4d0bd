/*
 * Before the MMU is on, at the address of loading: pc-relative code only, no pointers from initialised data.
 * Tables that cover image, device tree and UART, and what EL2's registers are to hold.
 */
#include "lib/fdt.h"
#include "platform/bare/boot/arm64/el2.h"
#include "platform/bare/boot/arm64/early.h"
#include "platform/bare/boot/arm64/sysreg.h"
#include "platform/bare/arch.h"

#define EARLY_PAGES 16
#define FDT_MAX     (UINT64_C(2) << 20)
#define BLOCK       (UINT64_C(2) << 20)

struct el2_config el2_config;
uint64_t image_pa;
uint64_t early_fdt;
uint64_t early_uart; /* PL011, 0: none, or not looked for */

static uint8_t pages[EARLY_PAGES][4096] __attribute__((aligned(4096)));
static unsigned pages_used;

static void *early_page(void *arg)
{
    (void)arg;
    return pages_used < EARLY_PAGES ? pages[pages_used++] : NULL;
}

/* ---- the UART, by /chosen stdout-path or the first PL011 ---- */

static uint64_t be(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

/* Only what needs no "ranges": boards without can do without early messages. */
static uint64_t uart_of(const struct dtb *d, dtb_node n)
{
    uint32_t size;
    const uint8_t *reg = dtb_prop(d, n, "reg", &size);

    return reg && size >= 16 ? be(reg, 8) : 0;
}

void early_find_uart(uint64_t fdt_pa)
{
    const uint8_t *fdt = (const uint8_t *)fdt_pa;
    struct dtb d;
    dtb_node n;

    if (!fdt_pa || be(fdt, 4) != 0xd00dfeed || dtb_open(&d, fdt, be(fdt + 4, 4)))
        return;
    n = dtb_compatible(&d, DTB_NONE, "arm,pl011");
    if (n != DTB_NONE)
        early_uart = uart_of(&d, n);
}

static void out(const char *s)
{
    volatile uint32_t *u = (volatile uint32_t *)early_uart;

    if (!u)
        return;
    for (; *s; s++) {
        while (u[0x18 / 4] & 0x20) /* FR.TXFF */
            ;
        u[0] = (uint8_t)*s;
    }
}

NORETURN void early_no_el2(uint64_t fdt_pa)
{
    early_find_uart(fdt_pa);
    out("carbovisor: this CPU was started without EL2, the hypervisor's level; ");
    out("start the board with virtualization on (QEMU: -M virt,virtualization=on)\r\n");
    for (;;)
        __asm__ volatile("wfi");
}

/* ---- register values ---- */

static uint64_t tcr(bool vhe)
{
    uint64_t pa = sys_read(id_aa64mmfr0_el1) & 0xf;
    uint64_t common = 16 | 1 << 8 | 1 << 10 | 3 << 12; /* 48 bits, walks cached and inner shareable */

    if (pa > 5) /* 52 bits want another format of descriptors */
        pa = 5;
    return vhe ? common | BIT(23) | pa << 32 : common | BIT(31) | BIT(23) | pa << 16;
}

static void config(uint64_t root)
{
    bool vhe = sys_read(id_aa64mmfr1_el1) >> 8 & 0xf;
    struct el2_config *c = &el2_config;

    c->ttbr = root;
    c->tcr = tcr(vhe);
    c->mair = 0x04ff;
    c->sctlr = 0x30c50830 | BIT(0) | BIT(2) | BIT(3) | BIT(12); /* M C SA I, what is RES1 */
    c->hcr = HCR_FMO | HCR_IMO | HCR_AMO | (UINT64_C(1) << 31) | (vhe ? UINT64_C(1) << 34 : 0);
}

void early_init(uint64_t fdt_pa, uint64_t load)
{
    struct mapper m = {.page = early_page};
    uint64_t size = (uint64_t)(image_end - image_start), fdt = ALIGN_DOWN(fdt_pa, BLOCK);

    image_pa = load;
    early_fdt = fdt_pa;
    m.root = early_page(NULL);
    config((uint64_t)m.root);
    m.vhe = el2_config.hcr >> 34 & 1;
    /* Text has to be written to nowhere and run everywhere here; both rights at once need no WXN. */
    map_range(&m, load, load, ALIGN_UP(size, BLOCK), MAP_EARLY);
    map_range(&m, ARCH_IMAGE_VA, load, ALIGN_UP(size, BLOCK), MAP_EARLY);
    if (fdt_pa)
        map_range(&m, fdt, fdt, FDT_MAX + BLOCK, MAP_EARLY);
    __asm__ volatile("dsb sy\n\tisb" ::: "memory");
}

/* The tables of early_init() are still in use, and reached where they are. */
void early_map_uart(void)
{
    struct mapper m = {.root = (uint64_t *)el2_config.ttbr,
                       .page = early_page,
                       .vhe = el2_config.hcr >> 34 & 1,
                       .delta = ARCH_IMAGE_VA - image_pa};

    map_range(&m, ALIGN_DOWN(early_uart, 4096), ALIGN_DOWN(early_uart, 4096), 4096, MAP_DEVICE);
}
