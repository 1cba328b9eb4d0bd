/* Raw mode and its way back. */
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "platform/linux/terminal.h"

static struct termios saved, mode;
static volatile bool raw;
static bool registered;

bool terminal_is_raw(void)
{
    return raw;
}

void terminal_restore(void)
{
    if (!raw)
        return;
    raw = false;
    tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/* After a stop the shell has set the terminal as it likes it. In the background it is not ours. */
static void on_continue(int sig)
{
    (void)sig;
    if (raw && tcgetpgrp(STDIN_FILENO) == getpgrp())
        tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

void terminal_raw(void)
{
    struct sigaction act = {.sa_handler = on_continue, .sa_flags = SA_RESTART};

    if (raw || tcgetattr(STDIN_FILENO, &saved))
        return;
    if (!registered) {
        atexit(terminal_restore);
        sigaction(SIGCONT, &act, NULL);
    }
    registered = true;
    mode = saved;
    cfmakeraw(&mode);
    raw = true;
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}
