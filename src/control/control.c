/* From a line to a command: finding it, its VM, counting its words; and completion. */
#include "control/control.h"
#include "control/internal.h"
#include "control/words.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "lib/str.h"

void control_init(struct control *c, const struct control_ops *ops, void *opaque)
{
    *c = (struct control){.ops = ops, .opaque = opaque};
    plat_lock_init(&c->lock);
}

void control_fini(struct control *c)
{
    plat_lock_fini(&c->lock);
}

int refuse(struct call *k, int err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fmt_vsnprintf(k->why, k->why_size, fmt, ap);
    va_end(ap);
    return err;
}

int not_here(struct call *k, const char *what)
{
    return refuse(k, -ENOTSUP, "%s is not possible in the %s form", what, k->c->ops->form);
}

/* ---- what a command takes ---- */

struct shape {
    unsigned least, most;
    bool vm, vm_optional;
};

/* The next word of `args` and its length; false: there is none. */
static bool next_arg(const char **args, const char **word, size_t *len)
{
    while (**args == ' ')
        (*args)++;
    *word = *args;
    while (**args && **args != ' ')
        (*args)++;
    *len = (size_t)(*args - *word);
    return *len;
}

static struct shape shape_of(const struct command *cmd)
{
    const char *args = cmd->args, *word;
    struct shape s = {0};
    bool optional = false;
    size_t len;

    for (unsigned i = 0; next_arg(&args, &word, &len); i++) {
        bool vm = i == 0 && ((len == 2 && !memcmp(word, "VM", 2)) || (len >= 3 && !memcmp(word, "[VM", 3)));

        optional |= word[0] == '[';
        s.vm |= vm;
        s.vm_optional |= vm && optional;
        if (vm)
            continue;
        s.most++;
        s.least += !optional;
        /* Only a list within one word has its dots inside brackets that begin later. */
        if (len > 3 && !memcmp(word + len - 3, "...", 3))
            s.most = CONTROL_WORDS;
        if (len > 4 && !memcmp(word + len - 4, "...]", 4) && word[0] == '[')
            s.most = CONTROL_WORDS;
    }
    return s;
}

/* ---- VMs ---- */

static bool find_vm(struct call *k, const char *name)
{
    for (unsigned i = 0; k->c->ops->vm_at(k->c->opaque, i, &k->vm); i++) {
        if (!strcmp(k->vm.name, name)) {
            k->vm_index = i;
            return true;
        }
    }
    return false;
}

static bool only_vm(struct call *k)
{
    struct control_vm other;

    k->vm_index = 0;
    return !k->c->ops->vm_at(k->c->opaque, 1, &other) && k->c->ops->vm_at(k->c->opaque, 0, &k->vm);
}

static int unknown_vm(struct call *k, const char *name)
{
    const char *names[64];
    struct control_vm vm;
    char hint[300];
    unsigned n = 0;

    while (n < ARRAY_SIZE(names) && k->c->ops->vm_at(k->c->opaque, n, &vm))
        names[n++] = vm.name;
    if (!n)
        return refuse(k, -ENOENT, "there are no VMs");
    if (!name) {
        fmt_hint(hint, sizeof(hint), "", names, n);
        return refuse(k, -EINVAL, "name a VM; %s", hint);
    }
    fmt_hint(hint, sizeof(hint), name, names, n);
    return refuse(k, -ENOENT, "VM '%s' is unknown; %s", name, hint);
}

/* The first word, or the one VM that there is. */
static int take_vm(struct call *k, const struct shape *s)
{
    if (k->count && find_vm(k, k->word[0])) {
        k->word++;
        k->count--;
        return 0;
    }
    k->vm = (struct control_vm){0};
    if (s->vm_optional && !k->count)
        return 0;
    if (k->count <= s->most && (k->count >= s->least || !k->count) && only_vm(k))
        return 0;
    return unknown_vm(k, k->count ? k->word[0] : NULL);
}

int need_vm(struct call *k)
{
    if (k->vm.vm)
        return 0;
    return refuse(k, -EINVAL, "VM '%s' is not created; `vm create %s` makes it", k->vm.name, k->vm.name);
}

/* ---- finding and running ---- */

static int usage(struct call *k, const struct command *cmd)
{
    return refuse(k, -EINVAL, "usage: %s%s%s%s%s", cmd->group, cmd->name ? " " : "",
                  cmd->name ? cmd->name : "", cmd->args[0] ? " " : "", cmd->args);
}

/* A word that is no command, or no command of its group (`first` given). */
static int unknown(struct call *k, const char *group, const char *word)
{
    const char *names[64];
    char hint[300];
    unsigned n = 0;

    for (const struct command *cmd = commands; cmd->group && n < ARRAY_SIZE(names); cmd++) {
        if (group ? !strcmp(cmd->group, group) : cmd == commands || strcmp(cmd->group, cmd[-1].group))
            names[n++] = group ? cmd->name : cmd->group;
    }
    fmt_hint(hint, sizeof(hint), word ? word : "", names, n);
    if (!word)
        return refuse(k, -EINVAL, "%s: say what to do; %s", group, hint);
    return refuse(k, -EINVAL, "%s%s'%s' is unknown; %s", group ? group : "command", group ? ": " : " ", word,
                  hint);
}

