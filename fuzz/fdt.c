/* Any blob as a device tree: refused, or every walk and every reader stays inside it. */
#include "fuzz.h"
#include "lib/fdt.h"

static unsigned walk(const struct dtb *d, dtb_node n, unsigned depth)
{
    static const char *const props[] = {"reg", "compatible", "phandle", "interrupts", "", "status"};
    unsigned sum = 0;

    for (; n != DTB_NONE; n = dtb_sibling(d, n)) {
        sum += (unsigned)strlen(dtb_name(d, n)) + 1;
        for (size_t i = 0; i < sizeof(props) / sizeof(props[0]); i++) {
            uint32_t size = 0, cell;
            const uint8_t *p = dtb_prop(d, n, props[i], &size);
            const char *s = dtb_str(d, n, props[i]);

            for (uint32_t k = 0; p && k < size; k++)
                sum += p[k];
            if (s)
                sum += (unsigned)strlen(s);
            if (!dtb_u32(d, n, props[i], sum % 8, &cell))
                sum += cell;
        }
        if (depth < 32)
            sum += walk(d, dtb_child(d, n), depth + 1);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile unsigned sink;
    uint8_t *blob = malloc(size ? size : 1); /* exactly as long, aligned as readers may expect */
    struct dtb d;

    memcpy(blob, data, size);
    if (!dtb_open(&d, blob, size)) {
        sink += walk(&d, dtb_root(&d), 0);
        sink += (unsigned)dtb_path(&d, "/soc/serial@10000000") + (unsigned)dtb_path(&d, "/cpus/cpu");
        sink += (unsigned)dtb_phandle(&d, 1);
        for (dtb_node n = dtb_compatible(&d, DTB_NONE, "virtio,mmio"); n != DTB_NONE;
             n = dtb_compatible(&d, n, "virtio,mmio"))
            sink++;
    }
    free(blob);
    return 0;
}
