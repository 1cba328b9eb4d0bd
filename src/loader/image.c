/* Files into memory, and what their first bytes say. */
#include "loader/loader.h"
#include "core/platform.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "lib/sum.h"

/* Of a compressed image, before the guest's memory is known. */
#define PACKED_MAX (UINT64_C(1) << 30)
/* Holds all headers that decide what an image is; a kernel's PE sections are in its first page. */
#define HEAD_SIZE (UINT64_C(64) << 10)

static int refuse(char *why, size_t why_size, const char *path, int err)
{
    static const struct {
        int err;
        const char *text;
    } reasons[] = {
        {-ENOENT, "no such file; check the path"},
        {-EACCES, "permission denied; check its mode"},
        {-EISDIR, "is a directory; name a file"},
        {-ENODEV, "is no regular file; name one"},
        {-ENAMETOOLONG, "the path is too long; shorten it"},
        {-ENOTDIR, "no such file; check the path"},
        {-ELOOP, "links lead in a circle; name the file itself"},
        {-ENOMEM, "no host memory to read it; free some"},
        {-ENODATA, "became shorter while it was read; try again"},
    };
    const char *text = "cannot be read; check the disk it is on";

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (reasons[i].err == err)
            text = reasons[i].text;
    }
    fmt_snprintf(why, why_size, "%s: %s", path, text);
    return err;
}

static int refuse_empty(char *why, size_t why_size, const char *path)
{
    fmt_snprintf(why, why_size, "%s: is empty; name a complete file", path);
    return -EINVAL;
}

static int refuse_large(char *why, size_t why_size, const struct image *img, uint64_t max)
{
    fmt_snprintf(why, why_size,
                 "%s: needs %llu MiB of memory, the guest has %llu MiB; give it more (--memory)", img->path,
                 (unsigned long long)(img->size >> 20) + 1, (unsigned long long)(max >> 20));
    return -EFBIG;
}

int image_open(struct image *img, const char *path, uint64_t max, char *why, size_t why_size)
{
    struct plat_file *f;
    int err = plat_file_open(&f, path, PLAT_READ);

    *img = (struct image){.path = path};
    if (err)
        return refuse(why, why_size, path, err);
    err = plat_file_size(f, &img->size);
    if (!err && (img->size == 0 || img->size > max)) {
        plat_file_close(f);
        return img->size ? refuse_large(why, why_size, img, max) : refuse_empty(why, why_size, path);
    }
    if (!err && (img->data = (uint8_t *)plat_file_map(f, &img->sum))) {
        img->file = f;
        return 0;
    }
    img->head = MIN(img->size, HEAD_SIZE);
    if (!err) {
        img->data = plat_alloc(img->head);
        err = img->data ? plat_file_read(f, 0, img->data, img->head) : -ENOMEM;
    }
    if (!err && img->head < img->size) {
        img->rest = f;
        return 0;
    }
    img->head = 0;
    plat_file_close(f);
    if (err) {
        image_free(img);
        return refuse(why, why_size, path, err);
    }
    return 0;
}

int image_whole(struct image *img, char *why, size_t why_size)
{
    uint8_t *data;
    int err;

    if (!img->rest)
        return 0;
    data = plat_alloc(img->size);
    err = data ? plat_file_read(img->rest, 0, data, img->size) : -ENOMEM;
    image_free(img);
    if (err) {
        plat_free(data);
        return refuse(why, why_size, img->path, err);
    }
    img->data = data;
    return 0;
}

int image_read(struct image *img, const char *path, uint64_t max, char *why, size_t why_size)
{
    int err = image_open(img, path, max, why, why_size);

    return err ? err : image_whole(img, why, why_size);
}

static int refuse_damaged(const struct image *img, char *why, size_t why_size)
{
    fmt_snprintf(why, why_size, "%s: is damaged: its checksum is wrong; make and copy the bundle again",
                 img->path);
    return -EINVAL;
}

int image_verify(const struct image *img, char *why, size_t why_size)
{
    if (!img->sum || sum64(img->data, img->size) == img->sum)
        return 0;
    return refuse_damaged(img, why, why_size);
}

static int refuse_outside(const struct image *img, gpa_t at, char *why, size_t why_size)
{
    fmt_snprintf(why, why_size,
                 "%s: %llu bytes at 0x%llx are outside the guest's memory; give it more (--memory)",
                 img->path, (unsigned long long)img->size, (unsigned long long)at);
    return -EFBIG;
}

