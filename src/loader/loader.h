/*
 * Bringing images into guest memory: Linux Image, ELF, raw binaries, initrds. All input is untrusted:
 * sizes and offsets are checked against the file and against RAM before the first byte is written.
 *
 * Errors: -EINVAL (foreign, truncated), -EFBIG (does not fit), -ENOENT and its like (the file), each with
 * one line in why: the file, the reason, the remedy.
 */
#ifndef CV_LOADER_LOADER_H
#define CV_LOADER_LOADER_H

#include "core/mem.h"

/* A file in memory, freed by image_free(): all of it, or its head. */
struct image {
    const char *path;
    uint8_t *data;
    uint64_t size; /* of the file */
    uint64_t head; /* bytes in data while the others are still in `rest`; 0: data is all */
    struct plat_file *rest;
    uint64_t sum; /* lib/sum.h, of data; 0: none. Checked by who reads all of it. */
    struct plat_file
        *file; /* still open, for data is its own and not to be written; NULL: data is the image's */
};
int image_read(struct image *img, const char *path, uint64_t max, char *why, size_t why_size);
/*
 * Of a large file its head only: load_linux() and load_raw() bring the others straight to guest memory,
 * image_unpack() has them read, and load_elf() wants image_whole() first. Where that fails the image is
 * freed.
 */
int image_open(struct image *img, const char *path, uint64_t max, char *why, size_t why_size);
int image_whole(struct image *img, char *why, size_t why_size);
void image_free(struct image *img);
/* Verified, and data the image's own from now on. On failure the image is freed. */
int image_own(struct image *img, char *why, size_t why_size);
/* -EINVAL: the bytes are not those that were written. */
int image_verify(const struct image *img, char *why, size_t why_size);
/* All bytes to `at`; verified in the same pass. */
int image_place(struct mem *m, gpa_t at, const struct image *img, char *why, size_t why_size);
/*
 * A gzip file or an EFI zboot image (gzip inside) becomes what it holds, of at most `max` bytes; others stay.
 * On failure the image is freed.
 */
int image_unpack(struct image *img, uint64_t max, char *why, size_t why_size);

/* The ISA that a file's first bytes name, NULL where they do not; no more of it is read. */
int image_probe(const char *path, const char **arch, char *why, size_t why_size);

enum image_kind { IMAGE_RAW, IMAGE_LINUX, IMAGE_ELF, IMAGE_PACKED };
/* What the first bytes say, and of which ISA: "riscv64", "arm64", "x86_64" or NULL where they do not. */
enum image_kind image_kind(const struct image *img, const char **arch);

/* Where something was put: [base, end), entry, and for ELF the symbols tohost and fromhost (0: absent). */
struct loaded {
    gpa_t base, end, entry;
    gpa_t tohost, fromhost;
};

/* Linux Image header (Documentation/arch/riscv/boot-image-header): at ram base + text_offset. */
int load_linux(struct mem *m, const struct image *img, gpa_t ram, uint64_t ram_size, const char *arch,
               struct loaded *out, char *why, size_t why_size);
/* To its physical addresses; one that was linked at 0 and relocates itself (ET_DYN) to `ram`. */
int load_elf(struct mem *m, const struct image *img, const char *arch, gpa_t ram, struct loaded *out,
             char *why, size_t why_size);
int load_raw(struct mem *m, const struct image *img, gpa_t at, struct loaded *out, char *why,
             size_t why_size);

#endif
