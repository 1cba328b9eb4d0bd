/*
 * What Carbovisor stands on. Each platform folder implements these functions; which one is chosen at
 * link time. Tasks, locks, clock, memory, files. Nothing here knows a guest.
 *
 * Unless said otherwise: int results are 0 or -E..., calls are safe from any task.
 */
#ifndef CV_CORE_PLATFORM_H
#define CV_CORE_PLATFORM_H

#include "lib/base.h"

/* Memory of the monitor itself: zeroed, 16-byte aligned; NULL when there is none. */
void *plat_alloc(size_t size);
void plat_free(void *p);

/* Guest RAM: zeroed, page aligned, populated on touch, named for the host's tools. NULL when refused. */
void *plat_ram_map(uint64_t size, const char *name);
void plat_ram_unmap(void *p, uint64_t size);
/* Gives the pages back to the host; they read as zeros afterwards. */
void plat_ram_discard(void *p, uint64_t size);

/* Generated code: one memory, two mappings, never one that is writable and executable. */
struct plat_code {
    uint8_t *rw;
    const uint8_t *rx;
    size_t size;
    size_t used; /* what plat_code_use() was told: its own */
};
int plat_code_map(struct plat_code *code, size_t size);
/*
 * [offset, offset + size) is about to be used, for the first time perhaps: a host with larger pages takes
 * them, since jumps about in code cost it more than anything else about memory. Call in turn, from low to
 * high.
 */
void plat_code_use(struct plat_code *code, size_t offset, size_t size);
void plat_code_unmap(struct plat_code *code);

/* A lock that may be held while blocking. Storage is the caller's. */
struct plat_lock {
    uint64_t opaque[8];
};
void plat_lock_init(struct plat_lock *l);
void plat_lock_fini(struct plat_lock *l);
void plat_lock(struct plat_lock *l);
void plat_unlock(struct plat_lock *l);

/* An event remembers one wake: a waker sets its condition, then wakes; a sleeper looks again. */
struct plat_event {
    uint64_t opaque[16];
};
#define PLAT_FOREVER UINT64_MAX
void plat_event_init(struct plat_event *e);
void plat_event_fini(struct plat_event *e);
void plat_event_wake(struct plat_event *e);
/* Waits for a wake or until plat_clock_ns() >= deadline; true when woken. */
bool plat_event_wait(struct plat_event *e, uint64_t deadline_ns);

struct plat_task;
int plat_task_start(struct plat_task **task, const char *name, void (*fn)(void *), void *arg);
/* Waits for its end and frees it. */
void plat_task_join(struct plat_task *task);

/*
 * A point where vCPUs meet: a safepoint, a mailbox, a change of code or of what may be written. A build for
 * tests (MODE=delay) dawdles there now and then, by a random time, so that orders are met that are rare
 * otherwise. In any other build there is nothing.
 */
#ifdef CV_DELAYS
void plat_meet(void);
#else
static inline void plat_meet(void)
{
}
#endif

/* Monotonic, and since 1970-01-01 UTC. */
uint64_t plat_clock_ns(void);
uint64_t plat_wall_ns(void);

int plat_random(void *buf, size_t size);

/* The vCPU that the current task runs, or NULL. */
struct vcpu;
struct vcpu *plat_current(void);
void plat_current_set(struct vcpu *v);

/* One whole line, without its newline, to where the monitor's messages go. */
void plat_log_line(const char *line, size_t len);

/* Environment-dependent wish, e.g. for tests: value or NULL. */
const char *plat_getenv(const char *name);

/*
 * Files, and disks of the host. Paths are UTF-8. An open gives -ENOENT, -EACCES ... as the host says, -EISDIR
 * for a directory, -ENODEV for what is neither; -EBUSY where a lock is another's.
 */
