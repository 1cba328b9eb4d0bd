/* Loaders against good, cut, foreign, oversized and damaged images: refused with a reason, nothing written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/minimal/testvm.h"
#include "loader/loader.h"

#define RAM 0x80000000u
#define MIB (1u << 20)

static int setup(void **state)
{
    struct vm_desc desc = {.smp = 1};
    struct vm *vm;
    char why[160];

    assert_int_equal(vm_create(&vm, &desc, &guest_mock, NULL, &engine_minimal, why, sizeof(why)), 0);
    assert_int_equal(mem_add_ram(&vm->mem, RAM, MIB, MEM_RAM, "ram", why, sizeof(why)), 0);
    *state = vm;
    return 0;
}

static int teardown(void **state)
{
    vm_destroy(*state);
    return 0;
}

/* ---- an ELF with one segment, a symbol table with tohost and fromhost ---- */

struct file {
    Elf64_Ehdr e;
    Elf64_Phdr p[2];
    uint8_t text[100];
    char strings[32];
    Elf64_Sym sym[3];
    Elf64_Shdr s[3];
};

static void file_make(struct file *f)
{
    memset(f, 0, sizeof(*f));
    memcpy(f->e.e_ident, ELFMAG "\2\1\1", 7);
    f->e.e_type = ET_EXEC;
    f->e.e_machine = EM_RISCV;
    f->e.e_version = 1;
    f->e.e_entry = 0xffffffc000000010;
    f->e.e_phoff = offsetof(struct file, p);
    f->e.e_shoff = offsetof(struct file, s);
    f->e.e_ehsize = sizeof(f->e);
    f->e.e_phentsize = sizeof(f->p[0]);
    f->e.e_phnum = 2;
    f->e.e_shentsize = sizeof(f->s[0]);
    f->e.e_shnum = 3;
    f->p[0].p_type = PT_NOTE;
    f->p[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_offset = offsetof(struct file, text),
                           .p_vaddr = 0xffffffc000000000,
                           .p_paddr = RAM + 0x1000,
                           .p_filesz = sizeof(f->text),
                           .p_memsz = 0x3000};
    for (unsigned i = 0; i < sizeof(f->text); i++)
        f->text[i] = (uint8_t)(i + 1);
    memcpy(f->strings, "\0tohost\0fromhost", 16);
    f->sym[1] = (Elf64_Sym){.st_name = 1, .st_shndx = 1, .st_value = 0xffffffc000001000};
    f->sym[2] = (Elf64_Sym){.st_name = 8, .st_shndx = 1, .st_value = 0xffffffc000001040};
    f->s[1] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
                           .sh_offset = offsetof(struct file, sym),
                           .sh_size = sizeof(f->sym),
                           .sh_link = 2,
                           .sh_entsize = sizeof(f->sym[0])};
    f->s[2] = (Elf64_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct file, strings), .sh_size = sizeof(f->strings)};
}

static int try_elf(struct vm *vm, const void *data, size_t size, struct loaded *out, char *why)
{
    struct image img = {.path = "prog.elf", .size = size};
    int err;

    /* A buffer of exactly that size, so that ASan sees a read past its end. */
    img.data = malloc(size ? size : 1);
    memcpy(img.data, data, size);
    strcpy(why, "");
    err = load_elf(&vm->mem, &img, "riscv64", RAM, out, why, 200);
    free(img.data);
    return err;
}

static void elf_loads(void **state)
{
    struct vm *vm = *state;
    struct loaded out;
    struct file f;
    char why[200];
    uint8_t got[101];

    file_make(&f);
    assert_int_equal(try_elf(vm, &f, sizeof(f), &out, why), 0);
    assert_int_equal(out.entry, RAM + 0x1010); /* by the segment that holds it */
    assert_int_equal(out.base, RAM + 0x1000);
    assert_int_equal(out.end, RAM + 0x4000);
    assert_int_equal(out.tohost, RAM + 0x2000);
    assert_int_equal(out.fromhost, RAM + 0x2040);
    assert_int_equal(mem_read(&vm->mem, RAM + 0x1000, got, 101), 0);
    assert_memory_equal(got, f.text, 100);
    assert_int_equal(got[100], 0);
}

