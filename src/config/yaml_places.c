/* A walk over libyaml's events; its marks count lines and columns from 0. */
#include "config/yaml_places.h"
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include "lib/err.h"

struct walk {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one, freed by next() */
    struct yaml_places *p;
    const char *text;
    size_t size;
    char *why;
    size_t why_size;
};

static struct yaml_place place_of(yaml_mark_t m)
{
    return (struct yaml_place){(unsigned)m.line + 1, (unsigned)m.column + 1};
}

static int refuse(struct walk *w, struct yaml_place at, const char *what, const char *arg)
{
    w->p->wrong = at;
    snprintf(w->why, w->why_size, what, arg);
    return -EINVAL;
}

/* Bytes that are no text have an offset only. */
static struct yaml_place place_at(const struct walk *w, size_t offset)
{
    struct yaml_place at = {1, 1};

    for (size_t i = 0; i < offset && i < w->size; i++) {
        at.column++;
        if (w->text[i] == '\n')
            at = (struct yaml_place){at.line + 1, 1};
    }
    return at;
}

/* libyaml notices a missing end where the text goes on or ends; the mistake is where it began. */
static bool began_earlier(const yaml_parser_t *y)
{
    return y->context_mark.line < y->problem_mark.line &&
           (!strcmp(y->problem, "found unexpected end of stream") ||
            !strcmp(y->problem, "could not find expected ':'"));
}

static int refuse_syntax(struct walk *w)
{
    const yaml_parser_t *y = &w->parser;
    size_t at = y->problem_mark.index;
    char what[160];

    if (y->error == YAML_MEMORY_ERROR || !y->problem) {
        snprintf(w->why, w->why_size, "no memory to read it; free some on the host");
        w->p->wrong = (struct yaml_place){1, 1};
        return -ENOMEM;
    }
    snprintf(what, sizeof(what), "%.100s", y->problem);
    if (y->error == YAML_READER_ERROR)
        return refuse(w, place_at(w, y->problem_offset),
                      "is no text here (%s); write UTF-8 without control characters", what);
    if (began_earlier(y))
        return refuse(w, place_of(y->context_mark),
                      "is no YAML here (%s); write `key: value`, and end what is quoted", what);
    if (at < w->size && w->text[at] == '\t')
        return refuse(w, place_of(y->problem_mark), "is no YAML here (%s); indent by spaces, not tabs", what);
    return refuse(w, place_of(y->problem_mark),
                  "is no YAML here (%s); check the indentation and write `key: value`", what);
}

static int next(struct walk *w)
{
    yaml_event_delete(&w->event);
    return yaml_parser_parse(&w->parser, &w->event) ? 0 : refuse_syntax(w);
}

/* A text, whatever else it could be. */
static int expect_scalar(struct walk *w, const char *what, const char *key)
{
    if (w->event.type == YAML_SCALAR_EVENT) {
        if (!*key || strlen((const char *)w->event.data.scalar.value) == w->event.data.scalar.length)
            return 0;
        what = "%s: has a NUL character (\\0); leave it out";
    }
    if (w->event.type == YAML_ALIAS_EVENT)
        what = "%s: an alias (*name) is not possible; write the value itself";
    return refuse(w, place_of(w->event.start_mark), what, key);
}

static int walk_list(struct walk *w, int option)
{
    const char *key = config_info[option].key;
    int err;

    if (w->event.type != YAML_SEQUENCE_START_EVENT)
        return refuse(w, place_of(w->event.start_mark),
                      "%s: needs a list; write each entry on a line of its own, `- entry`", key);
    for (unsigned n = 0; !(err = next(w)) && w->event.type != YAML_SEQUENCE_END_EVENT; n++) {
        err = expect_scalar(w, "%s: needs plain entries; write each on a line of its own, `- entry`", key);
        if (!err && n == YAML_LIST_MAX)
            err = refuse(w, place_of(w->event.start_mark), "%s: has too many entries; remove some", key);
        if (err)
            return err;
        w->p->value[option][n] = place_of(w->event.start_mark);
    }
    return err;
}

static int walk_value(struct walk *w, int option)
{
    int err;

    if (config_is_list(config_info[option].kind))
        return walk_list(w, option);
    err = expect_scalar(w, "%s: needs one plain value; write `key: value`", config_info[option].key);
    if (!err)
        w->p->value[option][0] = place_of(w->event.start_mark);
    return err;
}

