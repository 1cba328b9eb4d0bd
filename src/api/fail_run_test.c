/*
 * A VM that runs, by failing each request in turn: memory, files, tasks, the network process. Its guest
 * program drives every virtio block and network device; whatever fails, it comes to its end, or the VM says
 * why not, and nothing is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <carbovisor/carbovisor.h>
#include "lib/err.h"
#include "platform/test/test_platform.h"

/*
 * For each of 8 virtio-mmio slots: of a network device, a buffer to receive into and a frame of 60 bytes
 * sent; of a disk, a block read from or written to it. Answers are waited for, but not for ever. Then power
 * off.
 */
static const uint32_t program[] = {
    // clang-format off
    /* _start: */
    0x00000297, /* auipc t0, 0x0 */
    0x04428293, /* add t0, t0, 68 */
    0x30529073, /* csrw mtvec, t0 */
    0x10001437, /* lui s0, 0x10001 */
    0x00800493, /* li s1, 8 */
    0x00001937, /* lui s2, 0x1 */
    0x8019091b, /* addw s2, s2, -2047 */
    0x01491913, /* sll s2, s2, 0x14 */
    /* slot: */
    0x00842283, /* lw t0, 8(s0) */
    0x00100313, /* li t1, 1 */
    0x0c628863, /* beq t0, t1, net */
    0x00200313, /* li t1, 2 */
    0x14628063, /* beq t0, t1, blk */
    /* next: */
    0x000012b7, /* lui t0, 0x1 */
    0x00540433, /* add s0, s0, t0 */
    0xfff48493, /* add s1, s1, -1 */
    0xfe0490e3, /* bnez s1, slot */
    /* off: */
    0x001002b7, /* lui t0, 0x100 */
    0x00005337, /* lui t1, 0x5 */
    0x5553031b, /* addw t1, t1, 1365 */
    0x0062a023, /* sw t1, 0(t0) */
    0x10500073, /* wfi */
    0xffdff06f, /* j off+0x10 */
    /* init: */
    0x06042823, /* sw zero, 112(s0) */
    0x00300293, /* li t0, 3 */
    0x06542823, /* sw t0, 112(s0) */
    0x00100293, /* li t0, 1 */
    0x02542223, /* sw t0, 36(s0) */
    0x02542023, /* sw t0, 32(s0) */
    0x02042223, /* sw zero, 36(s0) */
    0x02042023, /* sw zero, 32(s0) */
    0x00b00293, /* li t0, 11 */
    0x06542823, /* sw t0, 112(s0) */
    0x00008067, /* ret */
    /* queue: */
    0x02b42823, /* sw a1, 48(s0) */
    0x00800293, /* li t0, 8 */
    0x02542c23, /* sw t0, 56(s0) */
    0x09242023, /* sw s2, 128(s0) */
    0x08042223, /* sw zero, 132(s0) */
    0x10090293, /* add t0, s2, 256 */
    0x08542823, /* sw t0, 144(s0) */
    0x08042a23, /* sw zero, 148(s0) */
    0x20090293, /* add t0, s2, 512 */
    0x0a542023, /* sw t0, 160(s0) */
    0x0a042223, /* sw zero, 164(s0) */
    0x00100293, /* li t0, 1 */
    0x04542223, /* sw t0, 68(s0) */
    0x00008067, /* ret */
    /* send: */
    0x00100293, /* li t0, 1 */
    0x10591123, /* sh t0, 258(s2) */
    0x0ff0000f, /* fence */
    0x04b42823, /* sw a1, 80(s0) */
    0x00090393, /* mv t2, s2 */
    /* wait: */
    0x0007a337, /* lui t1, 0x7a */
    0x1203031b, /* addw t1, t1, 288 */
    0x2023d283, /* lhu t0, 514(t2) */
    0x00029663, /* bnez t0, wait+0x18 */
    0xfff30313, /* add t1, t1, -1 */
    0xfe031ae3, /* bnez t1, wait+0x8 */
    0x06042283, /* lw t0, 96(s0) */
    0x06542223, /* sw t0, 100(s0) */
    0x00008067, /* ret */
    /* net: */
    0xf65ff0ef, /* jal init */
    0x00000593, /* li a1, 0 */
    0xf89ff0ef, /* jal queue */
    0x40090293, /* add t0, s2, 1024 */
    0x00593023, /* sd t0, 0(s2) */
    0x64000293, /* li t0, 1600 */
    0x00592423, /* sw t0, 8(s2) */
    0x00200293, /* li t0, 2 */
    0x00591623, /* sh t0, 12(s2) */
    0x00100293, /* li t0, 1 */
    0x10591123, /* sh t0, 258(s2) */
    0x00090993, /* mv s3, s2 */
    0x000012b7, /* lui t0, 0x1 */
    0x00590933, /* add s2, s2, t0 */
    0x00100593, /* li a1, 1 */
    0xf55ff0ef, /* jal queue */
    0x40090293, /* add t0, s2, 1024 */
    0x00593023, /* sd t0, 0(s2) */
    0x04800293, /* li t0, 72 */
    0x00592423, /* sw t0, 8(s2) */
    0x00f00293, /* li t0, 15 */
    0x06542823, /* sw t0, 112(s0) */
    0x04042823, /* sw zero, 80(s0) */
    0x00100593, /* li a1, 1 */
    0xf69ff0ef, /* jal send */
    0x00098393, /* mv t2, s3 */
    0xf75ff0ef, /* jal wait */
    0x000012b7, /* lui t0, 0x1 */
    0x00590933, /* add s2, s2, t0 */
    0xec9ff06f, /* j next */
    /* blk: */
    0xeedff0ef, /* jal init */
    0x00000593, /* li a1, 0 */
    0xf11ff0ef, /* jal queue */
    0x40090293, /* add t0, s2, 1024 */
    0x00593023, /* sd t0, 0(s2) */
    0x0014f313, /* and t1, s1, 1 */
    0x0062a023, /* sw t1, 0(t0) */
    0x01000293, /* li t0, 16 */
    0x00592423, /* sw t0, 8(s2) */
    0x000102b7, /* lui t0, 0x10 */
    0x0012829b, /* addw t0, t0, 1 */
    0x00592623, /* sw t0, 12(s2) */
    0x60090293, /* add t0, s2, 1536 */
    0x00593823, /* sd t0, 16(s2) */
    0x20000293, /* li t0, 512 */
    0x00592c23, /* sw t0, 24(s2) */
    0x000202b7, /* lui t0, 0x20 */
    0x0012829b, /* addw t0, t0, 1 */
    0x00030463, /* beqz t1, blk+0x50 */
    0x0080006f, /* j blk+0x54 */
    0x00228293, /* add t0, t0, 2 */
    0x00592e23, /* sw t0, 28(s2) */
    0x10000293, /* li t0, 256 */
    0x00329293, /* sll t0, t0, 0x3 */
    0x012282b3, /* add t0, t0, s2 */
    0x02593023, /* sd t0, 32(s2) */
    0x00100293, /* li t0, 1 */
    0x02592423, /* sw t0, 40(s2) */
    0x00200293, /* li t0, 2 */
    0x02592623, /* sw t0, 44(s2) */
    0x00f00293, /* li t0, 15 */
    0x06542823, /* sw t0, 112(s0) */
    0xed1ff0ef, /* jal send */
    0x000012b7, /* lui t0, 0x1 */
    0x00590933, /* add s2, s2, t0 */
    0xe39ff06f, /* j next */
    // clang-format on
};

