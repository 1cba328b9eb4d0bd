/* Around the instructions under test: entries, loading a state, keeping one. Generated code follows `tests`. */
    .section .scratch, "aw", @nobits
    .skip 8192
    .section .record, "aw", @nobits
    .globl record
record:
    .skip 0x4000000
    .section .tests, "awx", @progbits

    .globl _start
_start:
    adr x1, action
    adr x0, on_undefined
    str x0, [x1]
    mov x0, #4 /* SIGILL */
    mov x2, #0
    mov x3, #8
    mov x8, #134 /* rt_sigaction */
    svc #0
    bl tests
    ldr x19, =record
1:  ldr x2, record_end
    subs x2, x2, x19
    b.eq 2f
    mov x0, #1
    mov x1, x19
    mov x8, #64 /* write */
    svc #0
    cmp x0, #0
    b.le 2f
    add x19, x19, x0
    b 1b
2:  mov x0, #0
    mov x8, #93 /* exit */
    svc #0

/* pc stands at 440 in struct ucontext. */
on_undefined:
    ldr x3, [x2, #440]
    add x3, x3, #4
    str x3, [x2, #440]
    ret

    .globl _bare
_bare:
    ldr x1, =loops
    ldr x0, [x1]
    cbz x0, 1f
    sub x0, x0, #1
    str x0, [x1]
    bl tests
    b _bare
1:  svc #0

/* x28: a state. x28, x29 and x30 are the harness's. */
load:
    .irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
    ldr q\n, [x28, #16 * \n]
    .endr
    .irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
    ldr q\n, [x28, #16 * \n]
    .endr
    ldr x0, [x28, #736]
    msr nzcv, x0
    ldr x0, [x28, #744]
    msr fpcr, x0
    msr fpsr, xzr
    add x27, x28, #512
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    ldr x\n, [x27, #8 * \n]
    .endr
    ret

/* A record: q0-q31, x0-x27, NZCV, FPSR, scratch memory: 1008 bytes, at x29. */
save:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    str q\n, [x29, #16 * \n]
    .endr
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    str q\n, [x29, #16 * \n]
    .endr
    str x0, [x29, #512]
    mrs x0, nzcv
    str x0, [x29, #736]
    mrs x0, fpsr
    str x0, [x29, #744]
    ldr x0, [x29, #512]
    msr fpcr, xzr
    add x29, x29, #512
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
    str x\n, [x29, #8 * \n]
    .endr
    add x29, x29, #240
    ldr x28, =SCRATCH
    .irp n, 0, 32, 64, 96, 128, 160, 192, 224
    ldp q0, q1, [x28, #\n]
    stp q0, q1, [x29, #\n]
    .endr
    add x29, x29, #256
    ret

reset:
    ldr x28, =SCRATCH
    ldr x27, =memory
    .irp n, 0, 32, 64, 96, 128, 160, 192, 224
    ldp q0, q1, [x27, #\n]
    stp q0, q1, [x28, #\n]
    .endr
    ret

tests_end:
    ldr x0, =record_end
    str x29, [x0]
    ldr x30, return
    ret
    .ltorg
return:
    .quad 0
    .globl record_end
record_end:
    .quad 0
action: /* struct sigaction: handler, SA_SIGINFO */
    .quad 0, 4, 0, 0

tests:
    ldr x0, =return
    str x30, [x0]
    ldr x29, =record
    bl reset
