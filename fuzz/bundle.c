/*
 * Any blob as a boot bundle. Header and sums are made right first, so that what is behind them is reached:
 * the tree is refused, or every VM and every file of it can be read.
 */
#include "config/bundle.h"
#include "fuzz.h"
#include "lib/sum.h"

static unsigned read_all(const struct bundle *b)
{
    unsigned sum = 0;
    char why[200];

    for (unsigned i = 0; i < b->file_count; i++) {
        struct bundle_file f;

        bundle_file(b, i, &f);
        FUZZ_CHECK((const uint8_t *)f.data >= b->data && f.size <= b->size);
        sum += (unsigned)sum64(f.data, (size_t)f.size) + (unsigned)strlen(f.name);
    }
    for (unsigned i = 0; i < b->vm_count; i++) {
        struct config c;

        config_init(&c);
        FUZZ_CHECK(!bundle_vm(b, i, &c, why, sizeof(why)));
        sum += (unsigned)strlen(c.desc.name);
        config_fini(&c);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned sink;
    uint8_t *blob = malloc(size ? size : 1);
    struct bundle_header h;
    struct bundle b;
    char why[200];

    memcpy(blob, data, size);
    if (size >= sizeof(h) && !(data[0] & 1)) { /* an odd one stays as it is */
        memcpy(&h, blob, sizeof(h));
        memcpy(h.magic, BUNDLE_MAGIC, sizeof(h.magic));
        h.version = BUNDLE_VERSION;
        if (h.tree <= size && h.tree_size <= size - h.tree)
            h.tree_sum = sum64(blob + h.tree, (size_t)h.tree_size);
        h.sum = sum64(&h, offsetof(struct bundle_header, sum));
        memcpy(blob, &h, sizeof(h));
    }
    if (!bundle_open(&b, blob, size, NULL, why, sizeof(why)))
        sink ^= read_all(&b);
    FUZZ_CHECK(sink != 1 || size);
    free(blob);
    return 0;
}
