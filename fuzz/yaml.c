/* Any file as a VM description: set whole, or refused with one line. */
#define _GNU_SOURCE
#include "fuzz.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    struct config c;
    char why[400] = "";

    if (fd < 0) {
        fd = memfd_create("yaml", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    config_init(&c);
    if (config_load(&c, path, why, sizeof(why))) {
        FUZZ_CHECK(why[0]);
        FUZZ_CHECK(!strchr(why, '\n'));
        FUZZ_CHECK(c.desc.smp == 1 && !c.desc.disk_count); /* nothing was set */
    }
    config_fini(&c);
    return 0;
}
