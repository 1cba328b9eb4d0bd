/* The Linux "Image" format of riscv64 and arm64, and raw binaries. */
#include "loader/loader.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* Both ISAs share the layout (Documentation/arch/riscv/boot-image-header.rst). */
struct linux_header {
    uint32_t code[2];
    uint64_t text_offset;
    uint64_t image_size; /* in memory, bss included; 0 in very old images */
    uint64_t flags;      /* bit 0: big endian */
    uint32_t version, res1;
    uint64_t res2;
    uint8_t magic[8];
    uint32_t magic2;
    uint32_t res3;
};
_Static_assert(sizeof(struct linux_header) == 64, "boot-image-header.rst");
/* Of text_offset: none that a kernel was ever built with has less. */
#define IMAGE_ALIGN 16

/*
 * Where the last section of the PE image ends in the file (Microsoft PE format, "Section Table"): a kernel
 * with an EFI stub is one too. 0: it is none.
 */
static uint64_t pe_file_size(const struct image *img)
{
    const struct linux_header *h = (const void *)img->data;
    uint64_t at = h->res3, end = 0, here = img->head ? img->head : img->size;
    uint16_t sections, optional;

    /* Signature, then the COFF header of 20 bytes; both are within the first page of any kernel. */
    if (memcmp(img->data, "MZ", 2) || at > here || here - at < 24 || memcmp(img->data + at, "PE\0\0", 4))
        return 0;
    memcpy(&sections, img->data + at + 6, sizeof(sections));
    memcpy(&optional, img->data + at + 20, sizeof(optional));
    at += 24u + optional;
    for (unsigned i = 0; i < sections; i++, at += 40) {
        uint32_t raw[2]; /* SizeOfRawData, PointerToRawData */

        if (at > here || here - at < 40)
            return 0;
        memcpy(raw, img->data + at + 16, sizeof(raw));
        end = MAX(end, (uint64_t)raw[0] + raw[1]);
    }
    return end;
}

/* How long the file is at least, by its own word. */
static uint64_t least_file_size(const struct image *img, const struct linux_header *h)
{
    uint64_t pe = pe_file_size(img);

    /* The last section may be shorter in the file by its padding. */
    if (pe)
        return pe - MIN(pe, (uint64_t)MEM_PAGE_SIZE);
    /* Without one: the image in memory is longer by its bss only. */
    return h->image_size - MIN(h->image_size, UINT64_C(64) << 20);
}

int load_linux(struct mem *m, const struct image *img, gpa_t ram, uint64_t ram_size, const char *arch,
               struct loaded *out, char *why, size_t why_size)
{
    struct linux_header h;
    const char *is = NULL;
    uint64_t size;

    if (image_kind(img, &is) != IMAGE_LINUX || strcmp(is, arch)) {
        fmt_snprintf(why, why_size, "%s: is no %s kernel%s%s; name an Image of that ISA", img->path, arch,
                     is ? ", but one for " : "", is ? is : "");
        return -EINVAL;
    }
    memcpy(&h, img->data, sizeof(h));
    if (h.flags & 1) {
        fmt_snprintf(why, why_size, "%s: is a big-endian kernel; only little-endian ones run", img->path);
        return -EINVAL;
    }
    if (img->size < least_file_size(img, &h)) {
        fmt_snprintf(why, why_size, "%s: the file ends after %llu of %llu bytes; copy or download it again",
                     img->path, (unsigned long long)img->size,
                     (unsigned long long)(pe_file_size(img) ? pe_file_size(img) : h.image_size));
        return -EINVAL;
    }
    size = MAX(h.image_size, img->size);
    if (h.text_offset > ram_size || size > ram_size - h.text_offset) {
        fmt_snprintf(why, why_size,
                     "%s: needs %llu MiB of memory, the guest has %llu MiB; give it more (--memory)",
                     img->path, (unsigned long long)((h.text_offset + size) >> 20) + 1,
                     (unsigned long long)(ram_size >> 20));
        return -EFBIG;
    }
    if (h.text_offset % IMAGE_ALIGN) {
        fmt_snprintf(why, why_size, "%s: its text offset 0x%llx is misaligned; copy or download it again",
                     img->path, (unsigned long long)h.text_offset);
        return -EINVAL;
    }
    *out = (struct loaded){.base = ram + h.text_offset, .end = ram + h.text_offset + size};
    out->entry = out->base;
    return image_place(m, out->base, img, why, why_size);
}

int load_raw(struct mem *m, const struct image *img, gpa_t at, struct loaded *out, char *why, size_t why_size)
{
    *out = (struct loaded){.base = at, .end = at + img->size, .entry = at};
    return image_place(m, at, img, why, why_size);
}
