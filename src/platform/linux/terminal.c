/* Raw mode and its way back. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "lib/base.h"
#include "platform/linux/terminal.h"

static struct termios saved, mode;
static volatile bool raw, stopping;
static bool registered;

bool terminal_is_raw(void)
{
    return raw;
}

/* In the background it is not ours, and we would be stopped; without a shell it is nobody else's. */
static void set_if_ours(const struct termios *t)
{
    int err = errno;
    pid_t front = tcgetpgrp(STDIN_FILENO);

    if (raw && (front < 0 || front == getpgrp()))
        tcsetattr(STDIN_FILENO, TCSANOW, t);
    errno = err;
}

void terminal_restore(void)
{
    set_if_ours(&saved);
    raw = false;
}

/* After a stop the shell has set the terminal as it likes it. */
static void on_continue(int sig)
{
    (void)sig;
    if (!stopping)
        set_if_ours(&mode);
}

/* Whoever gets the terminal meanwhile finds it as it was. Without a shell the signal does not stop. */
static void on_stop(int sig)
{
    struct sigaction act = {.sa_handler = SIG_DFL}, own;

    stopping = true;
    set_if_ours(&saved);
    sigaction(sig, &act, &own);
    raise(sig);
    sigaction(sig, &own, NULL);
    set_if_ours(&mode); /* only now: the next stop has to come here again */
    stopping = false;
}

/* What ends the process when nobody waits for it: our own faults, abort(), and what is never sent to us. */
static const int crashes[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL, SIGABRT,  SIGTRAP,
                              SIGSYS,  SIGPROF, SIGIO,  SIGPWR, SIGSTKFLT};
static struct sigaction former[_NSIG]; /* by signal; the real-time ones too */

/* Then as it would have been without us: a sanitizer's report, a core file. */
static void on_crash(int sig, siginfo_t *info, void *context)
{
    bool again = sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL;

    (void)context;
    set_if_ours(&saved);
    sigaction(sig, &former[sig], NULL);
    if (!again || info->si_code <= 0) /* else the instruction faults once more */
        raise(sig);
}

static void handlers_set(void)
{
    struct sigaction act = {.sa_handler = on_continue, .sa_flags = SA_RESTART};
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART | SA_NODEFER};
    struct sigaction crash = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaction(SIGCONT, &act, NULL);
    sigaction(SIGTSTP, &stop, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
        sigaction(crashes[i], &crash, &former[crashes[i]]);
    for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
        sigaction(sig, &crash, &former[sig]);
}

void terminal_raw(void)
{
    if (raw || tcgetattr(STDIN_FILENO, &saved))
        return;
    if (!registered) {
        atexit(terminal_restore);
        at_quick_exit(terminal_restore);
        handlers_set();
    }
    registered = true;
    mode = saved;
    cfmakeraw(&mode);
    raw = true;
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}
