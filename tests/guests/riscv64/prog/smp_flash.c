/* CFI flash as programs and several harts see it: what an array, a status or a query reads as, at once and by
 * all; code that runs from it and is rewritten in it (JEDEC JESD68.01; Intel StrataFlash J3). */
#include "smp.h"

#define HARTS    4UL
#define FLASH    0x22000000UL /* the second bank: firmware may be in the first */
#define BLOCK    0x40000UL
#define BOTH(x)  ((u32)(x) << 16 | (x))
#define READY    BOTH(0x80)
#define DATA     0x5eed0001U
#define CALL(a)  (((u64(*)(void))(a))())
#define LI_A0(n) ((u32)(n) << 20 | 10 << 7 | 0x13)
#define ROUNDS   200UL

#define AND  "J3, Word Program; QEMU 7.2 stores what is programmed"
#define CODE "JESD68; QEMU 7.2 keeps what it translated from flash"

static volatile u64 phase, acks, bad;

static void command(u64 at, u32 c)
{
    poke32(at, BOTH(c));
}

static int ready(void)
{
    for (u32 i = 0; i < 100000000; i++)
        if (peek32(FLASH) & 0x80)
            return 1;
    return 0;
}

static void program(u64 at, u32 value)
{
    command(at, 0x40);
    poke32(at, value);
    check_true("programmed in time", ready());
    command(at, 0xff);
    fence_i();
}

static void erase(u64 at)
{
    command(at, 0x20);
    command(at, 0xd0);
    check_true("erased in time", ready());
    command(at, 0xff);
    fence_i();
}

static void modes(void)
{
    section("reads follow the mode");
    erase(FLASH);
    check("erased", peek64(FLASH + 8), ~0UL);
    program(FLASH + 8, DATA);
    for (u32 i = 0; i < 1000; i++) {
        check("array", peek32(FLASH + 8), DATA);
        command(FLASH, 0x70);
        check("status", peek32(FLASH + 8), READY);
        command(FLASH, 0x98);
        check("query", peek32(FLASH + 0x40), BOTH('Q'));
        check("query, a byte", peek8(FLASH + 0x44), 'R');
        command(FLASH, 0xff);
    }
    command(FLASH, 0x50);
    command(FLASH, 0x90);
    check("manufacturer", peek32(FLASH), BOTH(0x89));
    command(FLASH, 0xff);

    section("programming clears bits, erasing sets them");
    program(FLASH + 8, 0xffff0000);
    check_gap("and", peek32(FLASH + 8), DATA & 0xffff0000, AND);
    program(FLASH + BLOCK, 1);
    erase(FLASH);
    check("erased", peek32(FLASH + 8), 0xffffffff);
    check("the block behind", peek32(FLASH + BLOCK), 1);
    erase(FLASH + BLOCK);

    section("write buffer");
    command(FLASH, 0xe8);
    check("free", peek32(FLASH), READY);
    command(FLASH, 7);
    for (u32 i = 0; i < 8; i++)
        poke32(FLASH + 0x100 + 4 * i, i * 0x01010101);
    command(FLASH, 0xd0);
    check_true("in time", ready());
    check("status", peek32(FLASH), READY);
    command(FLASH, 0xff);
    for (u32 i = 0; i < 8; i++)
        check("word", peek32(FLASH + 0x100 + 4 * i), i * 0x01010101);
    check("before", peek32(FLASH + 0xfc), 0xffffffff);
    check("behind", peek32(FLASH + 0x120), 0xffffffff);
}

/* li a0, 7 becomes li a0, 3 by clearing a bit. */
static void code(void)
{
    section("code in flash");
    for (u32 i = 0; i < 20; i++) {
        erase(FLASH);
        program(FLASH, LI_A0(7));
        program(FLASH + 4, 0x00008067);
        for (u32 k = 0; k < 1000; k++)
            if (!check("called", CALL(FLASH), 7))
                return;
        program(FLASH, LI_A0(3));
        for (u32 k = 0; k < 1000; k++)
            if (!check_gap("rewritten", CALL(FLASH), 3, CODE))
                return;
    }
}

/* Hart 0 changes the mode, then says so: whoever has heard of it reads by the new mode. */
static void switch_job(u64 hart, u64 arg)
{
    u64 old;

    (void)arg;
    for (u64 i = 1; i <= ROUNDS; i++) {
        if (hart == 0) {
            command(FLASH, i & 1 ? 0x70 : 0xff);
            full_fence();
            phase = i;
            while (acks != i * (HARTS - 1))
                asm volatile("" ::: "memory");
            continue;
        }
        while (phase != i) {
            u32 x = peek32(FLASH + 8); /* keeps its translation warm */

            bad += x != DATA && x != READY;
        }
        full_fence();
        bad += peek32(FLASH + 8) != (i & 1 ? READY : DATA);
        asm volatile("amoadd.d %0, %1, (%2)" : "=r"(old) : "r"(1UL), "r"(&acks) : "memory");
    }
}

void test_main(void)
{
    if (!check("harts", smp_begin(HARTS), HARTS))
        return;
    modes();
    code();

    section("the mode changes under other harts");
    erase(FLASH);
    program(FLASH + 8, DATA);
    smp_run(HARTS, switch_job, 0);
    check("wrong reads", bad, 0);
    command(FLASH, 0xff);
}
