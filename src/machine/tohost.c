/*
 * tohost: bit 0 set ends the VM with status value >> 1; device 1, command 1 in the top bytes prints the
 * low byte. Both are acknowledged: tohost becomes 0, and a command is echoed in fromhost.
 */
#include "machine/tohost.h"
#include "lib/str.h"

#define HTIF_CONSOLE_PUT UINT64_C(0x0101)

static uint64_t word_get(struct vm *vm, gpa_t gpa)
{
    uint64_t v = 0;

    mem_read(&vm->mem, gpa, &v, sizeof(v));
    return v;
}

/* Not mem_write(), which would come back here. */
static void word_set(struct vm *vm, gpa_t gpa, uint64_t value)
{
    void *p = gpa ? mem_ptr(&vm->mem, gpa, sizeof(value), true) : NULL;

    if (p)
        memcpy(p, &value, sizeof(value));
}

static void tohost_written(struct vm *vm, gpa_t gpa, uint64_t len)
{
    struct tohost *t = vm->machine;
    uint64_t value;

    if (gpa >= t->tohost + 8 || gpa + len <= t->tohost)
        return;
    value = word_get(vm, t->tohost);
    if (!value)
        return;
    /* A byte to print may be odd: the device number comes first. */
    if ((value & 1) && value >> 56 != HTIF_CONSOLE_PUT >> 8) {
        vm_system(vm, value >> 1 ? SYSTEM_STATUS : SYSTEM_POWEROFF, (unsigned)MIN(value >> 1, (uint64_t)63),
                  "tohost");
        return;
    }
    if (value >> 48 == HTIF_CONSOLE_PUT && t->console) {
        uint8_t byte = (uint8_t)value;

        t->console->ops->write(t->console, &byte, 1);
    }
    word_set(vm, t->tohost, 0);
    word_set(vm, t->fromhost, value & ~UINT64_C(0xff));
}

void tohost_watch(struct vm *vm, struct tohost *t)
{
    if (!t->tohost)
        return;
    vm->watch = tohost_written;
    mem_page_mark(&vm->mem, t->tohost, MEM_PAGE_WATCH, 0);
}
