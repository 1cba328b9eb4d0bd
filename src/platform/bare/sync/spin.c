/*
 * Debug builds: the order of spin locks. Each CPU remembers what it holds; ranks rise, within a rank
 * addresses do.
 */
#include "platform/bare/sync/spin.h"

#ifdef CV_DEBUG

void spin_check(struct spin *s)
{
    struct cpu *c = arch_cpu();

    if (!c)
        return;
    BUG_ON(arch_irqs_on());
    for (unsigned i = 0; i < c->lock_depth; i++) {
        struct spin *held = c->lock_held[i];

        BUG_ON(held == s);
        BUG_ON(held->rank > s->rank);
        BUG_ON(held->rank == s->rank && held > s);
    }
    BUG_ON(c->lock_depth == ARRAY_SIZE(c->lock_held));
    c->lock_held[c->lock_depth++] = s;
}

/* A switch of tasks hands a queue's lock to the next task of the same CPU, so the CPU's list stays right. */
void spin_uncheck(struct spin *s)
{
    struct cpu *c = arch_cpu();
    unsigned i = 0;

    if (!c)
        return;
    while (i < c->lock_depth && c->lock_held[i] != s)
        i++;
    BUG_ON(i == c->lock_depth);
    for (c->lock_depth--; i < c->lock_depth; i++)
        c->lock_held[i] = c->lock_held[i + 1];
}

#endif