/* Again, after a guest wrote there: what has no bytes in the file is zero. */
static void elf_loads_again(void **state)
{
    struct vm *vm = *state;
    uint8_t got[0x3000], zero[0x3000] = {0};
    struct loaded out;
    struct file f;
    char why[200];

    file_make(&f);
    assert_int_equal(try_elf(vm, &f, sizeof(f), &out, why), 0);
    memset(got, 0xa5, sizeof(got));
    assert_int_equal(mem_load(&vm->mem, RAM + 0x1000, got, sizeof(got)), 0);
    assert_int_equal(mem_load(&vm->mem, RAM + 0x4000, got, 1), 0);
    assert_int_equal(try_elf(vm, &f, sizeof(f), &out, why), 0);
    assert_int_equal(mem_read(&vm->mem, RAM + 0x1000, got, sizeof(got)), 0);
    assert_memory_equal(got, f.text, 100);
    assert_memory_equal(got + 100, zero, sizeof(got) - 100);
    assert_int_equal(mem_read(&vm->mem, RAM + 0x4000, got, 1), 0);
    assert_int_equal(got[0], 0xa5);
}

/* What can be anywhere and was linked at 0 goes to the begin of RAM, its symbols too; what cannot is refused.
 */
static void elf_anywhere(void **state)
{
    struct vm *vm = *state;
    struct loaded out;
    struct file f;
    char why[200];
    uint8_t got[100];

    file_make(&f);
    f.e.e_type = ET_DYN;
    f.e.e_entry = 0x10;
    f.p[1].p_vaddr = f.p[1].p_paddr = 0;
    f.sym[1].st_value = 0x1000;
    f.sym[2].st_value = 0x7000; /* in no segment */
    assert_int_equal(try_elf(vm, &f, sizeof(f), &out, why), 0);
    assert_int_equal(out.entry, RAM + 0x10);
    assert_int_equal(out.base, RAM);
    assert_int_equal(out.end, RAM + 0x3000);
    assert_int_equal(out.tohost, RAM + 0x1000);
    assert_int_equal(out.fromhost, RAM + 0x7000);
    assert_int_equal(mem_read(&vm->mem, RAM, got, 100), 0);
    assert_memory_equal(got, f.text, 100);
    f.e.e_type = ET_EXEC;
    assert_int_equal(try_elf(vm, &f, sizeof(f), &out, why), -EFBIG);
    assert_non_null(strstr(why, "outside"));
    f.e.e_type = ET_DYN;
    f.p[1].p_memsz = MIB + 1;
    assert_int_equal(try_elf(vm, &f, sizeof(f), &out, why), -EFBIG);
}

/* Every length: refused with nothing written, or (cut in the tables behind the program) loaded without
 * symbols. */
static void elf_cut_at_every_byte(void **state)
{
    struct vm *vm = *state;
    unsigned refused = 0, loaded = 0;
    struct file f;

    file_make(&f);
    for (size_t n = 0; n < sizeof(f); n++) {
        struct loaded out = {.tohost = 7};
        char why[200];
        int err = try_elf(vm, &f, n, &out, why);

        if (err) {
            assert_int_equal(err, -EINVAL);
            assert_non_null(strstr(why, "prog.elf: "));
            assert_true(n >= sizeof(f.e) || !strstr(why, "the file ends after") == (n < 4));
            assert_int_equal(mem_hash(&vm->mem), 0);
            refused++;
            assert_true(n < offsetof(struct file, strings));
        } else {
            assert_int_equal(out.tohost, n < sizeof(f) ? out.tohost : 0);
            loaded++;
            assert_true(n >= offsetof(struct file, strings));
        }
    }
    assert_true(refused > 0 && loaded > 0);
}

