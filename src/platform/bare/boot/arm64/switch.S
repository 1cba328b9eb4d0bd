/* A task's registers that a call keeps stand on its own stack; struct arch_context is its stack pointer. */
#include "platform/bare/boot/arm64/pairs.inc"

    .text
    .global arch_switch
arch_switch:
    push_kept
    mov x2, sp
    str x2, [x0]
    ldr x2, [x1]
    mov sp, x2
    pop_kept
    ret

/* A new context: x19 is fn, x20 its argument. */
    .global context_begin
context_begin:
    mov x0, x20
    blr x19
    brk #1
