/* Any file as ELF, Linux Image and raw binary: refused with a reason, or inside RAM. */
#include "fuzz.h"
#include "core/mem.h"
#include "loader/loader.h"

#define RAM  0x80000000u
#define SIZE (1u << 20)

static void check(int err, const struct loaded *l, const char *why)
{
    if (err)
        FUZZ_CHECK(why[0]);
    else
        FUZZ_CHECK(l->base == UINT64_MAX || (l->base >= RAM && l->end <= RAM + SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image img = {.path = "input", .data = (uint8_t *)data, .size = size};
    struct mem m;
    struct loaded l;
    const char *arch;
    char why[200] = "";

    FUZZ_CHECK(!mem_init(&m, NULL));
    FUZZ_CHECK(!mem_add_ram(&m, RAM, SIZE, MEM_RAM, "ram", why, sizeof(why)));
    switch (image_kind(&img, &arch)) {
    case IMAGE_ELF:
        check(load_elf(&m, &img, arch ? arch : "riscv64", RAM, &l, why, sizeof(why)), &l, why);
        break;
    case IMAGE_LINUX:
        check(load_linux(&m, &img, RAM, SIZE, arch, &l, why, sizeof(why)), &l, why);
        break;
    default:
        check(load_raw(&m, &img, RAM + 64, &l, why, sizeof(why)), &l, why);
    }
    mem_fini(&m);
    return 0;
}