static void elf_refused(void **state)
{
    struct vm *vm = *state;
    char why[200];

#define BAD(err, word, change)                                                                               \
    do {                                                                                                     \
        struct loaded out;                                                                                   \
        struct file f;                                                                                       \
        file_make(&f);                                                                                       \
        change;                                                                                              \
        assert_int_equal(try_elf(vm, &f, sizeof(f), &out, why), err);                                        \
        assert_non_null(strstr(why, word));                                                                  \
        assert_null(strchr(why, '\n'));                                                                      \
        assert_int_equal(mem_hash(&vm->mem), 0);                                                             \
    } while (0)
    BAD(-EINVAL, "no ELF", f.e.e_ident[0] = 0);
    BAD(-EINVAL, "64-bit", f.e.e_ident[4] = ELFCLASS32);
    BAD(-EINVAL, "little-endian", f.e.e_ident[5] = ELFDATA2MSB);
    BAD(-EINVAL, "arm64", f.e.e_machine = EM_AARCH64);
    BAD(-EINVAL, "x86_64", f.e.e_machine = EM_X86_64);
    BAD(-EINVAL, "another ISA", f.e.e_machine = EM_MIPS);
    BAD(-EINVAL, "misaligned", f.e.e_entry += 1);
    BAD(-EINVAL, "outside", f.e.e_entry = 0x10);
    BAD(-EINVAL, "segments", f.e.e_phnum = 0);
    BAD(-EINVAL, "segments", f.e.e_phnum = 65535);
    BAD(-EINVAL, "segments", f.e.e_phentsize = 1);
    BAD(-EINVAL, "no file can have", f.e.e_phoff = UINT64_MAX - 4);
    BAD(-EINVAL, "no file can have", f.p[1].p_offset = UINT64_MAX);
    BAD(-EINVAL, "the file ends after", f.p[1].p_filesz = 0x3000);
    BAD(-EINVAL, "more bytes in the file", f.p[1].p_filesz = 0x4000);
    BAD(-EFBIG, "outside", f.p[1].p_paddr = RAM - 0x1000);
    BAD(-EFBIG, "outside", f.p[1].p_paddr = RAM + MIB - 0x2000);
    BAD(-EFBIG, "outside", f.p[1].p_paddr = UINT64_MAX - 0xfff);
    BAD(-EFBIG, "--memory", f.p[1].p_memsz = UINT64_MAX);
    BAD(-EFBIG, "outside", f.p[0] = f.p[1]; f.p[0].p_paddr = RAM; f.p[0].p_memsz = 0x10; f.p[0].p_filesz = 8;
        f.p[1].p_paddr = 0);
#undef BAD
}

/* Random damage: never a crash; what loads lies inside RAM. */
static void elf_damaged(void **state)
{
    struct vm *vm = *state;
    unsigned loaded = 0;

    srand(5);
    for (unsigned n = 0; n < 100000; n++) {
        struct loaded out;
        struct file f;
        char why[200];

        file_make(&f);
        for (unsigned k = 0; k <= n % 4; k++) {
            /* Half of the damage goes to the headers. */
            size_t at = (size_t)rand() % (rand() % 2 ? sizeof(f) : offsetof(struct file, text));
            static const uint8_t edge[] = {0, 1, 0x7f, 0x80, 0xff};
            size_t len = (size_t)(1 + rand() % 8);

            if (rand() % 2)
                ((uint8_t *)&f)[at] ^= (uint8_t)(1u << rand() % 8);
            else
                memset((uint8_t *)&f + at, edge[rand() % 5], MIN(len, sizeof(f) - at));
        }
        if (try_elf(vm, &f, sizeof(f) - (size_t)(rand() % 4 ? 0 : rand() % (int)sizeof(f)), &out, why)) {
            assert_true(why[0]);
            continue;
        }
        loaded++;
        assert_true(out.base == UINT64_MAX || (out.base >= RAM && out.end <= RAM + MIB));
    }
    assert_true(loaded > 1000 && loaded < 99000);
}

