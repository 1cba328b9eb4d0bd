/* Files, streams and the network process of the test platform, all in memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/platform.h"
#include "platform/test/internal.h"
#include "platform/test/test_platform.h"

/* ---- files ---- */

struct memory_file {
    char path[128];
    uint8_t *data;
    size_t size;
    bool read_only, locked, no_punch;
    unsigned readers; /* that hold the lock shared */
    struct memory_file *next;
};

struct plat_file {
    struct memory_file *m;
    unsigned flags;
};

static struct memory_file *files; /* tests make and drop them between runs, not in them */

static struct memory_file *file_find(const char *path)
{
    struct memory_file *m = files;

    while (m && strcmp(m->path, path))
        m = m->next;
    return m;
}

void files_reset(void)
{
    while (files) {
        struct memory_file *next = files->next;

        free(files->data);
        free(files);
        files = next;
    }
}

void test_file(const char *path, const void *data, size_t size, bool read_only)
{
    struct memory_file *m = calloc(1, sizeof(*m));

    snprintf(m->path, sizeof(m->path), "%s", path);
    m->data = calloc(1, size ? size : 1);
    if (data)
        memcpy(m->data, data, size);
    m->size = size;
    m->read_only = read_only;
    m->next = files;
    files = m;
}

void test_file_no_punch(const char *path)
{
    file_find(path)->no_punch = true;
}

const uint8_t *test_file_data(const char *path, size_t *size)
{
    struct memory_file *m = file_find(path);

    if (m && size)
        *size = m->size;
    return m ? m->data : NULL;
}

int plat_file_open(struct plat_file **f, const char *path, unsigned flags)
{
    struct memory_file *m = file_find(path);

    *f = NULL;
    if (request_fails())
        return -EIO;
    if (!m && flags & PLAT_CREATE) {
        test_file(path, NULL, 0, false);
        m = files;
    }
    if (!m)
        return -ENOENT;
    if (flags & PLAT_WRITE && m->read_only)
        return -EACCES;
    if (flags & PLAT_LOCK) {
        if (m->locked || (flags & PLAT_WRITE && m->readers))
            return -EBUSY;
        m->locked = flags & PLAT_WRITE;
        m->readers += !m->locked;
    }
    if (flags & (PLAT_TRUNC | PLAT_REPLACE))
        m->size = 0;
    *f = malloc(sizeof(**f));
    **f = (struct plat_file){m, flags};
    live_add(1);
    return 0;
}

int plat_file_reserve(struct plat_file *f, uint64_t size)
{
    (void)f, (void)size;
    return request_fails() ? -ENOSPC : 0;
}

int plat_file_commit(struct plat_file *f)
{
    (void)f;
    return request_fails() ? -EIO : 0;
}

void plat_file_close(struct plat_file *f)
{
    if (f->flags & PLAT_LOCK && f->flags & PLAT_WRITE)
        f->m->locked = false;
    else if (f->flags & PLAT_LOCK)
        f->m->readers--;
    live_add(-1);
    free(f);
}

int plat_file_size(struct plat_file *f, uint64_t *size)
{
    if (request_fails())
        return -EIO;
    *size = f->m->size;
    return 0;
}

int plat_file_identity(struct plat_file *f, uint64_t id[2])
{
    if (request_fails())
        return -EIO;
    id[0] = 0;
    id[1] = (uintptr_t)f->m;
    return 0;
}

int plat_file_read(struct plat_file *f, uint64_t offset, void *buf, size_t size)
{
    if (request_fails())
        return -EIO;
    if (offset > f->m->size || size > f->m->size - offset)
        return -ENODATA;
    memcpy(buf, f->m->data + offset, size);
    return 0;
}

const void *plat_file_map(struct plat_file *f, uint64_t *sum)
{
    (void)f;
    *sum = 0;
    return NULL;
}

int plat_file_write(struct plat_file *f, uint64_t offset, const void *buf, size_t size)
{
    BUG_ON(!(f->flags & PLAT_WRITE));
    if (request_fails())
        return -EIO;
    if (offset + size > f->m->size) {
        f->m->data = realloc(f->m->data, offset + size);
        memset(f->m->data + f->m->size, 0, offset + size - f->m->size);
        f->m->size = offset + size;
    }
    memcpy(f->m->data + offset, buf, size);
    return 0;
}

int plat_file_sync(struct plat_file *f)
{
    (void)f;
    return request_fails() ? -EIO : 0;
}

