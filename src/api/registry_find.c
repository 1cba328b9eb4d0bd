/* Looking into the registries that are linked. */
#include "api/registry.h"
#include "lib/str.h"

const struct registry_guest *registry_guest_find(const char *name)
{
    for (unsigned i = 0; registry_guests[i].ops; i++) {
        if (!strcmp(registry_guests[i].ops->name, name))
            return &registry_guests[i];
    }
    return NULL;
}

const struct engine_ops *registry_engine_find(const char *name)
{
    for (unsigned i = 0; registry_engines[i]; i++) {
        if (!strcmp(registry_engines[i]->name, name))
            return registry_engines[i];
    }
    return NULL;
}