/* ---- compressed images ---- */

/* "abc" as a gzip file. */
static const uint8_t gz[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0, 0, 3, 0x4b, 0x4c,
                             0x4a, 0x06, 0x00, 0xc2, 0x41, 0x24, 0x35, 3, 0, 0, 0};

static int try_unpack(const void *data, size_t size, uint64_t max, struct image *img, char *why)
{
    *img = (struct image){.path = "kernel", .size = size};
    img->data = malloc(size);
    memcpy(img->data, data, size);
    strcpy(why, "");
    return image_unpack(img, max, why, 200);
}

static void unpacks(void **state)
{
    struct {
        char magic[8];
        uint32_t offset, size;
        char pad[8], type[32];
        uint8_t rest[64];
    } z = {"MZ\0\0zimg", 64, sizeof(gz), "", "gzip", {0}};
    struct image img;
    char why[200];

    (void)state;
    assert_int_equal(try_unpack(gz, sizeof(gz), 100, &img, why), 0);
    assert_int_equal(img.size, 3);
    assert_memory_equal(img.data, "abc", 3);
    image_free(&img);
    assert_int_equal(try_unpack("plain", 5, 100, &img, why), 0);
    assert_int_equal(img.size, 5);
    image_free(&img);
    memcpy((uint8_t *)&z + 64, gz, sizeof(gz));
    assert_int_equal(try_unpack(&z, sizeof(z), 100, &img, why), 0);
    assert_int_equal(img.size, 3);
    image_free(&img);
#define BAD(err, word, change)                                                                               \
    do {                                                                                                     \
        __typeof__(z) b = z;                                                                                 \
        change;                                                                                              \
        assert_int_equal(try_unpack(&b, sizeof(b), 2 + sizeof(b), &img, why), err);                          \
        assert_non_null(strstr(why, word));                                                                  \
        assert_null(img.data);                                                                               \
    } while (0)
    BAD(-EINVAL, "zstd22", strcpy(b.type, "zstd22"));
    BAD(-EINVAL, "cut", b.offset = UINT32_MAX);
    BAD(-EINVAL, "cut", b.size = sizeof(b) - 63);
    BAD(-EINVAL, "complete", b.size = 0);
    BAD(-EFBIG, "--memory", ((uint8_t *)&b)[64 + sizeof(gz) - 3] = 1);
    BAD(-EINVAL, "damaged", ((uint8_t *)&b)[64 + sizeof(gz) - 4]++);
    BAD(-EINVAL, "damaged", ((uint8_t *)&b)[64 + 11]++);
#undef BAD
    for (size_t n = 2; n < sizeof(gz); n++) {
        assert_int_not_equal(try_unpack(gz, n, 100, &img, why), 0);
        assert_true(why[0]);
    }
}

/* ---- Linux images ---- */

struct linux_file {
    uint32_t code[2];
    uint64_t text_offset, image_size, flags;
    uint32_t version, res1;
    uint64_t res2;
    char magic[8];
    uint32_t magic2, res3;
    uint8_t rest[1000];
};

static void linux_make(struct linux_file *f)
{
    memset(f, 0, sizeof(*f));
    f->text_offset = 0x20000;
    f->image_size = 0x8000;
    f->magic2 = 0x05435352;
    memset(f->rest, 0xaa, sizeof(f->rest));
}

static int try_linux(struct vm *vm, const void *data, size_t size, struct loaded *out, char *why)
{
    struct image img = {.path = "Image", .size = size};
    int err;

    img.data = malloc(size ? size : 1);
    memcpy(img.data, data, size);
    strcpy(why, "");
    err = load_linux(&vm->mem, &img, RAM, MIB, "riscv64", out, why, 200);
    free(img.data);
    return err;
}

