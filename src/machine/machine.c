/* Finding machines, and their options. */
#include "machine/machine.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

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

static size_t name_length(const char *word, size_t len)
{
    size_t n = 0;

    while (n < len && word[n] != '=')
        n++;
    return n;
}

/* Whether there is an option of that name, with another value. */
static bool name_known(const char *word, size_t len, const char *const *known)
{
    size_t n = name_length(word, len);

    for (; n < len && *known; known++) {
        if (!strncmp(*known, word, n + 1))
            return true;
    }
    return false;
}

static bool option_known(const char *word, size_t len, const char *const *known)
{
    for (; *known; known++) {
        size_t n = strlen(*known);

        if ((*known)[n - 1] == '=' ? len > n && !memcmp(word, *known, n)
                                   : len == n && !memcmp(word, *known, n))
            return true;
    }
    return false;
}

static int refuse_unknown(const char *machine, const char *word, size_t len, const char *const *known,
                          char *why, size_t why_size)
{
    char list[120] = "";

    for (size_t i = 0; known[i]; i++)
        fmt_snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s%s",
                     !i             ? ""
                     : known[i + 1] ? ", "
                                    : " and ",
                     known[i], known[i][strlen(known[i]) - 1] == '=' ? "FILE" : "");
    fmt_snprintf(why, why_size, "machine: %s has no option '%.*s'; known are %s", machine, (int)len, word,
                 list);
    return name_known(word, len, known) ? -ERANGE : -EINVAL;
}

/* Whether an option before `word` has the name that word has, its first n letters. */
static bool given_before(const char *options, const char *word, size_t n)
{
    while (options < word) {
        if (!strncmp(options, word, n) && options[n] == '=')
            return true;
        options = strchr(options, ',') + 1;
    }
    return false;
}

int machine_options_check(const char *machine, const char *options, const char *const *known, char *why,
                          size_t why_size)
{
    for (const char *word = options; word;) {
        const char *end = strchr(word, ',');
        size_t len = end ? (size_t)(end - word) : strlen(word), name = name_length(word, len);

        if (!len) {
            fmt_snprintf(why, why_size,
                         "machine: an option is missing after a comma; write one, or no comma");
            return -EINVAL;
        }
        if (!option_known(word, len, known))
            return refuse_unknown(machine, word, len, known, why, why_size);
        if (given_before(options, word, name)) {
            fmt_snprintf(why, why_size, "machine: '%.*s' is given twice; leave one out", (int)name, word);
            return -EINVAL;
        }
        word = end ? end + 1 : NULL;
    }
    return 0;
}