static const struct command *find(struct call *k)
{
    const char *group = NULL;

    for (const struct command *cmd = commands; cmd->group; cmd++) {
        if (strcmp(cmd->group, k->word[0]))
            continue;
        group = cmd->group;
        if (!cmd->name || (k->count > 1 && !strcmp(cmd->name, k->word[1]))) {
            k->word += cmd->name ? 2 : 1;
            k->count -= cmd->name ? 2 : 1;
            return cmd;
        }
    }
    unknown(k, group, group ? (k->count > 1 ? k->word[1] : NULL) : k->word[0]);
    return NULL;
}

static int dispatch(struct call *k)
{
    const struct command *cmd = find(k);
    struct shape s;
    int err = 0;

    if (!cmd)
        return -EINVAL;
    s = shape_of(cmd);
    if (s.vm)
        err = take_vm(k, &s);
    if (err)
        return err;
    if ((!s.vm_optional || k->count) && (k->count < s.least || k->count > s.most))
        return usage(k, cmd);
    return cmd->run(k);
}

/* --jso is a mistake; -1 is not. */
static int take_flags(struct call *k, struct words *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->count; i++) {
        if (!strcmp(w->word[i], "--json"))
            k->out->json = true;
        else if (!strncmp(w->word[i], "--", 2))
            return refuse(k, -EINVAL, "flag '%s' is unknown; known: --json", w->word[i]);
        else
            w->word[n++] = w->word[i];
    }
    w->count = n;
    return 0;
}

int control_run(struct control *c, const char *command, void (*line)(void *opaque, const char *text),
                void *opaque, char *why, size_t why_size)
{
    struct control_out out = {.line = line, .opaque = opaque};
    struct call k = {.c = c, .out = &out, .why = why, .why_size = why_size};
    struct words w;
    int err = words_split(&w, command, false, why, why_size);

    if (!err)
        err = take_flags(&k, &w);
    if (err || !w.count)
        return err;
    k.word = w.word;
    k.count = w.count;
    plat_lock(&c->lock);
    err = dispatch(&k);
    plat_unlock(&c->lock);
    return err;
}

/* ---- completion ---- */

struct completion {
    struct control *c;
    const char *prefix;
    void (*word)(void *opaque, const char *text);
    void *opaque;
};

static void offer(const struct completion *m, const char *text)
{
    if (!strncmp(text, m->prefix, strlen(m->prefix)))
        m->word(m->opaque, text);
}

static void offer_vms(const struct completion *m)
{
    struct control_vm vm;

    for (unsigned i = 0; m->c->ops->vm_at(m->c->opaque, i, &vm); i++)
        offer(m, vm.name);
}

static void offer_devices(const struct completion *m, const struct words *w)
{
    struct control_vm vm;

    for (unsigned i = 0; w->count > 2 && m->c->ops->vm_at(m->c->opaque, i, &vm); i++) {
        if (strcmp(vm.name, w->word[2]) || !vm.vm)
            continue;
        for (const struct device *d = vm.vm->devices; d; d = d->next)
            offer(m, d->id);
    }
}

/* One of a|b|c; those in capitals are no words to type. */
static void offer_choice(const struct completion *m, const char *word, size_t len)
{
    char text[32];

    for (size_t from = 0, i = 0; i <= len; i++) {
        if (i < len && word[i] != '|')
            continue;
        if (i > from && word[from] >= 'a' && word[from] <= 'z' && i - from < sizeof(text)) {
            memcpy(text, word + from, i - from);
            text[i - from] = 0;
            offer(m, text);
        }
        from = i + 1;
    }
}

static void offer_arg(const struct completion *m, const struct command *cmd, unsigned i,
                      const struct words *w)
{
    const char *args = cmd->args, *word;
    size_t len;

    do {
        if (!next_arg(&args, &word, &len))
            return;
    } while (i--);
    if (len >= 2 && !memcmp(word + (word[0] == '['), "VM", 2))
        offer_vms(m);
    else if (!strcmp(cmd->args, "VM DEVICE"))
        offer_devices(m, w);
    else
        offer_choice(m, word, len);
}

static void offer_names(const struct completion *m, const char *group)
{
    for (const struct command *cmd = commands; cmd->group; cmd++) {
        if (group && !strcmp(cmd->group, group) && cmd->name)
            offer(m, cmd->name);
        if (!group && (cmd == commands || strcmp(cmd->group, cmd[-1].group)))
            offer(m, cmd->group);
    }
}

size_t control_complete(struct control *c, const char *line, void (*word)(void *opaque, const char *text),
                        void *opaque)
{
    struct completion m = {.c = c, .prefix = "", .word = word, .opaque = opaque};
    unsigned done;
    struct words w;
    char why[80];

    if (words_split(&w, line, true, why, sizeof(why)))
        return strlen(line);
    done = w.ended ? w.count : w.count - 1;
    m.prefix = w.ended ? "" : w.word[done];
    plat_lock(&c->lock);
    if (!strncmp(m.prefix, "--", 2))
        offer(&m, "--json");
    else if (!done)
        offer_names(&m, NULL);
    else if (done == 1)
        offer_names(&m, w.word[0]);
    for (const struct command *cmd = commands; done && cmd->group; cmd++) {
        unsigned named = cmd->name ? 2 : 1;

        if (done >= named && !strcmp(cmd->group, w.word[0]) && (!cmd->name || !strcmp(cmd->name, w.word[1])))
            offer_arg(&m, cmd, done - named, &w);
    }
    plat_unlock(&c->lock);
    return w.ended ? strlen(line) : w.at[done];
}
