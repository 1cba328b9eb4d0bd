/* Line editing by the escape sequences of ECMA-48 that every terminal has. */
#include "control/editor.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define CTRL(c)      ((c) - 'a' + 1)
#define ESC          27
#define DEL          127
#define SEQUENCE_MAX 32u /* what is longer is none */

static void put(struct editor *e, const char *text)
{
    e->ops.put(e->ops.opaque, text, strlen(text));
}

void editor_hide(struct editor *e)
{
    put(e, "\r\033[K");
}

void editor_show(struct editor *e)
{
    char back[16];

    put(e, "\r\033[K");
    put(e, e->prompt);
    e->ops.put(e->ops.opaque, e->line, e->len);
    if (e->at == e->len)
        return;
    fmt_snprintf(back, sizeof(back), "\033[%uD", e->len - e->at);
    put(e, back);
}

void editor_init(struct editor *e, const struct editor_ops *ops, const char *prompt)
{
    *e = (struct editor){.ops = *ops, .prompt = prompt};
}

void editor_next(struct editor *e)
{
    e->len = e->at = 0;
    e->line[0] = 0;
    e->ready = false;
    e->history_at = e->history_count;
    editor_show(e);
}

/* ---- changing the line ---- */

static void insert(struct editor *e, const char *text, size_t n)
{
    n = MIN(n, sizeof(e->line) - 1 - e->len);
    memmove(e->line + e->at + n, e->line + e->at, e->len - e->at + 1);
    memcpy(e->line + e->at, text, n);
    e->at += (unsigned)n;
    e->len += (unsigned)n;
}

static void erase(struct editor *e, unsigned from, unsigned to)
{
    memmove(e->line + from, e->line + to, e->len - to + 1);
    e->len -= to - from;
    e->at = from;
}

static void erase_word(struct editor *e)
{
    unsigned from = e->at;

    while (from && e->line[from - 1] == ' ')
        from--;
    while (from && e->line[from - 1] != ' ')
        from--;
    erase(e, from, e->at);
}

/* ---- history ---- */

static void take(struct editor *e, const char *text)
{
    fmt_snprintf(e->line, sizeof(e->line), "%s", text);
    e->len = e->at = (unsigned)strlen(e->line);
}

static void history_go(struct editor *e, int step)
{
    unsigned oldest = e->history_count > EDITOR_HISTORY ? e->history_count - EDITOR_HISTORY : 0;

    if ((step < 0 && e->history_at == oldest) || (step > 0 && e->history_at == e->history_count))
        return;
    if (e->history_at == e->history_count)
        memcpy(e->saved, e->line, sizeof(e->saved));
    e->history_at += (unsigned)step;
    take(e, e->history_at == e->history_count ? e->saved : e->history[e->history_at % EDITOR_HISTORY]);
}

static void history_add(struct editor *e)
{
    if (!e->len ||
        (e->history_count && !strcmp(e->history[(e->history_count - 1) % EDITOR_HISTORY], e->line)))
        return;
    memcpy(e->history[e->history_count++ % EDITOR_HISTORY], e->line, sizeof(e->line));
}

/* ---- completion ---- */

struct candidates {
    struct editor *e;
    char common[64];
    unsigned count;
    bool show;
};

static void candidate(void *opaque, const char *text)
{
    struct candidates *c = opaque;
    size_t n = 0;

    if (c->show) {
        put(c->e, text);
        put(c->e, "  ");
        return;
    }
    if (!c->count++) {
        fmt_snprintf(c->common, sizeof(c->common), "%s", text);
        return;
    }
    while (c->common[n] && c->common[n] == text[n])
        n++;
    c->common[n] = 0;
}