static void linux_loads(void **state)
{
    struct vm *vm = *state;
    struct linux_file f;
    struct loaded out;
    uint8_t got[4];
    char why[200];

    linux_make(&f);
    assert_int_equal(try_linux(vm, &f, sizeof(f), &out, why), 0);
    assert_int_equal(out.entry, RAM + 0x20000);
    assert_int_equal(out.end, RAM + 0x28000);
    assert_int_equal(mem_read(&vm->mem, RAM + 0x20000 + 64, got, 4), 0);
    assert_int_equal(got[0], 0xaa);
    f.image_size = 0; /* very old ones: the file's size counts */
    assert_int_equal(try_linux(vm, &f, sizeof(f), &out, why), 0);
    assert_int_equal(out.end, RAM + 0x20000 + sizeof(f));
}

static void linux_refused(void **state)
{
    struct vm *vm = *state;
    struct loaded out;
    char why[200];

#define BAD(err, word, change)                                                                               \
    do {                                                                                                     \
        struct linux_file f;                                                                                 \
        linux_make(&f);                                                                                      \
        change;                                                                                              \
        assert_int_equal(try_linux(vm, &f, sizeof(f), &out, why), err);                                      \
        assert_non_null(strstr(why, word));                                                                  \
        assert_int_equal(mem_hash(&vm->mem), 0);                                                             \
    } while (0)
    BAD(-EINVAL, "no riscv64 kernel", f.magic2 = 0);
    BAD(-EINVAL, "arm64", f.magic2 = 0x644d5241);
    BAD(-EINVAL, "big-endian", f.flags = 1);
    BAD(-EINVAL, "the file ends after", f.image_size = UINT64_MAX);
    BAD(-EINVAL, "the file ends after", f.image_size = 65 * MIB);
    BAD(-EFBIG, "--memory", f.image_size = MIB);
    BAD(-EFBIG, "--memory", f.text_offset = MIB);
    BAD(-EFBIG, "--memory", f.text_offset = UINT64_MAX);
    BAD(-EFBIG, "--memory", f.text_offset = MIB - 0x7fff);
    BAD(-EINVAL, "misaligned", f.text_offset += 2);
#undef BAD
    for (size_t n = 0; n < 64; n++) {
        struct linux_file f;

        linux_make(&f);
        assert_int_equal(try_linux(vm, &f, n, &out, why), -EINVAL);
    }
}

static void linux_damaged(void **state)
{
    struct vm *vm = *state;

    srand(6);
    for (unsigned n = 0; n < 100000; n++) {
        struct linux_file f;
        struct loaded out;
        char why[200];

        linux_make(&f);
        for (unsigned k = 0; k <= n % 3; k++)
            ((uint8_t *)&f)[rand() % 64] ^= (uint8_t)(1u << rand() % 8);
        if (!try_linux(vm, &f, sizeof(f), &out, why))
            assert_true(out.base >= RAM && out.end <= RAM + MIB && out.base < out.end);
    }
}

/* ---- raw binaries, kinds, files ---- */

static void raw(void **state)
{
    struct vm *vm = *state;
    uint8_t data[256] = {1, 2, 3};
    struct image img = {.path = "fw.bin", .data = data, .size = sizeof(data)};
    struct loaded out;
    char why[200];

    assert_int_equal(load_raw(&vm->mem, &img, RAM + 0x100, &out, why, sizeof(why)), 0);
    assert_int_equal(out.entry, RAM + 0x100);
    assert_int_equal(load_raw(&vm->mem, &img, RAM + MIB - 256, &out, why, sizeof(why)), 0);
    assert_int_equal(load_raw(&vm->mem, &img, RAM + MIB - 255, &out, why, sizeof(why)), -EFBIG);
    assert_non_null(strstr(why, "fw.bin"));
    assert_int_equal(load_raw(&vm->mem, &img, UINT64_MAX - 10, &out, why, sizeof(why)), -EFBIG);
}

