/* The verb `ctl`: one command to the monitor of a running VM, over its socket (api/monitor.h has the
 * protocol). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "app/carbovisor/app.h"

#define COMMAND_MAX    1000
#define ANSWER_SECONDS 10 /* one client is served at a time */

static void no_answer(void)
{
    complain("ctl: no answer in %d s; end the client that has the monitor, or try again", ANSWER_SECONDS);
}

static int dial(const char *path)
{
    const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        complain("ctl: %.200s: the path is too long; name a shorter one", path);
        return -1;
    }
    memcpy(addr.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* of connect() too */
    }
    if (fd >= 0 && !connect(fd, (const struct sockaddr *)&addr, sizeof(addr)))
        return fd;
    if (fd >= 0 && errno == EAGAIN)
        no_answer();
    else
        complain("ctl: %s: no monitor answers there (%s); start the VM with --monitor unix:%s", path,
                 strerror(errno), path);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A word as the monitor reads it back: quoted, with backslashes. */
static size_t add_word(char *line, size_t at, const char *word)
{
    at += (size_t)snprintf(line + at, COMMAND_MAX - at, "%s\"", at ? " " : "");
    for (; *word && at < COMMAND_MAX - 4; word++) {
        if (*word == '"' || *word == '\\')
            line[at++] = '\\';
        line[at++] = (char)(*word == '\n' ? ' ' : *word);
    }
    line[at++] = '"';
    line[at] = 0;
    return *word ? COMMAND_MAX : at;
}

static int build(char *line, int argc, char **argv)
{
    size_t at = 0;

    for (int i = 0; i < argc; i++) {
        if (at + strlen(argv[i]) + 8 >= COMMAND_MAX || (at = add_word(line, at, argv[i])) >= COMMAND_MAX) {
            complain("ctl: the command is too long; at most %d bytes are possible", COMMAND_MAX - 1);
            return STATUS_USAGE;
        }
    }
    line[at++] = '\n';
    line[at] = 0;
    return 0;
}

/* What a line of the answer says; -1: it is not the last. */
static int show_line(const char *path, const char *line)
{
    if (line[0] == '+') {
        puts(line + 1);
        return -1;
    }
    if (line[0] == '-') {
        complain("%s", line + 1);
        return STATUS_CONFIG;
    }
    if (!strcmp(line, "."))
        return 0;
    complain("ctl: %s: what answers there is no monitor; name the socket of a VM's --monitor", path);
    return STATUS_HOST;
}

/* Prints what comes, until the line that ends it. */
static int show_answer(const char *path, FILE *f)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int status = -1;

    while (status < 0 && (n = getline(&line, &room, f)) > 0) {
        line[n - (line[n - 1] == '\n')] = 0;
        status = show_line(path, line);
    }
    if (status >= 0) {
        free(line);
        return status;
    }
    if (ferror(f) && errno == EAGAIN)
        no_answer();
    else
        complain("ctl: the VM ended before it answered");
    free(line);
    return STATUS_HOST;
}

int verb_ctl(int argc, char **argv)
{
    char line[COMMAND_MAX + 8];
    FILE *f;
    int fd, status;

    if (argc < 2) {
        complain("ctl takes a SOCKET and a COMMAND, such as vm list; see carbovisor ctl --help");
        return STATUS_USAGE;
    }
    status = build(line, argc - 1, argv + 1);
    if (status)
        return status;
    fd = dial(argv[0]);
    if (fd < 0)
        return STATUS_HOST;
    f = fdopen(fd, "r");
    if (!f || send(fd, line, strlen(line), MSG_NOSIGNAL) != (ssize_t)strlen(line)) {
        complain("ctl: %s: the monitor does not listen; try again", argv[0]);
        status = STATUS_HOST;
    } else {
        status = show_answer(argv[0], f);
    }
    if (f)
        fclose(f);
    else
        close(fd);
    return status;
}