/* ---- a VM, from its description to its end ---- */

static const char *accel;

static const struct {
    const char *key, *value;
} settings[] = {
    {"guest-arch", "riscv64"}, {"memory", "16M"},   {"firmware", "firmware"}, {"disk", "d.img"},
    {"disk", "e.img,ro"},      {"publish", "1:2"},  {"serial", "file:out"},   {"console", "unix:socket"},
    {"log", "all=error"},      {"net-mode", "nat"},
};

static int configure(cv_config *c, char *why, size_t why_size)
{
    int err = cv_config_set(c, "accel", accel, why, why_size);

    for (unsigned i = 0; !err && i < sizeof(settings) / sizeof(settings[0]); i++)
        err = cv_config_set(c, settings[i].key, settings[i].value, why, why_size);
    return err;
}

/* Frames come in meanwhile, from the test's own task as from the network process's. */
static int run(cv_vm *vm, struct cv_result *result, char *why, size_t why_size)
{
    static const uint8_t frame[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    int err = cv_vm_start(vm, why, why_size);

    if (err)
        return err;
    for (unsigned i = 0; i < 4; i++) /* so many wait for a guest that takes none */
        test_netproc_input(frame, sizeof(frame));
    if (cv_vm_wait(vm, 20000, result))
        fail_msg("the guest did not come to its end");
    return 0;
}

/* 0: it ran. */
static int whole(struct cv_result *result, unsigned *frames, char *why, size_t why_size)
{
    cv_config *c = cv_config_create();
    cv_vm *vm = NULL;
    uint8_t frame[2048];
    int err = c ? configure(c, why, why_size) : -ENOMEM;

    if (!c)
        strcpy(why, "no memory");
    if (!err)
        err = cv_vm_create(&vm, c, why, why_size);
    if (!err)
        err = run(vm, result, why, why_size);
    *frames = 0;
    while (!err && test_netproc_output(frame, sizeof(frame)) == 60)
        ++*frames;
    cv_vm_destroy(vm);
    cv_config_destroy(c);
    return err;
}

static void files(void)
{
    test_reset();
    test_file("firmware", program, sizeof(program), true);
    test_file("d.img", NULL, 4096, false);
    test_file("e.img", NULL, 4096, true);
}

static void check(uint64_t n, int err, const struct cv_result *r, const char *why, uint64_t before)
{
    if (err && (!why[0] || strchr(why, '\n')))
        fail_msg("%s, request %llu: error %d without one line: '%s'", accel, (unsigned long long)n, err, why);
    if (!err && r->end != CV_END_POWEROFF && (r->end != CV_END_CRASH || !r->reason[0]))
        fail_msg("%s, request %llu: end %d, %s", accel, (unsigned long long)n, r->end, r->reason);
    if (test_live() != before)
        fail_msg("%s, request %llu: %lld not given back", accel, (unsigned long long)n,
                 (long long)(test_live() - before));
}

static void each(const char *engine, unsigned at_least)
{
    bool more = true;
    unsigned slow = 0; /* the guest gave up before the host had time for its devices */
    uint64_t n;

    accel = engine;
    for (n = 1; more; n++) {
        struct cv_result result = {0};
        uint64_t before;
        char why[400] = "";
        unsigned frames;
        int err;

        files();
        before = test_live();
        test_fail_at(n);
        err = whole(&result, &frames, why, sizeof(why));
        more = test_failed();
        test_fail_at(0);
        check(n, err, &result, why, before);
        if (!more && !err && !frames && slow++ < 10) {
            more = true;
            n--;
        } else if (!more && (err || result.end != CV_END_POWEROFF || frames != 1)) {
            fail_msg("%s, without a failure: %d, %s, %u frames", engine, err, why, frames);
        }
        assert_true(n < 5000);
    }
    assert_true(n > at_least);
    print_message("%s: %llu requests failed one by one\n", engine, (unsigned long long)n - 2);
    test_reset();
}

static void interp(void **state)
{
    (void)state;
    each("interp", 150);
}

/* The JIT, where there is one. */
static void fastest(void **state)
{
    (void)state;
    each("auto", 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interp),
        cmocka_unit_test(fastest),
    };

    return cmocka_run_group_tests_name("api-fail-run", tests, NULL, NULL);
}