/* Straight from the file. */
static int place_rest(struct mem *m, gpa_t at, const struct image *img, char *why, size_t why_size)
{
    uint8_t *to = mem_ptr(m, at, img->size, true);
    int err;

    if (!to)
        return refuse_outside(img, at, why, why_size);
    err = plat_file_read(img->rest, 0, to, img->size);
    mem_dirty(m, at, img->size);
    return err ? refuse(why, why_size, img->path, err) : 0;
}

int image_place(struct mem *m, gpa_t at, const struct image *img, char *why, size_t why_size)
{
    uint8_t *to;
    uint64_t sum;
    int err;

    if (img->rest)
        return place_rest(m, at, img, why, why_size);
    to = img->sum ? mem_ptr(m, at, img->size, true) : NULL;
    if (!to) {
        err = image_verify(img, why, why_size);
        if (err)
            return err;
        return mem_load(m, at, img->data, img->size) ? refuse_outside(img, at, why, why_size) : 0;
    }
    sum = sum64_copy(to, img->data, img->size);
    mem_dirty(m, at, img->size);
    return sum == img->sum ? 0 : refuse_damaged(img, why, why_size);
}

static int probe_packed(const char *path, const char **arch, char *why, size_t why_size)
{
    struct image img;
    int err = image_read(&img, path, PACKED_MAX, why, why_size);

    if (!err)
        err = image_unpack(&img, PACKED_MAX, why, why_size);
    if (err)
        return err;
    image_kind(&img, arch);
    image_free(&img);
    return 0;
}

int image_probe(const char *path, const char **arch, char *why, size_t why_size)
{
    uint8_t head[1024];
    struct image img = {.path = path, .data = head};
    struct plat_file *f;
    int err = plat_file_open(&f, path, PLAT_READ);

    *arch = NULL;
    if (err)
        return refuse(why, why_size, path, err);
    err = plat_file_size(f, &img.size);
    if (!err && !img.size) {
        plat_file_close(f);
        return refuse_empty(why, why_size, path);
    }
    img.size = MIN(img.size, (uint64_t)sizeof(head));
    if (!err)
        err = plat_file_read(f, 0, head, img.size);
    plat_file_close(f);
    if (err)
        return refuse(why, why_size, path, err);
    return image_kind(&img, arch) == IMAGE_PACKED ? probe_packed(path, arch, why, why_size) : 0;
}

void image_free(struct image *img)
{
    if (img->rest)
        plat_file_close(img->rest);
    if (img->file)
        plat_file_close(img->file);
    else
        plat_free(img->data);
    img->data = NULL;
    img->file = img->rest = NULL;
    img->head = 0;
}

int image_own(struct image *img, char *why, size_t why_size)
{
    int err = image_verify(img, why, why_size);
    uint8_t *copy = NULL;

    if (!err && img->file && !(copy = plat_alloc(img->size)))
        err = refuse(why, why_size, img->path, -ENOMEM);
    if (copy) {
        memcpy(copy, img->data, img->size);
        plat_file_close(img->file);
        img->file = NULL;
        img->data = copy;
    }
    if (err)
        image_free(img);
    return err;
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* e_machine of the ELF specification's registry. */
static const char *elf_arch(unsigned machine)
{
    switch (machine) {
    case 243:
        return "riscv64";
    case 183:
        return "arm64";
    case 62:
        return "x86_64";
    default:
        return NULL;
    }
}

enum image_kind image_kind(const struct image *img, const char **arch)
{
    const uint8_t *d = img->data;

    *arch = NULL;
    if (img->size >= 4 && !memcmp(d, "\177ELF", 4)) { /* cut off behind that, too */
        *arch = img->size >= 20 ? elf_arch(d[18] | (unsigned)d[19] << 8) : NULL;
        return IMAGE_ELF;
    }
    /* magic2 at 56 of the header of both ISAs: "RSC\x05" and "ARM\x64". */
    if (img->size >= 64 && le32(d + 56) == 0x05435352) {
        *arch = "riscv64";
        return IMAGE_LINUX;
    }
    if (img->size >= 64 && le32(d + 56) == 0x644d5241) {
        *arch = "arm64";
        return IMAGE_LINUX;
    }
    if (img->size >= 0x206 && !memcmp(d + 0x202, "HdrS", 4)) {
        *arch = "x86_64";
        return IMAGE_LINUX;
    }
    if (img->size >= 2 && d[0] == 0x1f && d[1] == 0x8b)
        return IMAGE_PACKED;
    if (img->size >= 8 && !memcmp(d, "MZ\0\0zimg", 8))
        return IMAGE_PACKED;
    return IMAGE_RAW;
}