/* Only what stands before the cursor counts. */
static void complete(struct editor *e)
{
    struct candidates c = {.e = e};
    char before[EDITOR_LINE];
    size_t word;

    memcpy(before, e->line, e->at);
    before[e->at] = 0;
    word = e->ops.complete(e->ops.opaque, before, candidate, &c);
    if (!c.count)
        return;
    if (strlen(c.common) > e->at - word) {
        insert(e, c.common + (e->at - word), strlen(c.common) - (e->at - word));
    } else if (c.count > 1) {
        c.show = true;
        put(e, "\r\n");
        e->ops.complete(e->ops.opaque, before, candidate, &c);
        put(e, "\r\n");
    }
    if (c.count == 1)
        insert(e, " ", 1);
}

/* ---- keys ---- */

static void cursor_key(struct editor *e, char byte)
{
    switch (byte) {
    case CTRL('a'):
        e->at = 0;
        break;
    case CTRL('e'):
        e->at = e->len;
        break;
    case CTRL('b'):
        e->at -= e->at > 0;
        break;
    case CTRL('f'):
        e->at += e->at < e->len;
        break;
    case CTRL('p'):
        history_go(e, -1);
        break;
    case CTRL('n'):
        history_go(e, 1);
        break;
    default:
        break;
    }
}

static void edit_key(struct editor *e, char byte)
{
    switch (byte) {
    case DEL:
    case CTRL('h'):
        if (e->at)
            erase(e, e->at - 1, e->at);
        break;
    case CTRL('d'):
        if (e->at < e->len)
            erase(e, e->at, e->at + 1);
        break;
    case CTRL('k'):
        erase(e, e->at, e->len);
        break;
    case CTRL('u'):
        erase(e, 0, e->at);
        break;
    case CTRL('w'):
        erase_word(e);
        break;
    case CTRL('c'):
        put(e, "^C\r\n");
        erase(e, 0, e->len);
        break;
    case CTRL('l'):
        put(e, "\033[H\033[2J");
        break;
    default:
        cursor_key(e, byte);
    }
}

static void key_sequence(struct editor *e)
{
    static const struct {
        const char *sequence;
        char key;
    } keys[] = {{"[A", CTRL('p')},  {"[B", CTRL('n')},  {"[C", CTRL('f')}, {"[D", CTRL('b')},
                {"[H", CTRL('a')},  {"[F", CTRL('e')},  {"OH", CTRL('a')}, {"OF", CTRL('e')},
                {"[1~", CTRL('a')}, {"[4~", CTRL('e')}, {"[3~", CTRL('d')}};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!strcmp(e->sequence, keys[i].sequence))
            edit_key(e, keys[i].key);
    }
    e->escape = 0;
}

/* A byte of a key's sequence; it ends with a letter or ~. */
static void escape_byte(struct editor *e, char byte)
{
    if (e->escape - 1 < sizeof(e->sequence) - 1) {
        e->sequence[e->escape - 1] = byte;
        e->sequence[e->escape] = 0;
    }
    e->escape++;
    if (e->escape == 2 && (byte == '[' || byte == 'O'))
        return;
    if (e->escape == 2 || byte == '~' || byte >= 'A' || e->escape > SEQUENCE_MAX)
        key_sequence(e);
}

bool editor_byte(struct editor *e, char byte)
{
    bool second = byte == '\n' && e->last == '\r';

    e->last = byte;
    if (second)
        return false;
    if (e->escape) {
        escape_byte(e, byte);
    } else if (byte == '\r' || byte == '\n') {
        put(e, "\r\n");
        history_add(e);
        e->ready = true;
        return true;
    } else if (byte == ESC) {
        e->escape = 1;
    } else if (byte == '\t') {
        complete(e);
    } else if ((unsigned char)byte >= ' ' && byte != DEL) {
        insert(e, &byte, 1);
        if (e->at == e->len) { /* nothing behind it to move */
            e->ops.put(e->ops.opaque, &byte, 1);
            return false;
        }
    } else {
        edit_key(e, byte);
    }
    if (!e->escape)
        editor_show(e);
    return false;
}
