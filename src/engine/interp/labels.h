/*
 * Shapes of the labels of exec(): each macro is the code of one operation in all its forms. They use exec()'s
 * v, s, ip, budget and buf.
 */
#ifndef CV_ENGINE_INTERP_LABELS_H
#define CV_ENGINE_INTERP_LABELS_H

#include "engine/interp/arith.h"
#include "engine/interp/memory.h"

#define R64(x) CELL(v, ip->x, uint64_t)
#define R32(x) CELL(v, ip->x, uint32_t)
#define I64    ((uint64_t)ip->imm)
#define I32    ((uint32_t)ip->imm)
#define NEXT                                                                                                 \
    do {                                                                                                     \
        ip++;                                                                                                \
        goto * ip->fn;                                                                                       \
    } while (0)

/* To a HEAD: takes the block's instructions from the budget. */
#define ENTER                                                                                                \
    do {                                                                                                     \
        budget -= ip->imm;                                                                                   \
        if (UNLIKELY(budget < 0))                                                                            \
            goto out_of_budget;                                                                              \
        NEXT;                                                                                                \
    } while (0)

/* To where a branch leads. Where the unit may be compiled one day (alone) it is noted which way that is. */
#define BRANCH(cond)                                                                                         \
    do {                                                                                                     \
        bool taken = (cond);                                                                                 \
                                                                                                             \
        if (alone)                                                                                           \
            lean_note(ip, taken);                                                                            \
        ip += taken ? (int32_t)(ip->imm >> 32) : (int32_t)ip->imm;                                           \
        ENTER;                                                                                               \
    } while (0)

#define BINARY(name, T64, expr64, T32, expr32)                                                               \
    L_##name##_64:                                                                                           \
    {                                                                                                        \
        T64 a = (T64)R64(a), b = (T64)R64(b);                                                                \
        R64(d) = (uint64_t)(expr64);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_64I:                                                                                          \
    {                                                                                                        \
        T64 a = (T64)R64(a), b = (T64)I64;                                                                   \
        R64(d) = (uint64_t)(expr64);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_32:                                                                                           \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)R32(b);                                                                \
        R32(d) = (uint32_t)(expr32);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_32I:                                                                                          \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)I32;                                                                   \
        R32(d) = (uint32_t)(expr32);                                                                         \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_W:                                                                                            \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)R32(b);                                                                \
        R64(d) = (uint64_t)(int64_t)(int32_t)(expr32);                                                       \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_##name##_WI:                                                                                           \
    {                                                                                                        \
        T32 a = (T32)R32(a), b = (T32)I32;                                                                   \
        R64(d) = (uint64_t)(int64_t)(int32_t)(expr32);                                                       \
        NEXT;                                                                                                \
    }

#define BINARY_SAME(name, expr) BINARY(name, uint64_t, expr, uint32_t, expr)

#define COMPARE(name, T64, T32, cmp)                                                                         \
    L_SET_##name##_64 : R64(d) = (T64)R64(a) cmp(T64) R64(b);                                                \
    NEXT;                                                                                                    \
    L_SET_##name##_64I : R64(d) = (T64)R64(a) cmp(T64) I64;                                                  \
    NEXT;                                                                                                    \
    L_SET_##name##_32 : R64(d) = (T32)R32(a) cmp(T32) R32(b);                                                \
    NEXT;                                                                                                    \
    L_SET_##name##_32I : R64(d) = (T32)R32(a) cmp(T32) I32;                                                  \
    NEXT;                                                                                                    \
    L_BR_##name##_64 : BRANCH((T64)R64(a) cmp(T64) R64(b));                                                  \
    L_BR_##name##_64Z:                                                                                       \
    {                                                                                                        \
        T64 x = (T64)R64(a), none = 0;                                                                       \
        BRANCH(x cmp none);                                                                                  \
    }                                                                                                        \
    L_BR_##name##_32 : BRANCH((T32)R32(a) cmp(T32) R32(b));

/* Bits N Z C V; carry is "no borrow" in differences. */
#define FLAGS_OF(w, U, S)                                                                                    \
    L_FLAGS_ADD_##w:                                                                                         \
    {                                                                                                        \
        U a = R##w(a), b = R##w(b), r = (U)(a + b);                                                          \
                                                                                                             \
        R64(d) = (unsigned)((S)r < 0) | (unsigned)(r == 0) << 1 | (unsigned)(r < a) << 2 |                   \
                 (unsigned)((S)((a ^ r) & (b ^ r)) < 0) << 3;                                                \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_FLAGS_SUB_##w:                                                                                         \
    {                                                                                                        \
        U a = R##w(a), b = R##w(b), r = (U)(a - b);                                                          \
                                                                                                             \
        R64(d) = (unsigned)((S)r < 0) | (unsigned)(r == 0) << 1 | (unsigned)(a >= b) << 2 |                  \
                 (unsigned)((S)((a ^ b) & (a ^ r)) < 0) << 3;                                                \
        NEXT;                                                                                                \
    }                                                                                                        \
    L_FLAGS_LOGIC_##w:                                                                                       \
    {                                                                                                        \
        U a = R##w(a);                                                                                       \
                                                                                                             \
        R64(d) = (unsigned)((S)a < 0) | (unsigned)(a == 0) << 1;                                             \
        NEXT;                                                                                                \
    }

#define VECTOR(name, op)                                                                                     \
    L_##name:                                                                                                \
    {                                                                                                        \
        uint64_t lo = R64(a) op R64(b);                                                                      \
        uint64_t hi = CELL(v, ip->a + 8, uint64_t) op CELL(v, ip->b + 8, uint64_t);                          \
                                                                                                             \
        R64(d) = lo;                                                                                         \
        CELL(v, ip->d + 8, uint64_t) = hi;                                                                   \
        NEXT;                                                                                                \
    }

#define LOAD(name, T, aux, CT, RT)                                                                           \
    L_##name:                                                                                                \
    {                                                                                                        \
        gva_t va = R64(a) + I64;                                                                             \
        const void *p = tlb_read(s, va, sizeof(T));                                                          \
                                                                                                             \
        if (UNLIKELY(!p)) {                                                                                  \
            v->budget = budget;                                                                              \
            p = slow_load(v, va, aux, &buf);                                                                 \
            if (!p)                                                                                          \
                goto failed;                                                                                 \
        }                                                                                                    \
        CELL(v, ip->d, RT) = (RT)(CT)T##_ram(p);                                                             \
        NEXT;                                                                                                \
    }

#define uint8_t_ram(p)  ram_u8_load(p)
#define uint16_t_ram(p) ram_u16_load(p)
#define uint32_t_ram(p) ram_u32_load(p)
#define uint64_t_ram(p) ram_u64_load(p)

#define STORE(name, T, aux, ram)                                                                             \
    L_##name:                                                                                                \
    {                                                                                                        \
        gva_t va = R64(a) + I64;                                                                             \
        void *p = tlb_write(s, va, sizeof(T));                                                               \
                                                                                                             \
        if (UNLIKELY(!p)) {                                                                                  \
            v->budget = budget;                                                                              \
            p = slow_store(v, va, aux, &CELL(v, ip->b, uint8_t), &buf);                                      \
            if (!p)                                                                                          \
                goto failed;                                                                                 \
        }                                                                                                    \
        ram(p, CELL(v, ip->b, T));                                                                           \
        NEXT;                                                                                                \
    }

#define MEMORY_CALL(name, fn)                                                                                \
    L_##name : v->budget = budget;                                                                           \
    if (UNLIKELY(fn(v, ip)))                                                                                 \
        goto failed;                                                                                         \
    NEXT;

#endif
