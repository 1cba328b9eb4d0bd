/*
 * The front end of the bare form: the board's VMs from the bundle, and a shell on its console. Host command
 * line: console=all shows the guests' consoles live; console=NAME attaches that VM's from the start; uplink=N
 * puts network device N of the board on the switch.
 */
#include "control/editor.h"
#include "app/bare/host.h"
#include "app/bare/mux.h"
#include "lib/fmt.h"
#include "lib/ring.h"
#include "lib/str.h"

#define TYPED 1024

/* Too large for a stack; one per image. */
struct shell {
    struct host host;
    struct control control;
    struct editor editor;
    struct ring typed; /* the input task writes, the shell reads */
    uint8_t typed_bytes[TYPED];
    struct plat_event event;
    _Atomic bool prompting, detached, leaving;
};

/* ---- the console, as the multiplexer sees the shell ---- */

static void shell_input(void *opaque, const uint8_t *data, size_t len)
{
    struct shell *sh = opaque;

    ring_write(&sh->typed, data, len);
    plat_event_wake(&sh->event);
}

static bool shell_unread(void *opaque, uint8_t *byte)
{
    return ring_read(&((struct shell *)opaque)->typed, byte, 1) == 1;
}

static char shell_last(void *opaque)
{
    return ((struct shell *)opaque)->editor.last;
}

static void shell_hide(void *opaque)
{
    struct shell *sh = opaque;

    if (atomic_load(&sh->prompting))
        editor_hide(&sh->editor);
}

static void shell_show(void *opaque)
{
    struct shell *sh = opaque;

    if (atomic_load(&sh->prompting))
        editor_show(&sh->editor);
}

static void shell_detached(void *opaque)
{
    struct shell *sh = opaque;

    atomic_store(&sh->detached, true);
    plat_event_wake(&sh->event);
}

/* ---- lines ---- */

static void editor_put(void *opaque, const char *text, size_t len)
{
    (void)opaque;
    bare_console_write(text, len);
}

static size_t editor_complete(void *opaque, const char *line, void (*word)(void *opaque, const char *text),
                              void *arg)
{
    struct shell *sh = opaque;

    return control_complete(&sh->control, line, word, arg);
}

static void show_line(void *opaque, const char *text)
{
    (void)opaque;
    mux_line(text);
}

static void run_line(struct shell *sh)
{
    char why[400];

    if (control_run(&sh->control, sh->editor.line, show_line, NULL, why, sizeof(why)))
        show_line(NULL, why);
}

static void prompt(struct shell *sh)
{
    if (mux_attached() || atomic_load(&sh->leaving))
        return;
    mux_lock();
    editor_next(&sh->editor);
    atomic_store(&sh->prompting, true);
    mux_unlock();
}

/* What was typed up to the end of a line; true: there is a line. */
static bool take_typed(struct shell *sh)
{
    uint8_t byte;
    bool whole = false;

    while (!whole && ring_read(&sh->typed, &byte, 1)) {
        mux_lock();
        whole = editor_byte(&sh->editor, (char)byte);
        if (whole) /* before somebody draws it anew below its end */
            atomic_store(&sh->prompting, false);
        mux_unlock();
    }
    return whole;
}

static void shell_run(struct shell *sh)
{
    prompt(sh);
    while (!atomic_load(&sh->leaving)) {
        if (atomic_exchange(&sh->detached, false)) {
            mux_line("");
            prompt(sh);
        }
        if (take_typed(sh)) {
            run_line(sh);
            if (!atomic_load(&sh->detached)) /* it gave the console back already */
                prompt(sh);
            continue;
        }
        plat_event_wait(&sh->event, PLAT_FOREVER);
    }
}

static void shell_quit(void *opaque)
{
    struct shell *sh = opaque;

    atomic_store(&sh->leaving, true);
}

/* ---- start ---- */

/* Value of a key ("console=") on the host's command line, or an empty text. */
static void argument(const char *cmdline, const char *key, char *value, size_t size)
{
    size_t n = strlen(key);

    value[0] = 0;
    for (const char *s = cmdline ? cmdline : ""; *s;) {
        size_t len = 0;

        while (s[len] && s[len] != ' ')
            len++;
        if (len > n && !memcmp(s, key, n))
            fmt_snprintf(value, size, "%.*s", (int)(len - n), s + n);
        s += len;
        while (*s == ' ')
            s++;
    }
}

static void attach_wanted(struct shell *sh, const char *name)
{
    for (unsigned i = 0; i < sh->host.count; i++) {
        if (!strcmp(sh->host.vms[i].desc.name, name))
            mux_attach(name);
    }
}

void app_main(const struct bare_boot *boot)
{
    struct shell *sh = plat_alloc(sizeof(*sh));
    struct mux_shell hooks = {shell_input, shell_unread,   shell_last, shell_hide,
                              shell_show,  shell_detached, sh};
    struct editor_ops ops = {editor_put, editor_complete, sh};
    char console[64], uplink[8];
    uint64_t nic;

    if (!sh) {
        plat_log_line("no memory for the shell", 23);
        return;
    }
    argument(boot->cmdline, "console=", console, sizeof(console));
    argument(boot->cmdline, "uplink=", uplink, sizeof(uplink));
    ring_init(&sh->typed, sh->typed_bytes, TYPED);
    plat_event_init(&sh->event);
    editor_init(&sh->editor, &ops, "carbovisor> ");
    control_init(&sh->control, &host_control, &sh->host);
    sh->host.quit = shell_quit;
    sh->host.opaque = sh;
    mux_start(&hooks, !strcmp(console, "all"));
    host_init(&sh->host, boot);
    if (uplink[0] && !fmt_parse_u64(uplink, &nic))
        host_uplink(&sh->host, (unsigned)nic);
    host_autostart(&sh->host);
    attach_wanted(sh, console);
    shell_run(sh);
    host_fini(&sh->host);
}
