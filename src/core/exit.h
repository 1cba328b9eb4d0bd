/*
 * Why a vCPU left its engine, as a small tagged union, and the one function that resolves every exit.
 */
#ifndef CV_CORE_EXIT_H
#define CV_CORE_EXIT_H

#include "lib/base.h"

struct vcpu;

enum exit_kind {
    EXIT_NONE, /* budget used up or a request is waiting: look at both and go on */
    EXIT_MMIO, /* a bus access */
    EXIT_PIO,
    EXIT_HYPERCALL, /* number and arguments in the vCPU's registers */
    EXIT_INTERRUPT, /* external interrupt for the monitor itself */
    EXIT_HALT,      /* WFI, HLT */
    EXIT_KICK,
    EXIT_CPU_ON,
    EXIT_CPU_OFF,
    EXIT_SYSTEM, /* power off, reset, crash, guest's own exit status */
    EXIT_DEBUG,
    EXIT_ISA, /* raw syndrome, the guest folder decodes it */
    EXIT_ENTRY_FAILED,
    EXIT_FATAL, /* no way to go on; reason in words */
    EXIT_KINDS
};

enum exit_system { SYSTEM_POWEROFF, SYSTEM_RESET, SYSTEM_CRASH, SYSTEM_STATUS };

struct exit {
    enum exit_kind kind;
    union {
        struct {
            gpa_t gpa;
            uint64_t value; /* written, or filled in by the handler */
            uint8_t size;   /* 1 2 4 8 */
            bool write;
        } mmio; /* PIO too */
        struct {
            enum exit_system what;
            unsigned status; /* SYSTEM_STATUS: 0..63 */
        } system;
        struct {
            unsigned cpu;
            uint64_t entry, arg;
        } cpu_on;
        struct {
            uint64_t syndrome, info;
        } isa;
        const char *fatal;
    };
};

enum exit_action {
    EXIT_HANDLED, /* go on */
    EXIT_BLOCK,   /* nothing to do until a wake */
    EXIT_STOP     /* this vCPU runs no more: the VM stops, or the vCPU went off */
};

enum exit_action exit_handle(struct vcpu *v, struct exit *e);

extern const char *const exit_names[EXIT_KINDS];

#endif