struct plat_file;
/* PLAT_REPLACE: a new file, which takes the place of what is at the path by plat_file_commit(), or never. */
enum plat_open {
    PLAT_READ = 1,
    PLAT_WRITE = 2,
    PLAT_CREATE = 4,
    PLAT_LOCK = 8,
    PLAT_TRUNC = 16,
    PLAT_REPLACE = 32
};
int plat_file_open(struct plat_file **f, const char *path, unsigned flags);
void plat_file_close(struct plat_file *f);
int plat_file_size(struct plat_file *f, uint64_t *size);
/* Two open files are the same where both numbers are, whatever their paths. */
int plat_file_identity(struct plat_file *f, uint64_t id[2]);
/* All `size` bytes or an error; a read past the end is -ENODATA. */
int plat_file_read(struct plat_file *f, uint64_t offset, void *buf, size_t size);
/*
 * All bytes of a file that is in memory anyway, until it is closed; NULL: it is not. *sum: what sum64() of
 * them has to be (lib/sum.h), 0: nobody knows.
 */
const void *plat_file_map(struct plat_file *f, uint64_t *sum);
int plat_file_write(struct plat_file *f, uint64_t offset, const void *buf, size_t size);
/* Room for a file of that size before it is written. -ENOSPC, -EFBIG; 0 as well where nobody can tell. */
int plat_file_reserve(struct plat_file *f, uint64_t size);
int plat_file_sync(struct plat_file *f);
int plat_file_commit(struct plat_file *f);
/* Gives the range's storage back to the host; it reads as zeros. -ENOTSUP where the file cannot. */
int plat_file_punch(struct plat_file *f, uint64_t offset, uint64_t size);

/*
 * Byte streams towards the host: the terminal, a pty, a socket, a file, a helper process. The callback
 * runs on the platform's own I/O task whenever bytes can be read (or the stream ended: len 0).
 */
struct plat_stream;
struct plat_stream_cb {
    void (*input)(void *opaque, const uint8_t *data, size_t len);
    void *opaque;
};
/*
 * spec: "stdio", "pty", "file:PATH", "unix:PATH", "none". why gets the reason in words. A file keeps what it
 * has until plat_stream_begin(), and one that was not there goes again by a close before that.
 */
int plat_stream_open(struct plat_stream **s, const char *spec, struct plat_stream_cb cb, char *why,
                     size_t why_size);
/* Something will be written, or at least could be: a file is empty now. */
void plat_stream_begin(struct plat_stream *s);
/*
 * Blocks shortly at most, at a socket not at all: how many bytes are done with, fewer than len where the
 * other side is slow. What nobody takes is done with too; where it should have been taken, a line says so
 * once, and plat_stream_lost() from then on.
 */
size_t plat_stream_write(struct plat_stream *s, const void *data, size_t len);
bool plat_stream_lost(const struct plat_stream *s);
/* Stops and resumes input callbacks (the receiver's buffer is full). Callable from the callback. */
void plat_stream_pause(struct plat_stream *s, bool paused);
/* Someone types there: a terminal, as against a pipe or file that waits without loss. */
bool plat_stream_typed(const struct plat_stream *s);
/* Every write takes all of its bytes: nobody need look. */
bool plat_stream_takes_all(const struct plat_stream *s);
void plat_stream_close(struct plat_stream *s);

/*
 * Datagrams to and from a network helper process (user NAT). Options: "HOST:GUEST,...", TCP ports of
 * 127.0.0.1 to forward, or "". The callback runs on a task of its own, which it may block; len 0: the helper
 * has ended. A frame that the helper does not take in time is dropped (-EAGAIN). A start fails with -ENOTSUP
 * where there is no helper, -EAGAIN where the host has no such port free.
 */
struct plat_netproc;
int plat_netproc_start(struct plat_netproc **p, const char *options, struct plat_stream_cb cb, char *why,
                       size_t why_size);
int plat_netproc_send(struct plat_netproc *p, const void *frame, size_t len);
void plat_netproc_stop(struct plat_netproc *p);

#endif
