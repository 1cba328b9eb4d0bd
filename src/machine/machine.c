/* The registry of machines, and their options. */
#include "machine/machine.h"
#include "machine/virt_arm64.h"
#include "machine/virt_riscv64.h"
#include "lib/str.h"

const struct machine_ops *const machines[] = {
    &machine_virt_riscv64,
    &machine_virt_arm64,
    NULL,
};

const struct machine_ops *machine_find(const char *name, const char *guest_arch)
{
    for (unsigned i = 0; machines[i]; i++) {
        if (!strcmp(machines[i]->name, name) && !strcmp(machines[i]->guest_arch, guest_arch))
            return machines[i];
    }
    return NULL;
}

bool machine_option(const char *options, const char *key, char *value, size_t size)
{
    size_t n = strlen(key);

    while (options && *options) {
        const char *end = strchr(options, ',');
        size_t len = end ? (size_t)(end - options) : strlen(options);

        if (len > n && options[n] == '=' && !memcmp(options, key, n) && len - n - 1 < size) {
            memcpy(value, options + n + 1, len - n - 1);
            value[len - n - 1] = 0;
            return true;
        }
        options = end ? end + 1 : NULL;
    }
    return false;
}
