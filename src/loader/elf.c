/* ELF64 executables: program segments to their physical addresses, and the test symbols of RISC-V. */
#include "loader/loader.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
struct elf_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t align, entsize;
};
struct elf_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t shndx;
    uint64_t value, size;
};

enum {
    ELF_CLASS64 = 2,
    ELF_LITTLE = 1,
    ET_DYN = 3,
    PT_LOAD = 1,
    SHT_SYMTAB = 2,
    SEGMENTS_MAX = 64,
    SECTIONS_MAX = 4096
};

/* bias: where a program that was linked at 0 and can be anywhere goes. */
struct elf {
    const struct image *img;
    struct elf_header h;
    uint64_t bias;
};

static bool inside(const struct image *img, uint64_t offset, uint64_t size)
{
    return offset <= img->size && size <= img->size - offset;
}

/* Element i of a table of `count` at offset, copied out; false when it is not all in the file. */
static bool table_get(const struct image *img, uint64_t offset, unsigned i, void *out, size_t size)
{
    uint64_t at = offset + (uint64_t)i * size;

    if (at < offset || !inside(img, at, size))
        return false;
    memcpy(out, img->data + at, size);
    return true;
}

static int bad(const struct image *img, const char *what, char *why, size_t why_size)
{
    fmt_snprintf(why, why_size, "%s: %s; name a complete ELF program", img->path, what);
    return -EINVAL;
}

static int truncated(const struct image *img, uint64_t offset, uint64_t size, char *why, size_t why_size)
{
    if (offset + size < offset)
        return bad(img, "names bytes that no file can have", why, why_size);
    fmt_snprintf(why, why_size, "%s: the file ends after %llu of %llu bytes; copy or download it again",
                 img->path, (unsigned long long)img->size, (unsigned long long)(offset + size));
    return -EINVAL;
}

static int check_header(const struct image *img, const char *arch, struct elf_header *h, char *why,
                        size_t why_size)
{
    const char *is;

    if (image_kind(img, &is) != IMAGE_ELF)
        return bad(img, "is no ELF file", why, why_size);
    if (!table_get(img, 0, 0, h, sizeof(*h)))
        return truncated(img, 0, sizeof(*h), why, why_size);
    if (h->ident[4] != ELF_CLASS64 || h->ident[5] != ELF_LITTLE)
        return bad(img, "is not 64-bit little-endian", why, why_size);
    if (!is || strcmp(is, arch)) {
        fmt_snprintf(why, why_size,
                     "%s: is a program for %s, the guest is %s; name the right file, or another --guest-arch",
                     img->path, is ? is : "another ISA", arch);
        return -EINVAL;
    }
    if (h->phentsize != sizeof(struct elf_segment) || h->phnum == 0 || h->phnum > SEGMENTS_MAX)
        return bad(img, "has no program segments", why, why_size);
    return 0;
}

/* Something to be loaded, where it is to be. */
static bool segment_get(const struct elf *f, unsigned i, struct elf_segment *s)
{
    if (!table_get(f->img, f->h.phoff, i, s, sizeof(*s)) || s->type != PT_LOAD || !s->memsz)
        return false;
    s->paddr += f->bias;
    return true;
}

/* OpenSBI's firmware, and others that relocate themselves: to the begin of RAM. */
static void place(struct elf *f, gpa_t ram)
{
    struct elf_segment s;
    uint64_t lowest = UINT64_MAX;

    for (unsigned i = 0; i < f->h.phnum; i++) {
        if (segment_get(f, i, &s))
            lowest = MIN(lowest, s.paddr);
    }
    if (f->h.type == ET_DYN && !lowest)
        f->bias = ram;
}

/* All segments are checked before the first one is written. */
static int check_segments(struct mem *m, const struct elf *f, char *why, size_t why_size)
{
    const struct image *img = f->img;
    uint64_t table = (uint64_t)f->h.phnum * sizeof(struct elf_segment);

    if (!inside(img, f->h.phoff, table))
        return truncated(img, f->h.phoff, table, why, why_size);
    for (unsigned i = 0; i < f->h.phnum; i++) {
        struct elf_segment s;
        const struct mem_region *r;

        if (!segment_get(f, i, &s))
            continue;
        if (s.filesz > s.memsz)
            return bad(img, "has a segment with more bytes in the file than in memory", why, why_size);
        if (!inside(img, s.offset, s.filesz))
            return truncated(img, s.offset, s.filesz, why, why_size);
        r = mem_find(m, s.paddr);
        if (!r || r->kind == MEM_MMIO || s.memsz > r->size - (s.paddr - r->base)) {
            fmt_snprintf(why, why_size,
                         "%s: a segment of 0x%llx bytes at 0x%llx is outside the guest's memory; "
                         "link it for this machine or give more (--memory)",
                         img->path, (unsigned long long)s.memsz, (unsigned long long)s.paddr);
            return -EFBIG;
        }
    }
    return 0;
}

