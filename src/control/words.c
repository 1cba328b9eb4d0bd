/* Splitting at blanks; '...' as it is, "..." with backslashes. */
#include "control/words.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

struct scan {
    const char *line;
    size_t at;
    char *to;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What stands between quotes; false: no end. */
static bool quoted(struct scan *s, char quote)
{
    for (; s->line[s->at]; s->at++) {
        char c = s->line[s->at];

        if (c == quote) {
            s->at++;
            return true;
        }
        if (quote == '"' && c == '\\' && s->line[s->at + 1])
            c = s->line[++s->at];
        *s->to++ = c;
    }
    return false;
}

/* One word, which may have quoted parts. */
static bool word(struct scan *s)
{
    bool whole = true;

    while (whole && s->line[s->at] && !blank(s->line[s->at])) {
        char c = s->line[s->at++];

        if (c == '"' || c == '\'')
            whole = quoted(s, c);
        else if (c == '\\' && s->line[s->at])
            *s->to++ = s->line[s->at++];
        else
            *s->to++ = c;
    }
    *s->to++ = 0;
    return whole;
}

int words_split(struct words *w, const char *line, bool unfinished, char *why, size_t why_size)
{
    struct scan s = {.line = line, .to = w->text};

    w->count = 0;
    w->ended = true;
    if (strlen(line) >= sizeof(w->text)) {
        fmt_snprintf(why, why_size, "the command is too long; at most %u bytes are possible",
                     CONTROL_LINE - 1);
        return -EINVAL;
    }
    for (;;) {
        while (blank(line[s.at]))
            s.at++;
        if (!line[s.at])
            return 0;
        if (w->count == CONTROL_WORDS) {
            fmt_snprintf(why, why_size, "the command has too many words; at most %u are possible",
                         CONTROL_WORDS);
            return -EINVAL;
        }
        w->at[w->count] = s.at;
        w->word[w->count++] = s.to;
        if (!word(&s) && !unfinished) {
            fmt_snprintf(why, why_size, "a quote has no end; add one");
            return -EINVAL;
        }
        w->ended = line[s.at];
    }
}