/* The mapping of that name; NULL: there is none. */
static const char *find_group(const char *key)
{
    for (int i = 0; i < CONFIG_OPTIONS; i++) {
        const char *group = config_group(i);

        if (group && !strcmp(group, key))
            return group;
    }
    return NULL;
}

static int set_already(struct walk *w, struct yaml_place at, const char *key, unsigned line)
{
    char word[160];

    snprintf(word, sizeof(word), "%s: was set in line %u already; remove one of them", key, line);
    return refuse(w, at, "%s", word);
}

/* The current event is a key, of the file or of the mapping `group`; *option -1: the mapping *inner begins.
 */
static int walk_key(struct walk *w, const char *group, int *option, const char **inner)
{
    struct yaml_place at = place_of(w->event.start_mark);
    int err = expect_scalar(w, "a setting's name must be plain text; write `key: value`%s", "");
    const char *key = (const char *)w->event.data.scalar.value;
    char word[64];

    if (err)
        return err;
    if (strlen(key) != w->event.data.scalar.length)
        return refuse(w, at, "a setting's name must be plain text; write `key: value`%s", "");
    snprintf(word, sizeof(word), "%s%s%s", group ? group : "", group ? "." : "", key);
    *inner = group ? NULL : find_group(key);
    *option = config_find(word);
    if (*option >= 0 && !group && strchr(key, '.'))
        return refuse(w, at, "%s: is a field of a mapping; write sched: {...}", key);
    if (*inner) {
        if (w->p->group.line)
            return set_already(w, at, key, w->p->group.line);
        w->p->group = at;
        return 0;
    }
    if (*option < 0) {
        struct config scratch;

        config_init(&scratch);
        config_set(&scratch, word, "", w->why, w->why_size);
        config_fini(&scratch);
        w->p->wrong = at;
        return -EINVAL;
    }
    if (w->p->key[*option].line)
        return set_already(w, at, word, w->p->key[*option].line);
    w->p->key[*option] = at;
    return 0;
}

/* The inside of the mapping `group`, past its start; there are none in it. */
static int walk_group(struct walk *w, const char *group)
{
    const char *inner;
    int option, err;

    if (w->event.type != YAML_MAPPING_START_EVENT)
        return refuse(w, place_of(w->event.start_mark), "%s: needs a mapping; write {key: value, ...}",
                      group);
    while (!(err = next(w)) && w->event.type != YAML_MAPPING_END_EVENT) {
        err = walk_key(w, group, &option, &inner);
        if (!err)
            err = next(w);
        if (!err)
            err = walk_value(w, option);
        if (err)
            return err;
    }
    return err;
}

static int walk_mapping(struct walk *w)
{
    const char *inner;
    int option, err;

    while (!(err = next(w)) && w->event.type != YAML_MAPPING_END_EVENT) {
        err = walk_key(w, NULL, &option, &inner);
        if (!err)
            err = next(w);
        if (!err)
            err = inner ? walk_group(w, inner) : walk_value(w, option);
        if (err)
            return err;
    }
    return err;
}

static int walk_stream(struct walk *w)
{
    struct yaml_place top = {1, 1};
    int err = next(w); /* the stream's start */

    if (!err)
        err = next(w);
    if (!err && w->event.type == YAML_STREAM_END_EVENT)
        return refuse(w, top, "is empty; write one `key: value` a line%s", "");
    if (!err)
        err = next(w); /* after the document's start */
    if (!err && w->event.type != YAML_MAPPING_START_EVENT)
        return refuse(w, place_of(w->event.start_mark), "is no YAML mapping; write one `key: value` a line%s",
                      "");
    if (!err)
        err = walk_mapping(w);
    if (!err)
        err = next(w); /* the document's end */
    if (!err)
        err = next(w);
    if (!err && w->event.type != YAML_STREAM_END_EVENT)
        err = refuse(w, place_of(w->event.start_mark), "begins a second document; write a file for each VM%s",
                     "");
    return err;
}

int yaml_places_find(struct yaml_places *p, const char *text, size_t size, char *why, size_t why_size)
{
    struct walk w = {.p = p, .text = text, .size = size, .why = why, .why_size = why_size};
    int err;

    *p = (struct yaml_places){.wrong = {1, 1}};
    if (!yaml_parser_initialize(&w.parser)) {
        snprintf(why, why_size, "no memory to read it; free some on the host");
        return -ENOMEM;
    }
    yaml_parser_set_input_string(&w.parser, (const unsigned char *)text, size);
    err = walk_stream(&w);
    yaml_event_delete(&w.event);
    yaml_parser_delete(&w.parser);
    return err;
}
