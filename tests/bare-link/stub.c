/*
 * The least platform that the bare form's parts link against: nothing works, everything halts. It shows
 * that they need no C library and nothing but core/platform.h.
 */
#include "core/platform.h"
#include "guest/riscv64/guest.h"
#include "lib/err.h"
#include "lib/str.h"
#include "machine/machine.h"

NORETURN static void halt(void)
{
    for (;;)
        ;
}

NORETURN void bug_stop(const char *file, int line, const char *what)
{
    (void)file;
    (void)line;
    (void)what;
    halt();
}

void *plat_alloc(size_t size)
{
    (void)size;
    return NULL;
}

void plat_free(void *p)
{
    (void)p;
}

void *plat_ram_map(uint64_t size, const char *name)
{
    (void)size;
    (void)name;
    return NULL;
}

void plat_ram_unmap(void *p, uint64_t size)
{
    (void)p;
    (void)size;
}

void plat_ram_discard(void *p, uint64_t size)
{
    (void)p;
    (void)size;
}

int plat_code_map(struct plat_code *code, size_t size)
{
    (void)code;
    (void)size;
    return -ENOTSUP;
}

void plat_code_unmap(struct plat_code *code)
{
    (void)code;
}

void plat_lock_init(struct plat_lock *l)
{
    (void)l;
}

void plat_lock_fini(struct plat_lock *l)
{
    (void)l;
}

void plat_lock(struct plat_lock *l)
{
    (void)l;
}

void plat_unlock(struct plat_lock *l)
{
    (void)l;
}

void plat_event_init(struct plat_event *e)
{
    (void)e;
}

void plat_event_fini(struct plat_event *e)
{
    (void)e;
}

void plat_event_wake(struct plat_event *e)
{
    (void)e;
}

bool plat_event_wait(struct plat_event *e, uint64_t deadline_ns)
{
    (void)e;
    (void)deadline_ns;
    halt();
}

int plat_task_start(struct plat_task **task, const char *name, void (*fn)(void *), void *arg)
{
    (void)task;
    (void)name;
    (void)fn;
    (void)arg;
    return -ENOTSUP;
}

void plat_task_join(struct plat_task *task)
{
    (void)task;
}

uint64_t plat_clock_ns(void)
{
    return 0;
}

uint64_t plat_wall_ns(void)
{
    return 0;
}

int plat_random(void *buf, size_t size)
{
    (void)buf;
    (void)size;
    return -ENOTSUP;
}

struct vcpu *plat_current(void)
{
    return NULL;
}

void plat_current_set(struct vcpu *v)
{
    (void)v;
}

void plat_log_line(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

const char *plat_getenv(const char *name)
{
    (void)name;
    return NULL;
}

int plat_file_open(struct plat_file **f, const char *path, unsigned flags)
{
    (void)f;
    (void)path;
    (void)flags;
    return -ENOENT;
}

void plat_file_close(struct plat_file *f)
{
    (void)f;
}

int plat_file_size(struct plat_file *f, uint64_t *size)
{
    (void)f;
    (void)size;
    return -ENOTSUP;
}

int plat_file_read(struct plat_file *f, uint64_t offset, void *buf, size_t size)
{
    (void)f;
    (void)offset;
    (void)buf;
    (void)size;
    return -ENOTSUP;
}

const void *plat_file_map(struct plat_file *f, uint64_t *sum)
{
    (void)f;
    *sum = 0;
    return NULL;
}

void start(void);

/* Where the image would begin: it refers to what an image is made of. */
void start(void)
{
    char why[80];

    for (unsigned i = 0; machines[i]; i++) {
        struct vm_desc desc = {.smp = 1, .machine = machines[i]->name, .guest_arch = guest_riscv64.name};

        if (machines[i]->check(&desc, why, sizeof(why)))
            plat_log_line(why, strlen(why));
    }
    halt();
}
