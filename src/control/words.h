/* A command line as words. */
#ifndef CV_CONTROL_WORDS_H
#define CV_CONTROL_WORDS_H

#include "control/control.h"

struct words {
    char text[CONTROL_LINE];
    char *word[CONTROL_WORDS];
    size_t at[CONTROL_WORDS]; /* where each begins in the line */
    unsigned count;
    bool ended; /* the last word is finished: a blank follows */
};

/* -EINVAL with the reason in why: too long, too many, a quote without its end (unless it is `unfinished`). */
int words_split(struct words *w, const char *line, bool unfinished, char *why, size_t why_size);

#endif