int plat_file_punch(struct plat_file *f, uint64_t offset, uint64_t size)
{
    if (request_fails())
        return -EIO;
    if (f->m->no_punch)
        return -ENOTSUP;
    if (offset > f->m->size || size > f->m->size - offset)
        return -EINVAL;
    memset(f->m->data + offset, 0, size);
    return 0;
}

/* ---- streams: whoever holds one feeds it ---- */

struct plat_stream {
    struct plat_stream_cb cb;
    uint8_t out[4096];
    size_t out_len;
    bool paused, typed;
};

static struct plat_stream *stream; /* the last one opened */

int plat_stream_open(struct plat_stream **s, const char *spec, struct plat_stream_cb cb, char *why,
                     size_t why_size)
{
    *s = NULL;
    if (request_fails()) {
        snprintf(why, why_size, "%s: cannot be opened", spec);
        return -EIO;
    }
    *s = calloc(1, sizeof(**s));
    (*s)->cb = cb;
    stream = *s;
    live_add(1);
    return 0;
}

void plat_stream_begin(struct plat_stream *s)
{
    (void)s;
}

size_t plat_stream_write(struct plat_stream *s, const void *data, size_t len)
{
    size_t n = MIN(len, sizeof(s->out) - s->out_len);

    memcpy(s->out + s->out_len, data, n);
    s->out_len += n;
    return len;
}

bool plat_stream_lost(const struct plat_stream *s)
{
    (void)s;
    return false;
}

void plat_stream_pause(struct plat_stream *s, bool paused)
{
    s->paused = paused;
}

bool plat_stream_typed(const struct plat_stream *s)
{
    return s->typed;
}

bool plat_stream_takes_all(const struct plat_stream *s)
{
    (void)s;
    return false;
}

void plat_stream_close(struct plat_stream *s)
{
    live_add(-1);
    free(s);
    stream = NULL;
}

struct plat_stream *test_stream(void)
{
    return stream;
}

void test_stream_type(struct plat_stream *s, bool typed)
{
    s->typed = typed;
}

bool test_stream_paused(const struct plat_stream *s)
{
    return s->paused;
}

void test_stream_input(struct plat_stream *s, const void *data, size_t len)
{
    if (s->cb.input && !s->paused)
        s->cb.input(s->cb.opaque, data, len);
}

size_t test_stream_output(struct plat_stream *s, void *buf, size_t size)
{
    size_t n = MIN(size, s->out_len);

    memcpy(buf, s->out, n);
    s->out_len = 0;
    return n;
}

/* ---- the network process: the test is its other side; it keeps the first frames ---- */

#define KEPT 64

struct plat_netproc {
    struct plat_stream_cb cb;
    char options[512];
    struct {
        size_t len;
        uint8_t data[2048];
    } sent[KEPT];
    unsigned head, count;
};

static struct plat_netproc *netproc; /* the last one started */

int plat_netproc_start(struct plat_netproc **p, const char *options, struct plat_stream_cb cb, char *why,
                       size_t why_size)
{
    *p = NULL;
    if (request_fails()) {
        snprintf(why, why_size, "the network process cannot be started");
        return -EAGAIN;
    }
    *p = calloc(1, sizeof(**p));
    (*p)->cb = cb;
    snprintf((*p)->options, sizeof((*p)->options), "%s", options);
    netproc = *p;
    live_add(1);
    return 0;
}

int plat_netproc_send(struct plat_netproc *p, const void *frame, size_t len)
{
    if (request_fails())
        return -EIO;
    if (p->count == KEPT || len > sizeof(p->sent[0].data))
        return -EAGAIN;
    p->sent[p->count].len = len;
    memcpy(p->sent[p->count++].data, frame, len);
    return 0;
}

void plat_netproc_stop(struct plat_netproc *p)
{
    live_add(-1);
    free(p);
}

const char *test_netproc_options(void)
{
    return netproc->options;
}

void test_netproc_input(const void *frame, size_t len)
{
    netproc->cb.input(netproc->cb.opaque, frame, len);
}

size_t test_netproc_output(void *buf, size_t size)
{
    struct plat_netproc *p = netproc;
    size_t n;

    if (p->head == p->count)
        return 0;
    n = MIN(size, p->sent[p->head].len);
    memcpy(buf, p->sent[p->head++].data, n);
    return n;
}