/* Physical address of a virtual one, by the segment that holds it. */
static uint64_t physical(const struct elf *f, uint64_t va)
{
    for (unsigned i = 0; i < f->h.phnum; i++) {
        struct elf_segment s;

        if (segment_get(f, i, &s) && va >= s.vaddr && va - s.vaddr < s.memsz)
            return s.paddr + (va - s.vaddr);
    }
    return va + f->bias;
}

/* An instruction can be there, and there is memory. */
static int check_entry(struct mem *m, const struct elf *f, const char *arch, char *why, size_t why_size)
{
    unsigned align = !strcmp(arch, "arm64") ? 4 : !strcmp(arch, "riscv64") ? 2 : 1;
    uint64_t entry = physical(f, f->h.entry);
    const struct mem_region *r = mem_find(m, entry);
    bool misaligned = entry % align;

    if (!misaligned && r && r->kind != MEM_MMIO)
        return 0;
    fmt_snprintf(why, why_size, "%s: its entry 0x%llx is %s; link it for this machine", f->img->path,
                 (unsigned long long)f->h.entry, misaligned ? "misaligned" : "outside the guest's memory");
    return -EINVAL;
}

static bool name_is(const struct image *img, const struct elf_section *strings, uint32_t at, const char *name)
{
    size_t n = strlen(name) + 1;

    return at < strings->size && n <= strings->size - at && inside(img, strings->offset, strings->size) &&
           !memcmp(img->data + strings->offset + at, name, n);
}

static void take_symbols(const struct elf *f, const struct elf_section *table, struct loaded *out)
{
    const struct image *img = f->img;
    struct elf_section strings;
    struct elf_symbol sym;

    if (!table_get(img, f->h.shoff, table->link, &strings, sizeof(strings)) ||
        !inside(img, table->offset, table->size))
        return;
    for (unsigned i = 0; i < table->size / sizeof(sym); i++) {
        if (!table_get(img, table->offset, i, &sym, sizeof(sym)))
            return;
        if (name_is(img, &strings, sym.name, "tohost"))
            out->tohost = physical(f, sym.value);
        if (name_is(img, &strings, sym.name, "fromhost"))
            out->fromhost = physical(f, sym.value);
    }
}

static void find_symbols(const struct elf *f, struct loaded *out)
{
    if (f->h.shentsize != sizeof(struct elf_section))
        return;
    for (unsigned i = 0; i < f->h.shnum && i < SECTIONS_MAX; i++) {
        struct elf_section s;

        if (table_get(f->img, f->h.shoff, i, &s, sizeof(s)) && s.type == SHT_SYMTAB)
            take_symbols(f, &s, out);
    }
}

int load_elf(struct mem *m, const struct image *img, const char *arch, gpa_t ram, struct loaded *out,
             char *why, size_t why_size)
{
    struct elf f = {.img = img};
    int err = check_header(img, arch, &f.h, why, why_size);

    if (!err) {
        place(&f, ram);
        err = check_segments(m, &f, why, why_size);
    }
    if (!err)
        err = check_entry(m, &f, arch, why, why_size);
    if (!err)
        err = image_verify(img, why, why_size);
    if (err)
        return err;
    *out = (struct loaded){.base = UINT64_MAX};
    for (unsigned i = 0; i < f.h.phnum; i++) {
        struct elf_segment s;

        if (!segment_get(&f, i, &s))
            continue;
        out->base = MIN(out->base, s.paddr);
        out->end = MAX(out->end, s.paddr + s.memsz);
        if (s.filesz)
            mem_load(m, s.paddr, img->data + s.offset, s.filesz);
        if (s.memsz > s.filesz) /* after a reset there is something */
            mem_zero(m, s.paddr + s.filesz, s.memsz - s.filesz);
    }
    out->entry = physical(&f, f.h.entry);
    find_symbols(&f, out);
    return 0;
}
