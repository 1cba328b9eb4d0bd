/* Random delays where vCPUs meet, in the build that asks for them (MODE=delay); CV_DELAY_SEED chooses which.
 */
#include "core/platform.h"

#ifdef CV_DELAYS

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static _Atomic uint64_t tasks; /* each draws numbers of its own */
static _Thread_local uint64_t state;

static uint64_t draw(void)
{
    if (!state) {
        const char *seed = getenv("CV_DELAY_SEED");
        uint64_t n = atomic_fetch_add(&tasks, 1) + 1;

        state = ((seed ? strtoull(seed, NULL, 0) : 0) * 1000003 + n) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> 8;
}

static void spin(uint64_t turns)
{
    for (; turns; turns--)
        atomic_signal_fence(memory_order_seq_cst);
}

/* Mostly nothing; then a little, another task's turn, and rarely so long that the others do much. */
void plat_meet(void)
{
    uint64_t r = draw();

    if (r % 8)
        return;
    r /= 8;
    if (r % 64 == 0)
        nanosleep(&(struct timespec){.tv_nsec = (long)(r / 64 % 300000)}, NULL);
    else if (r % 4 == 0)
        sched_yield();
    else
        spin(r / 4 % 2000);
}

#endif
