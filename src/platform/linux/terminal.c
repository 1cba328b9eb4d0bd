/* Raw mode and its way back. */
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "platform/linux/terminal.h"

static struct termios saved;
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

void terminal_raw(void)
{
    struct termios t;

    if (raw || tcgetattr(STDIN_FILENO, &saved))
        return;
    if (!registered)
        atexit(terminal_restore);
    registered = true;
    t = saved;
    cfmakeraw(&t);
    raw = true;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
}
