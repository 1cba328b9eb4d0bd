/*
 * One line being typed on a terminal: cursor keys, Home and End, the usual Ctrl keys, history, completion. It
 * knows no terminal: bytes go in, what is to be shown comes out by put().
 */
#ifndef CV_CONTROL_EDITOR_H
#define CV_CONTROL_EDITOR_H

#include "lib/base.h"

#define EDITOR_LINE    512
#define EDITOR_HISTORY 32

struct editor_ops {
    void (*put)(void *opaque, const char *text, size_t len);
    /* What the last word of the line may become, one call of word() each; where that word begins. */
    size_t (*complete)(void *opaque, const char *line, void (*word)(void *opaque, const char *text),
                       void *arg);
    void *opaque;
};

struct editor {
    struct editor_ops ops;
    const char *prompt;
    char line[EDITOR_LINE];
    unsigned len, at;
    char history[EDITOR_HISTORY][EDITOR_LINE]; /* a ring; history_count runs freely */
    unsigned history_count, history_at;
    char saved[EDITOR_LINE]; /* the new line, while an old one is shown */
    unsigned escape;         /* of a key's sequence: bytes so far */
    char sequence[8];
    char last;  /* byte, so that \r\n is one end */
    bool ready; /* a line is finished */
};

void editor_init(struct editor *e, const struct editor_ops *ops, const char *prompt);
/* One byte typed; true: e->line is a whole line, and editor_next() begins the next. */
bool editor_byte(struct editor *e, char byte);
/* An empty line, with its prompt. */
void editor_next(struct editor *e);
/* Takes prompt and line from the terminal, and draws them again, so that something can stand above. */
void editor_hide(struct editor *e);
void editor_show(struct editor *e);

#endif
