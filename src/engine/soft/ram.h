/*
 * Every access of C code to guest RAM on behalf of the guest. Other vCPUs and devices touch the same bytes at
 * the same time, as on real hardware: relaxed atomics where aligned, bytes where not.
 */
#ifndef CV_ENGINE_SOFT_RAM_H
#define CV_ENGINE_SOFT_RAM_H

#include <stdatomic.h>
#include "lib/base.h"

#ifdef __SANITIZE_THREAD__
#define RAM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RAM_TSAN 1
#endif
#endif

/*
 * TSan does not know fences, by which guests order what they share with devices: there each access orders by
 * itself.
 */
#ifdef RAM_TSAN
#define RAM_LOAD  __ATOMIC_ACQUIRE
#define RAM_STORE __ATOMIC_RELEASE
#else
#define RAM_LOAD  __ATOMIC_RELAXED
#define RAM_STORE __ATOMIC_RELAXED
#endif

#define RAM_ACCESS(type, name)                                                                               \
    typedef type __attribute__((aligned(1), may_alias)) name##_any;                                          \
    static inline type name##_load(const void *p)                                                            \
    {                                                                                                        \
        return ((uintptr_t)p & (sizeof(type) - 1)) ? (type)ram_load_bytes(p, sizeof(type))                   \
                                                   : __atomic_load_n((const type *)p, RAM_LOAD);             \
    }                                                                                                        \
    static inline void name##_store(void *p, type x)                                                         \
    {                                                                                                        \
        if ((uintptr_t)p & (sizeof(type) - 1))                                                               \
            ram_store_bytes(p, sizeof(type), x);                                                             \
        else                                                                                                 \
            __atomic_store_n((type *)p, x, RAM_STORE);                                                       \
    }

/* Misaligned: TSan and the C rules know no such atomic; hosts that have one do it in one go. */
static inline uint64_t ram_load_bytes(const void *p, unsigned size)
{
    uint64_t x = 0;

#ifdef RAM_TSAN
    for (unsigned i = 0; i < size; i++)
        x |= (uint64_t)__atomic_load_n((const uint8_t *)p + i, RAM_LOAD) << (8 * i);
#else
    __builtin_memcpy(&x, p, size);
#endif
    return x;
}

static inline void ram_store_bytes(void *p, unsigned size, uint64_t x)
{
#ifdef RAM_TSAN
    for (unsigned i = 0; i < size; i++)
        __atomic_store_n((uint8_t *)p + i, (uint8_t)(x >> (8 * i)), RAM_STORE);
#else
    __builtin_memcpy(p, &x, size);
#endif
}

RAM_ACCESS(uint8_t, ram_u8)
RAM_ACCESS(uint16_t, ram_u16)
RAM_ACCESS(uint32_t, ram_u32)
RAM_ACCESS(uint64_t, ram_u64)

/* `size` is 1, 2, 4 or 8. */
static inline uint64_t ram_load(const void *p, unsigned size)
{
    switch (size) {
    case 1:
        return ram_u8_load(p);
    case 2:
        return ram_u16_load(p);
    case 4:
        return ram_u32_load(p);
    default:
        return ram_u64_load(p);
    }
}

static inline void ram_store(void *p, unsigned size, uint64_t x)
{
    switch (size) {
    case 1:
        ram_u8_store(p, (uint8_t)x);
        break;
    case 2:
        ram_u16_store(p, (uint16_t)x);
        break;
    case 4:
        ram_u32_store(p, (uint32_t)x);
        break;
    default:
        ram_u64_store(p, x);
        break;
    }
}

static inline void ram_read(void *dst, const void *src, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        ((uint8_t *)dst)[i] = ram_u8_load((const uint8_t *)src + i);
}

/* Words of 8 bytes, each in one go; src is aligned. */
static inline void ram_read_words(void *dst, const void *src, unsigned size)
{
    for (unsigned i = 0; i < size; i += 8) {
        uint64_t x = ram_u64_load((const uint8_t *)src + i);

        __builtin_memcpy((uint8_t *)dst + i, &x, 8);
    }
}

/* Store before later loads: the one order that a strongly ordered host does not give by itself. */
static inline void ram_fence(void)
{
#ifdef RAM_TSAN
    uint32_t dummy = 0;

    __atomic_fetch_add(&dummy, 1, __ATOMIC_SEQ_CST);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* Order between accesses where the host is weak; on x86 only the compiler is told. */
static inline void ram_acquire(void)
{
#ifndef RAM_TSAN
    atomic_thread_fence(memory_order_acquire);
#endif
}

static inline void ram_release(void)
{
#ifndef RAM_TSAN
    atomic_thread_fence(memory_order_release);
#endif
}

#endif
