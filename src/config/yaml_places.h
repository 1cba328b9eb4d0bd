/*
 * Where everything stands in a YAML file, and whether it is one: a mapping of known settings, each once, each
 * a text or a list of texts, some within the one mapping that there is. Nothing is nested deeper and nothing
 * refers to another place, so that the size of a file bounds the work it can make.
 */
#ifndef CV_CONFIG_YAML_PLACES_H
#define CV_CONFIG_YAML_PLACES_H

#include "config/config.h"

#define YAML_LIST_MAX 64

/* Line and column, from 1; line 0: not there. */
struct yaml_place {
    unsigned line, column;
};

struct yaml_places {
    struct yaml_place key[CONFIG_OPTIONS];
    struct yaml_place value[CONFIG_OPTIONS][YAML_LIST_MAX]; /* scalars have [0] */
    struct yaml_place group;                                /* the mapping's key */
    struct yaml_place wrong;                                /* of an error */
};

/* 0, -ENOMEM, or -EINVAL with its place in p->wrong and one line in why. */
int yaml_places_find(struct yaml_places *p, const char *text, size_t size, char *why, size_t why_size);

#endif
