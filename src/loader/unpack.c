/* Compressed kernels: gzip files, and EFI zboot images, which carry one behind a PE header. */
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/inflate.h"
#include "lib/str.h"
#include "loader/loader.h"

/* Linux, drivers/firmware/efi/libstub/zboot-header.S */
enum { ZBOOT_OFFSET = 8, ZBOOT_SIZE = 12, ZBOOT_TYPE = 24, ZBOOT_TYPE_END = 56 };

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int refuse(const struct image *img, const char *what, char *why, size_t why_size)
{
    fmt_snprintf(why, why_size, "%s: %s", img->path, what);
    return -EINVAL;
}

/* The compressed bytes within the file. */
static int find_payload(const struct image *img, const uint8_t **data, uint64_t *size, char *why,
                        size_t why_size)
{
    const uint8_t *d = img->data;
    uint64_t offset;

    *data = d;
    *size = img->size;
    if (d[0] == 0x1f)
        return 0;
    if (img->size < 64)
        return refuse(img, "is a cut EFI zboot image; copy it again", why, why_size);
    if (memcmp(d + ZBOOT_TYPE, "gzip", 5)) {
        char type[ZBOOT_TYPE_END - ZBOOT_TYPE + 1] = {0};

        memcpy(type, d + ZBOOT_TYPE, ZBOOT_TYPE_END - ZBOOT_TYPE);
        for (char *c = type; *c; c++) {
            if (*c < ' ' || *c > '~')
                *c = '?';
        }
        fmt_snprintf(why, why_size,
                     "%s: is an EFI zboot image compressed by '%s', only gzip is built in; unpack it first",
                     img->path, type);
        return -EINVAL;
    }
    offset = le32(d + ZBOOT_OFFSET);
    *size = le32(d + ZBOOT_SIZE);
    if (offset > img->size || *size > img->size - offset)
        return refuse(img, "is a cut EFI zboot image; copy it again", why, why_size);
    *data = d + offset;
    return 0;
}

static int unpack(struct image *img, uint64_t max, char *why, size_t why_size)
{
    struct inflate_result r;
    const uint8_t *data;
    uint64_t size, full;
    uint8_t *out;
    int err = image_whole(img, why, why_size);

    if (!err)
        err = image_verify(img, why, why_size);
    if (!err)
        err = find_payload(img, &data, &size, why, why_size);
    if (err)
        return err;
    full = inflate_gzip_size(data, size);
    if (!full)
        return refuse(img, "is no complete gzip file; copy it again", why, why_size);
    if (full > max) {
        fmt_snprintf(
            why, why_size,
            "%s: unpacks to %llu MiB, which do not fit into the guest's memory; give it more (--memory)",
            img->path, (unsigned long long)(full >> 20));
        return -EFBIG;
    }
    out = plat_alloc(full);
    if (!out) {
        fmt_snprintf(why, why_size, "%s: no host memory to unpack it", img->path);
        return -ENOMEM;
    }
    err = inflate_gzip(data, size, out, full, &r);
    if (err || r.size != full) {
        plat_free(out);
        return refuse(img, "is damaged: it does not unpack; copy it again", why, why_size);
    }
    image_free(img);
    img->data = out;
    img->size = full;
    img->sum = 0;
    return 0;
}

int image_unpack(struct image *img, uint64_t max, char *why, size_t why_size)
{
    const char *arch;
    int err = image_kind(img, &arch) == IMAGE_PACKED ? unpack(img, max, why, why_size) : 0;

    if (err)
        image_free(img);
    return err;
}