static void kinds(void **state)
{
    static uint8_t data[0x206];
    struct image img = {.data = data, .size = sizeof(data)};
    const char *arch;

    (void)state;
    assert_int_equal(image_kind(&img, &arch), IMAGE_RAW);
    memcpy(data + 0x202, "HdrS", 4);
    assert_int_equal(image_kind(&img, &arch), IMAGE_LINUX);
    assert_string_equal(arch, "x86_64");
    data[0] = 0x1f;
    data[1] = 0x8b;
    img.size = 0x100;
    assert_int_equal(image_kind(&img, &arch), IMAGE_PACKED);
    memcpy(data, "MZ\0\0zimg", 8);
    assert_int_equal(image_kind(&img, &arch), IMAGE_PACKED);
    assert_null(arch);
    for (img.size = 0; img.size < 8; img.size++)
        assert_int_equal(image_kind(&img, &arch), IMAGE_RAW);
}

static void files(void **state)
{
    char path[] = "/tmp/cv-loader-XXXXXX", why[200];
    int fd = mkstemp(path);
    struct image img;

    (void)state;
    assert_int_equal(image_read(&img, path, 100, why, sizeof(why)), -EINVAL); /* empty */
    assert_non_null(strstr(why, "is empty"));
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(image_read(&img, path, 9, why, sizeof(why)), -EFBIG);
    assert_non_null(strstr(why, "--memory"));
    assert_int_equal(image_read(&img, path, 10, why, sizeof(why)), 0);
    assert_int_equal(img.size, 10);
    assert_memory_equal(img.data, "0123456789", 10);
    image_free(&img);
    image_free(&img);
    close(fd);
    unlink(path);
    assert_int_equal(image_read(&img, path, 10, why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "no such file"));
    assert_true(image_read(&img, "/tmp", 10, why, sizeof(why)) < 0);
    assert_non_null(strstr(why, "/tmp: "));
}

/* More than is read when it is opened, so that the rest goes from the file straight to guest memory. */
static void large_file(void **state)
{
    struct vm *vm = *state;
    char path[] = "/tmp/cv-loader-XXXXXX", why[200];
    static uint8_t data[200 << 10], got[sizeof(data)];
    int fd = mkstemp(path);
    struct loaded out;
    struct image img;

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i >> 8 ^ i);
    assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
    assert_int_equal(image_open(&img, path, MIB, why, sizeof(why)), 0);
    assert_non_null(img.rest);
    assert_int_equal(load_raw(&vm->mem, &img, RAM + 0x1000, &out, why, sizeof(why)), 0);
    assert_int_equal(out.end, RAM + 0x1000 + sizeof(data));
    assert_int_equal(mem_read(&vm->mem, RAM + 0x1000, got, sizeof(got)), 0);
    assert_memory_equal(got, data, sizeof(data));
    assert_int_equal(load_raw(&vm->mem, &img, RAM + MIB - sizeof(data) + 1, &out, why, sizeof(why)), -EFBIG);
    assert_non_null(strstr(why, path));

    assert_int_equal(ftruncate(fd, 100 << 10), 0); /* by somebody else, meanwhile */
    assert_int_equal(load_raw(&vm->mem, &img, RAM, &out, why, sizeof(why)), -ENODATA);
    assert_non_null(strstr(why, path));
    assert_int_equal(image_whole(&img, why, sizeof(why)), -ENODATA);
    assert_null(img.rest);
    assert_null(img.data);

    assert_int_equal(image_open(&img, path, MIB, why, sizeof(why)), 0);
    assert_int_equal(image_whole(&img, why, sizeof(why)), 0);
    assert_int_equal(img.size, 100 << 10);
    assert_memory_equal(img.data, data, 100 << 10);
    image_free(&img);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(elf_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_loads_again, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_cut_at_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(linux_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(linux_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(linux_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(raw, setup, teardown),
        cmocka_unit_test(unpacks),
        cmocka_unit_test(kinds),
        cmocka_unit_test(files),
        cmocka_unit_test_setup_teardown(large_file, setup, teardown),
    };

    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
